// A shared object that shows of itself only what it says: `plugin_host.cpp` catches what it throws.
#include "check.hpp"

extern "C" __attribute__((visibility("default"))) void plugin_fails() {
    throw frazil::exists_error(frazil::status::exists, "it is there already");
}
