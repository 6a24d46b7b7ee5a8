/* Allocations that are counted and refused, and the calls that they are refused to. */
#ifndef SHORTAGE_H
#define SHORTAGE_H

#include "contents.h"

/* Those of the C library, beneath the ones here. */
extern void *__libc_malloc(size_t len);
extern void *__libc_calloc(size_t count, size_t len);
extern void *__libc_realloc(void *data, size_t len);
extern void *__libc_memalign(size_t alignment, size_t len);

static size_t least;
/* How many more are granted; below 0 all are, and from 0 on all fail or one does. */
static long granted = -1;
static int all_fail;
static size_t refused;

static int is_refused(size_t len) {
    long left;
    if (len < least || __atomic_load_n(&granted, __ATOMIC_SEQ_CST) < 0) return 0;
    left = __atomic_fetch_sub(&granted, 1, __ATOMIC_SEQ_CST);
    if (left == 0) refused = len;
    if (left == 0 && all_fail) __atomic_store_n(&granted, 0, __ATOMIC_SEQ_CST);
    return left == 0;
}

void *malloc(size_t len) { return is_refused(len) ? NULL : __libc_malloc(len); }

void *calloc(size_t count, size_t len) {
    return is_refused(count * len) ? NULL : __libc_calloc(count, len);
}

void *realloc(void *data, size_t len) { return is_refused(len) ? NULL : __libc_realloc(data, len); }

void *aligned_alloc(size_t alignment, size_t len) {
    return is_refused(len) ? NULL : __libc_memalign(alignment, len);
}

int posix_memalign(void **data, size_t alignment, size_t len) {
    *data = is_refused(len) ? NULL : __libc_memalign(alignment, len);
    return *data == NULL ? 12 : 0;
}

static uint32_t threads;
/* Loaded before any allocation fails. */
static bytes saved_signature, saved_delta, saved_archive;

static frazil_level_options levels(void) {
    frazil_level_options options;
    frazil_level_options_init(&options, sizeof options);
    options.block_len = 16;
    options.threads = threads;
    return options;
}

static frazil_patch_options patches(void) {
    frazil_patch_options options;
    frazil_patch_options_init(&options, sizeof options);
    options.replace = 1;
    options.threads = threads;
    return options;
}

static int ignore(void *user_data, const void *data, size_t len) {
    (void)user_data;
    (void)data;
    (void)len;
    return 0;
}

/* Reads a descriptor. */
static int take_fd(void *user_data, void *buffer, size_t len, size_t *read_len) {
    ssize_t got = read(*(int *)user_data, buffer, len);
    if (got < 0) return -1;
    *read_len = (size_t)got;
    return 0;
}

static frazil_signature *signature;
static frazil_level *level;
static frazil_level_writer *level_writer;
static frazil_patch *patch;
static frazil_patch_writer *patch_writer;
static frazil_comparison *comparison;
static frazil_backup *backup;
static frazil_restore *restore;

/* Frees what any of the calls made. */
static void free_all(void) {
    frazil_signature_free(signature);
    frazil_level_free(level);
    frazil_level_writer_free(level_writer);
    frazil_patch_free(patch);
    frazil_patch_writer_free(patch_writer);
    frazil_comparison_free(comparison);
    frazil_backup_free(backup);
    frazil_restore_free(restore);
    signature = NULL;
    level = NULL;
    level_writer = NULL;
    patch = NULL;
    patch_writer = NULL;
    comparison = NULL;
    backup = NULL;
    restore = NULL;
}

#define TRY(call)                                                                                  \
    do {                                                                                           \
        int status = call;                                                                         \
        if (status < 0) return status;                                                             \
    } while (0)

static int signature_of_path(void) {
    frazil_level_options options = levels();
    return frazil_signature_of_path("new", &options, &signature, &error);
}

static int signature_of_data(void) {
    frazil_level_options options = levels();
    return frazil_signature_of_data(new_content.data, new_content.len, &options, &signature, &error);
}

static int signature_by_librsync(void) {
    frazil_level_options options = levels();
    options.engine = FRAZIL_ENGINE_LIBRSYNC;
    return frazil_signature_of_path("new", &options, &signature, &error);
}

static int signature_load(void) { return frazil_signature_load("sig.0", 0, &signature, &error); }

static int signature_load_plain(void) {
    return frazil_signature_load("sig.plain", 0, &signature, &error);
}

static int signature_load_data(void) {
    return frazil_signature_load_data(saved_signature.data, saved_signature.len, &signature, &error);
}

static int signature_save(void) {
    TRY(frazil_signature_load("sig.0", 0, &signature, &error));
    return frazil_signature_save(signature, "target", FRAZIL_FORMAT_SEALED, &error);
}

static int comparison_of_signatures(void) {
    frazil_signature *other = NULL;
    frazil_range range;
    int status = frazil_signature_load("sig.1", 0, &other, &error);
    if (status >= 0) status = frazil_signature_load("sig.0", 0, &signature, &error);
    if (status >= 0) status = frazil_comparison_open(signature, other, &comparison, &error);
    frazil_signature_free(other);
    while (status == FRAZIL_OK) status = frazil_comparison_next(comparison, &range, &error);
    return status;
}

static int comparison_of_files(void) {
    frazil_range range;
    int status = frazil_comparison_open_paths("sig.0", "sig.1", &comparison, &error);
    while (status == FRAZIL_OK) status = frazil_comparison_next(comparison, &range, &error);
    return status;
}

static int inspection(void) {
    frazil_inspection inspection;
    frazil_inspection_init(&inspection, sizeof inspection);
    TRY(frazil_inspection_of_path("sig.0", &inspection, &error));
    return frazil_inspection_of_path("level.1", &inspection, &error);
}

static int level_with(frazil_level_options *options) {
    if (options->basis_signature_path == NULL) TRY(frazil_signature_load("sig.0", 0, &signature, &error));
    return frazil_level_file("new", signature, "target", options, NULL, NULL, &error);
}

static int level_of_a_held_signature(void) {
    frazil_level_options options = levels();
    options.matching = FRAZIL_MATCHING_ROLLING;
    return level_with(&options);
}

static int level_of_a_filed_signature(void) {
    frazil_level_options options = levels();
    options.basis_signature_path = "sig.0";
    options.matching = FRAZIL_MATCHING_ROLLING;
    return level_with(&options);
}

/* The content that is gathered grows with the blocks. */
static int level_of_long_blocks(void) {
    frazil_level_options options = levels();
    options.block_len = 1 << 22;
    return frazil_level_file("new", NULL, "target", &options, NULL, NULL, &error);
}

static int level_of_long_blocks_by_librsync(void) {
    frazil_level_options options = levels();
    options.block_len = 1 << 22;
    options.engine = FRAZIL_ENGINE_LIBRSYNC;
    TRY(frazil_signature_load("sig.0", 0, &signature, &error));
    return frazil_level_file("new", signature, "target", &options, NULL, NULL, &error);
}

static int patch_of_long_blocks(void) {
    frazil_patch_options options = patches();
    return frazil_patch_file(NULL, "level.long", "target", &options, NULL, &error);
}

static int level_by_librsync(void) {
    frazil_level_options options = levels();
    options.engine = FRAZIL_ENGINE_LIBRSYNC;
    return level_with(&options);
}

static int level_pulled(void) {
    frazil_level_options options = levels();
    char buffer[65536];
    size_t read_len;
    TRY(frazil_level_open("new", NULL, &options, &level, &error));
    do TRY(frazil_level_read(level, buffer, sizeof buffer, &read_len, &error));
    while (read_len > 0);
    return frazil_level_finish(level, &signature, NULL, &error);
}

static int level_fed(void) {
    frazil_level_options options = levels();
    TRY(frazil_level_writer_new(NULL, &options, ignore, NULL, &level_writer, &error));
    TRY(frazil_level_writer_feed(level_writer, new_content.data, new_content.len, &error));
    return frazil_level_writer_finish(level_writer, &signature, NULL, &error);
}

static int gen_sig_from_file(void) {
    frazil_level_options options = levels();
    return frazil_gen_sig_from_file("new", NULL, &options, ignore, NULL, &signature, &error);
}

static int gen_sig_from_stream(void) {
    frazil_level_options options = levels();
    int fd = open("new", O_RDONLY);
    int status = frazil_gen_sig_from_stream(take_fd, &fd, NULL, &options, ignore, NULL, &signature, &error);
    close(fd);
    return status;
}

static int patch_to_a_file(void) {
    frazil_patch_options options = patches();
    return frazil_patch_file("old", "level.1", "target", &options, NULL, &error);
}

static int patch_by_a_plain_delta(void) {
    frazil_patch_options options = patches();
    return frazil_patch_file(NULL, "level.plain", "target", &options, NULL, &error);
}

static int patch_of_a_chain(void) {
    const char *deltas[2] = {"level.0", "level.1"};
    frazil_patch_options options = patches();
    return frazil_patch_file_chain(NULL, deltas, 2, "target", &options, NULL, &error);
}

static int patch_from_file(void) {
    frazil_patch_options options = patches();
    int fd = open("level.1", O_RDONLY);
    int status = frazil_patch_from_file("old", "target", take_fd, &fd, &options, NULL, &error);
    close(fd);
    return status;
}

static int patch_from_stream(void) {
    frazil_patch_options options = patches();
    int fd = open("level.0", O_RDONLY);
    int status = frazil_patch_from_stream(take_fd, &fd, "target", &options, NULL, &error);
    close(fd);
    return status;
}

static int patch_pulled(void) {
    frazil_patch_options options = patches();
    char buffer[65536];
    size_t read_len;
    TRY(frazil_patch_open("old", "level.1", &options, &patch, &error));
    do TRY(frazil_patch_read(patch, buffer, sizeof buffer, &read_len, &error));
    while (read_len > 0);
    return frazil_patch_finish(patch, NULL, &error);
}

static int patch_fed(void) {
    frazil_patch_options options = patches();
    TRY(frazil_patch_writer_new_file("old", "target", &options, &patch_writer, &error));
    TRY(frazil_patch_writer_feed(patch_writer, saved_delta.data, saved_delta.len, &error));
    return frazil_patch_writer_finish(patch_writer, NULL, &error);
}

static int patch_in_place(void) {
    frazil_patch_options options = patches();
    options.replace = 0;
    save("target", &old_content);
    return frazil_patch_in_place("target", "level.1", &options, NULL, &error);
}

static int backup_of_a_tree(void) {
    frazil_backup_options options;
    frazil_backup_options_init(&options, sizeof options);
    options.block_len = 1024;
    options.threads = threads;
    return frazil_backup_tree_file("tree", "snapshot.0", "target.snapshot", "target", &options, NULL, &error);
}

/* There are as many places of frames to hold as the snapshot has bytes. */
static int backup_on_many_frames(void) {
    frazil_backup_options options;
    frazil_backup_options_init(&options, sizeof options);
    options.block_len = 1024;
    options.threads = threads;
    return frazil_backup_tree_file("tree", "snapshot.frames", "target.snapshot", "target", &options, NULL, &error);
}

static int restore_of_a_tree(void) {
    frazil_restore_options options;
    frazil_restore_options_init(&options, sizeof options);
    options.threads = threads;
    return frazil_restore_tree("archive.0", "restored", &options, NULL, &error);
}

static int restore_fed(void) {
    frazil_restore_options options;
    frazil_restore_options_init(&options, sizeof options);
    options.threads = threads;
    TRY(frazil_restore_open("restored", &options, &restore, &error));
    TRY(frazil_restore_feed(restore, saved_archive.data, saved_archive.len, &error));
    return frazil_restore_finish(restore, NULL, &error);
}

static int verification(void) { return frazil_archive_verify("archive.0", NULL, NULL, &error); }

static const struct {
    const char *name;
    int (*call)(void);
    /* Whether librsync may end the process, as it does where it can have no memory. */
    int may_end;
    /* Bytes from which on its allocations fail, where it is not as the program is told: it holds only what it reads. */
    size_t least;
} CALLS[] = {
    {"signature_of_path", signature_of_path, 0, 0},
    {"signature_of_data", signature_of_data, 0, 0},
    {"signature_of_path by librsync", signature_by_librsync, 0, 0},
    {"signature_load", signature_load, 0, 0},
    {"signature_load, plain", signature_load_plain, 0, 0},
    {"signature_load_data", signature_load_data, 0, 0},
    {"signature_save", signature_save, 0, 0},
    {"comparison_open", comparison_of_signatures, 0, 0},
    {"comparison_open_paths", comparison_of_files, 0, 0},
    {"inspection_of_path", inspection, 0, 0},
    {"level_file", level_of_a_held_signature, 0, 0},
    {"level_file by a signature's file", level_of_a_filed_signature, 0, 0},
    {"level_file by librsync", level_by_librsync, 1, 0},
    {"level_file, long blocks", level_of_long_blocks, 0, 0},
    {"level_file, long blocks by librsync", level_of_long_blocks_by_librsync, 1, 0},
    {"patch_file, long blocks", patch_of_long_blocks, 0, 0},
    {"level_read", level_pulled, 0, 0},
    {"level_writer_feed", level_fed, 0, 0},
    {"gen_sig_from_file", gen_sig_from_file, 0, 0},
    {"gen_sig_from_stream", gen_sig_from_stream, 0, 0},
    {"patch_file", patch_to_a_file, 0, 0},
    {"patch_file, plain", patch_by_a_plain_delta, 0, 65536},
    {"patch_file_chain", patch_of_a_chain, 0, 0},
    {"patch_from_file", patch_from_file, 0, 0},
    {"patch_from_stream", patch_from_stream, 0, 0},
    {"patch_read", patch_pulled, 0, 0},
    {"patch_writer_feed", patch_fed, 0, 0},
    {"patch_in_place", patch_in_place, 0, 0},
    {"backup_tree_file", backup_of_a_tree, 0, 0},
    {"backup_tree_file, many frames", backup_on_many_frames, 0, 0},
    {"restore_tree", restore_of_a_tree, 0, 0},
    {"restore_feed", restore_fed, 0, 0},
    {"archive_verify", verification, 0, 0},
};

#endif
