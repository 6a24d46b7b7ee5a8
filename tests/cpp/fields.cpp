// Every field of every struct of C reaches its own in C++, or comes from there: each is given a value that is found
// again, and the test that compiles this has made `each_field` from the fields that frazil.h has.
#include "check.hpp"

#include <deque>
#include <set>
#include "each_field.hpp"

using frazil::detail::of_c;
using frazil::detail::to_c;

template <class C>
std::set<std::string> names() {
    std::set<std::string> found;
    C of{};
    each_field(of, of, [&](const char *name, auto &, auto &) { found.insert(name); });
    return found;
}

static void check_all_were_tried(const char *of, std::set<std::string> tried, const std::set<std::string> &wanted) {
    for (const auto &name : wanted)
        if (tried.erase(name) == 0) {
            std::fprintf(stderr, "%s: nothing tries `%s`\n", of, name.c_str());
            std::exit(1);
        }
    CHECK(tried.empty());
}

// ---- Options: one after the other is set, and nothing else of C's may change.

template <class Options>
class options {
  public:
    using c_options = decltype(to_c(std::declval<Options>(), std::declval<frazil::detail::context &>()));

    // Sets one option, and checks what becomes of the fields of C that it stands for.
    template <class Set, class Check>
    void set(const std::set<std::string> &fields, Set &&set, Check &&check) {
        frazil::detail::context context, none;
        Options from;
        set(from);
        const auto made = to_c(from, context), by_default = to_c(Options(), none);
        std::set<std::string> changed;
        each_field(made, by_default, [&](const char *name, auto &field, auto &before) {
            if (field != before) changed.insert(name);
        });
        CHECK(changed == fields && made.size == sizeof made);
        check(made);
        tried_.insert(fields.begin(), fields.end());
    }

    void done(const char *name, std::set<std::string> set_elsewhere = {}) {
        tried_.merge(set_elsewhere);
        check_all_were_tried(name, tried_, names<c_options>());
    }

  private:
    std::set<std::string> tried_;
};

#define SET(member, value)                                                                        \
    tried.set({#member}, [](auto &from) { from.member = value; },                                 \
              [](const auto &made) { CHECK(made.member == static_cast<decltype(made.member)>(value)); })

#define SET_TEXT(member)                                                                          \
    tried.set({#member}, [](auto &from) { from.member = #member; },                               \
              [](const auto &made) { CHECK(std::strcmp(made.member, #member) == 0); })

#define SET_LIST(member, count)                                                                   \
    tried.set({#member, #count}, [](auto &from) { from.member = {#member, "and more"}; },         \
              [](const auto &made) {                                                              \
                  CHECK(made.count == 2 && std::strcmp(made.member[0], #member) == 0);            \
                  CHECK(std::strcmp(made.member[1], "and more") == 0);                            \
              })

#define SET_OWNERS(member, count)                                                                 \
    tried.set({#member, #count}, [](auto &from) { from.member = {{11, 12}, {13, 14}}; },          \
              [](const auto &made) {                                                              \
                  CHECK(made.count == 2 && made.member[0].from == 11 && made.member[1].to == 14); \
              })

// The observer, each of whose functions is the one that is set.
template <class Options>
void set_observer(options<Options> &tried) {
    const auto only = [&](auto &&set, const std::set<std::string> &fields) {
        tried.set({"observer"}, [&](Options &from) { set(from.observer); }, [&](const auto &made) {
            frazil_observer none;
            frazil_observer_init(&none, sizeof none);
            std::set<std::string> changed;
            each_field(*made.observer, none, [&](const char *name, auto &field, auto &before) {
                if (field != before) changed.insert(name);
            });
            CHECK(changed == fields && made.observer->size == sizeof none);
        });
    };
    only([](auto &to) { to.progress = [](const frazil::progress &) {}; }, {"user_data", "progress"});
    only([](auto &to) { to.problem = [](const frazil::error &) {}; }, {"user_data", "problem"});
    only([](auto &to) { to.cancelled = [] { return false; }; }, {"user_data", "cancelled"});
    only([](auto &to) { to.entry = [](const frazil::entry_report &) {}; }, {"user_data", "entry"});
    only([](auto &to) { to.note = [](const frazil::error &) {}; }, {"user_data", "note"});
    only([](auto &to) { to.restoring = [](const frazil::entry &) {}; }, {"user_data", "restoring"});
    only([](auto &to) { to.missing = [](const std::filesystem::path &) {}; }, {"user_data", "missing"});
    check_all_were_tried("observer",
                         {"user_data", "progress", "problem", "cancelled", "entry", "note", "restoring", "missing"},
                         names<frazil_observer>());
}

static void options_of_levels() {
    options<frazil::level_options> tried;
    SET(block_len, 11);
    SET(strong_len, 12);
    SET(weak_sum, frazil::weak_sum::rollsum);
    SET(strong_sum, frazil::strong_sum::md4);
    SET(format, frazil::format::rdiff);
    SET(matching, frazil::matching::aligned);
    SET(engine, frazil::engine::librsync);
    SET(threads, 13);
    SET(memory_limit, 1ull << 40);
    SET(target_len, 1ull << 41);
    SET_TEXT(basis_path);
    SET(allow_weak, true);
    SET(trust_holes, true);
    SET(no_signature, true);
    tried.set({"write_signature", "signature_user_data"},
              [](auto &from) { from.write_signature = [](frazil::bytes) {}; },
              [](const auto &made) { CHECK(made.write_signature(made.signature_user_data, "x", 1) == 0); });
    SET(signature_format, frazil::format::rdiff);
    SET_TEXT(basis_signature_path);
    SET(no_identity, true);
    set_observer(tried);
    tried.done("level_options");
}

static void options_of_patches() {
    options<frazil::patch_options> tried;
    SET(max_output, 1ull << 40);
    SET(index_memory, 1ull << 41);
    SET(verify_basis, frazil::verify_basis::after);
    SET(replace, true);
    SET(threads, 11);
    set_observer(tried);
    // An argument of its own here.
    tried.done("patch_options", {"basis"});
}

template <class Options>
void set_selection(options<Options> &tried) {
    tried.set({"selection"}, [](auto &from) { from.selection.nodump = true; },
              [](const auto &made) { CHECK(made.selection->nodump && made.selection->size == sizeof *made.selection); });
}

static void options_of_selections() {
    options<frazil::selection> tried;
    SET_LIST(excludes, exclude_count);
    SET_LIST(exclude_marked, exclude_marked_count);
    SET(exclude_caches, true);
    SET(nodump, true);
    SET(one_file_system, true);
    tried.done("selection");
}

static void options_of_trees() {
    {
        options<frazil::backup_options> tried;
        SET(filter, frazil::filter::zstd);
        SET(matching, frazil::matching::rolling);
        SET(block_len, 11);
        SET(threads, 12);
        SET(memory_limit, 1ull << 40);
        SET(link_memory, 1ull << 41);
        set_selection(tried);
        SET(dereference, true);
        SET(always_read, true);
        SET(ignore_ctime, true);
        SET(ignore_inode, true);
        SET(trust_holes, true);
        SET(compare_device, true);
        tried.set({"leave_out_fds", "leave_out_fd_count"}, [](auto &from) { from.leave_out_fds = {13, 14}; },
                  [](const auto &made) { CHECK(made.leave_out_fd_count == 2 && made.leave_out_fds[1] == 14); });
        set_observer(tried);
        tried.done("backup_options");
    }
    {
        options<frazil::restore_options> tried;
        SET(overwrite, true);
        SET(accept_partial, true);
        SET(keep_going, true);
        SET(privileged, true);
        SET(numeric_owner, true);
        SET(dry_run, true);
        SET(sync, frazil::sync::file);
        SET(threads, 11);
        SET(max_file_len, 1ull << 40);
        tried.set({"assume_parent"}, [](auto &from) { from.assume_parent.emplace().bytes.fill(12); },
                  [](const auto &made) { CHECK(made.assume_parent->bytes[15] == 12); });
        SET_LIST(paths, path_count);
        SET(strip, 13);
        SET_TEXT(prefix);
        SET_OWNERS(users, user_count);
        SET_OWNERS(groups, group_count);
        SET(verify_parent, true);
        SET(max_output, 1ull << 41);
        set_observer(tried);
        tried.done("restore_options");
    }
    options<frazil::verify_options> tried;
    set_selection(tried);
    SET(dereference, true);
    set_observer(tried);
    tried.done("verify_options");
}

// ---- Values: each field of C has a number of its own, and those that are only set or not are, one after the other.

template <class Number>
constexpr bool is_flag = std::is_same_v<Number, int> || std::is_enum_v<Number>;

class numbering {
  public:
    template <class T>
    void operator()(const char *, T &field, T &) {
        if constexpr (std::is_same_v<T, const char *>)
            field = texts_.emplace_back(std::to_string(++last_)).c_str();
        else if constexpr (std::is_same_v<T, const std::uint8_t *>)
            field = fill(prints_.emplace_back());
        else if constexpr (std::is_same_v<T, const frazil_metadata *>)
            field = filled(metadata_.emplace_back());
        else if constexpr (std::is_array_v<T>)
            fill(field);
        else if constexpr (std::is_class_v<T>)
            each_field(field, field, std::ref(*this));
        else if constexpr (is_flag<T>)
            field = static_cast<T>(1);
        else
            field = static_cast<T>(++last_);
    }

  private:
    template <class Bytes>
    const std::uint8_t *fill(Bytes &bytes) {
        std::fill(std::begin(bytes), std::end(bytes), static_cast<std::uint8_t>(++last_));
        bytes[1] = 0;
        return &bytes[0];
    }

    template <class C>
    const C *filled(C &of) {
        each_field(of, of, std::ref(*this));
        return &of;
    }

    int last_ = 0;
    std::deque<std::string> texts_;
    std::deque<std::array<std::uint8_t, 32>> prints_;
    std::deque<frazil_metadata> metadata_;
};

template <class Cpp, class C>
bool same(const Cpp &cpp, const C &c);

template <class Cpp>
bool same_bytes(const Cpp &cpp, const std::uint8_t *c) {
    return std::equal(cpp.begin(), cpp.end(), c);
}

static bool same(const frazil::identity &cpp, const frazil_identity &c) {
    check_all_were_tried("identity", {"length", "crc32", "leaf_len", "fingerprint"}, names<frazil_identity>());
    return cpp.length == c.length && cpp.crc32 == c.crc32 && cpp.leaf_len == c.leaf_len &&
           same_bytes(cpp.fingerprint, c.fingerprint);
}

static bool same(const frazil::level_id &cpp, const frazil_level_id &c) {
    check_all_were_tried("level_id", {"bytes"}, names<frazil_level_id>());
    return same_bytes(cpp.bytes, c.bytes);
}

static bool same(const frazil::level_header &cpp, const frazil_level_header &c) {
    check_all_were_tried("level_header",
                         {"id", "parent", "root", "created", "number", "block_len", "has_parent"},
                         names<frazil_level_header>());
    return same(cpp.id, c.id) && cpp.parent.has_value() == (c.has_parent != 0) && same(*cpp.parent, c.parent) &&
           same(cpp.root, c.root) && cpp.created == c.created && cpp.number == c.number && cpp.block_len == c.block_len;
}

template <class Cpp, class C>
bool same(const std::optional<Cpp> &cpp, const C &c) {
    return cpp && same(*cpp, c);
}

template <class Cpp, class C>
bool same(const Cpp &cpp, const C &c) {
    if constexpr (std::is_same_v<C, const std::uint8_t *> || std::is_array_v<C>)
        return same_bytes(cpp, c);
    else if constexpr (std::is_same_v<C, const frazil_metadata *>)
        return cpp.mode == c->mode && cpp.size == c->size && cpp.target == c->target;  // the rest is tried alone
    else if constexpr (std::is_same_v<Cpp, bool>)
        return cpp == (c != 0);
    else if constexpr (std::is_enum_v<Cpp>)
        return static_cast<int>(cpp) == static_cast<int>(c);
    else
        return cpp == c;
}

template <class C>
class value {
  public:
    using cpp = decltype(of_c(std::declval<const C &>()));

    value() {
        each_field(c_, c_, std::ref(numbering_));
        made_ = of_c(c_);
    }

    template <class T, class Get>
    void is(const char *name, T C::*field, Get &&get) {
        if (!same(get(made_), c_.*field)) {
            std::fprintf(stderr, "%s is another\n", name);
            std::exit(1);
        }
        if constexpr (is_flag<T>)
            flags_.push_back({[field](C &of, int to) { of.*field = static_cast<T>(to); },
                              [get](const cpp &of) { return static_cast<int>(get(of)); }});
        tried_.insert(name);
    }

    // Whose members are not counted among those of `C`, which says it by a field of its own.
    template <class Get>
    void has(const char *name, int C::*field, Get &&get) {
        is(name, field, [get](const cpp &of) { return get(of).has_value(); });
    }

    void done(const char *name, std::set<std::string> said_elsewhere = {}) {
        for (const auto &set : flags_) {
            auto c = c_;
            for (const auto &flag : flags_) flag.set(c, 0);
            set.set(c, 1);
            const auto made = of_c(c);
            for (const auto &flag : flags_) CHECK(flag.get(made) == (&flag == &set ? 1 : 0));
        }
        tried_.merge(said_elsewhere);
        check_all_were_tried(name, tried_, names<C>());
    }

  private:
    struct told {
        std::function<void(C &, int)> set;
        std::function<int(const cpp &)> get;
    };

    numbering numbering_;
    C c_{};
    cpp made_;
    std::vector<told> flags_;
    std::set<std::string> tried_;
};

#define IS_AS(field, expression) \
    tried.is(#field, &c::field, [](const auto &made) -> decltype(auto) { return (expression); })
#define IS(field) IS_AS(field, made.field)
#define HAS(field, member) \
    tried.has(#field, &c::field, [](const auto &made) -> decltype(auto) { return (made.member); })

static void values_of_levels() {
    {
        using c = frazil_progress;
        value<c> tried;
        IS(done_bytes), IS(total_bytes), IS(stream_bytes), IS(entries);
        tried.done("progress");
    }
    {
        using c = frazil_block_sum;
        value<c> tried;
        IS(weak_sum), IS(strong_sum);
        tried.done("block_sum");
    }
    {
        using c = frazil_range;
        value<c> tried;
        IS(offset), IS(len), IS(from), IS(kind);
        tried.done("range");
    }
    {
        using c = frazil_inspection;
        value<c> tried;
        IS(stream_bytes), IS(kind), IS(format), IS(block_len), IS(strong_len), IS(weak_sum), IS(strong_sum);
        IS(block_count), IS(copy_commands), IS(copy_bytes), IS(literal_bytes), IS(zero_bytes);
        IS_AS(basis_leaf_len, made.made_against->leaf_len), IS_AS(basis_len, made.made_against->length);
        IS_AS(basis_fingerprint, made.made_against->fingerprint), HAS(has_basis, made_against);
        IS(identity), HAS(has_identity, identity), IS(dirty), IS(weak);
        tried.done("inspection");
    }
    {
        using c = frazil_level_summary;
        value<c> tried;
        IS(source_bytes), IS(stream_bytes), IS(copy_bytes), IS(literal_bytes), IS(zero_bytes), IS(copy_commands);
        IS(identity), IS(dirty), IS(matching);
        tried.done("level_summary");
    }
    using c = frazil_patch_summary;
    value<c> tried;
    IS(output_bytes), IS(stream_bytes), IS(identity), HAS(verified, identity), IS(dirty), IS(weak);
    tried.done("patch_summary");
}

static void values_of_trees() {
    {
        using c = frazil_entry_report;
        value<c> tried;
        IS(path), IS(action), IS(reason), IS(bytes);
        tried.done("entry_report");
    }
    {
        using c = frazil_backup_summary;
        value<c> tried;
        IS(header), IS(entries), IS(files_read), IS(source_bytes), IS(content_bytes), IS(stream_bytes), IS(full);
        IS(deltas), IS(copies), IS(links), IS(metadata), IS(deleted), IS(problems);
        tried.done("backup_summary");
    }
    {
        using c = frazil_restore_summary;
        value<c> tried;
        IS(header), IS(entries), IS(files), IS(output_bytes), IS(deleted), IS(problems), IS(backup_problems);
        IS(already_there), IS(whole), IS(missing);
        tried.done("restore_summary");
    }
    {
        using c = frazil_recovery;
        value<c> tried;
        IS(kind), IS(level), HAS(has_level, level);
        tried.done("recovery");
    }
    {
        using c = frazil_archive_summary;
        value<c> tried;
        IS(header), IS(records), IS(content_bytes), IS(problems);
        tried.done("archive_summary");
    }
    {
        using c = frazil_snapshot_summary;
        value<c> tried;
        IS(header), IS(entries);
        tried.done("snapshot_summary");
    }
    {
        using c = frazil_verify_summary;
        value<c> tried;
        IS(header), IS(entries), IS(source_bytes), IS(differences);
        tried.done("verify_summary");
    }
    using c = frazil_difference;
    value<c> tried;
    IS(path), IS(kind);
    tried.done("difference");
}

static void values_of_entries() {
    {
        using c = frazil_metadata;
        value<c> tried;
        IS(kind), IS(mode), IS(uid), IS(gid), IS(modified_seconds), IS(modified_nanoseconds), IS(device_major);
        IS(device_minor), IS(size), IS(user), IS(group), IS(target);
        tried.done("metadata");
    }
    {
        using c = frazil_entry;
        value<c> tried;
        IS(path), IS(from), IS_AS(metadata, made), IS(fingerprint), IS(action), IS(closes), IS(dirty);
        tried.done("entry");
    }
    using c = frazil_snapshot_entry;
    value<c> tried;
    IS(path), IS(link), IS_AS(metadata, made), IS(fingerprint), IS(block_count), IS(dirty), IS(racy), IS(stale);
    tried.done("snapshot_entry");
}

int main() {
    options_of_levels();
    options_of_patches();
    options_of_selections();
    options_of_trees();
    values_of_levels();
    values_of_trees();
    values_of_entries();
}
