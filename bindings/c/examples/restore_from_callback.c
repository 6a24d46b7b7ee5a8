/*
 * Restores a file from the levels on standard input, or brings it to the next one:
 *
 *     restore_from_callback TARGET <LEVEL
 *
 * The target appears whole and verified, or stays as it was. A callback may read from anywhere; this
 * one reads a FILE. Compile it with: cc restore_from_callback.c -lfrazil
 */
#include <frazil.h>

#include <stdio.h>

/* Reads on; returns 0, or a number of our own that comes back in the error. */
static int read_file(void *user_data, void *buffer, size_t len, size_t *read) {
    FILE *file = (FILE *)user_data;
    *read = fread(buffer, 1, len, file);
    return ferror(file) ? 1 : 0;
}

/* Called about once for each mebibyte. */
static int show(void *user_data, const frazil_progress *progress) {
    (void)user_data;
    fprintf(stderr, "\r%llu bytes", (unsigned long long)progress->done_bytes);
    return 0; /* anything else stops the restore */
}

int main(int argc, char **argv) {
    frazil_observer observer;
    frazil_patch_options options;
    frazil_patch_summary summary;
    frazil_error *error = NULL;

    if (argc != 2) {
        fprintf(stderr, "usage: restore_from_callback TARGET <LEVEL\n");
        return 2;
    }
    frazil_observer_init(&observer, sizeof observer);
    observer.progress = show;
    frazil_patch_options_init(&options, sizeof options);
    options.observer = &observer;
    frazil_patch_summary_init(&summary, sizeof summary);
    if (frazil_patch_from_stream(read_file, stdin, argv[1], &options, &summary, &error) < 0) {
        fprintf(stderr, "restore_from_callback: %s\n", frazil_error_message(error));
        if (frazil_error_callback_code(error) == 1) fprintf(stderr, "standard input failed\n");
        frazil_error_free(error);
        return 1;
    }
    fprintf(stderr, "\r%llu bytes restored\n", (unsigned long long)summary.output_bytes);
    return 0;
}
