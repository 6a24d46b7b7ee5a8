"""Closing, finishing and failing, early, twice and too late."""

import copy
import gc
import io
import os
import pickle
import weakref

import frazil
from ground import Ground


class States(Ground):
    def setUp(self):
        super().setUp()
        self.data = self.content()
        self.level = frazil.Level(self.data).read()
        (self.dir / "tree").mkdir()
        self.write("tree/file", self.data)
        archive = io.BytesIO()
        frazil.backup_tree(self.dir / "tree", archive, self.dir / "snapshot")
        self.archive = archive.getvalue()
        self.before = self.left()

    def readers(self):
        return {
            "level": lambda: frazil.Level(self.data),
            "level of a file": lambda: frazil.Level.of_file(self.dir / "tree/file"),
            "level of a generator": lambda: frazil.Level(self.data[at : at + 999] for at in range(0, len(self.data), 999)),
            "patch": lambda: frazil.PatchReader(None, io.BytesIO(self.level)),
            "backup": lambda: frazil.TreeBackup(self.dir / "tree", self.dir / "new"),
        }

    def writers(self):
        return {
            "level": (lambda: frazil.LevelWriter(lambda _: None), self.data),
            "patch": (lambda: frazil.Patch(None, self.dir / "new"), self.level),
            "patch to a function": (lambda: frazil.Patch(None, lambda _: None), self.level),
            "restore": (lambda: frazil.TreeRestore(self.dir / "new"), self.archive),
        }

    def refused(self, *calls):
        for call in calls:
            with self.assertRaises(frazil.StateError):
                call()
            # What Python raises when a file is closed.
            with self.assertRaises(ValueError):
                call()

    def test_a_reader_may_be_closed_at_any_time(self):
        for name, opened in self.readers().items():
            for read in (0, 1, 1_000, 500_000, -1):
                with self.subTest(name, read=read):
                    stream = opened()
                    stream.read(read)
                    stream.close()
                    stream.close()
                    self.assertTrue(stream.closed)
                    self.refused(lambda: stream.read(1), stream.read1, lambda: stream.readinto(bytearray(1)))
                    self.refused(lambda: next(stream), stream.finish)
                    with self.assertRaises(ValueError), stream:
                        pass
                    self.assertEqual(self.left(), self.before)

    def test_a_reader_finishes_once(self):
        for name, opened in self.readers().items():
            with self.subTest(name), opened() as stream:
                stream.read()
                self.assertEqual((stream.read(1), next(stream, None)), (b"", None))
                stream.finish()
                self.refused(stream.finish, stream.read)
            (self.dir / "new").unlink(missing_ok=True)

    def test_leaving_the_loop_leaves_the_stream_where_it_is(self):
        stream = frazil.Level(self.random.randbytes(3_000_000))
        pieces = [next(stream)]
        for piece in stream.chunks(1_000):
            pieces.append(piece)
            break
        pieces.extend(stream)
        stream.finish()
        frazil.patch_from_stream(b"".join(pieces), self.dir / "new")

    def test_a_writer_may_be_closed_at_any_time(self):
        for name, (opened, data) in self.writers().items():
            for written in (0, 1, 1_000, len(data)):
                with self.subTest(name, written=written):
                    stream = opened()
                    stream.write(data[:written])
                    stream.close()
                    stream.close()
                    self.assertTrue(stream.closed)
                    self.refused(lambda: stream.write(b"more"), stream.finish, lambda: stream.summary)
                    self.assertEqual(self.left(), self.before)

    def test_what_is_closed_answers_as_a_closed_file(self):
        path = self.write("closed", b"")
        forms = [(False, lambda: io.FileIO(path, "w")), *((False, opened) for opened, _ in self.writers().values())]
        forms += [(True, opened) for opened in self.readers().values()]
        for reads, opened in forms:
            # One after the other, since several make the same file.
            stream = opened()
            with self.subTest(type(stream).__name__):
                self.assertEqual((stream.readable(), stream.writable()), (reads, not reads))
                stream.close()
                calls = [stream.__enter__, stream.flush, stream.readable]
                for call in calls if reads else [*calls, stream.writable, stream.seekable]:
                    with self.assertRaises(ValueError):
                        call()

    def test_a_writer_finishes_once(self):
        for name, (opened, data) in self.writers().items():
            with self.subTest(name), opened() as stream:
                stream.write(data)
                summary = stream.finish()
                self.refused(stream.finish, lambda: stream.write(b"more"))
            self.assertIs(stream.summary, summary)
            made = self.dir / "new"
            if made.is_file():
                made.unlink()

    def test_a_failure_is_the_last_word(self):
        for name, (opened, _) in self.writers().items():
            if name == "level":
                continue  # any bytes are content
            with self.subTest(name):
                stream = opened()
                with self.assertRaises(frazil.Error):
                    for _ in range(100):
                        stream.write(self.random.randbytes(100_000))
                    stream.finish()
                self.refused(lambda: stream.write(b"more"), stream.finish)
                stream.close()
                self.assertEqual(self.left(), self.before)
        damaged = bytearray(self.level)
        damaged[len(damaged) // 2] ^= 1
        stream = frazil.PatchReader(None, memoryview(damaged))
        with self.assertRaises(frazil.CorruptError):
            stream.read()
        self.refused(stream.read, stream.finish)

    def test_what_could_not_be_opened_leaves_nothing(self):
        calls = (
            lambda: frazil.Level.of_file(self.dir / "none"),
            lambda: frazil.Level(7.5),
            lambda: frazil.Level(b"", no_such_option=1),
            lambda: frazil.Level(),
            lambda: frazil.LevelWriter(print, block_len=0x7FFF_FFFF),
            lambda: frazil.Patch(self.dir / "none", self.dir / "new"),
            lambda: frazil.Patch(None, self.dir / "none/new"),
            lambda: frazil.TreeBackup(self.dir / "none", self.dir / "new"),
            lambda: frazil.TreeRestore(self.dir / "snapshot").finish(),
        )
        for number, call in enumerate(calls):
            with self.subTest(number), self.assertRaises((frazil.Error, TypeError)):
                call()
        gc.collect()
        self.assertEqual(self.left(), self.before)

    def test_what_is_forgotten_is_freed_with_what_it_held(self):
        class Stream(io.BytesIO):
            pass

        source, sink = Stream(self.data), Stream()
        references = [weakref.ref(source), weakref.ref(sink)]
        level, patch = frazil.Level(source), frazil.Patch(None, sink)
        level.read(1_000)
        references += [weakref.ref(level), weakref.ref(patch)]
        # At once, and not when the collector finds it: nothing holds itself.
        gc.disable()
        self.addCleanup(gc.enable)
        del source, sink, level, patch
        self.assertEqual([reference() for reference in references], [None] * 4)

    def test_what_calls_its_owner_is_collected_with_it(self):
        class Agent:
            def __init__(self, opened):
                self.stream = opened(self)

            def told(self, _progress):
                pass

            def pieces(self):
                yield b"content" + bytes(len(self.__dict__))

        before = self.left(), len(os.listdir("/proc/self/fd"))
        for name, opened in {
            "progress": lambda agent: frazil.Level(b"content", progress=agent.told),
            "source": lambda agent: frazil.Level(agent.pieces()),
            "sink": lambda agent: frazil.LevelWriter(agent.told),
            "target": lambda agent: frazil.Patch(None, self.dir / "new", progress=agent.told),
            "restore": lambda agent: frazil.TreeRestore(self.dir / "tree2", progress=agent.told),
        }.items():
            with self.subTest(name):
                streams = [weakref.ref(Agent(opened).stream) for _ in range(3)]
                gc.collect()
                self.assertEqual([stream() for stream in streams], [None] * 3)
                self.assertEqual((self.left(), len(os.listdir("/proc/self/fd"))), before)

    def test_what_was_raised_holds_nothing_once_it_is_forgotten(self):
        class Stream(io.BytesIO):
            def readinto(self, _buffer):
                raise ValueError

        gc.disable()
        self.addCleanup(gc.enable)
        streams = [Stream() for _ in range(3)]
        references = [weakref.ref(stream) for stream in streams]
        while streams:
            # `assertRaises` of Python 3.12 keeps the frames that it passes.
            try:
                frazil.Level(streams.pop()).read()
            except ValueError:
                continue
            self.fail("nothing was raised")
        self.assertEqual([reference() for reference in references], [None] * 3)

    def test_giving_up_inside_a_block_is_no_failure(self):
        for name, (opened, data) in self.writers().items():
            with self.subTest(name):
                with opened() as stream:
                    stream.write(data[:1_000])
                    stream.close()
                self.assertEqual(self.left(), self.before)

    def test_what_is_forgotten_publishes_nothing(self):
        for name, (opened, data) in self.writers().items():
            with self.subTest(name):
                opened().write(data)
                self.assertEqual(self.left(), self.before)
        for name, opened in self.readers().items():
            with self.subTest(name):
                opened().read()
                self.assertEqual(self.left(), self.before)

    def test_a_number_that_does_not_fit_is_refused(self):
        for options in ({"block_len": 1 << 32}, {"block_len": -1}, {"memory_limit": 1 << 64}, {"threads": -1}):
            with self.subTest(options), self.assertRaises(frazil.InvalidInputError):
                frazil.Level(b"", **options)
        for options in ({"block_len": 7.5}, {"block_len": "7"}):
            with self.subTest(options), self.assertRaises(TypeError):
                frazil.Level(b"", **options)

    def test_what_is_no_number_and_no_signature_is_a_type_error(self):
        signature = frazil.Signature.of_stream(self.data)
        with frazil.Level(self.data) as level:
            for call in (
                lambda: frazil.Level(self.data, "signature"),
                lambda: frazil.LevelWriter(print, self.level),
                lambda: frazil.gen_sig_from_stream(self.data, 7),
                lambda: signature.compare(None),
                lambda: signature.blocks[1.0],
                lambda: level.read(1.5),
                lambda: level.read1(1.5),
                lambda: level.chunks(2.5),
            ):
                with self.assertRaises(TypeError):
                    call()
            for length in (1 << 63, 1 << 64, (1 << 64) + 100):
                with self.assertRaises(OverflowError):
                    level.read(length)
            frazil.patch_from_stream(level, self.dir / "new")
            self.assertEqual((self.dir / "new").read_bytes(), self.data)

    def test_a_comparison_is_closed_as_any_file(self):
        signature = frazil.Signature.of_stream(self.data)
        signature.save(self.dir / "new")
        before = len(os.listdir("/proc/self/fd"))
        with frazil.compare_files(self.dir / "new", self.dir / "new") as comparison:
            self.assertEqual(next(comparison).kind, "same")
        comparison.close()
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)
        self.refused(lambda: next(comparison))

    def test_what_there_is_one_of_is_neither_pickled_nor_copied(self):
        signature = frazil.Signature.of_stream(self.data)
        opened = {
            **self.readers(),
            **{name: opened for name, (opened, _) in self.writers().items()},
            "comparison": lambda: signature.compare(signature),
            "listing": lambda: frazil.iter_archive(memoryview(self.archive)),
        }
        for name, make in opened.items():
            one = make()
            for way in (copy.copy, copy.deepcopy, pickle.dumps, lambda one: pickle.dumps(one, 0)):
                with self.subTest(name), self.assertRaises(TypeError) as refused:
                    way(one)
                message = f"a {type(one).__name__} cannot be pickled or copied"
                self.assertEqual(str(refused.exception), message)
            one.close()

    def test_no_limit_is_nothing_that_0_stands_for(self):
        for call in (
            lambda: frazil.PatchReader(None, memoryview(self.level), max_output=0),
            lambda: frazil.Patch(None, print, index_memory=0),
            lambda: frazil.Level(b"", memory_limit=0),
            lambda: frazil.Level(b"", block_len=0),
            lambda: frazil.Signature.load(io.BytesIO(b""), memory_limit=0),
            lambda: frazil.TreeBackup(self.dir / "tree", self.dir / "new", link_memory=0),
            lambda: frazil.TreeRestore(self.dir / "new", max_file_len=0),
        ):
            with self.assertRaises(frazil.InvalidInputError):
                call()

    def test_a_signature_that_is_not_held_is_refused_before_anything_is_read(self):
        for options in ({"hold_signature": False}, {"signature_to": lambda _: None}):
            source, written = io.BytesIO(self.data), []
            with self.assertRaises(frazil.InvalidInputError):
                frazil.gen_sig_from_stream(source, delta_to=written.append, **options)
            self.assertEqual((source.tell(), written), (0, []))
            with frazil.Level(source, **options) as level:
                level.read()
                with self.assertRaises(frazil.InvalidInputError):
                    level.finish()
                self.assertEqual(level.finish_summary().source_bytes, len(self.data))

    def test_every_stream_has_its_summary_once_it_is_finished(self):
        for name, opened in self.readers().items():
            with self.subTest(name), opened() as stream:
                stream.read()
                self.refused(lambda: stream.summary)
                finished = stream.finish()
                self.assertIs(stream.summary if "level" not in name else stream.summary.signature, finished)
            (self.dir / "new").unlink(missing_ok=True)

    def test_an_option_that_is_none_of_them_is_refused(self):
        for options in ({"size": 8}, {"reserved": 0}, {"observer": None}, {"no_signature": True}, {"mathing": "auto"}):
            with self.subTest(options), self.assertRaises(TypeError):
                frazil.Level(b"", **options)
        for options in ({"matching": "automatic"}, {"matching": 0}, {"format": "tar"}, {"weak_sum": "sum"}):
            with self.subTest(options), self.assertRaises(frazil.InvalidInputError):
                frazil.Level(b"", **options)
