// What every program here begins with: checks that end it, content, files.
#ifndef CHECK_HPP
#define CHECK_HPP

// Twice, since a guard that fails shows only then.
#include <frazil.hpp>
#include <frazil.hpp>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <sstream>
#include <typeinfo>
#include <unistd.h>

// What says what of C++20 there is.
#if __has_include(<version>)
#include <version>
#endif
#if defined(__cpp_lib_span)
#include <span>
#endif
#if defined(__cpp_lib_ranges)
#include <ranges>
#endif

#define CHECK(condition)                                                                         \
    do {                                                                                         \
        if (!(condition)) {                                                                      \
            std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);         \
            std::exit(1);                                                                        \
        }                                                                                        \
    } while (0)

using content = std::vector<char>;

// Runs `work`, which has to throw an `E`, of frazil's errors that very class, and gives what it threw.
template <class E, class Work>
E thrown(const char *file, int line, Work &&work) {
    try {
        work();
    } catch (const E &found) {
        if (!std::is_base_of_v<frazil::error, E> || typeid(found) == typeid(E)) return found;
        std::fprintf(stderr, "%s:%d: expected %s, found %s\n", file, line, typeid(E).name(), typeid(found).name());
        std::exit(1);
    } catch (const std::exception &found) {
        std::fprintf(stderr, "%s:%d: expected %s, found %s: %s\n", file, line, typeid(E).name(), typeid(found).name(),
                     found.what());
        std::exit(1);
    }
    std::fprintf(stderr, "%s:%d: expected %s, and nothing was thrown\n", file, line, typeid(E).name());
    std::exit(1);
}

#define THROWN(E, ...) thrown<E>(__FILE__, __LINE__, [&] { __VA_ARGS__; })

// What no library throws, so that it is known to come from a callback here.
struct own_failure {
    int number;
};

inline content noise(std::size_t len, unsigned seed) {
    content made(len);
    for (auto &byte : made) {
        seed = seed * 1664525u + 1013904223u;
        byte = static_cast<char>(seed >> 24);
    }
    return made;
}

inline void save(const std::filesystem::path &path, const content &data) {
    std::ofstream file(path, std::ios::binary);
    file.write(data.data(), static_cast<std::streamsize>(data.size()));
    CHECK(file.flush());
}

inline content load(const std::filesystem::path &path) {
    std::ifstream file(path, std::ios::binary);
    CHECK(file.is_open());
    return content(std::istreambuf_iterator<char>(file), {});
}

inline content text(std::string_view data) {
    return content(data.begin(), data.end());
}

// A file descriptor that closes itself.
class descriptor {
  public:
    descriptor(const char *path, int flags) : fd_(open(path, flags, 0600)) { CHECK(fd_ >= 0); }
    descriptor(const descriptor &) = delete;
    descriptor &operator=(const descriptor &) = delete;
    ~descriptor() { close(fd_); }
    int get() const { return fd_; }

  private:
    int fd_;
};

#endif
