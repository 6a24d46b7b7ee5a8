// A panic inside becomes an exception. The function is there in libraries that are built for tests alone.
#include "check.hpp"

extern "C" frazil_status frazil_test_panic(frazil_error **error);

int main() {
    const auto fault = THROWN(frazil::internal_error, frazil::detail::attempt(frazil_test_panic));
    CHECK(fault.status() == frazil::status::internal && std::strstr(fault.what(), "on purpose") != nullptr);
}
