/* Trees: backed up, listed, verified and restored, level by level, and what their states refuse. */
#include "check.h"

static bytes read_backup(frazil_backup *backup) {
    bytes all = {NULL, 0, 0, 0};
    char buffer[5000];
    size_t read;
    do {
        EXPECT(FRAZIL_OK, frazil_backup_read(backup, buffer, sizeof buffer, &read, &error));
        append(&all, buffer, read);
    } while (read > 0);
    return all;
}

static int count(void *user_data, const frazil_entry *entry) {
    const frazil_metadata *metadata = entry->metadata;
    size_t *entries = (size_t *)user_data;
    CHECK(entry->path != NULL && metadata != NULL);
    if (metadata->kind == FRAZIL_ENTRY_UNKNOWN) CHECK(metadata->user == NULL && metadata->size == 0);
    if (strcmp(entry->path, "letter") == 0) {
        CHECK(metadata->kind == FRAZIL_ENTRY_FILE && metadata->size == 11 && metadata->mode == 0640);
        CHECK(entry->action == FRAZIL_ACTION_FULL && entry->fingerprint != NULL);
        CHECK(entry->from == NULL && metadata->target == NULL);
    }
    if (strcmp(entry->path, "link") == 0) CHECK(strcmp(metadata->target, "letter") == 0);
    CHECK(strstr(entry->path, "left-out") == NULL);
    ++*entries;
    return 0;
}

static int stop(void *user_data, const frazil_entry *entry) {
    (void)entry;
    return *(int *)user_data;
}

static int differ(void *user_data, const frazil_difference *difference) {
    CHECK(strcmp(difference->path, "directory/extra") == 0 || strcmp(difference->path, "directory") == 0);
    *(int *)user_data += difference->kind == FRAZIL_DIFFERENCE_EXTRA;
    return 0;
}

static int refuse_difference(void *user_data, const frazil_difference *difference) {
    (void)user_data;
    (void)difference;
    return -8;
}

/* What a snapshot says of the letter and of the link. */
static int count_snapshot(void *user_data, const frazil_snapshot_entry *entry) {
    const frazil_metadata *metadata = entry->metadata;
    size_t *entries = (size_t *)user_data;
    CHECK(entry->path != NULL && entry->link == NULL && !entry->stale && !entry->dirty);
    if (strcmp(entry->path, "letter") == 0) {
        CHECK(metadata->kind == FRAZIL_ENTRY_FILE && metadata->size == 11 && metadata->mode == 0640);
        CHECK(entry->fingerprint != NULL && metadata->target == NULL && entry->block_count == 0);
        CHECK(metadata->uid == geteuid() && metadata->user != NULL && metadata->modified_seconds > 0);
    }
    if (strcmp(entry->path, "link") == 0) {
        CHECK(metadata->kind == FRAZIL_ENTRY_SYMLINK && strcmp(metadata->target, "letter") == 0);
        CHECK(entry->fingerprint == NULL);
    }
    ++*entries;
    return 0;
}

static int stop_snapshot(void *user_data, const frazil_snapshot_entry *entry) {
    (void)entry;
    return *(int *)user_data;
}

static frazil_level_id back_up_levels(void) {
    const char *excludes[2] = {"*.tmp", "/left-out"};
    frazil_selection selection;
    frazil_backup_options options;
    frazil_backup_summary summary;
    frazil_backup *backup;
    frazil_level_id id;
    bytes archive = {NULL, 0, 0, 0};
    size_t read;
    char sink;

    frazil_backup_options_init(&options, sizeof options);
    options.filter = FRAZIL_FILTER_GZIP;
    frazil_selection_init(&selection, sizeof selection);
    selection.excludes = excludes;
    selection.exclude_count = 2;
    options.selection = &selection;
    EXPECT(FRAZIL_OK, frazil_backup_open("tree", NULL, "snapshot.0", &options, &backup, &error));
    archive = read_backup(backup);
    CHECK(access("snapshot.0", F_OK) != 0);
    frazil_backup_summary_init(&summary, sizeof summary);
    EXPECT(FRAZIL_OK, frazil_backup_finish(backup, &summary, &error));
    EXPECT(FRAZIL_ERR_STATE, frazil_backup_finish(backup, NULL, &error));
    EXPECT(FRAZIL_ERR_STATE, frazil_backup_read(backup, &sink, 1, &read, &error));
    frazil_backup_free(backup);
    CHECK(summary.header.number == 0 && !summary.header.has_parent && summary.problems == 0);
    CHECK(summary.stream_bytes == archive.len && summary.full > 0);
    CHECK(access("snapshot.0", F_OK) == 0);
    id = summary.header.id;
    save("archive.0", &archive);
    drop(&archive);

    save_text("tree/letter", "Dear readers");
    EXPECT(FRAZIL_OK, frazil_backup_tree("tree", "snapshot.0", "snapshot.1", &options, append, &archive,
                                         &summary, &error));
    CHECK(summary.header.number == 1 && summary.header.has_parent);
    CHECK(memcmp(&summary.header.parent, &id, sizeof id) == 0);
    save("archive.1", &archive);
    drop(&archive);
    return id;
}

static void archives_are_listed_and_verified(void) {
    frazil_archive_summary summary;
    bytes archive = load("archive.0");
    size_t entries = 0, again = 0;
    int code = 33, fd = open("archive.0", O_RDONLY);

    frazil_archive_summary_init(&summary, sizeof summary);
    EXPECT(FRAZIL_OK, frazil_archive_list("archive.0", count, &entries, &summary, &error));
    CHECK(entries > 3 && summary.records == entries && summary.problems == 0);
    EXPECT(FRAZIL_OK, frazil_archive_list_fd(fd, count, &again, NULL, &error));
    CHECK(close(fd) == 0 && again == entries);
    EXPECT(FRAZIL_OK, frazil_archive_list_stream(take, &archive, count, &again, NULL, &error));
    STOPPED(33, frazil_archive_list("archive.0", stop, &code, NULL, &error));
    EXPECT(FRAZIL_OK, frazil_archive_verify("archive.1", NULL, &summary, &error));
    CHECK(summary.header.number == 1);
    fd = open("archive.0", O_RDONLY);
    EXPECT(FRAZIL_OK, frazil_archive_verify_fd(fd, NULL, &summary, &error));
    CHECK(close(fd) == 0 && summary.header.number == 0 && summary.records == entries);
    archive.taken = 0;
    EXPECT(FRAZIL_OK, frazil_archive_verify_stream(take, &archive, NULL, NULL, &error));
    archive.taken = 0;
    archive.len /= 2;
    CHECK(frazil_archive_verify_stream(take, &archive, NULL, &summary, &error) < 0);
    CHECK(summary.records == 0 && summary.size == sizeof summary);
    frazil_error_free(error);
    error = NULL;
    drop(&archive);
}

static void snapshots_are_listed(frazil_level_id level0) {
    frazil_snapshot_summary summary;
    size_t entries = 0;
    int code = -1, fd = open("snapshot.0", O_RDONLY);
    bytes snapshot = load("snapshot.0");

    frazil_snapshot_summary_init(&summary, sizeof summary);
    EXPECT(FRAZIL_OK, frazil_snapshot_list("snapshot.0", count_snapshot, &entries, &summary, &error));
    CHECK(entries > 3 && summary.entries == entries && summary.header.number == 0);
    CHECK(memcmp(&summary.header.id, &level0, sizeof level0) == 0);
    entries = 0;
    EXPECT(FRAZIL_OK, frazil_snapshot_list_fd(fd, count_snapshot, &entries, &summary, &error));
    CHECK(close(fd) == 0 && summary.entries == entries && entries > 3);
    entries = 0;
    snapshot.piece = 7;
    EXPECT(FRAZIL_OK,
           frazil_snapshot_list_stream(take, &snapshot, count_snapshot, &entries, &summary, &error));
    CHECK(summary.entries == entries && entries > 3);
    snapshot.taken = 0;
    snapshot.len -= 1;
    EXPECT(FRAZIL_ERR_TRUNCATED,
           frazil_snapshot_list_stream(take, &snapshot, count_snapshot, &entries, &summary, &error));
    drop(&snapshot);
    STOPPED(-1, frazil_snapshot_list("snapshot.0", stop_snapshot, &code, &summary, &error));
    CHECK(summary.size == sizeof summary && summary.entries == 0);
    CHECK(frazil_snapshot_list("archive.0", count_snapshot, &entries, NULL, &error) < 0);
    frazil_error_free(error);
    error = NULL;
    SAID(FRAZIL_ERR_IO, "missing", frazil_snapshot_list("missing", count_snapshot, &entries, NULL, &error));
}

static void levels_are_restored_one_after_the_other(frazil_level_id level0) {
    frazil_restore *restore;
    frazil_restore_summary summary;
    frazil_restore_options options;
    frazil_recovery recovery;
    bytes archive = load("archive.0"), letter;
    size_t fed;
    int fd;

    EXPECT(FRAZIL_OK, frazil_restore_open("restored", NULL, &restore, &error));
    for (fed = 0; fed < archive.len; fed += 100) {
        size_t left = archive.len - fed;
        EXPECT(FRAZIL_OK, frazil_restore_feed(restore, archive.data + fed, left < 100 ? left : 100, &error));
    }
    CHECK(access("restored/letter", F_OK) != 0);
    frazil_restore_summary_init(&summary, sizeof summary);
    EXPECT(FRAZIL_OK, frazil_restore_finish(restore, &summary, &error));
    EXPECT(FRAZIL_ERR_STATE, frazil_restore_finish(restore, NULL, &error));
    EXPECT(FRAZIL_ERR_STATE, frazil_restore_feed(restore, "x", 1, &error));
    frazil_restore_free(restore);
    CHECK(summary.whole && summary.problems == 0 && !summary.already_there && summary.files > 0);
    CHECK(memcmp(&summary.header.id, &level0, sizeof level0) == 0);

    frazil_recovery_init(&recovery, sizeof recovery);
    EXPECT(FRAZIL_OK, frazil_restore_recover("restored", NULL, &recovery, &error));
    CHECK(recovery.kind == FRAZIL_RECOVERY_STANDS && recovery.has_level);
    CHECK(memcmp(&recovery.level, &level0, sizeof level0) == 0);
    EXPECT(FRAZIL_OK, frazil_restore_tree("archive.1", "restored", NULL, &summary, &error));
    letter = load("restored/letter");
    CHECK(letter.len == 12 && memcmp(letter.data, "Dear readers", 12) == 0);
    drop(&letter);
    EXPECT(FRAZIL_OK, frazil_restore_conclude("restored", &error));
    EXPECT(FRAZIL_OK, frazil_restore_recover("restored", NULL, &recovery, &error));
    CHECK(recovery.kind == FRAZIL_RECOVERY_NOTHING && !recovery.has_level);
    recovery.kind = FRAZIL_RECOVERY_DROPPED;
    EXPECT(FRAZIL_OK, frazil_restore_recover("not there yet", NULL, &recovery, &error));
    CHECK(recovery.kind == FRAZIL_RECOVERY_NOTHING && access("not there yet", F_OK) != 0);
    EXPECT(FRAZIL_ERR_WRONG_BASIS, frazil_restore_tree("archive.1", "elsewhere", NULL, NULL, &error));
    EXPECT(FRAZIL_ERR_EXISTS, frazil_restore_tree("archive.0", "restored", NULL, NULL, &error));

    {
        const char *paths[1] = {"directory"};
        frazil_restore_options_init(&options, sizeof options);
        options.paths = paths;
        options.path_count = 1;
        options.prefix = "below";
        fd = open("archive.0", O_RDONLY);
        EXPECT(FRAZIL_OK, frazil_restore_tree_fd(fd, "selected", &options, NULL, &error));
        CHECK(close(fd) == 0);
        CHECK(access("selected/below/directory/note", F_OK) == 0);
        CHECK(access("selected/below/letter", F_OK) != 0);
        paths[0] = "nowhere";
        EXPECT(FRAZIL_OK, frazil_restore_tree("archive.0", "empty", &options, &summary, &error));
        CHECK(summary.whole && summary.missing == 1);
        paths[0] = "../escape";
        EXPECT(FRAZIL_ERR_INVALID_INPUT, frazil_restore_tree("archive.0", "never", &options, NULL, &error));
    }
    archive.taken = 0;
    frazil_restore_options_init(&options, sizeof options);
    options.dry_run = 1;
    CHECK(mkdir("dry", 0755) == 0);
    EXPECT(FRAZIL_OK, frazil_restore_tree_stream(take, &archive, "dry", &options, NULL, &error));
    CHECK(rmdir("dry") == 0);
    drop(&archive);
}

static int any_difference(void *user_data, const frazil_difference *difference) {
    *(int *)user_data += difference->path != NULL;
    return 0;
}

static void a_tree_is_held_against_its_archives(void) {
    const char *archives[2] = {"archive.0", "archive.1"}, *excludes[1] = {"extra"};
    frazil_selection selection;
    frazil_verify_options options;
    frazil_verify_summary summary;
    int extra = 0;

    frazil_verify_summary_init(&summary, sizeof summary);
    EXPECT(FRAZIL_OK, frazil_tree_verify(archives, 2, "restored", NULL, differ, &extra, &summary, &error));
    CHECK(summary.header.number == 1 && summary.entries > 3 && summary.differences == 0);
    save_text("restored/directory/extra", "more");
    EXPECT(FRAZIL_PARTIAL, frazil_tree_verify(archives, 2, "restored", NULL, differ, &extra, &summary, &error));
    CHECK(extra == 1 && summary.differences > 0);
    STOPPED(-8, frazil_tree_verify(archives, 2, "restored", NULL, refuse_difference, NULL, &summary, &error));
    CHECK(summary.entries == 0);
    {
        /* A file from where it stands, and a pipe. */
        int fds[2], ends[2], found = 0;
        bytes level0 = load("archive.0"), level1 = load("archive.1");
        void *both[2];
        both[0] = &level0;
        both[1] = &level1;
        fds[0] = open("archive.0", O_RDONLY);
        CHECK(pipe(ends) == 0 && level1.len < 65536);
        CHECK(write(ends[1], level1.data, level1.len) == (ssize_t)level1.len && close(ends[1]) == 0);
        fds[1] = ends[0];
        EXPECT(FRAZIL_PARTIAL,
               frazil_tree_verify_fd(fds, 2, "restored", NULL, differ, &found, &summary, &error));
        CHECK(found == 1 && summary.header.number == 1 && close(fds[0]) == 0 && close(fds[1]) == 0);
        level0.piece = 100;
        EXPECT(FRAZIL_PARTIAL,
               frazil_tree_verify_stream(take, both, 2, "restored", NULL, differ, &found, &summary, &error));
        CHECK(found == 2 && summary.header.number == 1);
        level0.taken = level1.taken = 0;
        level1.len /= 2;
        CHECK(frazil_tree_verify_stream(take, both, 2, "restored", NULL, differ, &found, &summary, &error) < 0);
        CHECK(summary.entries == 0);
        frazil_error_free(error);
        error = NULL;
        drop(&level0);
        drop(&level1);
    }
    frazil_verify_options_init(&options, sizeof options);
    frazil_selection_init(&selection, sizeof selection);
    selection.excludes = excludes;
    selection.exclude_count = 1;
    options.selection = &selection;
    EXPECT(FRAZIL_PARTIAL, frazil_tree_verify(archives, 2, "restored", &options, differ, &extra, NULL, &error));
    CHECK(extra == 1);
    {
        const char *followed[1] = {"followed.archive"};
        frazil_backup_options following;
        frazil_backup_options_init(&following, sizeof following);
        following.dereference = 1;
        CHECK(mkdir("following", 0700) == 0 && symlink("../restored/directory", "following/link") == 0);
        EXPECT(FRAZIL_OK, frazil_backup_tree_file("following", NULL, "followed.snapshot", "followed.archive",
                                                  &following, NULL, &error));
        EXPECT(FRAZIL_PARTIAL,
               frazil_tree_verify(followed, 1, "following", NULL, any_difference, &extra, NULL, &error));
        frazil_verify_options_init(&options, sizeof options);
        options.dereference = 1;
        EXPECT(FRAZIL_OK, frazil_tree_verify(followed, 1, "following", &options, any_difference, &extra, NULL, &error));
        options.reserved = 1;
        EXPECT(FRAZIL_ERR_UNSUPPORTED,
               frazil_tree_verify(followed, 1, "following", &options, any_difference, &extra, NULL, &error));
    }
    EXPECT(FRAZIL_ERR_WRONG_BASIS,
           frazil_tree_verify(archives + 1, 1, "restored", NULL, differ, &extra, NULL, &error));
    EXPECT(FRAZIL_ERR_INVALID_INPUT, frazil_tree_verify(NULL, 0, "restored", NULL, differ, NULL, NULL, &error));
}

static void what_is_given_up_leaves_nothing(void) {
    frazil_backup *backup;
    frazil_restore *restore;
    bytes archive = load("archive.0");
    char buffer[100];
    size_t read;

    EXPECT(FRAZIL_OK, frazil_backup_open("tree", NULL, "given up", NULL, &backup, &error));
    EXPECT(FRAZIL_OK, frazil_backup_read(backup, buffer, sizeof buffer, &read, &error));
    CHECK(read > 0);
    EXPECT(FRAZIL_ERR_STATE, frazil_backup_finish(backup, NULL, &error));
    EXPECT(FRAZIL_ERR_STATE, frazil_backup_read(backup, buffer, sizeof buffer, &read, &error));
    frazil_backup_free(backup);
    EXPECT(FRAZIL_OK, frazil_backup_open("tree", NULL, "given up", NULL, &backup, &error));
    EXPECT(FRAZIL_OK, frazil_backup_read(backup, buffer, sizeof buffer, &read, &error));
    frazil_backup_free(backup);
    CHECK(access("given up", F_OK) != 0);

    EXPECT(FRAZIL_OK, frazil_restore_open("abandoned", NULL, &restore, &error));
    EXPECT(FRAZIL_OK, frazil_restore_feed(restore, archive.data, archive.len / 2, &error));
    frazil_restore_free(restore);
    EXPECT(FRAZIL_OK, frazil_restore_open("abandoned", NULL, &restore, &error));
    EXPECT(FRAZIL_OK, frazil_restore_feed(restore, archive.data, archive.len / 2, &error));
    CHECK(frazil_restore_finish(restore, NULL, &error) < 0);
    frazil_error_free(error);
    error = NULL;
    frazil_restore_free(restore);
    CHECK(access("abandoned", F_OK) != 0);
    drop(&archive);
}

/* The letter is all that there is beside the archives and the snapshots. */
static int find_letter(void *user_data, const frazil_entry *entry) {
    CHECK(strcmp(entry->path, "letter") == 0 || strcmp(entry->path, ".") == 0);
    *(int *)user_data += strcmp(entry->path, "letter") == 0;
    return 0;
}

static int see_letter(void *user_data, const frazil_entry *entry) {
    CHECK(entry->path != NULL);
    *(int *)user_data += strcmp(entry->path, "letter") == 0 && entry->action == FRAZIL_ACTION_FULL;
    return 0;
}

static void see_missing(void *user_data, const char *path) {
    *(int *)user_data += 10 * (strcmp(path, "nowhere") == 0);
}

/* From path to path, and with the options that say how much a restore may write and what it holds to. */
static void whole_backups_and_limits(void) {
    const char *paths[2] = {"letter", "nowhere"};
    frazil_backup_options options;
    frazil_backup_summary summary;
    frazil_restore_options how;
    frazil_observer observer;
    frazil_level_header header;
    frazil_level_id level;
    bytes archive;
    int seen = 0, spelt, fd;

    CHECK(mkdir("root", 0755) == 0);
    save_text("root/letter", "Dear reader");
    frazil_backup_options_init(&options, sizeof options);
    options.compare_device = 1;
    frazil_backup_summary_init(&summary, sizeof summary);
    EXPECT(FRAZIL_OK, frazil_backup_tree_file("root", NULL, "root/snapshot", "root/archive", &options,
                                              &summary, &error));
    EXPECT(FRAZIL_OK, frazil_archive_list("root/archive", find_letter, &seen, NULL, &error));
    CHECK(seen == 1);
    EXPECT(FRAZIL_ERR_EXISTS,
           frazil_backup_tree_file("root", NULL, "never", "root/archive", NULL, NULL, &error));
    CHECK(access("never", F_OK) != 0);
    for (spelt = 0; spelt < 3; spelt++) {
        static const char *const archives[3] = {"both", "./both", "root/../both"};
        char words[100];
        sprintf(words, "writing the archive %s: the snapshot both would be the same file", archives[spelt]);
        SAID(FRAZIL_ERR_INVALID_INPUT, words,
             frazil_backup_tree_file("root", NULL, "both", archives[spelt], NULL, NULL, &error));
        CHECK(access("both", F_OK) != 0);
    }

    EXPECT(FRAZIL_OK, frazil_archive_header("root/archive", &header, &error));
    CHECK(memcmp(&header, &summary.header, sizeof header) == 0);
    fd = open("root/archive", O_RDONLY);
    EXPECT(FRAZIL_OK, frazil_archive_header_fd(fd, &header, &error));
    CHECK(close(fd) == 0 && memcmp(&header, &summary.header, sizeof header) == 0);
    archive = load("root/archive");
    EXPECT(FRAZIL_OK, frazil_archive_header_stream(take, &archive, &header, &error));
    CHECK(memcmp(&header, &summary.header, sizeof header) == 0);
    drop(&archive);
    CHECK(frazil_archive_header("root/snapshot", &header, NULL) < 0 && header.block_len == 0);

    frazil_observer_init(&observer, sizeof observer);
    observer.user_data = &seen;
    observer.restoring = see_letter;
    observer.missing = see_missing;
    frazil_restore_options_init(&how, sizeof how);
    how.observer = &observer;
    how.paths = paths;
    how.path_count = 2;
    how.max_output = 10;
    EXPECT(FRAZIL_ERR_LIMIT, frazil_restore_tree("root/archive", "never", &how, NULL, &error));
    CHECK(access("never/letter", F_OK) != 0);
    how.max_output = 11;
    how.verify_parent = 1;
    seen = 0;
    EXPECT(FRAZIL_OK, frazil_restore_tree("root/archive", "limited", &how, NULL, &error));
    CHECK(seen == 11);
    EXPECT(FRAZIL_OK, frazil_restore_level("limited", &level, &error));
    CHECK(memcmp(&level, &header.id, sizeof level) != 0);
    CHECK(memcmp(&level, &summary.header.id, sizeof level) == 0);
    EXPECT(FRAZIL_END, frazil_restore_level("root", &level, &error));
    EXPECT(FRAZIL_END, frazil_restore_level("not there yet", &level, &error));
    CHECK(access("not there yet", F_OK) != 0);
    CHECK(memcmp(&level, &header.id, sizeof level) == 0);
}

/* Writes to a descriptor. */
static int put(void *user_data, const void *data, size_t len) {
    return write(*(int *)user_data, data, len) == (ssize_t)len ? 0 : -1;
}

static void what_is_written_into_the_tree_is_left_out(void) {
    frazil_backup_options options;
    frazil_backup *backup;
    bytes archive;
    char buffer[64];
    size_t read;
    int letters = 0, fd;

    CHECK(mkdir("inside", 0755) == 0);
    save_text("inside/letter", "Dear reader");
    frazil_backup_options_init(&options, sizeof options);
    options.leave_out_fds = &fd;
    options.leave_out_fd_count = 1;
    fd = open("inside/archive", O_WRONLY | O_CREAT, 0600);
    EXPECT(FRAZIL_OK,
           frazil_backup_tree("inside", NULL, "inside/snapshot", &options, put, &fd, NULL, &error));
    CHECK(close(fd) == 0);
    EXPECT(FRAZIL_OK, frazil_archive_list("inside/archive", find_letter, &letters, NULL, &error));
    CHECK(letters == 1 && unlink("inside/archive") == 0 && unlink("inside/snapshot") == 0);

    fd = open("inside/archive", O_WRONLY | O_CREAT, 0600);
    EXPECT(FRAZIL_OK, frazil_backup_open("inside", NULL, "inside/snapshot", &options, &backup, &error));
    do {
        EXPECT(FRAZIL_OK, frazil_backup_read(backup, buffer, sizeof buffer, &read, &error));
        CHECK(put(&fd, buffer, read) == 0);
    } while (read > 0);
    EXPECT(FRAZIL_OK, frazil_backup_finish(backup, NULL, &error));
    frazil_backup_free(backup);
    CHECK(close(fd) == 0);
    archive = load("inside/archive");
    EXPECT(FRAZIL_OK, frazil_archive_list_stream(take, &archive, find_letter, &letters, NULL, &error));
    CHECK(letters == 2);
    drop(&archive);
}

int main(void) {
    CHECK(mkdir("tree", 0755) == 0 && mkdir("tree/directory", 0755) == 0);
    save_text("tree/letter", "Dear reader");
    CHECK(chmod("tree/letter", 0640) == 0);
    save_text("tree/directory/note", "a note");
    save_text("tree/left-out", "not this");
    CHECK(symlink("letter", "tree/link") == 0);
    {
        frazil_level_id level0 = back_up_levels();
        archives_are_listed_and_verified();
        snapshots_are_listed(level0);
        levels_are_restored_one_after_the_other(level0);
    }
    a_tree_is_held_against_its_archives();
    what_is_given_up_leaves_nothing();
    what_is_written_into_the_tree_is_left_out();
    whole_backups_and_limits();
    return 0;
}
