/* Two threads with one handle: what the second calls is refused while the first is at work, which goes on. */
#include "check.h"

#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn = PTHREAD_COND_INITIALIZER;
/* Whether a callback of the first thread waits, and whether the second is done. */
static int is_within, may_go_on;

static bytes source, level, restored;
static frazil_level *reader;
static frazil_patch_writer *writer;

/* Waits, the first time, until the other thread has tried. */
static void wait_for_the_other(void) {
    CHECK(pthread_mutex_lock(&mutex) == 0);
    is_within = 1;
    CHECK(pthread_cond_signal(&turn) == 0);
    while (!may_go_on) CHECK(pthread_cond_wait(&turn, &mutex) == 0);
    CHECK(pthread_mutex_unlock(&mutex) == 0);
}

static int take_slowly(void *user_data, void *buffer, size_t len, size_t *read) {
    wait_for_the_other();
    return take(user_data, buffer, len, read);
}

static int append_slowly(void *user_data, const void *data, size_t len) {
    wait_for_the_other();
    return append(user_data, data, len);
}

static void *read_all(void *unused) {
    char buffer[4096];
    size_t read;
    do {
        CHECK(frazil_level_read(reader, buffer, sizeof buffer, &read, NULL) == FRAZIL_OK);
        append(&level, buffer, read);
    } while (read > 0);
    CHECK(frazil_level_finish(reader, NULL, NULL, NULL) == FRAZIL_OK);
    return unused;
}

static void *feed_all(void *unused) {
    CHECK(frazil_patch_writer_feed(writer, level.data, level.len, NULL) == FRAZIL_OK);
    CHECK(frazil_patch_writer_finish(writer, NULL, NULL) == FRAZIL_OK);
    return unused;
}

static void read_beside(void) {
    char buffer[64];
    size_t read = 7;
    EXPECT(FRAZIL_ERR_STATE, frazil_level_read(reader, buffer, sizeof buffer, &read, &error));
    CHECK(read == 0);
    EXPECT(FRAZIL_ERR_STATE, frazil_level_finish(reader, NULL, NULL, &error));
}

static void feed_beside(void) {
    EXPECT(FRAZIL_ERR_STATE, frazil_patch_writer_feed(writer, "x", 1, &error));
    EXPECT(FRAZIL_ERR_STATE, frazil_patch_writer_finish(writer, NULL, &error));
}

/* Runs the one on a thread, and the other while that waits in a callback. */
static void meet(void *(*work)(void *), void (*beside)(void)) {
    pthread_t first;
    is_within = may_go_on = 0;
    CHECK(pthread_create(&first, NULL, work, NULL) == 0);
    CHECK(pthread_mutex_lock(&mutex) == 0);
    while (!is_within) CHECK(pthread_cond_wait(&turn, &mutex) == 0);
    CHECK(pthread_mutex_unlock(&mutex) == 0);
    beside();
    CHECK(pthread_mutex_lock(&mutex) == 0);
    may_go_on = 1;
    CHECK(pthread_cond_signal(&turn) == 0 && pthread_mutex_unlock(&mutex) == 0);
    CHECK(pthread_join(first, NULL) == 0);
}

int main(void) {
    bytes content = noise(300000, 1);

    source = noise(300000, 1);
    EXPECT(FRAZIL_OK, frazil_level_open_stream(take_slowly, &source, NULL, NULL, &reader, &error));
    meet(read_all, read_beside);
    frazil_level_free(reader);

    EXPECT(FRAZIL_OK, frazil_patch_writer_new(NULL, NULL, append_slowly, &restored, &writer, &error));
    meet(feed_all, feed_beside);
    frazil_patch_writer_free(writer);
    CHECK(same(&restored, &content));

    drop(&content);
    drop(&source);
    drop(&level);
    drop(&restored);
    return 0;
}
