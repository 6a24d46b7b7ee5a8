// What sources and sinks are made of, and what they are not.
#include "check.hpp"

#include <deque>
#include <list>

template <class From>
constexpr bool is_stream = std::is_constructible_v<frazil::stream, From>;
template <class From>
constexpr bool is_source = std::is_constructible_v<frazil::source, From>;
template <class From>
constexpr bool is_input = std::is_constructible_v<frazil::input, From>;
template <class To>
constexpr bool is_sink = std::is_constructible_v<frazil::sink, To>;

static_assert(is_stream<std::istream &> && is_stream<std::ifstream> && is_stream<std::stringstream &>);
static_assert(is_stream<content &> && is_stream<const content &> && is_stream<content>);
static_assert(is_stream<std::vector<std::byte>> && is_stream<std::array<unsigned char, 3> &>);
static_assert(is_stream<frazil::bytes> && std::is_constructible_v<frazil::stream, const void *, std::size_t>);
static_assert(is_stream<std::size_t (*)(char *, std::size_t)> && is_stream<int (*)(void *, std::size_t)>);
static_assert(is_stream<std::function<std::ptrdiff_t(std::byte *, std::size_t)>>);
// Text could be meant as a path; elements of more than a byte, or not side by side, are no bytes.
static_assert(!is_stream<const char *> && !is_stream<std::string> && !is_stream<std::string_view>);
static_assert(!is_stream<std::filesystem::path> && !is_stream<int> && !is_stream<std::ostream &>);
static_assert(!is_stream<std::vector<int> &> && !is_stream<std::list<char> &> && !is_stream<std::vector<bool> &>);
// What says neither how much nor that it failed.
static_assert(!is_stream<void (*)(char *, std::size_t)> && !is_stream<bool (*)(char *, std::size_t)>);

// A source is a path, a descriptor, or all that is a stream.
static_assert(is_source<const char *> && is_source<std::string> && is_source<std::string_view>);
static_assert(is_source<std::filesystem::path &> && is_source<int> && is_source<const int &>);
static_assert(is_source<std::istream &> && is_source<content> && is_source<int (*)(void *, std::size_t)>);
static_assert(is_source<frazil::stream> && std::is_constructible_v<frazil::source, const void *, std::size_t>);
static_assert(!is_source<std::vector<int> &> && !is_source<std::ostream &> && !is_source<std::nullptr_t>);
static_assert(!is_source<double> && !is_source<std::nullopt_t>);

// An input can be read more than once.
static_assert(is_input<const char *> && is_input<std::string> && is_input<int> && is_input<std::nullopt_t>);
static_assert(is_input<std::nullptr_t>);
static_assert(is_input<content &> && is_input<content> && is_input<frazil::bytes>);
static_assert(std::is_constructible_v<frazil::input, int (*)(std::uint64_t, char *, std::size_t), std::uint64_t>);
static_assert(!std::is_constructible_v<frazil::input, int (*)(char *, std::size_t), std::uint64_t>);
static_assert(!is_input<std::istream &> && !is_input<int (*)(std::uint64_t, char *, std::size_t)> && !is_input<double>);

static_assert(is_sink<std::ostream &> && is_sink<std::ofstream &> && is_sink<content &>);
static_assert(is_sink<std::vector<unsigned char> &> && std::is_constructible_v<frazil::sink, void *, std::size_t>);
static_assert(is_sink<void (*)(const void *, std::size_t)> && is_sink<void (*)(const std::byte *, std::size_t)>);
static_assert(is_sink<void (*)(frazil::bytes)> && is_sink<void (*)(std::string_view)>);
static_assert(is_sink<int> && is_sink<const int &> && is_sink<std::ofstream> && is_sink<frazil::room>);
static_assert(is_sink<std::array<char, 3> &> && is_sink<unsigned char (&)[3]>);
static_assert(!is_sink<const char *> && !is_sink<std::string &> && !is_sink<std::filesystem::path>);
static_assert(!is_sink<bool> && !is_sink<long> && !is_sink<std::nullptr_t> && !is_sink<const char (&)[3]>);
// What would go with the temporary, or cannot grow.
static_assert(!is_sink<content> && !is_sink<const content &>);
static_assert(!is_sink<std::ostream> && !is_sink<const std::ofstream &>);
static_assert(!is_sink<std::array<char, 3>> && !is_sink<const std::array<char, 3> &>);
static_assert(!is_sink<std::vector<int> &> && !is_sink<std::deque<char> &> && !is_sink<int (&)[3]>);
// Whose result would be lost.
static_assert(!is_sink<bool (*)(const void *, std::size_t)> && !is_sink<std::size_t (*)(frazil::bytes)>);
#if defined(__cpp_lib_span)
static_assert(is_stream<std::span<const std::byte>> && is_stream<std::span<char>> && is_input<std::span<char>>);
static_assert(is_sink<std::span<char>> && !is_sink<std::span<const char>> && is_sink<std::span<char> &>);
static_assert(is_stream<int (*)(std::span<std::byte>)> && is_sink<void (*)(std::span<const std::byte>)>);
#elif __cplusplus > 201703L
#error "of C++20, spans are to be tried"
#endif

// Bytes in memory, as everywhere else: not a path and a limit.
template <class... Arguments>
using loaded = decltype(frazil::signature::load(std::declval<Arguments>()...));
template <class, class... Arguments>
constexpr bool loads = false;
template <class... Arguments>
constexpr bool loads<std::void_t<loaded<Arguments...>>, Arguments...> = true;
static_assert(loads<void, const char *> && loads<void, const char *, frazil::load_options>);
static_assert(!loads<void, const char *, std::size_t> && !loads<void, char *, int>);

// Arrays of bytes are bytes, and room; a literal is neither, for its zero.
static_assert(std::is_convertible_v<char (&)[3], frazil::bytes> && std::is_convertible_v<char (&)[3], frazil::room>);
static_assert(std::is_convertible_v<const unsigned char (&)[3], frazil::bytes>);
static_assert(!std::is_convertible_v<const char (&)[3], frazil::bytes>);
static_assert(!std::is_convertible_v<const std::byte (&)[3], frazil::room>);
static_assert(std::is_convertible_v<content &, frazil::room> && !std::is_convertible_v<content, frazil::room>);

// Handles are moved, and never throw on it; options and summaries are values.
template <class T>
constexpr bool is_handle = std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T> &&
                           !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T>;
static_assert(std::is_nothrow_default_constructible_v<frazil::level>);
static_assert(is_handle<frazil::signature> && is_handle<frazil::comparison>);
static_assert(is_handle<frazil::level> && is_handle<frazil::level_writer>);
static_assert(is_handle<frazil::patch> && is_handle<frazil::patch_writer>);
static_assert(is_handle<frazil::backup> && is_handle<frazil::restore>);
static_assert(std::is_copy_constructible_v<frazil::level_options>);
static_assert(std::is_copy_assignable_v<frazil::restore_options>);

static content data;

static void reads(frazil::stream from) {
    CHECK(frazil::signature::of(std::move(from)).identity()->fingerprint ==
          frazil::signature::of(data).identity()->fingerprint);
}

// Gives all of `data`, in pieces, by a pointer to `Byte`.
template <class Byte, class Count>
auto giving() {
    return [taken = std::size_t(0)](Byte *buffer, std::size_t len) mutable {
        len = std::min({len, data.size() - taken, std::size_t(1000)});
        std::copy_n(data.data() + taken, len, reinterpret_cast<char *>(buffer));
        taken += len;
        return static_cast<Count>(len);
    };
}

static void sources_of_every_kind_give_the_same() {
    reads(data);
    reads(content(data));
    reads({data.data(), data.size()});
    const std::string string(data.begin(), data.end());
    reads(frazil::bytes(string));
    const auto *bytes = reinterpret_cast<const std::byte *>(data.data());
    const std::vector<std::byte> of_bytes(bytes, bytes + data.size());
    reads(of_bytes);
    std::stringstream stream(string);
    reads(stream);
    reads(std::istringstream(string));
    save("data", data);
    reads(std::ifstream("data", std::ios::binary));
    reads(giving<char, std::size_t>());
    reads(giving<unsigned char, int>());
    reads(giving<std::byte, long>());
    reads([from = giving<std::byte, int>()](frazil::room to) mutable { return from(to.begin(), to.size()); });
    // One that cannot be copied, and one that is only referred to.
    auto only = std::make_unique<std::function<std::size_t(char *, std::size_t)>>(giving<char, std::size_t>());
    reads([only = std::move(only)](char *buffer, std::size_t len) { return (*only)(buffer, len); });
    auto referred = giving<char, std::size_t>();
    reads(std::ref(referred));
    CHECK(referred(data.data(), 1) == 0);
#if defined(__cpp_lib_span)
    reads(std::span(data));
    reads(std::as_bytes(std::span(data)));
    reads([from = giving<std::byte, int>()](std::span<std::byte> to) mutable { return from(&to[0], to.size()); });
#endif
    // A stream is read on from where it stands.
    std::istringstream half(string + "more");
    half.ignore(static_cast<std::streamsize>(string.size()));
    CHECK(frazil::signature::of(half).length() == 4);
    CHECK(frazil::signature::of(half).length() == 0);
}

static void sinks_of_every_kind_take_the_same() {
    const auto signature = frazil::signature::of(data);
    // A plain one has no random id.
    const auto write = [&](frazil::sink to) { signature.write(std::move(to), frazil::format::rdiff); };
    content first;
    write(first);
    CHECK(!first.empty());
    const auto same = [&](const auto &found) {
        return found.size() == first.size() && std::memcmp(found.data(), first.data(), first.size()) == 0;
    };
    std::vector<std::byte> of_bytes;
    write(of_bytes);
    CHECK(same(of_bytes));
    content room(first.size());
    write({room.data(), room.size()});
    CHECK(same(room));
    std::array<unsigned char, 4096> longer{};
    write(longer);
    CHECK(std::memcmp(longer.data(), first.data(), first.size()) == 0 && longer[first.size()] == 0);
    {
        const descriptor fd("written", O_WRONLY | O_CREAT);
        write(fd.get());
    }
    CHECK(same(load("written")));
    write(std::ofstream("moved in", std::ios::binary));
    CHECK(same(load("moved in")));
    std::ostringstream stream;
    write(stream);
    CHECK(same(stream.str()));
#if defined(__cpp_lib_span)
    std::fill(room.begin(), room.end(), 'x');
    write(std::span(room));
    CHECK(same(room));
#endif
    std::string string;
    const auto append = [&](const char *piece, std::size_t len) { string.append(piece, len); };
    const auto check = [&] {
        CHECK(same(string));
        string.clear();
    };
    write(append);
    check();
    write([&](const void *piece, std::size_t len) { append(static_cast<const char *>(piece), len); });
    check();
    write([&](const unsigned char *piece, std::size_t len) { append(reinterpret_cast<const char *>(piece), len); });
    check();
    write([&](const std::byte *piece, std::size_t len) { append(reinterpret_cast<const char *>(piece), len); });
    check();
    write([&](std::string_view piece) { string += piece; });
    check();
    write([&](frazil::bytes piece) {
        CHECK(!piece.empty() && piece.end() - piece.begin() == static_cast<std::ptrdiff_t>(piece.size()));
        append(reinterpret_cast<const char *>(piece.data()), piece.size());
    });
    check();
#if defined(__cpp_lib_span)
    write([&](std::span<const std::byte> piece) { append(reinterpret_cast<const char *>(&piece[0]), piece.size()); });
    check();
#endif
    THROWN(frazil::invalid_input_error, write({}));
}

static void a_level_keeps_what_it_reads_from() {
    // Moved in, and the level moved about.
    std::vector<frazil::level> levels;
    for (int i = 0; i < 10; i++) levels.push_back(frazil::level::open(content(data)));
    for (auto &level : levels) {
        content stream, restored;
        level.copy_to(stream);
        frazil::patch_writer patch({}, restored);
        patch.feed(stream);
        (void)patch.finish();
        CHECK(restored == data);
    }
}

int main() {
    data = noise(150000, 5);
    sources_of_every_kind_give_the_same();
    sinks_of_every_kind_take_the_same();
    a_level_keeps_what_it_reads_from();
}
