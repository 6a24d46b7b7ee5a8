"""Levels are made, read and restored in every form."""

import io
import shutil

import frazil
from ground import Ground, odd_pieces

FORMS = ("iterated", "read", "read in pieces", "read1", "readinto", "chunks", "copied", "pushed", "blueprint", "file")


class Levels(Ground):
    def made(self, form, path, basis, **options):
        """A level of the file at `path`, and the new signature, in one of the forms."""
        if form == "pushed":
            pieces = []
            with frazil.LevelWriter(pieces.append, basis, **options) as writer:
                for piece in odd_pieces(path.read_bytes(), self.random):
                    self.assertEqual(writer.write(piece), len(piece))
            return b"".join(pieces), writer.summary.signature
        if form == "blueprint":
            buffer = io.BytesIO()
            return buffer, frazil.gen_sig_from_file(path, basis, delta_to=buffer, **options)
        if form == "file":
            made = self.dir / "made"
            made.unlink(missing_ok=True)
            summary = frazil.level_file(path, made, basis, **options)
            return made.read_bytes(), summary.signature
        with frazil.Level.of_file(path, basis, **options) as level:
            return self.pulled(form, level), level.finish()

    def pulled(self, form, level):
        if form == "iterated":
            return b"".join(level)
        if form == "read":
            return level.read()
        if form == "read in pieces":
            return b"".join(iter(lambda: level.read(10_007), b""))
        if form == "read1":
            return b"".join(iter(level.read1, b""))
        if form == "chunks":
            return b"".join(level.chunks(4_099))
        if form == "copied":
            copy = io.BytesIO()
            shutil.copyfileobj(level, copy)
            return copy.getvalue()
        buffer, made = bytearray(65_521), b""
        while True:
            count = level.readinto(buffer)
            made += buffer[:count]
            if count < len(buffer):
                return made

    def test_every_form_of_a_level_restores_the_content(self):
        first = self.content()
        second = self.edited(first)
        old, new = self.write("old", first), self.write("new", second)
        for form in FORMS:
            with self.subTest(form):
                level0, signature = self.made(form, old, None)
                level1, after = self.made(form, new, signature)
                self.assertEqual(after, frazil.Signature.of_file(new))
                level0, level1 = (made.getvalue() if isinstance(made, io.BytesIO) else made for made in (level0, level1))
                self.assertLess(len(level1), len(second) // 2)
                restored = self.dir / "restored"
                frazil.patch_from_stream(level0, restored)
                self.assertEqual(restored.read_bytes(), first)
                frazil.patch_from_stream(level1, restored)
                self.assertEqual(restored.read_bytes(), second)
                restored.unlink()

    def test_options_reach_the_level(self):
        content = self.content(100_000)
        signature = frazil.Signature.of_stream(content)
        for options in (
            {"format": "rdiff"},
            {"engine": "librsync"},
            {"matching": "aligned"},
            {"matching": "rolling"},
            {"block_len": 512},
            {"threads": 1},
            {"memory_limit": 1 << 28},
            {"basis_path": b"named/by/bytes"},
            {"matching": None, "threads": None},
        ):
            with self.subTest(options):
                level = frazil.Level(content, signature, **options)
                made = level.read()
                summary = level.finish_summary()
                self.assertEqual(summary.source_bytes, len(content))
                self.assertEqual(summary.stream_bytes, len(made))
                if "matching" in options and options["matching"]:
                    self.assertEqual(summary.matching, options["matching"])
                if "block_len" in options:
                    self.assertEqual(summary.signature.block_len, 512)
                self.assertEqual(made[:4] == b"rs\x026", "format" in options)

    def test_a_summary_says_what_was_done(self):
        content = self.content()
        signature = frazil.Signature.of_stream(content)
        with frazil.Level(content + b"more", signature) as level:
            made = level.read()
            summary = level.finish_summary()
        self.assertEqual(summary.source_bytes, len(content) + 4)
        self.assertEqual(summary.stream_bytes, len(made))
        self.assertEqual(summary.copy_bytes + summary.literal_bytes + summary.zero_bytes, summary.source_bytes)
        self.assertEqual(summary.identity, summary.signature.identity)
        self.assertFalse(summary.dirty)

    def test_a_plain_level_need_not_be_identified(self):
        content = self.content()
        with frazil.Level(content, format="rdiff", identify=False) as level:
            made = level.read()
            summary = level.finish_summary()
        with frazil.Level(content, format="rdiff", identify=True) as level:
            self.assertEqual(made, level.read())
            self.assertEqual(level.finish_summary().identity.length, len(content))
        self.assertEqual((summary.identity, summary.signature.identity), (None, None))
        with self.assertRaisesRegex(frazil.InvalidInputError, "a sealed stream identifies its content"):
            frazil.Level(content, identify=False)

    def test_a_level_that_was_not_read_gives_the_signature_alone(self):
        content = self.content()
        level = frazil.Level(content)
        self.assertEqual(level.finish(), frazil.Signature.of_stream(content))

    def test_a_level_that_was_read_in_part_has_no_end(self):
        with frazil.Level(self.content()) as level:
            level.read(10)
            with self.assertRaises(frazil.StateError):
                level.finish()

    def test_a_signature_goes_to_a_sink_and_is_not_held(self):
        content = self.content()
        for form in ("sealed", "rdiff"):
            sink = io.BytesIO()
            level = frazil.Level(content, signature_to=sink, signature_format=form)
            level.read()
            self.assertIsNone(level.finish_summary().signature)
            found = frazil.Signature.from_bytes(sink.getvalue())
            self.assertEqual(found.blocks, frazil.Signature.of_stream(content).blocks)
            self.assertEqual(found.length, len(content) if form == "sealed" else None)
        level = frazil.Level(content, hold_signature=False)
        level.read()
        with self.assertRaises(frazil.InvalidInputError):
            level.finish()

    def test_a_source_may_be_longer_than_what_is_wanted_of_it(self):
        for source in (b"x" * 1_000, [b"x" * 600, b"x" * 400], io.BytesIO(b"x" * 1_000)):
            self.assertEqual(frazil.Signature.of_stream(source, target_len=700).length, 700)

    def test_what_is_read_is_as_long_as_it_can_be(self):
        with frazil.Level(self.random.randbytes(3_000_000)) as level:
            pieces = list(level)
        self.assertEqual({len(piece) for piece in pieces[:-1]}, {frazil.CHUNK_LEN})
        self.assertTrue(0 < len(pieces[-1]) < frazil.CHUNK_LEN)

    def test_a_level_is_a_readable_file_object(self):
        with frazil.Level(self.content()) as level:
            self.assertIsInstance(level, io.BufferedIOBase)
            self.assertTrue(level.readable())
            self.assertFalse(level.writable() or level.seekable() or level.closed)
            self.assertEqual((level.read(0), level.readinto(bytearray()), level.read1(0)), (b"", 0, b""))
            with self.assertRaises(OSError):
                level.fileno()
            with self.assertRaises(TypeError):
                level.readinto(b"cannot be written")
            with self.assertRaises(ValueError):
                level.chunks(0)
        self.assertTrue(level.closed)

    def test_a_level_may_be_the_source_of_another(self):
        content = self.content()
        inner = frazil.Level(content)
        outer = frazil.Level(inner).read()
        frazil.patch_from_stream(frazil.PatchReader(None, io.BytesIO(outer)), self.dir / "restored")
        self.assertEqual((self.dir / "restored").read_bytes(), content)

    def test_a_file_that_changes_meanwhile_is_dirty(self):
        path = self.write("growing", self.content())
        problems = []
        with frazil.Level.of_file(path, problem=problems.append) as level:
            level.read(1)
            with open(path, "ab") as file:
                file.write(b"more")
            level.read()
            self.assertTrue(level.finish().dirty)
        self.assertEqual([type(problem) for problem in problems], [frazil.SourceChangedError])
