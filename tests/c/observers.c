/* Observers: what they are told, and how they stop the work. */
#include "check.h"

#include <sys/socket.h>
#include <sys/un.h>

static bytes content;

typedef struct watcher {
    int calls, progress_code, cancel;
    uint64_t done;
} watcher;

static int progress(void *user_data, const frazil_progress *made) {
    watcher *seen = (watcher *)user_data;
    CHECK(made->done_bytes >= seen->done);
    seen->done = made->done_bytes;
    seen->calls++;
    return seen->progress_code;
}

static int cancelled(void *user_data) {
    return ((watcher *)user_data)->cancel;
}

static void an_observer_follows_and_stops(void) {
    watcher seen = {0, 0, 0, 0};
    frazil_observer observer;
    frazil_level_options level;
    frazil_patch_options patch;
    frazil_level_summary summary;
    frazil_signature *signature;

    frazil_observer_init(&observer, sizeof observer);
    observer.user_data = &seen;
    observer.progress = progress;
    observer.cancelled = cancelled;
    frazil_level_options_init(&level, sizeof level);
    level.observer = &observer;
    frazil_patch_options_init(&patch, sizeof patch);
    patch.observer = &observer;

    frazil_level_summary_init(&summary, sizeof summary);
    EXPECT(FRAZIL_OK, frazil_level_file("content", NULL, "followed", &level, NULL, &summary, &error));
    CHECK(seen.calls > 0 && seen.done > 0 && summary.source_bytes == content.len);

    seen.done = 0;
    seen.progress_code = 9;
    STOPPED(9, frazil_level_file("content", NULL, "never", &level, &signature, NULL, &error));
    CHECK(signature == NULL);
    seen.done = 0;
    STOPPED(9, frazil_patch_file(NULL, "followed", "never", &patch, NULL, &error));
    seen.done = 0;
    seen.progress_code = 0;
    seen.cancel = 1;
    EXPECT(FRAZIL_ERR_CANCELLED,
           frazil_level_file("content", NULL, "never", &level, NULL, NULL, &error));
    seen.done = 0;
    EXPECT(FRAZIL_ERR_CANCELLED, frazil_patch_file(NULL, "followed", "never", &patch, NULL, &error));
    CHECK(access("never", F_OK) != 0);
}

/* Lets the file that is read grow. */
static int grow(void *user_data, const frazil_progress *made) {
    FILE *file = fopen((const char *)user_data, "ab");
    (void)made;
    CHECK(file != NULL && fputc('x', file) == 'x' && fclose(file) == 0);
    return 0;
}

static void a_file_that_changes_is_dirty_in_every_form(void) {
    char path[] = "changing";
    frazil_observer observer;
    frazil_level_options options;
    frazil_signature *signature;

    save(path, &content);
    frazil_observer_init(&observer, sizeof observer);
    observer.user_data = path;
    observer.progress = grow;
    frazil_level_options_init(&options, sizeof options);
    options.observer = &observer;
    EXPECT(FRAZIL_DIRTY, frazil_signature_of_path(path, &options, &signature, &error));
    CHECK(frazil_signature_is_dirty(signature));
    frazil_signature_free(signature);
    EXPECT(FRAZIL_DIRTY, frazil_level_file(path, NULL, "dirty", &options, NULL, NULL, &error));
}

/* What was reported of a letter that changed and of a note that is gone, and when to stop. */
typedef struct reports {
    int letter, gone, others, code;
} reports;

static int report(void *user_data, const frazil_entry_report *entry) {
    reports *told = (reports *)user_data;
    if (strcmp(entry->path, "letter") == 0) {
        CHECK(entry->action == FRAZIL_ACTION_FULL && entry->reason == FRAZIL_REASON_SIZE);
        CHECK(entry->bytes == 12);
        told->letter++;
    } else if (strcmp(entry->path, "gone") == 0) {
        CHECK(entry->action == FRAZIL_ACTION_DELETE && entry->reason == FRAZIL_REASON_GONE);
        CHECK(entry->bytes == 0);
        told->gone++;
    } else {
        told->others++;
    }
    return told->code;
}

static void every_entry_that_was_looked_at_is_reported(void) {
    frazil_observer observer;
    frazil_backup_options options;
    reports told = {0, 0, 0, 0};
    bytes archive = {NULL, 0, 0, 0};

    EXPECT(FRAZIL_OK, frazil_backup_tree("tree", NULL, "snapshot", NULL, append, &archive, NULL, &error));
    save_text("tree/letter", "Dear readers");
    CHECK(unlink("tree/gone") == 0);
    frazil_observer_init(&observer, sizeof observer);
    observer.user_data = &told;
    observer.entry = report;
    frazil_backup_options_init(&options, sizeof options);
    options.observer = &observer;
    EXPECT(FRAZIL_OK, frazil_backup_tree("tree", "snapshot", "snapshot.1", &options, append, &archive, NULL,
                                         &error));
    CHECK(told.letter == 1 && told.gone == 1 && told.others > 0);
    told.code = -6;
    STOPPED(-6, frazil_backup_tree("tree", "snapshot", "never", &options, append, &archive, NULL, &error));
    CHECK(access("never", F_OK) != 0);
    drop(&archive);
}

static int stop_at_problem(void *user_data, const frazil_error *problem) {
    CHECK(frazil_error_status(problem) == FRAZIL_ERR_UNSUPPORTED);
    return *(int *)user_data;
}

/* Of a tree so small that it is told of only once. */
static void an_observer_stops_at_a_problem(void) {
    frazil_observer observer;
    frazil_backup_options options;
    struct sockaddr_un address;
    bytes archive = {NULL, 0, 0, 0};
    int code = -2, listener = socket(AF_UNIX, SOCK_STREAM, 0);

    memset(&address, 0, sizeof address);
    address.sun_family = AF_UNIX;
    strcpy(address.sun_path, "tree/socket");
    CHECK(bind(listener, (struct sockaddr *)&address, sizeof address) == 0);
    frazil_observer_init(&observer, sizeof observer);
    observer.user_data = &code;
    observer.note = stop_at_problem;
    frazil_backup_options_init(&options, sizeof options);
    options.observer = &observer;
    STOPPED(-2, frazil_backup_tree("tree", NULL, "never", &options, append, &archive, NULL, &error));
    CHECK(access("never", F_OK) != 0);
    CHECK(close(listener) == 0 && unlink("tree/socket") == 0);
    drop(&archive);
}

static int note(void *user_data, const frazil_error *problem) {
    CHECK(frazil_error_status(problem) < 0 && strlen(frazil_error_message(problem)) > 0);
    ++*(int *)user_data;
    return 0;
}

static void problems_are_told_and_make_it_partial(void) {
    frazil_observer observer;
    frazil_backup_options options;
    frazil_backup_summary summary;
    bytes archive = {NULL, 0, 0, 0};
    int problems = 0;

    /* The name is that of a restore's own directory; what cannot be read would be read by root. */
    save_text("tree/.frazil-restore", "in the way");
    frazil_observer_init(&observer, sizeof observer);
    observer.user_data = &problems;
    observer.problem = note;
    frazil_backup_options_init(&options, sizeof options);
    options.observer = &observer;
    frazil_backup_summary_init(&summary, sizeof summary);
    EXPECT(FRAZIL_PARTIAL, frazil_backup_tree("tree", NULL, "partial", &options, append, &archive, &summary,
                                              &error));
    CHECK(problems == 1 && summary.problems == 1);

    /* There is nothing to recover, so nothing to tell. */
    EXPECT(FRAZIL_OK, frazil_restore_recover(".", &observer, NULL, &error));
    CHECK(problems == 1);
    observer.size = 0;
    EXPECT(FRAZIL_ERR_INVALID_INPUT, frazil_restore_recover(".", &observer, NULL, &error));
    drop(&archive);
}

int main(void) {
    content = noise(2500000, 3);
    save("content", &content);
    an_observer_follows_and_stops();
    a_file_that_changes_is_dirty_in_every_form();
    drop(&content);

    CHECK(mkdir("tree", 0755) == 0);
    save_text("tree/letter", "Dear reader");
    save_text("tree/gone", "soon");
    every_entry_that_was_looked_at_is_reported();
    an_observer_stops_at_a_problem();
    problems_are_told_and_make_it_partial();
    return 0;
}
