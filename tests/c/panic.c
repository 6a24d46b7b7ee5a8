/* A fault inside the library is a status, and the program goes on. */
#include "check.h"

/* No part of the interface: there in libraries that are built for tests. */
#ifdef __cplusplus
extern "C"
#endif
frazil_status frazil_test_panic(frazil_error **failed);

int main(void) {
    int i;
    for (i = 0; i < 3; i++) {
        CHECK(frazil_test_panic(NULL) == FRAZIL_ERR_INTERNAL);
        CHECK(frazil_test_panic(&error) == FRAZIL_ERR_INTERNAL);
        CHECK(strcmp(frazil_error_message(error), "a fault in frazil: on purpose") == 0);
        expect(__LINE__, FRAZIL_ERR_INTERNAL, frazil_error_status(error));
    }
    return 0;
}
