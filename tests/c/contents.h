/* Two contents and their levels, in memory and in files. */
#ifndef CONTENTS_H
#define CONTENTS_H

#include "check.h"

/* They differ in one block of 64 KiB. */
static bytes old_content, new_content;

/* Saves them as "old" and "new", and the levels 0 and 1 as "level.0" and "level.1". */
static inline void make_contents(void) {
    frazil_signature *signature;
    old_content = noise(300000, 1);
    new_content = noise(300000, 1);
    new_content.data[70000] ^= 0xff;
    save("old", &old_content);
    save("new", &new_content);
    EXPECT(FRAZIL_OK, frazil_level_file("old", NULL, "level.0", NULL, &signature, NULL, &error));
    EXPECT(FRAZIL_OK, frazil_level_file("new", signature, "level.1", NULL, NULL, NULL, &error));
    frazil_signature_free(signature);
}

static inline void drop_contents(void) {
    drop(&old_content);
    drop(&new_content);
}

/* Reads a level or a patch to its end, in pieces of an odd size. */
#define READ_ALL(noun)                                                                             \
    static inline bytes read_##noun(frazil_##noun *from) {                                         \
        bytes all = {NULL, 0, 0, 0};                                                               \
        char buffer[1237];                                                                         \
        size_t read;                                                                               \
        do {                                                                                       \
            EXPECT(FRAZIL_OK, frazil_##noun##_read(from, buffer, sizeof buffer, &read, &error));   \
            append(&all, buffer, read);                                                            \
        } while (read > 0);                                                                        \
        return all;                                                                                \
    }
READ_ALL(level)
READ_ALL(patch)

#endif
