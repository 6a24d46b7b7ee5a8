// Restores a file from its levels, level 0 first, in one pass:
//
//     restore_levels TARGET LEVEL...
//
// The target appears whole and verified, or not at all. Compile it with: c++ -std=c++17 restore_levels.cpp -lfrazil
#include <frazil.hpp>

#include <csignal>
#include <iostream>

static volatile std::sig_atomic_t interrupted = 0;

int main(int argc, char **argv) {
    if (argc < 3) {
        std::cerr << "usage: restore_levels TARGET LEVEL...\n";
        return 2;
    }
    std::signal(SIGINT, [](int) { interrupted = 1; });
    frazil::patch_options options;
    options.observer.cancelled = [] { return interrupted != 0; };
    options.observer.progress = [](const frazil::progress &made) {
        std::cerr << '\r' << made.done_bytes << " bytes";
        if (made.total_bytes) std::cerr << " of " << *made.total_bytes;
    };
    try {
        const auto summary = frazil::patch_file_chain({}, {argv + 2, argv + argc}, argv[1], options);
        std::cerr << '\r' << summary.output_bytes << " bytes restored\n";
        if (summary.dirty) std::cerr << "the source changed while the last level was made\n";
    } catch (const frazil::damage_error &damage) {
        std::cerr << "\nrestore_levels: " << damage.what() << "\nfetch " << damage.path() << " again\n";
        return 1;
    } catch (const frazil::error &error) {
        std::cerr << "\nrestore_levels: " << error.what() << '\n';
        if (error.code() == std::errc::no_space_on_device) std::cerr << "make room and try again\n";
        return 1;
    }
}
