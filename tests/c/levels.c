/* Signatures, levels and patches in all their forms, and what their states refuse. */
#include "check.h"

static bytes old_content, new_content;

/* Reads a level or a patch to its end, in pieces of an odd size. */
#define READ_ALL(noun)                                                                             \
    static bytes read_##noun(frazil_##noun *from) {                                                \
        bytes all = {NULL, 0, 0, 0};                                                               \
        char buffer[1237];                                                                         \
        size_t read;                                                                               \
        do {                                                                                       \
            EXPECT(FRAZIL_OK, frazil_##noun##_read(from, buffer, sizeof buffer, &read, &error));   \
            append(&all, buffer, read);                                                            \
        } while (read > 0);                                                                        \
        return all;                                                                                \
    }
READ_ALL(level)
READ_ALL(patch)

static void signatures_from_everywhere_are_the_same(void) {
    frazil_signature *of[4], *loaded[4];
    frazil_identity first, other;
    frazil_block_sum sum;
    bytes source = old_content, saved = {NULL, 0, 0, 0};
    int fd = open("old", O_RDONLY), i;

    source.piece = 1000;
    EXPECT(FRAZIL_OK, frazil_signature_of_file("old", NULL, &of[0], &error));
    EXPECT(FRAZIL_OK, frazil_signature_of_fd(fd, NULL, &of[1], &error));
    EXPECT(FRAZIL_OK, frazil_signature_of_stream(take, &source, NULL, &of[2], &error));
    EXPECT(FRAZIL_OK,
           frazil_signature_of_data(old_content.data, old_content.len, NULL, &of[3], &error));
    CHECK(close(fd) == 0);

    EXPECT(FRAZIL_OK, frazil_signature_save(of[0], "signature", FRAZIL_FORMAT_SEALED, &error));
    EXPECT(FRAZIL_ERR_EXISTS, frazil_signature_save(of[0], "signature", FRAZIL_FORMAT_SEALED, &error));
    EXPECT(FRAZIL_OK, frazil_signature_write(of[0], FRAZIL_FORMAT_RDIFF, append, &saved, &error));
    fd = open("written", O_RDWR | O_CREAT, 0600);
    EXPECT(FRAZIL_OK, frazil_signature_write_fd(of[0], FRAZIL_FORMAT_SEALED, fd, &error));
    CHECK(lseek(fd, 0, SEEK_SET) == 0);
    EXPECT(FRAZIL_OK, frazil_signature_load("signature", 0, &loaded[0], &error));
    EXPECT(FRAZIL_OK, frazil_signature_load_fd(fd, 0, &loaded[1], &error));
    CHECK(close(fd) == 0);
    EXPECT(FRAZIL_OK, frazil_signature_load_data(saved.data, saved.len, &loaded[2], &error));
    EXPECT(FRAZIL_OK, frazil_signature_load_stream(take, &saved, 0, &loaded[3], &error));
    saved.taken = 0;

    EXPECT(FRAZIL_OK, frazil_signature_identity(of[0], &first, &error));
    CHECK(first.length == old_content.len);
    for (i = 0; i < 4; i++) {
        CHECK(frazil_signature_block_len(of[i]) == 65536);
        CHECK(frazil_signature_block_count(of[i]) == (old_content.len + 65535) / 65536);
        CHECK(frazil_signature_block_count(loaded[i]) == frazil_signature_block_count(of[i]));
        CHECK(frazil_signature_length(of[i]) == old_content.len);
        CHECK(frazil_signature_length(loaded[i]) == (i < 2 ? old_content.len : FRAZIL_UNKNOWN));
        CHECK(frazil_signature_weak(of[i]) == FRAZIL_WEAK_RABIN_KARP);
        CHECK(frazil_signature_strong(of[i]) == FRAZIL_STRONG_BLAKE2);
        CHECK(frazil_signature_strong_len(of[i]) == 32);
        CHECK(!frazil_signature_is_dirty(of[i]));
        EXPECT(FRAZIL_OK, frazil_signature_identity(of[i], &other, &error));
        CHECK(memcmp(&first, &other, sizeof first) == 0);
    }
    EXPECT(FRAZIL_END, frazil_signature_identity(loaded[2], &other, &error));
    CHECK(other.length == 0);
    EXPECT(FRAZIL_ERR_INVALID_INPUT,
           frazil_signature_save(loaded[2], "unsealable", FRAZIL_FORMAT_SEALED, &error));
    EXPECT(FRAZIL_OK, frazil_signature_block(of[0], 0, &sum, &error));
    CHECK(sum.weak != 0);
    EXPECT(FRAZIL_END, frazil_signature_block(of[0], UINT64_MAX, &sum, &error));
    CHECK(sum.weak == 0);
    for (i = 0; i < 4; i++) {
        frazil_signature_free(of[i]);
        frazil_signature_free(loaded[i]);
    }

    CHECK(frazil_signature_load_data(saved.data, saved.len - 1, &of[0], &error) == FRAZIL_ERR_TRUNCATED);
    CHECK(of[0] == NULL && frazil_error_offset(error) != FRAZIL_UNKNOWN);
    frazil_error_free(error);
    CHECK(frazil_signature_load("nowhere", 0, &of[0], &error) == FRAZIL_ERR_IO);
    CHECK(strcmp(frazil_error_path(error), "nowhere") == 0 && frazil_error_os_code(error) == 2);
    frazil_error_free(error);
    error = NULL;
    EXPECT(FRAZIL_ERR_LIMIT, frazil_signature_load("signature", 36, &of[0], &error));
    drop(&saved);
}

static void a_comparison_gives_ranges_without_gaps(void) {
    frazil_signature *old_signature, *new_signature;
    frazil_comparison *comparison;
    frazil_level_options options;
    frazil_range range;
    uint64_t end = 0, changed = 0;
    int status;

    EXPECT(FRAZIL_OK, frazil_signature_of_file("old", NULL, &old_signature, &error));
    EXPECT(FRAZIL_OK, frazil_signature_of_file("new", NULL, &new_signature, &error));
    EXPECT(FRAZIL_OK, frazil_comparison_open(old_signature, new_signature, &comparison, &error));
    while ((status = frazil_comparison_next(comparison, &range, &error)) == FRAZIL_OK) {
        CHECK(range.offset == end);
        end += range.len;
        if (range.kind == FRAZIL_RANGE_CHANGED) changed += range.len;
    }
    EXPECT(FRAZIL_END, status);
    EXPECT(FRAZIL_END, frazil_comparison_next(comparison, &range, &error));
    CHECK(range.len == 0 && end == new_content.len && changed == 65536);
    frazil_comparison_free(comparison);

    EXPECT(FRAZIL_OK, frazil_signature_save(new_signature, "signature.new", FRAZIL_FORMAT_SEALED, &error));
    EXPECT(FRAZIL_OK, frazil_comparison_open_files("signature", "signature.new", &comparison, &error));
    EXPECT(FRAZIL_OK, frazil_comparison_next(comparison, &range, &error));
    CHECK(range.kind == FRAZIL_RANGE_SAME && range.len == 65536 && range.from == 0);
    frazil_comparison_free(comparison);
    frazil_signature_free(new_signature);

    frazil_level_options_init(&options, sizeof options);
    options.block_len = 1024;
    EXPECT(FRAZIL_OK, frazil_signature_of_file("new", &options, &new_signature, &error));
    EXPECT(FRAZIL_ERR_INCOMPARABLE,
           frazil_comparison_open(old_signature, new_signature, &comparison, &error));
    CHECK(comparison == NULL);
    frazil_signature_free(old_signature);
    frazil_signature_free(new_signature);
}

static void levels_restore_what_they_were_made_of(void) {
    frazil_signature *signature, *next;
    frazil_level *level;
    frazil_level_writer *writer;
    frazil_level_summary summary;
    bytes source = new_content, level0, level1[3] = {{NULL, 0, 0, 0}, {NULL, 0, 0, 0}, {NULL, 0, 0, 0}};
    size_t fed;
    int fd, i;

    EXPECT(FRAZIL_OK, frazil_level_open("old", NULL, NULL, &level, &error));
    level0 = read_level(level);
    frazil_level_summary_init(&summary, sizeof summary);
    EXPECT(FRAZIL_OK, frazil_level_finish(level, &signature, &summary, &error));
    CHECK(summary.size == sizeof summary && summary.source_bytes == old_content.len);
    CHECK(summary.stream_bytes == level0.len && summary.identity.length == old_content.len);
    frazil_level_free(level);
    save("level.0", &level0);

    fd = open("new", O_RDONLY);
    EXPECT(FRAZIL_OK, frazil_level_open_fd(fd, signature, NULL, &level, &error));
    CHECK(close(fd) == 0);
    level1[0] = read_level(level);
    EXPECT(FRAZIL_OK, frazil_level_finish(level, &next, NULL, &error));
    CHECK(frazil_signature_length(next) == new_content.len);
    frazil_signature_free(next);
    frazil_level_free(level);

    EXPECT(FRAZIL_OK, frazil_level_open_stream(take, &source, signature, NULL, &level, &error));
    level1[1] = read_level(level);
    EXPECT(FRAZIL_OK, frazil_level_finish(level, NULL, NULL, &error));
    frazil_level_free(level);

    EXPECT(FRAZIL_OK, frazil_level_writer_new(signature, NULL, append, &level1[2], &writer, &error));
    for (fed = 0; fed < new_content.len; fed += 999) {
        size_t left = new_content.len - fed;
        EXPECT(FRAZIL_OK, frazil_level_writer_feed(writer, new_content.data + fed,
                                                   left < 999 ? left : 999, &error));
    }
    EXPECT(FRAZIL_OK, frazil_level_writer_feed(writer, NULL, 0, &error));
    EXPECT(FRAZIL_OK, frazil_level_writer_finish(writer, &next, &summary, &error));
    CHECK(summary.copy_bytes == new_content.len - 65536 && summary.literal_bytes == 65536);
    frazil_signature_free(next);
    frazil_level_writer_free(writer);
    frazil_signature_free(signature);

    for (i = 0; i < 3; i++) {
        frazil_patch *patch;
        bytes target;
        save("level.1", &level1[i]);
        EXPECT(FRAZIL_OK, frazil_patch_open("old", "level.1", NULL, &patch, &error));
        target = read_patch(patch);
        EXPECT(FRAZIL_OK, frazil_patch_finish(patch, NULL, &error));
        CHECK(same(&target, &new_content));
        frazil_patch_free(patch);
        drop(&target);
        if (i < 2) drop(&level1[i]);
    }
    drop(&level0);
    drop(&level1[2]);
}

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

static void the_blueprints_functions_do_it_in_one_call(void) {
    frazil_signature *signature, *next;
    bytes level0 = {NULL, 0, 0, 0}, level1 = {NULL, 0, 0, 0}, source = new_content;

    EXPECT(FRAZIL_OK, frazil_gen_sig_from_file("old", NULL, NULL, append, &level0, &signature, &error));
    EXPECT(FRAZIL_OK, frazil_gen_sig_from_stream(take, &source, signature, NULL, append, &level1, &next,
                                                 &error));
    frazil_signature_free(next);
    EXPECT(FRAZIL_OK, frazil_gen_sig_from_file("new", signature, NULL, NULL, NULL, &next, &error));
    CHECK(frazil_signature_length(next) == new_content.len);
    frazil_signature_free(next);
    frazil_signature_free(signature);

    EXPECT(FRAZIL_OK, frazil_patch_from_stream(take, &level0, "blue", NULL, NULL, &error));
    CHECK(holds("blue", &old_content));
    save("blue.1", &level1);
    EXPECT(FRAZIL_OK, frazil_patch_from_file("blue", "created", take, &level1, NULL, NULL, &error));
    CHECK(holds("created", &new_content));
    EXPECT(FRAZIL_OK, frazil_patch_from_file("blue.1", "blue", NULL, NULL, NULL, NULL, &error));
    CHECK(holds("blue", &new_content));
    level0.taken = 0;
    EXPECT(FRAZIL_ERR_WRONG_BASIS, frazil_patch_from_stream(take, &level0, "blue", NULL, NULL, &error));
    drop(&level0);
    drop(&level1);
}

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
    frazil_patch_free(patch);

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
    old_content = noise(300000, 1);
    new_content = noise(300000, 1);
    new_content.data[70000] ^= 0xff;
    save("old", &old_content);
    save("new", &new_content);
    signatures_from_everywhere_are_the_same();
    a_comparison_gives_ranges_without_gaps();
    levels_restore_what_they_were_made_of();
    patches_in_every_form_restore_the_same();
    zeros_that_are_pushed_become_holes();
    the_blueprints_functions_do_it_in_one_call();
    a_handle_refuses_what_its_state_does_not_allow();
    handles_may_be_freed_in_the_middle();
    drop(&old_content);
    drop(&new_content);
    return 0;
}
