// What fails: exceptions out of callbacks, which come out as they were thrown, errors and what they say, objects that
// are empty, finished, or destroyed in the middle.
#include "check.hpp"

static content old_content, new_content, level0, level1;

// Gives `good` bytes, then throws, for as long as it is to.
struct failing_source {
    std::size_t good;
    bool fails = true;

    std::size_t operator()(char *buffer, std::size_t len) {
        if (good == 0 && fails) throw own_failure{7};
        len = std::min(len, good);
        std::fill_n(buffer, len, 'x');
        good -= len;
        return len;
    }
};

static void refuse(frazil::bytes) {
    throw own_failure{8};
}

static void what_a_source_throws_comes_out_unchanged() {
    CHECK(THROWN(own_failure, (void)frazil::signature::of(failing_source{100000})).number == 7);
    content made;
    THROWN(own_failure, (void)frazil::gen_sig_from_stream(failing_source{100000}, {}, made));
    const failing_source from{0};
    THROWN(own_failure, (void)frazil::signature::load(from));
    THROWN(own_failure, (void)frazil::patch_from_stream(from, "never"));
    THROWN(own_failure, (void)frazil::patch_file("old", from, "never"));
    CHECK(!std::filesystem::exists("never"));

    // Whatever its type, and the object itself.
    const auto object = std::make_exception_ptr(std::string("an object"));
    std::exception_ptr found;
    try {
        (void)frazil::signature::of([&](void *, std::size_t) -> int { std::rethrow_exception(object); });
    } catch (const std::string &) {
        found = std::current_exception();
    }
    CHECK(found == object);

    // The source may be asked again.
    failing_source again{100000};
    auto level = frazil::level::open(std::ref(again));
    content stream;
    THROWN(own_failure, level.copy_to(stream));
    THROWN(own_failure, level.copy_to(stream));
    again.fails = false;
    level.copy_to(stream);
    CHECK(level.finish().summary.source_bytes == 100000);
    (void)frazil::patch_from_stream(stream, "made in two");
    CHECK(load("made in two") == content(100000, 'x'));
}

static void what_an_input_throws_comes_out_unchanged() {
    bool fails = true;
    const auto read = [&fails](std::uint64_t offset, char *buffer, std::size_t len) {
        if (fails && offset + len > 1000000) throw own_failure{12};
        std::copy_n(old_content.data() + offset, len, buffer);
        return len;
    };
    const frazil::input basis(read, old_content.size());
    CHECK(THROWN(own_failure, (void)frazil::patch_file(basis, "level.1", "never")).number == 12);
    content target;
    auto patch = frazil::patch::open(basis, "level.1");
    THROWN(own_failure, patch.copy_to(target));
    fails = false;
    patch.copy_to(target);
    CHECK(target == new_content && patch.finish().verified());
    const frazil::input failing([](std::uint64_t, void *, std::size_t) -> int { throw own_failure{13}; }, 1000);
    THROWN(own_failure, (void)frazil::patch_file_chain("old", {"level.1", failing}, "never"));
    const frazil::input negative([](std::uint64_t, void *, std::size_t) { return -1; }, 1000);
    THROWN(frazil::invalid_input_error, (void)frazil::patch_file(negative, "level.1", "never"));
    // What can be read only once is none.
    int ends[2];
    CHECK(pipe(ends) == 0);
    THROWN(frazil::invalid_input_error, (void)frazil::patch_file(ends[0], "level.1", "never"));
    close(ends[0]);
    close(ends[1]);
    CHECK(!std::filesystem::exists("never"));
}

static void what_a_sink_throws_comes_out_unchanged() {
    CHECK(THROWN(own_failure, (void)frazil::gen_sig_from_file("new", {}, refuse)).number == 8);
    THROWN(own_failure, frazil::signature::of("new").write(refuse));
    THROWN(own_failure, frazil::level::open("new").copy_to(refuse));

    frazil::level_writer level({}, refuse);
    THROWN(own_failure, {
        level.feed(new_content);
        (void)level.finish();
    });
    THROWN(frazil::state_error, level.feed(new_content));
    THROWN(frazil::state_error, (void)level.finish());

    frazil::patch_writer patch({}, refuse);
    THROWN(own_failure, {
        patch.feed(level0);
        (void)patch.finish();
    });
    THROWN(frazil::state_error, (void)patch.finish());

    frazil::level_options options;
    options.write_signature = refuse;
    THROWN(own_failure, (void)frazil::gen_sig_from_file("new", {}, {}, options));

    char room[100];
    THROWN(std::length_error, (void)frazil::gen_sig_from_file("new", {}, frazil::sink(room, sizeof room)));
    THROWN(frazil::invalid_input_error, (void)frazil::level_writer({}, {}));
    THROWN(frazil::invalid_input_error, (void)frazil::patch_writer({}, {}));
    const auto none = THROWN(frazil::invalid_input_error, frazil::signature::of("new").write({}));
    CHECK(std::strstr(none.what(), "sink") != nullptr);

    // What a system says of a descriptor.
    const descriptor full("/dev/full", O_WRONLY);
    const auto refused = THROWN(frazil::io_error, frazil::level::open("new").copy_to(full.get()));
    CHECK(refused.code() == std::errc::no_space_on_device && refused.os_code() == ENOSPC);
    CHECK(std::strstr(refused.what(), ("descriptor " + std::to_string(full.get())).c_str()) != nullptr);
    CHECK(THROWN(frazil::io_error, frazil::sink(-1)).os_code() == EBADF);
}

// Reads on from `work` into a sink that fails once, at its `at`th piece: what it was given is lost, so nothing of it
// may look complete.
template <class Work>
static void a_loss_is_final(Work &&work, int at) {
    content kept;
    const auto once = [&](frazil::bytes piece) {
        if (at-- == 0) throw own_failure{16};
        kept.insert(kept.end(), reinterpret_cast<const char *>(piece.begin()),
                    reinterpret_cast<const char *>(piece.end()));
    };
    CHECK(THROWN(own_failure, work.copy_to(once)).number == 16);
    const auto before = kept;
    THROWN(frazil::state_error, work.copy_to(once));
    char buffer[100];
    THROWN(frazil::state_error, (void)work.read(buffer, sizeof buffer));
    CHECK(std::strstr(THROWN(frazil::state_error, (void)work.finish()).what(), "lost") != nullptr && kept == before);
}

static void what_a_sink_loses_is_not_taken_for_written() {
    for (const int at : {0, 1}) {
        a_loss_is_final(frazil::level::open("new"), at);
        a_loss_is_final(frazil::patch::open("old", "level.1"), at);
    }
    // Little enough that it fails only when it is flushed.
    std::ofstream late("/dev/full", std::ios::binary);
    auto level = frazil::level::open(frazil::bytes("ab", 2));
    THROWN(std::ios_base::failure, level.copy_to(late));
    THROWN(frazil::state_error, (void)level.finish());
    // No sink at all is seen before anything is read.
    auto whole = frazil::level::open("new");
    THROWN(frazil::invalid_input_error, whole.copy_to({}));
    content stream;
    whole.copy_to(stream);
    CHECK(whole.finish().summary.stream_bytes == stream.size());
}

static void a_level_is_not_published_when_its_signature_is_lost() {
    std::ofstream full("/dev/full", std::ios::binary);
    frazil::level_options options;
    options.write_signature = full;
    save("short", text("ab"));
    THROWN(std::ios_base::failure, (void)frazil::level_file("short", {}, "never", options));
    CHECK(!std::filesystem::exists("never"));
}

static void to_read_into_nothing_is_not_the_end() {
    auto level = frazil::level::open("new");
    content none;
    none.reserve(65536);
    THROWN(frazil::invalid_input_error, (void)level.read(none));
    THROWN(frazil::invalid_input_error, (void)level.read(none.data(), 0));
    THROWN(frazil::invalid_input_error, (void)frazil::stream(new_content).read(none.data(), 0));
}

static void what_an_observer_throws_comes_out_unchanged() {
    int calls = 0;
    std::optional<std::uint64_t> total;
    frazil::observer watching;
    watching.progress = [&](const frazil::progress &made) {
        calls++;
        total = made.total_bytes;
        CHECK(made.done_bytes > 0);
    };
    frazil::level_options level;
    frazil::patch_options patch;
    level.observer = patch.observer = watching;
    (void)frazil::level_file("new", {}, "watched", level);
    CHECK(calls > 0 && total == new_content.size());

    level.observer.progress = [](const frazil::progress &) { throw own_failure{9}; };
    CHECK(THROWN(own_failure, (void)frazil::level_file("new", {}, "never", level)).number == 9);
    auto reading = frazil::level::open("new", {}, level);
    content stream;
    THROWN(own_failure, {
        reading.copy_to(stream);
        (void)reading.finish();
    });
    // At the very end too, when nothing is left to be stopped.
    const auto last = calls;
    calls = 0;
    level.observer.progress = [&](const frazil::progress &) {
        if (++calls == last) throw own_failure{11};
    };
    CHECK(THROWN(own_failure, (void)frazil::level_file("new", {}, "watched to the end", level)).number == 11);

    patch.observer = {};
    patch.observer.cancelled = []() -> bool { throw own_failure{10}; };
    CHECK(THROWN(own_failure, (void)frazil::patch_file({}, "watched", "never", patch)).number == 10);
    bool stop = true;
    patch.observer.cancelled = [&] { return stop; };
    const auto cancelled = THROWN(frazil::cancelled_error, (void)frazil::patch_file({}, "watched", "never", patch));
    CHECK(cancelled.code() == std::errc::operation_canceled);
    CHECK(!std::filesystem::exists("never"));
    stop = false;
    (void)frazil::patch_file({}, "watched", "at last", patch);
}

static void a_failure_of_a_stream_of_the_standard_library_is_one_of_the_work() {
    std::ifstream missing("missing", std::ios::binary);
    THROWN(std::ios_base::failure, (void)frazil::signature::of(missing));
    // What is no file can be opened, and not read.
    THROWN(std::ios_base::failure, (void)frazil::signature::of(std::ifstream(".", std::ios::binary)));
    std::ofstream full("/dev/full", std::ios::binary);
    THROWN(std::ios_base::failure, (void)frazil::gen_sig_from_file("new", {}, full));
    // Little enough that it fails only when it is flushed.
    std::ofstream late("/dev/full", std::ios::binary);
    THROWN(std::ios_base::failure, (void)frazil::gen_sig_from_stream(frazil::bytes("ab", 2), {}, late));
    std::ofstream written("/dev/full", std::ios::binary);
    THROWN(std::ios_base::failure, {
        frazil::level_writer level({}, written);
        (void)level.finish();
    });

    // One that throws at its end does not throw at the end of the source.
    std::istringstream strict("all there is");
    strict.exceptions(std::ios::failbit | std::ios::eofbit | std::ios::badbit);
    CHECK(frazil::signature::of(strict).length() == 12);

    // And out of the middle of one.
    auto level = frazil::level::open(failing_source{300000});
    frazil::input_streambuf buffer(level);
    std::istream in(&buffer);
    in.exceptions(std::ios::badbit);
    content all(1 << 20);
    THROWN(own_failure, in.read(all.data(), static_cast<std::streamsize>(all.size())));
}

static void a_callable_that_claims_too_much_is_refused() {
    THROWN(frazil::invalid_input_error, (void)frazil::signature::of([](char *, std::size_t len) { return len + 1; }));
    THROWN(frazil::invalid_input_error, (void)frazil::signature::of([](void *, std::size_t) { return -1; }));
    frazil::level_writer level({}, [](frazil::bytes) {});
    THROWN(frazil::invalid_input_error, level.feed_from([](void *, std::size_t) -> long { return -1; }));
}

static void an_error_says_all_that_is_known() {
    const auto missing = THROWN(frazil::io_error, (void)frazil::signature::load("no/where"));
    CHECK(missing.status() == frazil::status::io && missing.os_code() == ENOENT && missing.path() == "no/where");
    CHECK(missing.code() == std::errc::no_such_file_or_directory);
    CHECK(missing.code().category() == std::system_category());
    CHECK(std::strstr(missing.what(), "no/where") != nullptr && !missing.offset() && missing.callback_code() == 0);

    content cut = level1;
    cut.resize(cut.size() - 10);
    save("cut", cut);
    const auto truncated = THROWN(frazil::truncated_error, (void)frazil::patch_file("old", "cut", "never"));
    CHECK(truncated.code() == frazil::status::truncated && truncated.code().category() == frazil::category());
    CHECK(truncated.offset() && truncated.os_code() == 0 && truncated.code() != std::errc::io_error);
    CHECK(truncated.code().message() == frazil_status_name(FRAZIL_ERR_TRUNCATED));
    cut[cut.size() / 2] = static_cast<char>(cut[cut.size() / 2] ^ 1);
    save("cut", cut);
    THROWN(frazil::corrupt_error, (void)frazil::patch_file("old", "cut", "never"));
    content target;
    THROWN(frazil::wrong_basis_error, frazil::patch::open("new", "level.1").copy_to(target));
    CHECK(target.empty());

    // By every class above its own.
    int caught = 0;
    const auto fail = [] { (void)frazil::patch_file("old", "cut", "never"); };
    try { fail(); } catch (const frazil::damage_error &) { caught++; }
    try { fail(); } catch (const frazil::error &) { caught++; }
    try { fail(); } catch (const std::system_error &) { caught++; }
    try { fail(); } catch (const std::runtime_error &) { caught++; }
    try { fail(); } catch (const std::exception &) { caught++; }
    CHECK(caught == 5);
    static_assert(std::is_nothrow_copy_constructible_v<frazil::error>);
    static_assert(std::is_nothrow_move_constructible_v<frazil::io_error>);
    auto first = missing;
    const auto second = std::move(first);
    CHECK(std::strcmp(first.what(), missing.what()) == 0 && second.path() == "no/where" && first.os_code() == ENOENT);

    const auto exists = THROWN(frazil::exists_error, (void)frazil::level_file("old", {}, "level.1"));
    CHECK(exists.code() == std::errc::file_exists);
    const auto zero = THROWN(frazil::invalid_input_error,
                             (void)frazil::signature::of(std::filesystem::path(std::string("old\0new", 7))));
    CHECK(zero.code() == std::errc::invalid_argument);
    CHECK(std::strcmp(zero.what(), "there is a zero byte in \"old\\0new\"") == 0);
}

static void what_is_empty_or_finished_is_refused() {
    frazil::signature signature = frazil::signature::of("old"), taken = std::move(signature);
    CHECK(taken && !signature && signature.get() == nullptr);
    THROWN(frazil::state_error, (void)signature.length());
    THROWN(frazil::state_error, signature.save("never"));
    THROWN(frazil::state_error, (void)frazil::level::open("new", signature));
    THROWN(frazil::state_error, (void)frazil::comparison::open(taken, signature));
    signature = std::move(taken);
    CHECK(signature.length() == old_content.size());

    auto level = frazil::level::open("new", signature);
    auto moved = std::move(level);
    CHECK(moved && !level && level.get() == nullptr);
    char buffer[100];
    THROWN(frazil::state_error, (void)level.read(buffer, sizeof buffer));
    THROWN(frazil::state_error, (void)level.finish());
    CHECK(moved.read(buffer, sizeof buffer) > 0);
    THROWN(frazil::state_error, (void)moved.finish());
    THROWN(frazil::state_error, (void)moved.read(buffer, sizeof buffer));
    level = frazil::level::open("new");
    CHECK(level.finish().summary.stream_bytes == 0);
    THROWN(frazil::state_error, (void)level.finish());

    content sink;
    frazil::level_writer writer;
    THROWN(frazil::state_error, writer.feed(old_content));
    CHECK(!writer && writer.get() == nullptr);
    writer = frazil::level_writer({}, sink);
    auto other = std::move(writer);
    THROWN(frazil::state_error, writer.feed(old_content));
    other.feed(old_content);
    CHECK(other.finish().signature.length() == old_content.size());
    THROWN(frazil::state_error, other.feed(old_content));

    frazil::patch patch;
    THROWN(frazil::state_error, (void)patch.read(buffer));
    THROWN(frazil::state_error, (void)patch.finish());
    patch = frazil::patch::open("old", "level.1");
    THROWN(frazil::state_error, (void)patch.finish());
    THROWN(frazil::state_error, (void)frazil::comparison().next());
    THROWN(frazil::state_error, (void)frazil::level().finish());
    frazil::patch_writer nothing;
    THROWN(frazil::state_error, nothing.feed("x", 1));
    auto to_file = frazil::patch_writer::new_file("old", "never");
    THROWN(frazil::corrupt_error, to_file.feed("no delta at all", 15));
    THROWN(frazil::state_error, to_file.feed("x", 1));
    THROWN(frazil::state_error, (void)to_file.finish());
}

static void what_is_destroyed_in_the_middle_leaves_nothing() {
    {
        content sink;
        char buffer[100];
        auto level = frazil::level::open(std::ifstream("new", std::ios::binary));
        CHECK(level.read(buffer, sizeof buffer) > 0);
        frazil::level_writer writer({}, sink);
        writer.feed(old_content.data(), 5000);
        auto patch = frazil::patch::open("old", "level.1");
        CHECK(patch.read(buffer, sizeof buffer) > 0);
        auto to_file = frazil::patch_writer::new_file("old", "never");
        to_file.feed(level1);
        // What was there before goes first.
        to_file = frazil::patch_writer::new_file("old", "never");
        const auto before = frazil::signature::of("old"), after = frazil::signature::of("new");
        auto comparison = frazil::comparison::open(before, after);
        CHECK(comparison.next());
    }
    CHECK(!std::filesystem::exists("never"));
}

static void a_callback_may_not_use_its_own_handle() {
    std::optional<frazil::level> level;
    level = frazil::level::open([&](char *buffer, std::size_t len) { return level->read(buffer, len); });
    content stream;
    const auto refused = THROWN(frazil::state_error, level->copy_to(stream));
    CHECK(std::strstr(refused.what(), "in use") != nullptr);
}

int main() {
    old_content = new_content = noise(2500000, 3);
    new_content[70000] = static_cast<char>(new_content[70000] ^ 0x55);
    save("old", old_content);
    save("new", new_content);
    const auto signature = frazil::gen_sig_from_file("old", {}, level0);
    (void)frazil::gen_sig_from_file("new", signature, level1);
    save("level.1", level1);
    what_a_source_throws_comes_out_unchanged();
    what_an_input_throws_comes_out_unchanged();
    what_a_sink_throws_comes_out_unchanged();
    what_a_sink_loses_is_not_taken_for_written();
    a_level_is_not_published_when_its_signature_is_lost();
    to_read_into_nothing_is_not_the_end();
    what_an_observer_throws_comes_out_unchanged();
    a_failure_of_a_stream_of_the_standard_library_is_one_of_the_work();
    a_callable_that_claims_too_much_is_refused();
    an_error_says_all_that_is_known();
    what_is_empty_or_finished_is_refused();
    what_is_destroyed_in_the_middle_leaves_nothing();
    a_callback_may_not_use_its_own_handle();
}
