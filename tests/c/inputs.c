/* Bases and deltas that are files, descriptors and callbacks, and what is refused of them. */
#include "contents.h"

#include <sys/socket.h>

#define INVALID FRAZIL_ERR_INVALID_INPUT

/* Bytes that a callback gives out, and what it does instead once it has been called so often. */
typedef struct store {
    const bytes *held;
    int calls, good_calls, code;
    size_t over;
} store;

static int read_store(void *user_data, uint64_t offset, void *buffer, size_t len, size_t *read) {
    store *from = (store *)user_data;
    CHECK(*read == 0 && len > 0 && offset <= from->held->len);
    if (from->good_calls >= 0 && from->calls >= from->good_calls) {
        *read = from->over > 0 ? len + from->over : 0;
        return from->code;
    }
    from->calls++;
    if (len > 30000) len = 30000;
    if (len > from->held->len - offset) len = (size_t)(from->held->len - offset);
    memcpy(buffer, from->held->data + offset, len);
    *read = len;
    return 0;
}

/* A store of these bytes that fails after so many calls; never if they are negative. */
static store store_of(const bytes *held, int good_calls) {
    store made = {NULL, 0, 0, 0, 0};
    made.held = held;
    made.good_calls = good_calls;
    return made;
}

static frazil_input input_of(int kind) {
    frazil_input made;
    memset(&made, 0, sizeof made);
    made.kind = kind;
    return made;
}

static frazil_input path_input(const char *path) {
    frazil_input made = input_of(FRAZIL_INPUT_PATH);
    made.path = path;
    return made;
}

static frazil_input fd_input(int fd) {
    frazil_input made = input_of(FRAZIL_INPUT_FD);
    made.fd = fd;
    return made;
}

static frazil_input store_input(store *from) {
    frazil_input made = input_of(FRAZIL_INPUT_CALLBACK);
    made.read_at = read_store;
    made.user_data = from;
    made.length = from->held->len;
    return made;
}

static frazil_patch_options on(const frazil_input *basis) {
    frazil_patch_options options;
    frazil_patch_options_init(&options, sizeof options);
    options.basis = basis;
    options.replace = 1;
    return options;
}

static void expect_target(frazil_patch *patch) {
    bytes target = read_patch(patch);
    frazil_patch_summary summary;
    CHECK(same(&target, &new_content));
    frazil_patch_summary_init(&summary, sizeof summary);
    EXPECT(FRAZIL_OK, frazil_patch_finish(patch, &summary, &error));
    CHECK(summary.verified && summary.output_bytes == new_content.len);
    frazil_patch_free(patch);
    drop(&target);
}

static void a_basis_of_any_kind_serves_every_form(void) {
    store old_store = store_of(&old_content, -1);
    bytes delta = load("level.1");
    const char *deltas[1] = {"level.1"};
    int old_fd = open("old", O_RDONLY), delta_fd, i;
    frazil_input bases[3];

    bases[0] = path_input("old");
    bases[1] = fd_input(old_fd);
    bases[2] = store_input(&old_store);
    CHECK(lseek(old_fd, 1234, SEEK_SET) == 1234);
    for (i = 0; i < 3; i++) {
        frazil_patch_options options = on(&bases[i]);
        frazil_input delta_input = path_input("level.1");
        frazil_patch *patch;
        frazil_patch_writer *writer;
        bytes pushed = {NULL, 0, 0, 0};

        EXPECT(FRAZIL_OK, frazil_patch_open(NULL, "level.1", &options, &patch, &error));
        expect_target(patch);
        delta_fd = open("level.1", O_RDONLY);
        EXPECT(FRAZIL_OK, frazil_patch_open_fd(NULL, delta_fd, &options, &patch, &error));
        CHECK(close(delta_fd) == 0);
        expect_target(patch);
        delta.taken = 0;
        EXPECT(FRAZIL_OK, frazil_patch_open_stream(NULL, take, &delta, &options, &patch, &error));
        expect_target(patch);
        EXPECT(FRAZIL_OK, frazil_patch_open_chain(NULL, deltas, 1, &options, &patch, &error));
        expect_target(patch);
        EXPECT(FRAZIL_OK, frazil_patch_open_chain_inputs(NULL, &delta_input, 1, &options, &patch, &error));
        expect_target(patch);

        EXPECT(FRAZIL_OK, frazil_patch_writer_new(NULL, &options, append, &pushed, &writer, &error));
        EXPECT(FRAZIL_OK, frazil_patch_writer_feed(writer, delta.data, delta.len, &error));
        EXPECT(FRAZIL_OK, frazil_patch_writer_finish(writer, NULL, &error));
        frazil_patch_writer_free(writer);
        CHECK(same(&pushed, &new_content));
        drop(&pushed);
        EXPECT(FRAZIL_OK, frazil_patch_writer_new_file(NULL, "target", &options, &writer, &error));
        EXPECT(FRAZIL_OK, frazil_patch_writer_feed(writer, delta.data, delta.len, &error));
        EXPECT(FRAZIL_OK, frazil_patch_writer_finish(writer, NULL, &error));
        frazil_patch_writer_free(writer);
        CHECK(holds("target", &new_content));

        EXPECT(FRAZIL_OK, frazil_patch_file(NULL, "level.1", "target", &options, NULL, &error));
        CHECK(holds("target", &new_content));
        EXPECT(FRAZIL_OK, frazil_patch_file_chain(NULL, deltas, 1, "target", &options, NULL, &error));
        CHECK(holds("target", &new_content));
        EXPECT(FRAZIL_OK, frazil_patch_file_chain_inputs(NULL, &delta_input, 1, "target", &options, NULL,
                                                         &error));
        CHECK(holds("target", &new_content));
    }
    CHECK(lseek(old_fd, 0, SEEK_CUR) == 1234 && old_store.calls > 10);
    CHECK(close(old_fd) == 0);
    drop(&delta);
}

static void the_deltas_of_a_chain_come_from_anywhere(void) {
    bytes level0 = load("level.0"), level1 = load("level.1");
    store stores[2];
    frazil_input none = input_of(FRAZIL_INPUT_NONE), deltas[2];
    frazil_patch_options options = on(&none);
    frazil_patch *patch;
    char buffer[100];
    size_t read;
    int fd = open("level.0", O_RDONLY);

    stores[0] = store_of(&level0, -1);
    stores[1] = store_of(&level1, -1);
    deltas[0] = fd_input(fd);
    deltas[1] = store_input(&stores[1]);
    EXPECT(FRAZIL_OK, frazil_patch_open_chain_inputs(NULL, deltas, 2, NULL, &patch, &error));
    CHECK(close(fd) == 0);
    expect_target(patch);

    deltas[0] = store_input(&stores[0]);
    deltas[1] = path_input("level.1");
    EXPECT(FRAZIL_OK, frazil_patch_file_chain_inputs(NULL, deltas, 2, "chained", &options, NULL, &error));
    CHECK(holds("chained", &new_content));

    /* Freed in the middle. */
    EXPECT(FRAZIL_OK, frazil_patch_open_chain_inputs(NULL, deltas, 2, &options, &patch, &error));
    EXPECT(FRAZIL_OK, frazil_patch_read(patch, buffer, sizeof buffer, &read, &error));
    CHECK(read > 0);
    frazil_patch_free(patch);

    /* In the wrong order, and none. */
    deltas[0] = path_input("level.1");
    deltas[1] = path_input("level.0");
    EXPECT(FRAZIL_ERR_WRONG_BASIS,
           frazil_patch_open_chain_inputs(NULL, deltas, 2, NULL, &patch, &error));
    EXPECT(INVALID, frazil_patch_open_chain_inputs(NULL, NULL, 0, NULL, &patch, &error));
    EXPECT(FRAZIL_ERR_TRUNCATED, frazil_patch_open_chain_inputs(NULL, &none, 1, NULL, &patch, &error));
    CHECK(patch == NULL);
    drop(&level0);
    drop(&level1);
}

/* Checks what a call said: these words, and this path. */
static void says(int line, const char *words, const char *path) {
    const char *found = frazil_error_path(error);
    if (strstr(frazil_error_message(error), words) == NULL || (path == NULL) != (found == NULL) ||
        (path != NULL && strcmp(found, path) != 0)) {
        fprintf(stderr, "line %d: %s, path %s\n", line, frazil_error_message(error), found ? found : "unknown");
        exit(1);
    }
}
#define OF_DELTA(expected, words, path, call)  \
    do {                                       \
        int status_ = call;                    \
        says(__LINE__, words, path);           \
        EXPECT(expected, status_);             \
    } while (0)

static void the_delta_of_a_chain_that_fails_is_told_apart(void) {
    const char *paths[2] = {"level.0", "level.bad"};
    bytes level0 = load("level.0"), bad = load("level.1");
    store stores[2];
    frazil_input deltas[2], basis = input_of(FRAZIL_INPUT_NONE);
    frazil_patch_options options = on(&basis);
    frazil_patch *patch;
    char buffer[1000];
    size_t read;
    int fd, ends[2], status;

    bad.data[bad.len / 2] ^= 1;
    save("level.bad", &bad);
    OF_DELTA(FRAZIL_ERR_CORRUPT, "reading delta 2 of 2 level.bad at offset", "level.bad",
             frazil_patch_open_chain(NULL, paths, 2, NULL, &patch, &error));
    OF_DELTA(FRAZIL_ERR_CORRUPT, "reading delta 2 of 2 level.bad at offset", "level.bad",
             frazil_patch_file_chain(NULL, paths, 2, "never", NULL, NULL, &error));
    paths[1] = "level.0";
    OF_DELTA(FRAZIL_ERR_WRONG_BASIS, "reading delta 2 of 2 level.0: ", "level.0",
             frazil_patch_open_chain(NULL, paths, 2, NULL, &patch, &error));
    paths[1] = "missing";
    OF_DELTA(FRAZIL_ERR_IO, "opening the delta missing", "missing",
             frazil_patch_open_chain(NULL, paths, 2, NULL, &patch, &error));

    /* Of a directory nothing can be read. */
    deltas[0] = path_input("level.0");
    deltas[1] = path_input(".");
    OF_DELTA(FRAZIL_ERR_IO, "reading delta 2 of 2 .: ", ".",
             frazil_patch_open_chain_inputs(NULL, deltas, 2, NULL, &patch, &error));
    deltas[1] = path_input("level.bad");
    OF_DELTA(FRAZIL_ERR_CORRUPT, "reading delta 2 of 2 level.bad at offset", "level.bad",
             frazil_patch_open_chain_inputs(NULL, deltas, 2, NULL, &patch, &error));
    fd = open("level.bad", O_RDONLY);
    deltas[1] = fd_input(fd);
    deltas[1].path = (const char *)1; /* of no account */
    OF_DELTA(FRAZIL_ERR_CORRUPT, "reading delta 2 of 2 at offset", NULL,
             frazil_patch_open_chain_inputs(NULL, deltas, 2, NULL, &patch, &error));
    OF_DELTA(FRAZIL_ERR_CORRUPT, "reading delta 2 of 2 at offset", NULL,
             frazil_patch_file_chain_inputs(NULL, deltas, 2, "never", NULL, NULL, &error));
    CHECK(close(fd) == 0 && pipe(ends) == 0);
    deltas[1] = fd_input(ends[0]);
    OF_DELTA(INVALID, "delta 2 of 2: file descriptor", NULL,
             frazil_patch_open_chain_inputs(NULL, deltas, 2, NULL, &patch, &error));
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
    deltas[1] = input_of(FRAZIL_INPUT_CALLBACK);
    OF_DELTA(FRAZIL_ERR_NULL, "delta 2 of 2: `read_at`", NULL,
             frazil_patch_open_chain_inputs(NULL, deltas, 2, NULL, &patch, &error));
    stores[1] = store_of(&bad, 0);
    stores[1].code = 7;
    deltas[1] = store_input(&stores[1]);
    status = frazil_patch_open_chain_inputs(NULL, deltas, 2, NULL, &patch, &error);
    says(__LINE__, "reading delta 2 of 2: the read callback failed with 7", NULL);
    STOPPED(7, status);

    /* One that was whole when it was opened. */
    bad.data[bad.len / 2] ^= 1;
    stores[0] = store_of(&level0, -1);
    stores[1] = store_of(&bad, -1);
    deltas[0] = store_input(&stores[0]);
    deltas[1] = store_input(&stores[1]);
    EXPECT(FRAZIL_OK, frazil_patch_open_chain_inputs(NULL, deltas, 2, &options, &patch, &error));
    memset(level0.data + 100, 0, level0.len - 100);
    while ((status = frazil_patch_read(patch, buffer, sizeof buffer, &read, &error)) == FRAZIL_OK) CHECK(read > 0);
    OF_DELTA(FRAZIL_ERR_CORRUPT, "reading delta 1 of 2", NULL, status);
    frazil_patch_free(patch);
    CHECK(access("never", F_OK) != 0);
    drop(&level0);
    drop(&bad);
}

static void what_cannot_be_read_anywhere_is_refused(void) {
    int ends[2], sockets[2], i;
    frazil_input input = input_of(FRAZIL_INPUT_NONE), pipe_input;
    frazil_patch_options options = on(&input);
    frazil_patch *patch;

    CHECK(pipe(ends) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
    pipe_input = fd_input(ends[0]);
    input = pipe_input;
    SAID(INVALID, "is a pipe", frazil_patch_open(NULL, "level.1", &options, &patch, &error));
    SAID(INVALID, "is a pipe", frazil_patch_open_chain_inputs(NULL, &pipe_input, 1, NULL, &patch, &error));
    input = fd_input(sockets[0]);
    SAID(INVALID, "is a socket", frazil_patch_open(NULL, "level.1", &options, &patch, &error));
    for (i = 0; i < 2; i++) CHECK(close(ends[i]) == 0 && close(sockets[i]) == 0);
    SAID(FRAZIL_ERR_IO, "file descriptor", frazil_patch_open(NULL, "level.1", &options, &patch, &error));
    input = fd_input(-1);
    SAID(INVALID, "-1 is no", frazil_patch_open(NULL, "level.1", &options, &patch, &error));
    input = path_input("missing");
    SAID(FRAZIL_ERR_IO, "opening the basis missing",
         frazil_patch_open(NULL, "level.1", &options, &patch, &error));
    SAID(FRAZIL_ERR_IO, "opening the delta missing",
         frazil_patch_open_chain_inputs(NULL, &input, 1, NULL, &patch, &error));
    input = path_input(NULL);
    SAID(FRAZIL_ERR_NULL, "`path`", frazil_patch_open(NULL, "level.1", &options, &patch, &error));
    input = input_of(FRAZIL_INPUT_CALLBACK);
    SAID(FRAZIL_ERR_NULL, "`read_at`", frazil_patch_open(NULL, "level.1", &options, &patch, &error));
    for (i = -1; i <= 4; i += 5) {
        input = input_of(i);
        SAID(INVALID, "`kind`", frazil_patch_open(NULL, "level.1", &options, &patch, &error));
        SAID(INVALID, "`kind`", frazil_patch_open_chain_inputs(NULL, &input, 1, NULL, &patch, &error));
    }
    CHECK(patch == NULL);
}

static void a_basis_is_named_once(void) {
    frazil_input basis = path_input("old");
    frazil_patch_options options = on(&basis);
    frazil_patch *patch;
    bytes delta = load("level.1");

    SAID(INVALID, "both given", frazil_patch_open("old", "level.1", &options, &patch, &error));
    SAID(INVALID, "both given", frazil_patch_file("old", "level.1", "never", &options, NULL, &error));
    SAID(INVALID, "another argument",
         frazil_patch_in_place("old", "level.1", &options, NULL, &error));
    SAID(INVALID, "another argument",
         frazil_patch_from_stream(take, &delta, "old", &options, NULL, &error));
    SAID(INVALID, "another argument",
         frazil_patch_from_file("old", "never", take, &delta, &options, NULL, &error));
    CHECK(holds("old", &old_content) && access("never", F_OK) != 0);
    drop(&delta);
}

static void a_callback_that_fails_stops_the_patch(void) {
    static const int codes[] = {1, -1, -17};
    bytes level1 = load("level.1"), target = {NULL, 0, 0, 0};
    size_t i;

    for (i = 0; i < sizeof codes / sizeof *codes; i++) {
        store failing = store_of(&old_content, 0), delta = store_of(&level1, 1);
        frazil_input basis = store_input(&failing), input = store_input(&delta);
        frazil_patch_options options = on(&basis);
        frazil_patch *patch;
        char buffer[1000];
        size_t read;
        int status;

        failing.code = delta.code = codes[i];
        STOPPED(codes[i], frazil_patch_file(NULL, "level.1", "never", &options, NULL, &error));
        STOPPED(codes[i], frazil_patch_open_chain_inputs("old", &input, 1, NULL, &patch, &error));
        CHECK(patch == NULL);
        STOPPED(codes[i],
                frazil_patch_file_chain_inputs("old", &input, 1, "never", NULL, NULL, &error));

        /* In the middle, and then it works again. */
        options.verify_basis = FRAZIL_VERIFY_BASIS_AFTER;
        failing.good_calls = 2;
        delta.good_calls = -1;
        EXPECT(FRAZIL_OK, frazil_patch_open_chain_inputs(NULL, &input, 1, &options, &patch, &error));
        do {
            status = frazil_patch_read(patch, buffer, sizeof buffer, &read, &error);
            append(&target, buffer, read);
        } while (status == FRAZIL_OK && read > 0);
        STOPPED(codes[i], status);
        CHECK(target.len > 0);
        failing.good_calls = -1;
        do {
            EXPECT(FRAZIL_OK, frazil_patch_read(patch, buffer, sizeof buffer, &read, &error));
            append(&target, buffer, read);
        } while (read > 0);
        CHECK(same(&target, &new_content));
        EXPECT(FRAZIL_OK, frazil_patch_finish(patch, NULL, &error));
        frazil_patch_free(patch);
        drop(&target);
    }
    CHECK(access("never", F_OK) != 0);
    drop(&level1);
}

static void a_callback_that_claims_too_much_or_has_too_little_is_refused(void) {
    static const size_t over[] = {1, 4096, (size_t)-1 - (1 << 20)};
    store wrong = store_of(&old_content, 1);
    frazil_input basis = store_input(&wrong);
    frazil_patch_options options = on(&basis);
    size_t i;

    /* Nothing where it should have something. */
    EXPECT(FRAZIL_ERR_WRONG_BASIS,
           frazil_patch_file(NULL, "level.1", "never", &options, NULL, &error));
    for (i = 0; i < sizeof over / sizeof *over; i++) {
        wrong.calls = 0;
        wrong.over = over[i];
        SAID(FRAZIL_ERR_INVALID_INPUT, "claims more",
             frazil_patch_file(NULL, "level.1", "never", &options, NULL, &error));
    }
    /* Another length than it has. */
    wrong = store_of(&old_content, -1);
    basis.length--;
    EXPECT(FRAZIL_ERR_WRONG_BASIS,
           frazil_patch_file(NULL, "level.1", "never", &options, NULL, &error));
    CHECK(access("never", F_OK) != 0);
}

static frazil_patch *reentered;

/* Does with its own patch what it may not. */
static int reenter(void *user_data, uint64_t offset, void *buffer, size_t len, size_t *read) {
    char other[10];
    size_t inner_read;
    if (reentered != NULL) {
        CHECK(frazil_patch_read(reentered, other, sizeof other, &inner_read, NULL) == FRAZIL_ERR_STATE);
        CHECK(frazil_patch_finish(reentered, NULL, NULL) == FRAZIL_ERR_STATE);
        frazil_patch_free(reentered);
    }
    return read_store(user_data, offset, buffer, len, read);
}

static void a_callback_may_not_use_the_patch_that_calls_it(void) {
    store old_store = store_of(&old_content, -1);
    frazil_input basis = store_input(&old_store);
    frazil_patch_options options = on(&basis);

    basis.read_at = reenter;
    reentered = NULL;
    EXPECT(FRAZIL_OK, frazil_patch_open(NULL, "level.1", &options, &reentered, &error));
    expect_target(reentered);
}

int main(void) {
    make_contents();
    a_basis_of_any_kind_serves_every_form();
    the_deltas_of_a_chain_come_from_anywhere();
    the_delta_of_a_chain_that_fails_is_told_apart();
    what_cannot_be_read_anywhere_is_refused();
    a_basis_is_named_once();
    a_callback_that_fails_stops_the_patch();
    a_callback_that_claims_too_much_or_has_too_little_is_refused();
    a_callback_may_not_use_the_patch_that_calls_it();
    drop_contents();
    return 0;
}
