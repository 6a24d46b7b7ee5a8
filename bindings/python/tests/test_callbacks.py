"""What is raised where the library calls Python comes out of it: itself, and of nothing else."""

import io
import os
import signal
import socket
import threading
import traceback

import frazil
from ground import Ground, OnlyRead

# All that may be raised, of which some end a thread, a generator or the program.
KINDS = (ValueError, KeyboardInterrupt, SystemExit, GeneratorExit, StopIteration, MemoryError, frazil.StateError)


class Raising:
    """A function, a source and a sink, each of which raises after so many calls."""

    def __init__(self, error, after=0):
        self.error, self.left = error, after

    def __call__(self, *_):
        self.left -= 1
        if self.left < 0:
            raise self.error

    def read(self, length):
        self()
        return os.urandom(min(length, 50_000))

    def write(self, _data):
        self()

    def pieces(self):
        while True:
            yield self.read(50_000)


class RawRaising(io.RawIOBase):
    def __init__(self, raising):
        self.raising = raising

    def readable(self):
        return True

    def readinto(self, buffer):
        self.raising()
        return len(buffer)


class SeekRaising(io.BytesIO):
    """A basis that raises when it is read, and not when it is measured."""

    def __init__(self, content, raising):
        super().__init__(content)
        self.raising = raising

    def readinto(self, buffer):
        self.raising()
        return super().readinto(buffer)


class Callbacks(Ground):
    def setUp(self):
        super().setUp()
        self.data = self.content(3_000_000)
        self.file = self.write("file", self.data)
        self.signature = frazil.Signature.of_stream(self.data)
        self.level = frazil.Level(self.data).read()
        self.level1 = frazil.Level(self.data + b"more", self.signature).read()
        self.tree = self.dir / "tree"
        self.tree.mkdir()
        (self.tree / "file").write_bytes(self.data)
        archive = io.BytesIO()
        frazil.backup_tree(self.tree, archive, self.dir / "snapshot")
        self.archive = self.write("archive", archive.getvalue())
        (self.tree / "another").write_bytes(self.data)

    def pushed(self, stream, data):
        with stream:
            for at in range(0, len(data), 100_000):
                stream.write(data[at : at + 100_000])

    def calls(self, raising):
        """Every place where the library calls Python, by name."""
        raw, pieces = RawRaising(raising), raising.pieces
        restored = self.dir / "restored"
        return {
            "read, for a signature": lambda: frazil.gen_sig_from_stream(raising),
            "readinto": lambda: frazil.gen_sig_from_stream(raw),
            "next": lambda: frazil.gen_sig_from_stream(pieces()),
            "read, for a level": lambda: frazil.Level(raising).read(),
            "read, to load": lambda: frazil.Signature.load(raising),
            "read, to patch": lambda: frazil.patch_from_stream(raising, restored),
            "read, for a target": lambda: frazil.PatchReader(None, raising).read(),
            "read, to restore": lambda: frazil.restore_tree(raising, restored),
            "read, to list": lambda: frazil.list_archive(raising, print),
            "read, to verify": lambda: frazil.verify_archive(raising),
            "write, of a level": lambda: self.pushed(frazil.LevelWriter(raising), self.data),
            "write, of a target": lambda: self.pushed(frazil.Patch(None, raising), self.level),
            "write, of a signature": lambda: self.signature.save(raising),
            "write, on the way": lambda: frazil.Level(self.data, signature_to=raising, block_len=64).read(),
            "a function that takes": lambda: frazil.gen_sig_from_file(self.file, delta_to=lambda data: raising(data)),
            "progress, of a file": lambda: frazil.gen_sig_from_file(self.file, progress=raising),
            "progress, of a level": lambda: frazil.level_file(self.file, restored, progress=raising),
            "progress, of a patch": lambda: frazil.patch_file(None, io.BytesIO(self.level), restored, progress=raising),
            "progress, of a fed level": lambda: self.pushed(frazil.LevelWriter(lambda _: None, progress=raising), self.data),
            "progress, of a backup": lambda: frazil.backup_tree(self.tree, lambda _: None, restored, progress=raising),
            "progress, of a verification": lambda: frazil.verify_archive(self.archive, progress=raising),
            "progress, in another thread": lambda: self.pushed(
                frazil.TreeRestore(restored, progress=raising), self.archive.read_bytes()
            ),
            "cancelled": lambda: frazil.gen_sig_from_file(self.file, cancelled=raising),
            "each entry": lambda: frazil.list_archive(self.archive, raising),
            "each entry of a snapshot": lambda: frazil.list_snapshot(self.dir / "snapshot", raising),
            "entry, of a backup": lambda: frazil.backup_tree(self.tree, lambda _: None, restored, entry=raising),
            "read, to inspect": lambda: frazil.inspect(raising),
            "read, of a basis": lambda: frazil.patch_file(
                SeekRaising(self.data, raising), memoryview(self.level1), restored
            ),
            "read, of a level of a chain": lambda: frazil.chain_file(None, [SeekRaising(self.level, raising)], restored),
            "each difference": lambda: frazil.verify_tree([self.archive], self.tree, raising),
        }

    def test_an_exception_comes_out_as_it_is_and_publishes_nothing(self):
        before = self.left()
        for name in self.calls(Raising(ValueError())):
            for kind in KINDS:
                error = kind("mine")
                with self.subTest(name, kind=kind.__name__):
                    if (name, kind) == ("next", StopIteration):
                        continue  # that is the end of an iterator, and no failure
                    with self.assertRaises(kind) as raised:
                        self.calls(Raising(error))[name]()
                    self.assertIs(raised.exception, error)
                    self.assertEqual(self.left(), before)

    def test_a_stop_iteration_is_not_taken_for_the_end(self):
        def chunks(level):
            return list(level.chunks())

        for iterate in (list, chunks, next):
            with self.assertRaises(RuntimeError) as raised:
                iterate(frazil.Level(Raising(StopIteration())))
            self.assertIsInstance(raised.exception.__cause__, StopIteration)
        with self.assertRaises(RuntimeError):
            frazil.gen_sig_from_stream(Raising(StopIteration()).pieces())

    def test_an_exception_in_the_middle_comes_out(self):
        for name in ("read, for a level", "next", "readinto", "write, on the way", "progress, of a patch"):
            error = KeyError("mine")
            with self.subTest(name):
                with self.assertRaises(KeyError) as raised:
                    self.calls(Raising(error, after=1))[name]()
                self.assertIs(raised.exception, error)

    def test_what_was_raised_says_where(self):
        try:
            frazil.gen_sig_from_stream(Raising(ValueError("mine")))
        except ValueError as error:
            names = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
        self.assertEqual(names[-1], "__call__")
        self.assertIn("gen_sig_from_stream", names)

    def test_a_source_that_has_raised_is_not_at_its_end(self):
        def broken():
            yield self.data
            raise ValueError("mine")

        level = frazil.Level(broken())
        with self.assertRaises(ValueError):
            level.read()
        # The generator is at its end now; the level is not.
        for call in (lambda: level.read(), lambda: level.finish(), lambda: next(level)):
            with self.assertRaises(frazil.StateError):
                call()

    def test_an_answer_stops_the_work(self):
        for answer in (True, 1, "yes"):
            with self.assertRaises(frazil.CancelledError):
                frazil.gen_sig_from_file(self.file, cancelled=lambda answer=answer: answer)
        for answer in (False, 0, None, ""):
            frazil.gen_sig_from_file(self.file, cancelled=lambda answer=answer: answer)

    def test_problems_are_exceptions_that_are_not_raised(self):
        problems, notes = [], []
        self.write("tree/.frazil-restore", b"a name that a restoration needs")
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(self.tree / "socket"))
        summary = frazil.backup_tree(
            self.tree, lambda _: None, self.dir / "new", problem=problems.append, note=notes.append
        )
        self.assertEqual((summary.problems, len(problems)), (1, 1))
        self.assertIsInstance(problems[0], frazil.Error)
        self.assertEqual([(type(note), note.path) for note in notes], [(frazil.UnsupportedError, str(self.tree / "socket"))])

        for name in ("problem", "note"):
            error = ValueError("mine")
            with self.assertRaises(ValueError) as raised:
                frazil.backup_tree(self.tree, lambda _: None, self.dir / "never", **{name: Raising(error)})
            self.assertIs(raised.exception, error)
            self.assertNotIn("never", self.left())

    def test_progress_is_told(self):
        told = []
        frazil.gen_sig_from_file(self.file, progress=told.append, delta_to=lambda _: None)
        self.assertEqual((told[-1].done_bytes, told[-1].total_bytes, told[-1].entries), (len(self.data), len(self.data), 0))
        self.assertEqual([one.done_bytes for one in told], sorted(one.done_bytes for one in told))
        unknown = []
        frazil.gen_sig_from_stream(self.data, progress=unknown.append)
        self.assertEqual(unknown[0].total_bytes, None)

    def test_a_callback_cannot_use_what_calls_it(self):
        refused = []

        class Nosy(OnlyRead):
            def read(self, length):
                for call in (level.read, level.finish, level.close):
                    try:
                        call()
                    except frazil.StateError as error:
                        refused.append(str(error))
                return super().read(length)

        level = frazil.Level(Nosy(self.data))
        made = level.read()
        self.assertEqual(frazil.PatchReader(None, io.BytesIO(made)).read(), self.data)
        self.assertEqual(set(refused), {"the level is in use by another call"})
        self.assertGreaterEqual(len(refused), 3)

    def test_a_callback_may_use_all_else(self):
        def nested(_progress):
            self.assertEqual(frazil.gen_sig_from_stream(self.data[:70_000]).length, 70_000)

        frazil.gen_sig_from_file(self.file, progress=nested)

    def test_a_callback_that_cannot_be_entered_is_no_end(self):
        source = frazil._streams.Input(OnlyRead(self.data), frazil._callbacks.Callbacks())
        with self.assertRaises(frazil.CallbackError):
            source.confirm_end()
        with self.assertRaises(frazil.CallbackError):
            source.confirm_end(7)


class Interrupted(Exception):
    """What the signal's handler raises here."""


class Signals(Ground):
    """The signal comes while the library works, most of the time, and would come too early or too late for
    nothing but the work that it is to stop."""

    ROUNDS = 20

    def setUp(self):
        super().setUp()
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

    def test_a_keyboard_interrupt_is_one(self):
        def press():
            os.kill(os.getpid(), signal.SIGINT)

        timer = threading.Timer(0.02, press)
        with self.assertRaises(KeyboardInterrupt):
            timer.start()
            frazil.Signature.of_file(self.endless)
        timer.join()
