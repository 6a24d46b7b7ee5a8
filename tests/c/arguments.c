/* Every argument that may not be NULL, numbers that stand for nothing, and structs of no size. */
#include "check.h"

#define NULL_STATUS FRAZIL_ERR_NULL
#define INVALID FRAZIL_ERR_INVALID_INPUT

static int never(void *user_data, const frazil_entry *entry) {
    (void)user_data;
    (void)entry;
    CHECK(0);
    return 0;
}

static void null_is_refused_by_name(void) {
    size_t read = 7;
    char buffer[8];
    bytes empty = {NULL, 0, 0, 0};
    frazil_signature *signature = (frazil_signature *)&read;
    frazil_comparison *comparison = NULL;
    frazil_level *level = NULL;
    frazil_level_writer *level_writer = NULL;
    frazil_patch *patch = NULL;
    frazil_patch_writer *patch_writer = NULL;
    frazil_backup *backup = NULL;
    frazil_restore *restore = NULL;
    frazil_identity identity;
    frazil_block_sum sum;
    frazil_range range;
    const char *paths[2] = {"x", NULL};

    CHECK(frazil_signature_of_file(NULL, NULL, &signature, &error) == NULL_STATUS);
    CHECK(signature == NULL);
    CHECK(strstr(frazil_error_message(error), "`path`") != NULL);
    frazil_error_free(error);
    EXPECT(NULL_STATUS, frazil_signature_of_file("x", NULL, NULL, &error));
    EXPECT(NULL_STATUS, frazil_signature_of_fd(0, NULL, NULL, &error));
    EXPECT(NULL_STATUS, frazil_signature_of_stream(NULL, NULL, NULL, &signature, &error));
    EXPECT(NULL_STATUS, frazil_signature_of_stream(take, &empty, NULL, NULL, &error));
    EXPECT(NULL_STATUS, frazil_signature_of_data(NULL, 1, NULL, &signature, &error));
    EXPECT(NULL_STATUS, frazil_signature_load(NULL, 0, &signature, &error));
    EXPECT(NULL_STATUS, frazil_signature_load_stream(NULL, NULL, 0, &signature, &error));
    EXPECT(NULL_STATUS, frazil_signature_load_data(NULL, 1, &signature, &error));
    EXPECT(NULL_STATUS, frazil_signature_save(NULL, "x", 0, &error));
    EXPECT(NULL_STATUS, frazil_signature_write(NULL, 0, append, &empty, &error));
    EXPECT(NULL_STATUS, frazil_signature_write_fd(NULL, 0, 1, &error));
    EXPECT(NULL_STATUS, frazil_signature_identity(NULL, &identity, &error));
    EXPECT(NULL_STATUS, frazil_signature_block(NULL, 0, &sum, &error));
    EXPECT(NULL_STATUS, frazil_comparison_open(NULL, NULL, &comparison, &error));
    EXPECT(NULL_STATUS, frazil_comparison_open_files("x", NULL, &comparison, &error));
    EXPECT(NULL_STATUS, frazil_comparison_next(NULL, &range, &error));
    EXPECT(NULL_STATUS, frazil_level_open(NULL, NULL, NULL, &level, &error));
    EXPECT(NULL_STATUS, frazil_level_open("x", NULL, NULL, NULL, &error));
    EXPECT(NULL_STATUS, frazil_level_open_stream(NULL, NULL, NULL, NULL, &level, &error));
    EXPECT(NULL_STATUS, frazil_level_read(NULL, buffer, sizeof buffer, &read, &error));
    CHECK(read == 0);
    EXPECT(NULL_STATUS, frazil_level_finish(NULL, NULL, NULL, &error));
    EXPECT(NULL_STATUS, frazil_level_file("x", NULL, NULL, NULL, NULL, NULL, &error));
    EXPECT(NULL_STATUS, frazil_level_writer_new(NULL, NULL, NULL, NULL, &level_writer, &error));
    EXPECT(NULL_STATUS, frazil_level_writer_feed(NULL, "x", 1, &error));
    EXPECT(NULL_STATUS, frazil_level_writer_finish(NULL, NULL, NULL, &error));
    EXPECT(NULL_STATUS, frazil_patch_open(NULL, NULL, NULL, &patch, &error));
    EXPECT(NULL_STATUS, frazil_patch_open_stream(NULL, NULL, NULL, NULL, &patch, &error));
    EXPECT(NULL_STATUS, frazil_patch_open_chain(NULL, NULL, 1, NULL, &patch, &error));
    EXPECT(NULL_STATUS, frazil_patch_open_chain(NULL, paths, 2, NULL, &patch, &error));
    EXPECT(NULL_STATUS, frazil_patch_read(NULL, buffer, sizeof buffer, &read, &error));
    EXPECT(NULL_STATUS, frazil_patch_finish(NULL, NULL, &error));
    EXPECT(NULL_STATUS, frazil_patch_writer_new(NULL, NULL, NULL, NULL, &patch_writer, &error));
    EXPECT(NULL_STATUS, frazil_patch_writer_new_file(NULL, NULL, NULL, &patch_writer, &error));
    EXPECT(NULL_STATUS, frazil_patch_writer_feed(NULL, "x", 1, &error));
    EXPECT(NULL_STATUS, frazil_patch_writer_finish(NULL, NULL, &error));
    EXPECT(NULL_STATUS, frazil_patch_file(NULL, NULL, "x", NULL, NULL, &error));
    EXPECT(NULL_STATUS, frazil_patch_file(NULL, "x", NULL, NULL, NULL, &error));
    EXPECT(NULL_STATUS, frazil_patch_file_stream(NULL, NULL, NULL, "x", NULL, NULL, &error));
    EXPECT(NULL_STATUS, frazil_patch_file_chain(NULL, NULL, 1, "x", NULL, NULL, &error));
    EXPECT(NULL_STATUS, frazil_patch_in_place(NULL, "x", NULL, NULL, &error));
    EXPECT(NULL_STATUS, frazil_gen_sig_from_file(NULL, NULL, NULL, NULL, NULL, NULL, &error));
    EXPECT(NULL_STATUS, frazil_gen_sig_from_stream(NULL, NULL, NULL, NULL, NULL, NULL, NULL, &error));
    EXPECT(NULL_STATUS, frazil_patch_from_file("x", NULL, NULL, NULL, NULL, NULL, &error));
    EXPECT(NULL_STATUS, frazil_patch_from_stream(NULL, NULL, "x", NULL, NULL, &error));
    EXPECT(NULL_STATUS, frazil_backup_open(NULL, NULL, "x", NULL, &backup, &error));
    EXPECT(NULL_STATUS, frazil_backup_open(".", NULL, NULL, NULL, &backup, &error));
    EXPECT(NULL_STATUS, frazil_backup_read(NULL, buffer, sizeof buffer, &read, &error));
    EXPECT(NULL_STATUS, frazil_backup_finish(NULL, NULL, &error));
    EXPECT(NULL_STATUS, frazil_backup_tree(".", NULL, "x", NULL, NULL, NULL, NULL, &error));
    EXPECT(NULL_STATUS, frazil_restore_open(NULL, NULL, &restore, &error));
    EXPECT(NULL_STATUS, frazil_restore_feed(NULL, "x", 1, &error));
    EXPECT(NULL_STATUS, frazil_restore_finish(NULL, NULL, &error));
    EXPECT(NULL_STATUS, frazil_restore_tree(NULL, "x", NULL, NULL, &error));
    EXPECT(NULL_STATUS, frazil_restore_tree_stream(NULL, NULL, "x", NULL, NULL, &error));
    EXPECT(NULL_STATUS, frazil_restore_conclude(NULL, &error));
    EXPECT(NULL_STATUS, frazil_restore_recover(NULL, NULL, NULL, &error));
    EXPECT(NULL_STATUS, frazil_archive_list(NULL, never, NULL, NULL, &error));
    EXPECT(NULL_STATUS, frazil_archive_list_stream(take, &empty, NULL, NULL, NULL, &error));
    EXPECT(NULL_STATUS, frazil_archive_verify(NULL, NULL, NULL, &error));
    EXPECT(NULL_STATUS, frazil_archive_verify_stream(NULL, NULL, NULL, NULL, &error));
    EXPECT(NULL_STATUS, frazil_tree_verify(paths, 1, "x", NULL, NULL, NULL, NULL, &error));
    EXPECT(NULL_STATUS, frazil_tree_verify(NULL, 1, "x", NULL, NULL, NULL, NULL, &error));
    /* Without a place for the error too. */
    CHECK(frazil_level_finish(NULL, NULL, NULL, NULL) == NULL_STATUS);
}

static void null_is_freed_and_asked_without_harm(void) {
    frazil_error_free(NULL);
    frazil_signature_free(NULL);
    frazil_comparison_free(NULL);
    frazil_level_free(NULL);
    frazil_level_writer_free(NULL);
    frazil_patch_free(NULL);
    frazil_patch_writer_free(NULL);
    frazil_backup_free(NULL);
    frazil_restore_free(NULL);
    frazil_observer_init(NULL, sizeof(frazil_observer));
    frazil_level_options_init(NULL, sizeof(frazil_level_options));
    CHECK(frazil_error_status(NULL) == FRAZIL_OK);
    CHECK(strcmp(frazil_error_message(NULL), "") == 0);
    CHECK(frazil_error_path(NULL) == NULL);
    CHECK(frazil_error_offset(NULL) == FRAZIL_UNKNOWN);
    CHECK(frazil_error_os_code(NULL) == 0);
    CHECK(frazil_error_callback_code(NULL) == 0);
    CHECK(frazil_signature_block_len(NULL) == 0);
    CHECK(frazil_signature_strong_len(NULL) == 0);
    CHECK(frazil_signature_block_count(NULL) == 0);
    CHECK(frazil_signature_length(NULL) == FRAZIL_UNKNOWN);
    CHECK(frazil_signature_is_dirty(NULL) == 0);
    CHECK(frazil_signature_weak(NULL) == FRAZIL_WEAK_DEFAULT);
    CHECK(frazil_signature_strong(NULL) == FRAZIL_STRONG_DEFAULT);
}

static void numbers_that_stand_for_nothing_are_refused(void) {
    static const int wrong[] = {-1, 7, 100, 2147483647, -2147483647 - 1};
    frazil_signature *signature = NULL;
    frazil_level_options level;
    frazil_patch_options patch;
    frazil_backup_options backup;
    frazil_restore_options restore;
    bytes sink = {NULL, 0, 0, 0};
    size_t i;

    EXPECT(FRAZIL_OK, frazil_signature_of_data(NULL, 0, NULL, &signature, &error));
    for (i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        int *fields[6], field;
        EXPECT(INVALID, frazil_signature_save(signature, "never", wrong[i], &error));
        EXPECT(INVALID, frazil_signature_write(signature, wrong[i], append, &sink, &error));
        frazil_level_options_init(&level, sizeof level);
        fields[0] = &level.weak;
        fields[1] = &level.strong;
        fields[2] = &level.format;
        fields[3] = &level.matching;
        fields[4] = &level.engine;
        fields[5] = &level.signature_format;
        level.write_signature = append;
        level.signature_user_data = &sink;
        for (field = 0; field < 6; field++) {
            *fields[field] = wrong[i];
            EXPECT(INVALID, frazil_gen_sig_from_file("x", NULL, &level, NULL, NULL, NULL, &error));
            *fields[field] = 0;
        }
        frazil_patch_options_init(&patch, sizeof patch);
        patch.verify_basis = wrong[i];
        EXPECT(INVALID, frazil_patch_file(NULL, "x", "y", &patch, NULL, &error));
        frazil_backup_options_init(&backup, sizeof backup);
        backup.filter = wrong[i];
        EXPECT(INVALID, frazil_backup_tree(".", NULL, "y", &backup, append, &sink, NULL, &error));
        frazil_restore_options_init(&restore, sizeof restore);
        restore.sync = wrong[i];
        EXPECT(INVALID, frazil_restore_tree_stream(take, &sink, "y", &restore, NULL, &error));
    }
    CHECK(sink.len == 0 && access("never", F_OK) != 0 && access("y", F_OK) != 0);
    frazil_signature_free(signature);
    EXPECT(INVALID, frazil_signature_of_fd(-1, NULL, &signature, &error));
    CHECK(signature == NULL);
    EXPECT(FRAZIL_ERR_IO, frazil_signature_of_fd(1000000, NULL, &signature, &error));
    CHECK(strcmp(frazil_status_name(4711), "unknown status") == 0);
    CHECK(strcmp(frazil_status_name(FRAZIL_ERR_CORRUPT), "corrupt") == 0);
}

static void structs_of_no_size_are_refused(void) {
    frazil_level_options options;
    frazil_level_summary summary;
    frazil_observer observer;
    bytes content = noise(10, 1);
    struct {
        frazil_level_options options;
        unsigned long more;
    } newer;

    save("ten", &content);
    memset(&options, 0, sizeof options);
    EXPECT(INVALID, frazil_level_file("ten", NULL, "level", &options, NULL, NULL, &error));
    memset(&summary, 0, sizeof summary);
    EXPECT(INVALID, frazil_level_file("ten", NULL, "level", NULL, NULL, &summary, &error));
    frazil_level_options_init(&options, sizeof options);
    memset(&observer, 0, sizeof observer);
    options.observer = &observer;
    EXPECT(INVALID, frazil_level_file("ten", NULL, "level", &options, NULL, NULL, &error));
    CHECK(access("level", F_OK) != 0);

    /* A struct of an older header, and of a newer one. */
    frazil_level_options_init(&options, offsetof(frazil_level_options, engine));
    EXPECT(FRAZIL_OK, frazil_level_file("ten", NULL, "older", &options, NULL, NULL, &error));
    frazil_level_options_init(&newer.options, sizeof newer);
    EXPECT(FRAZIL_OK, frazil_level_file("ten", NULL, "newer", &newer.options, NULL, NULL, &error));
    newer.more = 1;
    EXPECT(FRAZIL_ERR_UNSUPPORTED,
           frazil_level_file("ten", NULL, "never", &newer.options, NULL, NULL, &error));
    drop(&content);
}

int main(void) {
    CHECK(strcmp(frazil_version(), FRAZIL_VERSION) == 0);
    null_is_refused_by_name();
    null_is_freed_and_asked_without_harm();
    numbers_that_stand_for_nothing_are_refused();
    structs_of_no_size_are_refused();
    return 0;
}
