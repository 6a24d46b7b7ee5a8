"""What archives, snapshots and trees hold, as iterators."""

import gc
import io
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from unittest import mock

import frazil
from frazil import _listings
from ground import Ground, OnlyRead, odd_pieces

# More than may be ahead of whoever iterates.
COUNT = 3 * _listings.AHEAD


class Listings(Ground):
    def setUp(self):
        super().setUp()
        self.tree = self.dir / "tree"
        self.tree.mkdir()
        for number in range(COUNT):
            (self.tree / f"{number:04}").write_bytes(b"content")
        with open(self.dir / "archive", "wb") as archive:
            frazil.backup_tree(self.tree, archive, self.dir / "snapshot")
        for path in self.tree.iterdir():
            path.write_bytes(b"changed")
        self.threads = threading.active_count()

    def listings(self):
        """Each listing, with the function that tells of the same."""
        archive, snapshot = self.dir / "archive", self.dir / "snapshot"
        return {
            "archive": (lambda: frazil.iter_archive(archive), lambda each: frazil.list_archive(archive, each)),
            "snapshot": (lambda: frazil.iter_snapshot(snapshot), lambda each: frazil.list_snapshot(snapshot, each)),
            "differences": (
                lambda: frazil.iter_differences([archive], self.tree),
                lambda each: frazil.verify_tree([archive], self.tree, each),
            ),
        }

    def differences(self, **options):
        return frazil.iter_differences([self.dir / "archive"], self.tree, **options)

    def no_thread_is_left(self):
        for _ in range(500):
            if threading.active_count() == self.threads:
                return
            time.sleep(0.01)
        self.fail("a thread is left")

    def test_a_listing_gives_what_the_function_tells(self):
        for name, (opened, listed) in self.listings().items():
            told = []
            summary = listed(told.append)
            with self.subTest(name), opened() as listing:
                self.assertGreaterEqual(len(told), COUNT)
                self.assertEqual(next(listing), told[0])
                with self.assertRaises(frazil.StateError):
                    listing.summary
                self.assertEqual(list(listing), told[1:])
                self.assertEqual((list(listing), listing.summary), ([], summary))
        self.no_thread_is_left()

    def test_every_stream_can_be_listed(self):
        for opened, name in [(frazil.iter_archive, "archive"), (frazil.iter_snapshot, "snapshot")]:
            content, wanted = (self.dir / name).read_bytes(), list(opened(self.dir / name))
            with open(self.dir / name, "rb", buffering=0) as file:
                for source in (bytes(self.dir / name), file, io.BytesIO(content), odd_pieces(content, self.random)):
                    with self.subTest(name, source=type(source).__name__):
                        self.assertEqual(list(opened(source)), wanted)

    def test_a_listing_is_no_further_ahead_than_it_says(self):
        for name, (opened, _) in self.listings().items():
            with self.subTest(name), opened() as listing:
                for _ in range(1_000):
                    if listing._channel.items.qsize() == _listings.AHEAD:
                        break
                    time.sleep(0.01)
                time.sleep(0.05)
                self.assertEqual(listing._channel.items.qsize(), _listings.AHEAD)

    def test_a_listing_may_be_closed_at_any_time(self):
        files = len(os.listdir("/proc/self/fd"))
        for name, (opened, _) in self.listings().items():
            for taken in (0, 1, _listings.AHEAD, COUNT // 2, None):
                with self.subTest(name, taken=taken):
                    listing = opened()
                    for _ in listing if taken is None else range(taken):
                        next(listing) if taken else None
                    listing.close()
                    listing.close()
                    self.assertTrue(listing.closed)
                    with self.assertRaises(frazil.StateError):
                        next(listing)
                    self.assertEqual(len(os.listdir("/proc/self/fd")), files)
        self.no_thread_is_left()

    def test_long_work_that_finds_nothing_is_closed_at_once(self):
        large, told = self.dir / "large", []
        large.mkdir()
        with open(large / "sparse", "wb") as file:
            file.truncate(64 << 20)
        with open(self.dir / "large.archive", "wb") as archive:
            frazil.backup_tree(large, archive, self.dir / "large.snapshot", trust_holes=True)

        def progress(progress):
            told.append(progress.done_bytes)
            while not listing._channel._is_given_up:
                time.sleep(0.001)

        with frazil.iter_differences([self.dir / "large.archive"], large, progress=progress) as listing:
            while not told:
                time.sleep(0.001)
        self.assertEqual(len(told), 1)
        # An archive at a path is read by Python here, which looks up between two pieces.
        content = self.random.randbytes(64 << 20)
        (large / "sparse").write_bytes(content)
        frazil.backup_tree(large, (made := bytearray()).extend, self.dir / "dense.snapshot")
        path = self.write("dense.archive", made)
        del content, made
        read = []
        with mock.patch.object(frazil._streams.Source, "read", self.counting(read, frazil._streams.Source.read)):
            with frazil.iter_archive(path) as listing:
                while not read:
                    time.sleep(0.001)
                listing._channel.give_up()
        self.assertLess(sum(read), 16 << 20)

    def counting(self, read, original):
        def counted(source, *arguments):
            before = source.given
            code = original(source, *arguments)
            read.append(source.given - before)
            time.sleep(0.01)
            return code

        return counted

    def test_a_listing_that_is_forgotten_ends(self):
        for name, (opened, _) in self.listings().items():
            with self.subTest(name):
                for _ in range(3):
                    next(opened())
                    opened()
                gc.collect()
                self.no_thread_is_left()

    def test_what_is_raised_comes_out_of_the_iteration(self):
        content = (self.dir / "archive").read_bytes()
        error = KeyError("mine")

        def raising(raised):
            yield content[: len(content) // 2]
            raise raised

        class Stopping(OnlyRead):
            def read(self, length):
                raise StopIteration

        def refuse(*_):
            raise error

        for name, opened, kind in [
            ("source", lambda: frazil.iter_archive(raising(error)), KeyError),
            ("progress", lambda: self.differences(progress=refuse), KeyError),
            ("cancelled", lambda: self.differences(cancelled=lambda: True), frazil.CancelledError),
            ("cut", lambda: frazil.iter_archive(io.BytesIO(content[:-20_000])), frazil.Error),
            ("missing", lambda: frazil.iter_archive(self.dir / "none"), FileNotFoundError),
            ("no stream", lambda: frazil.iter_archive(7.5), TypeError),
            ("stop", lambda: frazil.iter_archive(Stopping(b"")), RuntimeError),
        ]:
            with self.subTest(name):
                listing = opened()
                with self.assertRaises(kind) as raised:
                    list(listing)
                if kind is KeyError:
                    self.assertIs(raised.exception, error)
                with self.assertRaisesRegex(frazil.StateError, "has failed before"):
                    next(listing)
                with self.assertRaises(frazil.StateError):
                    listing.summary
                listing.close()
        self.no_thread_is_left()

    def test_a_function_that_is_called_cannot_use_what_calls_it(self):
        refused = []

        def nosy(_progress):
            for use in (listing.close, listing.__next__):
                with self.assertRaises(frazil.StateError):
                    use()
                refused.append(use)

        ready = threading.Event()
        listing = self.differences(progress=lambda told: ready.wait() and nosy(told))
        ready.set()
        list(listing)
        self.assertGreaterEqual(len(refused), 2)

    def test_a_stream_that_a_thread_of_the_library_reads_cannot_use_what_calls_it(self):
        content, refused, ready = (self.dir / "archive").read_bytes(), [], threading.Event()

        class Nosy(OnlyRead):
            def read(self, length):
                ready.wait()
                for use in (listing.close, listing.__next__):
                    try:
                        use()
                    except frazil.StateError:
                        refused.append(use)
                return super().read(length)

        listing = frazil.iter_differences([Nosy(content)], self.tree)
        ready.set()
        self.assertGreaterEqual(len(list(listing)), COUNT)
        self.assertGreaterEqual(len(refused), 2)

    def test_one_call_at_a_time_uses_a_listing(self):
        read, write = os.pipe()
        listing, raised = frazil.iter_archive(read), []

        def take():
            try:
                list(listing)
            except BaseException as error:
                raised.append(error)

        taker = threading.Thread(target=take)
        taker.start()
        while not listing._users._users:
            time.sleep(0.001)
        for use in (listing.close, listing.__next__):
            with self.assertRaisesRegex(frazil.StateError, "in use by another call"):
                use()
        os.close(write)
        taker.join()
        listing.close()
        os.close(read)
        self.assertEqual([type(error) for error in raised], [frazil.TruncatedError])

    def test_a_signal_at_any_moment_loses_no_entry_unsaid(self):
        class Interrupted(Exception):
            pass

        def handle(_number, _frame):
            raise Interrupted

        wanted = len(list(frazil.iter_archive(self.dir / "archive")))
        old, interrupted = signal.signal(signal.SIGALRM, handle), 0
        try:
            for _ in range(300):
                taken, listing = [], frazil.iter_archive(self.dir / "archive")
                try:
                    with listing:
                        signal.setitimer(signal.ITIMER_REAL, self.random.uniform(0.0001, 0.01))
                        try:
                            for entry in listing:
                                taken.append(entry)
                        except Interrupted:
                            # Goes on where nothing was lost, and is refused where something may be.
                            taken.extend(listing)
                        signal.setitimer(signal.ITIMER_REAL, 0)
                        # An exception between two entries may lose the one that the loop was given.
                        self.assertIn(len(taken), (wanted, wanted - 1))
                except Interrupted:
                    pass
                except frazil.StateError as error:
                    self.assertIn("has failed before", str(error))
                    interrupted += 1
                finally:
                    signal.setitimer(signal.ITIMER_REAL, 0)
        finally:
            signal.signal(signal.SIGALRM, old)
        self.assertGreater(interrupted, 0)
        self.no_thread_is_left()

    def test_an_end_that_a_signal_took_is_not_waited_for(self):
        listing = frazil.iter_archive(self.dir / "archive")
        for _ in range(len(list(frazil.iter_archive(self.dir / "archive")))):
            next(listing)
        # As if taken by a call that an exception ended.
        self.assertIsInstance(listing._channel.items.get(), _listings._End)
        self.assertEqual(list(listing), [])
        listing.close()

    def test_options_are_looked_at_at_once(self):
        with self.assertRaises(TypeError):
            self.differences(nonsense=1)
        self.no_thread_is_left()

    def test_a_signal_is_answered_while_the_next_is_waited_for(self):
        class Interrupted(Exception):
            pass

        def handle(_number, _frame):
            raise Interrupted

        read, write = os.pipe()
        old = signal.signal(signal.SIGALRM, handle)
        try:
            with self.assertRaises(Interrupted), frazil.iter_archive(read) as listing:
                try:
                    signal.setitimer(signal.ITIMER_REAL, 0.05)
                    next(listing)
                finally:
                    os.close(write)  # or closing would wait for the stream
        finally:
            signal.signal(signal.SIGALRM, old)
            os.close(read)

    def test_a_forked_process_cannot_use_a_listing_of_its_parent(self):
        listing = frazil.iter_archive(self.dir / "archive")
        next(listing)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Python says that there is another thread
            child = os.fork()
        if not child:
            code = 1
            try:
                listing.close()
                next(listing)
            except frazil.StateError:
                # One of its own it can.
                code = 0 if len(list(frazil.iter_archive(self.dir / "archive"))) > COUNT else 2
            finally:
                os._exit(code)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertGreater(len(list(listing)), COUNT - 2)

    def test_the_end_of_the_interpreter_does_not_wait_for_an_iterator(self):
        program = """if True:
            import atexit, sys, time
            atexit.register(lambda: print(time.monotonic() - begun))  # after what is registered later
            import frazil
            kept = frazil.iter_archive(sys.argv[1])
            next(kept)
            begun = time.monotonic()
            """
        command = [sys.executable, "-c", program, self.dir / "archive"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertLess(float(done.stdout), frazil._ending.PATIENCE)
