/* What every program here begins with: checks that end it, bytes that grow, files. */
#ifndef CHECK_H
#define CHECK_H

#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif

/* Twice, since a guard that fails shows only then. */
#include <frazil.h>
#include <frazil.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

/* What the call being checked has said; freed by `expect`. */
static frazil_error *error = NULL;

/* Checks what a call returned, and that its error object says the same. */
static inline void expect(int line, int expected, int found) {
    if (found != expected) {
        fprintf(stderr, "line %d: expected %d, found %d: %s\n", line, expected, found,
                frazil_error_message(error));
        exit(1);
    }
    CHECK((error != NULL) == (found < 0));
    CHECK(frazil_error_status(error) == (found < 0 ? found : FRAZIL_OK));
    CHECK((strlen(frazil_error_message(error)) > 0) == (found < 0));
    frazil_error_free(error);
    error = NULL;
}

#define EXPECT(expected, call) expect(__LINE__, expected, call)

/* Checks what a call failed with, and that the message has these words in it. */
static inline void said(int line, int expected, int status, const char *words) {
    if (strstr(frazil_error_message(error), words) == NULL) {
        fprintf(stderr, "line %d: no word of %s: %s\n", line, words, frazil_error_message(error));
        exit(1);
    }
    expect(line, expected, status);
}
#define SAID(status, words, call) said(__LINE__, status, call, words)

typedef struct bytes {
    unsigned char *data;
    size_t len;
    /* How far `take` has come, and at most how much it gives at once; 0 is no limit. */
    size_t taken, piece;
} bytes;

static inline void *memory(void *data, size_t len) {
    data = realloc(data, len);
    CHECK(data != NULL);
    return data;
}

/* A write callback: appends to bytes. */
static inline int append(void *user_data, const void *data, size_t len) {
    bytes *to = (bytes *)user_data;
    to->data = (unsigned char *)memory(to->data, to->len + len);
    memcpy(to->data + to->len, data, len);
    to->len += len;
    return 0;
}

/* A read callback: gives out bytes. */
static inline int take(void *user_data, void *buffer, size_t len, size_t *read) {
    bytes *from = (bytes *)user_data;
    CHECK(*read == 0);
    if (from->piece > 0 && len > from->piece) len = from->piece;
    if (len > from->len - from->taken) len = from->len - from->taken;
    if (len > 0) memcpy(buffer, from->data + from->taken, len);
    from->taken += len;
    *read = len;
    return 0;
}

static inline bytes noise(size_t len, unsigned seed) {
    bytes made = {NULL, 0, 0, 0};
    size_t i;
    made.data = (unsigned char *)memory(NULL, len + 1);
    made.len = len;
    for (i = 0; i < len; i++) {
        seed = seed * 1664525u + 1013904223u;
        made.data[i] = (unsigned char)(seed >> 24);
    }
    return made;
}

static inline void drop(bytes *held) {
    free(held->data);
    memset(held, 0, sizeof *held);
}

static inline int same(const bytes *a, const bytes *b) {
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static inline void save(const char *path, const bytes *content) {
    FILE *file = fopen(path, "wb");
    CHECK(file != NULL);
    CHECK(fwrite(content->data, 1, content->len, file) == content->len);
    CHECK(fclose(file) == 0);
}

static inline void save_text(const char *path, const char *text) {
    bytes content = {NULL, 0, 0, 0};
    append(&content, text, strlen(text));
    save(path, &content);
    drop(&content);
}

static inline bytes load(const char *path) {
    bytes content = {NULL, 0, 0, 0};
    unsigned char buffer[4096];
    size_t len;
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL);
    while ((len = fread(buffer, 1, sizeof buffer, file)) > 0) append(&content, buffer, len);
    CHECK(fclose(file) == 0);
    return content;
}

/* Whether the file at `path` holds this content. */
static inline int holds(const char *path, const bytes *expected) {
    bytes found = load(path);
    int equal = same(&found, expected);
    drop(&found);
    return equal;
}

/* Checks that a callback stopped the call, by `code`. */
static inline void stopped(int line, int status, int code) {
    if (status != FRAZIL_ERR_CALLBACK || frazil_error_callback_code(error) != code) {
        fprintf(stderr, "line %d: found %d, code %d: %s\n", line, status,
                frazil_error_callback_code(error), frazil_error_message(error));
        exit(1);
    }
    frazil_error_free(error);
    error = NULL;
}
#define STOPPED(code, call) stopped(__LINE__, call, code)

#endif
