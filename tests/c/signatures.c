/* Signatures from everywhere, what two of them say of their contents, and what streams say of themselves. */
#include "contents.h"

static void signatures_from_everywhere_are_the_same(void) {
    frazil_signature *of[4], *loaded[4];
    frazil_identity first, other;
    frazil_block_sum sum;
    bytes source = old_content, saved = {NULL, 0, 0, 0};
    int fd = open("old", O_RDONLY), i;

    source.piece = 1000;
    EXPECT(FRAZIL_OK, frazil_signature_of_path("old", NULL, &of[0], &error));
    EXPECT(FRAZIL_OK, frazil_signature_of_fd(fd, NULL, &of[1], &error));
    EXPECT(FRAZIL_OK, frazil_signature_of_stream(take, &source, NULL, &of[2], &error));
    EXPECT(FRAZIL_OK,
           frazil_signature_of_data(old_content.data, old_content.len, NULL, &of[3], &error));
    CHECK(close(fd) == 0);

    EXPECT(FRAZIL_OK, frazil_signature_save(of[0], "signature", FRAZIL_FORMAT_SEALED, &error));
    EXPECT(FRAZIL_ERR_EXISTS, frazil_signature_save(of[0], "signature", FRAZIL_FORMAT_SEALED, &error));
    EXPECT(FRAZIL_OK, frazil_signature_save_stream(of[0], FRAZIL_FORMAT_RDIFF, append, &saved, &error));
    fd = open("written", O_RDWR | O_CREAT, 0600);
    EXPECT(FRAZIL_OK, frazil_signature_save_fd(of[0], fd, FRAZIL_FORMAT_SEALED, &error));
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
        CHECK(frazil_signature_weak_sum(of[i]) == FRAZIL_WEAK_SUM_RABIN_KARP);
        CHECK(frazil_signature_strong_sum(of[i]) == FRAZIL_STRONG_SUM_BLAKE2);
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
    CHECK(sum.weak_sum != 0);
    EXPECT(FRAZIL_END, frazil_signature_block(of[0], UINT64_MAX, &sum, &error));
    CHECK(sum.weak_sum == 0);
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

    EXPECT(FRAZIL_OK, frazil_signature_of_path("old", NULL, &old_signature, &error));
    EXPECT(FRAZIL_OK, frazil_signature_of_path("new", NULL, &new_signature, &error));
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
    EXPECT(FRAZIL_OK, frazil_comparison_open_paths("signature", "signature.new", &comparison, &error));
    EXPECT(FRAZIL_OK, frazil_comparison_next(comparison, &range, &error));
    CHECK(range.kind == FRAZIL_RANGE_SAME && range.len == 65536 && range.from == 0);
    frazil_comparison_free(comparison);
    frazil_signature_free(new_signature);

    frazil_level_options_init(&options, sizeof options);
    options.block_len = 1024;
    EXPECT(FRAZIL_OK, frazil_signature_of_path("new", &options, &new_signature, &error));
    EXPECT(FRAZIL_ERR_INCOMPARABLE,
           frazil_comparison_open(old_signature, new_signature, &comparison, &error));
    CHECK(comparison == NULL);
    frazil_signature_free(old_signature);
    frazil_signature_free(new_signature);
}

static void streams_say_what_they_are(void) {
    frazil_inspection said;
    frazil_signature *signature;
    bytes plain = {NULL, 0, 0, 0}, level = load("level.1");
    int fd = open("level.0", O_RDONLY);

    EXPECT(FRAZIL_OK, frazil_signature_of_path("old", NULL, &signature, &error));
    EXPECT(FRAZIL_OK, frazil_signature_save_stream(signature, FRAZIL_FORMAT_RDIFF, append, &plain, &error));
    frazil_inspection_init(&said, sizeof said);
    EXPECT(FRAZIL_OK, frazil_inspection_of_stream(take, &plain, &said, &error));
    CHECK(said.kind == FRAZIL_STREAM_SIGNATURE && said.format == FRAZIL_FORMAT_RDIFF);
    CHECK(said.block_len == 65536 && said.strong_len == 32 && said.stream_bytes == plain.len);
    CHECK(said.weak_sum == FRAZIL_WEAK_SUM_RABIN_KARP && said.strong_sum == FRAZIL_STRONG_SUM_BLAKE2);
    CHECK(said.block_count == frazil_signature_block_count(signature) && !said.has_identity);
    EXPECT(FRAZIL_OK, frazil_inspection_of_path("signature", &said, &error));
    CHECK(said.format == FRAZIL_FORMAT_SEALED && said.has_identity && !said.has_basis);
    CHECK(said.identity.length == old_content.len && said.literal_bytes == 0);

    EXPECT(FRAZIL_OK, frazil_inspection_of_fd(fd, &said, &error));
    CHECK(close(fd) == 0);
    CHECK(said.kind == FRAZIL_STREAM_DELTA && said.block_len == 0);
    CHECK(said.has_basis && said.basis_len == 0 && said.copy_commands == 0);
    CHECK(said.literal_bytes == old_content.len && said.identity.length == old_content.len);
    EXPECT(FRAZIL_OK, frazil_inspection_of_stream(take, &level, &said, &error));
    CHECK(said.basis_len == old_content.len && said.literal_bytes == 65536 && !said.weak);
    CHECK(said.copy_commands > 0 && said.copy_bytes == new_content.len - 65536 && !said.dirty);
    EXPECT(FRAZIL_OK, frazil_inspection_of_path("level.0", NULL, &error));

    /* What is damaged or cut off says nothing. */
    level.taken = 0;
    level.data[level.len / 2] ^= 1;
    EXPECT(FRAZIL_ERR_CORRUPT, frazil_inspection_of_stream(take, &level, &said, &error));
    CHECK(said.size == sizeof said && said.stream_bytes == 0 && said.literal_bytes == 0);
    level.data[level.len / 2] ^= 1;
    level.taken = 0;
    level.len--;
    EXPECT(FRAZIL_ERR_TRUNCATED, frazil_inspection_of_stream(take, &level, &said, &error));
    CHECK(frazil_inspection_of_path("new", &said, &error) == FRAZIL_ERR_CORRUPT);
    CHECK(strcmp(frazil_error_path(error), "new") == 0);
    frazil_error_free(error);
    EXPECT(FRAZIL_ERR_IO, frazil_inspection_of_path("missing", &said, &error));
    frazil_signature_free(signature);
    drop(&plain);
    drop(&level);
}

int main(void) {
    make_contents();
    signatures_from_everywhere_are_the_same();
    a_comparison_gives_ranges_without_gaps();
    streams_say_what_they_are();
    drop_contents();
    return 0;
}
