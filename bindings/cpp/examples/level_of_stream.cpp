// Makes the level of standard input, writes it to standard output and saves the new signature:
//
//     level_of_stream NEW-SIGNATURE [OLD-SIGNATURE] <CONTENT >LEVEL
//
// Without an old signature it is level 0. Compile it with: c++ -std=c++17 level_of_stream.cpp -lfrazil
#include <frazil.hpp>

#include <iostream>

int main(int argc, char **argv) {
    if (argc != 2 && argc != 3) {
        std::cerr << "usage: level_of_stream NEW-SIGNATURE [OLD-SIGNATURE] <CONTENT >LEVEL\n";
        return 2;
    }
    // As C's standard input, `std::cin` takes a failure for the end.
    std::ios::sync_with_stdio(false);
    try {
        std::optional<frazil::signature> before;
        if (argc == 3) before = frazil::signature::load(argv[2]);
        auto level = frazil::level::open(std::cin, before);
        level.copy_to(std::cout);
        const auto [signature, summary] = level.finish();
        signature.save(argv[1]);
        std::cerr << summary.source_bytes << " bytes, " << summary.copy_bytes << " of them as before\n";
    } catch (const std::exception &failure) {
        std::cerr << "level_of_stream: " << failure.what() << '\n';
        return 1;
    }
}
