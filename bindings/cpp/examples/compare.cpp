// Says which ranges of a file changed, moved or stayed, by the signature of its old content:
//
//     compare OLD-SIGNATURE FILE
//
// Compile it with: c++ -std=c++17 compare.cpp -lfrazil
#include <frazil.hpp>

#include <iostream>

int main(int argc, char **argv) {
    if (argc != 3) {
        std::cerr << "usage: compare OLD-SIGNATURE FILE\n";
        return 2;
    }
    try {
        const auto before = frazil::signature::load(argv[1]);
        frazil::level_options like;  // Only sums of the same kind, over blocks of the same length, can be compared.
        like.block_len = before.block_len();
        like.strong_len = before.strong_len();
        like.weak_sum = before.weak_sum();
        like.strong_sum = before.strong_sum();
        const auto after = frazil::signature::of(argv[2], like);
        for (const frazil::range &range : frazil::comparison::open(before, after)) {
            std::cout << range.offset << '+' << range.len;
            switch (range.kind) {
                case frazil::range_kind::same: std::cout << " is the same\n"; break;
                case frazil::range_kind::moved: std::cout << " was at " << range.from << '\n'; break;
                case frazil::range_kind::changed: std::cout << " changed\n"; break;
            }
        }
    } catch (const frazil::error &error) {
        std::cerr << "compare: " << error.what() << '\n';
        return 1;
    }
}
