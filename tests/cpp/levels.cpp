// Signatures, comparisons, levels and patches in every form there is.
#include "check.hpp"

static content old_content, new_content;

static void signatures_from_everywhere_are_the_same() {
    std::istringstream stream(std::string(old_content.begin(), old_content.end()));
    const descriptor fd("old", O_RDONLY);
    frazil::signature of[] = {
        frazil::signature::of("old"),
        frazil::signature::of(fd.get()),
        frazil::signature::of(stream),
        frazil::signature::of(old_content),
    };
    of[0].save("signature");
    THROWN(frazil::exists_error, of[0].save("signature"));
    content plain;
    of[0].write(plain, frazil::format::rdiff);
    const descriptor written("written", O_RDWR | O_CREAT);
    of[0].write(written.get());
    CHECK(lseek(written.get(), 0, SEEK_SET) == 0);
    const frazil::signature loaded[] = {
        frazil::signature::load("signature"),
        frazil::signature::load(written.get()),
        frazil::signature::load(plain),
        frazil::signature::load(plain),
    };
    const auto first = of[0].identity();
    CHECK(first && first->length == old_content.size() && first->crc32 != 0);
    for (std::size_t i = 0; i < 4; i++) {
        CHECK(of[i].block_len() == 65536 && of[i].strong_len() == 32 && !of[i].is_dirty());
        CHECK(of[i].weak_sum() == frazil::weak_sum::rabin_karp && of[i].strong_sum() == frazil::strong_sum::blake2);
        CHECK(of[i].block_count() == (old_content.size() + 65535) / 65536);
        CHECK(loaded[i].block_count() == of[i].block_count());
        CHECK(of[i].length() == old_content.size() && of[i].identity()->fingerprint == first->fingerprint);
        CHECK(loaded[i].length() == (i < 2 ? std::optional<std::uint64_t>(old_content.size()) : std::nullopt));
        CHECK(loaded[i].identity().has_value() == (i < 2));
        CHECK(of[i].block(0)->strong_sum == loaded[i].block(0)->strong_sum && of[i].block(0)->weak_sum == loaded[i].block(0)->weak_sum);
        CHECK(!of[i].block(of[i].block_count()));
    }
    THROWN(frazil::invalid_input_error, loaded[2].save("unsealable"));
    frazil::load_options little;
    little.memory_limit = 36;
    THROWN(frazil::limit_error, (void)frazil::signature::load("signature", little));
    CHECK(frazil::signature::load({plain.data(), plain.size()}).block_count() == loaded[2].block_count());

    // One of C, and back.
    frazil_signature *raw = of[1].release();
    CHECK(!of[1] && raw != nullptr);
    const frazil::signature again(raw);
    CHECK(again.get() == raw && again.length() == old_content.size());
}

static void a_comparison_is_a_range() {
    const auto before = frazil::signature::of("old"), after = frazil::signature::of("new");
    std::uint64_t end = 0, changed = 0;
    for (const frazil::range &range : frazil::comparison::open(before, after)) {
        CHECK(range.offset == end);
        end += range.len;
        if (range.kind == frazil::range_kind::changed) changed += range.len;
    }
    CHECK(end == new_content.size() && changed == 65536);

    // Algorithms take it, and it goes on when it is moved.
    auto comparison = frazil::comparison::open(before, after);
    auto at = comparison.begin();
    const auto moved = std::move(comparison);
    CHECK(moved && !comparison && at->kind == frazil::range_kind::same && at->len == 65536 && at->from == 0);
    CHECK((at++)->offset == 0 && (*at).offset == 65536);
    const std::vector<frazil::range> rest(at, {});
    CHECK(rest[0] != rest[1] && rest[0] == frazil::range(rest[0]));
    CHECK(rest.size() == 2 && rest[0].kind == frazil::range_kind::changed && rest[1].kind == frazil::range_kind::same);
    THROWN(frazil::state_error, (void)comparison.begin());

    after.save("signature.new");
    auto files = frazil::comparison::open_files("signature", "signature.new");
    CHECK(files.next()->len == 65536 && files.get() != nullptr);
    CHECK(std::distance(files.begin(), files.end()) == 2 && !files.next());
#if defined(__cpp_lib_ranges)
    static_assert(std::ranges::input_range<frazil::comparison>);
    static_assert(std::input_iterator<frazil::comparison::iterator>);
#endif

    frazil::level_options options;
    options.block_len = 1024;
    const auto finer = frazil::signature::of("new", options);
    CHECK(finer.block_len() == 1024);
    THROWN(frazil::incomparable_error, (void)frazil::comparison::open(before, finer));
}

static void levels_restore_what_they_were_made_of() {
    auto level0 = frazil::level::open("old");
    std::ofstream file("level.0", std::ios::binary);
    const auto written = level0.copy_to(file);
    const auto [signature, summary] = level0.finish();
    CHECK(summary.stream_bytes == written && std::filesystem::file_size("level.0") == written);
    CHECK(summary.source_bytes == old_content.size() && summary.identity->length == old_content.size());
    CHECK(!summary.dirty && summary.copy_bytes == 0 && summary.literal_bytes == old_content.size());

    content level1[4];
    const descriptor fd("new", O_RDONLY);
    auto by_fd = frazil::level::open(fd.get(), signature);
    std::array<char, 1237> buffer;
    char plain[1000];
    level1[0].insert(level1[0].end(), plain, plain + by_fd.read(plain));
    while (const auto len = by_fd.read(buffer)) level1[0].insert(level1[0].end(), buffer.begin(), buffer.begin() + len);
    CHECK(by_fd.finish().signature.length() == new_content.size());

    auto by_stream = frazil::level::open(new_content, &signature);
    by_stream.copy_to(level1[1]);
    CHECK(by_stream.finish().summary.copy_bytes == new_content.size() - 65536);

    frazil::level_writer pushed(signature, level1[2]);
    for (std::size_t fed = 0; fed < new_content.size(); fed += 999)
        pushed.feed(new_content.data() + fed, std::min<std::size_t>(999, new_content.size() - fed));
    pushed.feed({});
    const auto finished = pushed.finish();
    CHECK(finished.signature.length() == new_content.size() && finished.summary.literal_bytes == 65536);

    frazil::level_writer drawn(std::optional<frazil::signature>(frazil::signature::load("signature")), level1[3]);
    CHECK(drawn.feed_from(new_content) == new_content.size());
    CHECK(drawn.finish().summary.stream_bytes == level1[3].size());

    for (const auto &level : level1) {
        CHECK(level.size() < 70000);
        save("level.1", level);
        auto patch = frazil::patch::open("old", "level.1");
        content target;
        patch.copy_to(target);
        CHECK(target == new_content && patch.finish().output_bytes == new_content.size());
    }

    std::filesystem::remove("level.0");
    const auto whole = frazil::level_file("old", std::nullopt, "level.0");
    CHECK(whole.summary.stream_bytes == written && whole.signature.length() == old_content.size());
    THROWN(frazil::exists_error, (void)frazil::level_file("old", {}, "level.0"));
}

static void patches_in_every_form_restore_the_same() {
    const content delta = load("level.1");
    content target;
    const descriptor fd("level.1", O_RDONLY);
    frazil::patch::open("old", fd.get()).copy_to(target);
    CHECK(target == new_content);
    target.clear();
    frazil::patch::open("old", delta).copy_to(target);
    CHECK(target == new_content);
    target.clear();
    auto chain = frazil::patch::open_chain({}, {"level.0", "level.1"});
    chain.copy_to(target);
    auto summary = chain.finish();
    CHECK(target == new_content && summary.verified() && summary.identity->length == target.size());
    CHECK(!summary.dirty && !summary.weak && summary.stream_bytes > delta.size());
    THROWN(frazil::invalid_input_error, (void)frazil::patch::open_chain({}, {}));

    content room(new_content.size());
    frazil::patch_writer pushed("old", frazil::room(room));
    pushed.feed(delta);
    CHECK(pushed.finish().verified() && room == new_content);

    auto to_file = frazil::patch_writer::new_file("old", "pushed");
    CHECK(to_file.feed_from(delta) == delta.size() && !std::filesystem::exists("pushed"));
    (void)to_file.finish();
    CHECK(load("pushed") == new_content);

    CHECK(frazil::patch_file("old", "level.1", "patched").output_bytes == new_content.size());
    THROWN(frazil::exists_error, (void)frazil::patch_file("old", "level.1", "patched"));
    frazil::patch_options options;
    options.replace = true;
    options.verify_basis = frazil::verify_basis::before;
    const auto wrong =
        THROWN(frazil::wrong_basis_error, (void)frazil::patch_file("new", "level.1", "patched", options));
    CHECK(wrong.status() == frazil::status::wrong_basis && wrong.code() == frazil::status::wrong_basis);
    (void)frazil::patch_file_chain({}, {"level.0", "level.1"}, "patched", options);
    const descriptor again("level.1", O_RDONLY);
    (void)frazil::patch_file("old", again.get(), "patched", options);
    std::ifstream stream("level.1", std::ios::binary);
    (void)frazil::patch_file("old", stream, "patched", options);
    CHECK(load("patched") == new_content);
    save("in place", old_content);
    CHECK(frazil::patch_in_place("in place", "level.1").verified() && load("in place") == new_content);
}

// Calls for the bytes of `of` wherever they are wanted, and not all of them at once.
static auto anywhere_in(const content &of) {
    return [&of](std::uint64_t offset, char *buffer, std::size_t len) {
        CHECK(offset + len <= of.size());
        len = std::min<std::size_t>(len, 1000);
        std::copy_n(of.data() + offset, len, buffer);
        return len;
    };
}

static void a_basis_and_a_level_of_a_chain_are_read_from_anywhere() {
    const content delta[] = {load("level.0"), load("level.1")};
    const descriptor fd("old", O_RDONLY);
    CHECK(lseek(fd.get(), 1000, SEEK_SET) == 1000);  // It is read from its start all the same.
    const frazil::input bases[] = {"old", fd.get(), old_content, content(old_content), frazil::bytes(old_content),
                                   {anywhere_in(old_content), old_content.size()}};
    frazil::patch_options options;
    options.replace = true;
    for (const auto &basis : bases) {
        content target, written;
        frazil::patch::open(basis, delta[1], options).copy_to(target);
        CHECK(target == new_content);
        frazil::patch_writer writer(basis, written, options);
        writer.feed(delta[1]);
        CHECK(writer.finish().verified() && written == new_content);
        auto file = frazil::patch_writer::new_file(basis, "from anywhere", options);
        file.feed(delta[1]);
        (void)file.finish();
        CHECK(load("from anywhere") == new_content);
        (void)frazil::patch_file(basis, "level.1", "from anywhere", options);
        (void)frazil::patch_file_chain(basis, {delta[1]}, "from anywhere", options);
        CHECK(load("from anywhere") == new_content);
    }
    const descriptor level("level.1", O_RDONLY);
    const frazil::input last[] = {"level.1", level.get(), delta[1], {anywhere_in(delta[1]), delta[1].size()}};
    for (const auto &second : last) {
        content target;
        auto chain = frazil::patch::open_chain({}, {{anywhere_in(delta[0]), delta[0].size()}, second});
        const auto moved_meanwhile = std::make_unique<frazil::patch>(std::move(chain));
        moved_meanwhile->copy_to(target);
        CHECK(target == new_content && moved_meanwhile->finish().verified());
        CHECK(frazil::patch_file_chain({}, {delta[0], second}, "from anywhere", options).verified());
        CHECK(load("from anywhere") == new_content);
    }
}

static void an_inspection_says_what_a_stream_is() {
    const auto signature = frazil::inspection::of("signature");
    CHECK(signature.kind == frazil::stream_kind::signature && signature.format == frazil::format::sealed);
    CHECK(signature.block_len == 65536 && signature.strong_len == 32 && signature.block_count == 5);
    CHECK(signature.weak_sum == frazil::weak_sum::rabin_karp && signature.strong_sum == frazil::strong_sum::blake2);
    CHECK(signature.stream_bytes == std::filesystem::file_size("signature") && !signature.made_against);
    CHECK(signature.identity && signature.identity->length == old_content.size() && !signature.dirty);

    const auto of_old = frazil::signature::of("old").identity();
    const descriptor fd("level.1", O_RDONLY);
    const frazil::inspection deltas[] = {frazil::inspection::of(fd.get()), frazil::inspection::of(load("level.1"))};
    for (const auto &delta : deltas) {
        CHECK(delta.kind == frazil::stream_kind::delta && delta.literal_bytes == 65536 && delta.zero_bytes == 0);
        CHECK(delta.copy_bytes == new_content.size() - 65536 && delta.copy_commands > 0 && !delta.weak);
        CHECK(delta.identity->length == new_content.size() && delta.made_against->length == old_content.size());
        CHECK(delta.made_against->fingerprint == of_old->fingerprint);
        CHECK(delta.made_against->leaf_len == of_old->leaf_len && delta.block_count == 0);
    }
    content plain;
    frazil::signature::of("old").write(plain, frazil::format::rdiff);
    const auto said = frazil::inspection::of(plain);
    CHECK(said.format == frazil::format::rdiff && !said.identity);
}

static void the_blueprints_functions_do_it_in_one_call() {
    content level0, level1;
    const auto signature = frazil::gen_sig_from_file("old", {}, level0);
    const auto next = frazil::gen_sig_from_stream(new_content, signature, level1);
    CHECK(next.length() == new_content.size() && !next.is_dirty());
    CHECK(frazil::gen_sig_from_file("new", signature, {}).length() == new_content.size());

    (void)frazil::patch_from_stream(level0, "blue");
    CHECK(load("blue") == old_content);
    save("blue.1", level1);
    (void)frazil::patch_from_file("blue.1", "blue");
    CHECK(load("blue") == new_content);
    THROWN(frazil::wrong_basis_error, (void)frazil::patch_from_stream(level0, "blue"));
}

static void options_reach_the_library() {
    content held, given, level;
    frazil::level_options options;
    options.format = frazil::format::rdiff;
    options.engine = frazil::engine::librsync;
    options.weak_sum = frazil::weak_sum::rollsum;
    options.strong_sum = frazil::strong_sum::md4;
    options.strong_len = 8;
    options.block_len = 2048;
    const auto plain = frazil::gen_sig_from_file("old", {}, level, options);
    CHECK(plain.weak_sum() == frazil::weak_sum::rollsum && plain.strong_sum() == frazil::strong_sum::md4 && plain.strong_len() == 8);
    CHECK(plain.block_len() == 2048 && static_cast<unsigned char>(level[0]) == 0x72);  // librsync's magic

    options = {};
    options.format = frazil::format::rdiff;
    options.no_identity = true;
    auto unidentified = frazil::level::open("old", {}, options);
    content unused;
    unidentified.copy_to(unused);
    const auto ended = unidentified.finish();
    CHECK(!ended.summary.identity && ended.signature && !ended.signature.identity());

    options = {};
    options.write_signature = given;
    options.signature_format = frazil::format::sealed;
    options.matching = frazil::matching::aligned;
    options.threads = 1;
    options.memory_limit = 64 << 20;
    options.basis_path = "as it was";
    auto read = frazil::level::open("new", frazil::signature::of("old"), options);
    read.copy_to(held);
    const auto finished = read.finish();
    CHECK(!finished.signature && finished.summary.matching == frazil::matching::aligned);
    CHECK(frazil::signature::load(given).length() == new_content.size());
    CHECK(std::string_view(held.data(), held.size()).find("as it was") != std::string_view::npos);
    THROWN(frazil::state_error, (void)frazil::level::open("new", finished.signature));

    options = {};
    options.basis_signature_path = "signature";
    content in_place;
    auto from_file = frazil::level::open("new", {}, options);
    from_file.copy_to(in_place);
    CHECK(from_file.finish().summary.copy_bytes == new_content.size() - 65536 && in_place.size() < 70000);

    options = {};
    options.no_signature = true;
    options.target_len = 1000;
    auto short_level = frazil::level::open(new_content, {}, options);
    short_level.copy_to(level);
    const auto cut = short_level.finish();
    CHECK(!cut.signature && cut.summary.source_bytes == 1000);
    options.threads = 0;
    options.engine = static_cast<frazil::engine>(7);
    THROWN(frazil::invalid_input_error, (void)frazil::level::open("new", {}, options));

    frazil::patch_options most;
    most.max_output = 1000;
    THROWN(frazil::limit_error, (void)frazil::patch_file({}, "level.0", "never", most));
#if defined(__cpp_designated_initializers)
    CHECK(frazil::signature::of("old", {.block_len = 4096, .threads = 1}).block_len() == 4096);
#endif
}

static void streams_of_the_standard_library_read_and_feed() {
    auto level = frazil::level::open("old");
    frazil::input_streambuf read(level);
    std::istream in(&read);
    std::ostringstream stream;
    stream << in.rdbuf();
    CHECK(level.finish().summary.stream_bytes == stream.str().size());

    auto patch = frazil::patch_writer::new_file({}, "streamed");
    frazil::output_streambuf fed(patch);
    std::ostream out(&fed);
    out.put(stream.str()[0]);
    out << stream.str().substr(1);
    CHECK(out.good());
    (void)patch.finish();
    CHECK(load("streamed") == old_content);
}

int main() {
    old_content = new_content = noise(300000, 1);
    new_content[70000] = static_cast<char>(new_content[70000] ^ 0x55);
    save("old", old_content);
    save("new", new_content);
    CHECK(frazil::version() == FRAZIL_VERSION && frazil::version_number() == FRAZIL_VERSION_NUMBER);
    CHECK(frazil::librsync_version() == frazil_librsync_version() && !frazil::librsync_version().empty());
    signatures_from_everywhere_are_the_same();
    a_comparison_is_a_range();
    levels_restore_what_they_were_made_of();
    patches_in_every_form_restore_the_same();
    a_basis_and_a_level_of_a_chain_are_read_from_anywhere();
    an_inspection_says_what_a_stream_is();
    the_blueprints_functions_do_it_in_one_call();
    options_reach_the_library();
    streams_of_the_standard_library_read_and_feed();
}
