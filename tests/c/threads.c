/* Sixteen threads, each with its own handles; one signature and one tree for them all. */
#include "check.h"

#include <pthread.h>

#define THREADS 16

static bytes content;
static frazil_signature *shared;

/* What fails is a thread's own. */
#define DONE(call) CHECK((call) == FRAZIL_OK)

static int read_content(void *user_data, uint64_t offset, void *buffer, size_t len, size_t *read) {
    (void)user_data;
    memcpy(buffer, content.data + offset, len);
    *read = len;
    return 0;
}

static void make_and_restore_a_level(unsigned number) {
    bytes mine = noise(content.len, 1), level = {NULL, 0, 0, 0}, restored = {NULL, 0, 0, 0};
    frazil_signature *signature = NULL;
    frazil_comparison *comparison = NULL;
    frazil_range range;
    frazil_patch_options options;
    frazil_input basis;
    frazil_patch_writer *patch = NULL;
    size_t at = number * 5000;

    mine.data[at] ^= 0xff;
    DONE(frazil_gen_sig_from_stream(take, &mine, shared, NULL, append, &level, &signature, NULL));
    DONE(frazil_comparison_open(shared, signature, &comparison, NULL));
    DONE(frazil_comparison_next(comparison, &range, NULL));
    CHECK((range.kind == FRAZIL_RANGE_CHANGED) == (at < 65536));
    frazil_comparison_free(comparison);
    CHECK(frazil_signature_length(signature) == content.len);
    frazil_signature_free(signature);

    memset(&basis, 0, sizeof basis);
    basis.kind = FRAZIL_INPUT_CALLBACK;
    basis.read_at = read_content;
    basis.length = content.len;
    frazil_patch_options_init(&options, sizeof options);
    options.basis = &basis;
    DONE(frazil_patch_writer_new(NULL, &options, append, &restored, &patch, NULL));
    DONE(frazil_patch_writer_feed(patch, level.data, level.len, NULL));
    DONE(frazil_patch_writer_finish(patch, NULL, NULL));
    frazil_patch_writer_free(patch);
    CHECK(same(&restored, &mine));
    drop(&mine);
    drop(&level);
    drop(&restored);
}

static int find_letter(void *user_data, const frazil_entry *entry) {
    if (strcmp(entry->path, "letter") == 0) ++*(int *)user_data;
    return 0;
}

static void back_up_and_restore_the_tree(unsigned number) {
    char snapshot[32], restored[32];
    int letters = 0;
    frazil_backup_options options;
    frazil_restore_options how;
    bytes archive = {NULL, 0, 0, 0};

    snprintf(snapshot, sizeof snapshot, "snapshot.%u", number);
    snprintf(restored, sizeof restored, "restored.%u", number);
    frazil_backup_options_init(&options, sizeof options);
    /* What frazil's own threads share is behind locks of Rust, which DRD would take for races. */
    options.threads = 1;
    DONE(frazil_backup_tree("tree", NULL, snapshot, &options, append, &archive, NULL, NULL));
    DONE(frazil_archive_list_stream(take, &archive, find_letter, &letters, NULL, NULL));
    CHECK(letters == 1);
    archive.taken = 0;
    frazil_restore_options_init(&how, sizeof how);
    how.threads = 1;
    DONE(frazil_restore_tree_stream(take, &archive, restored, &how, NULL, NULL));
    DONE(frazil_restore_conclude(restored, NULL));
    drop(&archive);
}

static void *run(void *user_data) {
    unsigned number = *(unsigned *)user_data;
    frazil_error *failed = NULL;
    frazil_level *missing = NULL;

    make_and_restore_a_level(number);
    back_up_and_restore_the_tree(number);
    CHECK(frazil_level_open("missing", shared, NULL, &missing, &failed) == FRAZIL_ERR_IO);
    CHECK(frazil_error_os_code(failed) == 2);
    frazil_error_free(failed);
    return NULL;
}

int main(void) {
    pthread_t threads[THREADS];
    unsigned numbers[THREADS], i;

    content = noise(80000, 1);
    save("content", &content);
    CHECK(mkdir("tree", 0755) == 0);
    save_text("tree/letter", "Dear reader");
    EXPECT(FRAZIL_OK, frazil_signature_of_path("content", NULL, &shared, &error));
    for (i = 0; i < THREADS; i++) {
        numbers[i] = i;
        CHECK(pthread_create(&threads[i], NULL, run, &numbers[i]) == 0);
    }
    for (i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    frazil_signature_free(shared);
    drop(&content);
    return 0;
}
