/* Signals that come while a descriptor has nothing to give. */
#include "check.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/time.h>
#include <sys/wait.h>

static volatile sig_atomic_t is_stopped, writes_to = -1;

/* Sets the flag, or gives what is waited for. */
static void rang(int number) {
    (void)number;
    if (writes_to < 0) {
        is_stopped = 1;
    } else if (write(writes_to, "late", 4) != 4 || close(writes_to) != 0) {
        _exit(2);
    }
}

static int cancelled(void *user_data) {
    (void)user_data;
    return is_stopped;
}

/* A pipe that gives nothing until the alarm rings. */
static int silent_pipe(int *writer, int flags) {
    static const struct itimerval soon = {{0, 0}, {0, 20000}};
    struct sigaction action;
    int ends[2];
    memset(&action, 0, sizeof action);
    action.sa_handler = rang;
    action.sa_flags = flags;
    CHECK(sigaction(SIGALRM, &action, NULL) == 0 && pipe(ends) == 0);
    *writer = ends[1];
    is_stopped = 0;
    CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
    return ends[0];
}

static frazil_observer observer;

static int of_level(int fd) {
    frazil_level_options options;
    frazil_level *level;
    char buffer[64];
    size_t read;
    int status;
    frazil_level_options_init(&options, sizeof options);
    options.observer = &observer;
    EXPECT(FRAZIL_OK, frazil_level_open_fd(fd, NULL, &options, &level, &error));
    do {
        status = frazil_level_read(level, buffer, sizeof buffer, &read, &error);
    } while (status == FRAZIL_OK && read > 0);
    frazil_level_free(level);
    return status;
}

static int of_signature(int fd) {
    frazil_level_options options;
    frazil_signature *signature;
    int status;
    frazil_level_options_init(&options, sizeof options);
    options.observer = &observer;
    status = frazil_signature_of_fd(fd, &options, &signature, &error);
    frazil_signature_free(signature);
    return status;
}

static int of_patch(int fd) {
    frazil_patch_options options;
    frazil_patch_options_init(&options, sizeof options);
    options.observer = &observer;
    return frazil_patch_file_fd(NULL, fd, "never", &options, NULL, &error);
}

static int of_restore(int fd) {
    frazil_restore_options options;
    frazil_restore_options_init(&options, sizeof options);
    options.observer = &observer;
    return frazil_restore_tree_fd(fd, "never", &options, NULL, &error);
}

static int of_archive(int fd) {
    return frazil_archive_verify_fd(fd, &observer, NULL, &error);
}

static void a_signal_stops_what_waits_for_a_descriptor(void) {
    static int (*const waiting[])(int) = {of_level, of_signature, of_patch, of_restore, of_archive};
    size_t i;
    for (i = 0; i < sizeof waiting / sizeof *waiting; i++) {
        /* Whether the system goes on with a call that a signal interrupts, or not. */
        int writer, fd = silent_pipe(&writer, i % 2 ? SA_RESTART : 0);
        SAID(FRAZIL_ERR_CANCELLED, "stopped by the observer", waiting[i](fd));
        CHECK(is_stopped && close(fd) == 0 && close(writer) == 0);
    }
    CHECK(access("never", F_OK) != 0);
}

static void a_signal_that_does_not_stop_the_work_is_no_failure(void) {
    int writer, fd = silent_pipe(&writer, 0);
    writes_to = writer;
    EXPECT(FRAZIL_OK, of_level(fd));
    CHECK(close(fd) == 0);
    writes_to = -1;
}

/* It is the program that waits for one of these. */
static void a_descriptor_that_does_not_wait_says_so(void) {
    frazil_level_options options;
    frazil_level *level;
    char buffer[64];
    size_t read;
    int ends[2], status;

    CHECK(pipe(ends) == 0 && fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0);
    is_stopped = 0;
    frazil_level_options_init(&options, sizeof options);
    options.observer = &observer;
    EXPECT(FRAZIL_OK, frazil_level_open_fd(ends[0], NULL, &options, &level, &error));
    while ((status = frazil_level_read(level, buffer, sizeof buffer, &read, &error)) == FRAZIL_OK)
        CHECK(read > 0);
    CHECK(frazil_error_os_code(error) == EAGAIN);
    SAID(FRAZIL_ERR_IO, "reading file descriptor", status);
    CHECK(write(ends[1], "late", 4) == 4 && close(ends[1]) == 0);
    do {
        EXPECT(FRAZIL_OK, frazil_level_read(level, buffer, sizeof buffer, &read, &error));
    } while (read > 0);
    EXPECT(FRAZIL_OK, frazil_level_finish(level, NULL, NULL, &error));
    frazil_level_free(level);
    CHECK(close(ends[0]) == 0);
}

static volatile sig_atomic_t handled;
static pthread_t handler;

static void note_thread(int number) {
    (void)number;
    handler = pthread_self();
    handled = 1;
}

/* The program's thread has the signal blocked, so whatever thread of the library takes it is found out. */
static void a_handler_runs_on_no_thread_of_a_restore(void) {
    frazil_restore *restore;
    struct sigaction action;
    sigset_t mask, pending;
    bytes archive = {NULL, 0, 0, 0};
    size_t fed;

    CHECK(mkdir("tree", 0755) == 0);
    save_text("tree/letter", "Dear reader");
    EXPECT(FRAZIL_OK, frazil_backup_tree("tree", NULL, "snapshot", NULL, append, &archive, NULL, &error));
    memset(&action, 0, sizeof action);
    action.sa_handler = note_thread;
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    EXPECT(FRAZIL_OK, frazil_restore_open("restored", NULL, &restore, &error));
    CHECK(sigemptyset(&mask) == 0 && sigaddset(&mask, SIGUSR1) == 0);
    CHECK(pthread_sigmask(SIG_BLOCK, &mask, NULL) == 0);
    CHECK(kill(getpid(), SIGUSR1) == 0);
    CHECK(archive.len % 512 == 0);
    for (fed = 0; fed < archive.len; fed += 512)
        EXPECT(FRAZIL_OK, frazil_restore_feed(restore, archive.data + fed, 512, &error));
    poll(NULL, 0, 50);
    CHECK(!handled && sigpending(&pending) == 0 && sigismember(&pending, SIGUSR1) == 1);
    CHECK(pthread_sigmask(SIG_UNBLOCK, &mask, NULL) == 0);
    CHECK(handled && pthread_equal(handler, pthread_self()));

    /* What it takes otherwise goes on taking it. */
    handled = 0;
    CHECK(kill(getpid(), SIGUSR1) == 0 && handled);
    EXPECT(FRAZIL_OK, frazil_restore_finish(restore, NULL, &error));
    frazil_restore_free(restore);
    drop(&archive);
}

/* Whether a process that is started here, with a mask of its own or this thread's, begins with a signal blocked. */
static int begins_blocked(const sigset_t *mask, int signal) {
    char sleep[] = "sleep", minute[] = "60", none[] = "PATH=/usr/bin:/bin", path[64], line[128];
    char *const arguments[] = {sleep, minute, NULL}, *const environment[] = {none, NULL};
    unsigned long long blocked = 0;
    posix_spawnattr_t how;
    pid_t child;
    FILE *status;
    CHECK(posix_spawnattr_init(&how) == 0);
    if (mask != NULL) {
        CHECK(posix_spawnattr_setsigmask(&how, mask) == 0);
        CHECK(posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK) == 0);
    }
    CHECK(posix_spawnp(&child, sleep, NULL, &how, arguments, environment) == 0);
    sprintf(path, "/proc/%ld/status", (long)child);
    status = fopen(path, "r");
    CHECK(status != NULL);
    do CHECK(fgets(line, sizeof line, status) != NULL);
    while (sscanf(line, "SigBlk: %llx", &blocked) != 1);
    CHECK(fclose(status) == 0 && kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
    CHECK(posix_spawnattr_destroy(&how) == 0);
    return (blocked >> (signal - 1) & 1) == 1;
}

static int started = 0;

static int start(void *user_data, const frazil_entry *entry) {
    sigset_t none;
    (void)entry;
    CHECK(sigemptyset(&none) == 0);
    /* A plain call runs in the caller's own thread. */
    CHECK(begins_blocked(NULL, SIGTERM) == *(const int *)user_data);
    CHECK(!begins_blocked(NULL, SIGSEGV) && !begins_blocked(&none, SIGTERM));
    started++;
    return 0;
}

static void what_a_callback_starts_begins_as_its_thread_is(void) {
    frazil_restore_options options;
    frazil_observer starting;
    frazil_restore *restore;
    int is_blocked = 0;
    bytes archive = {NULL, 0, 0, 0};

    EXPECT(FRAZIL_OK, frazil_backup_tree("tree", NULL, "another", NULL, append, &archive, NULL, &error));
    frazil_observer_init(&starting, sizeof starting);
    starting.restoring = start;
    starting.user_data = &is_blocked;
    frazil_restore_options_init(&options, sizeof options);
    options.observer = &starting;
    EXPECT(FRAZIL_OK, frazil_restore_tree_stream(take, &archive, "whole", &options, NULL, &error));
    CHECK(started > 0);
    started = 0;

    is_blocked = 1;
    EXPECT(FRAZIL_OK, frazil_restore_open("fed", &options, &restore, &error));
    EXPECT(FRAZIL_OK, frazil_restore_feed(restore, archive.data, archive.len, &error));
    EXPECT(FRAZIL_OK, frazil_restore_finish(restore, NULL, &error));
    CHECK(started > 0);
    frazil_restore_free(restore);
    drop(&archive);
}

int main(void) {
    a_handler_runs_on_no_thread_of_a_restore();
    what_a_callback_starts_begins_as_its_thread_is();
    frazil_observer_init(&observer, sizeof observer);
    observer.cancelled = cancelled;
    a_signal_stops_what_waits_for_a_descriptor();
    a_signal_that_does_not_stop_the_work_is_no_failure();
    a_descriptor_that_does_not_wait_says_so();
    return 0;
}
