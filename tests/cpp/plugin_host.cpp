// An error of another shared object, `plugin.cpp`, is what it is here, be it linked or loaded from `PLUGIN`.
#include "check.hpp"

#ifdef PLUGIN
#include <dlfcn.h>

static void plugin_fails() {
    void *plugin = dlopen(PLUGIN, RTLD_NOW | RTLD_LOCAL);
    CHECK(plugin != nullptr);
    void *found = dlsym(plugin, "plugin_fails");
    CHECK(found != nullptr);
    void (*fails)();
    std::memcpy(&fails, &found, sizeof fails);
    fails();
}
#else
extern "C" void plugin_fails();
#endif

int main() {
    const auto failed = THROWN(frazil::exists_error, plugin_fails());
    CHECK(failed.code() == frazil::status::exists && failed.code() == std::errc::file_exists);
    CHECK(failed.code().category() == frazil::category());
    try {
        plugin_fails();
    } catch (const frazil::error &found) {
        CHECK(std::strcmp(found.what(), failed.what()) == 0);
    }
}
