// Backs up a tree at level 0, restores it elsewhere and says what was done:
//
//     tree ROOT ARCHIVE SNAPSHOT DESTINATION
//
// Compile it with: c++ -std=c++17 tree.cpp -lfrazil
#include <frazil.hpp>

#include <fstream>
#include <iostream>

int main(int argc, char **argv) {
    if (argc != 5) {
        std::cerr << "usage: tree ROOT ARCHIVE SNAPSHOT DESTINATION\n";
        return 2;
    }
    try {
        frazil::backup_options options;
        options.selection.excludes = {"*.tmp"};
        options.selection.exclude_caches = true;
        options.observer.problem = [](const frazil::error &problem) { std::cerr << problem.what() << '\n'; };
        auto backup = frazil::backup::open(argv[1], {}, argv[3], options);
        std::ofstream archive(argv[2], std::ios::binary);
        backup.copy_to(archive);
        // The snapshot appears when the archive is where it is to stay.
        const auto made = backup.finish();
        std::cout << made.entries << " entries backed up" << (made.partial() ? ", some in part\n" : "\n");

        const auto restored = frazil::restore_tree(argv[2], argv[4]);
        frazil::restore_conclude(argv[4]);
        std::cout << restored.files << " files restored" << (restored.partial() ? ", some in part\n" : "\n");
    } catch (const std::exception &failure) {
        std::cerr << "tree: " << failure.what() << '\n';
        return 1;
    }
}
