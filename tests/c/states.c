/* What the state of a handle refuses, and handles that are freed in the middle of their work. */
#include "contents.h"

static void a_handle_refuses_what_its_state_does_not_allow(void) {
    frazil_signature *signature;
    frazil_level *level;
    frazil_level_writer *level_writer;
    frazil_patch *patch;
    frazil_patch_writer *patch_writer;
    bytes sink = {NULL, 0, 0, 0}, all;
    char buffer[64];
    size_t read;

    /* Finished in the middle. */
    EXPECT(FRAZIL_OK, frazil_level_open("old", NULL, NULL, &level, &error));
    EXPECT(FRAZIL_OK, frazil_level_read(level, buffer, sizeof buffer, &read, &error));
    CHECK(read > 0);
    EXPECT(FRAZIL_ERR_STATE, frazil_level_finish(level, &signature, NULL, &error));
    CHECK(signature == NULL);
    EXPECT(FRAZIL_ERR_STATE, frazil_level_read(level, buffer, sizeof buffer, &read, &error));
    CHECK(read == 0);
    frazil_level_free(level);

    /* Finished twice, and used after. */
    EXPECT(FRAZIL_OK, frazil_level_open("old", NULL, NULL, &level, &error));
    EXPECT(FRAZIL_OK, frazil_level_finish(level, &signature, NULL, &error));
    CHECK(frazil_signature_length(signature) == old_content.len);
    frazil_signature_free(signature);
    EXPECT(FRAZIL_ERR_STATE, frazil_level_finish(level, &signature, NULL, &error));
    CHECK(signature == NULL);
    EXPECT(FRAZIL_ERR_STATE, frazil_level_read(level, buffer, sizeof buffer, &read, &error));
    CHECK(read == 0);
    frazil_level_free(level);

    EXPECT(FRAZIL_OK, frazil_level_writer_new(NULL, NULL, append, &sink, &level_writer, &error));
    EXPECT(FRAZIL_OK, frazil_level_writer_finish(level_writer, NULL, NULL, &error));
    EXPECT(FRAZIL_ERR_STATE, frazil_level_writer_feed(level_writer, "x", 1, &error));
    EXPECT(FRAZIL_ERR_STATE, frazil_level_writer_finish(level_writer, NULL, NULL, &error));
    frazil_level_writer_free(level_writer);

    EXPECT(FRAZIL_OK, frazil_patch_open("old", "level.1", NULL, &patch, &error));
    EXPECT(FRAZIL_ERR_STATE, frazil_patch_finish(patch, NULL, &error));
    EXPECT(FRAZIL_ERR_STATE, frazil_patch_read(patch, buffer, sizeof buffer, &read, &error));
    frazil_patch_free(patch);
    EXPECT(FRAZIL_OK, frazil_patch_open("old", "level.1", NULL, &patch, &error));
    all = read_patch(patch);
    drop(&all);
    EXPECT(FRAZIL_OK, frazil_patch_finish(patch, NULL, &error));
    EXPECT(FRAZIL_ERR_STATE, frazil_patch_finish(patch, NULL, &error));
    EXPECT(FRAZIL_ERR_STATE, frazil_patch_read(patch, buffer, sizeof buffer, &read, &error));
    CHECK(read == 0);
    frazil_patch_free(patch);

    EXPECT(FRAZIL_OK, frazil_patch_writer_new(NULL, NULL, append, &sink, &patch_writer, &error));
    all = load("level.0");
    EXPECT(FRAZIL_OK, frazil_patch_writer_feed(patch_writer, all.data, all.len, &error));
    drop(&all);
    EXPECT(FRAZIL_OK, frazil_patch_writer_finish(patch_writer, NULL, &error));
    EXPECT(FRAZIL_ERR_STATE, frazil_patch_writer_finish(patch_writer, NULL, &error));
    EXPECT(FRAZIL_ERR_STATE, frazil_patch_writer_feed(patch_writer, "x", 1, &error));
    frazil_patch_writer_free(patch_writer);

    /* After a failure. */
    EXPECT(FRAZIL_OK, frazil_patch_writer_new(NULL, NULL, append, &sink, &patch_writer, &error));
    EXPECT(FRAZIL_ERR_CORRUPT, frazil_patch_writer_feed(patch_writer, "no delta at all", 15, &error));
    EXPECT(FRAZIL_ERR_STATE, frazil_patch_writer_feed(patch_writer, "x", 1, &error));
    EXPECT(FRAZIL_ERR_STATE, frazil_patch_writer_finish(patch_writer, NULL, &error));
    frazil_patch_writer_free(patch_writer);
    drop(&sink);
}

static void handles_may_be_freed_in_the_middle(void) {
    frazil_level *level;
    frazil_level_writer *level_writer;
    frazil_patch *patch;
    frazil_patch_writer *patch_writer;
    bytes sink = {NULL, 0, 0, 0}, delta = load("level.1");
    char buffer[100];
    size_t read;

    EXPECT(FRAZIL_OK, frazil_level_open("old", NULL, NULL, &level, &error));
    EXPECT(FRAZIL_OK, frazil_level_read(level, buffer, sizeof buffer, &read, &error));
    frazil_level_free(level);
    EXPECT(FRAZIL_OK, frazil_level_writer_new(NULL, NULL, append, &sink, &level_writer, &error));
    EXPECT(FRAZIL_OK, frazil_level_writer_feed(level_writer, old_content.data, 5000, &error));
    frazil_level_writer_free(level_writer);
    EXPECT(FRAZIL_OK, frazil_patch_open("old", "level.1", NULL, &patch, &error));
    EXPECT(FRAZIL_OK, frazil_patch_read(patch, buffer, sizeof buffer, &read, &error));
    frazil_patch_free(patch);
    EXPECT(FRAZIL_OK, frazil_patch_writer_new_file("old", "freed", NULL, &patch_writer, &error));
    EXPECT(FRAZIL_OK, frazil_patch_writer_feed(patch_writer, delta.data, delta.len, &error));
    frazil_patch_writer_free(patch_writer);
    CHECK(access("freed", F_OK) != 0);
    drop(&sink);
    drop(&delta);
}

/* Reads all of what `noun` gives, with a read of no bytes before each other. */
#define READ_WITH_NOTHING_BETWEEN(noun)                                                            \
    static bytes read_##noun##_with_nothing_between(frazil_##noun *from) {                         \
        bytes all = {NULL, 0, 0, 0};                                                               \
        char buffer[50000];                                                                        \
        size_t read;                                                                               \
        do {                                                                                       \
            read = 7;                                                                              \
            EXPECT(FRAZIL_OK, frazil_##noun##_read(from, NULL, 0, &read, &error));                 \
            CHECK(read == 0);                                                                      \
            EXPECT(FRAZIL_OK, frazil_##noun##_read(from, buffer, sizeof buffer, &read, &error));   \
            append(&all, buffer, read);                                                            \
        } while (read > 0);                                                                        \
        EXPECT(FRAZIL_OK, frazil_##noun##_read(from, buffer, 0, &read, &error));                   \
        CHECK(read == 0);                                                                          \
        return all;                                                                                \
    }
READ_WITH_NOTHING_BETWEEN(level)
READ_WITH_NOTHING_BETWEEN(patch)
READ_WITH_NOTHING_BETWEEN(backup)

static void a_read_of_no_bytes_does_nothing_and_is_not_the_end(void) {
    const char *deltas[2] = {"level.0", "level.1"};
    frazil_signature *signature;
    frazil_level *level;
    frazil_patch *patch;
    frazil_backup *backup;
    bytes read_so, archive;
    size_t read;

    EXPECT(FRAZIL_OK, frazil_level_open("old", NULL, NULL, &level, &error));
    read_so = read_level_with_nothing_between(level);
    EXPECT(FRAZIL_OK, frazil_level_finish(level, NULL, NULL, &error));
    SAID(FRAZIL_ERR_STATE, "is finished", frazil_level_read(level, NULL, 0, &read, &error));
    frazil_level_free(level);
    save("level.read", &read_so);
    drop(&read_so);
    EXPECT(FRAZIL_OK, frazil_patch_open(NULL, "level.read", NULL, &patch, &error));
    read_so = read_patch_with_nothing_between(patch);
    CHECK(same(&read_so, &old_content));
    EXPECT(FRAZIL_OK, frazil_patch_finish(patch, NULL, &error));
    SAID(FRAZIL_ERR_STATE, "is finished", frazil_patch_read(patch, NULL, 0, &read, &error));
    frazil_patch_free(patch);
    drop(&read_so);
    EXPECT(FRAZIL_OK, frazil_patch_open_chain(NULL, deltas, 2, NULL, &patch, &error));
    read_so = read_patch_with_nothing_between(patch);
    CHECK(same(&read_so, &new_content));
    EXPECT(FRAZIL_OK, frazil_patch_finish(patch, NULL, &error));
    frazil_patch_free(patch);
    drop(&read_so);

    CHECK(mkdir("tree", 0755) == 0);
    save("tree/file", &old_content);
    EXPECT(FRAZIL_OK, frazil_backup_open("tree", NULL, "snapshot", NULL, &backup, &error));
    archive = read_backup_with_nothing_between(backup);
    EXPECT(FRAZIL_OK, frazil_backup_finish(backup, NULL, &error));
    SAID(FRAZIL_ERR_STATE, "is finished", frazil_backup_read(backup, NULL, 0, &read, &error));
    frazil_backup_free(backup);
    EXPECT(FRAZIL_OK, frazil_restore_tree_stream(take, &archive, "restored", NULL, NULL, &error));
    CHECK(holds("restored/file", &old_content));
    drop(&archive);

    /* Nothing was begun, so the signature alone is still to be had, and nothing was verified. */
    EXPECT(FRAZIL_OK, frazil_level_open("old", NULL, NULL, &level, &error));
    EXPECT(FRAZIL_OK, frazil_level_read(level, NULL, 0, &read, &error));
    EXPECT(FRAZIL_OK, frazil_level_finish(level, &signature, NULL, &error));
    CHECK(frazil_signature_length(signature) == old_content.len);
    frazil_signature_free(signature);
    frazil_level_free(level);
    EXPECT(FRAZIL_OK, frazil_patch_open("old", "level.1", NULL, &patch, &error));
    EXPECT(FRAZIL_OK, frazil_patch_read(patch, NULL, 0, &read, &error));
    EXPECT(FRAZIL_ERR_STATE, frazil_patch_finish(patch, NULL, &error));
    frazil_patch_free(patch);
}

int main(void) {
    make_contents();
    a_read_of_no_bytes_does_nothing_and_is_not_the_end();
    a_handle_refuses_what_its_state_does_not_allow();
    handles_may_be_freed_in_the_middle();
    drop_contents();
    return 0;
}
