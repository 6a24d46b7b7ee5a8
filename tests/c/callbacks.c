/* Callbacks that fail, or claim too much. */
#include "check.h"

static bytes content;

/* Gives `good` bytes, then fails with `code`, or claims `over` more bytes than it may. */
typedef struct source {
    size_t good;
    int code;
    size_t over;
} source;

static int give(void *user_data, void *buffer, size_t len, size_t *read) {
    source *from = (source *)user_data;
    if (from->good == 0 && from->over > 0) {
        *read = len + from->over;
        return 0;
    }
    if (from->good == 0) return from->code;
    if (len > from->good) len = from->good;
    memset(buffer, 'x', len);
    from->good -= len;
    *read = len;
    return 0;
}

static int refuse(void *user_data, const void *data, size_t len) {
    (void)data;
    (void)len;
    return *(int *)user_data;
}

static void what_a_read_callback_returns_is_kept(void) {
    static const int codes[] = {1, -1, 42, -17, 2147483647};
    size_t i;
    for (i = 0; i < sizeof codes / sizeof *codes; i++) {
        source from = {100000, 0, 0};
        frazil_signature *signature;
        frazil_level *level;
        char buffer[64];
        size_t read;
        int status;

        from.code = codes[i];
        STOPPED(codes[i], frazil_signature_of_stream(give, &from, NULL, &signature, &error));
        CHECK(signature == NULL);
        STOPPED(codes[i], frazil_signature_load_stream(give, &from, 0, &signature, &error));
        STOPPED(codes[i], frazil_patch_from_stream(give, &from, "never", NULL, NULL, &error));
        STOPPED(codes[i], frazil_archive_verify_stream(give, &from, NULL, NULL, &error));
        STOPPED(codes[i], frazil_restore_tree_stream(give, &from, "tree", NULL, NULL, &error));

        /* The source may be asked again. */
        EXPECT(FRAZIL_OK, frazil_level_open_stream(give, &from, NULL, NULL, &level, &error));
        while ((status = frazil_level_read(level, buffer, sizeof buffer, &read, &error)) == FRAZIL_OK)
            CHECK(read > 0);
        STOPPED(codes[i], status);
        CHECK(read == 0);
        from.code = 0;
        EXPECT(FRAZIL_OK, frazil_level_read(level, buffer, sizeof buffer, &read, &error));
        CHECK(read > 0);
        frazil_level_free(level);
    }
    CHECK(access("never", F_OK) != 0);
}

static void a_read_callback_that_claims_too_much_is_refused(void) {
    static const size_t over[] = {1, 4096, (size_t)-1 - (1 << 20)};
    size_t i;
    for (i = 0; i < sizeof over / sizeof *over; i++) {
        source from = {0, 0, 0};
        bytes sink = {NULL, 0, 0, 0};
        frazil_signature *signature;
        from.over = over[i];
        SAID(FRAZIL_ERR_INVALID_INPUT, "claims more",
             frazil_signature_of_stream(give, &from, NULL, &signature, &error));
        SAID(FRAZIL_ERR_INVALID_INPUT, "claims more",
             frazil_gen_sig_from_stream(give, &from, NULL, NULL, append, &sink, NULL, &error));
        drop(&sink);
    }
}

static void what_a_write_callback_returns_is_kept(void) {
    int code = -5;
    frazil_signature *signature;
    frazil_level_writer *writer;
    frazil_patch_writer *patch;
    frazil_level_options options;
    bytes delta = {NULL, 0, 0, 0};

    STOPPED(-5, frazil_gen_sig_from_file("content", NULL, NULL, refuse, &code, &signature, &error));
    CHECK(signature == NULL);
    EXPECT(FRAZIL_OK, frazil_gen_sig_from_file("content", NULL, NULL, append, &delta, &signature, &error));
    STOPPED(-5, frazil_signature_save_stream(signature, FRAZIL_FORMAT_SEALED, refuse, &code, &error));
    frazil_signature_free(signature);

    EXPECT(FRAZIL_OK, frazil_level_writer_new(NULL, NULL, refuse, &code, &writer, &error));
    STOPPED(-5, frazil_level_writer_feed(writer, content.data, content.len, &error));
    EXPECT(FRAZIL_ERR_STATE, frazil_level_writer_feed(writer, content.data, 1, &error));
    EXPECT(FRAZIL_ERR_STATE, frazil_level_writer_finish(writer, NULL, NULL, &error));
    frazil_level_writer_free(writer);

    EXPECT(FRAZIL_OK, frazil_patch_writer_new(NULL, NULL, refuse, &code, &patch, &error));
    STOPPED(-5, frazil_patch_writer_feed(patch, delta.data, delta.len, &error));
    EXPECT(FRAZIL_ERR_STATE, frazil_patch_writer_finish(patch, NULL, &error));
    frazil_patch_writer_free(patch);

    frazil_level_options_init(&options, sizeof options);
    options.write_signature = refuse;
    options.signature_user_data = &code;
    STOPPED(-5, frazil_gen_sig_from_file("content", NULL, &options, NULL, NULL, NULL, &error));
    drop(&delta);
}

static void a_signature_goes_to_a_callback_on_the_way(void) {
    frazil_level_options options;
    frazil_level *level;
    frazil_signature *held, *loaded;
    bytes written = {NULL, 0, 0, 0};

    frazil_level_options_init(&options, sizeof options);
    options.write_signature = append;
    options.signature_user_data = &written;
    EXPECT(FRAZIL_OK, frazil_level_open("content", NULL, &options, &level, &error));
    EXPECT(FRAZIL_OK, frazil_level_finish(level, &held, NULL, &error));
    frazil_level_free(level);
    CHECK(held == NULL);
    EXPECT(FRAZIL_OK, frazil_signature_load_data(written.data, written.len, &loaded, &error));
    CHECK(frazil_signature_length(loaded) == content.len);
    frazil_signature_free(loaded);
    drop(&written);
}

int main(void) {
    content = noise(2500000, 3);
    save("content", &content);
    what_a_read_callback_returns_is_kept();
    a_read_callback_that_claims_too_much_is_refused();
    what_a_write_callback_returns_is_kept();
    a_signature_goes_to_a_callback_on_the_way();
    drop(&content);
    return 0;
}
