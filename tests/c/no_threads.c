/* A process that may have no more threads: the work is done on the one that there is, or fails. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE
#endif
#include "check.h"

#include <sys/resource.h>
#include <sys/wait.h>

#define NOBODY 65534

static bytes content;

static int differ(void *user_data, const frazil_difference *difference) {
    (void)user_data;
    (void)difference;
    return 0;
}

/* The sums, and the identity behind them. */
static bytes signature_of_content(unsigned threads) {
    frazil_level_options options;
    frazil_signature *signature;
    frazil_identity identity;
    bytes saved = {NULL, 0, 0, 0};
    frazil_level_options_init(&options, sizeof options);
    options.threads = threads;
    EXPECT(FRAZIL_OK, frazil_signature_of_path("content", &options, &signature, &error));
    EXPECT(FRAZIL_OK, frazil_signature_save_stream(signature, FRAZIL_FORMAT_RDIFF, append, &saved, &error));
    EXPECT(FRAZIL_OK, frazil_signature_identity(signature, &identity, &error));
    append(&saved, &identity, sizeof identity);
    frazil_signature_free(signature);
    return saved;
}

/* In a child, whose limit ends with it. */
static int without_threads(const bytes *expected, const bytes *archive) {
    static const struct rlimit none = {0, 0};
    const char *archives[1] = {"archive"};
    bytes found, sink = {NULL, 0, 0, 0};
    frazil_backup_options backup;
    frazil_restore *restore;
    frazil_restore_options options;
    bytes again = *archive;

    /* Root may have any number; where it cannot become anybody else, nothing can be shown. */
    if (geteuid() == 0 && setuid(NOBODY) != 0) return 0;
    CHECK(setrlimit(RLIMIT_NPROC, &none) == 0);

    found = signature_of_content(8);
    CHECK(same(&found, expected));
    frazil_backup_options_init(&backup, sizeof backup);
    backup.threads = 8;
    EXPECT(FRAZIL_OK, frazil_backup_tree("tree", NULL, "snapshot.1", &backup, append, &sink, NULL, &error));
    frazil_restore_options_init(&options, sizeof options);
    options.threads = 8;
    EXPECT(FRAZIL_OK, frazil_restore_tree_stream(take, &again, "restored", &options, NULL, &error));
    CHECK(holds("restored/content", &content));
    SAID(FRAZIL_ERR_IO, "starting a thread", frazil_restore_open("never", NULL, &restore, &error));
    CHECK(restore == NULL);
    SAID(FRAZIL_ERR_IO, "starting a thread",
         frazil_tree_verify(archives, 1, "tree", NULL, differ, NULL, NULL, &error));
    drop(&sink);
    drop(&found);
    return 0;
}

int main(void) {
    bytes expected, archive = {NULL, 0, 0, 0};
    pid_t child;
    int status;

    CHECK(chmod(".", 0777) == 0 && mkdir("tree", 0755) == 0);
    content = noise(3000000, 1);
    save("content", &content);
    save("tree/content", &content);
    expected = signature_of_content(1);
    EXPECT(FRAZIL_OK, frazil_backup_tree("tree", NULL, "snapshot", NULL, append, &archive, NULL, &error));
    save("archive", &archive);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) _exit(without_threads(&expected, &archive));
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    drop(&expected);
    drop(&archive);
    drop(&content);
    return 0;
}
