// An error of another shared object, `plugin.cpp`, is what it is here.
#include "check.hpp"

extern "C" void plugin_fails();

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
