/* Two threads whose callbacks count in one place without a lock: what a detector of races has to find. */
#include "check.h"

#include <pthread.h>

static size_t given;

static int give_nothing(void *user_data, void *buffer, size_t len, size_t *read) {
    (void)user_data;
    (void)buffer;
    (void)len;
    *read = 0;
    given++;
    return 0;
}

static void *run(void *user_data) {
    frazil_signature *signature = NULL;
    (void)user_data;
    CHECK(frazil_signature_of_stream(give_nothing, NULL, NULL, &signature, NULL) == FRAZIL_OK);
    frazil_signature_free(signature);
    return NULL;
}

int main(void) {
    pthread_t threads[2];
    int i;
    (void)error;
    for (i = 0; i < 2; i++) CHECK(pthread_create(&threads[i], NULL, run, NULL) == 0);
    for (i = 0; i < 2; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    return 0;
}
