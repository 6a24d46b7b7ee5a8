/* Loaded before all else, counts the bytes that a process has the C library copy, and writes them to $COPIED at its
 * end. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

void *memcpy(void *to, const void *from, size_t len);
void *memmove(void *to, const void *from, size_t len);

static size_t copied = 0;

/* Byte by byte as far as the compiler is to know, which would make a call of it else. */
static void copy(unsigned char *to, const unsigned char *from, size_t len) {
    const int is_backward = to > from;
    size_t i;
    __sync_fetch_and_add(&copied, len);
    for (i = 0; i < len; i++) {
        const size_t at = is_backward ? len - 1 - i : i;
        ((volatile unsigned char *)to)[at] = from[at];
    }
}

void *memcpy(void *to, const void *from, size_t len) {
    copy((unsigned char *)to, (const unsigned char *)from, len);
    return to;
}

void *memmove(void *to, const void *from, size_t len) {
    return memcpy(to, from, len);
}

__attribute__((destructor)) static void write_copied(void) {
    FILE *file = fopen(getenv("COPIED"), "w");
    if (file == NULL || fprintf(file, "%zu", copied) < 0 || fclose(file) != 0) abort();
}
