"""Failures are exceptions that say what the library says of them."""

import builtins
import copy
import errno
import pickle
from concurrent.futures import ProcessPoolExecutor
import multiprocessing

import frazil
from ground import Ground


def fail_to_load(path):
    return frazil.Signature.load(path)


class Mine(frazil.CorruptError):
    def __init__(self, number):
        super().__init__(f"number {number}", offset=number)
        self.number = number


class MineOfTheSystem(frazil.IoError):
    def __init__(self, number):
        super().__init__(f"number {number}", errno=number)


class Errors(Ground):
    def test_a_missing_file_is_a_file_not_found_error_with_all_that_is_known(self):
        path = self.dir / "no such file"
        with self.assertRaises(FileNotFoundError) as raised:
            frazil.gen_sig_from_file(path)
        error = raised.exception
        self.assertIsInstance(error, frazil.IoError)
        self.assertIsInstance(error, frazil.Error)
        self.assertEqual((error.status, error.errno), (frazil.Status.IO, errno.ENOENT))
        self.assertEqual((error.path, error.filename, error.offset), (str(path), str(path), None))
        self.assertIn("opening the source", str(error))
        self.assertIn(str(path), str(error))

    def test_an_operating_system_failure_is_the_built_in_exception_for_its_number(self):
        for number, kind in [
            (errno.EACCES, PermissionError),
            (errno.EISDIR, IsADirectoryError),
            (errno.ENOTDIR, NotADirectoryError),
            (errno.ENOENT, FileNotFoundError),
            (errno.EEXIST, FileExistsError),
            (errno.EAGAIN, BlockingIOError),
            (errno.ETIMEDOUT, TimeoutError),
            (errno.EPIPE, BrokenPipeError),
            (errno.ENOSPC, OSError),
            (None, OSError),
        ]:
            with self.subTest(number):
                error = frazil._errors.make_error(frazil.Status.IO, "writing", errno=number)
                self.assertIsInstance(error, kind)
                self.assertIsInstance(error, frazil.IoError)
                self.assertEqual((error.errno, str(error)), (number, "writing"))

    def test_each_kind_is_also_what_python_calls_it(self):
        for kind, built_in in [
            (frazil.InvalidInputError, ValueError),
            (frazil.StateError, ValueError),
            (frazil.IoError, OSError),
            (frazil.ExistsError, FileExistsError),
            (frazil.OutOfMemoryError, MemoryError),
        ]:
            self.assertTrue(issubclass(kind, built_in) and issubclass(kind, frazil.Error))
        # Whoever stops at the end of a stream must not take a truncated one for it.
        self.assertFalse(issubclass(frazil.TruncatedError, EOFError))

    def test_damage_says_where_it_is(self):
        level = bytearray(frazil.Level(self.content()).read())
        level[500_000] ^= 1
        with self.assertRaises(frazil.CorruptError) as raised:
            frazil.patch_from_stream(bytes(level), self.dir / "restored")
        self.assertEqual(raised.exception.status, frazil.Status.CORRUPT)
        self.assertGreater(raised.exception.offset, 0)
        self.assertEqual(self.left(), [])

    def test_what_is_there_is_not_replaced(self):
        content = self.content(1_000)
        frazil.Signature.of_stream(content).save(self.dir / "signature")
        with self.assertRaises(FileExistsError) as raised:
            frazil.Signature.of_stream(content).save(self.dir / "signature")
        self.assertIsInstance(raised.exception, frazil.ExistsError)
        self.assertEqual(raised.exception.errno, errno.EEXIST)

    def test_every_class_for_a_failure_of_the_system_has_its_name_in_the_package(self):
        built_in = {kind for kind in vars(builtins).values() if isinstance(kind, type) and issubclass(kind, OSError)}
        for kind in built_in - {OSError}:
            name = kind.__name__
            with self.subTest(name):
                named = getattr(frazil, name)
                self.assertEqual((named.__module__, named.__name__, bool(named.__doc__)), ("frazil", name, True))
                self.assertTrue(issubclass(named, kind) and issubclass(named, frazil.IoError))
                self.assertEqual(named.__mro__.count(kind), 1)
                error = named("by hand", path="/a", offset=7, errno=errno.ENOENT)
                for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
                    again = pickle.loads(pickle.dumps(error, protocol))
                    self.assertEqual((type(again), str(again), vars(again)), (named, "by hand", vars(error)))
                    of_system = (again.errno, again.strerror, again.filename, again.offset)
                    self.assertEqual(of_system, (errno.ENOENT, "by hand", "/a", 7))
        self.assertTrue(issubclass(frazil.BrokenPipeError, frazil.ConnectionError))
        for number, kind in [(errno.ENOENT, frazil.FileNotFoundError), (errno.EPIPE, frazil.BrokenPipeError)]:
            self.assertIs(type(frazil._errors.make_error(frazil.Status.IO, "writing", errno=number)), kind)
        with self.assertRaises(frazil.FileNotFoundError):
            frazil.Signature.load(self.dir / "none")
        with self.assertRaises(frazil.NotADirectoryError):
            frazil.Signature.load(self.write("file", b"") / "below")

    def test_every_kind_of_error_is_the_same_after_pickling(self):
        fields = {"path": "/a/b\udcff", "offset": 7, "errno": errno.ENOENT}
        made = [frazil._errors.make_error(status, "message", **fields) for status in frazil.Status if status < 0]
        made += [frazil._errors.make_error(-99, "of a newer library"), frazil.IoError("by hand", errno=5)]
        for error in made:
            error.told = "by a caller"
            for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
                with self.subTest(type(error).__name__):
                    self.assertIs(type(again), type(error))
                    self.assertEqual(str(again), str(error))
                    self.assertEqual(vars(again), vars(error))
                    self.assertEqual(again.status, error.status)
                    self.assertEqual((again.path, again.offset, again.errno), (error.path, error.offset, error.errno))

    def test_a_class_of_a_caller_is_the_same_after_pickling(self):
        for error in (Mine(7), MineOfTheSystem(7), frazil.Error("plain"), frazil.CorruptError("by hand", offset=3)):
            for again in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):
                with self.subTest(type(error).__name__):
                    self.assertIs(type(again), type(error))
                    self.assertEqual((str(again), vars(again), again.status), (str(error), vars(error), error.status))
                    self.assertEqual((again.offset, again.errno), (error.offset, error.errno))

    def test_an_error_comes_out_of_another_process(self):
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            with self.assertRaises(FileNotFoundError) as raised:
                pool.submit(fail_to_load, str(self.dir / "none")).result()
        self.assertEqual(raised.exception.path, str(self.dir / "none"))
        self.assertIs(type(raised.exception).__mro__[2], frazil.IoError.__mro__[1])

    def test_a_status_of_a_newer_library_is_an_error_with_its_number(self):
        error = frazil._errors.make_error(-99, "something new")
        self.assertEqual((type(error), error.status, str(error)), (frazil.Error, -99, "something new"))

    def test_no_name_hides_a_built_in_one(self):
        self.assertEqual([name for name in frazil.__all__ if hasattr(builtins, name)], [])
