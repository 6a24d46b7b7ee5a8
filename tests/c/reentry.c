/* Callbacks that use the handle that calls them: a call refuses, freeing does nothing, the work goes on. */
#include "contents.h"

#include <pthread.h>

/* The handle whose callbacks are called, and how often they were; NULL while there is none. */
static void *reentered;
static int refusals;

/* An attempt that has to be refused. */
static void refused(int status, frazil_error *said) {
    CHECK(status == FRAZIL_ERR_STATE && frazil_error_status(said) == FRAZIL_ERR_STATE);
    CHECK(strstr(frazil_error_message(said), "in use") || strstr(frazil_error_message(said), "callback"));
    frazil_error_free(said);
    refusals++;
}
#define REFUSED(call)                                                                              \
    do {                                                                                           \
        frazil_error *said = NULL;                                                                 \
        int status = call;                                                                         \
        refused(status, said);                                                                     \
    } while (0)

static void use_level(void) {
    frazil_level *level = (frazil_level *)reentered;
    frazil_signature *signature;
    char buffer[64];
    size_t read;
    REFUSED(frazil_level_read(level, buffer, sizeof buffer, &read, &said));
    CHECK(read == 0);
    REFUSED(frazil_level_finish(level, &signature, NULL, &said));
    CHECK(signature == NULL);
    frazil_level_free(level);
}

static void use_level_writer(void) {
    frazil_level_writer *level = (frazil_level_writer *)reentered;
    REFUSED(frazil_level_writer_feed(level, "x", 1, &said));
    REFUSED(frazil_level_writer_finish(level, NULL, NULL, &said));
    frazil_level_writer_free(level);
}

static void use_patch(void) {
    frazil_patch *patch = (frazil_patch *)reentered;
    char buffer[64];
    size_t read;
    REFUSED(frazil_patch_read(patch, buffer, sizeof buffer, &read, &said));
    REFUSED(frazil_patch_finish(patch, NULL, &said));
    frazil_patch_free(patch);
}

static void use_patch_writer(void) {
    frazil_patch_writer *patch = (frazil_patch_writer *)reentered;
    REFUSED(frazil_patch_writer_feed(patch, "x", 1, &said));
    REFUSED(frazil_patch_writer_finish(patch, NULL, &said));
    frazil_patch_writer_free(patch);
}

static void use_backup(void) {
    frazil_backup *backup = (frazil_backup *)reentered;
    char buffer[64];
    size_t read;
    REFUSED(frazil_backup_read(backup, buffer, sizeof buffer, &read, &said));
    REFUSED(frazil_backup_finish(backup, NULL, &said));
    frazil_backup_free(backup);
}

static void use_restore(void) {
    /* More than waits for a restore at a time. */
    static const char archive[4 << 20] = {0};
    frazil_restore *restore = (frazil_restore *)reentered;
    REFUSED(frazil_restore_feed(restore, "x", 1, &said));
    REFUSED(frazil_restore_feed(restore, archive, sizeof archive, &said));
    REFUSED(frazil_restore_finish(restore, NULL, &said));
    frazil_restore_free(restore);
}

typedef struct stream {
    bytes held;
    void (*use)(void);
} stream;

/* Reads, or appends; before, uses the handle as its owner does. */
static int reentering_take(void *user_data, void *buffer, size_t len, size_t *read) {
    stream *from = (stream *)user_data;
    if (reentered != NULL) from->use();
    return take(&from->held, buffer, len, read);
}

static int reentering_append(void *user_data, const void *data, size_t len) {
    stream *to = (stream *)user_data;
    if (reentered != NULL) to->use();
    return append(&to->held, data, len);
}

static void levels_and_patches_go_on(void) {
    stream source = {{NULL, 0, 0, 0}, use_level}, delta = {{NULL, 0, 0, 0}, use_patch};
    stream level_sink = {{NULL, 0, 0, 0}, use_level_writer}, sink = {{NULL, 0, 0, 0}, use_patch_writer};
    bytes read;
    frazil_level *level;
    frazil_level_writer *level_writer;
    frazil_patch *patch;
    frazil_patch_writer *patch_writer;

    source.held = noise(300000, 1);
    EXPECT(FRAZIL_OK, frazil_level_open_stream(reentering_take, &source, NULL, NULL, &level, &error));
    reentered = level;
    read = read_level(level);
    EXPECT(FRAZIL_OK, frazil_level_finish(level, NULL, NULL, &error));
    frazil_level_free(level);
    save("level", &read);
    EXPECT(FRAZIL_OK, frazil_patch_file(NULL, "level", "again", NULL, NULL, &error));
    CHECK(refusals > 0 && holds("again", &old_content));
    drop(&read);
    drop(&source.held);

    /* Nor from its finish. */
    refusals = 0;
    EXPECT(FRAZIL_OK, frazil_level_open_stream(reentering_take, &source, NULL, NULL, &level, &error));
    reentered = level;
    EXPECT(FRAZIL_OK, frazil_level_finish(level, NULL, NULL, &error));
    frazil_level_free(level);
    CHECK(refusals > 0);

    refusals = 0;
    reentered = NULL;
    EXPECT(FRAZIL_OK, frazil_level_writer_new(NULL, NULL, reentering_append, &level_sink, &level_writer, &error));
    reentered = level_writer;
    EXPECT(FRAZIL_OK, frazil_level_writer_feed(level_writer, old_content.data, old_content.len, &error));
    EXPECT(FRAZIL_OK, frazil_level_writer_finish(level_writer, NULL, NULL, &error));
    frazil_level_writer_free(level_writer);
    CHECK(refusals > 0);

    refusals = 0;
    reentered = NULL;
    append(&delta.held, level_sink.held.data, level_sink.held.len);
    EXPECT(FRAZIL_OK, frazil_patch_open_stream(NULL, reentering_take, &delta, NULL, &patch, &error));
    reentered = patch;
    read = read_patch(patch);
    EXPECT(FRAZIL_OK, frazil_patch_finish(patch, NULL, &error));
    frazil_patch_free(patch);
    CHECK(refusals > 0 && same(&read, &old_content));
    drop(&read);

    refusals = 0;
    reentered = NULL;
    EXPECT(FRAZIL_OK, frazil_patch_writer_new(NULL, NULL, reentering_append, &sink, &patch_writer, &error));
    reentered = patch_writer;
    EXPECT(FRAZIL_OK, frazil_patch_writer_feed(patch_writer, delta.held.data, delta.held.len, &error));
    EXPECT(FRAZIL_OK, frazil_patch_writer_finish(patch_writer, NULL, &error));
    frazil_patch_writer_free(patch_writer);
    CHECK(refusals > 0 && same(&sink.held, &old_content));
    drop(&delta.held);
    drop(&level_sink.held);
    drop(&sink.held);
}

static int report(void *user_data, const frazil_entry_report *entry) {
    (void)user_data;
    (void)entry;
    use_backup();
    return 0;
}

static bytes a_backup_goes_on(void) {
    frazil_observer observer;
    frazil_backup_options options;
    frazil_backup *backup;
    bytes archive = {NULL, 0, 0, 0};
    char buffer[5000];
    size_t read;

    frazil_observer_init(&observer, sizeof observer);
    observer.entry = report;
    frazil_backup_options_init(&options, sizeof options);
    options.observer = &observer;
    refusals = 0;
    EXPECT(FRAZIL_OK, frazil_backup_open("tree", NULL, "snapshot", &options, &backup, &error));
    reentered = backup;
    do {
        EXPECT(FRAZIL_OK, frazil_backup_read(backup, buffer, sizeof buffer, &read, &error));
        append(&archive, buffer, read);
    } while (read > 0);
    EXPECT(FRAZIL_OK, frazil_backup_finish(backup, NULL, &error));
    frazil_backup_free(backup);
    CHECK(refusals > 0);
    return archive;
}

/* Whether the program is outside all calls, and how often the restore's thread has called back there. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn = PTHREAD_COND_INITIALIZER;
static int is_outside, calls;

static int progress(void *user_data, const frazil_progress *made) {
    (void)user_data;
    (void)made;
    CHECK(pthread_mutex_lock(&mutex) == 0);
    while (!is_outside) CHECK(pthread_cond_wait(&turn, &mutex) == 0);
    use_restore();
    calls++;
    CHECK(pthread_cond_signal(&turn) == 0 && pthread_mutex_unlock(&mutex) == 0);
    return 0;
}

/* The first callback comes between two calls, the last ones during that which finishes. */
static void a_restore_goes_on(const bytes *archive, const bytes *content) {
    frazil_observer observer;
    frazil_restore_options options;
    frazil_restore *restore;
    int calls_outside;

    frazil_observer_init(&observer, sizeof observer);
    observer.progress = progress;
    frazil_restore_options_init(&options, sizeof options);
    options.observer = &observer;
    refusals = 0;
    EXPECT(FRAZIL_OK, frazil_restore_open("restored", &options, &restore, &error));
    reentered = restore;
    EXPECT(FRAZIL_OK, frazil_restore_feed(restore, archive->data, archive->len, &error));
    CHECK(pthread_mutex_lock(&mutex) == 0);
    is_outside = 1;
    CHECK(pthread_cond_signal(&turn) == 0);
    while (calls == 0) CHECK(pthread_cond_wait(&turn, &mutex) == 0);
    calls_outside = calls;
    CHECK(pthread_mutex_unlock(&mutex) == 0);
    EXPECT(FRAZIL_OK, frazil_restore_finish(restore, NULL, &error));
    frazil_restore_free(restore);
    CHECK(calls > calls_outside && refusals == 3 * calls);
    CHECK(holds("restored/content", content));
}

int main(void) {
    /* More than is restored before the observer is told, and no more than can wait for the restore. */
    bytes archive, large = noise(3 << 18, 2);
    make_contents();
    levels_and_patches_go_on();
    CHECK(mkdir("tree", 0755) == 0);
    save("tree/content", &large);
    archive = a_backup_goes_on();
    a_restore_goes_on(&archive, &large);
    drop(&large);
    drop(&archive);
    drop_contents();
    return 0;
}
