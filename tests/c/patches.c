/* Patches and chains in all their forms. */
#include "contents.h"

static void patches_in_every_form_restore_the_same(void) {
    const char *deltas[2] = {"level.0", "level.1"};
    frazil_patch *patch;
    frazil_patch_writer *writer;
    frazil_patch_summary summary;
    frazil_patch_options options;
    bytes target, delta = load("level.1"), pushed = {NULL, 0, 0, 0};
    int fd = open("level.1", O_RDONLY);

    EXPECT(FRAZIL_OK, frazil_patch_open_fd("old", fd, NULL, &patch, &error));
    CHECK(close(fd) == 0);
    target = read_patch(patch);
    EXPECT(FRAZIL_OK, frazil_patch_finish(patch, NULL, &error));
    frazil_patch_free(patch);
    CHECK(same(&target, &new_content));
    drop(&target);

    EXPECT(FRAZIL_OK, frazil_patch_open_stream("old", take, &delta, NULL, &patch, &error));
    target = read_patch(patch);
    frazil_patch_free(patch);
    CHECK(same(&target, &new_content));
    drop(&target);

    EXPECT(FRAZIL_OK, frazil_patch_open_chain(NULL, deltas, 2, NULL, &patch, &error));
    target = read_patch(patch);
    frazil_patch_summary_init(&summary, sizeof summary);
    EXPECT(FRAZIL_OK, frazil_patch_finish(patch, &summary, &error));
    CHECK(summary.verified && summary.output_bytes == new_content.len && !summary.dirty);
    frazil_patch_free(patch);
    CHECK(same(&target, &new_content));
    drop(&target);
    EXPECT(FRAZIL_ERR_INVALID_INPUT, frazil_patch_open_chain(NULL, NULL, 0, NULL, &patch, &error));

    EXPECT(FRAZIL_OK, frazil_patch_writer_new("old", NULL, append, &pushed, &writer, &error));
    EXPECT(FRAZIL_OK, frazil_patch_writer_feed(writer, delta.data, delta.len, &error));
    EXPECT(FRAZIL_OK, frazil_patch_writer_finish(writer, &summary, &error));
    frazil_patch_writer_free(writer);
    CHECK(same(&pushed, &new_content));
    drop(&pushed);

    EXPECT(FRAZIL_OK, frazil_patch_writer_new_file("old", "pushed", NULL, &writer, &error));
    EXPECT(FRAZIL_OK, frazil_patch_writer_feed(writer, delta.data, delta.len, &error));
    CHECK(access("pushed", F_OK) != 0);
    EXPECT(FRAZIL_OK, frazil_patch_writer_finish(writer, NULL, &error));
    frazil_patch_writer_free(writer);
    CHECK(holds("pushed", &new_content));

    /* Without its end, nothing is published. */
    EXPECT(FRAZIL_OK, frazil_patch_writer_new_file("old", "cut", NULL, &writer, &error));
    EXPECT(FRAZIL_OK, frazil_patch_writer_feed(writer, delta.data, delta.len - 1, &error));
    EXPECT(FRAZIL_ERR_TRUNCATED, frazil_patch_writer_finish(writer, NULL, &error));
    frazil_patch_writer_free(writer);
    CHECK(access("cut", F_OK) != 0);

    EXPECT(FRAZIL_OK, frazil_patch_file("old", "level.1", "patched", NULL, &summary, &error));
    CHECK(holds("patched", &new_content));
    EXPECT(FRAZIL_ERR_EXISTS, frazil_patch_file("old", "level.1", "patched", NULL, NULL, &error));
    frazil_patch_options_init(&options, sizeof options);
    options.replace = 1;
    options.verify_basis = FRAZIL_VERIFY_BASIS_BEFORE;
    EXPECT(FRAZIL_ERR_WRONG_BASIS,
           frazil_patch_file("new", "level.1", "patched", &options, NULL, &error));
    EXPECT(FRAZIL_OK, frazil_patch_file_chain(NULL, deltas, 2, "patched", &options, NULL, &error));
    CHECK(holds("patched", &new_content));
    delta.taken = 0;
    EXPECT(FRAZIL_OK, frazil_patch_file_stream("old", take, &delta, "patched", &options, NULL, &error));
    fd = open("level.1", O_RDONLY);
    EXPECT(FRAZIL_OK, frazil_patch_file_fd("old", fd, "patched", &options, NULL, &error));
    CHECK(close(fd) == 0);
    save("in place", &old_content);
    EXPECT(FRAZIL_OK, frazil_patch_in_place("in place", "level.1", NULL, &summary, &error));
    CHECK(holds("in place", &new_content));

    delta.data[delta.len / 2] ^= 1;
    save("broken", &delta);
    EXPECT(FRAZIL_ERR_CORRUPT, frazil_patch_file("old", "broken", "never", NULL, NULL, &error));
    CHECK(access("never", F_OK) != 0);
    drop(&delta);
}

static void zeros_that_are_pushed_become_holes(void) {
    bytes zeros = {NULL, 4 << 20, 0, 0}, level0 = {NULL, 0, 0, 0};
    frazil_patch_writer *writer;
    struct stat status;

    zeros.data = (unsigned char *)calloc(1, zeros.len);
    CHECK(zeros.data != NULL);
    zeros.data[1 << 20] = 1;
    EXPECT(FRAZIL_OK, frazil_gen_sig_from_stream(take, &zeros, NULL, NULL, append, &level0, NULL, &error));
    EXPECT(FRAZIL_OK, frazil_patch_writer_new_file(NULL, "sparse", NULL, &writer, &error));
    EXPECT(FRAZIL_OK, frazil_patch_writer_feed(writer, level0.data, level0.len, &error));
    EXPECT(FRAZIL_OK, frazil_patch_writer_finish(writer, NULL, &error));
    frazil_patch_writer_free(writer);
    CHECK(holds("sparse", &zeros));
    CHECK(stat("sparse", &status) == 0 && status.st_blocks < 2048);
    drop(&zeros);
    drop(&level0);
}

/* The path and the offset that an error gives are those of one file. */
static void an_error_names_the_file_that_is_damaged(void) {
    bytes damaged = load("level.0");
    frazil_patch *patch;
    char buffer[4096];
    size_t read;
    int status;

    damaged.data[damaged.len / 2] ^= 0xff;
    save("damaged", &damaged);
    drop(&damaged);
    status = frazil_patch_file(NULL, "damaged", "never", NULL, NULL, &error);
    CHECK(strcmp(frazil_error_path(error), "damaged") == 0);
    CHECK(frazil_error_offset(error) != FRAZIL_UNKNOWN);
    SAID(FRAZIL_ERR_CORRUPT, "reading a delta damaged at offset", status);
    EXPECT(FRAZIL_OK, frazil_patch_open(NULL, "damaged", NULL, &patch, &error));
    do {
        status = frazil_patch_read(patch, buffer, sizeof buffer, &read, &error);
    } while (status == FRAZIL_OK && read > 0);
    CHECK(strcmp(frazil_error_path(error), "damaged") == 0);
    SAID(FRAZIL_ERR_CORRUPT, "reading a delta damaged at offset", status);
    frazil_patch_free(patch);
}

/* Whatever fails, the message begins with what was being done. */
static void an_error_says_what_was_being_done(void) {
    frazil_signature *signature;
    int full = open("/dev/full", O_WRONLY), closed = open("/dev/full", O_WRONLY);
    SAID(FRAZIL_ERR_IO, "reading file descriptor", frazil_signature_of_fd(closed, NULL, &signature, &error));
    EXPECT(FRAZIL_OK, frazil_signature_of_path("old", NULL, &signature, &error));
    SAID(FRAZIL_ERR_IO, "writing to file descriptor",
         frazil_signature_save_fd(signature, full, FRAZIL_FORMAT_SEALED, &error));
    frazil_signature_free(signature);
    CHECK(close(full) == 0 && close(closed) == 0);
}

int main(void) {
    make_contents();
    patches_in_every_form_restore_the_same();
    zeros_that_are_pushed_become_holes();
    an_error_names_the_file_that_is_damaged();
    an_error_says_what_was_being_done();
    drop_contents();
    return 0;
}
