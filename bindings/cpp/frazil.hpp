// frazil for C++17: block-level backups, made and restored in stream.
//
// This is all of frazil.h, which says what a level, a signature, a patch and a tree are, as values that free
// themselves and failures that are exceptions. It is one header with nothing to build: put it beside
// frazil.h and link with -lfrazil.
//
// A COMPLETE PROGRAM makes level 0 of a file, and restores it:
//
//     #include <frazil.hpp>
//     #include <iostream>
//
//     int main() {
//         try {
//             const auto level = frazil::level_file("disk.img", {}, "level.0");
//             level.signature.save("level.0.sig");
//             if (level.summary.dirty) std::cerr << "disk.img changed while it was read\n";
//             const auto restored = frazil::patch_file({}, "level.0", "restored.img");
//             std::cout << restored.output_bytes << " bytes restored\n";
//         } catch (const frazil::error &error) {
//             std::cerr << error.what() << '\n';
//             return 1;
//         }
//     }
//
// Compile it with: c++ -std=c++17 program.cpp -lfrazil
//
// CONVENTIONS
//
// Names. `frazil_level_open` of C is `frazil::level::open` here, `frazil_level_read` is the member `read`,
// `frazil_level_file`, which has no handle, is `frazil::level_file`; what is called `_new` there is a
// constructor. Where C has functions of a path, of a descriptor (`_fd`), of a callback (`_stream`) and of memory
// (`_data`), here is one of a `source`; and the chains of `_inputs`, which can be paths, are the only ones. Arguments
// come in the same order, but for options, which come last and have defaults.
//
// Three forms. Pull: `open`, `read` until it gives 0 bytes, `finish`. Push: a constructor or `open`, `feed`,
// `finish`. Whole: one call. An operation is complete only when `finish` has returned; destroyed without it,
// nothing is published, and a destructor says nothing.
//
// Errors. What fails throws an `error`, of the class of its status. A success that is none throughout is said
// by the summary: a level by `dirty`, a tree by `partial()`. Such summaries are `[[nodiscard]]`, and so are handles.
//
// Sources and sinks. A `stream` is made of a `std::istream`, of bytes in contiguous memory, or of anything
// that can be called with room for bytes; a `source` of a path, of a file descriptor, or of a stream; an `input`,
// which is read anywhere, of a path, a descriptor, memory, or a callable; a `sink` of a `std::ostream`, of a file
// descriptor, of a container that grows, of room in memory, or of anything that can be called with bytes. What is
// given as an rvalue is moved in; no container to write to is, since nobody would see what it holds. A
// `std::istream`, a `std::ostream` or a container that is an lvalue is referred to, and has to stay until the handle
// is destroyed or the function without a handle has returned; a callable is copied, as by `std::function`, unless it
// is in a `std::ref`. A descriptor, an `int`, is duplicated, and stays yours; so a literal `0` is standard input, and
// not none, which is `{}`.
//
// Exceptions that are thrown in sources, sinks, observers and other callbacks stop the work, and come out of
// the call that they were thrown in, unchanged, whatever their type. (Those of the observer of a `restore`,
// which is called by a thread of its own, come out of the call that is made or the next.) What an observer throws
// at the very end of a call comes out of it too, when the work is done. Callbacks return or throw: no `longjmp`,
// and no thread is cancelled in one.
//
// Ownership. Handles own what they stand for, can be moved and not copied. One that was moved from, or that nothing was
// put into, is empty: it converts to false, `get` gives NULL, it can be assigned to and destroyed, and all work with it
// throws `state_error`. Paths, options and `bytes` are needed during the call alone.
//
// Threads. As frazil.h says: handles may go from thread to thread, a `signature` may be read by several at
// once, of every other handle a call while another is using it throws `state_error`. A callback may call
// anything but its own handle, which throws that too; it must not move, assign to or destroy the handle.
//
// Numbers. Lengths, offsets and counts are in bytes unless they say otherwise. What may be unknown is a
// `std::optional`. Where an option says that 0 stands for something, that is the default.

#ifndef FRAZIL_HPP
#define FRAZIL_HPP

#include <frazil.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <exception>
#include <filesystem>
#include <functional>
#include <ios>
#include <istream>
#include <iterator>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <streambuf>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace frazil {

// The version of the library that is linked, as `MAJOR.MINOR.PATCH`. `FRAZIL_VERSION` is that of frazil.h.
inline std::string_view version() noexcept {
    return frazil_version();
}

// The same as one number, as `FRAZIL_VERSION_NUMBER` is that of frazil.h.
inline int version_number() noexcept {
    return frazil_version_number();
}

// The version of the librsync that is in the library, as it names itself.
inline std::string_view librsync_version() noexcept {
    return frazil_librsync_version();
}

// ---- Choices. What each stands for is said in frazil.h, at the constant that it is.

enum class status : int {
    ok = FRAZIL_OK,
    end = FRAZIL_END,
    partial = FRAZIL_PARTIAL,
    dirty = FRAZIL_DIRTY,
    invalid_input = FRAZIL_ERR_INVALID_INPUT,
    state = FRAZIL_ERR_STATE,
    io = FRAZIL_ERR_IO,
    truncated = FRAZIL_ERR_TRUNCATED,
    corrupt = FRAZIL_ERR_CORRUPT,
    unsupported = FRAZIL_ERR_UNSUPPORTED,
    limit = FRAZIL_ERR_LIMIT,
    wrong_basis = FRAZIL_ERR_WRONG_BASIS,
    mismatch = FRAZIL_ERR_MISMATCH,
    incomparable = FRAZIL_ERR_INCOMPARABLE,
    source_changed = FRAZIL_ERR_SOURCE_CHANGED,
    exists = FRAZIL_ERR_EXISTS,
    cancelled = FRAZIL_ERR_CANCELLED,
    out_of_memory = FRAZIL_ERR_OUT_OF_MEMORY,
    internal = FRAZIL_ERR_INTERNAL,
    null = FRAZIL_ERR_NULL,
    callback = FRAZIL_ERR_CALLBACK,
};

enum class weak_sum : int {
    by_default = FRAZIL_WEAK_SUM_DEFAULT,
    rollsum = FRAZIL_WEAK_SUM_ROLLSUM,
    rabin_karp = FRAZIL_WEAK_SUM_RABIN_KARP,
};

enum class strong_sum : int {
    by_default = FRAZIL_STRONG_SUM_DEFAULT,
    md4 = FRAZIL_STRONG_SUM_MD4,
    blake2 = FRAZIL_STRONG_SUM_BLAKE2,
};

enum class format : int { sealed = FRAZIL_FORMAT_SEALED, rdiff = FRAZIL_FORMAT_RDIFF };

enum class matching : int {
    automatic = FRAZIL_MATCHING_AUTO,
    aligned = FRAZIL_MATCHING_ALIGNED,
    rolling = FRAZIL_MATCHING_ROLLING,
};

enum class engine : int { native = FRAZIL_ENGINE_NATIVE, librsync = FRAZIL_ENGINE_LIBRSYNC };

enum class stream_kind : int { signature = FRAZIL_STREAM_SIGNATURE, delta = FRAZIL_STREAM_DELTA };

enum class verify_basis : int {
    by_default = FRAZIL_VERIFY_BASIS_DEFAULT,
    before = FRAZIL_VERIFY_BASIS_BEFORE,
    after = FRAZIL_VERIFY_BASIS_AFTER,
};

enum class range_kind : int { same = FRAZIL_RANGE_SAME, moved = FRAZIL_RANGE_MOVED, changed = FRAZIL_RANGE_CHANGED };

enum class filter : int {
    none = FRAZIL_FILTER_NONE,
    gzip = FRAZIL_FILTER_GZIP,
    bzip2 = FRAZIL_FILTER_BZIP2,
    xz = FRAZIL_FILTER_XZ,
    zstd = FRAZIL_FILTER_ZSTD,
    lz4 = FRAZIL_FILTER_LZ4,
};

enum class sync : int { level = FRAZIL_SYNC_LEVEL, file = FRAZIL_SYNC_FILE };

enum class recovery_kind : int {
    nothing = FRAZIL_RECOVERY_NOTHING,
    stands = FRAZIL_RECOVERY_STANDS,
    finished = FRAZIL_RECOVERY_FINISHED,
    finished_in_part = FRAZIL_RECOVERY_FINISHED_IN_PART,
    dropped = FRAZIL_RECOVERY_DROPPED,
};

enum class action : int {
    full = FRAZIL_ACTION_FULL,
    delta = FRAZIL_ACTION_DELTA,
    copy = FRAZIL_ACTION_COPY,
    link = FRAZIL_ACTION_LINK,
    metadata = FRAZIL_ACTION_METADATA,
    deleted = FRAZIL_ACTION_DELETE,
    voided = FRAZIL_ACTION_VOID,
    none = FRAZIL_ACTION_NONE,
};

enum class reason : int {
    is_new = FRAZIL_REASON_NEW,
    kind = FRAZIL_REASON_KIND,
    size = FRAZIL_REASON_SIZE,
    modified = FRAZIL_REASON_MODIFIED,
    changed = FRAZIL_REASON_CHANGED,
    owner = FRAZIL_REASON_OWNER,
    inode = FRAZIL_REASON_INODE,
    device = FRAZIL_REASON_DEVICE,
    racy = FRAZIL_REASON_RACY,
    dirty = FRAZIL_REASON_DIRTY,
    unlinked = FRAZIL_REASON_UNLINKED,
    link = FRAZIL_REASON_LINK,
    always = FRAZIL_REASON_ALWAYS,
    gone = FRAZIL_REASON_GONE,
    content = FRAZIL_REASON_CONTENT,
};

enum class entry_kind : int {
    unknown = FRAZIL_ENTRY_UNKNOWN,
    file = FRAZIL_ENTRY_FILE,
    directory = FRAZIL_ENTRY_DIRECTORY,
    symlink = FRAZIL_ENTRY_SYMLINK,
    fifo = FRAZIL_ENTRY_FIFO,
    char_device = FRAZIL_ENTRY_CHAR_DEVICE,
    block_device = FRAZIL_ENTRY_BLOCK_DEVICE,
};

enum class difference_kind : int {
    missing = FRAZIL_DIFFERENCE_MISSING,
    extra = FRAZIL_DIFFERENCE_EXTRA,
    kind = FRAZIL_DIFFERENCE_KIND,
    content = FRAZIL_DIFFERENCE_CONTENT,
    mode = FRAZIL_DIFFERENCE_MODE,
    owner = FRAZIL_DIFFERENCE_OWNER,
    modified = FRAZIL_DIFFERENCE_MODIFIED,
    attributes = FRAZIL_DIFFERENCE_ATTRIBUTES,
    flags = FRAZIL_DIFFERENCE_FLAGS,
    target = FRAZIL_DIFFERENCE_TARGET,
    link = FRAZIL_DIFFERENCE_LINK,
    unreadable = FRAZIL_DIFFERENCE_UNREADABLE,
};

}  // namespace frazil

template <>
struct std::is_error_code_enum<frazil::status> : std::true_type {};

namespace frazil {

// ---- Errors

// What is thrown in one shared object is to be known in another, although both be built with `-fvisibility=hidden`, as
// plugins are.
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

// The category of error codes that are a `status`.
inline const std::error_category &category() noexcept {
    class frazil_category final : public std::error_category {
      public:
        const char *name() const noexcept override { return "frazil"; }

        std::string message(int number) const override { return frazil_status_name(number); }

        std::error_condition default_error_condition(int number) const noexcept override {
            switch (static_cast<status>(number)) {
                case status::invalid_input:
                case status::null: return std::errc::invalid_argument;
                case status::io: return std::errc::io_error;
                case status::unsupported: return std::errc::not_supported;
                case status::exists: return std::errc::file_exists;
                case status::cancelled: return std::errc::operation_canceled;
                case status::out_of_memory: return std::errc::not_enough_memory;
                default: return std::error_condition(number, *this);
            }
        }
    };
    static const frazil_category only;
    return only;
}

// So that `error.code() == frazil::status::exists` and the like can be asked.
inline std::error_code make_error_code(status of) noexcept {
    return {static_cast<int>(of), category()};
}

// Something failed. Every failure that is frazil's own is of a class below, which is derived from this one.
//
// `code` is the operating system's `errno` in `std::system_category` where one lies beneath, so that
// `error.code() == std::errc::no_such_file_or_directory` means what it says; else it is the status.
//
// It may be copied and kept, without throwing, and read by several threads at once. It is copied where it would be
// moved, so that there is none without a message.
class error : public std::system_error {
  public:
    error(frazil::status of, std::string message, int os_code = 0)
        : error(std::make_shared<const record>(record{of, std::move(message), {}, {}, os_code, 0})) {}

    // Copies all of an error of C, which stays the caller's.
    explicit error(const frazil_error *of) : error(std::make_shared<const record>(copy(of))) {}

    error(const error &) noexcept = default;
    error &operator=(const error &) noexcept = default;

    // What was being done, to what, where, what was expected and what was found: one line of UTF-8 in English,
    // without a full stop.
    const char *what() const noexcept override { return said_->message.c_str(); }

    frazil::status status() const noexcept { return said_->status; }

    // As that of `std::system_error`, but of the category of whoever asks. A shared object that was loaded on its own
    // (`RTLD_LOCAL`) has one of its own, and codes are equal only where the categories are the same object.
    std::error_code code() const noexcept { return said_->code(); }

    // The file that was being worked on; empty where it is not known.
    const std::filesystem::path &path() const noexcept { return said_->path; }

    // The offset in bytes at which it happened, in the stream or file that the message names.
    std::optional<std::uint64_t> offset() const noexcept { return said_->offset; }

    // The operating system's `errno`, or 0 where none lies beneath.
    int os_code() const noexcept { return said_->os_code; }

    // What a callback in C returned that failed; here 0, since callbacks throw.
    int callback_code() const noexcept { return said_->callback_code; }

  private:
    struct record {
        frazil::status status;
        std::string message;
        std::filesystem::path path;
        std::optional<std::uint64_t> offset;
        int os_code;
        int callback_code;

        std::error_code code() const noexcept {
            return os_code != 0 ? std::error_code(os_code, std::system_category()) : make_error_code(status);
        }
    };

    explicit error(std::shared_ptr<const record> said) : std::system_error(said->code()), said_(std::move(said)) {}

    static record copy(const frazil_error *of) {
        record made{static_cast<frazil::status>(frazil_error_status(of)), frazil_error_message(of), {}, {}, 0, 0};
        if (const char *path = frazil_error_path(of)) made.path = path;
        if (const auto offset = frazil_error_offset(of); offset != FRAZIL_UNKNOWN) made.offset = offset;
        made.os_code = frazil_error_os_code(of);
        made.callback_code = frazil_error_callback_code(of);
        return made;
    }

    std::shared_ptr<const record> said_;
};

// An argument or option is outside what the function takes.
struct invalid_input_error : error { using error::error; };

// The call is not allowed in the state the object is in: it is empty, is finished, has failed before, or is in
// use by another call.
struct state_error : error { using error::error; };

// The operating system failed; `os_code` and `code` say how.
struct io_error : error { using error::error; };

// A stream, or what was to come of it, is not as it was made: one of the three that follow.
struct damage_error : error { using error::error; };

// A stream ended before it was complete.
struct truncated_error : damage_error { using damage_error::damage_error; };

// A stream holds bytes that no writer of the format produces.
struct corrupt_error : damage_error { using damage_error::damage_error; };

// The result is not the content that the stream promised.
struct mismatch_error : damage_error { using damage_error::damage_error; };

// A stream needs a newer version, or a feature this version does not have.
struct unsupported_error : error { using error::error; };

// The work would exceed a declared limit of memory or output.
struct limit_error : error { using error::error; };

// The basis is not the content that the delta was made against.
struct wrong_basis_error : error { using error::error; };

// Two signatures do not have the same parameters, so their sums say nothing of each other.
struct incomparable_error : error { using error::error; };

// The source changed while it was read; an observer is told so.
struct source_changed_error : error { using error::error; };

// The output is there already and was not to be replaced.
struct exists_error : error { using error::error; };

// The observer asked to stop.
struct cancelled_error : error { using error::error; };

// Memory could not be had for what is done in C. (What is done here throws `std::bad_alloc`.)
struct out_of_memory_error : error { using error::error; };

// A fault in frazil itself.
struct internal_error : error { using error::error; };

// A callback had stopped this work before. What a callback throws comes out as it is.
struct callback_error : error { using error::error; };

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

namespace detail {

// Throws what the failed call has said, in the class of its status.
[[noreturn]] inline void raise(const frazil_error *said) {
    switch (frazil_error_status(said)) {
        case FRAZIL_OK:
        case FRAZIL_END:
        case FRAZIL_PARTIAL:
        case FRAZIL_DIRTY: break;
        case FRAZIL_ERR_INVALID_INPUT:
        case FRAZIL_ERR_NULL: throw invalid_input_error(said);
        case FRAZIL_ERR_STATE: throw state_error(said);
        case FRAZIL_ERR_IO: throw io_error(said);
        case FRAZIL_ERR_TRUNCATED: throw truncated_error(said);
        case FRAZIL_ERR_CORRUPT: throw corrupt_error(said);
        case FRAZIL_ERR_MISMATCH: throw mismatch_error(said);
        case FRAZIL_ERR_UNSUPPORTED: throw unsupported_error(said);
        case FRAZIL_ERR_LIMIT: throw limit_error(said);
        case FRAZIL_ERR_WRONG_BASIS: throw wrong_basis_error(said);
        case FRAZIL_ERR_INCOMPARABLE: throw incomparable_error(said);
        case FRAZIL_ERR_SOURCE_CHANGED: throw source_changed_error(said);
        case FRAZIL_ERR_EXISTS: throw exists_error(said);
        case FRAZIL_ERR_CANCELLED: throw cancelled_error(said);
        case FRAZIL_ERR_OUT_OF_MEMORY: throw out_of_memory_error(said);
        case FRAZIL_ERR_INTERNAL: throw internal_error(said);
        case FRAZIL_ERR_CALLBACK: throw callback_error(said);
    }
    // Of a newer library.
    throw error(said);
}

// To read nothing would look like the end.
inline void refuse_no_room(std::size_t len) {
    if (len == 0)
        throw invalid_input_error(status::invalid_input, "there is no room to read into: a buffer of 0 bytes");
}

[[noreturn]] inline void refuse_empty() {
    throw state_error(status::state, "this is empty: nothing was put into it, or it was moved from");
}

// An object of C and its owner.
template <class C, void (*Free)(C *)>
class owned {
  public:
    owned() noexcept = default;
    explicit owned(C *object) noexcept : object_(object) {}
    owned(owned &&other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
    owned &operator=(owned &&other) noexcept {
        owned(std::move(other)).swap(*this);
        return *this;
    }
    ~owned() { Free(object_); }

    C *get() const noexcept { return object_; }
    C *release() noexcept { return std::exchange(object_, nullptr); }

    // Where a call puts an object into one that is empty.
    C **out() noexcept { return &object_; }

    // The object, for a call that needs one.
    C *some() const {
        if (object_ == nullptr) refuse_empty();
        return object_;
    }

  private:
    void swap(owned &other) noexcept { std::swap(object_, other.object_); }

    C *object_ = nullptr;
};

// Makes a call that calls nothing back, and throws what it fails with.
template <class Call>
int attempt(Call &&call) {
    owned<frazil_error, frazil_error_free> said;
    const int status = call(said.out());
    if (status < 0) raise(said.get());
    return status;
}

// A string, or a path, of C. A zero byte would cut it short, and it would name another file.
inline const char *c_string(const std::string &text) {
    if (text.find('\0') == std::string::npos) return text.c_str();
    // Nor may it cut the message short.
    std::string escaped;
    for (const char byte : text) byte ? escaped += byte : escaped += "\\0";
    throw invalid_input_error(status::invalid_input, "there is a zero byte in \"" + escaped + '"');
}

inline const char *c_path(const std::filesystem::path &path) {
    return c_string(path.native());
}

inline const char *c_path(const std::optional<std::filesystem::path> &path) {
    return path ? c_path(*path) : nullptr;
}

inline const char *c_unless_empty(const std::string &text) {
    return text.empty() ? nullptr : c_string(text);
}

// What a struct of C that begins with its size is before it is filled.
template <class C>
C sized(void (*init)(C *, std::size_t)) noexcept {
    C made;
    init(&made, sizeof made);
    return made;
}

// Calls that of C's functions that takes such arguments: of a path, of a descriptor, or of a callback.
template <auto Function, auto... Others, class... Arguments>
frazil_status in_form(Arguments... arguments) {
    if constexpr (std::is_invocable_v<decltype(Function), Arguments...>)
        return Function(arguments...);
    else
        return in_form<Others...>(arguments...);
}

class context;

// For what needs a sink.
template <class Sink>
void refuse_none(const Sink &to) {
    if (!to) throw invalid_input_error(status::invalid_input, "the sink to write to is none");
}

template <std::size_t Len>
std::array<std::uint8_t, Len> array_of(const std::uint8_t (&bytes)[Len]) noexcept {
    std::array<std::uint8_t, Len> made;
    std::copy(std::begin(bytes), std::end(bytes), made.begin());
    return made;
}

// How much is moved at once where the caller does not say.
inline constexpr std::size_t piece_len = 256 * 1024;

template <class T>
inline constexpr bool is_byte = sizeof(T) == 1 && std::is_trivially_copyable_v<T>;

// Whether `C` has `data` and `size`, and elements that are single bytes. (By overloads: what a partial specialisation
// may not access is an error to some compilers.)
template <class C, class Data = decltype(std::declval<C &>().data()), class = decltype(std::declval<C &>().size())>
constexpr bool has_bytes(int) noexcept {
    if constexpr (std::is_pointer_v<Data> && !std::is_void_v<std::remove_pointer_t<Data>>)
        return is_byte<std::remove_pointer_t<Data>>;
    else
        return false;
}
template <class C>
constexpr bool has_bytes(long) noexcept {
    return false;
}
template <class C>
inline constexpr bool is_contiguous = has_bytes<C>(0);

// Whether its elements may be written to, too.
template <class C>
constexpr bool has_room() noexcept {
    if constexpr (is_contiguous<C>)
        return !std::is_const_v<std::remove_pointer_t<decltype(std::declval<C &>().data())>>;
    else
        return false;
}

// Whether bytes can be appended to it.
template <class C, class = decltype(std::declval<C &>().insert(std::declval<C &>().end(),
                                                               std::declval<const typename C::value_type *>(),
                                                               std::declval<const typename C::value_type *>()))>
constexpr bool can_append(int) noexcept {
    return is_contiguous<C>;
}
template <class C>
constexpr bool can_append(long) noexcept {
    return false;
}

// A string of characters, which could as well be meant as a path.
template <class C>
inline constexpr bool is_text = std::is_convertible_v<const C &, std::string_view>;

}  // namespace detail

// ---- Bytes, and where they come from and go

// Bytes in memory that are somebody else's, as a `std::string_view` is characters: of anything contiguous
// with single bytes as elements (`std::vector<char>`, `std::string`, `std::span<const std::byte>`), of an array, or by
// pointer and length. An array of `const char` is none, since a literal ends with a zero that nobody means.
class bytes {
  public:
    constexpr bytes() noexcept = default;
    bytes(const void *data, std::size_t size) noexcept : data_(static_cast<const std::byte *>(data)), size_(size) {}
    template <class C, class = std::enable_if_t<detail::is_contiguous<const C> && !std::is_same_v<C, bytes>>>
    bytes(const C &container) noexcept : bytes(container.data(), container.size()) {}
    template <class T, std::size_t Len,
              class = std::enable_if_t<detail::is_byte<T> && !std::is_same_v<T, const char>>>
    bytes(T (&array)[Len]) noexcept : bytes(array, Len) {}

    const std::byte *data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }
    const std::byte *begin() const noexcept { return data_; }
    const std::byte *end() const noexcept { return data_ + size_; }

  private:
    const std::byte *data_ = nullptr;
    std::size_t size_ = 0;
};

// Room for bytes in memory that is somebody else's, and its size: of anything contiguous with single bytes as elements
// that may be written to, of an array, or by pointer and length.
class room {
  public:
    room(void *data, std::size_t size) noexcept : data_(static_cast<std::byte *>(data)), size_(size) {}
    template <class C, class = std::enable_if_t<detail::has_room<C>() && !std::is_same_v<C, room>>>
    room(C &container) noexcept : room(container.data(), container.size()) {}
    // A view, which may be a temporary.
    template <class C, class = void, class = std::enable_if_t<detail::has_room<const C>() && !std::is_same_v<C, room>>>
    room(const C &view) noexcept : room(view.data(), view.size()) {}
    template <class T, std::size_t Len, class = std::enable_if_t<detail::is_byte<T> && !std::is_const_v<T>>>
    room(T (&array)[Len]) noexcept : room(array, Len) {}

    std::byte *data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }
    std::byte *begin() const noexcept { return data_; }
    std::byte *end() const noexcept { return data_ + size_; }

  private:
    std::byte *data_;
    std::size_t size_;
};

namespace detail {

// Whether it can be called with these and gives a number.
template <class F, class... Arguments>
constexpr bool counts() noexcept {
    if constexpr (std::is_invocable_v<F &, Arguments...>) {
        using result = std::invoke_result_t<F &, Arguments...>;
        return std::is_integral_v<result> && !std::is_same_v<result, bool>;
    } else {
        return false;
    }
}

// Whether it can be called with these and gives nothing: a result that says what failed would be lost.
template <class F, class... Arguments>
constexpr bool takes() noexcept {
    if constexpr (std::is_invocable_v<F &, Arguments...>)
        return std::is_void_v<std::invoke_result_t<F &, Arguments...>>;
    else
        return false;
}

// What is called with a `std::span`, or a span of another library, is called with what converts to it; so none has to
// be known here, and this is the same for C++17 and C++20.
template <class F, class... At>
inline constexpr bool can_read = counts<F, At..., char *, std::size_t>() ||
                                 counts<F, At..., unsigned char *, std::size_t>() ||
                                 counts<F, At..., std::byte *, std::size_t>() || counts<F, At..., room &>();

template <class F, class... At>
std::size_t call_to_read(F &call, char *buffer, std::size_t len, At... at) {
    if constexpr (counts<F, At..., char *, std::size_t>()) {
        return static_cast<std::size_t>(call(at..., buffer, len));
    } else if constexpr (counts<F, At..., unsigned char *, std::size_t>()) {
        return static_cast<std::size_t>(call(at..., reinterpret_cast<unsigned char *>(buffer), len));
    } else if constexpr (counts<F, At..., std::byte *, std::size_t>()) {
        return static_cast<std::size_t>(call(at..., reinterpret_cast<std::byte *>(buffer), len));
    } else {
        room to(buffer, len);
        return static_cast<std::size_t>(call(at..., to));
    }
}

template <class F>
inline constexpr bool
    can_write = takes<F, const char *, std::size_t>() || takes<F, const unsigned char *, std::size_t>() ||
                takes<F, const std::byte *, std::size_t>() || takes<F, bytes>() || takes<F, std::string_view>();

template <class F>
void call_to_write(F &call, bytes data) {
    [[maybe_unused]] const auto *text = reinterpret_cast<const char *>(data.data());
    if constexpr (takes<F, const char *, std::size_t>())
        call(text, data.size());
    else if constexpr (takes<F, const unsigned char *, std::size_t>())
        call(reinterpret_cast<const unsigned char *>(text), data.size());
    else if constexpr (takes<F, const std::byte *, std::size_t>())
        call(data.data(), data.size());
    else if constexpr (takes<F, bytes>())
        call(data);
    else
        call(std::string_view(text, data.size()));
}

template <class T>
inline constexpr bool is_istream = std::is_base_of_v<std::istream, T>;
template <class T>
inline constexpr bool is_ostream = std::is_base_of_v<std::ostream, T>;
template <class T>
inline constexpr bool is_memory = is_contiguous<T> && !is_text<T>;
// A file descriptor; what only converts to one, such as a `bool`, is a mistake.
template <class T>
inline constexpr bool is_fd = std::is_same_v<T, int>;
template <class T>
inline constexpr bool is_path = std::is_convertible_v<const T &, std::filesystem::path>;
template <class T>
inline constexpr bool is_mutable = std::is_lvalue_reference_v<T> && !std::is_const_v<std::remove_reference_t<T>>;

// What a sink may be made of: a stream that stays or can be moved, what grows, and what is filled.
template <class T>
inline constexpr bool is_kept_ostream =
    is_ostream<std::decay_t<T>> &&
    (is_mutable<T> || (!std::is_reference_v<T> && std::is_move_constructible_v<std::decay_t<T>>));
template <class T>
inline constexpr bool is_appended = is_mutable<T> && can_append<std::decay_t<T>>(0) && !is_text<std::decay_t<T>>;
template <class T>
inline constexpr bool is_filled =
    !is_appended<T> && !is_text<std::decay_t<T>> && std::is_constructible_v<room, T>;

// What is an rvalue is moved to where all copies of a callable find it; an lvalue stays where it is, a stream by its
// address, and memory as a view, since a view may be what it is.
template <class T>
auto kept(T &&value) {
    using plain = std::decay_t<T>;
    if constexpr (!std::is_lvalue_reference_v<T>)
        return std::make_shared<plain>(std::move(value));
    else if constexpr (is_istream<plain> || is_ostream<plain>)
        return &value;
    else
        return std::optional<bytes>(bytes(value));
}

// By the buffer, past the stream: a buffer says by an exception what failed, and a stream that throws at `failbit`
// would throw at the end.
inline std::size_t read_stream(std::istream &from, char *buffer, std::size_t len) {
    if (from.bad() || (from.fail() && !from.eof()))
        throw std::ios_base::failure("the std::istream to read from has failed before");
    constexpr auto most = static_cast<std::size_t>(std::numeric_limits<std::streamsize>::max());
    const auto got = from.rdbuf()->sgetn(buffer, static_cast<std::streamsize>(std::min(len, most)));
    return got > 0 ? static_cast<std::size_t>(got) : 0;
}

inline std::size_t read_memory(bytes from, std::uint64_t offset, char *buffer, std::size_t len) {
    const auto skipped = static_cast<std::size_t>(std::min<std::uint64_t>(offset, from.size()));
    len = std::min(len, from.size() - skipped);
    std::copy_n(reinterpret_cast<const char *>(from.data()) + skipped, len, buffer);
    return len;
}

// A file descriptor of its own, for the file of one that is somebody else's.
class descriptor {
  public:
    explicit descriptor(int of) : of_(of), own_(::fcntl(of, F_DUPFD_CLOEXEC, 0)) {
        if (own_ < 0) fail("duplicating");
    }
    descriptor(const descriptor &) = delete;
    descriptor &operator=(const descriptor &) = delete;
    ~descriptor() { ::close(own_); }

    void write(bytes data) const {
        while (!data.empty()) {
            const auto most = static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max());
            const auto written = ::write(own_, data.data(), std::min(data.size(), most));
            if (written < 0 && errno == EINTR) continue;
            if (written < 0) fail("writing to");
            data = bytes(data.data() + written, data.size() - static_cast<std::size_t>(written));
        }
    }

  private:
    [[noreturn]] void fail(const std::string &doing) const {
        const int code = errno;
        const auto where = doing + " file descriptor " + std::to_string(of_);
        throw io_error(status::io, where + ": " + std::system_category().message(code), code);
    }

    int of_;
    int own_;
};

inline std::size_t checked(std::size_t got, std::size_t len) {
    if (got > len)
        throw invalid_input_error(status::invalid_input,
                                  "a source claims more bytes than it was asked for, or less than 0");
    return got;
}

}  // namespace detail

// Bytes that come one after the other. One may be copied; the copies read on where any of them left off.
//
// A callable is called as `read(buffer, len)`, with a pointer to `char`, `unsigned char`, `std::byte` or `void`,
// or with a `room`, which converts to a `std::span<std::byte>`. It puts at most as many bytes there, says how
// many, and gives 0 at the end; it may put fewer than it could, and is called again. It throws if it fails. A
// number above `len` is an `invalid_input_error`, and so is a negative one.
//
// **Of a `std::istream` it depends on the library whether a failure can be told from the end:** the files of
// libstdc++ throw, those of libc++ and a `std::cin` that is synchronised with C do not. For a file or a pipe, give
// its path or its descriptor as a `source`. A stream that had failed before is refused.
//
// A `std::string` is no stream, since it could as well be meant as a path; `bytes` of it are.
class stream {
  public:
    stream(const void *data, std::size_t size) : stream(bytes(data, size)) {}

    template <class From, class Plain = std::decay_t<From>,
              class = std::enable_if_t<!std::is_same_v<Plain, stream> && (detail::is_istream<Plain> ||
                                                                          detail::can_read<Plain> ||
                                                                          detail::is_memory<Plain>)>>
    stream(From &&from) {
        if constexpr (detail::is_istream<Plain>)
            read_ = [from = detail::kept(std::forward<From>(from))](char *into, std::size_t most) {
                return detail::read_stream(*from, into, most);
            };
        else if constexpr (detail::can_read<Plain>)
            read_ = [call = std::make_shared<Plain>(std::forward<From>(from))](char *into, std::size_t most) {
                return detail::call_to_read(*call, into, most);
            };
        else
            read_ = [from = detail::kept(std::forward<From>(from)), taken = std::make_shared<std::size_t>(0)](
                        char *into, std::size_t most) {
                const auto got = detail::read_memory(bytes(*from), *taken, into, most);
                *taken += got;
                return got;
            };
    }

    // Reads the next bytes, at most `len`, which is not 0; 0 is the end.
    [[nodiscard]] std::size_t read(void *buffer, std::size_t len) {
        detail::refuse_no_room(len);
        if (!read_) detail::refuse_empty();
        return detail::checked(read_(static_cast<char *>(buffer), len), len);
    }

  private:
    std::function<std::size_t(char *, std::size_t)> read_;
};

// Where bytes come from, one after the other: a path, a file descriptor, which gives what comes from where it
// stands, or a `stream`, with all that one is made of.
class source {
  public:
    source(const void *data, std::size_t size) : from_(stream(data, size)) {}

    template <class From, class Plain = std::decay_t<From>,
              class = std::enable_if_t<!std::is_same_v<Plain, source> && (detail::is_path<Plain> ||
                                                                          detail::is_fd<Plain> ||
                                                                          std::is_constructible_v<stream, From &&>)>>
    source(From &&from) {
        if constexpr (detail::is_fd<Plain>)
            from_ = from;
        else if constexpr (detail::is_path<Plain>)
            from_ = std::filesystem::path(std::forward<From>(from));
        else
            from_ = stream(std::forward<From>(from));
    }

  private:
    friend class detail::context;

    std::variant<std::filesystem::path, int, stream> from_;
};

// Bytes that can be read anywhere, and more than once: what a patch is applied to, or one level of a chain. It is
// made of a path; of a file descriptor, whose file is read from its start, wherever it stands; of memory; or of
// a callable and how many bytes that has. `{}` is none, the basis of a level 0.
//
// A callable is called as `read(offset, buffer, len)`, and else as that of a `stream` is.
class input {
  public:
    input() noexcept = default;
    input(std::nullopt_t) noexcept {}
    input(std::nullptr_t) noexcept {}

    template <class From, class Plain = std::decay_t<From>,
              class = std::enable_if_t<!std::is_same_v<Plain, input> &&
                                       (detail::is_path<Plain> || detail::is_fd<Plain> || detail::is_memory<Plain>)>>
    input(From &&from) {
        if constexpr (detail::is_fd<Plain>) {
            from_ = from;
        } else if constexpr (detail::is_path<Plain>) {
            from_ = std::filesystem::path(std::forward<From>(from));
        } else {
            const std::uint64_t length = bytes(from).size();
            const auto read_at = [from = detail::kept(std::forward<From>(from))](std::uint64_t at, char *into,
                                                                                 std::size_t most) {
                return detail::read_memory(bytes(*from), at, into, most);
            };
            from_ = anywhere{read_at, length};
        }
    }

    template <class From, class Plain = std::decay_t<From>,
              class = std::enable_if_t<detail::can_read<Plain, std::uint64_t>>>
    input(From &&from, std::uint64_t length) {
        const auto read_at = [call = std::make_shared<Plain>(std::forward<From>(from))](std::uint64_t at, char *into,
                                                                                        std::size_t most) {
            return detail::checked(detail::call_to_read(*call, into, most, at), most);
        };
        from_ = anywhere{read_at, length};
    }

  private:
    friend class detail::context;

    struct anywhere {
        std::function<std::size_t(std::uint64_t, char *, std::size_t)> read_at;
        std::uint64_t length;
    };

    std::variant<std::monostate, std::filesystem::path, int, anywhere> from_;
};

// Where bytes go. One may be copied; the copies write on where any of them left off. One that is made of nothing
// converts to false; where a sink may be left out, that is how.
//
// A callable is called as `write(data, len)`, with a pointer to `const char`, `const unsigned char`,
// `const std::byte` or `const void`, or with a `std::string_view`, or with `bytes`, which convert to a
// `std::span<const std::byte>`. It takes all of them, or throws; it returns nothing.
//
// A `std::ostream` is flushed when the work is done, and a failure of it is one of the work. To a descriptor is written
// until all is there, as C does it in the functions that take one (`_fd`); what the system refuses is an `io_error`, as
// EAGAIN where one does not wait (`O_NONBLOCK`).
// `room`, an array or a span is filled, and throws `std::length_error` when it is full; a container that grows is
// appended to. A path is none, since a file that appears whole or not at all is made by the functions that are given
// its path; nor is a `std::string`, which could as well be meant as one.
class sink {
  public:
    sink() noexcept = default;

    sink(void *memory, std::size_t size)
        : write_([left = std::make_shared<room>(memory, size)](bytes piece) {
              if (piece.size() > left->size()) throw std::length_error("the memory to write to is full");
              *left = room(std::copy(piece.begin(), piece.end(), left->begin()), left->size() - piece.size());
          }) {}

    template <class To, class Plain = std::decay_t<To>,
              class = std::enable_if_t<!std::is_same_v<Plain, sink> &&
                                       (detail::is_fd<Plain> || detail::is_kept_ostream<To> ||
                                        detail::can_write<Plain> || detail::is_appended<To> || detail::is_filled<To>)>>
    sink(To &&to) {
        if constexpr (detail::is_fd<Plain>) {
            write_ = [fd = std::make_shared<detail::descriptor>(to)](bytes piece) { fd->write(piece); };
        } else if constexpr (detail::is_ostream<Plain>) {
            const auto kept = detail::kept(std::forward<To>(to));
            const auto check = [kept] {
                if (!*kept) throw std::ios_base::failure("writing to a std::ostream has failed");
            };
            write_ = [kept, check](bytes piece) {
                kept->write(reinterpret_cast<const char *>(piece.data()), static_cast<std::streamsize>(piece.size()));
                check();
            };
            flush_ = [kept, check] {
                kept->flush();
                check();
            };
        } else if constexpr (detail::can_write<Plain>) {
            write_ = [call = std::make_shared<Plain>(std::forward<To>(to))](bytes piece) {
                detail::call_to_write(*call, piece);
            };
        } else if constexpr (detail::is_appended<To>) {
            write_ = [&to](bytes piece) {
                const auto *first = reinterpret_cast<const typename Plain::value_type *>(piece.data());
                to.insert(to.end(), first, first + piece.size());
            };
        } else {
            const room memory(to);
            *this = sink(memory.data(), memory.size());
        }
    }

    explicit operator bool() const noexcept { return static_cast<bool>(write_); }

    // Writes all of the bytes.
    void write(bytes data) {
        detail::refuse_none(*this);
        write_(data);
    }

    // Flushes a `std::ostream`; does nothing else.
    void flush() {
        if (flush_) flush_();
    }

  private:
    std::function<void(bytes)> write_;
    std::function<void()> flush_;
};

// ---- Observers

// How far an operation has come.
struct progress {
    // Bytes of the source (a level, a backup) or of the result (a patch) that are done.
    std::uint64_t done_bytes = 0;
    // What `done_bytes` will be at the end.
    std::optional<std::uint64_t> total_bytes;
    // Bytes of the stream that were written (a level) or read (a patch) so far.
    std::uint64_t stream_bytes = 0;
    // Entries of a tree that are done, and counted anew while a restored level is published; 0 where there is no
    // tree.
    std::uint64_t entries = 0;
};

// What the backup of a tree did about one entry that it looked at.
struct entry_report {
    // Where in the tree it is; the root is `.`.
    std::filesystem::path path;
    // How it is in the archive; `none` where it proved to be what it was.
    frazil::action action = frazil::action::none;
    // Why it was looked at.
    frazil::reason reason = frazil::reason::is_new;
    // Bytes of content or delta that are in the archive for it.
    std::uint64_t bytes = 0;
};

struct entry;

// Who follows an operation, by as many of these as are set.
//
// `progress` and `cancelled` are called about once for each mebibyte of work and once more before it is complete;
// `cancelled` at least every 100 milliseconds too while a descriptor that waits has nothing to read. While a restored
// level is published, which is not stopped any more, `progress` is called for some hundred entries.
//
// All are called by the thread that made the call, except those of a `restore`: they are called by the thread that it
// has of its own, one at a time, from `open` on until it is finished or destroyed, also while the program is in no call
// at all. What they share with the program needs a lock. What they throw stops the operation.
struct observer {
    // Some work was done.
    std::function<void(const frazil::progress &)> progress = nullptr;
    // Something went wrong that the operation survived: its result says partial or dirty.
    std::function<void(const error &)> problem = nullptr;
    // Whether to stop, with `cancelled_error`.
    std::function<bool()> cancelled = nullptr;
    // The backup of a tree has looked at an entry, or found it gone; what was passed over as unchanged is not told.
    std::function<void(const entry_report &)> entry = nullptr;
    // Something is worth knowing and takes nothing from the result, as that a socket is not backed up.
    std::function<void(const error &)> note = nullptr;
    // The restore of a tree has taken in what becomes of an entry, whose path is that in the destination. Nothing of it
    // is there before the archive has proved to be whole; in a dry run, nothing will be.
    std::function<void(const frazil::entry &)> restoring = nullptr;
    // The restore of a tree has found nothing at one of the `paths` of its options, and has published the rest; nothing
    // stops it any more. Called by the thread that made the call.
    std::function<void(const std::filesystem::path &)> missing = nullptr;
};

// ---- What content, signatures and levels are

// Length, checksum and fingerprint of content.
struct identity {
    // Bytes of content.
    std::uint64_t length = 0;
    // The CRC32 (IEEE) of the content.
    std::uint32_t crc32 = 0;
    // Bytes of content under each leaf of the fingerprint's tree; fingerprints over leaves of different lengths
    // say nothing of each other, unless both are of no bytes.
    std::uint32_t leaf_len = 0;
    // The root of a tree of BLAKE2b-256 digests.
    std::array<std::uint8_t, 32> fingerprint{};

    friend bool operator==(const identity &a, const identity &b) noexcept {
        return a.length == b.length && a.crc32 == b.crc32 && a.leaf_len == b.leaf_len && a.fingerprint == b.fingerprint;
    }
    friend bool operator!=(const identity &a, const identity &b) noexcept { return !(a == b); }
};

// The sums of one block.
struct block_sum {
    // The rolling sum.
    std::uint32_t weak_sum = 0;
    // The strong sum; zeros past its length.
    std::array<std::uint8_t, 32> strong_sum{};

    friend bool operator==(const block_sum &a, const block_sum &b) noexcept {
        return a.weak_sum == b.weak_sum && a.strong_sum == b.strong_sum;
    }
    friend bool operator!=(const block_sum &a, const block_sum &b) noexcept { return !(a == b); }
};

// A range of the new content, in bytes.
struct range {
    // Where it begins.
    std::uint64_t offset = 0;
    // How long it is. Where a plain signature leaves the length of the last block unknown, it counts as whole.
    std::uint64_t len = 0;
    // Where it is in the old content, if it is the same or moved; else 0.
    std::uint64_t from = 0;
    // What it is to the old content.
    range_kind kind = range_kind::same;

    friend bool operator==(const range &a, const range &b) noexcept {
        return a.offset == b.offset && a.len == b.len && a.from == b.from && a.kind == b.kind;
    }
    friend bool operator!=(const range &a, const range &b) noexcept { return !(a == b); }
};

// What a signature or a delta says of itself. What it does not say, or not of this kind, is 0 or none.
struct inspection {
    // Reads a signature or a delta to its end, in constant memory, checks all that can be checked without the
    // content, and says what it is. So a level is verified without its basis.
    static inspection of(source from);

    // What it carries.
    stream_kind kind = stream_kind::signature;
    // The form that it has.
    frazil::format format = frazil::format::sealed;
    // Bytes of the stream.
    std::uint64_t stream_bytes = 0;
    // Of a signature: bytes in a block.
    std::uint32_t block_len = 0;
    // Of a signature: bytes of each strong sum.
    std::uint32_t strong_len = 0;
    // Of a signature: the rolling sum.
    frazil::weak_sum weak_sum = frazil::weak_sum::by_default;
    // Of a signature: the strong sum.
    frazil::strong_sum strong_sum = frazil::strong_sum::by_default;
    // Of a signature: how many blocks there are.
    std::uint64_t block_count = 0;
    // Of a delta: how many ranges of the basis are copied.
    std::uint64_t copy_commands = 0;
    // Of a delta: bytes that it copies from the basis.
    std::uint64_t copy_bytes = 0;
    // Of a delta: bytes that are in the stream.
    std::uint64_t literal_bytes = 0;
    // Of a delta: bytes of runs of zeros, which take no room in a sealed stream.
    std::uint64_t zero_bytes = 0;
    // The basis that a sealed delta was made against.
    struct basis {
        // Bytes of the basis; 0 for a level 0.
        std::uint64_t length = 0;
        // Bytes of content under each leaf of the fingerprint's tree.
        std::uint32_t leaf_len = 0;
        // The fingerprint of the basis.
        std::array<std::uint8_t, 32> fingerprint{};
    };
    std::optional<basis> made_against;
    // The content that it is the signature of, or that a sealed delta makes. A delta's is claimed, not proven: only a
    // patch shows.
    std::optional<frazil::identity> identity;
    // Whether the source changed while it was made.
    bool dirty = false;
    // Whether blocks were matched on sums that cannot be trusted to tell contents apart.
    bool weak = false;
};

// What a finished level is.
struct [[nodiscard]] level_summary {
    // Bytes of content that were read.
    std::uint64_t source_bytes = 0;
    // Bytes of the level's stream; 0 where only the signature was made.
    std::uint64_t stream_bytes = 0;
    // Bytes of content that were found in the basis.
    std::uint64_t copy_bytes = 0;
    // Bytes of content that are in the stream.
    std::uint64_t literal_bytes = 0;
    // Bytes of content that are runs of zeros, which take no room in a sealed stream.
    std::uint64_t zero_bytes = 0;
    // How many ranges of the basis are copied.
    std::uint64_t copy_commands = 0;
    // The content that was read, which the level restores, unless `no_identity` was asked for.
    std::optional<frazil::identity> identity;
    // Whether the source changed while it was read. The level restores the bytes that were read, which may be no
    // state that the source was ever in.
    bool dirty = false;
    // Which matches were looked for in the end.
    frazil::matching matching = frazil::matching::automatic;
};

// What a finished patch or chain is.
struct [[nodiscard]] patch_summary {
    // Bytes of the target.
    std::uint64_t output_bytes = 0;
    // Bytes of the deltas.
    std::uint64_t stream_bytes = 0;
    // The target, which was held against what the stream promises of it; none for a plain delta, which promises
    // nothing.
    std::optional<frazil::identity> identity;
    // Whether the source had changed while the level was made.
    bool dirty = false;
    // Whether blocks were matched on sums that cannot be trusted to tell contents apart.
    bool weak = false;

    // Whether the target was verified.
    bool verified() const noexcept { return identity.has_value(); }
};

// ---- What levels of trees are

// Sixteen random bytes that name one level of a tree.
struct level_id {
    std::array<std::uint8_t, 16> bytes{};

    friend bool operator==(const level_id &a, const level_id &b) noexcept { return a.bytes == b.bytes; }
    friend bool operator!=(const level_id &a, const level_id &b) noexcept { return !(a == b); }
    friend bool operator<(const level_id &a, const level_id &b) noexcept { return a.bytes < b.bytes; }
};

// What an archive and its snapshot say of themselves, and of where they belong.
struct level_header {
    // This level.
    level_id id;
    // The level that it is made against; none for a level 0.
    std::optional<level_id> parent;
    // The level 0 of its chain: itself for a level 0.
    level_id root;
    // When the backup began, in seconds since 1970.
    std::int64_t created = 0;
    // How many levels are before it in its chain. For information: the ids decide.
    std::uint32_t number = 0;
    // Bytes in a block; the same in a whole chain.
    std::uint32_t block_len = 0;
};

// What an entry is in all that is not its content. Where the kind is `unknown`, nothing of it says anything.
struct metadata {
    // What it is.
    entry_kind kind = entry_kind::unknown;
    // Permissions with set-id and sticky bits.
    std::uint32_t mode = 0;
    // Number of the owner.
    std::uint32_t uid = 0;
    // Number of the group.
    std::uint32_t gid = 0;
    // Nanoseconds of the modification time.
    std::uint32_t modified_nanoseconds = 0;
    // When the content was last changed, in seconds since 1970.
    std::int64_t modified_seconds = 0;
    // Bytes of content of a regular file.
    std::uint64_t size = 0;
    // Major number of a device.
    std::uint32_t device_major = 0;
    // Minor number of a device.
    std::uint32_t device_minor = 0;
    // Name of the owner, empty where the system knew none.
    std::string user;
    // Name of the group, empty where the system knew none.
    std::string group;
    // Where a symbolic link leads.
    std::optional<std::filesystem::path> target;
};

// What an archive says of one entry.
struct entry : metadata {
    // Where in the tree it is; the root is `.`.
    std::filesystem::path path;
    // Where in the level before its content is from, or which entry of this level it is a further name of.
    std::optional<std::filesystem::path> from;
    // How it comes to be what it is.
    frazil::action action = frazil::action::full;
    // Whether a directory closes here, with its metadata as all that is in it leaves it.
    bool closes = false;
    // Whether it changed while it was read.
    bool dirty = false;
    // The fingerprint of a regular file's content. A delta's is claimed, not proven: only a restore shows.
    std::optional<std::array<std::uint8_t, 32>> fingerprint;
};

// What a snapshot says of one entry.
struct snapshot_entry : metadata {
    // Where in the tree it is; the root is `.`.
    std::filesystem::path path;
    // Which entry it is a further name of.
    std::optional<std::filesystem::path> link;
    // The fingerprint of a regular file's content.
    std::optional<std::array<std::uint8_t, 32>> fingerprint;
    // How many blocks the snapshot has the sums of.
    std::uint64_t block_count = 0;
    // Whether it changed while it was read.
    bool dirty = false;
    // Whether it changed so shortly before it was read that the next level reads it again.
    bool racy = false;
    // Whether it could not be read, and this is what the level before knew of it.
    bool stale = false;
};

// Where a tree differs from what its archives say.
struct difference {
    // Where in the tree; the root is `.`.
    std::filesystem::path path;
    // What differs.
    difference_kind kind = difference_kind::missing;

    friend bool operator==(const difference &a, const difference &b) noexcept {
        return a.path == b.path && a.kind == b.kind;
    }
    friend bool operator!=(const difference &a, const difference &b) noexcept { return !(a == b); }
};

// What a finished backup is.
struct [[nodiscard]] backup_summary {
    // Which level it is.
    level_header header;
    // Entries that the walk met.
    std::uint64_t entries = 0;
    // Regular files whose content was read.
    std::uint64_t files_read = 0;
    // Bytes of content that were read.
    std::uint64_t source_bytes = 0;
    // Bytes of content and deltas in the archive, before any filter.
    std::uint64_t content_bytes = 0;
    // Bytes of the archive.
    std::uint64_t stream_bytes = 0;
    // Entries that are in the archive whole.
    std::uint64_t full = 0;
    // Files that are there as a delta.
    std::uint64_t deltas = 0;
    // Files with the content of another file of the level before.
    std::uint64_t copies = 0;
    // Further names of files.
    std::uint64_t links = 0;
    // Entries of which only the metadata changed.
    std::uint64_t metadata = 0;
    // Entries that are gone.
    std::uint64_t deleted = 0;
    // What could not be backed up as it was; the observer was told of each.
    std::uint64_t problems = 0;

    // Whether something could not be backed up as it was.
    bool partial() const noexcept { return problems > 0; }
};

// What the restoration of one level has done.
struct [[nodiscard]] restore_summary {
    // Which level it is.
    level_header header;
    // Entries that were made, changed or deleted; a directory may count twice.
    std::uint64_t entries = 0;
    // Files whose content was written, or in a dry run would be.
    std::uint64_t files = 0;
    // Bytes of content that were written, or in a dry run would be.
    std::uint64_t output_bytes = 0;
    // Entries that were deleted.
    std::uint64_t deleted = 0;
    // What could not be restored as it was; the observer was told of each.
    std::uint64_t problems = 0;
    // What the backup itself could not read as it was.
    std::uint64_t backup_problems = 0;
    // Whether the destination stood at this level before.
    bool already_there = false;
    // Whether the archive was whole, and all of it that is selected was put in its place.
    bool whole = false;
    // How many of the selected paths there is nothing at, at this level; the observer's `missing` was told of each.
    std::uint64_t missing = 0;

    // Whether something is not as the level has it.
    bool partial() const noexcept { return !whole; }
};

// What was done with what a run of before had left behind.
struct [[nodiscard]] recovery {
    // What it was.
    recovery_kind kind = recovery_kind::nothing;
    // The level that the destination now stands at, if it is known.
    std::optional<level_id> level;
    // Whether everything is as that level has it.
    bool whole = true;

    // Whether something is not.
    bool partial() const noexcept { return !whole; }
};

// What an archive is as a whole.
struct archive_summary {
    // Which level of which chain it is.
    level_header header;
    // Entries that the level says anything of; a directory may count twice.
    std::uint64_t records = 0;
    // Bytes of content and of deltas, before any filter.
    std::uint64_t content_bytes = 0;
    // What could not be backed up as it was.
    std::uint64_t problems = 0;
};

// What a verified tree is.
struct [[nodiscard]] verify_summary {
    // The last level.
    level_header header;
    // Entries that were held against the tree.
    std::uint64_t entries = 0;
    // Bytes of content that were read in the tree.
    std::uint64_t source_bytes = 0;
    // How many differences were found.
    std::uint64_t differences = 0;

    // Whether there are differences.
    bool partial() const noexcept { return differences > 0; }
};

// What a snapshot is as a whole.
struct snapshot_summary {
    // Which level of which chain it is of.
    level_header header;
    // How many entries it has.
    std::uint64_t entries = 0;
};

namespace detail {

inline identity of_c(const frazil_identity &from) {
    return {from.length, from.crc32, from.leaf_len, array_of(from.fingerprint)};
}

inline level_id of_c(const frazil_level_id &from) {
    return {array_of(from.bytes)};
}

inline std::optional<std::uint64_t> known(std::uint64_t number) noexcept {
    return number == FRAZIL_UNKNOWN ? std::nullopt : std::optional(number);
}

inline level_header of_c(const frazil_level_header &from) {
    level_header made{of_c(from.id), {}, of_c(from.root), from.created, from.number, from.block_len};
    if (from.has_parent != 0) made.parent = of_c(from.parent);
    return made;
}

inline block_sum of_c(const frazil_block_sum &from) {
    return {from.weak_sum, array_of(from.strong_sum)};
}

inline range of_c(const frazil_range &from) {
    return {from.offset, from.len, from.from, static_cast<range_kind>(from.kind)};
}

inline inspection of_c(const frazil_inspection &from) {
    inspection made;
    made.kind = static_cast<stream_kind>(from.kind);
    made.format = static_cast<format>(from.format);
    made.stream_bytes = from.stream_bytes;
    made.block_len = from.block_len;
    made.strong_len = from.strong_len;
    made.weak_sum = static_cast<weak_sum>(from.weak_sum);
    made.strong_sum = static_cast<strong_sum>(from.strong_sum);
    made.block_count = from.block_count;
    made.copy_commands = from.copy_commands;
    made.copy_bytes = from.copy_bytes;
    made.literal_bytes = from.literal_bytes;
    made.zero_bytes = from.zero_bytes;
    if (from.has_basis != 0)
        made.made_against = {from.basis_len, from.basis_leaf_len, array_of(from.basis_fingerprint)};
    if (from.has_identity != 0) made.identity = of_c(from.identity);
    made.dirty = from.dirty != 0;
    made.weak = from.weak != 0;
    return made;
}

inline level_summary of_c(const frazil_level_summary &from) {
    level_summary made{
            from.source_bytes,   from.stream_bytes, from.copy_bytes,
            from.literal_bytes,  from.zero_bytes,   from.copy_commands,
            {},                  from.dirty != 0,   static_cast<matching>(from.matching)};
    if (from.identity.leaf_len != 0) made.identity = of_c(from.identity);
    return made;
}

inline patch_summary of_c(const frazil_patch_summary &from) {
    patch_summary made{from.output_bytes, from.stream_bytes, {}, from.dirty != 0, from.weak != 0};
    if (from.verified != 0) made.identity = of_c(from.identity);
    return made;
}

inline backup_summary of_c(const frazil_backup_summary &from) {
    return {of_c(from.header), from.entries, from.files_read, from.source_bytes, from.content_bytes,
            from.stream_bytes, from.full,    from.deltas,     from.copies,       from.links,
            from.metadata,     from.deleted, from.problems};
}

inline restore_summary of_c(const frazil_restore_summary &from) {
    return {of_c(from.header), from.entries,  from.files,           from.output_bytes,
            from.deleted,      from.problems, from.backup_problems, from.already_there != 0,
            from.whole != 0,   from.missing};
}

// Whether everything is as the level has it is said by the status.
inline recovery of_c(const frazil_recovery &from) {
    recovery made;
    made.kind = static_cast<recovery_kind>(from.kind);
    if (from.has_level != 0) made.level = of_c(from.level);
    return made;
}

inline archive_summary of_c(const frazil_archive_summary &from) {
    return {of_c(from.header), from.records, from.content_bytes, from.problems};
}

inline snapshot_summary of_c(const frazil_snapshot_summary &from) {
    return {of_c(from.header), from.entries};
}

inline verify_summary of_c(const frazil_verify_summary &from) {
    return {of_c(from.header), from.entries, from.source_bytes, from.differences};
}

inline metadata of_c(const frazil_metadata &from) {
    metadata made;
    made.kind = static_cast<entry_kind>(from.kind);
    made.mode = from.mode;
    made.uid = from.uid;
    made.gid = from.gid;
    made.modified_seconds = from.modified_seconds;
    made.modified_nanoseconds = from.modified_nanoseconds;
    made.device_major = from.device_major;
    made.device_minor = from.device_minor;
    made.size = from.size;
    if (from.user != nullptr) made.user = from.user;
    if (from.group != nullptr) made.group = from.group;
    if (from.target != nullptr) made.target = from.target;
    return made;
}

// What both kinds of entries have.
template <class Entry, class C>
Entry entry_of_c(const C &from) {
    Entry made;
    static_cast<metadata &>(made) = of_c(*from.metadata);
    made.path = from.path;
    made.dirty = from.dirty != 0;
    if (from.fingerprint != nullptr)
        std::copy_n(from.fingerprint, made.fingerprint.emplace().size(), made.fingerprint->begin());
    return made;
}

inline entry of_c(const frazil_entry &from) {
    auto made = entry_of_c<entry>(from);
    if (from.from != nullptr) made.from = from.from;
    made.action = static_cast<action>(from.action);
    made.closes = from.closes != 0;
    return made;
}

inline snapshot_entry of_c(const frazil_snapshot_entry &from) {
    auto made = entry_of_c<snapshot_entry>(from);
    if (from.link != nullptr) made.link = from.link;
    made.block_count = from.block_count;
    made.racy = from.racy != 0;
    made.stale = from.stale != 0;
    return made;
}

inline difference of_c(const frazil_difference &from) {
    return {from.path, static_cast<difference_kind>(from.kind)};
}

inline entry_report of_c(const frazil_entry_report &from) {
    return {from.path, static_cast<action>(from.action), static_cast<reason>(from.reason), from.bytes};
}

inline progress of_c(const frazil_progress &from) {
    return {from.done_bytes, known(from.total_bytes), from.stream_bytes, from.entries};
}

// What one operation calls back, what its options in C point to, and what was thrown.
//
// An exception must not pass through C. It is kept here, C is told of a failure, and when the call has come back
// it is thrown on. Until then nothing is called that could throw another.
class context {
  public:
    explicit context(sink to = {}) : output(std::move(to)) {}
    context(const context &) = delete;
    context &operator=(const context &) = delete;

    sink output;
    sink signature;
    std::function<void(const entry &)> each_entry;
    std::function<void(const snapshot_entry &)> each_snapshot_entry;
    std::function<void(const difference &)> each_difference;
    frazil_level_id parent{};
    frazil_selection selection{};

    // Makes a call of C in the form for what it reads: `call(path)`, `call(fd)`, or `call(function, user_data)`.
    template <class Call>
    auto read(source &from, Call &&call) {
        if (const auto *path = std::get_if<std::filesystem::path>(&from.from_)) return call(c_path(*path));
        if (const auto *fd = std::get_if<int>(&from.from_)) return call(*fd);
        reading_ = std::move(std::get<stream>(from.from_));
        return call(&on_read, static_cast<void *>(this));
    }

    // The same, where what it reads is the first argument, by those of C's functions that are for a path, for a
    // descriptor and for a callback.
    template <auto... Forms, class... Arguments>
    frazil_status call(source &from, Arguments... arguments) {
        return read(from, [&](auto... of) { return in_form<Forms...>(of..., arguments...); });
    }

    // The same, of all that it reads at once, by those of C's functions that are for paths, for descriptors and for a
    // callback, which threads of the library call.
    template <auto... Forms, class... Arguments>
    frazil_status call(std::vector<source> &from, Arguments... arguments) {
        std::vector<const char *> paths;
        std::vector<int> fds;
        std::vector<void *> user_data;
        std::deque<reading_one> streams;
        for (auto &one : from) {
            if (const auto *path = std::get_if<std::filesystem::path>(&one.from_))
                paths.push_back(c_path(*path));
            else if (const auto *fd = std::get_if<int>(&one.from_))
                fds.push_back(*fd);
            else
                user_data.push_back(&streams.emplace_back(reading_one{this, std::move(std::get<stream>(one.from_))}));
        }
        const auto count = from.size();
        const char *const *path_array = paths.data();
        const int *fd_array = fds.data();
        void *const *user_data_array = user_data.data();
        if (paths.size() == count) return in_form<Forms...>(path_array, count, arguments...);
        if (fds.size() == count) return in_form<Forms...>(fd_array, count, arguments...);
        if (streams.size() == count) return in_form<Forms...>(&on_read_one, user_data_array, count, arguments...);
        throw invalid_input_error(status::invalid_input,
                                  "what is read at once is of several kinds: paths, descriptors and streams");
    }

    // The same, of what is read by a callback alone.
    template <class Call>
    auto read(stream &from, Call &&call) {
        reading_ = std::move(from);
        return call(&on_read, static_cast<void *>(this));
    }

    // A list of strings or paths, which has to stay for the call.
    template <class Strings>
    const char *const *list(const Strings &strings) {
        auto &made = lists_.emplace_back();
        for (const auto &string : strings) {
            if constexpr (std::is_same_v<decltype(string), const std::filesystem::path &>)
                made.push_back(c_path(string));
            else
                made.push_back(c_string(string));
        }
        return made.data();
    }

    // What is read anywhere.
    frazil_input c_input(const input &from) {
        frazil_input made{};
        if (const auto *path = std::get_if<std::filesystem::path>(&from.from_)) {
            made.kind = FRAZIL_INPUT_PATH;
            made.path = c_path(*path);
        } else if (const auto *fd = std::get_if<int>(&from.from_)) {
            made.kind = FRAZIL_INPUT_FD;
            made.fd = *fd;
        } else if (const auto *anywhere = std::get_if<input::anywhere>(&from.from_)) {
            made.kind = FRAZIL_INPUT_CALLBACK;
            made.read_at = on_read_at;
            made.user_data = &anywhere_.emplace_back(reading_anywhere{this, *anywhere});
            made.length = anywhere->length;
        } else {
            made.kind = FRAZIL_INPUT_NONE;
        }
        return made;
    }

    const frazil_input *list(const std::vector<input> &from) {
        auto &made = inputs_.emplace_back();
        for (const auto &one : from) made.push_back(c_input(one));
        return made.data();
    }

    // Makes a call, and throws what was thrown in it, or before it in another thread, or what it fails with.
    template <class Call>
    void run(Call &&call) {
        if (lost_)
            throw state_error(status::state,
                              "this cannot go on: what failed before, a sink or an observer, has lost bytes of it");
        rethrow();
        owned<frazil_error, frazil_error_free> said;
        const int status = call(said.out());
        rethrow();
        if (status < 0) raise(said.get());
    }

    // Makes a call that ends an operation.
    template <class Call>
    void finish(Call &&call) {
        run(call);
        output.flush();
    }

    // Bytes that cannot be had again are not where they should be. Nothing can be called any more: the work would end
    // as if they were.
    void lose() noexcept { lost_ = true; }

    // The observer as C knows it, for as long as this lives; NULL if it is none.
    const frazil_observer *observe(const observer &from) {
        watching_ = from;
        if (!from.progress && !from.problem && !from.cancelled && !from.entry && !from.note && !from.restoring &&
            !from.missing)
            return nullptr;
        frazil_observer_init(&observer_, sizeof observer_);
        observer_.user_data = this;
        if (from.progress) observer_.progress = on_progress;
        if (from.problem) observer_.problem = on_problem;
        if (from.cancelled) observer_.cancelled = on_cancelled;
        if (from.entry) observer_.entry = on_report;
        if (from.note) observer_.note = on_note;
        if (from.restoring) observer_.restoring = on_restoring;
        if (from.missing) observer_.missing = on_missing;
        return &observer_;
    }

    // NULL of no sink, which is how C leaves it out, or refuses it.
    frazil_write_fn writes() const noexcept { return output ? on_write : nullptr; }

    // Flushed each time: at the end of the work is too late, since the level may be published by then.
    static int on_signature(void *user_data, const void *data, std::size_t len) noexcept {
        return guard(user_data, [&](context &self) {
            self.signature.write({data, len});
            self.signature.flush();
        });
    }

    static int on_entry(void *user_data, const frazil_entry *entry) noexcept {
        return guard(user_data, [&](context &self) { self.each_entry(of_c(*entry)); });
    }

    static int on_snapshot_entry(void *user_data, const frazil_snapshot_entry *entry) noexcept {
        return guard(user_data, [&](context &self) { self.each_snapshot_entry(of_c(*entry)); });
    }

    static int on_difference(void *user_data, const frazil_difference *difference) noexcept {
        return guard(user_data, [&](context &self) { self.each_difference(of_c(*difference)); });
    }

  private:
    struct reading_one {
        context *self;
        stream from;
    };

    struct reading_anywhere {
        context *self;
        input::anywhere from;
    };

    static int on_read(void *user_data, void *buffer, std::size_t len, std::size_t *read) noexcept {
        return guard(user_data, [&](context &self) { *read = self.reading_->read(buffer, len); });
    }

    static int on_read_one(void *user_data, void *buffer, std::size_t len, std::size_t *read) noexcept {
        auto &of = *static_cast<reading_one *>(user_data);
        return guard(of.self, [&](context &) { *read = of.from.read(buffer, len); });
    }

    static int on_read_at(void *user_data, std::uint64_t offset, void *buffer, std::size_t len,
                          std::size_t *read) noexcept {
        const auto &of = *static_cast<const reading_anywhere *>(user_data);
        return guard(of.self, [&](context &) { *read = of.from.read_at(offset, static_cast<char *>(buffer), len); });
    }

    static int on_write(void *user_data, const void *data, std::size_t len) noexcept {
        return guard(user_data, [&](context &self) { self.output.write({data, len}); });
    }

    static int on_progress(void *user_data, const frazil_progress *made) noexcept {
        return guard(user_data, [&](context &self) { self.watching_.progress(of_c(*made)); });
    }

    static int on_report(void *user_data, const frazil_entry_report *report) noexcept {
        return guard(user_data, [&](context &self) { self.watching_.entry(of_c(*report)); });
    }

    static int on_problem(void *user_data, const frazil_error *problem) noexcept {
        return guard(user_data, [&](context &self) { self.watching_.problem(error(problem)); });
    }

    static int on_note(void *user_data, const frazil_error *note) noexcept {
        return guard(user_data, [&](context &self) { self.watching_.note(error(note)); });
    }

    static int on_restoring(void *user_data, const frazil_entry *entry) noexcept {
        return guard(user_data, [&](context &self) { self.watching_.restoring(of_c(*entry)); });
    }

    static void on_missing(void *user_data, const char *path) noexcept {
        guard(user_data, [&](context &self) { self.watching_.missing(path); });
    }

    static int on_cancelled(void *user_data) noexcept {
        bool stop = false;
        const int failed = guard(user_data, [&](context &self) { stop = self.watching_.cancelled(); });
        return failed != 0 || stop ? 1 : 0;
    }

    template <class Work>
    static int guard(void *user_data, Work &&work) noexcept {
        auto &self = *static_cast<context *>(user_data);
        if (self.has_thrown()) return 1;
        try {
            work(self);
            return 0;
        } catch (...) {
            self.keep(std::current_exception());
            return 1;
        }
    }

    // A restore calls its observer from another thread, and several read at once, hence the lock.
    bool has_thrown() {
        const std::lock_guard<std::mutex> lock(mutex_);
        return thrown_ != nullptr;
    }

    void keep(std::exception_ptr thrown) {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (!thrown_) thrown_ = std::move(thrown);
    }

    void rethrow() {
        std::unique_lock<std::mutex> lock(mutex_);
        if (auto thrown = std::exchange(thrown_, nullptr)) {
            lock.unlock();
            std::rethrow_exception(std::move(thrown));
        }
    }

    std::optional<stream> reading_;
    std::deque<reading_anywhere> anywhere_;
    std::deque<std::vector<const char *>> lists_;
    std::deque<std::vector<frazil_input>> inputs_;
    observer watching_;
    frazil_observer observer_{};
    std::mutex mutex_;
    std::exception_ptr thrown_;
    bool lost_ = false;
};

// Work that goes on from call to call. What it calls back stays where it is when the handle is moved, and is
// destroyed after it.
template <class C, void (*Free)(C *)>
class running {
  public:
    // Whether there is anything in it.
    explicit operator bool() const noexcept { return work_ != nullptr; }

    // The handle of C, which stays with this; NULL if this is empty.
    C *get() const noexcept { return work_ ? work_->handle.get() : nullptr; }

  protected:
    running() noexcept = default;
    running(running &&) noexcept = default;
    running &operator=(running &&) noexcept = default;
    ~running() = default;

    // Makes what is called back, for the call that opens the handle.
    context &start() {
        work_ = std::make_unique<work>();
        return work_->called;
    }

    // What is called back, and calls.
    context &called() { return some().called; }

    // Makes the call that opens the handle.
    template <class Call>
    void begin(Call &&call) {
        auto &mine = some();
        mine.called.run([&](frazil_error **error) { return call(mine.handle.out(), error); });
    }

  private:
    struct work {
        context called;
        owned<C, Free> handle;
    };

    work &some() const {
        if (!work_) refuse_empty();
        return *work_;
    }

    std::unique_ptr<work> work_;
};

// What is read: a level, a patch, a backup.
template <class C, void (*Free)(C *), frazil_status (*Read)(C *, void *, std::size_t, std::size_t *, frazil_error **)>
class pulled : public running<C, Free> {
  public:
    // Reads the next bytes into `buffer` and says how many, at most `len`, which is not 0; 0 is the end.
    [[nodiscard]] std::size_t read(void *buffer, std::size_t len) {
        refuse_no_room(len);
        std::size_t got = 0;
        auto &called = this->called();
        try {
            called.run([&](frazil_error **error) { return Read(this->get(), buffer, len, &got, error); });
        } catch (...) {
            // An observer has thrown when there were bytes already.
            if (got > 0) called.lose();
            throw;
        }
        return got;
    }

    // Reads into a container, an array or a span, at most as much as its size.
    [[nodiscard]] std::size_t read(room buffer) { return read(buffer.data(), buffer.size()); }

    // Reads all that is left and writes it to a sink, which is flushed; says how many bytes that were.
    //
    // What the sink throws ends the work, since nobody knows how much of its last piece it took: this can then only be
    // destroyed. What reading throws does not.
    std::uint64_t copy_to(sink to) {
        refuse_none(to);
        std::vector<std::byte> piece(piece_len);
        std::uint64_t copied = 0;
        while (const std::size_t got = read(piece)) {
            deliver([&] { to.write({piece.data(), got}); });
            copied += got;
        }
        deliver([&] { to.flush(); });
        return copied;
    }

  private:
    template <class Give>
    void deliver(Give &&give) {
        try {
            give();
        } catch (...) {
            this->called().lose();
            throw;
        }
    }
};

// What is fed: a level, a patch, a restore.
template <class C, void (*Free)(C *), frazil_status (*Feed)(C *, const void *, std::size_t, frazil_error **)>
class fed : public running<C, Free> {
  public:
    // Takes all of the bytes. If it fails, this can only be destroyed.
    void feed(bytes data) { feed(data.data(), data.size()); }

    void feed(const void *data, std::size_t len) {
        this->called().run([&](frazil_error **error) { return Feed(this->get(), data, len, error); });
    }

    // Takes all that a stream has left; says how many bytes that were.
    std::uint64_t feed_from(stream from) {
        std::vector<std::byte> piece(piece_len);
        std::uint64_t taken = 0;
        while (const std::size_t got = from.read(piece.data(), piece.size())) {
            feed(piece.data(), got);
            taken += got;
        }
        return taken;
    }
};

}  // namespace detail

// ---- Options. All are values with a default for every member: set what is wanted, in C++20 also by name
// (`level_options{.block_len = 4096}`).

// Options of loading a signature.
struct load_options {
    // The most bytes of memory that it may take; 0 is no limit.
    std::uint64_t memory_limit = 0;
};

// Options of a level or a signature. The default suits a backup.
struct level_options {
    // Bytes in a block of the new signature, 1 to 2^30. Where `block_len`, `strong_len`, `weak_sum` and `strong_sum`
    // all have their defaults they are those of the basis's signature, if it has whole BLAKE2b sums; else a 0 stands
    // for 64 KiB and for the whole sum, the others for RabinKarp and BLAKE2b.
    std::uint32_t block_len = 0;
    // Bytes kept of each strong sum.
    std::uint32_t strong_len = 0;
    // The rolling sum.
    frazil::weak_sum weak_sum = frazil::weak_sum::by_default;
    // The strong sum.
    frazil::strong_sum strong_sum = frazil::strong_sum::by_default;
    // The form of the level's stream.
    frazil::format format = frazil::format::sealed;
    // Which matches are looked for.
    frazil::matching matching = frazil::matching::automatic;
    // Who computes sums and finds matches.
    frazil::engine engine = frazil::engine::native;
    // How many threads compute sums; 0 for as many as there are processors. The stream is the same whatever the
    // number.
    std::uint32_t threads = 0;
    // Bytes of memory that buffers, index and new signature may take together, beside the basis's signature where
    // that is held; 0 for 1 GiB. The index takes at most 12 bytes for each block of the basis, or of fewer than 2^18 up
    // to 512 KiB more.
    std::uint64_t memory_limit = 0;
    // The length of the source in bytes, where it is known, else 0; no more than that is read. A file that is
    // opened by its path is measured without being told.
    std::uint64_t target_len = 0;
    // Names the basis in the stream, where its path is another than the target's; empty for no name.
    std::string basis_path = {};
    // Whether a sealed level may be made against a signature of MD4 or shortened sums, on which a false match can
    // be crafted; the stream then says so.
    bool allow_weak = false;
    // Whether the holes that a file system tells of are taken for zeros without being read, in a file that is opened
    // by its path. File systems have told of holes where data was.
    bool trust_holes = false;
    // Whether the new signature is not held in memory. It then goes to `write_signature`, or nowhere, and finishing
    // the level gives none.
    bool no_signature = false;
    // Is given the new signature on the way, so that memory stays constant however long the content is; a
    // `std::ostream` is flushed each time. Finishing the level then gives none.
    sink write_signature = {};
    // The form in which `write_signature` is given the signature.
    frazil::format signature_format = frazil::format::sealed;
    // The file that holds the basis's signature, whose sums are then read from there as they are wanted: no more than
    // the index is in memory, and not that where aligned blocks alone are matched. It is to stay as it is meanwhile,
    // and is refused when it does not. The `basis` is then none. Empty for none.
    std::filesystem::path basis_signature_path = {};
    // Whether the content is not identified by its CRC32 and fingerprint, which spares that work; for plain streams
    // alone. Neither the summary nor the new signature then says what content it is of, nor the signature how long
    // that was.
    bool no_identity = false;
    // Who follows the work and may stop it.
    frazil::observer observer = {};
};

// Options of a patch or a chain.
struct patch_options {
    // The most bytes that may come out; 0 for 1 TiB. A sealed delta that declares more is refused before anything is
    // made.
    std::uint64_t max_output = 0;
    // Bytes that the index of all levels of a chain may take together; 0 for 8 MiB.
    std::uint64_t index_memory = 0;
    // When the basis is verified.
    frazil::verify_basis verify_basis = frazil::verify_basis::by_default;
    // Whether a file that is there already may be replaced.
    bool replace = false;
    // How many threads verify; 0 for as many as there are processors.
    std::uint32_t threads = 0;
    // Who follows the work and may stop it.
    frazil::observer observer = {};
};

// What is left out of a tree: of its backup, and so of its verification.
struct selection {
    // Lines as in a `.gitignore` at the root of the tree, the last of which that matches decides; one that begins with
    // `!` takes in. UTF-8.
    std::vector<std::string> excludes = {};
    // Leaves out what is in a directory that holds anything of one of these names, `.nobackup` for one.
    std::vector<std::string> exclude_marked = {};
    // Whether to leave out what is in a directory with a valid `CACHEDIR.TAG`.
    bool exclude_caches = false;
    // Whether to leave out what has the `nodump` flag.
    bool nodump = false;
    // Whether to stay on the file system of the root.
    bool one_file_system = false;
};

// Options of the backup of a tree.
struct backup_options {
    // What the archive is compressed with.
    frazil::filter filter = frazil::filter::none;
    // Which matches are looked for in a file that changed.
    frazil::matching matching = frazil::matching::automatic;
    // Bytes in a block, 1,024 to 2^30; 0 for 64 KiB, and above level 0 for that of the chain, which can be no other.
    std::uint32_t block_len = 0;
    // How many threads compute and compress; 0 for as many as there are processors.
    std::uint32_t threads = 0;
    // Bytes of memory that the signature and the index of one changed file may take, beside 16 MiB that any level
    // takes; 0 for 1 GiB.
    std::uint64_t memory_limit = 0;
    // Bytes of memory for files of which not all names were met; 0 for 32 MiB. Beyond it, hard links become files
    // of their own, and that is reported.
    std::uint64_t link_memory = 0;
    // Whether what a symbolic link leads to is backed up in its place.
    bool dereference = false;
    // Whether every file is read, whatever its metadata says.
    bool always_read = false;
    // Whether a file is taken for unchanged although its change time is another.
    bool ignore_ctime = false;
    // Whether a file is taken for unchanged although its inode is another.
    bool ignore_inode = false;
    // Whether the holes that a file system tells of are taken for zeros without being read.
    bool trust_holes = false;
    // Whether a file on another device is read again; the number of a device may be another after every start of the
    // system.
    bool compare_device = false;
    // What is left out.
    frazil::selection selection = {};
    // Leaves out the regular files that these file descriptors are open on, wherever in the tree they are met: the
    // archive, where it is written to a file in there. The snapshot is left out without it.
    std::vector<int> leave_out_fds = {};
    // Who follows the work and may stop it.
    frazil::observer observer = {};
};

// The new owner of what belonged to another: `from` is the number in the archive, `to` the one that is restored.
using owner_change = frazil_owner_change;

// Options of the restoration of a level.
struct restore_options {
    // Whether what is in the way is replaced; a level 0 is then restored anew, whatever level is there. What the
    // archive does not name is never touched.
    bool overwrite = false;
    // Whether to go on from a level that was restored in part; an entry that lacks what it is made from is then left
    // as it is and reported, and the result is `partial()` again.
    bool accept_partial = false;
    // Whether to restore what is whole of a damaged archive; else damage anywhere leaves the tree as it was. The
    // result is then `partial()`.
    bool keep_going = false;
    // Whether root restores what gives power over the system: devices, set-id bits, and attributes named
    // `trusted.*` and `security.*`.
    bool privileged = false;
    // Whether root restores owners by their numbers instead of by their names.
    bool numeric_owner = false;
    // Whether everything is read and verified, and nothing changed.
    bool dry_run = false;
    // When what was restored is flushed to the disk.
    frazil::sync sync = frazil::sync::level;
    // How many threads verify; 0 for as many as there are processors.
    std::uint32_t threads = 0;
    // Bytes that one restored file may have; 0 for 1 TiB.
    std::uint64_t max_file_len = 0;
    // The level at which the destination stands, where it does not say so itself.
    std::optional<level_id> assume_parent = {};
    // Restores these paths and what is below them alone; of none, everything. All levels of a chain have to be
    // restored with the same. What needs a file that is not selected, as a further name of it or made from it, is
    // left out and reported.
    std::vector<std::filesystem::path> paths = {};
    // Leaves out so many of the first names of each path; what has no more is not restored.
    std::size_t strip = 0;
    // Puts everything below this path of the destination, which is made if need be; empty for none.
    std::filesystem::path prefix = {};
    // Users that become others.
    std::vector<owner_change> users = {};
    // Groups that become others.
    std::vector<owner_change> groups = {};
    // Whether the content of files that are replaced, deleted or only given other metadata is read and held against the
    // level before too, not their kind and size alone. What content is made from always is.
    bool verify_parent = false;
    // Bytes that all restored files of the level may have together; 0 for no limit. A hole counts.
    std::uint64_t max_output = 0;
    // Who follows the work and may stop it until publishing begins.
    frazil::observer observer = {};
};

// Options of the verification of a tree.
struct verify_options {
    // What was left out of the backup, and is no difference.
    frazil::selection selection = {};
    // Whether what a symbolic link leads to was backed up in its place, and is compared so.
    bool dereference = false;
    // Who follows the work and may stop it.
    frazil::observer observer = {};
};

namespace detail {

// Options as C takes them. They point into those that they are made of and into the context, and what is called back
// goes into that; so they are for one call.
inline frazil_level_options to_c(const level_options &from, context &to) {
    auto made = sized(frazil_level_options_init);
    made.block_len = from.block_len;
    made.strong_len = from.strong_len;
    made.weak_sum = static_cast<int>(from.weak_sum);
    made.strong_sum = static_cast<int>(from.strong_sum);
    made.format = static_cast<int>(from.format);
    made.matching = static_cast<int>(from.matching);
    made.engine = static_cast<int>(from.engine);
    made.threads = from.threads;
    made.memory_limit = from.memory_limit;
    made.target_len = from.target_len;
    made.basis_path = c_unless_empty(from.basis_path);
    made.allow_weak = from.allow_weak;
    made.trust_holes = from.trust_holes;
    made.no_signature = from.no_signature;
    if (from.write_signature) {
        to.signature = from.write_signature;
        made.write_signature = context::on_signature;
        made.signature_user_data = &to;
    }
    made.signature_format = static_cast<int>(from.signature_format);
    made.basis_signature_path = c_unless_empty(from.basis_signature_path.native());
    made.no_identity = from.no_identity;
    made.observer = to.observe(from.observer);
    return made;
}

inline frazil_patch_options to_c(const patch_options &from, context &to) {
    auto made = sized(frazil_patch_options_init);
    made.max_output = from.max_output;
    made.index_memory = from.index_memory;
    made.verify_basis = static_cast<int>(from.verify_basis);
    made.replace = from.replace;
    made.threads = from.threads;
    made.observer = to.observe(from.observer);
    return made;
}

inline frazil_selection to_c(const selection &from, context &to) {
    auto made = sized(frazil_selection_init);
    made.excludes = to.list(from.excludes);
    made.exclude_count = from.excludes.size();
    made.exclude_marked = to.list(from.exclude_marked);
    made.exclude_marked_count = from.exclude_marked.size();
    made.exclude_caches = from.exclude_caches;
    made.nodump = from.nodump;
    made.one_file_system = from.one_file_system;
    return made;
}

// NULL where it leaves out nothing.
inline const frazil_selection *select(const selection &from, context &to) {
    if (from.excludes.empty() && from.exclude_marked.empty() && !from.exclude_caches && !from.nodump &&
        !from.one_file_system)
        return nullptr;
    to.selection = to_c(from, to);
    return &to.selection;
}

inline frazil_backup_options to_c(const backup_options &from, context &to) {
    auto made = sized(frazil_backup_options_init);
    made.selection = select(from.selection, to);
    made.filter = static_cast<int>(from.filter);
    made.matching = static_cast<int>(from.matching);
    made.block_len = from.block_len;
    made.threads = from.threads;
    made.memory_limit = from.memory_limit;
    made.link_memory = from.link_memory;
    made.dereference = from.dereference;
    made.always_read = from.always_read;
    made.ignore_ctime = from.ignore_ctime;
    made.ignore_inode = from.ignore_inode;
    made.trust_holes = from.trust_holes;
    made.compare_device = from.compare_device;
    made.leave_out_fds = from.leave_out_fds.data();
    made.leave_out_fd_count = from.leave_out_fds.size();
    made.observer = to.observe(from.observer);
    return made;
}

inline frazil_restore_options to_c(const restore_options &from, context &to) {
    auto made = sized(frazil_restore_options_init);
    made.overwrite = from.overwrite;
    made.accept_partial = from.accept_partial;
    made.keep_going = from.keep_going;
    made.privileged = from.privileged;
    made.numeric_owner = from.numeric_owner;
    made.dry_run = from.dry_run;
    made.sync = static_cast<int>(from.sync);
    made.threads = from.threads;
    made.max_file_len = from.max_file_len;
    if (from.assume_parent) {
        std::copy(from.assume_parent->bytes.begin(), from.assume_parent->bytes.end(), to.parent.bytes);
        made.assume_parent = &to.parent;
    }
    made.paths = to.list(from.paths);
    made.path_count = from.paths.size();
    made.strip = from.strip;
    made.prefix = c_unless_empty(from.prefix.native());
    made.users = from.users.data();
    made.user_count = from.users.size();
    made.groups = from.groups.data();
    made.group_count = from.groups.size();
    made.verify_parent = from.verify_parent;
    made.max_output = from.max_output;
    made.observer = to.observe(from.observer);
    return made;
}

inline frazil_verify_options to_c(const verify_options &from, context &to) {
    auto made = sized(frazil_verify_options_init);
    made.selection = select(from.selection, to);
    made.dereference = from.dereference;
    made.observer = to.observe(from.observer);
    return made;
}

// Makes the call that ends an operation, and gives what it says of it.
template <class C, class Call>
auto summary(void (*init)(C *, std::size_t), context &context, Call &&call) {
    auto made = sized(init);
    context.finish([&](frazil_error **error) { return call(&made, error); });
    return of_c(made);
}

}  // namespace detail

// ---- Signatures

// The sums of every block of some content: what a level is made against.
//
// It is immutable, and may be used by several threads at once; levels that are made against it share its memory,
// and it may be destroyed before they are.
class [[nodiscard]] signature {
  public:
    // Empty: there is none.
    signature() noexcept = default;

    // Takes over a signature of C.
    explicit signature(frazil_signature *made) noexcept : handle_(made) {}

    // Computes the signature of what a source gives: a file, a device, a pipe, memory, anything.
    static signature of(source from, const level_options &options = {}) {
        detail::context context;
        const auto c_options = detail::to_c(options, context);
        return made(context, [&](auto... outs) {
            return context.call<frazil_signature_of_path, frazil_signature_of_fd, frazil_signature_of_stream>(
                from, &c_options, outs...);
        });
    }

    // Loads a signature, sealed or plain, out of a source, which is read to its end. Bytes in memory are
    // `{data, size}`, as everywhere.
    static signature load(source from, const load_options &options = {}) {
        detail::context context;
        return made(context, [&](auto... outs) {
            return context.call<frazil_signature_load, frazil_signature_load_fd, frazil_signature_load_stream>(
                from, options.memory_limit, outs...);
        });
    }

    // Saves it as a new file, which appears whole or not at all.
    //
    // A signature of MD4 or shortened sums, or one that was loaded from the plain format and knows neither length nor
    // fingerprint, cannot be sealed.
    void save(const std::filesystem::path &path, frazil::format form = frazil::format::sealed) const {
        detail::attempt([&](frazil_error **error) {
            return frazil_signature_save(handle_.some(), detail::c_path(path), static_cast<int>(form), error);
        });
    }

    // The same, to a sink.
    void write(sink to, frazil::format form = frazil::format::sealed) const {
        detail::refuse_none(to);
        detail::context context(std::move(to));
        context.finish([&](frazil_error **error) {
            return frazil_signature_save_stream(handle_.some(), static_cast<int>(form), context.writes(), &context,
                                                error);
        });
    }

    // Bytes in a block, the last of which may be shorter.
    std::uint32_t block_len() const { return frazil_signature_block_len(handle_.some()); }

    // Bytes of each strong sum.
    std::uint32_t strong_len() const { return frazil_signature_strong_len(handle_.some()); }

    // Which rolling sum it has.
    frazil::weak_sum weak_sum() const {
        return static_cast<frazil::weak_sum>(frazil_signature_weak_sum(handle_.some()));
    }

    // Which strong sum it has.
    frazil::strong_sum strong_sum() const {
        return static_cast<frazil::strong_sum>(frazil_signature_strong_sum(handle_.some()));
    }

    // How many blocks there are.
    std::uint64_t block_count() const { return frazil_signature_block_count(handle_.some()); }

    // Bytes of content; the plain format does not say.
    std::optional<std::uint64_t> length() const {
        return detail::known(frazil_signature_length(handle_.some()));
    }

    // Whether the content changed while it was read, so that this is the signature of the bytes that were read and
    // perhaps of no state the source was ever in.
    bool is_dirty() const { return frazil_signature_is_dirty(handle_.some()) != 0; }

    // Length, checksum and fingerprint of the content; the plain format does not have them.
    std::optional<frazil::identity> identity() const {
        frazil_identity found;
        const int status = detail::attempt(
            [&](frazil_error **error) { return frazil_signature_identity(handle_.some(), &found, error); });
        return status == FRAZIL_END ? std::nullopt : std::optional(detail::of_c(found));
    }

    // The sums of block `index`, counted from 0; none when there are no so many.
    std::optional<block_sum> block(std::uint64_t index) const {
        frazil_block_sum found;
        const int status = detail::attempt(
            [&](frazil_error **error) { return frazil_signature_block(handle_.some(), index, &found, error); });
        if (status == FRAZIL_END) return std::nullopt;
        return detail::of_c(found);
    }

    // Whether there is one.
    explicit operator bool() const noexcept { return handle_.get() != nullptr; }

    // The signature of C, which stays with this; NULL if this is empty.
    const frazil_signature *get() const noexcept { return handle_.get(); }

    // Gives the signature of C away; this is empty then.
    frazil_signature *release() noexcept { return handle_.release(); }

  private:
    // Makes a call that gives a signature.
    template <class Call>
    static signature made(detail::context &context, Call &&call) {
        signature made;
        context.finish([&](frazil_error **error) { return call(made.handle_.out(), error); });
        return made;
    }

    detail::owned<frazil_signature, frazil_signature_free> handle_;
};

// The signature that a level is made against, or none, for a level 0: of a `signature`, a pointer, a
// `std::optional`, `{}` or `std::nullopt`. A signature that is empty is refused rather than taken for none.
//
// It is a view, to be made in the call that it is an argument of: the signature has to stay for as long as it does.
class basis {
  public:
    basis() noexcept = default;
    basis(std::nullopt_t) noexcept {}
    basis(std::nullptr_t) noexcept {}
    basis(const signature &of) : signature_(of.get()) {
        if (!of) detail::refuse_empty();
    }
    basis(const signature *of) : basis(of == nullptr ? basis() : basis(*of)) {}
    basis(const std::optional<signature> &of) : basis(of ? basis(*of) : basis()) {}

    // The signature of C, or NULL.
    const frazil_signature *get() const noexcept { return signature_; }

  private:
    const frazil_signature *signature_ = nullptr;
};

// ---- Comparing

// The ranges of new content as an old signature knows them, in order and without gaps: a range that can be gone
// through once, `for (const frazil::range &range : frazil::comparison::open(before, after))`.
class [[nodiscard]] comparison {
  public:
    // Empty.
    comparison() noexcept = default;

    // Compares two signatures in memory; both may be destroyed before the comparison is.
    //
    // Only blocks that stand on the grid of both can be recognised: after an insertion in the middle of a block,
    // all that follows has changed. Throws `incomparable_error` unless sums and block length agree.
    static comparison open(const signature &old_signature, const signature &new_signature) {
        comparison made;
        detail::attempt([&](frazil_error **error) {
            return frazil_comparison_open(basis(old_signature).get(), basis(new_signature).get(), made.handle_.out(),
                                          error);
        });
        return made;
    }

    // Compares two signatures in files, in constant memory: blocks that moved count as changed.
    static comparison open_files(const std::filesystem::path &old_path, const std::filesystem::path &new_path) {
        comparison made;
        detail::attempt([&](frazil_error **error) {
            return frazil_comparison_open_paths(detail::c_path(old_path), detail::c_path(new_path), made.handle_.out(),
                                                error);
        });
        return made;
    }

    // The next range, or none after the last.
    std::optional<range> next() { return next_of(handle_.some()); }

    // An input iterator. It stands on the range that it has read, and is good for as long as the comparison, or what it
    // was moved to.
    class iterator {
      public:
        using iterator_category = std::input_iterator_tag;
        using value_type = range;
        using difference_type = std::ptrdiff_t;
        using pointer = const range *;
        using reference = const range &;

        // The end.
        iterator() noexcept = default;

        reference operator*() const noexcept { return *at_; }
        pointer operator->() const noexcept { return &*at_; }
        iterator &operator++() {
            at_ = next_of(from_);
            return *this;
        }
        iterator operator++(int) {
            auto before = *this;
            ++*this;
            return before;
        }

        // At the end, or not.
        friend bool operator==(const iterator &a, const iterator &b) noexcept {
            return a.at_.has_value() == b.at_.has_value();
        }
        friend bool operator!=(const iterator &a, const iterator &b) noexcept { return !(a == b); }

      private:
        friend class comparison;
        explicit iterator(frazil_comparison *from) : from_(from) { ++*this; }

        frazil_comparison *from_ = nullptr;
        std::optional<range> at_;
    };

    // Reads the first range that was not read yet.
    iterator begin() { return iterator(handle_.some()); }
    iterator end() noexcept { return {}; }

    // Whether there is anything in it.
    explicit operator bool() const noexcept { return handle_.get() != nullptr; }

    // The handle of C, which stays with this; NULL if this is empty.
    frazil_comparison *get() const noexcept { return handle_.get(); }

  private:
    static std::optional<range> next_of(frazil_comparison *from) {
        frazil_range found;
        const int status =
            detail::attempt([&](frazil_error **error) { return frazil_comparison_next(from, &found, error); });
        if (status == FRAZIL_END) return std::nullopt;
        return detail::of_c(found);
    }

    detail::owned<frazil_comparison, frazil_comparison_free> handle_;
};

// ---- Inspecting

inline inspection inspection::of(source from) {
    detail::context context;
    return detail::summary(frazil_inspection_init, context, [&](auto... outs) {
        return context.call<frazil_inspection_of_path, frazil_inspection_of_fd, frazil_inspection_of_stream>(from,
                                                                                                             outs...);
    });
}

// ---- Levels

// What a level gives when it is finished.
struct [[nodiscard]] finished_level {
    // What the next level needs; empty if the options do not hold it in memory.
    frazil::signature signature;
    level_summary summary;
};

namespace detail {

// Makes the call that finishes a level.
template <class Call>
finished_level finish_level(context &context, Call &&call) {
    owned<frazil_signature, frazil_signature_free> made;
    auto said = summary(frazil_level_summary_init, context, [&](auto... outs) { return call(made.out(), outs...); });
    return {signature(made.release()), std::move(said)};
}

}  // namespace detail

// A level that is made as it is read: `read` or `copy_to` gives its stream, `finish` the new signature.
class [[nodiscard]] level : public detail::pulled<frazil_level, frazil_level_free, frazil_level_read> {
  public:
    // Empty.
    level() noexcept = default;

    // Opens a source to make a level of it against a signature, or a level 0.
    //
    // Should a file that is given by its path change while it is read, the level restores the bytes that were read,
    // and its summary is `dirty`; of other sources that is not noticed. What a stream throws comes out of `read`
    // after all that came before it; reading again asks it again.
    static level open(source from, basis against = {}, const level_options &options = {}) {
        level made;
        const auto c_options = detail::to_c(options, made.start());
        made.begin([&](auto... outs) {
            return made.called().call<frazil_level_open, frazil_level_open_fd, frazil_level_open_stream>(
                from, against.get(), &c_options, outs...);
        });
        return made;
    }

    // Ends a level whose stream was read to its end, and gives the new signature.
    //
    // Before anything was read it computes the signature alone, faster; after a part it fails, since the rest of
    // the stream would be lost. Whatever it does, the level can then only be destroyed.
    finished_level finish() {
        return detail::finish_level(called(), [&](auto... outs) { return frazil_level_finish(get(), outs...); });
    }
};

// A level that is fed its content and writes its stream to a sink, in large pieces.
class [[nodiscard]] level_writer
    : public detail::fed<frazil_level_writer, frazil_level_writer_free, frazil_level_writer_feed> {
  public:
    // Empty.
    level_writer() noexcept = default;

    // Prepares to be fed content; `{}` is the basis of a level 0.
    level_writer(basis against, sink to, const level_options &options = {}) {
        detail::refuse_none(to);
        start().output = std::move(to);
        const auto c_options = detail::to_c(options, called());
        begin([&](auto... outs) {
            return frazil_level_writer_new(against.get(), &c_options, called().writes(), &called(), outs...);
        });
    }

    // Ends the content, writes the rest of the stream and gives the new signature. Without it the stream has no
    // trailer, and no reader will take it for complete. Whatever it does, the level can then only be destroyed.
    finished_level finish() {
        return detail::finish_level(called(), [&](auto... outs) { return frazil_level_writer_finish(get(), outs...); });
    }
};

// Makes the level of the file at `path` and publishes its stream as the new file at `level_path`, which appears
// whole or not at all.
inline finished_level level_file(const std::filesystem::path &path, basis against,
                                 const std::filesystem::path &level_path, const level_options &options = {}) {
    detail::context context;
    const auto c_options = detail::to_c(options, context);
    return detail::finish_level(context, [&](auto... outs) {
        return frazil_level_file(detail::c_path(path), against.get(), detail::c_path(level_path), &c_options,
                                 outs...);
    });
}

// ---- Patches

namespace detail {

// A basis as C takes it: its path, or beside the options what else it is.
class basis_in_c {
  public:
    basis_in_c(const input &basis, const patch_options &from, context &to)
        : basis_(to.c_input(basis)), options_(to_c(from, to)) {
        if (basis_.kind != FRAZIL_INPUT_PATH && basis_.kind != FRAZIL_INPUT_NONE) options_.basis = &basis_;
    }
    basis_in_c(const basis_in_c &) = delete;
    basis_in_c &operator=(const basis_in_c &) = delete;

    const char *path() const noexcept { return basis_.path; }
    const frazil_patch_options *options() const noexcept { return &options_; }

  private:
    frazil_input basis_;
    frazil_patch_options options_;
};

}  // namespace detail

// One delta, or the deltas of several levels, applied to a basis: the target, as it is read.
//
// What has been read is **provisional** until the read that gives 0 bytes: only then has the whole target been
// held against the trailer of the delta.
class [[nodiscard]] patch : public detail::pulled<frazil_patch, frazil_patch_free, frazil_patch_read> {
  public:
    // Empty.
    patch() noexcept = default;

    // Opens a delta, to be applied to a basis; `{}` is none, as for a level 0. What a stream or the basis throws comes
    // out of `read` and leaves the patch as it was; reading again goes on where it stopped.
    static patch open(const input &basis, source delta, const patch_options &options = {}) {
        patch made;
        const detail::basis_in_c on(basis, options, made.start());
        made.begin([&](auto... outs) {
            return made.called().read(delta, [&](auto... of) {
                return detail::in_form<frazil_patch_open, frazil_patch_open_fd, frazil_patch_open_stream>(
                    on.path(), of..., on.options(), outs...);
            });
        });
        return made;
    }

    // Opens the deltas of the levels on top of a basis, lowest level first, to be applied in one pass. Every delta
    // is read once and checked before anything comes out.
    static patch open_chain(const input &basis, const std::vector<input> &deltas, const patch_options &options = {}) {
        patch made;
        const detail::basis_in_c on(basis, options, made.start());
        const auto *list = made.called().list(deltas);
        made.begin([&](auto... outs) {
            return frazil_patch_open_chain_inputs(on.path(), list, deltas.size(), on.options(), outs...);
        });
        return made;
    }

    // Says what was done, after the target was read to its end; throws `state_error` when it was not. Whatever it
    // does, the patch can then only be destroyed.
    patch_summary finish() {
        return detail::summary(frazil_patch_summary_init, called(),
                               [&](auto... outs) { return frazil_patch_finish(get(), outs...); });
    }
};

// A patch that is fed its delta.
class [[nodiscard]] patch_writer
    : public detail::fed<frazil_patch_writer, frazil_patch_writer_free, frazil_patch_writer_feed> {
  public:
    // Empty.
    patch_writer() noexcept = default;

    // Prepares to be fed a delta, to apply it to a basis and to write the target to a sink; `{}` is no basis, as for
    // a level 0. What the sink was given is **provisional** until `finish` has returned.
    patch_writer(const input &basis, sink to, const patch_options &options = {}) {
        detail::refuse_none(to);
        start().output = std::move(to);
        const detail::basis_in_c on(basis, options, called());
        begin([&](auto... outs) {
            return frazil_patch_writer_new(on.path(), on.options(), called().writes(), &called(), outs...);
        });
    }

    // The same, into the file at `target_path`, which may be the basis: it appears whole at `finish`, or not at all.
    // Long runs of zeros become holes.
    static patch_writer new_file(const input &basis, const std::filesystem::path &target_path,
                                 const patch_options &options = {}) {
        patch_writer made;
        const detail::basis_in_c on(basis, options, made.start());
        made.begin([&](auto... outs) {
            return frazil_patch_writer_new_file(on.path(), detail::c_path(target_path), on.options(), outs...);
        });
        return made;
    }

    // Ends the delta, verifies the target and publishes it if it is a file; throws `truncated_error` when the delta
    // is not whole. Whatever it does, the patch can then only be destroyed.
    patch_summary finish() {
        return detail::summary(frazil_patch_summary_init, called(),
                               [&](auto... outs) { return frazil_patch_writer_finish(get(), outs...); });
    }
};

// Applies a delta to a basis and publishes the result as `target_path`, which may be the basis; `{}` is no basis, as
// for a level 0.
//
// The target appears whole and verified, or what was there stays as it was. Throws `exists_error` when something is
// there and `replace` is not set.
inline patch_summary patch_file(const input &basis, source delta, const std::filesystem::path &target_path,
                                const patch_options &options = {}) {
    detail::context context;
    const detail::basis_in_c on(basis, options, context);
    return detail::summary(frazil_patch_summary_init, context, [&](auto... outs) {
        return context.read(delta, [&](auto... of) {
            return detail::in_form<frazil_patch_file, frazil_patch_file_fd, frazil_patch_file_stream>(
                on.path(), of..., detail::c_path(target_path), on.options(), outs...);
        });
    });
}

// Applies the deltas of several levels, lowest first, in one pass; else as `patch_file`.
inline patch_summary patch_file_chain(const input &basis, const std::vector<input> &deltas,
                                      const std::filesystem::path &target_path, const patch_options &options = {}) {
    detail::context context;
    const detail::basis_in_c on(basis, options, context);
    const auto *list = context.list(deltas);
    return detail::summary(frazil_patch_summary_init, context, [&](auto... outs) {
        return frazil_patch_file_chain_inputs(on.path(), list, deltas.size(), detail::c_path(target_path), on.options(),
                                              outs...);
    });
}

// Turns the file at `path` itself into the target of the delta in the file at `delta_path`, without a second copy.
//
// **What this gives up:** once writing has begun the old content is gone, and a crash or a full disk leaves a file
// that is neither old nor new. The whole delta, and the basis where the delta is sealed, are checked before the
// first write. An observer can stop the checks, but not the writing. After a crash, the same call with a sealed delta
// succeeds where the file is still the old one, and refuses any other; a plain delta is applied to whatever is there.
inline patch_summary patch_in_place(const std::filesystem::path &path, const std::filesystem::path &delta_path,
                                    const patch_options &options = {}) {
    detail::context context;
    const auto c_options = detail::to_c(options, context);
    return detail::summary(frazil_patch_summary_init, context, [&](auto... outs) {
        return frazil_patch_in_place(detail::c_path(path), detail::c_path(delta_path), &c_options, outs...);
    });
}

// ---- The functions of the Freezer blueprint

// Reads the file at `fs_path` once, gives its signature and writes its level to a sink: level 0 where
// `ex_signature` is `{}`, else level n against the signature of level n-1. An empty sink, `{}`, is for the
// signature alone. If the file changed while it was read, the signature is `is_dirty`.
inline signature gen_sig_from_file(const std::filesystem::path &fs_path, basis ex_signature, sink to,
                                   const level_options &options = {}) {
    detail::context context(std::move(to));
    const auto c_options = detail::to_c(options, context);
    detail::owned<frazil_signature, frazil_signature_free> made;
    context.finish([&](frazil_error **error) {
        return frazil_gen_sig_from_file(detail::c_path(fs_path), ex_signature.get(), &c_options, context.writes(),
                                        &context, made.out(), error);
    });
    return signature(made.release());
}

// The same, of what a stream gives.
inline signature gen_sig_from_stream(stream from, basis ex_signature, sink to,
                                     const level_options &options = {}) {
    detail::context context(std::move(to));
    const auto c_options = detail::to_c(options, context);
    detail::owned<frazil_signature, frazil_signature_free> made;
    context.finish([&](frazil_error **error) {
        return context.read(from, [&](auto... of) {
            return frazil_gen_sig_from_stream(of..., ex_signature.get(), &c_options, context.writes(), &context,
                                              made.out(), error);
        });
    });
    return signature(made.release());
}

// Applies the delta in the file at `delta_path` to the file at `destination`, as `patch_from_stream` does. (What C's
// does with a basis that stays and a delta out of a callback is `patch_file`.)
inline patch_summary patch_from_file(const std::filesystem::path &delta_path, const std::filesystem::path &destination,
                                     const patch_options &options = {}) {
    detail::context context;
    const auto c_options = detail::to_c(options, context);
    return detail::summary(frazil_patch_summary_init, context, [&](auto... outs) {
        return frazil_patch_from_file(detail::c_path(delta_path), detail::c_path(destination), nullptr, nullptr,
                                      &c_options, outs...);
    });
}

// Applies the delta that a stream gives: a level 0 creates the file at `destination`, a level n turns the file that is
// there into its next state, whole or not at all.
//
// A level 0 over a file that is there throws `wrong_basis_error`, unless the options let it replace the file.
inline patch_summary patch_from_stream(stream delta, const std::filesystem::path &destination,
                                       const patch_options &options = {}) {
    detail::context context;
    const auto c_options = detail::to_c(options, context);
    return detail::summary(frazil_patch_summary_init, context, [&](auto... outs) {
        return context.read(delta, [&](auto... of) {
            return frazil_patch_from_stream(of..., detail::c_path(destination), &c_options, outs...);
        });
    });
}

// ---- Trees. They are there unless the library was built without them.

// The version of the libarchive that is linked, as `MAJOR.MINOR.PATCH`; empty where it is one that cannot be used.
inline std::string_view libarchive_version() noexcept {
    return frazil_libarchive_version();
}

// The backup of a tree: its archive, made as it is read.
class [[nodiscard]] backup : public detail::pulled<frazil_backup, frazil_backup_free, frazil_backup_read> {
  public:
    // Empty.
    backup() noexcept = default;

    // Opens the tree at `root`, a directory or a single file, to back it up against the level whose snapshot is at
    // `since_path`; `{}` makes a level 0. The new snapshot is published as the new file at `snapshot_path` by
    // `finish`, whole or not at all.
    //
    // What cannot be read, or changes while it is read, is told to the observer and counted, and the backup goes on.
    static backup open(const std::filesystem::path &root, const std::optional<std::filesystem::path> &since_path,
                       const std::filesystem::path &snapshot_path, const backup_options &options = {}) {
        backup made;
        const auto c_options = detail::to_c(options, made.start());
        made.begin([&](auto... outs) {
            return frazil_backup_open(detail::c_path(root), detail::c_path(since_path), detail::c_path(snapshot_path),
                                      &c_options, outs...);
        });
        return made;
    }

    // Publishes the snapshot and says what was done, after the archive was read to its end and is where it is to
    // stay; throws `state_error` when it was not read. Whatever it does, the backup can then only be destroyed.
    backup_summary finish() {
        return detail::summary(frazil_backup_summary_init, called(),
                               [&](auto... outs) { return frazil_backup_finish(get(), outs...); });
    }
};

// Backs up a tree in one call and writes the archive to a sink; else as `backup::open` and its `finish`.
//
// Not by `frazil_backup_tree`: that would publish the snapshot before a `std::ostream` is flushed, and a snapshot of an
// archive that was lost would be the basis of levels that cannot be restored.
inline backup_summary backup_tree(const std::filesystem::path &root,
                                  const std::optional<std::filesystem::path> &since_path,
                                  const std::filesystem::path &snapshot_path, sink to,
                                  const backup_options &options = {}) {
    detail::refuse_none(to);
    auto work = backup::open(root, since_path, snapshot_path, options);
    work.copy_to(std::move(to));
    return work.finish();
}

// The same, into the new file at `archive_path`: both it and the snapshot appear whole or not at all, the archive
// first, and neither is backed up. Throws `exists_error` when something is at either, and `invalid_input_error` when
// they are one place.
inline backup_summary backup_tree_file(const std::filesystem::path &root,
                                       const std::optional<std::filesystem::path> &since_path,
                                       const std::filesystem::path &snapshot_path,
                                       const std::filesystem::path &archive_path, const backup_options &options = {}) {
    detail::context context;
    const auto c_options = detail::to_c(options, context);
    return detail::summary(frazil_backup_summary_init, context, [&](auto... outs) {
        return frazil_backup_tree_file(detail::c_path(root), detail::c_path(since_path), detail::c_path(snapshot_path),
                                       detail::c_path(archive_path), &c_options, outs...);
    });
}

// The restoration of one level of a tree, which is fed the archive. It has a thread of its own until it is finished
// or destroyed; do not fork in between, unless the child calls `exec`.
class [[nodiscard]] restore : public detail::fed<frazil_restore, frazil_restore_free, frazil_restore_feed> {
  public:
    // Empty.
    restore() noexcept = default;

    // Begins to restore one level into the directory `destination`, which is made if need be.
    //
    // Nothing is published before `finish`. Level 0 wants an empty destination, unless it may overwrite; level n
    // wants one that stands at level n-1, of which a note is kept there until `restore_conclude`. A failure may come
    // out of a later `feed` than the one that fed the cause.
    static restore open(const std::filesystem::path &destination, const restore_options &options = {}) {
        restore made;
        const auto c_options = detail::to_c(options, made.start());
        made.begin(
            [&](auto... outs) { return frazil_restore_open(detail::c_path(destination), &c_options, outs...); });
        return made;
    }

    // Ends the archive, publishes the level and says what was done, or fails unless the archive is whole.
    //
    // On any failure the tree is as it was, or is finished by the next restore or by `restore_recover`. Whatever it
    // does, the restore can then only be destroyed.
    restore_summary finish() {
        return detail::summary(frazil_restore_summary_init, called(),
                               [&](auto... outs) { return frazil_restore_finish(get(), outs...); });
    }
};

// Restores the level whose archive a source gives into the directory `destination`; else as `restore::open` and its
// `finish`.
inline restore_summary restore_tree(source archive, const std::filesystem::path &destination,
                                    const restore_options &options = {}) {
    detail::context context;
    const auto c_options = detail::to_c(options, context);
    return detail::summary(frazil_restore_summary_init, context, [&](auto... outs) {
        return context.call<frazil_restore_tree, frazil_restore_tree_fd, frazil_restore_tree_stream>(
            archive, detail::c_path(destination), &c_options, outs...);
    });
}

// Ends a chain: removes the note of the level that the directory `destination` stands at. Throws `state_error` while
// a restore is under way there, or was left half-way.
inline void restore_conclude(const std::filesystem::path &destination) {
    detail::attempt([&](frazil_error **error) { return frazil_restore_conclude(detail::c_path(destination), error); });
}

// Which level the directory `destination` stands at, or will once a restore that was killed is finished; nothing is
// changed. None where no chain of restores is under way, as where there is no such directory yet; throws `state_error`
// while a restore is at work there.
inline std::optional<level_id> restore_level(const std::filesystem::path &destination) {
    frazil_level_id found;
    const int status = detail::attempt(
        [&](frazil_error **error) { return frazil_restore_level(detail::c_path(destination), &found, error); });
    return status == FRAZIL_END ? std::nullopt : std::optional(detail::of_c(found));
}

// Finishes, or undoes, what a restore that was killed has left in the directory `destination`, which need not be there.
// The observer is told of each entry that could not be put in its place, and cannot stop the work.
inline recovery restore_recover(const std::filesystem::path &destination, const observer &following = {}) {
    detail::context context;
    auto found = detail::sized(frazil_recovery_init);
    int status = FRAZIL_OK;
    context.finish([&](frazil_error **error) {
        return status = frazil_restore_recover(detail::c_path(destination), context.observe(following), &found, error);
    });
    auto made = detail::of_c(found);
    made.whole = status != FRAZIL_PARTIAL;
    return made;
}

// Says which level of which chain an archive is, and reads no more of it than that needs, or a little more where it
// comes from a descriptor or a stream.
inline level_header archive_header(source archive) {
    detail::context context;
    frazil_level_header found;
    context.run([&](frazil_error **error) {
        return context.call<frazil_archive_header, frazil_archive_header_fd, frazil_archive_header_stream>(
            archive, &found, error);
    });
    return detail::of_c(found);
}

// Reads an archive to its end, verifies all that can be without the level before, and tells `each` of every entry, in
// the order of their paths. What was told is provisional until the function has returned.
inline archive_summary archive_list(source archive, const std::function<void(const entry &)> &each) {
    detail::context context;
    context.each_entry = each;
    return detail::summary(frazil_archive_summary_init, context, [&](auto... outs) {
        return context.call<frazil_archive_list, frazil_archive_list_fd, frazil_archive_list_stream>(
            archive, &detail::context::on_entry, static_cast<void *>(&context), outs...);
    });
}

// Reads an archive to its end and verifies the framing, every digest and the order, the content of what is there whole,
// and the commands of deltas. What a delta makes is claimed, not proven: only a restore shows.
inline archive_summary archive_verify(source archive, const observer &following = {}) {
    detail::context context;
    return detail::summary(frazil_archive_summary_init, context, [&](auto... outs) {
        return context.call<frazil_archive_verify, frazil_archive_verify_fd, frazil_archive_verify_stream>(
            archive, context.observe(following), outs...);
    });
}

// Reads a snapshot to its end, verifies it, and tells `each` of every entry, in the order of their paths. What was told
// is provisional until the function has returned.
inline snapshot_summary snapshot_list(source snapshot, const std::function<void(const snapshot_entry &)> &each) {
    detail::context context;
    context.each_snapshot_entry = each;
    return detail::summary(frazil_snapshot_summary_init, context, [&](auto... outs) {
        return context.call<frazil_snapshot_list, frazil_snapshot_list_fd, frazil_snapshot_list_stream>(
            snapshot, &detail::context::on_snapshot_entry, static_cast<void *>(&context), outs...);
    });
}

// Holds the tree at `root` against the archives of a chain, level 0 first, and tells `each` of every difference; the
// archives are verified on the way, as `archive_verify` does. They are all paths, or all descriptors, or all streams,
// each its own; else `invalid_input_error`.
//
// `each` is called by the thread of the caller; each archive has another thread, until the function returns, which
// reads its stream too, several at once. While a descriptor that waits has nothing to read, nobody is asked whether to
// stop.
inline verify_summary tree_verify(std::vector<source> archives, const std::filesystem::path &root,
                                  const std::function<void(const difference &)> &each,
                                  const verify_options &options = {}) {
    detail::context context;
    context.each_difference = each;
    const auto c_options = detail::to_c(options, context);
    return detail::summary(frazil_verify_summary_init, context, [&](auto... outs) {
        return context.call<frazil_tree_verify, frazil_tree_verify_fd, frazil_tree_verify_stream>(
            archives, detail::c_path(root), &c_options, &detail::context::on_difference,
            static_cast<void *>(&context), outs...);
    });
}

// The same, of any container of what a `source` is made of, of paths for one.
template <class Archives, class = std::enable_if_t<!detail::is_path<Archives>>>
verify_summary tree_verify(const Archives &archives, const std::filesystem::path &root,
                           const std::function<void(const difference &)> &each, const verify_options &options = {}) {
    return tree_verify(std::vector<source>(std::begin(archives), std::end(archives)), root, each, options);
}

// ---- Streams of C++

// Lets a `std::istream` read a level, a patch or a backup, which has to stay, and is finished as ever.
//
// A `std::istream` keeps exceptions to itself unless it is told not to:
//
//     frazil::input_streambuf buffer(level);
//     std::istream in(&buffer);
//     in.exceptions(std::ios_base::badbit);
template <class Pulled>
class input_streambuf : public std::streambuf {
  public:
    explicit input_streambuf(Pulled &from) : from_(from), piece_(detail::piece_len) {}

  protected:
    int_type underflow() override {
        const std::size_t got = from_.read(piece_);
        setg(piece_.data(), piece_.data(), piece_.data() + got);
        return got == 0 ? traits_type::eof() : traits_type::to_int_type(piece_.front());
    }

  private:
    Pulled &from_;
    std::vector<char> piece_;
};

// Lets a `std::ostream` feed a level, a patch or a restore, which has to stay, and is finished as ever. Nothing is held
// back: what was written has been fed. As to exceptions, see `input_streambuf`.
template <class Fed>
class output_streambuf : public std::streambuf {
  public:
    explicit output_streambuf(Fed &to) : to_(to) {}

  protected:
    int_type overflow(int_type c) override {
        if (!traits_type::eq_int_type(c, traits_type::eof())) {
            const char byte = traits_type::to_char_type(c);
            to_.feed(&byte, 1);
        }
        return traits_type::not_eof(c);
    }

    std::streamsize xsputn(const char *data, std::streamsize len) override {
        to_.feed(data, static_cast<std::size_t>(len));
        return len;
    }

  private:
    Fed &to_;
};

}  // namespace frazil

// Any of its bytes would do, since all are random.
template <>
struct std::hash<frazil::level_id> {
    std::size_t operator()(const frazil::level_id &of) const noexcept {
        std::size_t made;
        std::memcpy(&made, of.bytes.data(), sizeof made);
        return made;
    }
};

#endif  // FRAZIL_HPP
