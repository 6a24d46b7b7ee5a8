/* Every argument of every function that may not be NULL is refused by name, and every other is not. */
#include "check.h"

#define REFUSED(name, call) SAID(FRAZIL_ERR_NULL, "`" name "`", call)

static int never(void *user_data, const frazil_entry *entry) {
    (void)user_data;
    (void)entry;
    CHECK(0);
    return 0;
}

static int never_snapshot(void *user_data, const frazil_snapshot_entry *entry) {
    (void)user_data;
    (void)entry;
    CHECK(0);
    return 0;
}

static int never_differs(void *user_data, const frazil_difference *difference) {
    (void)user_data;
    (void)difference;
    CHECK(0);
    return 0;
}

static char buffer[8];
static bytes empty;
static const char *paths[2] = {"x", NULL};
static void *const users[1] = {&empty};
/* Open at the start of the file "x". */
static int fd;

static void of_signatures(void) {
    frazil_signature *signature = (frazil_signature *)buffer, *good = NULL;
    frazil_comparison *comparison = (frazil_comparison *)buffer;
    frazil_identity identity;
    frazil_block_sum sum;
    frazil_range range;

    REFUSED("path", frazil_signature_of_path(NULL, NULL, &signature, &error));
    CHECK(signature == NULL);
    REFUSED("signature", frazil_signature_of_path("x", NULL, NULL, &error));
    REFUSED("signature", frazil_signature_of_fd(fd, NULL, NULL, &error));
    REFUSED("read", frazil_signature_of_stream(NULL, NULL, NULL, &signature, &error));
    REFUSED("signature", frazil_signature_of_stream(take, &empty, NULL, NULL, &error));
    REFUSED("data", frazil_signature_of_data(NULL, 1, NULL, &signature, &error));
    REFUSED("signature", frazil_signature_of_data("x", 1, NULL, NULL, &error));
    REFUSED("path", frazil_signature_load(NULL, 0, &signature, &error));
    REFUSED("signature", frazil_signature_load("x", 0, NULL, &error));
    REFUSED("signature", frazil_signature_load_fd(fd, 0, NULL, &error));
    REFUSED("read", frazil_signature_load_stream(NULL, NULL, 0, &signature, &error));
    REFUSED("signature", frazil_signature_load_stream(take, &empty, 0, NULL, &error));
    REFUSED("data", frazil_signature_load_data(NULL, 1, &signature, &error));
    REFUSED("signature", frazil_signature_load_data("x", 1, NULL, &error));

    EXPECT(FRAZIL_OK, frazil_signature_of_data(NULL, 0, NULL, &good, &error));
    REFUSED("signature", frazil_signature_save(NULL, "y", FRAZIL_FORMAT_SEALED, &error));
    REFUSED("path", frazil_signature_save(good, NULL, FRAZIL_FORMAT_SEALED, &error));
    REFUSED("signature", frazil_signature_save_stream(NULL, FRAZIL_FORMAT_SEALED, append, &empty, &error));
    REFUSED("write", frazil_signature_save_stream(good, FRAZIL_FORMAT_SEALED, NULL, NULL, &error));
    REFUSED("signature", frazil_signature_save_fd(NULL, fd, FRAZIL_FORMAT_SEALED, &error));
    REFUSED("signature", frazil_signature_identity(NULL, &identity, &error));
    CHECK(identity.length == 0);
    REFUSED("identity", frazil_signature_identity(good, NULL, &error));
    REFUSED("signature", frazil_signature_block(NULL, 0, &sum, &error));
    REFUSED("sum", frazil_signature_block(good, 0, NULL, &error));
    REFUSED("old_signature", frazil_comparison_open(NULL, good, &comparison, &error));
    CHECK(comparison == NULL);
    REFUSED("new_signature", frazil_comparison_open(good, NULL, &comparison, &error));
    REFUSED("comparison", frazil_comparison_open(good, good, NULL, &error));
    REFUSED("old_path", frazil_comparison_open_paths(NULL, "x", &comparison, &error));
    REFUSED("new_path", frazil_comparison_open_paths("x", NULL, &comparison, &error));
    REFUSED("comparison", frazil_comparison_open_paths("x", "x", NULL, &error));
    REFUSED("comparison", frazil_comparison_next(NULL, &range, &error));
    EXPECT(FRAZIL_OK, frazil_comparison_open(good, good, &comparison, &error));
    REFUSED("range", frazil_comparison_next(comparison, NULL, &error));
    frazil_comparison_free(comparison);
    frazil_signature_free(good);

    REFUSED("path", frazil_inspection_of_path(NULL, NULL, &error));
    REFUSED("read", frazil_inspection_of_stream(NULL, NULL, NULL, &error));
    CHECK(frazil_inspection_of_fd(-1, NULL, NULL) == FRAZIL_ERR_INVALID_INPUT);
}

static void of_levels(void) {
    frazil_level *level = (frazil_level *)buffer;
    frazil_level_writer *writer = NULL;
    size_t read = 7;

    REFUSED("path", frazil_level_open(NULL, NULL, NULL, &level, &error));
    CHECK(level == NULL);
    REFUSED("level", frazil_level_open("x", NULL, NULL, NULL, &error));
    REFUSED("level", frazil_level_open_fd(fd, NULL, NULL, NULL, &error));
    REFUSED("read", frazil_level_open_stream(NULL, NULL, NULL, NULL, &level, &error));
    REFUSED("level", frazil_level_open_stream(take, &empty, NULL, NULL, NULL, &error));
    REFUSED("level", frazil_level_read(NULL, buffer, sizeof buffer, &read, &error));
    CHECK(read == 0);
    EXPECT(FRAZIL_OK, frazil_level_open("x", NULL, NULL, &level, &error));
    REFUSED("buffer", frazil_level_read(level, NULL, 1, &read, &error));
    REFUSED("read", frazil_level_read(level, buffer, sizeof buffer, NULL, &error));
    REFUSED("level", frazil_level_finish(NULL, NULL, NULL, &error));
    EXPECT(FRAZIL_OK, frazil_level_finish(level, NULL, NULL, &error));
    frazil_level_free(level);
    REFUSED("path", frazil_level_file(NULL, NULL, "y", NULL, NULL, NULL, &error));
    REFUSED("level_path", frazil_level_file("x", NULL, NULL, NULL, NULL, NULL, &error));

    REFUSED("write", frazil_level_writer_new(NULL, NULL, NULL, NULL, &writer, &error));
    REFUSED("writer", frazil_level_writer_new(NULL, NULL, append, &empty, NULL, &error));
    REFUSED("writer", frazil_level_writer_feed(NULL, "x", 1, &error));
    EXPECT(FRAZIL_OK, frazil_level_writer_new(NULL, NULL, append, &empty, &writer, &error));
    REFUSED("data", frazil_level_writer_feed(writer, NULL, 1, &error));
    REFUSED("writer", frazil_level_writer_finish(NULL, NULL, NULL, &error));
    frazil_level_writer_free(writer);

    REFUSED("fs_path", frazil_gen_sig_from_file(NULL, NULL, NULL, NULL, NULL, NULL, &error));
    REFUSED("read", frazil_gen_sig_from_stream(NULL, NULL, NULL, NULL, NULL, NULL, NULL, &error));
}

static void of_patches(void) {
    frazil_patch *patch = (frazil_patch *)buffer;
    frazil_patch_writer *writer = NULL;
    size_t read = 7;

    REFUSED("delta_path", frazil_patch_open(NULL, NULL, NULL, &patch, &error));
    CHECK(patch == NULL);
    REFUSED("patch", frazil_patch_open(NULL, "x", NULL, NULL, &error));
    REFUSED("patch", frazil_patch_open_fd(NULL, fd, NULL, NULL, &error));
    REFUSED("read", frazil_patch_open_stream(NULL, NULL, NULL, NULL, &patch, &error));
    REFUSED("patch", frazil_patch_open_stream(NULL, take, &empty, NULL, NULL, &error));
    REFUSED("delta_paths", frazil_patch_open_chain(NULL, NULL, 1, NULL, &patch, &error));
    REFUSED("delta_paths", frazil_patch_open_chain(NULL, paths, 2, NULL, &patch, &error));
    REFUSED("patch", frazil_patch_open_chain(NULL, paths, 1, NULL, NULL, &error));
    REFUSED("deltas", frazil_patch_open_chain_inputs(NULL, NULL, 1, NULL, &patch, &error));
    REFUSED("patch", frazil_patch_open_chain_inputs(NULL, NULL, 0, NULL, NULL, &error));
    REFUSED("patch", frazil_patch_read(NULL, buffer, sizeof buffer, &read, &error));
    CHECK(read == 0);
    EXPECT(FRAZIL_OK, frazil_patch_open(NULL, "x", NULL, &patch, &error));
    REFUSED("buffer", frazil_patch_read(patch, NULL, 1, &read, &error));
    REFUSED("read", frazil_patch_read(patch, buffer, sizeof buffer, NULL, &error));
    REFUSED("patch", frazil_patch_finish(NULL, NULL, &error));
    frazil_patch_free(patch);

    REFUSED("write", frazil_patch_writer_new(NULL, NULL, NULL, NULL, &writer, &error));
    REFUSED("writer", frazil_patch_writer_new(NULL, NULL, append, &empty, NULL, &error));
    REFUSED("target_path", frazil_patch_writer_new_file(NULL, NULL, NULL, &writer, &error));
    REFUSED("writer", frazil_patch_writer_new_file(NULL, "y", NULL, NULL, &error));
    REFUSED("writer", frazil_patch_writer_feed(NULL, "x", 1, &error));
    EXPECT(FRAZIL_OK, frazil_patch_writer_new(NULL, NULL, append, &empty, &writer, &error));
    REFUSED("data", frazil_patch_writer_feed(writer, NULL, 1, &error));
    REFUSED("writer", frazil_patch_writer_finish(NULL, NULL, &error));
    frazil_patch_writer_free(writer);

    REFUSED("delta_path", frazil_patch_file(NULL, NULL, "y", NULL, NULL, &error));
    REFUSED("target_path", frazil_patch_file(NULL, "x", NULL, NULL, NULL, &error));
    REFUSED("target_path", frazil_patch_file_fd(NULL, fd, NULL, NULL, NULL, &error));
    REFUSED("read", frazil_patch_file_stream(NULL, NULL, NULL, "y", NULL, NULL, &error));
    REFUSED("target_path", frazil_patch_file_stream(NULL, take, &empty, NULL, NULL, NULL, &error));
    REFUSED("delta_paths", frazil_patch_file_chain(NULL, NULL, 1, "y", NULL, NULL, &error));
    REFUSED("target_path", frazil_patch_file_chain(NULL, paths, 1, NULL, NULL, NULL, &error));
    REFUSED("deltas", frazil_patch_file_chain_inputs(NULL, NULL, 1, "y", NULL, NULL, &error));
    REFUSED("target_path", frazil_patch_file_chain_inputs(NULL, NULL, 0, NULL, NULL, NULL, &error));
    REFUSED("path", frazil_patch_in_place(NULL, "x", NULL, NULL, &error));
    REFUSED("delta_path", frazil_patch_in_place("x", NULL, NULL, NULL, &error));
    REFUSED("source", frazil_patch_from_file(NULL, "y", NULL, NULL, NULL, NULL, &error));
    REFUSED("destination", frazil_patch_from_file("x", NULL, NULL, NULL, NULL, NULL, &error));
    REFUSED("read", frazil_patch_from_stream(NULL, NULL, "y", NULL, NULL, &error));
    REFUSED("destination", frazil_patch_from_stream(take, &empty, NULL, NULL, NULL, &error));
}

static void of_trees(void) {
    frazil_backup *backup = (frazil_backup *)buffer;
    frazil_restore *restore = (frazil_restore *)buffer;
    size_t read = 7;

    REFUSED("root", frazil_backup_open(NULL, NULL, "y", NULL, &backup, &error));
    CHECK(backup == NULL);
    REFUSED("snapshot_path", frazil_backup_open(".", NULL, NULL, NULL, &backup, &error));
    REFUSED("backup", frazil_backup_open(".", NULL, "y", NULL, NULL, &error));
    REFUSED("backup", frazil_backup_read(NULL, buffer, sizeof buffer, &read, &error));
    CHECK(read == 0);
    EXPECT(FRAZIL_OK, frazil_backup_open("x", NULL, "y", NULL, &backup, &error));
    REFUSED("buffer", frazil_backup_read(backup, NULL, 1, &read, &error));
    REFUSED("read", frazil_backup_read(backup, buffer, sizeof buffer, NULL, &error));
    REFUSED("backup", frazil_backup_finish(NULL, NULL, &error));
    frazil_backup_free(backup);
    REFUSED("root", frazil_backup_tree(NULL, NULL, "y", NULL, append, &empty, NULL, &error));
    REFUSED("snapshot_path", frazil_backup_tree(".", NULL, NULL, NULL, append, &empty, NULL, &error));
    REFUSED("write", frazil_backup_tree(".", NULL, "y", NULL, NULL, NULL, NULL, &error));

    REFUSED("destination", frazil_restore_open(NULL, NULL, &restore, &error));
    CHECK(restore == NULL);
    REFUSED("restore", frazil_restore_open("y", NULL, NULL, &error));
    REFUSED("restore", frazil_restore_feed(NULL, "x", 1, &error));
    EXPECT(FRAZIL_OK, frazil_restore_open("y", NULL, &restore, &error));
    REFUSED("data", frazil_restore_feed(restore, NULL, 1, &error));
    REFUSED("restore", frazil_restore_finish(NULL, NULL, &error));
    frazil_restore_free(restore);
    REFUSED("archive_path", frazil_restore_tree(NULL, "y", NULL, NULL, &error));
    REFUSED("destination", frazil_restore_tree("x", NULL, NULL, NULL, &error));
    REFUSED("destination", frazil_restore_tree_fd(fd, NULL, NULL, NULL, &error));
    REFUSED("read", frazil_restore_tree_stream(NULL, NULL, "y", NULL, NULL, &error));
    REFUSED("destination", frazil_restore_tree_stream(take, &empty, NULL, NULL, NULL, &error));
    {
        frazil_level_id level;
        frazil_level_header header;
        REFUSED("destination", frazil_restore_level(NULL, &level, &error));
        REFUSED("level", frazil_restore_level(".", NULL, &error));
        REFUSED("archive_path", frazil_archive_header(NULL, &header, &error));
        REFUSED("header", frazil_archive_header("x", NULL, &error));
        REFUSED("header", frazil_archive_header_fd(fd, NULL, &error));
        REFUSED("read", frazil_archive_header_stream(NULL, NULL, &header, &error));
        REFUSED("header", frazil_archive_header_stream(take, &empty, NULL, &error));
    }
    REFUSED("root", frazil_backup_tree_file(NULL, NULL, "y", "y", NULL, NULL, &error));
    REFUSED("snapshot_path", frazil_backup_tree_file(".", NULL, NULL, "y", NULL, NULL, &error));
    REFUSED("archive_path", frazil_backup_tree_file(".", NULL, "y", NULL, NULL, NULL, &error));
    REFUSED("destination", frazil_restore_conclude(NULL, &error));
    REFUSED("destination", frazil_restore_recover(NULL, NULL, NULL, &error));

    REFUSED("archive_path", frazil_archive_list(NULL, never, NULL, NULL, &error));
    REFUSED("each", frazil_archive_list("x", NULL, NULL, NULL, &error));
    REFUSED("each", frazil_archive_list_fd(fd, NULL, NULL, NULL, &error));
    REFUSED("read", frazil_archive_list_stream(NULL, NULL, never, NULL, NULL, &error));
    REFUSED("each", frazil_archive_list_stream(take, &empty, NULL, NULL, NULL, &error));
    REFUSED("archive_path", frazil_archive_verify(NULL, NULL, NULL, &error));
    CHECK(frazil_archive_verify_fd(-1, NULL, NULL, NULL) == FRAZIL_ERR_INVALID_INPUT);
    REFUSED("read", frazil_archive_verify_stream(NULL, NULL, NULL, NULL, &error));
    REFUSED("snapshot_path", frazil_snapshot_list(NULL, never_snapshot, NULL, NULL, &error));
    REFUSED("each", frazil_snapshot_list("x", NULL, NULL, NULL, &error));
    REFUSED("each", frazil_snapshot_list_fd(fd, NULL, NULL, NULL, &error));
    REFUSED("read", frazil_snapshot_list_stream(NULL, NULL, never_snapshot, NULL, NULL, &error));
    REFUSED("each", frazil_snapshot_list_stream(take, &empty, NULL, NULL, NULL, &error));
    REFUSED("archive_paths", frazil_tree_verify(NULL, 1, ".", NULL, never_differs, NULL, NULL, &error));
    REFUSED("archive_paths", frazil_tree_verify(paths, 2, ".", NULL, never_differs, NULL, NULL, &error));
    REFUSED("root", frazil_tree_verify(paths, 1, NULL, NULL, NULL, NULL, NULL, &error));
    REFUSED("each", frazil_tree_verify(paths, 1, ".", NULL, NULL, NULL, NULL, &error));
    REFUSED("fds", frazil_tree_verify_fd(NULL, 1, ".", NULL, never_differs, NULL, NULL, &error));
    REFUSED("root", frazil_tree_verify_fd(&fd, 1, NULL, NULL, never_differs, NULL, NULL, &error));
    REFUSED("each", frazil_tree_verify_fd(&fd, 1, ".", NULL, NULL, NULL, NULL, &error));
    REFUSED("read", frazil_tree_verify_stream(NULL, users, 1, ".", NULL, never_differs, NULL, NULL, &error));
    REFUSED("read_user_data",
            frazil_tree_verify_stream(take, NULL, 1, ".", NULL, never_differs, NULL, NULL, &error));
    REFUSED("root", frazil_tree_verify_stream(take, users, 1, NULL, NULL, never_differs, NULL, NULL, &error));
    REFUSED("each", frazil_tree_verify_stream(take, users, 1, ".", NULL, NULL, NULL, NULL, &error));
}

/* Without a place for the error too. */
static void of_errors(void) {
    CHECK(frazil_level_finish(NULL, NULL, NULL, NULL) == FRAZIL_ERR_NULL);
    CHECK(frazil_error_status(NULL) == FRAZIL_OK);
    CHECK(strcmp(frazil_error_message(NULL), "") == 0);
    CHECK(frazil_error_path(NULL) == NULL);
    CHECK(frazil_error_offset(NULL) == FRAZIL_UNKNOWN);
    CHECK(frazil_error_os_code(NULL) == 0);
    CHECK(frazil_error_callback_code(NULL) == 0);
}

static void null_has_no_fields_and_is_no_struct(void) {
    CHECK(frazil_signature_block_len(NULL) == 0);
    CHECK(frazil_signature_strong_len(NULL) == 0);
    CHECK(frazil_signature_block_count(NULL) == 0);
    CHECK(frazil_signature_length(NULL) == FRAZIL_UNKNOWN);
    CHECK(frazil_signature_is_dirty(NULL) == 0);
    CHECK(frazil_signature_weak_sum(NULL) == FRAZIL_WEAK_SUM_DEFAULT);
    CHECK(frazil_signature_strong_sum(NULL) == FRAZIL_STRONG_SUM_DEFAULT);

    frazil_observer_init(NULL, sizeof(frazil_observer));
    frazil_level_options_init(NULL, sizeof(frazil_level_options));
    frazil_level_summary_init(NULL, sizeof(frazil_level_summary));
    frazil_inspection_init(NULL, sizeof(frazil_inspection));
    frazil_patch_options_init(NULL, sizeof(frazil_patch_options));
    frazil_patch_summary_init(NULL, sizeof(frazil_patch_summary));
    frazil_selection_init(NULL, sizeof(frazil_selection));
    frazil_backup_options_init(NULL, sizeof(frazil_backup_options));
    frazil_backup_summary_init(NULL, sizeof(frazil_backup_summary));
    frazil_restore_options_init(NULL, sizeof(frazil_restore_options));
    frazil_restore_summary_init(NULL, sizeof(frazil_restore_summary));
    frazil_recovery_init(NULL, sizeof(frazil_recovery));
    frazil_archive_summary_init(NULL, sizeof(frazil_archive_summary));
    frazil_snapshot_summary_init(NULL, sizeof(frazil_snapshot_summary));
    frazil_verify_options_init(NULL, sizeof(frazil_verify_options));
    frazil_verify_summary_init(NULL, sizeof(frazil_verify_summary));
}

static void null_is_freed_without_harm(void) {
    frazil_error_free(NULL);
    frazil_signature_free(NULL);
    frazil_comparison_free(NULL);
    frazil_level_free(NULL);
    frazil_level_writer_free(NULL);
    frazil_patch_free(NULL);
    frazil_patch_writer_free(NULL);
    frazil_backup_free(NULL);
    frazil_restore_free(NULL);
}

int main(void) {
    save_text("x", "x");
    fd = open("x", O_RDONLY);
    of_signatures();
    of_levels();
    of_patches();
    of_trees();
    of_errors();
    null_has_no_fields_and_is_no_struct();
    null_is_freed_without_harm();
    CHECK(access("y", F_OK) != 0);
    CHECK(close(fd) == 0);
    drop(&empty);
    return 0;
}
