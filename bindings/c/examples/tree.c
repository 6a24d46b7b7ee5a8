/*
 * Backs up a tree at level 0, restores it elsewhere and says what was done:
 *
 *     tree ROOT ARCHIVE SNAPSHOT DESTINATION
 *
 * Compile it with: cc tree.c -lfrazil
 */
#include <frazil.h>

#include <stdio.h>
#include <stdlib.h>

enum { BUFFER_LEN = 1 << 16 };

static frazil_error *error;

/* Gives the status on, unless it is a failure. */
static int check(int status) {
    if (status >= 0) return status;
    fprintf(stderr, "tree: %s\n", frazil_error_message(error));
    frazil_error_free(error);
    exit(1);
}

int main(int argc, char **argv) {
    static char buffer[BUFFER_LEN];
    frazil_backup *backup = NULL;
    frazil_restore *restore = NULL;
    FILE *archive;
    size_t len = 0;
    int made, restored;

    if (argc != 5 || (archive = fopen(argv[2], "w+b")) == NULL) {
        fprintf(stderr, "usage: tree ROOT ARCHIVE SNAPSHOT DESTINATION\n");
        return 2;
    }
    check(frazil_backup_open(argv[1], NULL, argv[3], NULL, &backup, &error));
    do {
        check(frazil_backup_read(backup, buffer, sizeof buffer, &len, &error));
        if (fwrite(buffer, 1, len, archive) != len) return 1;
    } while (len > 0);
    if (fflush(archive) != 0) return 1;
    made = check(frazil_backup_finish(backup, NULL, &error));
    frazil_backup_free(backup);

    rewind(archive);
    check(frazil_restore_open(argv[4], NULL, &restore, &error));
    while ((len = fread(buffer, 1, sizeof buffer, archive)) > 0)
        check(frazil_restore_feed(restore, buffer, len, &error));
    restored = check(frazil_restore_finish(restore, NULL, &error));
    frazil_restore_free(restore);
    fclose(archive);
    check(frazil_restore_conclude(argv[4], &error));
    printf("backed up: %s; restored: %s\n", frazil_status_name(made), frazil_status_name(restored));
    return 0;
}
