"""Bases and the levels of a chain are read wherever Python has them, at any place."""

import gzip
import io
import mmap
import os
import socket

import frazil
from ground import Ground, OnlyRead


class Shy(io.BytesIO):
    """A file that gives fewer bytes than it could, and counts how often it is asked."""

    asked = 0

    def readinto(self, buffer):
        self.asked += 1
        return super().readinto(memoryview(buffer)[:10_007])


class OnlySeek(OnlyRead):
    """An object that has `read`, `seek` and `tell`, and nothing else."""

    def __init__(self, content):
        self.all, self.at = content, 0

    def seek(self, offset, whence):
        self.at = offset + (len(self.all) if whence == os.SEEK_END else 0)

    def tell(self):
        return self.at

    def read(self, length):
        given = self.all[self.at : self.at + min(length, 9_999)]
        self.at += len(given)
        return given


class Inputs(Ground):
    def setUp(self):
        super().setUp()
        self.first = self.content()
        self.second = self.edited(self.first)
        self.third = self.edited(self.second)
        self.levels, signature = [], None
        for content in (self.first, self.second, self.third):
            buffer = io.BytesIO()
            signature = frazil.gen_sig_from_stream(content, signature, delta_to=buffer)
            self.levels.append(buffer.getvalue())

    def kinds(self, name, content):
        """The same bytes in everything that can be read at any place."""
        path = self.write(name, content)
        with gzip.open(self.dir / f"{name}.gz", "wb") as file:
            file.write(content)
        mapped = mmap.mmap(-1, len(content))
        mapped[:] = content
        buffered, unbuffered = open(path, "rb"), open(path, "rb", buffering=0)
        descriptor = os.open(path, os.O_RDONLY)
        compressed = gzip.open(self.dir / f"{name}.gz")
        # Where they stand does not matter.
        for file in (buffered, unbuffered, compressed):
            file.seek(1_234)
        os.lseek(descriptor, 1_234, os.SEEK_SET)
        for close in (mapped.close, buffered.close, unbuffered.close, compressed.close):
            self.addCleanup(close)
        self.addCleanup(os.close, descriptor)
        return {
            "str": str(path),
            "bytes": bytes(path),
            "path": path,
            "buffered": buffered,
            "unbuffered": unbuffered,
            "descriptor": descriptor,
            "compressed": compressed,
            "mmap": mapped,
            "bytearray": bytearray(content),
            "memoryview": memoryview(content),
            "BytesIO": io.BytesIO(content),
            "shy": Shy(content),
            "only seek": OnlySeek(content),
        }

    def test_a_basis_of_every_kind_serves_every_form(self):
        delta, target = self.levels[1], self.dir / "target"
        level = self.write("level.1", delta)
        for name, basis in self.kinds("first", self.first).items():
            with self.subTest(name):
                self.assertEqual(frazil.PatchReader(basis, io.BytesIO(delta)).read(), self.second)
                with frazil.PatchReader.of_levels(basis, [level]) as patch:
                    self.assertEqual(patch.read(), self.second)
                for sink in (target, io.BytesIO()):
                    with frazil.Patch(basis, sink) as patch:
                        patch.write(delta)
                    made = sink.getvalue() if sink is not target else target.read_bytes()
                    self.assertEqual(made, self.second)
                frazil.patch_file(basis, level, target, replace=True)
                frazil.chain_file(basis, [level, io.BytesIO(self.levels[2])], target, replace=True)
                self.assertEqual(target.read_bytes(), self.third)
                target.unlink()

    def test_a_length_that_is_none_is_refused(self):
        for told, refused in ((-5, frazil.InvalidInputError), (1 << 63, frazil.InvalidInputError),
                              (1 << 64, frazil.InvalidInputError), (1 << 70, frazil.InvalidInputError),
                              (7.5, TypeError), (None, TypeError), ("7", TypeError)):
            content = OnlySeek(self.levels[0])
            content.tell = lambda told=told: told
            for call in (
                lambda: frazil.PatchReader.of_levels(None, [content]),
                lambda: frazil.PatchReader(content, io.BytesIO(self.levels[1])),
            ):
                with self.subTest(told=told), self.assertRaises(refused) as raised:
                    call()
                if refused is frazil.InvalidInputError:
                    message = f"the length that `tell` gives is a number from 0 to 2^63 - 1, not {told}"
                    self.assertEqual(str(raised.exception), message)

    def test_the_levels_of_a_chain_are_of_every_kind(self):
        kinds = [self.kinds(f"level.{number}", level) for number, level in enumerate(self.levels)]
        for name in kinds[0]:
            with self.subTest(name):
                levels = [kind[name] for kind in kinds]
                with frazil.PatchReader.of_levels(None, iter(levels)) as patch:
                    self.assertEqual(patch.read(), self.third)
                    self.assertEqual(patch.finish().output_bytes, len(self.third))
                frazil.chain_file(None, levels, self.dir / "target", replace=True)
                self.assertEqual((self.dir / "target").read_bytes(), self.third)

    def test_a_callback_is_what_reads(self):
        basis = Shy(self.first)
        frazil.patch_file(basis, io.BytesIO(self.levels[1]), self.dir / "target")
        self.assertGreater(basis.asked, len(self.first) // 2 // 10_007)

    def test_what_cannot_be_read_at_any_place_is_refused(self):
        delta = memoryview(self.levels[1])
        read, write = os.pipe()
        here, there = socket.socketpair()
        with here, there, open(read, "rb") as pipe, here.makefile("rb") as made:
            os.close(write)
            for basis in (read, pipe, here.fileno(), made):
                with self.subTest(repr(basis)), self.assertRaises(frazil.InvalidInputError):
                    frazil.PatchReader(basis, delta)
            for basis in (here, OnlyRead(b""), iter([b""]), 7.5, True, object(), ["path"]):
                with self.subTest(repr(basis)), self.assertRaises(TypeError):
                    frazil.PatchReader(basis, delta)
                with self.subTest(repr(basis)), self.assertRaises(TypeError):
                    frazil.PatchReader.of_levels(None, [basis])
        text = self.write("text", b"text")
        with open(text) as file, self.assertRaises(TypeError):
            frazil.PatchReader(file, delta)
        with self.assertRaises(TypeError):
            frazil.PatchReader.of_levels(None, [None])

    def test_one_level_alone_is_not_taken_for_several(self):
        level = self.write("level", self.levels[0])
        # The bytes of a view would be taken for descriptors.
        with open(level, "rb") as file:
            for levels in (str(level), bytes(level), level, memoryview(self.levels[0]), file, 7, None):
                with self.subTest(type(levels).__name__), self.assertRaises(TypeError):
                    frazil.chain_file(None, levels, self.dir / "target")
        self.assertEqual(self.left(), ["level"])

    def test_a_basis_that_shrinks_or_is_another_publishes_nothing(self):
        class Shrinking(Shy):
            def readinto(self, buffer):
                return super().readinto(buffer) if self.asked < 20 else 0

        for basis in (Shrinking(self.first), io.BytesIO(self.third), io.BytesIO(self.first[:-1])):
            with self.assertRaises(frazil.WrongBasisError):
                frazil.patch_file(basis, io.BytesIO(self.levels[1]), self.dir / "target")
        self.assertEqual(self.left(), [])

    def test_a_signature_in_its_file_serves_as_the_basis_of_a_level(self):
        frazil.Signature.of_stream(self.first).save(self.dir / "signature")
        for matching in ("aligned", "rolling", "auto"):
            level = frazil.Level(self.second, basis_signature_path=self.dir / "signature", matching=matching)
            made = level.read()
            summary = level.finish_summary()
            self.assertEqual(summary.matching, matching)
        self.assertGreater(summary.copy_bytes, 0)
        frazil.patch_file(io.BytesIO(self.first), io.BytesIO(made), self.dir / "target")
        self.assertEqual((self.dir / "target").read_bytes(), self.second)
        with self.assertRaises(frazil.InvalidInputError):
            frazil.Level(self.second, summary.signature, basis_signature_path=self.dir / "signature")

    def test_a_stream_says_what_it_is(self):
        signature = frazil.Signature.of_stream(self.second)
        saved = signature.to_bytes()
        path = self.write("signature", saved)
        with open(path, "rb", buffering=0) as file:
            for source in (path, bytes(path), file, io.BytesIO(saved), memoryview(saved), iter([saved])):
                with self.subTest(type(source).__name__):
                    said = frazil.inspect(source)
                    self.assertEqual((said.kind, said.format, said.stream_bytes), ("signature", "sealed", len(saved)))
                    self.assertEqual((said.block_len, said.block_count), (signature.block_len, len(signature.blocks)))
                    self.assertEqual((said.weak_sum, said.strong_sum, said.strong_len), ("rabin_karp", "blake2", 32))
                    self.assertEqual((said.identity, said.dirty), (signature.identity, False))
                    self.assertEqual((said.copy_bytes, said.basis_len), (None, None))

        said = frazil.inspect(memoryview(self.levels[1]))
        self.assertEqual((said.kind, said.block_len, said.identity), ("delta", None, signature.identity))
        self.assertEqual(said.copy_bytes + said.literal_bytes + said.zero_bytes, len(self.second))
        basis = frazil.Signature.of_stream(self.first)
        self.assertEqual((said.basis_len, said.basis_fingerprint), (basis.length, basis.fingerprint))
        plain = frazil.inspect(io.BytesIO(frazil.Level(self.second, basis, format="rdiff").read()))
        self.assertEqual((plain.format, plain.identity, plain.basis_len), ("rdiff", None, None))

        damaged = bytearray(self.levels[1])
        damaged[len(damaged) // 2] ^= 1
        with self.assertRaises(frazil.CorruptError):
            frazil.inspect(damaged)
        with self.assertRaises(frazil.TruncatedError):
            frazil.inspect(memoryview(self.levels[1])[:-1])
        with self.assertRaises(FileNotFoundError):
            frazil.inspect(self.dir / "none")
