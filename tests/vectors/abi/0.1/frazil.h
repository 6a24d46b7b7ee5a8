// frazil: block-level backups, made and restored in stream.
//
// A level is a stream, and making it costs one read of the source: level 0 holds all content, level n
// what changed since level n-1, block by block. Beside the stream comes the new signature, which is all
// that the next level needs. Restoring is applying level 0, 1, ... n, one after the other as they arrive
// or all in one pass. Streams are sealed by default: every byte is checked, a wrong basis is refused,
// and the result is verified before it is published. Whole trees of files go the same way.
//
// This header is generated from the Rust sources of the crate by cbindgen; do not edit it.
//
// A COMPLETE PROGRAM makes level 0 of a file, and restores it:
//
//     #include <frazil.h>
//     #include <stdio.h>
//
//     int main(void) {
//         frazil_error *error = NULL;
//         frazil_signature *signature = NULL;
//         frazil_status status =
//             frazil_level_file("disk.img", NULL, "level.0", NULL, &signature, NULL, &error);
//         if (status >= 0)
//             status = frazil_signature_save(signature, "level.0.sig", FRAZIL_FORMAT_SEALED, &error);
//         if (status >= 0)
//             status = frazil_patch_file(NULL, "level.0", "restored.img", NULL, NULL, &error);
//         if (status < 0)
//             fprintf(stderr, "%s\n", frazil_error_message(error));
//         frazil_signature_free(signature);
//         frazil_error_free(error);
//         return status < 0;
//     }
//
// Compile it with: cc -std=c99 program.c -lfrazil
//
// CONVENTIONS
//
// Names. All begin with `frazil_` or `FRAZIL_`. A function is named after what it works on, then what it
// does. What it reads, or saves to, is at a path; the same function with `_fd` at its end takes a file
// descriptor, with `_stream` a callback, with `_data` bytes in memory, with `_chain` the deltas of several levels.
// What it makes it gives out, or writes to a callback, or with `_file` in its name publishes as a file. The
// functions of the blueprint, `frazil_gen_sig_from_` and `frazil_patch_from_`, have the names that they have
// there. Arguments come in this order: what it works on, inputs (a callback that reads is one, with its user
// data), options, callbacks that write (each with its user data), outputs, and `error` last.
//
// Words. A basis is old content, a target new. A weak sum finds blocks that may be equal, a strong sum decides
// whether they are. A level is called `weak`, without a sum, where its strong sums cannot be trusted to do so:
// those of MD4, and shortened ones.
//
// Three forms. Pull: `_open`, `_read` until it gives 0 bytes, `_finish`. Push: `_new` or `_open`, `_feed`,
// `_finish`. Whole: one call from path to path. An operation is complete only when `_finish` says so;
// freed without it, nothing is published. A `_read` that asks for 0 bytes gives 0, does nothing and is not the
// end; a `_feed` of 0 bytes does nothing either.
//
// Errors. A function that can fail returns a `frazil_status`: 0 for success, a positive value for an
// outcome that is none, such as `FRAZIL_PARTIAL`, and a negative one for a failure; so test for `< 0`.
// Each takes an `error`, which may be NULL. Else `*error` becomes NULL on entry, and on failure an object
// that says more and is yours to free; so free it before you pass its place again. A fault inside the
// library, a panic, is reported as `FRAZIL_ERR_INTERNAL` and nothing is unwound into your program; Rust prints
// what it was, and where, on standard error first, which a library has no way to keep it from without taking
// that from other Rust in your program. `FRAZIL_ERR_OUT_OF_MEMORY` comes where memory grows with the content, or
// with arrays that you give, and for buffers; small allocations, of some KiB, that cannot be had end the process. So
// does what librsync cannot have, where it is chosen as the engine.
//
// Outputs. They are written on success alone; on failure they are NULL or zero. There are no arguments
// that are input and output at once, but for the size of a struct.
//
// Ownership. What a function gives through a pointer to a pointer is yours, and is freed by the `_free`
// of its type, once; each takes NULL. What goes in is borrowed for the call and copied if need be: paths,
// options, arrays and bytes may go as soon as the call returns. A file descriptor is duplicated: yours
// stays open and stays yours, and may be closed as soon as the call returns, but the position in the file
// is one for both. What leads out of the library into your program has to stay until the handle is freed,
// or the function that gives none has returned: callbacks and what their `user_data` points to. What a
// callback is given is good until it returns.
//
// NULL. An argument that may be NULL is said to be; any other that is NULL gives `FRAZIL_ERR_NULL`, and
// is not touched. A pointer to 0 bytes, or to an array of 0 elements, may be NULL. `_init` and `_free` take
// NULL and do nothing; a field of NULL is 0, or `FRAZIL_UNKNOWN` where that is a length.
//
// Strings. Paths are bytes that end with a zero byte, in whatever encoding the file system has. All other
// text is UTF-8 and ends with a zero byte.
//
// Numbers. Bytes and offsets are `uint64_t`; `FRAZIL_UNKNOWN` stands for one that is not known. Choices
// are passed as `int` and checked: a number that is none of them gives `FRAZIL_ERR_INVALID_INPUT`. Flags
// are `int`: 0 is off, all else on.
//
// Structs of options, and summaries, begin with their `size`. Initialise them by their `_init` function,
// with `sizeof` of the struct; zero is the default of every field. A size that the struct never had is
// refused with `FRAZIL_ERR_INVALID_INPUT` by the function that the struct is given to. Later versions add
// fields at the end, so a program goes on working with a newer library. NULL is the default options, or no
// summary.
//
// Callbacks return 0 to go on. With any other value the function that called them stops and returns
// `FRAZIL_ERR_CALLBACK`, and `frazil_error_callback_code` gives that value. They may call any function but
// those of the handle that calls them, which refuse with `FRAZIL_ERR_STATE`, or in the case of `_free` do
// nothing. They must return: no `longjmp`, no C++ exception.
//
// Threads. A function may be called from any thread, and handles may go from one to another. A
// `frazil_signature` or `frazil_error` may be read by several at once; of every other handle, a call while
// another is using it is refused with `FRAZIL_ERR_STATE`. Freeing a handle that another thread is using is
// an error. Callbacks are called by the thread that made the call, except those of the observer of a
// `frazil_restore`, and what reads for `frazil_tree_verify_stream`. Between opening and freeing a
// `frazil_restore`, do not fork, unless the child calls `exec`.
//
// Signals. A call that is interrupted goes on. To stop one from a signal handler, or from another thread,
// set a flag there and answer for it in the observer's `cancelled`, which is asked while bytes move, and at
// least every 100 milliseconds while a descriptor that waits has nothing to read. What waits in a callback
// of yours is yours to interrupt. The library leaves all signals as they are: a program that writes to pipes
// or sockets has to ignore SIGPIPE itself. Threads that it starts take no signals, but for their own faults, so
// handlers run on threads of yours; a callback that such a thread calls must not wait for one, and what it starts
// there, a process too, begins with all of them blocked unless it is given a mask of its own
// (`posix_spawnattr_setsigmask`). A descriptor that does not wait (`O_NONBLOCK`) makes `_read` fail with
// `FRAZIL_ERR_IO` and EAGAIN, after which it can be read again; it ends a call that does the whole.
//
// Versions. Statuses and other constants are never renumbered. Before 1.0 a new minor version may change
// this interface, and the name of the shared library says which one it is (libfrazil.so.0.1); a new patch
// version never does. What is about trees is there unless the library was built without them.


#ifndef FRAZIL_H
#define FRAZIL_H

#include <stddef.h>
#include <stdint.h>

// The version of this header. `frazil_version` and `frazil_version_number` give that of the library that is
// linked.
#define FRAZIL_VERSION_MAJOR 0
#define FRAZIL_VERSION_MINOR 1
#define FRAZIL_VERSION_PATCH 0
#define FRAZIL_VERSION "0.1.0"
// In one number, to compare: 1000000 * MAJOR + 1000 * MINOR + PATCH.
#define FRAZIL_VERSION_NUMBER 1000


// Stands for a number of bytes, or an offset, that is not known.
#define FRAZIL_UNKNOWN UINT64_MAX

// What became of a call: 0 is success, a positive value an outcome that is not a failure, a negative
// one a failure. The values are never renumbered; later versions may add some.
typedef enum {
  // It was done.
  FRAZIL_OK = 0,
  // There is nothing more of what was asked for.
  FRAZIL_END = 1,
  // It was done, but some entries of the tree could not be taken or put as they were, or differ: the
  // observer, or another callback, was told of each.
  FRAZIL_PARTIAL = 2,
  // It was done, but the source changed while it was read. The level restores the bytes that were
  // read, which may be no state that the source was ever in.
  FRAZIL_DIRTY = 3,
  // An argument or option is outside what the function takes.
  FRAZIL_ERR_INVALID_INPUT = -1,
  // The call is not allowed in the state the handle is in: it is finished, has failed before, or is
  // in use by another call.
  FRAZIL_ERR_STATE = -2,
  // The operating system failed; `frazil_error_os_code` says how.
  FRAZIL_ERR_IO = -3,
  // A stream ended before it was complete.
  FRAZIL_ERR_TRUNCATED = -4,
  // A stream holds bytes that no writer of the format produces.
  FRAZIL_ERR_CORRUPT = -5,
  // A stream or a struct needs a newer version, or a feature this version does not have.
  FRAZIL_ERR_UNSUPPORTED = -6,
  // The work would exceed a declared limit of memory or output.
  FRAZIL_ERR_LIMIT = -7,
  // The basis is not the content that the delta was made against.
  FRAZIL_ERR_WRONG_BASIS = -8,
  // The result is not the content that the stream promised.
  FRAZIL_ERR_MISMATCH = -9,
  // Two signatures do not have the same parameters, so their sums say nothing of each other.
  FRAZIL_ERR_INCOMPARABLE = -10,
  // The source changed while it was read; an observer is told so.
  FRAZIL_ERR_SOURCE_CHANGED = -11,
  // The output is there already and was not to be replaced.
  FRAZIL_ERR_EXISTS = -12,
  // The observer asked to stop.
  FRAZIL_ERR_CANCELLED = -13,
  // Memory could not be had.
  FRAZIL_ERR_OUT_OF_MEMORY = -14,
  // A fault in frazil itself.
  FRAZIL_ERR_INTERNAL = -15,
  // An argument is NULL that may not be.
  FRAZIL_ERR_NULL = -16,
  // A callback failed; `frazil_error_callback_code` is what it returned.
  FRAZIL_ERR_CALLBACK = -17,
} frazil_status;

// How an entry comes to be what it is at its level.
typedef enum {
  // It is new, or replaces what was there; its content is in the archive whole.
  FRAZIL_ACTION_FULL = 0,
  // A file made by a delta from a file of the parent level.
  FRAZIL_ACTION_DELTA = 1,
  // A file with the very content of a file of the parent level.
  FRAZIL_ACTION_COPY = 2,
  // One more name of a file of this level.
  FRAZIL_ACTION_LINK = 3,
  // Its content stays, its metadata is other.
  FRAZIL_ACTION_METADATA = 4,
  // It is gone.
  FRAZIL_ACTION_DELETE = 5,
  // It could not be read to its end: what was sent of it is not used, and what was there stays.
  FRAZIL_ACTION_VOID = 6,
  // It proved to be what it was, and the archive says nothing of it: only an observer is told of it.
  FRAZIL_ACTION_NONE = 7,
} frazil_action;

// Why a backup looked at an entry: what the system says of it now, held against the level before.
typedef enum {
  // The level before has nothing there.
  FRAZIL_REASON_NEW = 0,
  // The level before has another kind of entry there.
  FRAZIL_REASON_KIND = 1,
  // Its size is another.
  FRAZIL_REASON_SIZE = 2,
  // Its modification time is another.
  FRAZIL_REASON_MODIFIED = 3,
  // Its change time is another: metadata, or content whose modification time was put back.
  FRAZIL_REASON_CHANGED = 4,
  // Its owner or mode is another.
  FRAZIL_REASON_OWNER = 5,
  // It is another inode.
  FRAZIL_REASON_INODE = 6,
  // It is on another device.
  FRAZIL_REASON_DEVICE = 7,
  // It changed so shortly before the last level was made that a later change may not show.
  FRAZIL_REASON_RACY = 8,
  // It changed while the last level was made, or could not be read then.
  FRAZIL_REASON_DIRTY = 9,
  // It was one more name of another file, and is no longer.
  FRAZIL_REASON_UNLINKED = 10,
  // It is one more name of another file.
  FRAZIL_REASON_LINK = 11,
  // Every file was to be read.
  FRAZIL_REASON_ALWAYS = 12,
  // It is gone.
  FRAZIL_REASON_GONE = 13,
  // Something in the directory changed.
  FRAZIL_REASON_CONTENT = 14,
} frazil_reason;

// What kind of entry it is.
typedef enum {
  // The archive does not say: it is gone, or a further name of another.
  FRAZIL_ENTRY_UNKNOWN = 0,
  // A regular file.
  FRAZIL_ENTRY_FILE = 1,
  // A directory.
  FRAZIL_ENTRY_DIRECTORY = 2,
  // A symbolic link.
  FRAZIL_ENTRY_SYMLINK = 3,
  // A named pipe.
  FRAZIL_ENTRY_FIFO = 4,
  // A character device.
  FRAZIL_ENTRY_CHAR_DEVICE = 5,
  // A block device.
  FRAZIL_ENTRY_BLOCK_DEVICE = 6,
} frazil_entry_kind;

// The sum that rolls along the data and finds candidates.
typedef enum {
  // That of the basis's signature, or the RabinKarp one.
  FRAZIL_WEAK_SUM_DEFAULT = 0,
  // librsync's first sum, after rsync's; collides often on long runs of equal bytes.
  FRAZIL_WEAK_SUM_ROLLSUM = 1,
  // The polynomial sum of librsync 2.2 and later.
  FRAZIL_WEAK_SUM_RABIN_KARP = 2,
} frazil_weak_sum;

// The sum that decides whether two blocks are equal.
typedef enum {
  // That of the basis's signature, or BLAKE2b.
  FRAZIL_STRONG_SUM_DEFAULT = 0,
  // MD4, 16 bytes: broken, for exchange with old peers only.
  FRAZIL_STRONG_SUM_MD4 = 1,
  // BLAKE2b with a 32-byte digest.
  FRAZIL_STRONG_SUM_BLAKE2 = 2,
} frazil_strong_sum;

// What a range of the new content is to the old.
typedef enum {
  // Equal to the old content at the same offset.
  FRAZIL_RANGE_SAME = 0,
  // Equal to the old content at the offset `from`.
  FRAZIL_RANGE_MOVED = 1,
  // Not found in the old content.
  FRAZIL_RANGE_CHANGED = 2,
} frazil_range_kind;

// What a stream carries.
typedef enum {
  // The sums of some content.
  FRAZIL_STREAM_SIGNATURE = 0,
  // What turns one content into another: a level.
  FRAZIL_STREAM_DELTA = 1,
} frazil_stream_kind;

// Which form a stream takes.
typedef enum {
  // frazil's integrity frame: every byte checked, the basis and the result identified.
  FRAZIL_FORMAT_SEALED = 0,
  // librsync's plain format, as `rdiff` reads and writes it: no check of anything.
  FRAZIL_FORMAT_RDIFF = 1,
} frazil_format;

// Which matches are looked for.
typedef enum {
  // Blocks in their place first, and a byte by byte scan of runs that changed; aligned alone when the
  // index of the basis does not fit the memory limit, of which the observer is told.
  // Where a scan has found nothing in 8 MiB, it looks at one stretch in four, in 64 MiB at one in eight, and
  // follows what it finds back.
  FRAZIL_MATCHING_AUTO = 0,
  // Blocks in their place alone, in constant memory: for disk images and databases.
  FRAZIL_MATCHING_ALIGNED = 1,
  // A byte by byte scan of everything that does not match in its place, however long nothing is found.
  FRAZIL_MATCHING_ROLLING = 2,
} frazil_matching;

// What a run of before had left behind in a destination.
typedef enum {
  // Nothing: there is no restore under way.
  FRAZIL_RECOVERY_NOTHING = 0,
  // It stands at a level, and nothing was left of a restore to another.
  FRAZIL_RECOVERY_STANDS = 1,
  // A level that was being published has been published to its end.
  FRAZIL_RECOVERY_FINISHED = 2,
  // The same, but something is not as the level has it.
  FRAZIL_RECOVERY_FINISHED_IN_PART = 3,
  // A level that had not been verified was dropped.
  FRAZIL_RECOVERY_DROPPED = 4,
} frazil_recovery_kind;

// How an entry of a tree differs from what its archives say.
typedef enum {
  // The archives have it, the tree does not.
  FRAZIL_DIFFERENCE_MISSING = 0,
  // The tree has it, the archives do not.
  FRAZIL_DIFFERENCE_EXTRA = 1,
  // It is another kind of entry.
  FRAZIL_DIFFERENCE_KIND = 2,
  // Its content is another.
  FRAZIL_DIFFERENCE_CONTENT = 3,
  // Its mode is another.
  FRAZIL_DIFFERENCE_MODE = 4,
  // Its owner or group is another.
  FRAZIL_DIFFERENCE_OWNER = 5,
  // Its modification time is another.
  FRAZIL_DIFFERENCE_MODIFIED = 6,
  // Its extended attributes or ACLs are others.
  FRAZIL_DIFFERENCE_ATTRIBUTES = 7,
  // Its flags are others.
  FRAZIL_DIFFERENCE_FLAGS = 8,
  // It leads elsewhere, or is another device.
  FRAZIL_DIFFERENCE_TARGET = 9,
  // It is not a further name of the file that it should be one of.
  FRAZIL_DIFFERENCE_LINK = 10,
  // It cannot be read, all of it or what is in it, and could not be compared; the observer was told why.
  FRAZIL_DIFFERENCE_UNREADABLE = 11,
} frazil_difference_kind;

// Where the bytes of an input are.
typedef enum {
  // There are none: the basis of a level 0.
  FRAZIL_INPUT_NONE = 0,
  // In the file or device at `path`.
  FRAZIL_INPUT_PATH = 1,
  // In the file or device that `fd` is a descriptor of, from its start; where the descriptor stands does
  // not matter, and is left so. Of a pipe or a socket, which can be read once only, it is refused.
  FRAZIL_INPUT_FD = 2,
  // Where `read_at` has them from.
  FRAZIL_INPUT_CALLBACK = 3,
} frazil_input_kind;

// Who computes sums and finds matches.
typedef enum {
  // frazil's own.
  FRAZIL_ENGINE_NATIVE = 0,
  // The bound librsync; it cannot match aligned blocks alone.
  FRAZIL_ENGINE_LIBRSYNC = 1,
} frazil_engine;

// When the basis is held against the fingerprint that a sealed delta carries.
typedef enum {
  // Before, or after where a file is published, which is never wrong either way.
  FRAZIL_VERIFY_BASIS_DEFAULT = 0,
  // Before the first byte comes out, by one more reading of it.
  FRAZIL_VERIFY_BASIS_BEFORE = 1,
  // By the result alone: what comes out till the end is provisional.
  FRAZIL_VERIFY_BASIS_AFTER = 2,
} frazil_verify_basis;

// What an archive is compressed with. A reader finds it out by itself.
typedef enum {
  // Nothing: the tar as it is.
  FRAZIL_FILTER_NONE = 0,
  // gzip.
  FRAZIL_FILTER_GZIP = 1,
  // bzip2.
  FRAZIL_FILTER_BZIP2 = 2,
  // xz.
  FRAZIL_FILTER_XZ = 3,
  // Zstandard.
  FRAZIL_FILTER_ZSTD = 4,
  // LZ4.
  FRAZIL_FILTER_LZ4 = 5,
} frazil_filter;

// When what was restored is flushed to the disk.
typedef enum {
  // The whole file system twice: before the level is published, and before it is called complete. Far
  // faster for many small files.
  FRAZIL_SYNC_LEVEL = 0,
  // Each file and directory on its own: for a file system on which much else is written.
  FRAZIL_SYNC_FILE = 1,
} frazil_sync;

// The backup of a tree: its archive, made as it is read. One call at a time may use it, from any thread.
// Unless it is to use one thread alone, it may have one that walks the tree ahead and some that read small files ahead,
// until it is freed; a process that is forked in between cannot go on with it.
typedef struct frazil_backup frazil_backup;

// The ranges of new content as an old signature knows them. One call at a time may use it.
typedef struct frazil_comparison frazil_comparison;

// What went wrong: status, message, and where it is known path, offset and numbers.
//
// It belongs to whoever was given it and is freed with `frazil_error_free`. It is immutable and may be
// read by several threads at once.
typedef struct frazil_error frazil_error;

// A level that is made as it is read. One call at a time may use it, from any thread.
typedef struct frazil_level frazil_level;

// A level that is fed its content. One call at a time may use it, from any thread.
typedef struct frazil_level_writer frazil_level_writer;

// One delta, or the deltas of several levels, applied to a basis: the target, as it is read. One call at
// a time may use it, from any thread.
typedef struct frazil_patch frazil_patch;

// A patch that is fed its delta. One call at a time may use it, from any thread.
typedef struct frazil_patch_writer frazil_patch_writer;

// The restoration of one level of a tree, which is fed the archive. One call at a time may use it, from
// any thread. It has a thread of its own until it is finished or freed; do not fork in between.
typedef struct frazil_restore frazil_restore;

// The sums of every block of some content: what a level is made against. It is immutable, and may be
// used by several threads at once; levels that are made against it share its memory, and it may be
// freed before they are.
typedef struct frazil_signature frazil_signature;

// How far an operation has come. Later versions may add fields at its end.
typedef struct {
  // Bytes of the source (a level, a backup) or of the result (a patch) that are done.
  uint64_t done_bytes;
  // What `done_bytes` will be at the end, or `FRAZIL_UNKNOWN`.
  uint64_t total_bytes;
  // Bytes of the stream that were written (a level) or read (a patch) so far.
  uint64_t stream_bytes;
  // Entries of a tree that are done, and counted anew while a restored level is published; 0 where there
  // is no tree.
  uint64_t entries;
} frazil_progress;

// What the backup of a tree did about one entry that it looked at. Later versions may add fields at its
// end.
typedef struct {
  // Where in the tree it is; the root is `.`.
  const char *path;
  // How it is in the archive; `FRAZIL_ACTION_NONE` where it proved to be what it was.
  frazil_action action;
  // Why it was looked at.
  frazil_reason reason;
  // Bytes of content or delta that are in the archive for it.
  uint64_t bytes;
} frazil_entry_report;

// What an entry is in all that is not its content. Where `kind` is `FRAZIL_ENTRY_UNKNOWN`, all else is zero
// or NULL. Later versions may add fields at its end.
typedef struct {
  // What it is.
  frazil_entry_kind kind;
  // Permissions with set-id and sticky bits.
  uint32_t mode;
  // Number of the owner.
  uint32_t uid;
  // Number of the group.
  uint32_t gid;
  // When the content was last changed, in seconds since 1970.
  int64_t modified_seconds;
  // Nanoseconds of the modification time.
  uint32_t modified_nanoseconds;
  // Major number of a device.
  uint32_t device_major;
  // Minor number of a device.
  uint32_t device_minor;
  // Bytes of content of a regular file.
  uint64_t size;
  // Name of the owner, empty where the system knew none.
  const char *user;
  // Name of the group, empty where the system knew none.
  const char *group;
  // Where a symbolic link leads, or NULL.
  const char *target;
} frazil_metadata;

// What an archive says of one entry. Later versions may add fields at its end.
typedef struct {
  // Where in the tree it is; the root is `.`.
  const char *path;
  // Where in the level before its content is from, or which entry of this level it is a further name
  // of; else NULL.
  const char *from;
  // What it is, never NULL: where the archive does not say, its kind is `FRAZIL_ENTRY_UNKNOWN`.
  const frazil_metadata *metadata;
  // The fingerprint of a regular file's content, 32 bytes, or NULL. A delta's is claimed, not proven:
  // only a restore shows.
  const uint8_t *fingerprint;
  // How it comes to be what it is.
  frazil_action action;
  // 1 if a directory closes here, with its metadata as all that is in it leaves it; else 0.
  int closes;
  // 1 if it changed while it was read, else 0.
  int dirty;
} frazil_entry;

// Who follows an operation. Make it with `frazil_observer_init` and set what you want.
//
// The options that name it are copied with all that is in it; what `user_data` leads to must be there
// until the handle is freed, or the function without a handle has returned. `progress` and `cancelled` are
// called about once for each mebibyte of work and once more before it is complete; while a restored level
// is published, which is not stopped any more, `progress` is for some hundred entries. All are called by
// the thread that made the call, except those of a `frazil_restore`: they are called by the thread that it
// has of its own, one at a time, from `frazil_restore_open` on until it is finished or freed, also while
// the program is in no call at all. What they share with the program needs a lock.
typedef struct {
  // The size of this struct, as `frazil_observer_init` sets it.
  size_t size;
  // What every callback is given.
  void *user_data;
  // Some work was done. Any value but 0 stops the operation with `FRAZIL_ERR_CALLBACK`.
  int (*progress)(void *user_data, const frazil_progress *progress);
  // Something went wrong that the operation survived: its result says *partial* or *dirty*. `problem` is
  // not to be kept or freed. Any value but 0 stops the operation with `FRAZIL_ERR_CALLBACK`, soon after.
  int (*problem)(void *user_data, const frazil_error *problem);
  // Whether to stop: any value but 0 does, with `FRAZIL_ERR_CANCELLED`.
  int (*cancelled)(void *user_data);
  // The backup of a tree has looked at an entry, or found it gone; what was passed over as unchanged is
  // not told. `report` is not to be kept. Any value but 0 stops the operation with
  // `FRAZIL_ERR_CALLBACK`, soon after.
  int (*entry)(void *user_data, const frazil_entry_report *report);
  // Something is worth knowing and takes nothing from the result, as that a socket is not backed up; no
  // summary counts it. `note` is not to be kept or freed. Any value but 0 stops the operation with
  // `FRAZIL_ERR_CALLBACK`, soon after.
  int (*note)(void *user_data, const frazil_error *note);
  // The restore of a tree has taken in what becomes of an entry, whose path is that in the destination.
  // Nothing of it is there before the archive has proved to be whole; in a dry run, nothing will be.
  // `entry` is not to be kept. Any value but 0 stops the operation with `FRAZIL_ERR_CALLBACK`, soon after.
  int (*restoring)(void *user_data, const frazil_entry *entry);
  // The restore of a tree has found nothing at one of the `paths` of its options, and has published the
  // rest; nothing stops it any more. Called by the thread that made the call, before that returns. `path`
  // is not to be kept.
  void (*missing)(void *user_data, const char *path);
} frazil_observer;

// Writes the next bytes of a stream.
//
// It takes all of the `len` bytes at `data`, which are not to be kept, and returns 0; any other value is
// a failure, which stops the operation.
typedef int (*frazil_write_fn)(void *user_data, const void *data, size_t len);

// Options of a level or a signature. Zero is the default of each, and the default suits a backup.
typedef struct {
  // The size of this struct, as `frazil_level_options_init` sets it.
  size_t size;
  // Bytes in a block of the new signature, 1 to 2^30. Where `block_len`, `strong_len`, `weak_sum`
  // and `strong_sum` are all 0 they are those of the basis's signature, if it has whole BLAKE2b sums; else a 0
  // stands for 64 KiB, the whole sum, RabinKarp and BLAKE2b.
  uint32_t block_len;
  // Bytes kept of each strong sum.
  uint32_t strong_len;
  // A `frazil_weak_sum`: the rolling sum.
  int weak_sum;
  // A `frazil_strong_sum`: the strong sum.
  int strong_sum;
  // A `frazil_format`: the form of the level's stream.
  int format;
  // A `frazil_matching`: which matches are looked for.
  int matching;
  // A `frazil_engine`: who computes sums and finds matches.
  int engine;
  // How many threads compute sums; 0 for as many as there are processors. Unless it is 1, one more writes where the
  // level goes to a path. The stream is the same whatever the number.
  uint32_t threads;
  // Bytes of memory that buffers, index and new signature may take together, beside the basis's
  // signature where that is held; 0 for 1 GiB. The index takes at most 12 bytes for each block of the basis, or of
  // fewer than 2^18 up to 512 KiB more.
  uint64_t memory_limit;
  // The length of the source in bytes, where it is known; no more than that is read. A file that is
  // opened by its path is measured without being told.
  uint64_t target_len;
  // Names the basis in the stream, where its path is another than the target's; or NULL.
  const char *basis_path;
  // Whether a sealed level may be made against a signature of MD4 or shortened sums, on which a false
  // match can be crafted; the stream then says so.
  int allow_weak;
  // Whether the new signature is not held in memory. It then goes to `write_signature`, or nowhere,
  // and finishing the level gives none.
  int no_signature;
  // Is given the new signature on the way, so that memory stays constant however long the content is;
  // or NULL. Finishing the level then gives none.
  frazil_write_fn write_signature;
  // What `write_signature` is called with.
  void *signature_user_data;
  // A `frazil_format`: the form in which `write_signature` is given the signature.
  int signature_format;
  // Whether the holes that a file system tells of are taken for zeros without being read, in a file that is
  // opened by its path. File systems have told of holes where data was.
  int trust_holes;
  // Who follows the work and may stop it, or NULL.
  const frazil_observer *observer;
  // The file that holds the basis's signature, whose sums are then read from there as they are wanted: no
  // more than the index is in memory, and not that where aligned blocks alone are matched. It is to stay as it
  // is meanwhile, and is refused when it does not. The argument that is the basis's signature is then NULL. Or
  // NULL.
  const char *basis_signature_path;
  // Whether the content is not identified by its CRC32 and fingerprint, which spares that work; for plain streams
  // alone. Neither the summary nor the new signature then says what content it is of, nor the signature how long
  // that was.
  int no_identity;
  // Keep it 0.
  int reserved;
} frazil_level_options;

// Reads the next bytes of a stream.
//
// It puts at most `len` bytes, which is never 0, into `buffer`, which is not to be kept, and how many into
// `*read`, which is 0 when it is called; 0 bytes are the end of the stream. It may put fewer than it could, and is
// called again. It returns 0; any other value is a failure, which stops the operation. A count above
// `len` stops it with `FRAZIL_ERR_INVALID_INPUT`.
typedef int (*frazil_read_fn)(void *user_data, void *buffer, size_t len, size_t *read);

// Reads bytes from anywhere.
//
// It puts at most `len` of the bytes from `offset` on into `buffer`, which is not to be kept, and how
// many into `*read`, which is 0 when it is called. It may put fewer than it could, and is called again;
// 0 bytes say that there are none. It returns 0; any other value is a failure, which stops the
// operation. A count above `len` stops it with `FRAZIL_ERR_INVALID_INPUT`.
typedef int (*frazil_read_at_fn)(void *user_data,
                                 uint64_t offset,
                                 void *buffer,
                                 size_t len,
                                 size_t *read);

// Bytes that can be read anywhere, and more than once: a basis, or the delta of one level of a chain. It
// has these fields in all versions, so that there can be arrays of it.
typedef struct {
  // A `frazil_input_kind`, which says what of the rest counts.
  int kind;
  // A file descriptor.
  int fd;
  // A path.
  const char *path;
  // A callback; it is called by the thread that uses the handle, one call at a time.
  frazil_read_at_fn read_at;
  // What `read_at` is called with.
  void *user_data;
  // How many bytes `read_at` has; it is asked for no more.
  uint64_t length;
} frazil_input;

// Options of a patch or a chain. Zero is the default of each.
typedef struct {
  // The size of this struct, as `frazil_patch_options_init` sets it.
  size_t size;
  // The most bytes that may come out; 0 for 1 TiB. A sealed delta that declares more is refused before
  // anything is made.
  uint64_t max_output;
  // Bytes that the index of all levels of a chain may take together; 0 for 8 MiB.
  uint64_t index_memory;
  // A `frazil_verify_basis`: when the basis is verified.
  int verify_basis;
  // Whether a file that is there already may be replaced.
  int replace;
  // How many threads verify; 0 for as many as there are processors.
  uint32_t threads;
  // Keep it 0.
  uint32_t reserved;
  // Who follows the work and may stop it, or NULL.
  const frazil_observer *observer;
  // The basis where it has no path, for the functions that take a `basis_path`, which is then NULL; all
  // others refuse it. Or NULL.
  const frazil_input *basis;
} frazil_patch_options;

// Length, checksum and fingerprint of content.
typedef struct {
  // Bytes of content.
  uint64_t length;
  // The CRC32 (IEEE) of the content.
  uint32_t crc32;
  // Bytes of content under each leaf of the fingerprint's tree; fingerprints over leaves of different
  // lengths say nothing of each other, unless both are of no bytes.
  uint32_t leaf_len;
  // The fingerprint: the root of a tree of BLAKE2b-256 digests.
  uint8_t fingerprint[32];
} frazil_identity;

// What a finished patch or chain is.
typedef struct {
  // The size of this struct, as `frazil_patch_summary_init` sets it.
  size_t size;
  // Bytes of the target.
  uint64_t output_bytes;
  // Bytes of the deltas.
  uint64_t stream_bytes;
  // The target, which was verified; zeros where `verified` is 0.
  frazil_identity identity;
  // 1 if the target was held against what the stream promises of it; 0 for a plain delta, which
  // promises nothing.
  int verified;
  // 1 if the source had changed while the level was made, else 0.
  int dirty;
  // 1 if blocks were matched on sums that cannot be trusted to tell contents apart, else 0.
  int weak;
  // 0.
  int reserved;
} frazil_patch_summary;

// The sums of one block.
typedef struct {
  // The rolling sum.
  uint32_t weak_sum;
  // The strong sum; zeros past its length.
  uint8_t strong_sum[32];
} frazil_block_sum;

// A range of the new content, in bytes. Ranges come in order and without gaps.
typedef struct {
  // Where it begins.
  uint64_t offset;
  // How long it is. Where a plain signature leaves the length of the last block unknown, it counts as
  // whole.
  uint64_t len;
  // Where it is in the old content, if it is the same or moved; else 0.
  uint64_t from;
  // What it is to the old content.
  frazil_range_kind kind;
} frazil_range;

// What a signature or a delta says of itself. What it does not say, or not of this kind, is 0.
typedef struct {
  // The size of this struct, as `frazil_inspection_init` sets it.
  size_t size;
  // Bytes of the stream.
  uint64_t stream_bytes;
  // What it carries.
  frazil_stream_kind kind;
  // The form that it has.
  frazil_format format;
  // Of a signature: bytes in a block.
  uint32_t block_len;
  // Of a signature: bytes of each strong sum.
  uint32_t strong_len;
  // Of a signature: the rolling sum.
  frazil_weak_sum weak_sum;
  // Of a signature: the strong sum.
  frazil_strong_sum strong_sum;
  // Of a signature: how many blocks there are.
  uint64_t block_count;
  // Of a delta: how many ranges of the basis are copied.
  uint64_t copy_commands;
  // Of a delta: bytes that it copies from the basis.
  uint64_t copy_bytes;
  // Of a delta: bytes that are in the stream.
  uint64_t literal_bytes;
  // Of a delta: bytes of runs of zeros, which take no room in a sealed stream.
  uint64_t zero_bytes;
  // 1 if a delta says which basis it was made against, else 0.
  int has_basis;
  // Bytes of content under each leaf of the basis's fingerprint.
  uint32_t basis_leaf_len;
  // Bytes of the basis; 0 for a level 0.
  uint64_t basis_len;
  // The fingerprint of the basis.
  uint8_t basis_fingerprint[32];
  // The content that it is the signature of, or that a delta makes. A delta's is claimed, not proven:
  // only a patch shows.
  frazil_identity identity;
  // 1 if it says what the content is, as what is sealed does; else 0.
  int has_identity;
  // 1 if the source changed while it was made, else 0.
  int dirty;
  // 1 if blocks were matched on sums that cannot be trusted to tell contents apart, else 0.
  int weak;
  // 0.
  int reserved;
} frazil_inspection;

// What a finished level is.
typedef struct {
  // The size of this struct, as `frazil_level_summary_init` sets it.
  size_t size;
  // Bytes of content that were read.
  uint64_t source_bytes;
  // Bytes of the level's stream; 0 where only the signature was made.
  uint64_t stream_bytes;
  // Bytes of content that were found in the basis.
  uint64_t copy_bytes;
  // Bytes of content that are in the stream.
  uint64_t literal_bytes;
  // Bytes of content that are runs of zeros, which take no room in a sealed stream.
  uint64_t zero_bytes;
  // How many ranges of the basis are copied.
  uint64_t copy_commands;
  // The content that was read, which the level restores; zeros, of `leaf_len` too, where it was not to be identified.
  frazil_identity identity;
  // 1 if the content changed while it was read, else 0.
  int dirty;
  // Which matches were looked for in the end.
  frazil_matching matching;
} frazil_level_summary;

// What is left out of a tree: of its backup, and so of its verification. Zero leaves out nothing.
typedef struct {
  // The size of this struct, as `frazil_selection_init` sets it.
  size_t size;
  // Lines as in a `.gitignore` at the root of the tree, the last of which that matches decides; one that
  // begins with `!` takes in. UTF-8.
  const char *const *excludes;
  // How many `excludes` there are.
  size_t exclude_count;
  // Leaves out what is in a directory that holds anything of one of these names, `.nobackup` for one.
  const char *const *exclude_marked;
  // How many `exclude_marked` there are.
  size_t exclude_marked_count;
  // Whether to leave out what is in a directory with a valid `CACHEDIR.TAG`.
  int exclude_caches;
  // Whether to leave out what has the `nodump` flag.
  int nodump;
  // Whether to stay on the file system of the root.
  int one_file_system;
  // Keep it 0.
  int reserved;
} frazil_selection;

// Options of the backup of a tree. Zero is the default of each.
typedef struct {
  // The size of this struct, as `frazil_backup_options_init` sets it.
  size_t size;
  // A `frazil_filter`: what the archive is compressed with.
  int filter;
  // A `frazil_matching`: which matches are looked for in a file that changed.
  int matching;
  // Bytes in a block, 1,024 to 2^30; 0 for 64 KiB, and above level 0 for that of the chain, which can
  // be no other.
  uint32_t block_len;
  // How many threads compute, compress and read small files; 0 for as many as there are processors. Unless it is 1,
  // one more walks ahead, one reads ahead, and one writes where the archive goes to a path.
  uint32_t threads;
  // Bytes of memory that the signature and the index of one changed file may take, beside 16 MiB that any level
  // takes; 0 for 1 GiB.
  uint64_t memory_limit;
  // Bytes of memory for files of which not all names were met; 0 for 32 MiB. Beyond it, hard links
  // become files of their own, and that is reported.
  uint64_t link_memory;
  // Whether what a symbolic link leads to is backed up in its place.
  int dereference;
  // Whether every file is read, whatever its metadata says.
  int always_read;
  // Whether a file is taken for unchanged although its change time is another.
  int ignore_ctime;
  // Whether a file is taken for unchanged although its inode is another.
  int ignore_inode;
  // Whether the holes that a file system tells of are taken for zeros without being read.
  int trust_holes;
  // Whether a file on another device is read again; the number of a device may be another after every start
  // of the system.
  int compare_device;
  // What is left out, or NULL for nothing.
  const frazil_selection *selection;
  // Leaves out the regular files that these file descriptors are open on, wherever in the tree they are
  // met: the archive, where it is written to a file in there. The snapshot is left out without it.
  const int *leave_out_fds;
  // How many `leave_out_fds` there are.
  size_t leave_out_fd_count;
  // Who follows the work and may stop it, or NULL.
  const frazil_observer *observer;
} frazil_backup_options;

// Sixteen random bytes that name one level of a tree.
typedef struct {
  // The bytes; all zero where there is no such level.
  uint8_t bytes[16];
} frazil_level_id;

// What an archive and its snapshot say of themselves, and of where they belong.
typedef struct {
  // This level.
  frazil_level_id id;
  // The level that it is made against; zeros for a level 0.
  frazil_level_id parent;
  // The level 0 of its chain: itself for a level 0.
  frazil_level_id root;
  // When the backup began, in seconds since 1970.
  int64_t created;
  // How many levels are before it in its chain. For information: the ids decide.
  uint32_t number;
  // Bytes in a block; the same in a whole chain.
  uint32_t block_len;
  // 1 if there is a parent, else 0.
  int has_parent;
  // 0.
  int reserved;
} frazil_level_header;

// What a finished backup is.
typedef struct {
  // The size of this struct, as `frazil_backup_summary_init` sets it.
  size_t size;
  // Which level it is.
  frazil_level_header header;
  // Entries that the walk met.
  uint64_t entries;
  // Regular files whose content was read.
  uint64_t files_read;
  // Bytes of content that were read.
  uint64_t source_bytes;
  // Bytes of content and deltas in the archive, before any filter.
  uint64_t content_bytes;
  // Bytes of the archive.
  uint64_t stream_bytes;
  // Entries that are in the archive whole.
  uint64_t full;
  // Files that are there as a delta.
  uint64_t deltas;
  // Files with the content of another file of the level before.
  uint64_t copies;
  // Further names of files.
  uint64_t links;
  // Entries of which only the metadata changed.
  uint64_t metadata;
  // Entries that are gone.
  uint64_t deleted;
  // What could not be backed up as it was; the observer was told of each.
  uint64_t problems;
} frazil_backup_summary;

// The new owner of what belonged to another.
typedef struct {
  // The number in the archive.
  uint32_t from;
  // The number that is restored.
  uint32_t to;
} frazil_owner_change;

// Options of the restoration of a level. Zero is the default of each.
typedef struct {
  // The size of this struct, as `frazil_restore_options_init` sets it.
  size_t size;
  // Whether what is in the way is replaced; a level 0 is then restored anew, whatever level is there. What the
  // archive does not name is never touched.
  int overwrite;
  // Whether to go on from a level that was restored in part; an entry that lacks what it is made from is
  // then left as it is and reported, and the result is `FRAZIL_PARTIAL` again.
  int accept_partial;
  // Whether to restore what is whole of a damaged archive; else damage anywhere leaves the tree as it
  // was. The result is then `FRAZIL_PARTIAL`.
  int keep_going;
  // Whether root restores what gives power over the system: devices, set-id bits, and attributes named
  // `trusted.*` and `security.*`.
  int privileged;
  // Whether root restores owners by their numbers instead of by their names.
  int numeric_owner;
  // Whether everything is read and verified, and nothing changed.
  int dry_run;
  // A `frazil_sync`: when what was restored is flushed to the disk.
  int sync;
  // How many threads verify; 0 for as many as there are processors.
  uint32_t threads;
  // Bytes that one restored file may have; 0 for 1 TiB.
  uint64_t max_file_len;
  // The level at which the destination stands, where it does not say so itself; or NULL.
  const frazil_level_id *assume_parent;
  // Restores these paths and what is below them alone; of 0 paths, everything. All levels of a chain
  // have to be restored with the same. What needs a file that is not selected, as a further name of it or
  // made from it, is left out and reported.
  const char *const *paths;
  // How many `paths` there are.
  size_t path_count;
  // Leaves out so many of the first names of each path; what has no more is not restored.
  size_t strip;
  // Puts everything below this path of the destination, which is made if need be; or NULL.
  const char *prefix;
  // Users that become others.
  const frazil_owner_change *users;
  // How many `users` there are.
  size_t user_count;
  // Groups that become others.
  const frazil_owner_change *groups;
  // How many `groups` there are.
  size_t group_count;
  // Whether the content of files that are replaced, deleted or only given other metadata is read and held
  // against the level before too, not their kind and size alone. What content is made from always is.
  int verify_parent;
  // Keep it 0.
  int reserved;
  // Bytes that all restored files of the level may have together; 0 for no limit. A hole counts.
  uint64_t max_output;
  // Who follows the work and may stop it until publishing begins, or NULL.
  const frazil_observer *observer;
} frazil_restore_options;

// What the restoration of one level has done.
typedef struct {
  // The size of this struct, as `frazil_restore_summary_init` sets it.
  size_t size;
  // Which level it is.
  frazil_level_header header;
  // Entries that were made, changed or deleted; a directory may count twice.
  uint64_t entries;
  // Files whose content was written, or in a dry run would be.
  uint64_t files;
  // Bytes of content that were written, or in a dry run would be.
  uint64_t output_bytes;
  // Entries that were deleted.
  uint64_t deleted;
  // What could not be restored as it was; the observer was told of each.
  uint64_t problems;
  // What the backup itself could not read as it was.
  uint64_t backup_problems;
  // 1 if the destination stood at this level before, else 0.
  int already_there;
  // 1 if the archive was whole, and all of it that is selected was put in its place, else 0.
  int whole;
  // How many of the selected paths there is nothing at, at this level; the observer's `missing` was told of
  // each.
  uint64_t missing;
} frazil_restore_summary;

// What was done with what a run of before had left behind.
typedef struct {
  // The size of this struct, as `frazil_recovery_init` sets it.
  size_t size;
  // What it was.
  frazil_recovery_kind kind;
  // 1 if the destination now stands at a level that is known, else 0.
  int has_level;
  // The level that it stands at.
  frazil_level_id level;
} frazil_recovery;

// What an archive is as a whole.
typedef struct {
  // The size of this struct, as `frazil_archive_summary_init` sets it.
  size_t size;
  // Which level of which chain it is.
  frazil_level_header header;
  // Entries that the level says anything of; a directory may count twice.
  uint64_t records;
  // Bytes of content and of deltas, before any filter.
  uint64_t content_bytes;
  // What could not be backed up as it was.
  uint64_t problems;
} frazil_archive_summary;

// Is told of one entry, by the thread that made the call; `entry` is not to be kept. Any value but 0 stops
// the operation.
typedef int (*frazil_entry_fn)(void *user_data, const frazil_entry *entry);

// What a snapshot is as a whole.
typedef struct {
  // The size of this struct, as `frazil_snapshot_summary_init` sets it.
  size_t size;
  // Which level of which chain it is of.
  frazil_level_header header;
  // How many entries it has.
  uint64_t entries;
} frazil_snapshot_summary;

// What a snapshot says of one entry. Later versions may add fields at its end.
typedef struct {
  // Where in the tree it is; the root is `.`.
  const char *path;
  // Which entry it is a further name of, or NULL.
  const char *link;
  // What it is, never NULL.
  const frazil_metadata *metadata;
  // The fingerprint of a regular file's content, 32 bytes, or NULL.
  const uint8_t *fingerprint;
  // How many blocks the snapshot has the sums of.
  uint64_t block_count;
  // 1 if it changed while it was read, else 0.
  int dirty;
  // 1 if it changed so shortly before it was read that the next level reads it again, else 0.
  int racy;
  // 1 if it could not be read, and this is what the level before knew of it; else 0.
  int stale;
} frazil_snapshot_entry;

// Is told of one entry, by the thread that made the call; `entry` is not to be kept. Any value but 0 stops
// the operation.
typedef int (*frazil_snapshot_entry_fn)(void *user_data, const frazil_snapshot_entry *entry);

// Options of the verification of a tree. Zero is the default of each.
typedef struct {
  // The size of this struct, as `frazil_verify_options_init` sets it.
  size_t size;
  // What was left out of the backup, and is no difference; or NULL for nothing.
  const frazil_selection *selection;
  // Who follows the work and may stop it, or NULL.
  const frazil_observer *observer;
  // Whether what a symbolic link leads to was backed up in its place, and is compared so.
  int dereference;
  // Keep it 0.
  int reserved;
} frazil_verify_options;

// What a verified tree is.
typedef struct {
  // The size of this struct, as `frazil_verify_summary_init` sets it.
  size_t size;
  // The last level.
  frazil_level_header header;
  // Entries that were held against the tree.
  uint64_t entries;
  // Bytes of content that were read in the tree.
  uint64_t source_bytes;
  // How many differences were found.
  uint64_t differences;
} frazil_verify_summary;

// Where a tree differs from what its archives say. Later versions may add fields at its end.
typedef struct {
  // Where in the tree; the root is `.`.
  const char *path;
  // What differs.
  frazil_difference_kind kind;
} frazil_difference;

// Is told of one difference, by the thread that made the call; `difference` is not to be kept. Any value but 0
// stops the operation.
typedef int (*frazil_difference_fn)(void *user_data, const frazil_difference *difference);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The version of the library that is linked, as `MAJOR.MINOR.PATCH`.
//
// Returns a string that lives as long as the process; do not free it. May be called from any thread.
// A newer patch version does for any program; before 1.0, major and minor have to be those of the header.
const char *frazil_version(void);

// The version of the library that is linked as one number, as `FRAZIL_VERSION_NUMBER` is that of the header.
int frazil_version_number(void);

// The version of the librsync that is in the library, as it names itself.
//
// Returns a string that lives as long as the process.
const char *frazil_librsync_version(void);

// The version of the libarchive that is linked, as `MAJOR.MINOR.PATCH`, or the empty string where it is one
// that cannot be used.
//
// Returns a string that lives as long as the process.
const char *frazil_libarchive_version(void);

// A status in a few words of English, for one that comes without an error object.
//
// Returns a string that lives as long as the process, "unknown status" for any other number.
const char *frazil_status_name(int status);

// The status that the function returned; `FRAZIL_OK` of NULL.
frazil_status frazil_error_status(const frazil_error *error);

// What was being done, to what, where, what was expected and what was found: one line of UTF-8 in
// English, without a full stop. Lives as long as the error; the empty string of NULL.
const char *frazil_error_message(const frazil_error *error);

// The file that was being worked on, as bytes in the encoding of the file system, or NULL where it is
// not known. Of a stream that has no path of its own, it is the file that the work was for; which delta of a
// chain it was, the message says. Lives as long as the error.
const char *frazil_error_path(const frazil_error *error);

// The offset in bytes at which it happened, in the stream or file that the message names, or
// `FRAZIL_UNKNOWN`.
uint64_t frazil_error_offset(const frazil_error *error);

// The operating system's `errno`, or 0 where none lies beneath.
int frazil_error_os_code(const frazil_error *error);

// What the callback returned that failed, which is not 0, with `FRAZIL_ERR_CALLBACK`; 0 with every other
// status.
int frazil_error_callback_code(const frazil_error *error);

// Frees an error. Takes NULL.
void frazil_error_free(frazil_error *error);

// Makes an observer that does nothing, of `size` bytes: `sizeof (frazil_observer)`.
void frazil_observer_init(frazil_observer *observer, size_t size);

// Reads the file at `fs_path` once, gives its signature and writes its level to a callback: level 0
// where `ex_signature` is NULL, else level n against the signature of level n-1.
//
// `write` may be NULL when only the signature is wanted, `signature` when only the level is, and
// `options` for the default. Returns `FRAZIL_DIRTY` when the file changed while it was read.
frazil_status frazil_gen_sig_from_file(const char *fs_path,
                                       const frazil_signature *ex_signature,
                                       const frazil_level_options *options,
                                       frazil_write_fn write,
                                       void *user_data,
                                       frazil_signature **signature,
                                       frazil_error **error);

// As `frazil_gen_sig_from_file`, of what `read` gives, which is called with `read_user_data`.
frazil_status frazil_gen_sig_from_stream(frazil_read_fn read,
                                         void *read_user_data,
                                         const frazil_signature *ex_signature,
                                         const frazil_level_options *options,
                                         frazil_write_fn write,
                                         void *write_user_data,
                                         frazil_signature **signature,
                                         frazil_error **error);

// Applies a delta to a file.
//
// Where `read` is NULL, the file at `source` is a delta and is applied to `destination`, as
// `frazil_patch_from_stream` does. Else `source` is the basis, `read` gives the delta, and `destination`
// is created. `options` may be NULL.
frazil_status frazil_patch_from_file(const char *source,
                                     const char *destination,
                                     frazil_read_fn read,
                                     void *user_data,
                                     const frazil_patch_options *options,
                                     frazil_patch_summary *summary,
                                     frazil_error **error);

// Applies the delta that `read` gives: a level 0 creates the file at `destination`, a level n turns the
// file that is there into its next state, whole or not at all. `options` and `summary` may be NULL.
//
// A level 0 over a file that is there fails with `FRAZIL_ERR_WRONG_BASIS`, unless the options let it
// replace the file.
frazil_status frazil_patch_from_stream(frazil_read_fn read,
                                       void *user_data,
                                       const char *destination,
                                       const frazil_patch_options *options,
                                       frazil_patch_summary *summary,
                                       frazil_error **error);

// Computes the signature of a file, a device or anything that has a path. `options` may be NULL. Returns
// `FRAZIL_DIRTY` when it changed while it was read.
frazil_status frazil_signature_of_path(const char *path,
                                       const frazil_level_options *options,
                                       frazil_signature **signature,
                                       frazil_error **error);

// As `frazil_signature_of_path`, of what the file descriptor `fd` gives from where it stands.
frazil_status frazil_signature_of_fd(int fd,
                                     const frazil_level_options *options,
                                     frazil_signature **signature,
                                     frazil_error **error);

// As `frazil_signature_of_path`, of what a callback reads.
frazil_status frazil_signature_of_stream(frazil_read_fn read,
                                         void *user_data,
                                         const frazil_level_options *options,
                                         frazil_signature **signature,
                                         frazil_error **error);

// As `frazil_signature_of_path`, of bytes in memory.
frazil_status frazil_signature_of_data(const void *data,
                                       size_t len,
                                       const frazil_level_options *options,
                                       frazil_signature **signature,
                                       frazil_error **error);

// Loads a signature from a file, sealed or plain, into at most `memory_limit` bytes; 0 is no limit.
frazil_status frazil_signature_load(const char *path,
                                    uint64_t memory_limit,
                                    frazil_signature **signature,
                                    frazil_error **error);

// As `frazil_signature_load`, out of the file descriptor `fd` to its end.
frazil_status frazil_signature_load_fd(int fd,
                                       uint64_t memory_limit,
                                       frazil_signature **signature,
                                       frazil_error **error);

// As `frazil_signature_load`, out of a callback to its end.
frazil_status frazil_signature_load_stream(frazil_read_fn read,
                                           void *user_data,
                                           uint64_t memory_limit,
                                           frazil_signature **signature,
                                           frazil_error **error);

// As `frazil_signature_load`, out of bytes in memory.
frazil_status frazil_signature_load_data(const void *data,
                                         size_t len,
                                         frazil_signature **signature,
                                         frazil_error **error);

// Saves a signature as a new file, which appears whole or not at all; `format` is a `frazil_format`.
// `FRAZIL_ERR_EXISTS` when something is at `path`, which is never replaced.
//
// A signature of MD4 or shortened sums, or one that was loaded from the plain format and knows neither
// length nor fingerprint, cannot be sealed.
frazil_status frazil_signature_save(const frazil_signature *signature,
                                    const char *path,
                                    int format,
                                    frazil_error **error);

// As `frazil_signature_save`, to the file descriptor `fd`.
frazil_status frazil_signature_save_fd(const frazil_signature *signature,
                                       int fd,
                                       int format,
                                       frazil_error **error);

// As `frazil_signature_save`, to a callback.
frazil_status frazil_signature_save_stream(const frazil_signature *signature,
                                           int format,
                                           frazil_write_fn write,
                                           void *user_data,
                                           frazil_error **error);

// Frees a signature. Takes NULL.
void frazil_signature_free(frazil_signature *signature);

// Bytes in a block, the last of which may be shorter; 0 of NULL.
uint32_t frazil_signature_block_len(const frazil_signature *signature);

// Bytes of each strong sum; 0 of NULL.
uint32_t frazil_signature_strong_len(const frazil_signature *signature);

// Which rolling sum it has; `FRAZIL_WEAK_SUM_DEFAULT` of NULL.
frazil_weak_sum frazil_signature_weak_sum(const frazil_signature *signature);

// Which strong sum it has; `FRAZIL_STRONG_SUM_DEFAULT` of NULL.
frazil_strong_sum frazil_signature_strong_sum(const frazil_signature *signature);

// How many blocks there are; 0 of NULL.
uint64_t frazil_signature_block_count(const frazil_signature *signature);

// Bytes of content, or `FRAZIL_UNKNOWN`: the plain format does not say.
uint64_t frazil_signature_length(const frazil_signature *signature);

// 1 if the content changed while it was read, so that this is the signature of the bytes that were read
// and perhaps of no state the source was ever in; else 0.
int frazil_signature_is_dirty(const frazil_signature *signature);

// Length, checksum and fingerprint of the content. `FRAZIL_END` when the signature does not have them:
// the plain format does not.
frazil_status frazil_signature_identity(const frazil_signature *signature,
                                        frazil_identity *identity,
                                        frazil_error **error);

// The sums of block `index`, counted from 0. `FRAZIL_END` when there are no so many.
frazil_status frazil_signature_block(const frazil_signature *signature,
                                     uint64_t index,
                                     frazil_block_sum *sum,
                                     frazil_error **error);

// Compares two signatures in memory; both may be freed before the comparison is.
//
// Only blocks that stand on the grid of both can be recognised: after an insertion in the middle of a
// block, all that follows has changed. `FRAZIL_ERR_INCOMPARABLE` unless sums and block length agree.
frazil_status frazil_comparison_open(const frazil_signature *old_signature,
                                     const frazil_signature *new_signature,
                                     frazil_comparison **comparison,
                                     frazil_error **error);

// Compares two signatures in files, in constant memory: blocks that moved count as changed.
frazil_status frazil_comparison_open_paths(const char *old_path,
                                           const char *new_path,
                                           frazil_comparison **comparison,
                                           frazil_error **error);

// Gives the next range, or `FRAZIL_END` after the last.
frazil_status frazil_comparison_next(frazil_comparison *comparison,
                                     frazil_range *range,
                                     frazil_error **error);

// Frees a comparison. Takes NULL.
void frazil_comparison_free(frazil_comparison *comparison);

// Makes an inspection that can be filled, of `size` bytes: `sizeof (frazil_inspection)`.
void frazil_inspection_init(frazil_inspection *inspection, size_t size);

// Reads the signature or delta in the file at `path` to its end, in constant memory, checks all that can
// be checked without the content, and says what it is. So a level is verified without its basis.
// `inspection` may be NULL.
frazil_status frazil_inspection_of_path(const char *path,
                                        frazil_inspection *inspection,
                                        frazil_error **error);

// As `frazil_inspection_of_path`, of what the file descriptor `fd` gives from where it stands.
frazil_status frazil_inspection_of_fd(int fd, frazil_inspection *inspection, frazil_error **error);

// As `frazil_inspection_of_path`, of what a callback reads.
frazil_status frazil_inspection_of_stream(frazil_read_fn read,
                                          void *user_data,
                                          frazil_inspection *inspection,
                                          frazil_error **error);

// Makes a summary that can be filled, of `size` bytes: `sizeof (frazil_level_summary)`.
void frazil_level_summary_init(frazil_level_summary *summary, size_t size);

// Opens the file or device at `path` to make a level of it against the signature `basis`; NULL makes a
// level 0. `options` may be NULL.
//
// Read the level's stream by `frazil_level_read`, then call `frazil_level_finish` for the new signature.
// Should the file change while it is read, the level restores the bytes that were read, and finishing
// it returns `FRAZIL_DIRTY`.
frazil_status frazil_level_open(const char *path,
                                const frazil_signature *basis,
                                const frazil_level_options *options,
                                frazil_level **level,
                                frazil_error **error);

// As `frazil_level_open`, of what the file descriptor `fd` gives from where it stands: a pipe, a socket,
// a file. Whether it changes while it is read is not noticed.
frazil_status frazil_level_open_fd(int fd,
                                   const frazil_signature *basis,
                                   const frazil_level_options *options,
                                   frazil_level **level,
                                   frazil_error **error);

// As `frazil_level_open`, of what a callback reads.
frazil_status frazil_level_open_stream(frazil_read_fn read,
                                       void *user_data,
                                       const frazil_signature *basis,
                                       const frazil_level_options *options,
                                       frazil_level **level,
                                       frazil_error **error);

// Reads the next bytes of the level's stream into `buffer` and puts how many into `*read`, at most
// `len`; 0, unless `len` is 0, is the end of the stream.
//
// It reads from the source as it needs to. A failure of the source comes after all output that came
// before it; reading again asks the source again.
frazil_status frazil_level_read(frazil_level *level,
                                void *buffer,
                                size_t len,
                                size_t *read,
                                frazil_error **error);

// Ends a level whose stream was read to its end and gives the new signature, which the next level needs;
// `signature` and `summary` may be NULL.
//
// Before anything was read it computes the signature alone, faster; after a part it fails, since the
// rest of the stream would be lost. Returns `FRAZIL_DIRTY` when the source changed while it was read.
// Whatever it returns, the level can then only be freed.
frazil_status frazil_level_finish(frazil_level *level,
                                  frazil_signature **signature,
                                  frazil_level_summary *summary,
                                  frazil_error **error);

// Frees a level, finished or not. Takes NULL.
void frazil_level_free(frazil_level *level);

// Makes the level of the file at `path` and publishes its stream as the new file at `level_path`, which
// appears whole or not at all: `FRAZIL_ERR_EXISTS` when something is there, which is never replaced. Else as
// `frazil_level_open` and `frazil_level_finish`.
frazil_status frazil_level_file(const char *path,
                                const frazil_signature *basis,
                                const char *level_path,
                                const frazil_level_options *options,
                                frazil_signature **signature,
                                frazil_level_summary *summary,
                                frazil_error **error);

// Makes the default options, of `size` bytes: `sizeof (frazil_level_options)`.
void frazil_level_options_init(frazil_level_options *options, size_t size);

// Prepares to be fed content and to write the stream of its level against the signature `basis` to a
// callback; NULL makes a level 0. `options` may be NULL.
//
// The callback is called from `frazil_level_writer_feed` and `_finish`, with large pieces. Without
// `_finish` the stream has no trailer, and no reader will take it for complete.
frazil_status frazil_level_writer_new(const frazil_signature *basis,
                                      const frazil_level_options *options,
                                      frazil_write_fn write,
                                      void *user_data,
                                      frazil_level_writer **writer,
                                      frazil_error **error);

// Takes all of the `len` bytes of content at `data`. If it fails, the level can only be freed.
frazil_status frazil_level_writer_feed(frazil_level_writer *writer,
                                       const void *data,
                                       size_t len,
                                       frazil_error **error);

// Ends the content, writes the rest of the stream and gives the new signature; `signature` and `summary`
// may be NULL. Whatever it returns, the level can then only be freed.
frazil_status frazil_level_writer_finish(frazil_level_writer *writer,
                                         frazil_signature **signature,
                                         frazil_level_summary *summary,
                                         frazil_error **error);

// Frees a level, finished or not. Takes NULL.
void frazil_level_writer_free(frazil_level_writer *writer);

// Opens the delta in the file at `delta_path`, to be applied to the file at `basis_path`; NULL is no
// basis, as for a level 0. `options` may be NULL.
//
// Read the target by `frazil_patch_read`. What has been read is **provisional** until the read that
// gives 0 bytes: only then has the whole target been held against the trailer of the delta.
frazil_status frazil_patch_open(const char *basis_path,
                                const char *delta_path,
                                const frazil_patch_options *options,
                                frazil_patch **patch,
                                frazil_error **error);

// As `frazil_patch_open`, with the delta that the file descriptor `fd` gives from where it stands.
frazil_status frazil_patch_open_fd(const char *basis_path,
                                   int fd,
                                   const frazil_patch_options *options,
                                   frazil_patch **patch,
                                   frazil_error **error);

// As `frazil_patch_open`, with the delta that a callback reads.
frazil_status frazil_patch_open_stream(const char *basis_path,
                                       frazil_read_fn read,
                                       void *user_data,
                                       const frazil_patch_options *options,
                                       frazil_patch **patch,
                                       frazil_error **error);

// Opens the deltas of the levels on top of a basis, lowest level first, to be applied in one pass.
//
// Every delta is read once and checked before anything comes out; else as `frazil_patch_open`.
frazil_status frazil_patch_open_chain(const char *basis_path,
                                      const char *const *delta_paths,
                                      size_t delta_count,
                                      const frazil_patch_options *options,
                                      frazil_patch **patch,
                                      frazil_error **error);

// As `frazil_patch_open_chain`, with deltas that are files, descriptors or callbacks.
frazil_status frazil_patch_open_chain_inputs(const char *basis_path,
                                             const frazil_input *deltas,
                                             size_t delta_count,
                                             const frazil_patch_options *options,
                                             frazil_patch **patch,
                                             frazil_error **error);

// Reads the next bytes of the target into `buffer` and puts how many into `*read`, at most `len`; 0,
// unless `len` is 0, is the end, and says that the target was verified.
//
// A failure of the delta's source leaves the patch as it was; reading again goes on where it stopped.
frazil_status frazil_patch_read(frazil_patch *patch,
                                void *buffer,
                                size_t len,
                                size_t *read,
                                frazil_error **error);

// Says what was done, after the target was read to its end; `FRAZIL_ERR_STATE` when it was not.
// `summary` may be NULL. Whatever it returns, the patch can then only be freed.
frazil_status frazil_patch_finish(frazil_patch *patch,
                                  frazil_patch_summary *summary,
                                  frazil_error **error);

// Frees a patch, finished or not. Takes NULL.
void frazil_patch_free(frazil_patch *patch);

// Makes the default options, of `size` bytes: `sizeof (frazil_patch_options)`.
void frazil_patch_options_init(frazil_patch_options *options, size_t size);

// Makes a summary that can be filled, of `size` bytes: `sizeof (frazil_patch_summary)`.
void frazil_patch_summary_init(frazil_patch_summary *summary, size_t size);

// Prepares to be fed a delta, to apply it to the file at `basis_path` and to write the target to a
// callback; NULL is no basis, as for a level 0. `options` may be NULL.
//
// The callback is called from `frazil_patch_writer_feed` and `_finish`. What it was given is
// **provisional** until `_finish` has succeeded.
frazil_status frazil_patch_writer_new(const char *basis_path,
                                      const frazil_patch_options *options,
                                      frazil_write_fn write,
                                      void *user_data,
                                      frazil_patch_writer **writer,
                                      frazil_error **error);

// As `frazil_patch_writer_new`, into the file at `target_path`, which may be that at `basis_path`: it
// appears whole at `frazil_patch_writer_finish`, or not at all. Long runs of zeros become holes.
frazil_status frazil_patch_writer_new_file(const char *basis_path,
                                           const char *target_path,
                                           const frazil_patch_options *options,
                                           frazil_patch_writer **writer,
                                           frazil_error **error);

// Takes all of the `len` bytes of the delta at `data`. If it fails, the patch can only be freed.
frazil_status frazil_patch_writer_feed(frazil_patch_writer *writer,
                                       const void *data,
                                       size_t len,
                                       frazil_error **error);

// Ends the delta, verifies the target and publishes it if it is a file; `summary` may be NULL.
// `FRAZIL_ERR_TRUNCATED` when the delta is not whole. Whatever it returns, the patch can then only be
// freed.
frazil_status frazil_patch_writer_finish(frazil_patch_writer *writer,
                                         frazil_patch_summary *summary,
                                         frazil_error **error);

// Frees a patch, finished or not; a file that was not published leaves nothing. Takes NULL.
void frazil_patch_writer_free(frazil_patch_writer *writer);

// Applies the delta in the file at `delta_path` to the file at `basis_path` and publishes the result as
// `target_path`, which may be the same path; NULL is no basis, as for a level 0. `options` and `summary`
// may be NULL.
//
// The target appears whole and verified, or what was there stays as it was. `FRAZIL_ERR_EXISTS` when
// something is there and `replace` is 0.
frazil_status frazil_patch_file(const char *basis_path,
                                const char *delta_path,
                                const char *target_path,
                                const frazil_patch_options *options,
                                frazil_patch_summary *summary,
                                frazil_error **error);

// As `frazil_patch_file`, with the delta that the file descriptor `fd` gives from where it stands.
frazil_status frazil_patch_file_fd(const char *basis_path,
                                   int fd,
                                   const char *target_path,
                                   const frazil_patch_options *options,
                                   frazil_patch_summary *summary,
                                   frazil_error **error);

// As `frazil_patch_file`, with the delta that a callback reads.
frazil_status frazil_patch_file_stream(const char *basis_path,
                                       frazil_read_fn read,
                                       void *user_data,
                                       const char *target_path,
                                       const frazil_patch_options *options,
                                       frazil_patch_summary *summary,
                                       frazil_error **error);

// Applies the deltas of several levels, lowest first, in one pass; else as `frazil_patch_file`.
frazil_status frazil_patch_file_chain(const char *basis_path,
                                      const char *const *delta_paths,
                                      size_t delta_count,
                                      const char *target_path,
                                      const frazil_patch_options *options,
                                      frazil_patch_summary *summary,
                                      frazil_error **error);

// As `frazil_patch_file_chain`, with deltas that are files, descriptors or callbacks.
frazil_status frazil_patch_file_chain_inputs(const char *basis_path,
                                             const frazil_input *deltas,
                                             size_t delta_count,
                                             const char *target_path,
                                             const frazil_patch_options *options,
                                             frazil_patch_summary *summary,
                                             frazil_error **error);

// Turns the file at `path` itself into the target of the delta in the file at `delta_path`, without a
// second copy.
//
// **What this gives up:** once writing has begun the old content is gone, and a crash or a full disk
// leaves a file that is neither old nor new. The whole delta, and the basis where the delta is sealed,
// are checked before the first write. An observer can stop the checks, but not the writing.
//
// After a crash, the same call tells. With a sealed delta, it succeeds where the file is still the old one, and
// refuses one that is not, `FRAZIL_ERR_WRONG_BASIS`, without a write: it may be the new one, or neither. A plain delta
// is applied to whatever is there.
frazil_status frazil_patch_in_place(const char *path,
                                    const char *delta_path,
                                    const frazil_patch_options *options,
                                    frazil_patch_summary *summary,
                                    frazil_error **error);

// Makes a selection that leaves out nothing, of `size` bytes: `sizeof (frazil_selection)`.
void frazil_selection_init(frazil_selection *selection, size_t size);

// Opens the tree at `root`, a directory or a single file, to back it up against the level whose snapshot
// is the file at `since_path`; NULL makes a level 0. That one is read more than once, so that what was
// renamed is found: what comes out of a pipe has to be saved first. The new snapshot is published as the new file at
// `snapshot_path` by `frazil_backup_finish`, whole or not at all; `FRAZIL_ERR_EXISTS` when something is there,
// which is never replaced. `options` may be NULL.
//
// Read the archive by `frazil_backup_read`. What cannot be read, or changes while it is read, is told to
// the observer and counted, and the backup goes on.
frazil_status frazil_backup_open(const char *root,
                                 const char *since_path,
                                 const char *snapshot_path,
                                 const frazil_backup_options *options,
                                 frazil_backup **backup,
                                 frazil_error **error);

// Reads the next bytes of the archive into `buffer` and puts how many into `*read`, at most `len`; 0,
// unless `len` is 0, is the end of the archive. What a failure ends stays ended.
frazil_status frazil_backup_read(frazil_backup *backup,
                                 void *buffer,
                                 size_t len,
                                 size_t *read,
                                 frazil_error **error);

// Publishes the snapshot and says what was done, after the archive was read to its end and is where it is
// to stay; `FRAZIL_ERR_STATE` when it was not read. `summary` may be NULL.
//
// Returns `FRAZIL_PARTIAL` when something could not be backed up as it was. Whatever it returns, the
// backup can then only be freed.
frazil_status frazil_backup_finish(frazil_backup *backup,
                                   frazil_backup_summary *summary,
                                   frazil_error **error);

// Frees a backup, finished or not; a snapshot that was not published leaves nothing. Takes NULL.
void frazil_backup_free(frazil_backup *backup);

// Backs up a tree in one call and writes the archive to a callback; else as `frazil_backup_open` and
// `frazil_backup_finish`. `options` and `summary` may be NULL.
frazil_status frazil_backup_tree(const char *root,
                                 const char *since_path,
                                 const char *snapshot_path,
                                 const frazil_backup_options *options,
                                 frazil_write_fn write,
                                 void *user_data,
                                 frazil_backup_summary *summary,
                                 frazil_error **error);

// As `frazil_backup_tree`, and publishes the archive as the new file at `archive_path`: both it and the
// snapshot appear whole or not at all, the archive first, and neither is backed up. One place for both is
// `FRAZIL_ERR_INVALID_INPUT`.
frazil_status frazil_backup_tree_file(const char *root,
                                      const char *since_path,
                                      const char *snapshot_path,
                                      const char *archive_path,
                                      const frazil_backup_options *options,
                                      frazil_backup_summary *summary,
                                      frazil_error **error);

// Makes the default options, of `size` bytes: `sizeof (frazil_backup_options)`.
void frazil_backup_options_init(frazil_backup_options *options, size_t size);

// Makes a summary that can be filled, of `size` bytes: `sizeof (frazil_backup_summary)`.
void frazil_backup_summary_init(frazil_backup_summary *summary, size_t size);

// Begins to restore one level into the directory `destination`, which is made if need be. `options` may
// be NULL.
//
// Nothing is published before `frazil_restore_finish`. Level 0 wants an empty destination, unless it may
// overwrite; level n wants one that stands at level n-1, of which a note is kept there until
// `frazil_restore_conclude`.
frazil_status frazil_restore_open(const char *destination,
                                  const frazil_restore_options *options,
                                  frazil_restore **restore,
                                  frazil_error **error);

// Takes all of the `len` bytes of the archive at `data`. A failure of the restore may come out of a
// later call than the one that fed the cause. If it fails, the restore can only be freed.
frazil_status frazil_restore_feed(frazil_restore *restore,
                                  const void *data,
                                  size_t len,
                                  frazil_error **error);

// Ends the archive, publishes the level and says what was done, or fails unless the archive is whole;
// `summary` may be NULL.
//
// Returns `FRAZIL_PARTIAL` when something is not as the level has it. On any failure the tree is as it
// was, or is finished by the next restore or by `frazil_restore_recover`. Whatever it returns, the
// restore can then only be freed.
frazil_status frazil_restore_finish(frazil_restore *restore,
                                    frazil_restore_summary *summary,
                                    frazil_error **error);

// Frees a restore, finished or not; what was not published leaves the tree as it was. Takes NULL.
void frazil_restore_free(frazil_restore *restore);

// Restores the level whose archive is the file at `archive_path` into the directory `destination`; else
// as `frazil_restore_open` and `frazil_restore_finish`. `options` and `summary` may be NULL.
frazil_status frazil_restore_tree(const char *archive_path,
                                  const char *destination,
                                  const frazil_restore_options *options,
                                  frazil_restore_summary *summary,
                                  frazil_error **error);

// As `frazil_restore_tree`, of the archive that the file descriptor `fd` gives from where it stands.
frazil_status frazil_restore_tree_fd(int fd,
                                     const char *destination,
                                     const frazil_restore_options *options,
                                     frazil_restore_summary *summary,
                                     frazil_error **error);

// As `frazil_restore_tree`, of the archive that a callback reads.
frazil_status frazil_restore_tree_stream(frazil_read_fn read,
                                         void *user_data,
                                         const char *destination,
                                         const frazil_restore_options *options,
                                         frazil_restore_summary *summary,
                                         frazil_error **error);

// Ends a chain: removes the note of the level that the directory `destination` stands at.
// `FRAZIL_ERR_STATE` while a restore is under way there, or was left half-way.
frazil_status frazil_restore_conclude(const char *destination, frazil_error **error);

// Says in `*level` which level the directory `destination` stands at, or will once a restore that was killed
// is finished; nothing is changed. `FRAZIL_END`, and zeros, where no chain of restores is under way, as where
// there is no such directory yet, and `FRAZIL_ERR_STATE` while a restore is at work there.
frazil_status frazil_restore_level(const char *destination,
                                   frazil_level_id *level,
                                   frazil_error **error);

// Makes a recovery that can be filled, of `size` bytes: `sizeof (frazil_recovery)`.
void frazil_recovery_init(frazil_recovery *recovery, size_t size);

// Finishes, or undoes, what a restore that was killed has left in the directory `destination`, which need not
// be there. `observer` is told of each entry that could not be put in its place, and cannot stop the work; it
// and `recovery` may be NULL.
//
// Returns `FRAZIL_PARTIAL` when something is not as the level has it that the destination stands at.
frazil_status frazil_restore_recover(const char *destination,
                                     const frazil_observer *observer,
                                     frazil_recovery *recovery,
                                     frazil_error **error);

// Makes the default options, of `size` bytes: `sizeof (frazil_restore_options)`.
void frazil_restore_options_init(frazil_restore_options *options, size_t size);

// Makes a summary that can be filled, of `size` bytes: `sizeof (frazil_restore_summary)`.
void frazil_restore_summary_init(frazil_restore_summary *summary, size_t size);

// Makes a summary that can be filled, of `size` bytes: `sizeof (frazil_archive_summary)`.
void frazil_archive_summary_init(frazil_archive_summary *summary, size_t size);

// Says in `*header` which level of which chain the archive at `archive_path` is, and reads no more of it
// than that needs.
frazil_status frazil_archive_header(const char *archive_path,
                                    frazil_level_header *header,
                                    frazil_error **error);

// As `frazil_archive_header`, of the archive that the file descriptor `fd` gives from where it stands. More
// of it may have been read.
frazil_status frazil_archive_header_fd(int fd,
                                       frazil_level_header *header,
                                       frazil_error **error);

// As `frazil_archive_header`, of the archive that a callback reads. It may be asked for more.
frazil_status frazil_archive_header_stream(frazil_read_fn read,
                                           void *user_data,
                                           frazil_level_header *header,
                                           frazil_error **error);

// Reads the archive at `archive_path` to its end, verifies all that can be without the level before, and
// tells `each` of every entry, in the order of their paths. `summary` may be NULL.
//
// What was told is provisional until the function has returned `FRAZIL_OK`.
frazil_status frazil_archive_list(const char *archive_path,
                                  frazil_entry_fn each,
                                  void *user_data,
                                  frazil_archive_summary *summary,
                                  frazil_error **error);

// As `frazil_archive_list`, of the archive that the file descriptor `fd` gives from where it stands.
frazil_status frazil_archive_list_fd(int fd,
                                     frazil_entry_fn each,
                                     void *user_data,
                                     frazil_archive_summary *summary,
                                     frazil_error **error);

// As `frazil_archive_list`, of the archive that `read` gives, which is called with `read_user_data`.
frazil_status frazil_archive_list_stream(frazil_read_fn read,
                                         void *read_user_data,
                                         frazil_entry_fn each,
                                         void *user_data,
                                         frazil_archive_summary *summary,
                                         frazil_error **error);

// Reads the archive at `archive_path` to its end and verifies the framing, every digest and the order,
// the content of what is there whole, and the commands of deltas. What a delta makes is claimed, not
// proven: only a restore shows. `observer` and `summary` may be NULL.
frazil_status frazil_archive_verify(const char *archive_path,
                                    const frazil_observer *observer,
                                    frazil_archive_summary *summary,
                                    frazil_error **error);

// As `frazil_archive_verify`, of the archive that the file descriptor `fd` gives from where it stands.
frazil_status frazil_archive_verify_fd(int fd,
                                       const frazil_observer *observer,
                                       frazil_archive_summary *summary,
                                       frazil_error **error);

// As `frazil_archive_verify`, of the archive that a callback reads.
frazil_status frazil_archive_verify_stream(frazil_read_fn read,
                                           void *user_data,
                                           const frazil_observer *observer,
                                           frazil_archive_summary *summary,
                                           frazil_error **error);

// Makes a summary that can be filled, of `size` bytes: `sizeof (frazil_snapshot_summary)`.
void frazil_snapshot_summary_init(frazil_snapshot_summary *summary, size_t size);

// Reads the snapshot at `snapshot_path` to its end, verifies it, and tells `each` of every entry, in the
// order of their paths. `summary` may be NULL.
//
// What was told is provisional until the function has returned `FRAZIL_OK`.
frazil_status frazil_snapshot_list(const char *snapshot_path,
                                   frazil_snapshot_entry_fn each,
                                   void *user_data,
                                   frazil_snapshot_summary *summary,
                                   frazil_error **error);

// As `frazil_snapshot_list`, of the snapshot that the file descriptor `fd` gives from where it stands.
frazil_status frazil_snapshot_list_fd(int fd,
                                      frazil_snapshot_entry_fn each,
                                      void *user_data,
                                      frazil_snapshot_summary *summary,
                                      frazil_error **error);

// As `frazil_snapshot_list`, of the snapshot that `read` gives, which is called with `read_user_data`.
frazil_status frazil_snapshot_list_stream(frazil_read_fn read,
                                          void *read_user_data,
                                          frazil_snapshot_entry_fn each,
                                          void *user_data,
                                          frazil_snapshot_summary *summary,
                                          frazil_error **error);

// Makes the default options, of `size` bytes: `sizeof (frazil_verify_options)`.
void frazil_verify_options_init(frazil_verify_options *options, size_t size);

// Makes a summary that can be filled, of `size` bytes: `sizeof (frazil_verify_summary)`.
void frazil_verify_summary_init(frazil_verify_summary *summary, size_t size);

// Holds the tree at `root` against the archives of a chain, level 0 first, and tells `each` of every
// difference; the archives are verified on the way, as `frazil_archive_verify` does. Nothing in the tree is
// changed: what cannot be read is a difference. `options` and `summary` may be NULL.
//
// Returns `FRAZIL_PARTIAL` when there are differences. `each` is called by the thread of the caller; each
// archive has another thread, until the function returns.
frazil_status frazil_tree_verify(const char *const *archive_paths,
                                 size_t archive_count,
                                 const char *root,
                                 const frazil_verify_options *options,
                                 frazil_difference_fn each,
                                 void *user_data,
                                 frazil_verify_summary *summary,
                                 frazil_error **error);

// As `frazil_tree_verify`, of the archives that file descriptors give from where they stand; each has to be
// open on a file, a pipe or a socket of its own. While one that waits has nothing to read, nobody is asked
// whether to stop.
frazil_status frazil_tree_verify_fd(const int *fds,
                                    size_t archive_count,
                                    const char *root,
                                    const frazil_verify_options *options,
                                    frazil_difference_fn each,
                                    void *user_data,
                                    frazil_verify_summary *summary,
                                    frazil_error **error);

// As `frazil_tree_verify`, of the archives that `read` gives: each with one of `read_user_data`, an array of
// `archive_count`. It is called by the thread that the archive has, and for several archives at once.
frazil_status frazil_tree_verify_stream(frazil_read_fn read,
                                        void *const *read_user_data,
                                        size_t archive_count,
                                        const char *root,
                                        const frazil_verify_options *options,
                                        frazil_difference_fn each,
                                        void *user_data,
                                        frazil_verify_summary *summary,
                                        frazil_error **error);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* FRAZIL_H */
