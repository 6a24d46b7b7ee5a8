// frazil: block-level backups, made and restored in stream.
//
// This header is generated from the Rust sources of the crate by cbindgen; do not edit it.
//
// A complete program:
//
//     #include <frazil.h>
//     #include <stdio.h>
//     #include <string.h>
//
//     int main(void) {
//         printf("frazil %s\n", frazil_version());
//         return strcmp(frazil_version(), FRAZIL_VERSION) != 0; // header and library differ
//     }
//
// Compile it with: cc -std=c99 program.c -lfrazil
//
// Conventions:
//
// - Every name begins with `frazil_` or `FRAZIL_`.
// - Strings are UTF-8 and end with a zero byte. Each function says who owns what it returns, and for
//   how long it is valid.
// - A function may be called from any thread unless it says otherwise.
// - Versioning: before 1.0 a new minor version may change this interface, and the name of the shared
//   library says which one it is (libfrazil.so.0.1); a new patch version never does.


#ifndef FRAZIL_H
#define FRAZIL_H

#include <stddef.h>
#include <stdint.h>

// The version of this header. `frazil_version` gives that of the library that is linked.
#define FRAZIL_VERSION_MAJOR 0
#define FRAZIL_VERSION_MINOR 1
#define FRAZIL_VERSION_PATCH 0
#define FRAZIL_VERSION "0.1.0"


// Stands for a number of bytes, or an offset, that is not known.
#define FRAZIL_UNKNOWN UINT64_MAX

// What became of a call: 0 is success, a positive value an outcome that is not a failure, a negative
// one a failure. The values are never renumbered; later versions may add some.
typedef enum frazil_status {
  // It was done.
  FRAZIL_OK = 0,
  // There is nothing more of what was asked for.
  FRAZIL_END = 1,
  // It was done, but for some entries of the tree: the observer was told of each.
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

// The sum that rolls along the data and finds candidates.
typedef enum frazil_weak {
  // That of the basis's signature, or the RabinKarp one.
  FRAZIL_WEAK_DEFAULT = 0,
  // librsync's first sum, after rsync's; collides often on long runs of equal bytes.
  FRAZIL_WEAK_ROLLSUM = 1,
  // The polynomial sum of librsync 2.2 and later.
  FRAZIL_WEAK_RABIN_KARP = 2,
} frazil_weak;

// The sum that decides whether two blocks are equal.
typedef enum frazil_strong {
  // That of the basis's signature, or BLAKE2b.
  FRAZIL_STRONG_DEFAULT = 0,
  // MD4, 16 bytes: broken, for exchange with old peers only.
  FRAZIL_STRONG_MD4 = 1,
  // BLAKE2b with a 32-byte digest.
  FRAZIL_STRONG_BLAKE2 = 2,
} frazil_strong;

// What a range of the new content is to the old.
typedef enum frazil_range_kind {
  // Equal to the old content at the same offset.
  FRAZIL_RANGE_SAME = 0,
  // Equal to the old content at the offset `from`.
  FRAZIL_RANGE_MOVED = 1,
  // Not found in the old content.
  FRAZIL_RANGE_CHANGED = 2,
} frazil_range_kind;

// Which matches are looked for.
typedef enum frazil_matching {
  // Blocks in their place first, and a byte by byte scan of runs that changed; aligned alone when the
  // index of the basis does not fit the memory limit.
  FRAZIL_MATCHING_AUTO = 0,
  // Blocks in their place alone, in constant memory: for disk images and databases.
  FRAZIL_MATCHING_ALIGNED = 1,
  // A byte by byte scan of everything that does not match in its place.
  FRAZIL_MATCHING_ROLLING = 2,
} frazil_matching;

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

// The sums of every block of some content: what a level is made against. It is immutable, and may be
// used by several threads at once; levels that are made against it share its memory, and it may be
// freed before they are.
typedef struct frazil_signature frazil_signature;

// How far an operation has come. Later versions may add fields at its end.
typedef struct frazil_progress {
  // Bytes of the source (a level, a backup) or of the result (a patch) that are done.
  uint64_t done_bytes;
  // What `done_bytes` will be at the end, or `FRAZIL_UNKNOWN`.
  uint64_t total_bytes;
  // Bytes of the stream that were written (a level) or read (a patch) so far.
  uint64_t stream_bytes;
  // Entries of a tree that are done; 0 where there is no tree.
  uint64_t entries;
} frazil_progress;

// Who follows an operation. Make it with `frazil_observer_init` and set what you want.
//
// The options that name it are copied with all that is in it; what `user_data` leads to must be there
// until the handle is freed, or the function without a handle has returned. The callbacks are called
// about once for each mebibyte of work, by the thread that made the call, except that
// `frazil_restore_feed` has them called by a thread of its own, one at a time.
typedef struct frazil_observer {
  // The size of this struct, as `frazil_observer_init` sets it.
  size_t size;
  // What every callback is given.
  void *user_data;
  // Some work was done. Any value but 0 stops the operation with `FRAZIL_ERR_CALLBACK`.
  int (*progress)(void *user_data, const struct frazil_progress *progress);
  // Something went wrong that the operation survived. `problem` is not to be kept or freed. Any value
  // but 0 stops the operation with `FRAZIL_ERR_CALLBACK`, soon after.
  int (*problem)(void *user_data, const struct frazil_error *problem);
  // Whether to stop: any value but 0 does, with `FRAZIL_ERR_CANCELLED`.
  int (*cancelled)(void *user_data);
} frazil_observer;

// Writes the next bytes of a stream.
//
// It takes all of the `len` bytes at `data`, which are not to be kept, and returns 0; any other value is
// a failure, which stops the operation.
typedef int (*frazil_write_fn)(void *user_data, const void *data, size_t len);

// Options of a level or a signature. Zero is the default of each, and the default suits a backup.
typedef struct frazil_level_options {
  // The size of this struct, as `frazil_level_options_init` sets it.
  size_t size;
  // Bytes in a block of the new signature, 1 to 2^30. Where `block_len`, `strong_len`, `weak` and
  // `strong` are all 0 they are those of the basis's signature, if it has whole BLAKE2b sums; else a 0
  // stands for 64 KiB, the whole sum, RabinKarp and BLAKE2b.
  uint32_t block_len;
  // Bytes kept of each strong sum.
  uint32_t strong_len;
  // A `frazil_weak`: the rolling sum.
  int weak;
  // A `frazil_strong`: the strong sum.
  int strong;
  // A `frazil_format`: the form of the level's stream.
  int format;
  // A `frazil_matching`: which matches are looked for.
  int matching;
  // A `frazil_engine`: who computes sums and finds matches.
  int engine;
  // How many threads compute sums; 0 for as many as there are processors. The stream is the same
  // whatever the number.
  uint32_t threads;
  // Bytes of memory that buffers, index and new signature may take together, beside the basis's
  // signature; 0 for 1 GiB.
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
  // Keep it 0.
  int reserved;
  // Who follows the work and may stop it, or NULL.
  const struct frazil_observer *observer;
} frazil_level_options;

// Reads the next bytes of a stream.
//
// It puts at most `len` bytes into `buffer`, which is not to be kept, and how many into `*read`, which
// is 0 when it is called; 0 bytes are the end of the stream. It may put fewer than it could, and is
// called again. It returns 0; any other value is a failure, which stops the operation. A count above
// `len` does so too.
typedef int (*frazil_read_fn)(void *user_data, void *buffer, size_t len, size_t *read);

// Options of a patch or a chain. Zero is the default of each.
typedef struct frazil_patch_options {
  // The size of this struct, as `frazil_patch_options_init` sets it.
  size_t size;
  // The most bytes that may come out; 0 for what a sealed delta declares, and 1 TiB where it declares
  // nothing, as every plain one.
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
  const struct frazil_observer *observer;
} frazil_patch_options;

// Length, checksum and fingerprint of content.
typedef struct frazil_identity {
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
typedef struct frazil_patch_summary {
  // The size of this struct, as `frazil_patch_summary_init` sets it.
  size_t size;
  // Bytes of the target.
  uint64_t output_bytes;
  // Bytes of the deltas.
  uint64_t stream_bytes;
  // The target, which was verified; zeros where `verified` is 0.
  struct frazil_identity identity;
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
typedef struct frazil_block_sum {
  // The rolling sum.
  uint32_t weak;
  // The strong sum; zeros past its length.
  uint8_t strong[32];
} frazil_block_sum;

// A range of the new content, in bytes. Ranges come in order and without gaps.
typedef struct frazil_range {
  // Where it begins.
  uint64_t offset;
  // How long it is. Where a plain signature leaves the length of the last block unknown, it counts as
  // whole.
  uint64_t len;
  // Where it is in the old content, if it is the same or moved; else 0.
  uint64_t from;
  // What it is to the old content.
  enum frazil_range_kind kind;
} frazil_range;

// What a finished level is.
typedef struct frazil_level_summary {
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
  // The content that was read, which the level restores.
  struct frazil_identity identity;
  // 1 if the content changed while it was read, else 0.
  int dirty;
  // Which matches were looked for in the end.
  enum frazil_matching matching;
} frazil_level_summary;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The version of the library that is linked, as `MAJOR.MINOR.PATCH`.
//
// Returns a string that lives as long as the process; do not free it. May be called from any thread.
// A cautious program compares it with `FRAZIL_VERSION`, the version of the header it was compiled
// with.
const char *frazil_version(void);

// A status in a few words of English, for one that comes without an error object.
//
// Returns a string that lives as long as the process, "unknown status" for any other number.
const char *frazil_status_name(int status);

// The status that the function returned; `FRAZIL_OK` of NULL.
enum frazil_status frazil_error_status(const struct frazil_error *error);

// What was being done, to what, where, what was expected and what was found: one line of UTF-8 in
// English, without a full stop. Lives as long as the error; the empty string of NULL.
const char *frazil_error_message(const struct frazil_error *error);

// The file that was being worked on, as bytes in the encoding of the file system, or NULL where it is
// not known. Lives as long as the error.
const char *frazil_error_path(const struct frazil_error *error);

// The offset in bytes at which it happened, in the stream or file that the message names, or
// `FRAZIL_UNKNOWN`.
uint64_t frazil_error_offset(const struct frazil_error *error);

// The operating system's `errno`, or 0 where none lies beneath.
int frazil_error_os_code(const struct frazil_error *error);

// What the callback returned that failed, with `FRAZIL_ERR_CALLBACK`; 0 where it broke its contract in
// another way, and with every other status.
int frazil_error_callback_code(const struct frazil_error *error);

// Frees an error. Takes NULL.
void frazil_error_free(struct frazil_error *error);

// Makes an observer that does nothing, of `size` bytes: `sizeof (frazil_observer)`.
void frazil_observer_init(struct frazil_observer *observer, size_t size);

// Reads the file at `fs_path` once, gives its signature and writes its level to a callback: level 0
// where `ex_signature` is NULL, else level n against the signature of level n-1.
//
// `write` may be NULL when only the signature is wanted, `signature` when only the level is, and
// `options` for the default. Returns `FRAZIL_DIRTY` when the file changed while it was read.
enum frazil_status frazil_gen_sig_from_file(const char *fs_path,
                                            const struct frazil_signature *ex_signature,
                                            const struct frazil_level_options *options,
                                            frazil_write_fn write,
                                            void *user_data,
                                            struct frazil_signature **signature,
                                            struct frazil_error **error);

// As `frazil_gen_sig_from_file`, of what `read` gives, which is called with `read_user_data`.
enum frazil_status frazil_gen_sig_from_stream(frazil_read_fn read,
                                              void *read_user_data,
                                              const struct frazil_signature *ex_signature,
                                              const struct frazil_level_options *options,
                                              frazil_write_fn write,
                                              void *write_user_data,
                                              struct frazil_signature **signature,
                                              struct frazil_error **error);

// Applies a delta to a file.
//
// Where `read` is NULL, the file at `source` is a delta and is applied to `destination`, as
// `frazil_patch_from_stream` does. Else `source` is the basis, `read` gives the delta, and `destination`
// is created. `options` may be NULL.
enum frazil_status frazil_patch_from_file(const char *source,
                                          const char *destination,
                                          frazil_read_fn read,
                                          void *user_data,
                                          const struct frazil_patch_options *options,
                                          struct frazil_patch_summary *summary,
                                          struct frazil_error **error);

// Applies the delta that `read` gives: a level 0 creates the file at `destination`, a level n turns the
// file that is there into its next state, whole or not at all. `options` and `summary` may be NULL.
//
// A level 0 over a file that is there fails with `FRAZIL_ERR_WRONG_BASIS`, unless the options let it
// replace the file.
enum frazil_status frazil_patch_from_stream(frazil_read_fn read,
                                            void *user_data,
                                            const char *destination,
                                            const struct frazil_patch_options *options,
                                            struct frazil_patch_summary *summary,
                                            struct frazil_error **error);

// Computes the signature of a file, a device or anything that has a path. `options` may be NULL.
enum frazil_status frazil_signature_of_file(const char *path,
                                            const struct frazil_level_options *options,
                                            struct frazil_signature **signature,
                                            struct frazil_error **error);

// As `frazil_signature_of_file`, of what the file descriptor `fd` gives from where it stands.
enum frazil_status frazil_signature_of_fd(int fd,
                                          const struct frazil_level_options *options,
                                          struct frazil_signature **signature,
                                          struct frazil_error **error);

// As `frazil_signature_of_file`, of what a callback reads.
enum frazil_status frazil_signature_of_stream(frazil_read_fn read,
                                              void *user_data,
                                              const struct frazil_level_options *options,
                                              struct frazil_signature **signature,
                                              struct frazil_error **error);

// As `frazil_signature_of_file`, of bytes in memory.
enum frazil_status frazil_signature_of_data(const void *data,
                                            size_t len,
                                            const struct frazil_level_options *options,
                                            struct frazil_signature **signature,
                                            struct frazil_error **error);

// Loads a signature from a file, sealed or plain, into at most `memory_limit` bytes; 0 is no limit.
enum frazil_status frazil_signature_load(const char *path,
                                         uint64_t memory_limit,
                                         struct frazil_signature **signature,
                                         struct frazil_error **error);

// As `frazil_signature_load`, out of the file descriptor `fd` to its end.
enum frazil_status frazil_signature_load_fd(int fd,
                                            uint64_t memory_limit,
                                            struct frazil_signature **signature,
                                            struct frazil_error **error);

// As `frazil_signature_load`, out of a callback to its end.
enum frazil_status frazil_signature_load_stream(frazil_read_fn read,
                                                void *user_data,
                                                uint64_t memory_limit,
                                                struct frazil_signature **signature,
                                                struct frazil_error **error);

// As `frazil_signature_load`, out of bytes in memory.
enum frazil_status frazil_signature_load_data(const void *data,
                                              size_t len,
                                              struct frazil_signature **signature,
                                              struct frazil_error **error);

// Saves a signature as a new file, which appears whole or not at all; `format` is a `frazil_format`.
//
// A signature of MD4 or shortened sums, or one that was loaded from the plain format and knows neither
// length nor fingerprint, cannot be sealed.
enum frazil_status frazil_signature_save(const struct frazil_signature *signature,
                                         const char *path,
                                         int format,
                                         struct frazil_error **error);

// As `frazil_signature_save`, to a callback.
enum frazil_status frazil_signature_write(const struct frazil_signature *signature,
                                          int format,
                                          frazil_write_fn write,
                                          void *user_data,
                                          struct frazil_error **error);

// As `frazil_signature_save`, to the file descriptor `fd`.
enum frazil_status frazil_signature_write_fd(const struct frazil_signature *signature,
                                             int format,
                                             int fd,
                                             struct frazil_error **error);

// Bytes in a block, the last of which may be shorter; 0 of NULL.
uint32_t frazil_signature_block_len(const struct frazil_signature *signature);

// Bytes of each strong sum; 0 of NULL.
uint32_t frazil_signature_strong_len(const struct frazil_signature *signature);

// Which rolling sum it has; `FRAZIL_WEAK_DEFAULT` of NULL.
enum frazil_weak frazil_signature_weak(const struct frazil_signature *signature);

// Which strong sum it has; `FRAZIL_STRONG_DEFAULT` of NULL.
enum frazil_strong frazil_signature_strong(const struct frazil_signature *signature);

// How many blocks there are; 0 of NULL.
uint64_t frazil_signature_block_count(const struct frazil_signature *signature);

// Bytes of content, or `FRAZIL_UNKNOWN`: the plain format does not say.
uint64_t frazil_signature_length(const struct frazil_signature *signature);

// 1 if the content changed while it was read, so that this is the signature of the bytes that were read
// and perhaps of no state the source was ever in; else 0.
int frazil_signature_is_dirty(const struct frazil_signature *signature);

// Length, checksum and fingerprint of the content. `FRAZIL_END` when the signature does not have them:
// the plain format does not.
enum frazil_status frazil_signature_identity(const struct frazil_signature *signature,
                                             struct frazil_identity *identity,
                                             struct frazil_error **error);

// The sums of block `index`, counted from 0. `FRAZIL_END` when there are no so many.
enum frazil_status frazil_signature_block(const struct frazil_signature *signature,
                                          uint64_t index,
                                          struct frazil_block_sum *sum,
                                          struct frazil_error **error);

// Frees a signature. Takes NULL.
void frazil_signature_free(struct frazil_signature *signature);

// Compares two signatures in memory; both may be freed before the comparison is.
//
// Only blocks that stand on the grid of both can be recognised: after an insertion in the middle of a
// block, all that follows has changed. `FRAZIL_ERR_INCOMPARABLE` unless sums and block length agree.
enum frazil_status frazil_comparison_open(const struct frazil_signature *old_signature,
                                          const struct frazil_signature *new_signature,
                                          struct frazil_comparison **comparison,
                                          struct frazil_error **error);

// Compares two signatures in files, in constant memory: blocks that moved count as changed.
enum frazil_status frazil_comparison_open_files(const char *old_path,
                                                const char *new_path,
                                                struct frazil_comparison **comparison,
                                                struct frazil_error **error);

// Gives the next range, or `FRAZIL_END` after the last.
enum frazil_status frazil_comparison_next(struct frazil_comparison *comparison,
                                          struct frazil_range *range,
                                          struct frazil_error **error);

// Frees a comparison. Takes NULL.
void frazil_comparison_free(struct frazil_comparison *comparison);

// Makes a summary that can be filled, of `size` bytes: `sizeof (frazil_level_summary)`.
void frazil_level_summary_init(struct frazil_level_summary *summary, size_t size);

// Opens the file or device at `path` to make a level of it against the signature `basis`; NULL makes a
// level 0. `options` may be NULL.
//
// Read the level's stream by `frazil_level_read`, then call `frazil_level_finish` for the new signature.
// Should the file change while it is read, the level restores the bytes that were read, and finishing
// it returns `FRAZIL_DIRTY`.
enum frazil_status frazil_level_open(const char *path,
                                     const struct frazil_signature *basis,
                                     const struct frazil_level_options *options,
                                     struct frazil_level **level,
                                     struct frazil_error **error);

// As `frazil_level_open`, of what the file descriptor `fd` gives from where it stands: a pipe, a socket,
// a file. Whether it changes while it is read is not noticed.
enum frazil_status frazil_level_open_fd(int fd,
                                        const struct frazil_signature *basis,
                                        const struct frazil_level_options *options,
                                        struct frazil_level **level,
                                        struct frazil_error **error);

// As `frazil_level_open`, of what a callback reads.
enum frazil_status frazil_level_open_stream(frazil_read_fn read,
                                            void *user_data,
                                            const struct frazil_signature *basis,
                                            const struct frazil_level_options *options,
                                            struct frazil_level **level,
                                            struct frazil_error **error);

// Reads the next bytes of the level's stream into `buffer` and puts how many into `*read`, at most
// `len`; 0 is the end of the stream.
//
// It reads from the source as it needs to. A failure of the source comes after all output that came
// before it; reading again asks the source again.
enum frazil_status frazil_level_read(struct frazil_level *level,
                                     void *buffer,
                                     size_t len,
                                     size_t *read,
                                     struct frazil_error **error);

// Ends a level whose stream was read to its end and gives the new signature, which the next level needs;
// `signature` and `summary` may be NULL.
//
// Before anything was read it computes the signature alone, faster; after a part it fails, since the
// rest of the stream would be lost. Returns `FRAZIL_DIRTY` when the source changed while it was read.
// Whatever it returns, the level can then only be freed.
enum frazil_status frazil_level_finish(struct frazil_level *level,
                                       struct frazil_signature **signature,
                                       struct frazil_level_summary *summary,
                                       struct frazil_error **error);

// Frees a level, finished or not. Takes NULL.
void frazil_level_free(struct frazil_level *level);

// Makes the level of the file at `path` and publishes its stream as the new file at `level_path`, which
// appears whole or not at all; else as `frazil_level_open` and `frazil_level_finish`.
enum frazil_status frazil_level_file(const char *path,
                                     const struct frazil_signature *basis,
                                     const char *level_path,
                                     const struct frazil_level_options *options,
                                     struct frazil_signature **signature,
                                     struct frazil_level_summary *summary,
                                     struct frazil_error **error);

// Makes the default options, of `size` bytes: `sizeof (frazil_level_options)`.
void frazil_level_options_init(struct frazil_level_options *options, size_t size);

// Prepares to be fed content and to write the stream of its level against the signature `basis` to a
// callback; NULL makes a level 0. `options` may be NULL.
//
// The callback is called from `frazil_level_writer_feed` and `_finish`, with large pieces. Without
// `_finish` the stream has no trailer, and no reader will take it for complete.
enum frazil_status frazil_level_writer_new(const struct frazil_signature *basis,
                                           const struct frazil_level_options *options,
                                           frazil_write_fn write,
                                           void *user_data,
                                           struct frazil_level_writer **writer,
                                           struct frazil_error **error);

// Takes all of the `len` bytes of content at `data`. If it fails, the level can only be freed.
enum frazil_status frazil_level_writer_feed(struct frazil_level_writer *writer,
                                            const void *data,
                                            size_t len,
                                            struct frazil_error **error);

// Ends the content, writes the rest of the stream and gives the new signature; `signature` and `summary`
// may be NULL. Whatever it returns, the level can then only be freed.
enum frazil_status frazil_level_writer_finish(struct frazil_level_writer *writer,
                                              struct frazil_signature **signature,
                                              struct frazil_level_summary *summary,
                                              struct frazil_error **error);

// Frees a level, finished or not. Takes NULL.
void frazil_level_writer_free(struct frazil_level_writer *writer);

// Opens the delta in the file at `delta_path`, to be applied to the file at `basis_path`; NULL is no
// basis, as for a level 0. `options` may be NULL.
//
// Read the target by `frazil_patch_read`. What has been read is **provisional** until the read that
// gives 0 bytes: only then has the whole target been held against the trailer of the delta.
enum frazil_status frazil_patch_open(const char *basis_path,
                                     const char *delta_path,
                                     const struct frazil_patch_options *options,
                                     struct frazil_patch **patch,
                                     struct frazil_error **error);

// As `frazil_patch_open`, with the delta that the file descriptor `fd` gives from where it stands.
enum frazil_status frazil_patch_open_fd(const char *basis_path,
                                        int fd,
                                        const struct frazil_patch_options *options,
                                        struct frazil_patch **patch,
                                        struct frazil_error **error);

// As `frazil_patch_open`, with the delta that a callback reads.
enum frazil_status frazil_patch_open_stream(const char *basis_path,
                                            frazil_read_fn read,
                                            void *user_data,
                                            const struct frazil_patch_options *options,
                                            struct frazil_patch **patch,
                                            struct frazil_error **error);

// Opens the deltas of the levels on top of a basis, lowest level first, to be applied in one pass.
//
// Every delta is read once and checked before anything comes out; else as `frazil_patch_open`.
enum frazil_status frazil_patch_open_chain(const char *basis_path,
                                           const char *const *delta_paths,
                                           size_t delta_count,
                                           const struct frazil_patch_options *options,
                                           struct frazil_patch **patch,
                                           struct frazil_error **error);

// Reads the next bytes of the target into `buffer` and puts how many into `*read`, at most `len`; 0 is
// the end, and says that the target was verified.
//
// A failure of the delta's source leaves the patch as it was; reading again goes on where it stopped.
enum frazil_status frazil_patch_read(struct frazil_patch *patch,
                                     void *buffer,
                                     size_t len,
                                     size_t *read,
                                     struct frazil_error **error);

// Says what was done, after the target was read to its end; `FRAZIL_ERR_STATE` when it was not.
// `summary` may be NULL. Whatever it returns, the patch can then only be freed.
enum frazil_status frazil_patch_finish(struct frazil_patch *patch,
                                       struct frazil_patch_summary *summary,
                                       struct frazil_error **error);

// Frees a patch, finished or not. Takes NULL.
void frazil_patch_free(struct frazil_patch *patch);

// Makes the default options, of `size` bytes: `sizeof (frazil_patch_options)`.
void frazil_patch_options_init(struct frazil_patch_options *options, size_t size);

// Makes a summary that can be filled, of `size` bytes: `sizeof (frazil_patch_summary)`.
void frazil_patch_summary_init(struct frazil_patch_summary *summary, size_t size);

// Prepares to be fed a delta, to apply it to the file at `basis_path` and to write the target to a
// callback; NULL is no basis, as for a level 0. `options` may be NULL.
//
// The callback is called from `frazil_patch_writer_feed` and `_finish`. What it was given is
// **provisional** until `_finish` has succeeded.
enum frazil_status frazil_patch_writer_new(const char *basis_path,
                                           const struct frazil_patch_options *options,
                                           frazil_write_fn write,
                                           void *user_data,
                                           struct frazil_patch_writer **writer,
                                           struct frazil_error **error);

// As `frazil_patch_writer_new`, into the file at `target_path`, which may be that at `basis_path`: it
// appears whole at `frazil_patch_writer_finish`, or not at all.
enum frazil_status frazil_patch_writer_new_file(const char *basis_path,
                                                const char *target_path,
                                                const struct frazil_patch_options *options,
                                                struct frazil_patch_writer **writer,
                                                struct frazil_error **error);

// Takes all of the `len` bytes of the delta at `data`. If it fails, the patch can only be freed.
enum frazil_status frazil_patch_writer_feed(struct frazil_patch_writer *writer,
                                            const void *data,
                                            size_t len,
                                            struct frazil_error **error);

// Ends the delta, verifies the target and publishes it if it is a file; `summary` may be NULL.
// `FRAZIL_ERR_TRUNCATED` when the delta is not whole. Whatever it returns, the patch can then only be
// freed.
enum frazil_status frazil_patch_writer_finish(struct frazil_patch_writer *writer,
                                              struct frazil_patch_summary *summary,
                                              struct frazil_error **error);

// Frees a patch, finished or not; a file that was not published leaves nothing. Takes NULL.
void frazil_patch_writer_free(struct frazil_patch_writer *writer);

// Applies the delta in the file at `delta_path` to the file at `basis_path` and publishes the result as
// `target_path`, which may be the same path; NULL is no basis, as for a level 0. `options` and `summary`
// may be NULL.
//
// The target appears whole and verified, or what was there stays as it was. `FRAZIL_ERR_EXISTS` when
// something is there and `replace` is 0.
enum frazil_status frazil_patch_file(const char *basis_path,
                                     const char *delta_path,
                                     const char *target_path,
                                     const struct frazil_patch_options *options,
                                     struct frazil_patch_summary *summary,
                                     struct frazil_error **error);

// As `frazil_patch_file`, with the delta that the file descriptor `fd` gives from where it stands.
enum frazil_status frazil_patch_file_fd(const char *basis_path,
                                        int fd,
                                        const char *target_path,
                                        const struct frazil_patch_options *options,
                                        struct frazil_patch_summary *summary,
                                        struct frazil_error **error);

// As `frazil_patch_file`, with the delta that a callback reads.
enum frazil_status frazil_patch_file_stream(const char *basis_path,
                                            frazil_read_fn read,
                                            void *user_data,
                                            const char *target_path,
                                            const struct frazil_patch_options *options,
                                            struct frazil_patch_summary *summary,
                                            struct frazil_error **error);

// Applies the deltas of several levels, lowest first, in one pass; else as `frazil_patch_file`.
enum frazil_status frazil_patch_file_chain(const char *basis_path,
                                           const char *const *delta_paths,
                                           size_t delta_count,
                                           const char *target_path,
                                           const struct frazil_patch_options *options,
                                           struct frazil_patch_summary *summary,
                                           struct frazil_error **error);

// Turns the file at `path` itself into the target of the delta in the file at `delta_path`, without a
// second copy.
//
// **What this gives up:** once writing has begun the old content is gone, and a crash or a full disk
// leaves a file that is neither old nor new. The whole delta, and the basis where the delta is sealed,
// are checked before the first write. An observer can stop the checks, but not the writing.
enum frazil_status frazil_patch_in_place(const char *path,
                                         const char *delta_path,
                                         const struct frazil_patch_options *options,
                                         struct frazil_patch_summary *summary,
                                         struct frazil_error **error);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* FRAZIL_H */
