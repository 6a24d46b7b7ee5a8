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
    numbers_that_stand_for_nothing_are_refused();
    structs_of_no_size_are_refused();
    return 0;
}
