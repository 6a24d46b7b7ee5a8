"""Signals, whose handlers raise: Ctrl-C stops what is under way, as itself, and whatever it was."""

import gc
import io
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import frazil
from frazil import _streams
from ground import Ground


class Interrupted(Exception):
    """What the signal's handler raises here."""


class Signals(Ground):
    """The signal comes while the library works, most of the time, and would come too early or too late for
    nothing but the work that it is to stop."""

    ROUNDS = 20

    def setUp(self):
        super().setUp()
        # Python can only print what is raised while it takes an object away, so nothing of before may be left.
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        self.raised = []
        old = signal.signal(signal.SIGALRM, self.handle)
        self.addCleanup(signal.signal, signal.SIGALRM, old)
        self.addCleanup(signal.setitimer, signal.ITIMER_REAL, 0)
        # So long that the test would not end without a signal; it takes no room.
        self.endless = self.dir / "endless"
        with open(self.endless, "wb") as file:
            file.truncate(1 << 34)

    def handle(self, _number, _frame):
        self.raised.append(Interrupted())
        raise self.raised[-1]

    def interrupt(self, call):
        for _ in range(self.ROUNDS):
            with self.assertRaises(Interrupted) as raised:
                signal.setitimer(signal.ITIMER_REAL, 0.01)
                call()
            self.assertIs(raised.exception, self.raised[-1])

    def test_long_work_without_a_callback_is_stopped(self):
        self.interrupt(lambda: frazil.Signature.of_file(self.endless))

    def test_long_work_with_a_callback_is_stopped(self):
        self.interrupt(lambda: frazil.Signature.of_file(self.endless, progress=lambda _: None))
        self.interrupt(lambda: frazil.Signature.of_file(self.endless, cancelled=lambda: False))

    def test_reading_is_stopped(self):
        with open(self.endless, "rb") as file:
            self.interrupt(lambda: frazil.gen_sig_from_stream(file))
        with open(self.endless, "rb", buffering=0) as file:
            self.interrupt(lambda: frazil.gen_sig_from_stream(file))
        zeros = bytes(1 << 20)
        self.interrupt(lambda: frazil.gen_sig_from_stream(iter(lambda: zeros, None)))

    def test_writing_is_stopped(self):
        data = os.urandom(1 << 20)

        def write():
            with frazil.LevelWriter(lambda _: None) as writer:
                while True:
                    writer.write(data)

        self.interrupt(write)

    def test_waiting_is_stopped(self):
        read, write = os.pipe()
        try:
            for source in (read, open(read, "rb", closefd=False), open(read, "rb", buffering=0, closefd=False)):
                self.interrupt(lambda source=source: frazil.gen_sig_from_stream(source))
                if source is not read:
                    source.close()
        finally:
            os.close(read)
            os.close(write)

    def test_waiting_for_a_pipe_that_has_a_path_is_stopped(self):
        path = self.dir / "fifo"
        os.mkfifo(path)

        def read(stream):
            with stream:
                stream.read(1)

        before = self.left(), len(os.listdir("/proc/self/fd"))
        calls = {
            "signature": lambda: frazil.Signature.of_file(path),
            "level": lambda: frazil.gen_sig_from_file(path),
            "load": lambda: frazil.Signature.load(path),
            "inspect": lambda: frazil.inspect(path),
            "patch": lambda: frazil.patch_file(None, path, self.dir / "target"),
            "read": lambda: read(frazil.PatchReader(None, path)),
            "restore": lambda: frazil.restore_tree(path, self.dir / "tree"),
            "list": lambda: frazil.list_archive(path, print),
            "verify": lambda: frazil.verify_archive(path),
        }
        with mock.patch.object(self, "ROUNDS", 3):
            for name, call in calls.items():
                with self.subTest(name, written="never"):
                    self.interrupt(call)
            with open(path, "r+b", buffering=0):  # a writer that says nothing
                for name, call in calls.items():
                    with self.subTest(name, written="nothing"):
                        self.interrupt(call)
        self.assertEqual((self.left(), len(os.listdir("/proc/self/fd"))), before)

    def test_what_is_forgotten_as_soon_as_it_is_open_is_closed_in_silence(self):
        path = self.dir / "fifo"
        os.mkfifo(path)
        before = len(os.listdir("/proc/self/fd"))

        def open_again_and_again():
            while True:
                _streams.opened(os.fsencode(path)).close()

        with open(path, "r+b", buffering=0):
            self.interrupt(open_again_and_again)
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)

    def test_a_keyboard_interrupt_is_one(self):
        def press():
            os.kill(os.getpid(), signal.SIGINT)

        timer = threading.Timer(0.02, press)
        with self.assertRaises(KeyboardInterrupt):
            timer.start()
            frazil.Signature.of_file(self.endless)
        timer.join()

    def small_calls(self):
        """Work without an end in small calls: in it a signal falls between any two of its steps."""
        piece, level = os.urandom(4096), memoryview(frazil.Level(os.urandom(1 << 20)).read())

        def read(stream, length):
            with stream:
                while stream.read(length):
                    pass

        def read_into(stream):
            buffer = bytearray(100)
            with stream:
                while stream.readinto(buffer):
                    pass

        def iterate(stream):
            with stream:
                for _ in stream:
                    pass

        def write(stream):
            with stream:
                while True:
                    stream.write(piece)

        def write_target(stream):
            for at in range(0, len(level) - 4096, 4096):
                stream.write(level[at : at + 4096])
            stream.close()

        def random_bytes():
            while True:
                yield piece

        return {
            "read": (lambda: frazil.Level(random_bytes()), lambda stream: read(stream, 64)),
            "read of a file": (lambda: frazil.Level.of_file(self.endless, threads=1), lambda stream: read(stream, 1)),
            "readinto": (lambda: frazil.Level(random_bytes()), read_into),
            "iterate": (lambda: frazil.Level(random_bytes()), iterate),
            "write": (lambda: frazil.LevelWriter(lambda _: None), write),
            "write of a target": (lambda: frazil.Patch(None, self.dir / "target"), write_target),
        }

    def test_a_signal_at_any_moment_comes_out_and_leaves_nothing_in_use(self):
        before = self.left()
        for name, (opened, work) in self.small_calls().items():
            for _ in range(100):
                delay = self.random.uniform(0.0001, 0.004)
                with self.subTest(name, delay=delay):
                    self.opened = []
                    with self.assertRaises(Interrupted) as raised:
                        # Again after a long time, so that one that was lost is a failure and not the end of the tests.
                        signal.setitimer(signal.ITIMER_REAL, delay, 5)
                        while True:  # what does not end by itself is begun again
                            self.opened = [opened()]
                            work(self.opened[0])
                    signal.setitimer(signal.ITIMER_REAL, 0)
                    self.assertIs(raised.exception, self.raised[-1])
                    for stream in self.opened:
                        stream.close()
                        self.assertTrue(stream.closed)
            del raised
            self.raised.clear()
        if sys.version_info >= (3, 10):  # before, it may fall between taking what is to be freed and freeing it
            self.assertEqual(self.left(), before)

    def test_a_signal_at_any_moment_of_many_short_calls_comes_out(self):
        data = self.content(100_000)
        signature = frazil.Signature.of_stream(data)
        level = frazil.Level(data + b"more", signature).read()
        path = self.write("basis", data)

        def patch(*arguments):
            with frazil.PatchReader(*arguments) as target:
                target.read()

        for name, call in {
            "patch": lambda: patch(path, memoryview(level)),
            "inspect": lambda: frazil.inspect(memoryview(level)),
            "save": lambda: signature.save(lambda _: None),
            "patch a file": lambda: frazil.patch_file(path, memoryview(level), self.dir / "target", replace=True),
        }.items():
            for _ in range(100):
                delay = self.random.uniform(0.0001, 0.004)
                with self.subTest(name, delay=delay):
                    with self.assertRaises(Interrupted) as raised:
                        # Again after a long time, so that one that was lost is a failure and not the end of the tests.
                        signal.setitimer(signal.ITIMER_REAL, delay, 5)
                        while True:
                            call()
                    signal.setitimer(signal.ITIMER_REAL, 0)
                    self.assertIs(raised.exception, self.raised[-1])

    def test_what_a_function_of_a_restore_starts_begins_with_its_threads_mask(self):
        (self.dir / "tree").mkdir()
        archive, masks = io.BytesIO(), []
        frazil.backup_tree(self.dir / "tree", archive, self.dir / "snapshot")

        def start(_entry):
            for mask in (None, {signal.SIGUSR1}):
                if mask is not None:
                    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
                status = subprocess.run(["cat", "/proc/self/status"], check=True, capture_output=True, text=True).stdout
                masks.append(int(status.split("SigBlk:")[1].split()[0], 16))

        with frazil.TreeRestore(self.dir / "restored", restoring=start) as restore:
            restore.write(archive.getvalue())
        self.assertTrue(masks[0] >> (signal.SIGTERM - 1) & 1)
        self.assertEqual(masks[1], 1 << (signal.SIGUSR1 - 1))

    def raising_at(self, step, call):
        """What `call` returns when an exception falls at one of the steps where Python answers signals, or raises it:
        those at which a function of the package's is entered, and those at which one of C returns to it."""
        package = os.path.dirname(frazil.__file__)
        steps = 0

        def profile(frame, event, _argument):
            nonlocal steps
            if event in ("call", "c_return") and os.path.dirname(frame.f_code.co_filename) == package:
                steps += 1
                if steps == step:
                    raise Interrupted

        sys.setprofile(profile)
        try:
            return call()
        finally:
            sys.setprofile(None)

    def test_what_an_exception_takes_with_it_is_not_passed_over(self):
        old, new = self.content(), self.edited(self.content())
        signatures = [frazil.Signature.of_stream(content, block_len=4096) for content in (old, new)]
        level = frazil.Level(new).read()
        for signature, name in zip(signatures, ("old", "new")):
            signature.save(self.dir / name)

        def following(stream):
            return next(stream, None)

        makers = {
            "comparison": (lambda: signatures[0].compare(signatures[1]), following),
            "comparison of files": (lambda: frazil.compare_files(self.dir / "old", self.dir / "new"), following),
            "read": (lambda: frazil.PatchReader(None, memoryview(level)), lambda stream: stream.read(1_000)),
        }
        for name, (opened, take) in makers.items():
            with opened() as stream:
                expected = [take(stream) for _ in range(3)]
            self.assertEqual(len(set(expected)), 3)
            refused = 0
            for step in range(1, 1_000):
                with self.subTest(name, step=step), opened() as stream:
                    self.assertEqual(take(stream), expected[0])
                    try:
                        self.assertEqual(self.raising_at(step, lambda: take(stream)), expected[1])
                        break
                    except Interrupted:
                        pass
                    try:
                        self.assertEqual(take(stream), expected[1])
                    except frazil.StateError:
                        refused += 1
            self.assertTrue(3 < refused < step < 999, (refused, step))

    def test_an_object_that_a_signal_left_in_use_is_taken_over_by_its_thread(self):
        level = frazil.Level(self.content())
        level._handle._users._users.append(frazil._users._User())
        self.assertEqual(len(level.read(10)), 10)
        level._handle._users._users.append(frazil._users._User())
        with ThreadPoolExecutor(1) as pool, self.assertRaises(frazil.StateError):
            pool.submit(level.close).result()
        level.close()
        self.assertTrue(level.closed)

    def test_what_leaves_a_block_is_not_lost_to_a_close_that_fails(self):
        entered, leave = threading.Event(), threading.Event()

        def waiting():
            entered.set()
            leave.wait()
            yield b"content"

        def taking(_data):
            entered.set()
            leave.wait()

        for opened, use in [
            (lambda: frazil.Level(waiting()), lambda stream: stream.read()),
            (lambda: frazil.LevelWriter(taking), lambda stream: stream.write(bytes(range(256)) * 40_000)),
        ]:
            entered.clear()
            leave.clear()
            with ThreadPoolExecutor(1) as pool:
                error = Interrupted()
                with self.assertRaises(Interrupted) as raised, opened() as stream:
                    used = pool.submit(use, stream)
                    entered.wait()
                    raise error
                self.assertIs(raised.exception, error)
                leave.set()
                used.result()
                stream.close()
