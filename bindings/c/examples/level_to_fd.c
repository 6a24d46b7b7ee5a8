/*
 * Makes the level of a file, writes it to standard output and saves the new signature:
 *
 *     level_to_fd SOURCE NEW-SIGNATURE [OLD-SIGNATURE] >LEVEL
 *
 * Without an old signature it is level 0. Compile it with: cc level_to_fd.c -lfrazil
 */
#include <frazil.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static frazil_error *error;

static void check(int status) {
    if (status >= 0) return;
    fprintf(stderr, "level_to_fd: %s\n", frazil_error_message(error));
    frazil_error_free(error);
    exit(1);
}

static void write_all(int fd, const char *data, size_t len) {
    while (len > 0) {
        ssize_t written = write(fd, data, len);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) {
            perror("level_to_fd");
            exit(1);
        }
        data += written;
        len -= (size_t)written;
    }
}

int main(int argc, char **argv) {
    static char buffer[1 << 16];
    frazil_signature *before = NULL, *after = NULL;
    frazil_level *level = NULL;
    size_t len = 0;

    if (argc != 3 && argc != 4) {
        fprintf(stderr, "usage: level_to_fd SOURCE NEW-SIGNATURE [OLD-SIGNATURE] >LEVEL\n");
        return 2;
    }
    if (argc == 4) check(frazil_signature_load(argv[3], 0, &before, &error));
    check(frazil_level_open(argv[1], before, NULL, &level, &error));
    do {
        check(frazil_level_read(level, buffer, sizeof buffer, &len, &error));
        write_all(STDOUT_FILENO, buffer, len);
    } while (len > 0);
    check(frazil_level_finish(level, &after, NULL, &error));
    check(frazil_signature_save(after, argv[2], FRAZIL_FORMAT_SEALED, &error));
    frazil_level_free(level);
    frazil_signature_free(before);
    frazil_signature_free(after);
    return 0;
}
