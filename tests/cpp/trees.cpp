// Trees: backed up, listed, verified and restored, level by level, and what their states and callbacks refuse.
#include "check.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <sys/stat.h>
#include <thread>

namespace fs = std::filesystem;

static void make_tree() {
    fs::create_directories("tree/directory");
    save("tree/letter", text("Dear reader"));
    fs::permissions("tree/letter", fs::perms(0640));
    save("tree/directory/note", text("a note"));
    save("tree/left-out", text("not this"));
    save("tree/long", noise(2500000, 9));
    fs::create_symlink("letter", "tree/link");
}

static frazil::backup_options leaving_out() {
    frazil::backup_options options;
    options.filter = frazil::filter::gzip;
    options.selection.excludes = {"*.tmp", "/left-out"};
    options.threads = 1;
    return options;
}

static frazil::level_id levels_are_backed_up() {
    std::uint64_t entries = 0;
    std::map<fs::path, frazil::entry_report> reports;
    auto options = leaving_out();
    options.observer.entry = [&](const frazil::entry_report &report) { reports.emplace(report.path, report); };
    options.observer.progress = [&](const frazil::progress &made) { entries = made.entries; };
    auto backup = frazil::backup::open("tree", {}, "snapshot.0", options);
    std::ofstream archive("archive.0", std::ios::binary);
    const auto written = backup.copy_to(archive);
    CHECK(!fs::exists("snapshot.0"));
    const auto level0 = backup.finish();
    CHECK(fs::exists("snapshot.0") && entries > 0);
    CHECK(level0.header.number == 0 && !level0.header.parent && level0.header.root == level0.header.id);
    CHECK(reports.at("letter").action == frazil::action::full && reports.at("letter").bytes == 11);
    CHECK(reports.at("letter").reason == frazil::reason::is_new && reports.count("left-out") == 0);
    CHECK(level0.stream_bytes == written && level0.full > 4 && !level0.partial() && level0.header.created > 0);
    THROWN(frazil::state_error, (void)backup.finish());

    save("tree/letter", text("Dear readers"));
    fs::remove("tree/directory/note");
    content next;
    reports.clear();
    const auto level1 = frazil::backup_tree("tree", "snapshot.0", "snapshot.1", next, options);
    CHECK(reports.at("letter").reason != frazil::reason::is_new);
    CHECK(reports.at("directory/note").action == frazil::action::deleted);
    CHECK(reports.at("directory/note").reason == frazil::reason::gone);
    CHECK(level1.header.number == 1 && level1.header.parent == level0.header.id && level1.deleted == 1);
    CHECK(level1.header.id != level0.header.id && level1.header.root == level0.header.id);
    const std::hash<frazil::level_id> hash;
    CHECK(hash(level1.header.id) != hash(level0.header.id) && hash(level1.header.id) == hash(level1.header.id));
    CHECK((level1.header.id < level0.header.id) != (level0.header.id < level1.header.id));
    save("archive.1", next);
    return level0.header.id;
}

static void archives_are_listed() {
    std::map<fs::path, frazil::entry> found;
    std::size_t count = 0;
    const auto keep = [&](const frazil::entry &entry) {
        count++;
        if (!entry.closes) found.emplace(entry.path, entry);
    };
    const auto summary = frazil::archive_list("archive.0", keep);
    CHECK(summary.records == count && summary.problems == 0 && summary.header.number == 0);
    const auto &letter = found.at("letter");
    CHECK(letter.kind == frazil::entry_kind::file && letter.action == frazil::action::full && letter.size == 11);
    CHECK(letter.mode == 0640 && letter.fingerprint && !letter.from && !letter.target && !letter.dirty);
    CHECK(letter.modified_seconds > 0 && letter.uid == geteuid());
    CHECK(found.at("link").target == "letter" && found.at("link").kind == frazil::entry_kind::symlink);
    CHECK(found.at("directory").kind == frazil::entry_kind::directory && found.count("left-out") == 0);

    found.clear();
    const descriptor fd("archive.1", O_RDONLY);
    frazil::archive_list(fd.get(), keep);
    const auto &gone = found.at("directory/note");
    CHECK(gone.action == frazil::action::deleted && gone.kind == frazil::entry_kind::unknown && gone.user.empty());
    count = 0;
    std::ifstream archive("archive.0", std::ios::binary);
    CHECK(frazil::archive_list(archive, keep).records == count);

    count = 0;
    const auto stop = [&](const frazil::entry &) {
        if (++count == 2) throw own_failure{2};
    };
    CHECK(THROWN(own_failure, frazil::archive_list("archive.0", stop)).number == 2 && count == 2);
    THROWN(std::bad_function_call, frazil::archive_list("archive.0", nullptr));
}

static void snapshots_are_listed() {
    std::map<fs::path, frazil::snapshot_entry> found;
    const auto keep = [&](const frazil::snapshot_entry &entry) { found.emplace(entry.path, entry); };
    const auto summary = frazil::snapshot_list("snapshot.0", keep);
    CHECK(summary.entries == found.size() && summary.header.number == 0);
    const auto &letter = found.at("letter");
    CHECK(letter.kind == frazil::entry_kind::file && letter.size == 11 && letter.mode == 0640 && letter.fingerprint);
    CHECK(found.at("long").block_count > 1 && !letter.link && letter.uid == geteuid());
    CHECK(!letter.dirty && !letter.stale);
    CHECK(found.at("link").target == "letter" && found.count("left-out") == 0);
    const auto stop = [](const frazil::snapshot_entry &) { throw own_failure{14}; };
    CHECK(THROWN(own_failure, frazil::snapshot_list("snapshot.0", stop)).number == 14);
    found.clear();
    std::ifstream stream("snapshot.0", std::ios::binary);
    CHECK(frazil::snapshot_list(stream, keep).entries == summary.entries && found.size() == summary.entries);
    THROWN(frazil::corrupt_error, frazil::snapshot_list("archive.0", keep));
}

static void archives_are_verified() {
    const descriptor fd("archive.1", O_RDONLY);
    CHECK(frazil::archive_verify("archive.0").header.number == 0);
    CHECK(frazil::archive_verify(fd.get()).header.number == 1);
    content archive = load("archive.0");
    CHECK(frazil::archive_verify(archive).content_bytes > 2500000);
    frazil::observer throws;
    throws.progress = [](const frazil::progress &) { throw own_failure{3}; };
    THROWN(own_failure, frazil::archive_verify("archive.0", throws));
    archive.resize(archive.size() / 2);
    try {
        frazil::archive_verify(archive);
        CHECK(false);
    } catch (const frazil::damage_error &) {
    }
}

static void levels_are_restored_one_after_the_other(const frazil::level_id &level0) {
    auto restore = frazil::restore::open("restored");
    const content archive = load("archive.0");
    for (std::size_t fed = 0; fed < archive.size(); fed += 1000)
        restore.feed({archive.data() + fed, std::min<std::size_t>(1000, archive.size() - fed)});
    CHECK(!fs::exists("restored/letter"));
    const auto restored = restore.finish();
    CHECK(restored.whole && !restored.partial() && !restored.already_there && restored.header.id == level0);
    THROWN(frazil::state_error, (void)restore.finish());
    THROWN(frazil::state_error, restore.feed("x", 1));

    auto recovery = frazil::restore_recover("restored");
    CHECK(recovery.kind == frazil::recovery_kind::stands && recovery.level == level0);
    const auto next = frazil::restore_tree("archive.1", "restored");
    CHECK(next.deleted == 1 && load("restored/letter") == text("Dear readers"));
    CHECK(load("restored/long") == load("tree/long") && !fs::exists("restored/directory/note"));
    frazil::restore_conclude("restored");
    recovery = frazil::restore_recover("restored");
    CHECK(recovery.kind == frazil::recovery_kind::nothing && !recovery.level && !recovery.partial());
    THROWN(frazil::exists_error, (void)frazil::restore_tree("archive.0", "restored"));
    const auto wrong = THROWN(frazil::wrong_basis_error, (void)frazil::restore_tree("archive.1", "elsewhere"));
    CHECK(wrong.code() == frazil::status::wrong_basis);
    frazil::restore_options assuming;
    assuming.assume_parent = level0;
    fs::copy("tree", "by hand", fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    save("by hand/letter", text("Dear reader"));
    save("by hand/directory/note", text("a note"));
    CHECK(frazil::restore_tree("archive.1", "by hand", assuming).files == 1);
    CHECK(load("by hand/letter") == text("Dear readers"));

    frazil::restore_options selecting;
    selecting.paths = {"directory"};
    selecting.prefix = "below";
    selecting.users = {{geteuid(), geteuid()}};
    const descriptor fd("archive.0", O_RDONLY);
    CHECK(frazil::restore_tree(fd.get(), "selected", selecting).whole);
    CHECK(fs::exists("selected/below/directory/note") && !fs::exists("selected/below/letter"));
    selecting.paths = {"letter", "nowhere"};
    CHECK(frazil::restore_tree("archive.0", "found in part", selecting).missing == 1);
    CHECK(load("found in part/below/letter") == text("Dear reader"));
    selecting.paths = {"../escape"};
    THROWN(frazil::invalid_input_error, (void)frazil::restore_tree("archive.0", "never", selecting));
    frazil::restore_options dry;
    dry.dry_run = true;
    fs::create_directory("dry");
    CHECK(frazil::restore_tree(archive, "dry", dry).entries > 0);
    CHECK(fs::is_empty("dry"));
}

static void a_tree_is_held_against_its_archives() {
    std::vector<frazil::difference> found;
    const auto keep = [&](const frazil::difference &difference) { found.push_back(difference); };
    auto verified = frazil::tree_verify({"archive.0", "archive.1"}, "restored", keep);
    CHECK(!verified.partial() && found.empty() && verified.header.number == 1 && verified.source_bytes > 2500000);
    save("restored/directory/extra", text("more"));
    verified = frazil::tree_verify({"archive.0", "archive.1"}, "restored", keep);
    CHECK(verified.partial() && verified.differences == found.size());
    CHECK(std::count_if(found.begin(), found.end(), [](const frazil::difference &difference) {
              return difference == frazil::difference{"directory/extra", frazil::difference_kind::extra};
          }) == 1);
    found.clear();
    frazil::verify_options options;
    options.selection.excludes = {"extra"};
    (void)frazil::tree_verify({"archive.0", "archive.1"}, "restored", keep, options);
    CHECK(std::none_of(found.begin(), found.end(), [](const auto &one) { return one.path == "directory/extra"; }));
    {
        frazil::backup_options following;
        frazil::verify_options followed;
        following.dereference = followed.dereference = true;
        std::filesystem::create_directory("linking");
        std::filesystem::create_directory_symlink("../restored/directory", "linking/link");
        (void)frazil::backup_tree_file("linking", {}, "linking.s", "linking.a", following);
        CHECK(!frazil::tree_verify({"linking.a"}, "linking", keep, followed).partial());
        CHECK(frazil::tree_verify({"linking.a"}, "linking", keep).partial());
    }
    THROWN(own_failure, (void)frazil::tree_verify({"archive.0", "archive.1"}, "restored",
                                                  [](const frazil::difference &) { throw own_failure{4}; }));
    THROWN(frazil::wrong_basis_error, (void)frazil::tree_verify({"archive.1"}, "restored", keep));

    found.clear();
    (void)frazil::tree_verify({"archive.0", "archive.1"}, "restored", keep);
    const auto wanted = found;
    const auto reads_the_same = [&](const auto &archives) {
        found.clear();
        return frazil::tree_verify(archives, "restored", keep).differences == wanted.size() && found == wanted;
    };
    const std::vector<fs::path> paths = {"archive.0", "archive.1"};
    CHECK(reads_the_same(paths));
    const descriptor first("archive.0", O_RDONLY), second("archive.1", O_RDONLY);
    CHECK(reads_the_same(std::array<int, 2>{first.get(), second.get()}));
    const auto archive = load("archive.0");
    std::ifstream file("archive.1", std::ios::binary);
    CHECK(reads_the_same(std::vector<frazil::source>{archive, file}));
    THROWN(frazil::invalid_input_error, (void)frazil::tree_verify({"archive.0", file}, "restored", keep));
    const auto fail = [](void *, std::size_t) -> std::size_t { throw own_failure{6}; };
    CHECK(THROWN(own_failure, (void)frazil::tree_verify({archive, fail}, "restored", keep)).number == 6);
    THROWN(frazil::corrupt_error, (void)frazil::tree_verify({frazil::bytes(archive.data(), 1000)}, "restored", keep));
    THROWN(frazil::invalid_input_error, (void)frazil::tree_verify({}, "restored", keep));
}

static void what_callbacks_of_trees_throw_comes_out_unchanged() {
    const auto fail = [](void *, std::size_t) -> std::size_t { throw own_failure{1}; };
    THROWN(own_failure, frazil::archive_verify(fail));
    THROWN(own_failure, frazil::archive_list(fail, [](const frazil::entry &) {}));
    THROWN(own_failure, (void)frazil::restore_tree(fail, "never"));
    const auto refuse = [](frazil::bytes) { throw own_failure{5}; };
    THROWN(own_failure, (void)frazil::backup_tree("tree", {}, "never", refuse));
    THROWN(frazil::invalid_input_error, (void)frazil::backup_tree("tree", {}, "never", {}));
    frazil::backup_options options;
    options.observer.entry = [](const frazil::entry_report &) { throw own_failure{15}; };
    content archive;
    CHECK(THROWN(own_failure, (void)frazil::backup_tree("tree", {}, "never", archive, options)).number == 15);
    options.observer = {};
    options.observer.progress = [](const frazil::progress &) { throw own_failure{6}; };
    THROWN(own_failure, (void)frazil::backup_tree("tree", {}, "never", archive, options));
    THROWN(own_failure, {
        auto backup = frazil::backup::open("tree", {}, "never", options);
        backup.copy_to(archive);
        (void)backup.finish();
    });
    CHECK(!fs::exists("never"));

    // A snapshot is not published before its archive is where it is to stay.
    std::ofstream full("/dev/full", std::ios::binary);
    THROWN(std::ios_base::failure, (void)frazil::backup_tree("tree/letter", {}, "never", full, leaving_out()));
    CHECK(!fs::exists("never"));

    // Nor after a sink has lost a piece of it, although the next ones were taken.
    content kept;
    int pieces = 0;
    const auto once = [&](frazil::bytes piece) {
        if (pieces++ == 1) throw own_failure{16};
        kept.insert(kept.end(), reinterpret_cast<const char *>(piece.begin()),
                    reinterpret_cast<const char *>(piece.end()));
    };
    auto losing = frazil::backup::open("tree", {}, "never", leaving_out());
    CHECK(THROWN(own_failure, losing.copy_to(once)).number == 16);
    THROWN(frazil::state_error, losing.copy_to(once));
    THROWN(frazil::state_error, (void)losing.finish());
    CHECK(pieces == 2 && !fs::exists("never"));

    // A restore that is fed calls its observer from a thread of its own.
    frazil::restore_options following;
    following.observer.progress = [](const frazil::progress &) { throw own_failure{7}; };
    archive = load("archive.0");
    for (int i = 0; i < 4; i++) {
        auto restore = frazil::restore::open("never", following);
        CHECK(THROWN(own_failure, {
                  restore.feed(archive);
                  (void)restore.finish();
              }).number == 7);
    }
    THROWN(own_failure, (void)frazil::restore_tree("archive.0", "never", following));
    following.observer = {};
    following.observer.cancelled = [] { return true; };
    THROWN(frazil::cancelled_error, (void)frazil::restore_tree("archive.0", "never", following));
    CHECK(!fs::exists("never"));
}

static void what_is_given_up_leaves_nothing() {
    char buffer[100];
    const content archive = load("archive.0");
    frazil::backup backup;
    THROWN(frazil::state_error, (void)backup.read(buffer));
    backup = frazil::backup::open("tree", {}, "given up");
    frazil::restore none;
    THROWN(frazil::state_error, none.feed(buffer));
    CHECK(backup.read(buffer, sizeof buffer) > 0);
    THROWN(frazil::state_error, (void)backup.finish());
    THROWN(frazil::state_error, (void)backup.read(buffer, sizeof buffer));
    // The one before is dropped when another takes its place.
    backup = frazil::backup::open("tree", {}, "given up");
    CHECK(backup.read(buffer, sizeof buffer) > 0);
    backup = frazil::backup::open("tree", {}, "given up");
    auto moved = std::move(backup);
    THROWN(frazil::state_error, (void)backup.read(buffer, sizeof buffer));

    // The thread of a restore may be in the observer while the restore is destroyed, or makes room for another.
    const auto half = frazil::bytes(archive.data(), std::min<std::size_t>(archive.size() / 2, 512 << 10));
    for (int i = 0; i < 4; i++) {
        std::atomic<bool> given_up{false};
        frazil::restore_options following;
        following.observer.cancelled = [&] {
            while (!given_up) std::this_thread::yield();
            return false;
        };
        auto restore = frazil::restore::open("abandoned", following);
        restore.feed(half);
        given_up = true;
        if (i % 2 == 0) restore = frazil::restore::open("abandoned too", following);
    }
    auto cut = frazil::restore::open("abandoned");
    try {
        cut.feed({archive.data(), archive.size() / 2});
        (void)cut.finish();
        CHECK(false);
    } catch (const frazil::damage_error &) {
    }
    CHECK(!fs::exists("abandoned") && !fs::exists("abandoned too") && !fs::exists("given up"));
}

// The paths in an archive.
static std::set<fs::path> paths_in(const fs::path &archive) {
    std::set<fs::path> found;
    frazil::archive_list(archive, [&](const frazil::entry &entry) { found.insert(entry.path); });
    return found;
}

static void from_path_to_path_and_within_limits() {
    fs::create_directory("root");
    save("root/letter", text("Dear reader"));
    frazil::backup_options options;
    options.compare_device = true;
    const auto made = frazil::backup_tree_file("root", {}, "root/snapshot", "root/archive", options);
    CHECK(!made.partial() && paths_in("root/archive") == (std::set<fs::path>{".", "letter"}));
    THROWN(frazil::exists_error, (void)frazil::backup_tree_file("root", {}, "never", "root/archive"));
    THROWN(frazil::invalid_input_error, (void)frazil::backup_tree_file("root", {}, "never", "./never"));
    CHECK(!fs::exists("never"));

    const descriptor fd("root/archive", O_RDONLY);
    const frazil::level_header headers[] = {frazil::archive_header("root/archive"), frazil::archive_header(fd.get()),
                                            frazil::archive_header(load("root/archive"))};
    for (const auto &header : headers) CHECK(header.id == made.header.id && header.created == made.header.created);
    THROWN(frazil::truncated_error, (void)frazil::archive_header("root/snapshot"));
    THROWN(own_failure, (void)frazil::archive_header([](void *, std::size_t) -> int { throw own_failure{17}; }));

    int seen = 0;
    std::vector<fs::path> missing;
    frazil::restore_options how;
    how.paths = {"letter", "nowhere"};
    how.verify_parent = true;
    how.observer.restoring = [&](const frazil::entry &entry) {
        seen += entry.path == "letter" && entry.action == frazil::action::full && entry.size == 11;
    };
    how.observer.missing = [&](const fs::path &path) { missing.push_back(path); };
    how.max_output = 10;
    THROWN(frazil::limit_error, (void)frazil::restore_tree("root/archive", "limited", how));
    CHECK(!fs::exists("limited/letter") && missing.empty());
    how.max_output = 11;
    seen = 0;
    CHECK(!frazil::restore_level("root") && !frazil::restore_level("not there yet"));
    CHECK(frazil::restore_tree("root/archive", "limited", how).missing == 1);
    CHECK(seen == 1 && missing == std::vector<fs::path>{"nowhere"});
    CHECK(frazil::restore_level("limited") == made.header.id);
    // It is told when nothing stops the work any more.
    how.observer.missing = [](const fs::path &) { throw own_failure{18}; };
    CHECK(THROWN(own_failure, (void)frazil::restore_tree("root/archive", "told", how)).number == 18);
    CHECK(load("told/letter") == text("Dear reader"));
    how.observer.restoring = [](const frazil::entry &) { throw own_failure{19}; };
    CHECK(THROWN(own_failure, (void)frazil::restore_tree("root/archive", "stopped", how)).number == 19);
    CHECK(!fs::exists("stopped/letter"));
}

static void what_is_written_into_the_tree_is_left_out() {
    fs::create_directory("inside");
    save("inside/letter", text("Dear reader"));
    const descriptor archive("inside/archive", O_WRONLY | O_CREAT);
    frazil::backup_options options;
    options.leave_out_fds = {archive.get()};
    (void)frazil::backup_tree("inside", {}, "inside/snapshot", archive.get(), options);
    CHECK(paths_in("inside/archive") == (std::set<fs::path>{".", "letter"}));
}

static void what_is_only_worth_knowing_makes_nothing_partial() {
    fs::create_directory("with a socket");
    CHECK(mknod("with a socket/socket", S_IFSOCK | 0600, 0) == 0);
    std::vector<frazil::error> notes;
    frazil::backup_options options;
    options.observer.note = [&](const frazil::error &note) { notes.push_back(note); };
    options.observer.problem = [](const frazil::error &) { throw own_failure{20}; };
    content archive;
    CHECK(!frazil::backup_tree("with a socket", {}, "noted", archive, options).partial());
    CHECK(notes.size() == 1 && std::strstr(notes[0].what(), "socket") != nullptr);
    options.observer.note = [](const frazil::error &) { throw own_failure{21}; };
    CHECK(THROWN(own_failure, (void)frazil::backup_tree("with a socket", {}, "never", archive, options)).number == 21);
    CHECK(!fs::exists("never"));
}

static void problems_are_told_and_make_it_partial() {
    // Root reads everything.
    if (geteuid() == 0) return;
    fs::permissions("tree/letter", fs::perms::none);
    std::vector<frazil::error> problems;
    frazil::backup_options options;
    options.observer.problem = [&](const frazil::error &problem) { problems.push_back(problem); };
    content archive;
    const auto summary = frazil::backup_tree("tree", {}, "partial", archive, options);
    CHECK(summary.partial() && summary.problems == 1 && problems.size() == 1);
    CHECK(problems[0].code() == std::errc::permission_denied && problems[0].path() == "tree/letter");
    options.observer.problem = [](const frazil::error &) { throw own_failure{8}; };
    THROWN(own_failure, (void)frazil::backup_tree("tree", {}, "never", archive, options));
}

int main() {
    CHECK(frazil::libarchive_version() == frazil_libarchive_version() && !frazil::libarchive_version().empty());
    make_tree();
    const auto level0 = levels_are_backed_up();
    archives_are_listed();
    snapshots_are_listed();
    archives_are_verified();
    levels_are_restored_one_after_the_other(level0);
    a_tree_is_held_against_its_archives();
    what_callbacks_of_trees_throw_comes_out_unchanged();
    what_is_given_up_leaves_nothing();
    from_path_to_path_and_within_limits();
    what_is_written_into_the_tree_is_left_out();
    what_is_only_worth_knowing_makes_nothing_partial();
    problems_are_told_and_make_it_partial();
}
