/* A backup agent of version 0.1: files and trees, at levels 0 and 1, in every form, followed by an observer. */
#define _POSIX_C_SOURCE 200809L
#include <frazil.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "line %d: not so: %s: %s\n", __LINE__, #condition,                     \
                    frazil_error_message(error));                                                  \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)
#define DONE(call) CHECK((call) == FRAZIL_OK)

enum { LEN = 3 << 20, BLOCK_LEN = 65536 };

static frazil_error *error;

/* What the observer was told. */
static struct {
    uint64_t done_bytes;
    int problems, entries, questions;
} told;

static int progress(void *user_data, const frazil_progress *made) {
    (void)user_data;
    told.done_bytes = made->done_bytes;
    return 0;
}

static int problem(void *user_data, const frazil_error *survived) {
    (void)user_data;
    told.problems += frazil_error_status(survived) < 0;
    return 0;
}

static int cancelled(void *user_data) {
    (void)user_data;
    told.questions++;
    return 0;
}

static int entry_report(void *user_data, const frazil_entry_report *report) {
    (void)user_data;
    told.entries += report->path != NULL && report->reason == FRAZIL_REASON_NEW;
    return 0;
}

static frazil_observer observer(void) {
    frazil_observer made;
    memset(&told, 0, sizeof told);
    frazil_observer_init(&made, sizeof made);
    made.progress = progress;
    made.problem = problem;
    made.cancelled = cancelled;
    made.entry = entry_report;
    return made;
}

/* Memory that callbacks write to and read from. */
typedef struct store {
    unsigned char *data;
    size_t len, taken;
} store;

static int append(void *user_data, const void *data, size_t len) {
    store *to = (store *)user_data;
    to->data = (unsigned char *)realloc(to->data, to->len + len);
    CHECK(to->data != NULL);
    memcpy(to->data + to->len, data, len);
    to->len += len;
    return 0;
}

static int take(void *user_data, void *buffer, size_t len, size_t *read) {
    store *from = (store *)user_data;
    if (len > from->len - from->taken) len = from->len - from->taken;
    memcpy(buffer, from->data + from->taken, len);
    from->taken += len;
    *read = len;
    return 0;
}

static int read_at(void *user_data, uint64_t offset, void *buffer, size_t len, size_t *read) {
    memcpy(buffer, ((store *)user_data)->data + offset, len);
    *read = len;
    return 0;
}

static void save(const char *path, const void *data, size_t len) {
    FILE *file = fopen(path, "wb");
    CHECK(file != NULL && fwrite(data, 1, len, file) == len && fclose(file) == 0);
}

static int holds(const char *path, const void *data, size_t len) {
    unsigned char *found = (unsigned char *)malloc(len + 1);
    FILE *file = fopen(path, "rb");
    int equal;
    CHECK(file != NULL && found != NULL);
    equal = fread(found, 1, len + 1, file) == len && memcmp(found, data, len) == 0;
    CHECK(fclose(file) == 0);
    free(found);
    return equal;
}

/* Level 0 by pull out of the file "disk", and its signature. */
static frazil_signature *pull_level_0(store *level0) {
    static char buffer[BLOCK_LEN];
    frazil_observer following = observer();
    frazil_level_options options;
    frazil_level_summary summary;
    frazil_level *level;
    frazil_signature *signature;
    size_t read;

    frazil_level_options_init(&options, sizeof options);
    options.block_len = BLOCK_LEN;
    options.observer = &following;
    DONE(frazil_level_open("disk", NULL, &options, &level, &error));
    do {
        DONE(frazil_level_read(level, buffer, sizeof buffer, &read, &error));
        append(level0, buffer, read);
    } while (read > 0);
    frazil_level_summary_init(&summary, sizeof summary);
    DONE(frazil_level_finish(level, &signature, &summary, &error));
    frazil_level_free(level);
    CHECK(summary.source_bytes == LEN && summary.stream_bytes == level0->len && !summary.dirty);
    CHECK(summary.identity.length == LEN && summary.matching == FRAZIL_MATCHING_AUTO);
    CHECK(told.done_bytes == LEN && told.questions > 0 && told.problems == 0);
    CHECK(frazil_signature_block_count(signature) == LEN / BLOCK_LEN);
    return signature;
}

static void files(void) {
    unsigned char *content = (unsigned char *)malloc(LEN);
    store level0 = {NULL, 0, 0}, level1 = {NULL, 0, 0}, target = {NULL, 0, 0};
    unsigned state = 1;
    frazil_signature *first, *second;
    frazil_level_writer *level;
    frazil_comparison *comparison;
    frazil_range range;
    frazil_patch_options options;
    frazil_patch_summary summary;
    frazil_patch_writer *patch;
    frazil_inspection inspection;
    frazil_input deltas[2];
    size_t i;

    CHECK(content != NULL);
    for (i = 0; i < LEN; i++) content[i] = (unsigned char)((state = state * 1664525u + 1013904223u) >> 24);
    save("disk", content, LEN);
    first = pull_level_0(&level0);
    DONE(frazil_signature_save(first, "signature", FRAZIL_FORMAT_SEALED, &error));
    frazil_signature_free(first);
    DONE(frazil_signature_load("signature", 0, &first, &error));

    /* Level 1 by push. */
    content[LEN / 2] ^= 0xff;
    DONE(frazil_level_writer_new(first, NULL, append, &level1, &level, &error));
    DONE(frazil_level_writer_feed(level, content, LEN, &error));
    DONE(frazil_level_writer_finish(level, &second, NULL, &error));
    frazil_level_writer_free(level);
    DONE(frazil_comparison_open(first, second, &comparison, &error));
    DONE(frazil_comparison_next(comparison, &range, &error));
    CHECK(range.kind == FRAZIL_RANGE_SAME && range.len == LEN / 2);
    DONE(frazil_comparison_next(comparison, &range, &error));
    CHECK(range.kind == FRAZIL_RANGE_CHANGED && range.offset == LEN / 2 && range.len == BLOCK_LEN);
    frazil_comparison_free(comparison);
    frazil_signature_free(first);
    frazil_signature_free(second);
    frazil_inspection_init(&inspection, sizeof inspection);
    DONE(frazil_inspection_of_stream(take, &level1, &inspection, &error));
    CHECK(inspection.kind == FRAZIL_STREAM_DELTA && inspection.literal_bytes == BLOCK_LEN);

    /* Both in one pass, from a descriptor and out of memory; then one by push. */
    save("level.0", level0.data, level0.len);
    memset(deltas, 0, sizeof deltas);
    deltas[0].kind = FRAZIL_INPUT_FD;
    deltas[0].fd = open("level.0", O_RDONLY);
    deltas[1].kind = FRAZIL_INPUT_CALLBACK;
    deltas[1].read_at = read_at;
    deltas[1].user_data = &level1;
    deltas[1].length = level1.len;
    frazil_patch_summary_init(&summary, sizeof summary);
    DONE(frazil_patch_file_chain_inputs(NULL, deltas, 2, "chained", NULL, &summary, &error));
    CHECK(close(deltas[0].fd) == 0);
    CHECK(summary.output_bytes == LEN && summary.verified && holds("chained", content, LEN));
    frazil_patch_options_init(&options, sizeof options);
    options.verify_basis = FRAZIL_VERIFY_BASIS_BEFORE;
    DONE(frazil_patch_writer_new("disk", &options, append, &target, &patch, &error));
    DONE(frazil_patch_writer_feed(patch, level1.data, level1.len, &error));
    DONE(frazil_patch_writer_finish(patch, &summary, &error));
    frazil_patch_writer_free(patch);
    CHECK(target.len == LEN && memcmp(target.data, content, LEN) == 0);

    /* The wrong basis. */
    CHECK(frazil_patch_file("chained", "level.0", "never", NULL, NULL, &error) == FRAZIL_ERR_WRONG_BASIS);
    CHECK(frazil_error_status(error) == FRAZIL_ERR_WRONG_BASIS && strlen(frazil_error_message(error)) > 0);
    frazil_error_free(error);
    error = NULL;
    CHECK(access("never", F_OK) != 0);
    free(content);
    free(level0.data);
    free(level1.data);
    free(target.data);
}

static int count_entry(void *user_data, const frazil_entry *entry) {
    if (strcmp(entry->path, "letter") == 0) {
        CHECK(entry->metadata->kind == FRAZIL_ENTRY_FILE && entry->metadata->size == 11);
        CHECK(entry->metadata->mode == 0640);
        CHECK(entry->action == FRAZIL_ACTION_FULL && entry->fingerprint != NULL);
    }
    ++*(uint64_t *)user_data;
    return 0;
}

static int count_snapshot_entry(void *user_data, const frazil_snapshot_entry *entry) {
    if (strcmp(entry->path, "letter") == 0) CHECK(entry->metadata->size == 11 && entry->link == NULL);
    ++*(uint64_t *)user_data;
    return 0;
}

static int tell_difference(void *user_data, const frazil_difference *difference) {
    *(int *)user_data |= strcmp(difference->path, "more") == 0 && difference->kind == FRAZIL_DIFFERENCE_EXTRA;
    return 0;
}

static void trees(void) {
    const char *excludes[] = {"*.tmp"}, *archives[] = {"archive"};
    store archive = {NULL, 0, 0};
    uint64_t entries = 0;
    int extra = 0;
    frazil_observer following = observer();
    frazil_selection left_out;
    frazil_backup_options how;
    frazil_backup_summary made;
    frazil_archive_summary listed;
    frazil_snapshot_summary snapshot;
    frazil_restore *restore;
    frazil_restore_options where;
    frazil_restore_summary restored;
    frazil_verify_options what;
    frazil_verify_summary verified;

    CHECK(mkdir("tree", 0755) == 0);
    save("tree/letter", "Dear reader", 11);
    CHECK(chmod("tree/letter", 0640) == 0);
    save("tree/scratch.tmp", "", 0);
    frazil_backup_options_init(&how, sizeof how);
    how.filter = FRAZIL_FILTER_ZSTD;
    frazil_selection_init(&left_out, sizeof left_out);
    left_out.excludes = excludes;
    left_out.exclude_count = 1;
    how.selection = &left_out;
    how.observer = &following;
    frazil_backup_summary_init(&made, sizeof made);
    DONE(frazil_backup_tree("tree", NULL, "snapshot", &how, append, &archive, &made, &error));
    CHECK(made.header.number == 0 && made.stream_bytes == archive.len && made.problems == 0);
    CHECK(told.entries > 0);
    save("archive", archive.data, archive.len);

    frazil_archive_summary_init(&listed, sizeof listed);
    DONE(frazil_archive_list_stream(take, &archive, count_entry, &entries, &listed, &error));
    CHECK(entries > 1 && listed.records == entries);
    entries = 0;
    frazil_snapshot_summary_init(&snapshot, sizeof snapshot);
    DONE(frazil_snapshot_list("snapshot", count_snapshot_entry, &entries, &snapshot, &error));
    CHECK(entries == 2 && snapshot.entries == entries);
    CHECK(memcmp(&snapshot.header.id, &made.header.id, sizeof made.header.id) == 0);

    frazil_restore_options_init(&where, sizeof where);
    where.numeric_owner = 1;
    DONE(frazil_restore_open("restored", &where, &restore, &error));
    DONE(frazil_restore_feed(restore, archive.data, archive.len, &error));
    frazil_restore_summary_init(&restored, sizeof restored);
    DONE(frazil_restore_finish(restore, &restored, &error));
    frazil_restore_free(restore);
    CHECK(restored.whole && restored.files == 1 && holds("restored/letter", "Dear reader", 11));
    DONE(frazil_restore_conclude("restored", &error));

    save("restored/more", "", 0);
    frazil_verify_options_init(&what, sizeof what);
    frazil_verify_summary_init(&verified, sizeof verified);
    CHECK(frazil_tree_verify(archives, 1, "restored", &what, tell_difference, &extra, &verified, &error) ==
          FRAZIL_PARTIAL);
    CHECK(extra && verified.differences > 0);
    free(archive.data);
}

int main(void) {
    CHECK(strlen(frazil_version()) > 0);
    CHECK(strcmp(frazil_status_name(FRAZIL_PARTIAL), "done in part") == 0);
    files();
    trees();
    return 0;
}
