/* Pulls the level of a file through `frazil_level_read` and drops it, as pull_level.rs does:
 *
 *     pull_level BUFFER_LEN SOURCE [SIGNATURE]
 */
#include <frazil.h>

#include <stdio.h>
#include <stdlib.h>

static frazil_error *error;

static void check(int status) {
    if (status >= 0) return;
    fprintf(stderr, "pull_level: %s\n", frazil_error_message(error));
    exit(1);
}

int main(int argc, char **argv) {
    size_t buffer_len = argc >= 3 ? strtoul(argv[1], NULL, 10) : 0, read;
    void *buffer = malloc(buffer_len);
    frazil_level *level;
    frazil_signature *old = NULL, *signature;

    if (buffer == NULL || buffer_len == 0) {
        fprintf(stderr, "usage: pull_level BUFFER_LEN SOURCE [SIGNATURE]\n");
        return 2;
    }
    if (argc > 3) check(frazil_signature_load(argv[3], 0, &old, &error));
    check(frazil_level_open(argv[2], old, NULL, &level, &error));
    do {
        check(frazil_level_read(level, buffer, buffer_len, &read, &error));
    } while (read > 0);
    check(frazil_level_finish(level, &signature, NULL, &error));
    frazil_signature_free(signature);
    frazil_signature_free(old);
    frazil_level_free(level);
    free(buffer);
    return 0;
}
