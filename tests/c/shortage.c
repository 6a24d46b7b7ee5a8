/* Each allocation of at least so many bytes that a call makes fails in turn: the call says that there is no memory,
 * or does without, and the program lives; there is one at least. How many bytes is the first argument; with a second,
 * all that follow fail too, several threads work, and the call is made once more afterwards. Before that, "ground" as
 * the first argument makes what the calls work on.
 *
 * Each is tried in a process of its own, so that one that ends it is seen. */
#include "shortage.h"

#include <signal.h>
#include <sys/wait.h>

static int thorough;

/* What a process that tries a call ends with. */
enum { DONE_WITHOUT = 40, SAID_SO, NOT_REACHED, SAID_OTHER, PUBLISHED, LEFT_UNWELL };

static void remove_targets(void) {
    unlink("target");
    unlink("target.snapshot");
    CHECK(system("rm -rf restored") == 0);
}

/* Tries a call of whose allocations one fails. */
static int attempt(int (*call)(void)) {
    int status, is_in_place = call == patch_in_place;
    remove_targets();
    status = call();
    __atomic_store_n(&granted, -1, __ATOMIC_SEQ_CST);
    if (refused == 0) return NOT_REACHED;
    if (status < 0 && status != FRAZIL_ERR_OUT_OF_MEMORY) {
        fprintf(stderr, "%d: %s\n", status, frazil_error_message(error));
        return SAID_OTHER;
    }
    if (status < 0 && !is_in_place && access("target", F_OK) == 0) return PUBLISHED;
    if (status < 0 && access("restored/image", F_OK) == 0) return PUBLISHED;
    if (status < 0 && frazil_error_status(error) != status) return SAID_OTHER;
    frazil_error_free(error);
    error = NULL;
    free_all();
    remove_targets();
    /* And the process goes on. */
    if (thorough && call() < 0) return LEFT_UNWELL;
    free_all();
    return status < 0 ? SAID_SO : DONE_WITHOUT;
}

static void make_ground(void) {
    frazil_level_options options = levels();
    frazil_backup_options tree;
    char path[40];
    int number;

    old_content = noise(5000000, 1);
    new_content = noise(5000000, 1);
    for (number = 0; number < 300; number++) new_content.data[number * 10000] ^= 0xff;
    /* And what fills frames of the level. */
    for (number = 0; number < 600000; number++) new_content.data[4000000 + number] ^= 0xff;
    save("old", &old_content);
    save("new", &new_content);
    EXPECT(FRAZIL_OK, frazil_level_file("old", NULL, "level.0", &options, &signature, NULL, &error));
    EXPECT(FRAZIL_OK, frazil_signature_save(signature, "sig.0", FRAZIL_FORMAT_SEALED, &error));
    EXPECT(FRAZIL_OK, frazil_signature_save(signature, "sig.plain", FRAZIL_FORMAT_RDIFF, &error));
    EXPECT(FRAZIL_OK, frazil_level_file("new", signature, "level.1", &options, NULL, NULL, &error));
    free_all();
    EXPECT(FRAZIL_OK, frazil_signature_of_path("new", &options, &signature, &error));
    EXPECT(FRAZIL_OK, frazil_signature_save(signature, "sig.1", FRAZIL_FORMAT_SEALED, &error));
    free_all();
    options.block_len = 1 << 22;
    EXPECT(FRAZIL_OK, frazil_level_file("old", NULL, "level.long", &options, NULL, NULL, &error));
    options.block_len = 16;
    options.format = FRAZIL_FORMAT_RDIFF;
    EXPECT(FRAZIL_OK, frazil_level_file("old", NULL, "level.plain", &options, NULL, NULL, &error));
    CHECK(mkdir("tree", 0700) == 0);
    save("tree/image", &old_content);
    for (number = 0; number < 300; number++) {
        sprintf(path, "tree/file number %d", number);
        save_text(path, path);
    }
    frazil_backup_options_init(&tree, sizeof tree);
    tree.block_len = 1024;
    EXPECT(FRAZIL_OK, frazil_backup_tree_file("tree", NULL, "snapshot.0", "archive.0", &tree, NULL, &error));
    save("tree/image", &new_content);
}

/* Runs `work` in a process of its own, and gives how that ended, as `waitpid` does. */
static int apart(int (*work)(int (*)(void)), int (*call)(void)) {
    int how;
    pid_t child;
    fflush(stdout);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) _exit(work(call));
    CHECK(waitpid(child, &how, 0) == child);
    return how;
}

static int prepare(int (*unused)(void)) {
    (void)unused;
    make_ground();
    return 0;
}

/* Fails the allocations of a call in turn, and of many, unless it is to be thorough, ever fewer; gives whether an attempt
 * ended badly, or none failed. */
static int sweep(const char *name, int (*call)(void), int may_end) {
    unsigned long failed = 0, said = 0, without = 0, ended = 0, bad = 0, number;
    for (number = 0;; number += thorough ? 1 : 1 + number / 8) {
        int how, code;
        granted = (long)number;
        how = apart(attempt, call);
        granted = -1;
        code = WIFEXITED(how) ? WEXITSTATUS(how) : 0;
        if (code == NOT_REACHED) break;
        failed++;
        said += code == SAID_SO;
        without += code == DONE_WITHOUT;
        if (may_end && WIFSIGNALED(how) && WTERMSIG(how) == SIGABRT) {
            ended++;
        } else if (code != SAID_SO && code != DONE_WITHOUT) {
            fprintf(stderr, "%s: allocation %lu: ended with %d, signal %d\n", name, number + 1, code,
                    WIFSIGNALED(how) ? WTERMSIG(how) : 0);
            bad++;
        }
    }
    printf("%s, %u threads%s: %lu failed: %lu said so, %lu did without, %lu ended by librsync, %lu ended badly\n", name,
           (unsigned)threads, all_fail ? ", all that follow too" : "", failed, said, without, ended, bad);
    if (failed == 0) fprintf(stderr, "%s: no allocation fails\n", name);
    return bad > 0 || failed == 0;
}

int main(int count, char **arguments) {
    size_t i, told;
    int bad = 0;
    CHECK(count >= 2);
    if (strcmp(arguments[1], "ground") == 0) return apart(prepare, NULL);
    old_content = load("old");
    new_content = load("new");
    saved_signature = load("sig.0");
    saved_delta = load("level.1");
    saved_archive = load("archive.0");
    told = (size_t)strtoul(arguments[1], NULL, 10);
    thorough = count > 2;
    for (threads = 1; threads <= (thorough ? 2u : 1u); threads++)
        for (all_fail = 0; all_fail <= thorough; all_fail++)
            for (i = 0; i < sizeof CALLS / sizeof CALLS[0]; i++) {
                least = CALLS[i].least > 0 ? CALLS[i].least : told;
                bad |= sweep(CALLS[i].name, CALLS[i].call, CALLS[i].may_end);
            }
    return bad;
}
