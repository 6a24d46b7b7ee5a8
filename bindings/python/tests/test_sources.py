"""Everything that Python has bytes in is read to its end, as it gives them."""

import array
import bz2
import gzip
import io
import lzma
import mmap
import multiprocessing
import os
import socket
import tempfile
import threading
import zipfile
from pathlib import Path

import frazil
from ground import Ground, OnlyRead, odd_pieces


class HasFileno(OnlyRead):
    """Gives other bytes than the file does whose descriptor it has."""

    def fileno(self):
        return 0


class Sources(Ground):
    def setUp(self):
        super().setUp()
        self.data = self.content()
        self.expected = frazil.Signature.from_bytes(self.signature_of_data().to_bytes())

    def signature_of_data(self):
        return frazil.gen_sig_from_stream(self.data)

    def check(self, source):
        """Reads a source for its level and its signature; the level restores what was in it."""
        made = io.BytesIO()
        self.assertEqual(frazil.gen_sig_from_stream(source, delta_to=made), self.expected)
        self.assertEqual(frazil.PatchReader(None, io.BytesIO(made.getvalue())).read(), self.data)

    def served(self, serve):
        """A thread that serves the content, and is waited for."""
        thread = threading.Thread(target=serve)
        thread.start()
        self.addCleanup(thread.join)

    def test_memory(self):
        data = self.data
        with mmap.mmap(-1, len(data)) as mapped:
            mapped[:] = data
            self.check(mapped)
        for source in (data, bytearray(data), memoryview(data), memoryview(bytearray(data)), array.array("H", data)):
            with self.subTest(type(source).__name__):
                self.check(source)

    def test_nothing(self):
        empty = self.write("empty", b"")
        with open(empty, "rb") as file:
            for source in (b"", [], iter(()), [b"", b""], io.BytesIO(), file, OnlyRead(b"")):
                with self.subTest(type(source).__name__):
                    self.assertEqual(frazil.gen_sig_from_stream(source).length, 0)

    def test_generators_of_odd_sizes(self):
        self.check(odd_pieces(self.data, self.random))
        self.check(odd_pieces(self.data, self.random, longest=3_000_000))
        self.data = self.data[:5_000]
        self.expected = self.signature_of_data()
        self.check(self.data[at : at + 1] for at in range(len(self.data)))

    def test_iterables_of_anything_like_bytes(self):
        kinds = [bytes, bytearray, memoryview, lambda piece: memoryview(bytearray(piece)), lambda piece: array.array("B", piece)]
        pieces = [self.random.choice(kinds)(piece) for piece in odd_pieces(self.data, self.random)]
        self.check(pieces)
        self.check(tuple(pieces))

    def test_file_objects(self):
        path = self.write("file", self.data)
        for buffering in (0, -1, 1_000):
            with open(path, "rb", buffering=buffering) as file:
                self.check(file)
                self.assertEqual(file.read(), b"")
        with tempfile.NamedTemporaryFile() as file, tempfile.SpooledTemporaryFile(max_size=10_000) as spooled:
            for made in (file, spooled):
                made.write(self.data)
                made.seek(0)
                self.check(made)
        self.check(io.BytesIO(self.data))
        self.check(OnlyRead(self.data))

    def test_a_file_object_is_read_from_where_it_stands(self):
        path = self.write("file", b"a header" + self.data)
        for buffering in (0, -1, 100_000):
            with self.subTest(buffering), open(path, "rb", buffering=buffering) as file:
                # What Python has read ahead of this is not to be lost.
                self.assertEqual(file.read(8), b"a header")
                self.check(file)

    def test_descriptors(self):
        descriptor = os.open(self.write("file", b"a header" + self.data), os.O_RDONLY)
        try:
            os.lseek(descriptor, 8, os.SEEK_SET)
            self.check(descriptor)
            # It stays open, and stays the caller's.
            os.lseek(descriptor, 8, os.SEEK_SET)
            self.check(descriptor)
        finally:
            os.close(descriptor)
        for closed in (descriptor, -1):
            with self.assertRaises((OSError, ValueError)):
                frazil.gen_sig_from_stream(closed)

    def test_a_descriptor_beneath_another_object_is_not_what_is_read(self):
        self.check(HasFileno(self.data))

    def test_compressed_file_objects(self):
        for module in (gzip, bz2, lzma):
            with self.subTest(module.__name__):
                path = self.dir / module.__name__
                with module.open(path, "wb") as file:
                    file.write(self.data)
                with module.open(path, "rb") as file:
                    self.assertIsInstance(file.fileno(), int)
                    self.check(file)
        with zipfile.ZipFile(self.dir / "zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("member", self.data)
        with zipfile.ZipFile(self.dir / "zip") as archive, archive.open("member") as member:
            self.check(member)

    def test_pipes(self):
        for opened in (lambda fd: fd, lambda fd: open(fd, "rb"), lambda fd: open(fd, "rb", buffering=0)):
            read, write = os.pipe()

            def serve(write=write):
                with open(write, "wb") as pipe:
                    for piece in odd_pieces(self.data, self.random):
                        pipe.write(piece)

            self.served(serve)
            source = opened(read)
            try:
                self.check(source)
            finally:
                os.close(read) if source is read else source.close()

    def test_named_pipes(self):
        path = self.dir / "fifo"
        os.mkfifo(path)
        self.served(lambda: path.write_bytes(self.data))
        self.assertEqual(frazil.gen_sig_from_file(path), self.expected)

    def test_sockets(self):
        for opened in (lambda end: end, lambda end: end.makefile("rb"), lambda end: end.makefile("rb", buffering=0)):
            here, there = socket.socketpair()

            def serve(there=there):
                with there:
                    for piece in odd_pieces(self.data, self.random):
                        there.sendall(piece)

            self.served(serve)
            with here:
                source = opened(here)
                self.check(source)
                source.close()

    def test_a_socket_that_gives_nothing_in_time_is_an_error(self):
        here, there = socket.socketpair()
        with here, there:
            there.send(b"some")
            here.settimeout(0.01)
            with self.assertRaises(socket.timeout):
                frazil.gen_sig_from_stream(here)
            here.setblocking(False)
            with self.assertRaises(BlockingIOError):
                frazil.gen_sig_from_stream(here)

    def test_a_pipe_that_does_not_wait_is_an_error_not_an_end(self):
        read, write = os.pipe()
        os.set_blocking(read, False)
        try:
            os.write(write, b"some")
            for buffering in (0, -1):
                with open(read, "rb", buffering=buffering, closefd=False) as pipe, self.assertRaises(BlockingIOError):
                    frazil.gen_sig_from_stream(pipe)
        finally:
            os.close(read)
            os.close(write)

    def test_messages_of_another_process(self):
        here, there = multiprocessing.Pipe(duplex=False)

        def serve():
            with there:
                for piece in odd_pieces(self.data, self.random):
                    if piece:
                        there.send_bytes(piece)

        def received():
            while True:
                try:
                    yield here.recv_bytes()
                except EOFError:
                    return

        # It has a descriptor, but what comes through that are messages with their lengths.
        with self.assertRaises(TypeError):
            frazil.gen_sig_from_stream(here)
        self.served(serve)
        with here:
            self.check(received())

    def test_what_is_no_stream_of_bytes_is_refused(self):
        for source in ("a path", Path("a path"), io.StringIO("text"), None, True, 7.5, object(), "text" * 9, [1, 2], ["text"], (None,)):
            with self.subTest(repr(source)), self.assertRaises(TypeError):
                frazil.gen_sig_from_stream(source)

    def test_an_object_that_gives_what_it_should_not_is_refused(self):
        class Gives(OnlyRead):
            def read(self, length):
                return self.content(length) if callable(self.content) else self.content

        for given, kind in [
            ("text", TypeError),
            (7, TypeError),
            (lambda length: bytes(length + 1), ValueError),
            (None, BlockingIOError),
        ]:
            with self.subTest(given), self.assertRaises(kind):
                frazil.gen_sig_from_stream(Gives(given))

        class TooMuch(io.RawIOBase):
            def readable(self):
                return True

            def readinto(self, buffer):
                return len(buffer) + 1

        class Negative(TooMuch):
            def readinto(self, buffer):
                return -1

        for kind in (TooMuch, Negative):
            with self.assertRaises(ValueError):
                frazil.gen_sig_from_stream(kind())

    def test_bytes_are_a_path_where_a_path_may_stand_and_else_content(self):
        level = frazil.Level(self.data).read()
        path = self.write("level", level)
        for delta in (path, str(path), bytes(path), open(path, "rb", buffering=0), io.BytesIO(level), memoryview(level)):
            with self.subTest(type(delta).__name__):
                self.assertEqual(frazil.PatchReader(None, delta).read(), self.data)
                if hasattr(delta, "close"):
                    delta.close()
        with self.assertRaises(FileNotFoundError):
            frazil.PatchReader(None, b"no such level")

    def test_paths_with_any_bytes(self):
        name = os.path.join(bytes(self.dir), b"not utf-8: \xff")
        with open(name, "wb") as file:
            file.write(self.data)
        for path in (name, os.fsdecode(name), Path(os.fsdecode(name))):
            self.assertEqual(frazil.gen_sig_from_file(path), self.expected)
        with self.assertRaises(FileNotFoundError) as raised:
            frazil.gen_sig_from_file(name + b"!")
        self.assertEqual(os.fsencode(raised.exception.path), name + b"!")
        # C would take the name up to the zero byte.
        for path in (name + b"\0", os.fsdecode(name) + "\0more"):
            with self.assertRaises(ValueError):
                frazil.gen_sig_from_file(path)
        for path in (None, 7, io.BytesIO()):
            with self.assertRaises(TypeError):
                frazil.gen_sig_from_file(path)


class Sinks(Ground):
    class Slow(io.RawIOBase):
        """A raw file that takes a little at a time."""

        def __init__(self):
            self.taken = b""

        def writable(self):
            return True

        def write(self, data):
            self.taken += data[:777]
            return len(data[:777])

    def test_every_sink_is_given_all_of_the_stream(self):
        content = self.content(200_000)
        level = frazil.Level(content).read()
        slow, buffer, function = self.Slow(), io.BytesIO(), []
        for sink in (slow, buffer, function.append):
            with frazil.Patch(None, sink) as patch:
                patch.write(level)
        self.assertEqual(slow.taken, content)
        self.assertEqual(buffer.getvalue(), content)
        self.assertEqual(b"".join(function), content)
        path = self.dir / "compressed"
        with gzip.open(path, "wb") as sink:
            frazil.gen_sig_from_stream(content, delta_to=sink)
        with gzip.open(path) as source:
            self.assertEqual(frazil.PatchReader(None, source).read(), content)

    def test_what_a_sink_was_given_is_its_to_keep(self):
        kept = []
        with frazil.LevelWriter(kept.append) as writer:
            writer.write(self.content())
        self.assertEqual({type(piece) for piece in kept}, {bytes})

    def test_a_sink_that_does_not_take_it_is_an_error(self):
        class Sink(self.Slow):
            def __init__(self, answer):
                super().__init__()
                self.answer = answer

            def write(self, data):
                return self.answer(len(data))

        for answer, kind in [(lambda n: None, BlockingIOError), (lambda n: 0, ValueError), (lambda n: n + 1, ValueError), (lambda n: -1, ValueError)]:
            with self.assertRaises(kind):
                frazil.gen_sig_from_stream(b"content", delta_to=Sink(answer))
            with self.assertRaises(kind), frazil.LevelWriter(Sink(answer)) as writer:
                writer.write(b"content")
        for sink in (io.StringIO(), "path", 7, None):
            with self.subTest(repr(sink)), self.assertRaises(TypeError):
                frazil.LevelWriter(sink)
