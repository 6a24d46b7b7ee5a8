// frazil: block-level backups, made and restored in stream.
//
// This header is generated from the Rust sources of the crate by cbindgen; do not edit it.
//
// A complete program:
//
//     #include <frazil.h>
//     #include <stdio.h>
//     #include <string.h>
//
//     int main(void) {
//         printf("frazil %s\n", frazil_version());
//         return strcmp(frazil_version(), FRAZIL_VERSION) != 0; // header and library differ
//     }
//
// Compile it with: cc -std=c99 program.c -lfrazil
//
// Conventions:
//
// - Every name begins with `frazil_` or `FRAZIL_`.
// - Strings are UTF-8 and end with a zero byte. Each function says who owns what it returns, and for
//   how long it is valid.
// - A function may be called from any thread unless it says otherwise.
// - Versioning: before 1.0 a new minor version may change this interface, and the name of the shared
//   library says which one it is (libfrazil.so.0.1); a new patch version never does.


#ifndef FRAZIL_H
#define FRAZIL_H

#include <stddef.h>
#include <stdint.h>

// The version of this header. `frazil_version` gives that of the library that is linked.
#define FRAZIL_VERSION_MAJOR 0
#define FRAZIL_VERSION_MINOR 1
#define FRAZIL_VERSION_PATCH 0
#define FRAZIL_VERSION "0.1.0"


#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The version of the library that is linked, as `MAJOR.MINOR.PATCH`.
//
// Returns a string that lives as long as the process; do not free it. May be called from any thread.
// A cautious program compares it with `FRAZIL_VERSION`, the version of the header it was compiled
// with.
const char *frazil_version(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* FRAZIL_H */
