/* Sixteen threads, each with its own handles, and one signature for them all. */
#include "check.h"

#include <pthread.h>

#define THREADS 16

static bytes content;
static frazil_signature *shared;

static void *run(void *user_data) {
    unsigned number = *(unsigned *)user_data;
    bytes mine = noise(content.len, 1), level = {NULL, 0, 0, 0}, restored = {NULL, 0, 0, 0};
    frazil_error *failed = NULL;
    frazil_signature *signature = NULL;
    frazil_patch_writer *patch = NULL;
    frazil_level *missing = NULL;

    mine.data[number * 1000] ^= 0xff;
    CHECK(frazil_gen_sig_from_stream(take, &mine, shared, NULL, append, &level, &signature, &failed) ==
          FRAZIL_OK);
    CHECK(frazil_signature_length(signature) == content.len);
    frazil_signature_free(signature);
    CHECK(frazil_patch_writer_new("content", NULL, append, &restored, &patch, &failed) == FRAZIL_OK);
    CHECK(frazil_patch_writer_feed(patch, level.data, level.len, &failed) == FRAZIL_OK);
    CHECK(frazil_patch_writer_finish(patch, NULL, &failed) == FRAZIL_OK);
    frazil_patch_writer_free(patch);
    CHECK(same(&restored, &mine));
    CHECK(frazil_level_open("missing", shared, NULL, &missing, &failed) == FRAZIL_ERR_IO);
    CHECK(frazil_error_os_code(failed) == 2);
    frazil_error_free(failed);
    drop(&mine);
    drop(&level);
    drop(&restored);
    return NULL;
}

int main(void) {
    pthread_t threads[THREADS];
    unsigned numbers[THREADS], i;

    content = noise(200000, 1);
    save("content", &content);
    EXPECT(FRAZIL_OK, frazil_signature_of_file("content", NULL, &shared, &error));
    for (i = 0; i < THREADS; i++) {
        numbers[i] = i;
        CHECK(pthread_create(&threads[i], NULL, run, &numbers[i]) == 0);
    }
    for (i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    frazil_signature_free(shared);
    drop(&content);
    return 0;
}
