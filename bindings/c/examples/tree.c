/*
 * Backs up a tree at level 0, restores it elsewhere, says what was done, and ends with 3 if not all of it:
 *
 *     tree ROOT ARCHIVE SNAPSHOT DESTINATION
 *
 * Compile it with: cc tree.c -lfrazil
 */
#include <frazil.h>

#include <stdio.h>
#include <stdlib.h>

static frazil_error *error;

/* Gives the status on, unless it is a failure. */
static int check(int status) {
    if (status >= 0) return status;
    fprintf(stderr, "tree: %s\n", frazil_error_message(error));
    frazil_error_free(error);
    exit(1);
}

/* What could not be backed up or restored as it was: without it, nobody would know what is missing. */
static int tell(void *user_data, const frazil_error *problem) {
    fprintf(stderr, "tree: %s: %s\n", (const char *)user_data, frazil_error_message(problem));
    return 0;
}

int main(int argc, char **argv) {
    static char text[] = "not as it was";
    frazil_observer observer;
    frazil_backup_options how_to_back_up;
    frazil_restore_options how_to_restore;
    int made, restored;

    if (argc != 5) {
        fprintf(stderr, "usage: tree ROOT ARCHIVE SNAPSHOT DESTINATION\n");
        return 2;
    }
    frazil_observer_init(&observer, sizeof observer);
    observer.problem = tell;
    observer.user_data = text;
    frazil_backup_options_init(&how_to_back_up, sizeof how_to_back_up);
    how_to_back_up.observer = &observer;
    frazil_restore_options_init(&how_to_restore, sizeof how_to_restore);
    how_to_restore.observer = &observer;

    made = check(frazil_backup_tree_file(argv[1], NULL, argv[3], argv[2], &how_to_back_up, NULL, &error));
    restored = check(frazil_restore_tree(argv[2], argv[4], &how_to_restore, NULL, &error));
    check(frazil_restore_conclude(argv[4], &error));
    printf("backed up: %s; restored: %s\n", frazil_status_name(made), frazil_status_name(restored));
    return made == FRAZIL_OK && restored == FRAZIL_OK ? 0 : 3;
}
