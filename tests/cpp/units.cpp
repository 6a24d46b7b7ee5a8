// The header in two translation units of one program; `other_unit.cpp` is the second.
#include "check.hpp"

frazil::signature made_elsewhere(const content &data);
void copied_elsewhere(frazil::level &level, content &to);
[[noreturn]] void fails_elsewhere();
const std::error_category &category_elsewhere();

int main() {
    const content data = noise(100000, 2);
    const auto signature = made_elsewhere(data);
    CHECK(signature.identity()->fingerprint == frazil::signature::of(data).identity()->fingerprint);
    auto level = frazil::level::open(data, signature);
    content stream, again;
    copied_elsewhere(level, stream);
    CHECK(level.finish().summary.copy_bytes == data.size());
    frazil::level::open(data, signature).copy_to(again);
    CHECK(again.size() == stream.size());
    const auto failed = THROWN(frazil::exists_error, fails_elsewhere());
    CHECK(&category_elsewhere() == &frazil::category() && failed.code() == frazil::status::exists);
}
