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
    EXPECT(FRAZIL_OK, frazil_level_read(level, NULL, 0, &read, &error));
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

int main(void) {
    make_contents();
    a_handle_refuses_what_its_state_does_not_allow();
    handles_may_be_freed_in_the_middle();
    drop_contents();
    return 0;
}
