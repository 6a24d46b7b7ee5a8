#include "check.hpp"

frazil::signature made_elsewhere(const content &data) {
    return frazil::signature::of(data);
}

void copied_elsewhere(frazil::level &level, content &to) {
    frazil::input_streambuf buffer(level);
    to.assign(std::istreambuf_iterator<char>(&buffer), {});
}

[[noreturn]] void fails_elsewhere() {
    throw frazil::exists_error(frazil::status::exists, "it is there already");
}

const std::error_category &category_elsewhere() {
    return frazil::category();
}
