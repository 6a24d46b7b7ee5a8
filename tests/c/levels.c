/* Levels in all their forms, and what they restore. */
#include "contents.h"

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
        save("made", &level1[i]);
        EXPECT(FRAZIL_OK, frazil_patch_open("old", "made", NULL, &patch, &error));
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

/* The sums stay in the file of the signature. */
static void a_signature_need_not_be_in_memory(void) {
    frazil_level_options options;
    frazil_level_summary summary;
    frazil_signature *signature;
    frazil_level_writer *writer;
    frazil_level *level;
    bytes pulled, pushed = {NULL, 0, 0, 0};

    EXPECT(FRAZIL_OK, frazil_signature_of_path("old", NULL, &signature, &error));
    EXPECT(FRAZIL_OK, frazil_signature_save(signature, "kept", FRAZIL_FORMAT_SEALED, &error));
    frazil_level_options_init(&options, sizeof options);
    options.basis_signature_path = "kept";
    EXPECT(FRAZIL_OK, frazil_level_open("new", NULL, &options, &level, &error));
    pulled = read_level(level);
    frazil_level_summary_init(&summary, sizeof summary);
    EXPECT(FRAZIL_OK, frazil_level_finish(level, NULL, &summary, &error));
    frazil_level_free(level);
    CHECK(summary.matching == FRAZIL_MATCHING_AUTO && summary.literal_bytes == 65536);
    save("from_file", &pulled);
    EXPECT(FRAZIL_OK, frazil_patch_file("old", "from_file", "patched", NULL, NULL, &error));
    CHECK(holds("patched", &new_content));

    EXPECT(FRAZIL_OK, frazil_level_writer_new(NULL, &options, append, &pushed, &writer, &error));
    EXPECT(FRAZIL_OK, frazil_level_writer_feed(writer, new_content.data, new_content.len, &error));
    EXPECT(FRAZIL_OK, frazil_level_writer_finish(writer, NULL, &summary, &error));
    frazil_level_writer_free(writer);
    CHECK(pushed.len < new_content.len / 2 && summary.copy_bytes == new_content.len - 65536);

    CHECK(frazil_level_open("new", signature, &options, &level, &error) == FRAZIL_ERR_INVALID_INPUT);
    CHECK(strstr(frazil_error_message(error), "both given") != NULL && level == NULL);
    frazil_error_free(error);
    options.engine = FRAZIL_ENGINE_LIBRSYNC;
    EXPECT(FRAZIL_ERR_INVALID_INPUT, frazil_level_open("new", NULL, &options, &level, &error));
    options.engine = FRAZIL_ENGINE_NATIVE;
    options.matching = FRAZIL_MATCHING_ROLLING;
    options.memory_limit = 1 << 20;
    EXPECT(FRAZIL_ERR_LIMIT, frazil_level_open("new", NULL, &options, &level, &error));
    options.memory_limit = 0;
    options.basis_signature_path = "missing";
    CHECK(frazil_level_open("new", NULL, &options, &level, &error) == FRAZIL_ERR_IO);
    CHECK(strcmp(frazil_error_path(error), "missing") == 0);
    frazil_error_free(error);
    options.basis_signature_path = "new";
    EXPECT(FRAZIL_ERR_CORRUPT, frazil_level_open("new", NULL, &options, &level, &error));
    frazil_signature_free(signature);
    drop(&pulled);
    drop(&pushed);
}

static void a_plain_level_need_not_be_identified(void) {
    frazil_level_options options;
    frazil_level_summary summary;
    frazil_identity identity;
    frazil_signature *signature;
    frazil_level *level;
    bytes plain;

    frazil_level_options_init(&options, sizeof options);
    options.no_identity = 1;
    EXPECT(FRAZIL_ERR_INVALID_INPUT, frazil_level_open("old", NULL, &options, &level, &error));
    options.format = FRAZIL_FORMAT_RDIFF;
    EXPECT(FRAZIL_OK, frazil_level_open("old", NULL, &options, &level, &error));
    plain = read_level(level);
    frazil_level_summary_init(&summary, sizeof summary);
    EXPECT(FRAZIL_OK, frazil_level_finish(level, &signature, &summary, &error));
    frazil_level_free(level);
    CHECK(summary.source_bytes == old_content.len && summary.identity.length == 0 && summary.identity.leaf_len == 0);
    EXPECT(FRAZIL_END, frazil_signature_identity(signature, &identity, &error));
    frazil_signature_free(signature);
    save("unidentified", &plain);
    EXPECT(FRAZIL_OK, frazil_patch_file(NULL, "unidentified", "of_unidentified", NULL, NULL, &error));
    CHECK(holds("of_unidentified", &old_content));
    options.reserved = 1;
    EXPECT(FRAZIL_ERR_UNSUPPORTED, frazil_level_open("old", NULL, &options, &level, &error));
    drop(&plain);
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

int main(void) {
    make_contents();
    levels_restore_what_they_were_made_of();
    a_signature_need_not_be_in_memory();
    a_plain_level_need_not_be_identified();
    the_blueprints_functions_do_it_in_one_call();
    drop_contents();
    return 0;
}
