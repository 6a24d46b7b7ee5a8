// What is lost in silence when a result is not looked at, which the compiler has to say; and what is not lost.
#include <frazil.hpp>

void discard(frazil::source archive, frazil::level &level, frazil::patch_writer &patch, frazil::restore &restore) {
    frazil::level_file("disk.img", {}, "level.0");                                  // lost
    frazil::patch_file({}, "level.0", "restored.img");                              // lost
    frazil::signature::load("level.0.sig");                                         // lost
    frazil::level::open("disk.img", {});                                            // lost
    level.finish();                                                                 // lost
    patch.finish();                                                                 // lost
    restore.finish();                                                               // lost
    char piece[10];
    level.read(piece, sizeof piece);                                                // lost
    frazil::backup::open("tree", {}, "snapshot");                                   // lost
    frazil::backup_tree_file("tree", {}, "snapshot", "archive");                    // lost
    frazil::restore_tree(archive, "restored");                                      // lost
    frazil::restore_recover("restored");                                            // lost
    frazil::tree_verify({archive}, "tree", [](const frazil::difference &) {});      // lost

    // A listing has told of all that it found, and damage is thrown.
    frazil::archive_list(archive, [](const frazil::entry &) {});
    frazil::archive_verify(archive);
    (void)frazil::restore_tree(archive, "restored");
    frazil::restore_conclude("restored");
}
