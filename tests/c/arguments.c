/* Numbers that stand for nothing, and structs of no size. */
#include "check.h"

#define INVALID FRAZIL_ERR_INVALID_INPUT

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
        EXPECT(INVALID, frazil_signature_save_stream(signature, wrong[i], append, &sink, &error));
        frazil_level_options_init(&level, sizeof level);
        fields[0] = &level.weak_sum;
        fields[1] = &level.strong_sum;
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
        backup.filter = FRAZIL_FILTER_NONE;
        backup.matching = wrong[i];
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

    /* A struct of a newer header. */
    frazil_level_options_init(&newer.options, sizeof newer);
    EXPECT(FRAZIL_OK, frazil_level_file("ten", NULL, "newer", &newer.options, NULL, NULL, &error));
    newer.more = 1;
    EXPECT(FRAZIL_ERR_UNSUPPORTED,
           frazil_level_file("ten", NULL, "never", &newer.options, NULL, NULL, &error));
    drop(&content);
}

static int differ(void *user_data, const frazil_difference *difference) {
    (void)user_data;
    (void)difference;
    return 0;
}

/* A size that is that of a pointer, or cuts a field in two, or reaches into what lies behind. */
static void structs_of_the_size_of_something_else_are_refused(void) {
    size_t sizes[5], i;
    frazil_restore_options restore;
    frazil_restore_summary restored;
    frazil_recovery recovery;
    frazil_observer observer;
    frazil_level_options level;
    frazil_level_summary summary;
    frazil_patch_options patch;
    frazil_backup_options backup;
    frazil_selection selection;
    frazil_verify_options verify;
    bytes sink = {NULL, 0, 0, 0};
    int none = -1;

    sizes[0] = sizeof(void *);
    sizes[1] = 13;
    sizes[2] = sizeof(void *) * 4;
    sizes[3] = sizeof restore * 4 + 1;
    sizes[4] = 5000;
    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        memset(&restore, 0x55, sizeof restore);
        frazil_restore_options_init(&restore, sizes[i]);
        restore.dry_run = 1;
        EXPECT(INVALID, frazil_restore_tree("ten", "never", &restore, NULL, &error));
        memset(&restored, 0x55, sizeof restored);
        frazil_restore_summary_init(&restored, sizes[i]);
        EXPECT(INVALID, frazil_restore_tree("ten", "never", NULL, &restored, &error));
        frazil_observer_init(&observer, sizes[i]);
        EXPECT(INVALID, frazil_restore_recover("never", &observer, NULL, &error));
        memset(&recovery, 0x55, sizeof recovery);
        frazil_recovery_init(&recovery, i == 2 ? 24 : sizes[i]);
        SAID(INVALID, "`recovery` cannot have the size",
             frazil_restore_recover("never", NULL, &recovery, &error));
        frazil_level_options_init(&level, sizes[i]);
        EXPECT(INVALID, frazil_level_file("ten", NULL, "never", &level, NULL, NULL, &error));
        frazil_level_summary_init(&summary, sizes[i]);
        EXPECT(INVALID, frazil_level_file("ten", NULL, "never", NULL, NULL, &summary, &error));
        frazil_patch_options_init(&patch, sizes[i]);
        EXPECT(INVALID, frazil_patch_file(NULL, "ten", "never", &patch, NULL, &error));
        frazil_backup_options_init(&backup, sizes[i]);
        EXPECT(INVALID, frazil_backup_tree("ten", NULL, "never", &backup, append, &sink, NULL, &error));
        frazil_verify_options_init(&verify, sizeof verify);
        frazil_selection_init(&selection, sizes[i]);
        verify.selection = &selection;
        SAID(INVALID, "`selection` cannot have the size",
             frazil_tree_verify(NULL, 0, "ten", &verify, differ, NULL, NULL, &error));
    }
    frazil_verify_options_init(&verify, sizes[0]);
    SAID(INVALID, "`options` cannot have the size",
         frazil_tree_verify(NULL, 0, "ten", &verify, differ, NULL, NULL, &error));
    frazil_backup_options_init(&backup, sizeof backup);
    frazil_selection_init(&selection, sizeof selection);
    backup.selection = &selection;
    selection.reserved = 1;
    EXPECT(FRAZIL_ERR_UNSUPPORTED,
           frazil_backup_tree("ten", NULL, "never", &backup, append, &sink, NULL, &error));
    selection.reserved = 0;
    frazil_restore_options_init(&restore, sizeof restore);
    restore.reserved = 1;
    EXPECT(FRAZIL_ERR_UNSUPPORTED, frazil_restore_tree("ten", "never", &restore, NULL, &error));
    frazil_patch_options_init(&patch, sizeof patch);
    patch.reserved = 1;
    EXPECT(FRAZIL_ERR_UNSUPPORTED, frazil_patch_file(NULL, "ten", "never", &patch, NULL, &error));
    backup.leave_out_fds = &none;
    backup.leave_out_fd_count = 1;
    EXPECT(INVALID, frazil_backup_tree("ten", NULL, "never", &backup, append, &sink, NULL, &error));
    CHECK(sink.len == 0 && access("never", F_OK) != 0);
}

/* What lies behind a summary whose size was never set. */
static void nothing_is_written_beyond_a_struct(void) {
    struct {
        frazil_level_summary summary;
        unsigned char behind[64];
    } held;
    unsigned char before[64];

    memset(&held, 0x55, sizeof held);
    memcpy(before, held.behind, sizeof before);
    held.summary.size = sizeof held;
    EXPECT(FRAZIL_ERR_IO, frazil_level_file("missing", NULL, "never", NULL, NULL, &held.summary, &error));
    CHECK(memcmp(before, held.behind, sizeof before) == 0 && held.summary.source_bytes == 0);
    CHECK(held.summary.size == sizeof held);
}

int main(void) {
    CHECK(strcmp(frazil_version(), FRAZIL_VERSION) == 0);
    CHECK(frazil_version_number() == FRAZIL_VERSION_NUMBER);
    CHECK(strchr(frazil_librsync_version(), '.') && strchr(frazil_libarchive_version(), '.'));
    numbers_that_stand_for_nothing_are_refused();
    structs_of_no_size_are_refused();
    structs_of_the_size_of_something_else_are_refused();
    nothing_is_written_beyond_a_struct();
    return 0;
}
