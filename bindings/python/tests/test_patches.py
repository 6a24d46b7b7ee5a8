"""Patches restore, verified, or leave what was there."""

import io
import os

import frazil
from ground import Ground, odd_pieces


class Patches(Ground):
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
        self.paths = [self.write(f"level.{number}", level) for number, level in enumerate(self.levels)]
        self.restored = self.dir / "restored"

    def fed(self, basis, target, level, **options):
        with frazil.Patch(basis, target, **options) as patch:
            for piece in odd_pieces(level, self.random):
                patch.write(piece)
        return patch.summary

    def test_levels_are_fed_one_after_the_other(self):
        summary = self.fed(None, self.restored, self.levels[0])
        self.assertEqual((summary.output_bytes, summary.stream_bytes), (len(self.first), len(self.levels[0])))
        self.assertTrue(summary.verified)
        self.assertEqual(self.restored.read_bytes(), self.first)
        self.fed(self.restored, self.restored, self.levels[1], replace=True)
        self.assertEqual(self.restored.read_bytes(), self.second)
        pieces = []
        self.fed(self.restored, pieces.append, self.levels[2])
        self.assertEqual(b"".join(pieces), self.third)

    def test_a_target_is_read(self):
        self.write("first", self.first)
        for delta in (self.paths[1], io.BytesIO(self.levels[1]), odd_pieces(self.levels[1], self.random)):
            with frazil.PatchReader(self.dir / "first", delta) as patch:
                self.assertEqual(b"".join(patch), self.second)
                summary = patch.finish()
            self.assertEqual(summary.identity, frazil.Signature.of_stream(self.second).identity)

    def test_levels_are_composed_in_one_pass(self):
        with frazil.PatchReader.of_levels(None, self.paths) as patch:
            self.assertEqual(patch.read(), self.third)
            patch.finish()
        frazil.chain_file(None, iter(self.paths), self.restored)
        self.assertEqual(self.restored.read_bytes(), self.third)

    def test_files_are_patched_in_one_call(self):
        frazil.patch_file(None, self.paths[0], self.restored)
        with self.assertRaises(frazil.ExistsError):
            frazil.patch_file(self.restored, self.paths[1], self.restored)
        with open(self.paths[1], "rb", buffering=0) as delta:
            frazil.patch_file(self.restored, delta, self.restored, replace=True)
        self.assertEqual(self.restored.read_bytes(), self.second)
        frazil.patch_file(self.restored, iter([self.levels[2]]), self.restored, replace=True)
        self.assertEqual(self.restored.read_bytes(), self.third)

    def test_a_file_is_patched_in_place(self):
        self.write("image", self.first)
        inode = os.stat(self.dir / "image").st_ino
        summary = frazil.patch_in_place(self.dir / "image", self.paths[1])
        self.assertEqual((self.dir / "image").read_bytes(), self.second)
        self.assertEqual((summary.output_bytes, os.stat(self.dir / "image").st_ino), (len(self.second), inode))

    def test_the_functions_of_the_blueprint(self):
        frazil.patch_from_file(self.paths[0], self.restored)
        frazil.patch_from_file(self.paths[1], self.restored)
        self.assertEqual(self.restored.read_bytes(), self.second)
        with open(self.paths[2], "rb") as pipe:
            frazil.patch_from_file(self.restored, self.dir / "created", pipe)
        self.assertEqual((self.dir / "created").read_bytes(), self.third)
        self.assertEqual(self.restored.read_bytes(), self.second)
        with self.assertRaises(frazil.WrongBasisError):
            frazil.patch_from_stream(self.levels[0], self.restored)
        frazil.patch_from_stream(self.levels[0], self.restored, replace=True)
        self.assertEqual(self.restored.read_bytes(), self.first)

    def test_a_patch_without_its_end_publishes_nothing(self):
        for length in (0, 1, 30, len(self.levels[0]) // 2, len(self.levels[0]) - 1):
            with self.subTest(length):
                cut = self.levels[0][:length]
                with self.assertRaises(frazil.TruncatedError):
                    self.fed(None, self.restored, cut)
                with self.assertRaises(frazil.TruncatedError):
                    frazil.patch_from_stream(cut, self.restored)
                with self.assertRaises(frazil.TruncatedError):
                    frazil.PatchReader(None, memoryview(cut)).read()
                self.assertFalse(self.restored.exists())
        self.write("restored", self.first)
        with self.assertRaises(frazil.TruncatedError):
            self.fed(self.restored, self.restored, self.levels[1][:-1], replace=True)
        self.assertEqual(self.restored.read_bytes(), self.first)
        self.assertEqual(self.left(), ["level.0", "level.1", "level.2", "restored"])

    def test_a_block_that_is_left_by_an_exception_publishes_nothing(self):
        class Mine(Exception):
            pass

        mine = Mine()
        with self.assertRaises(Mine) as raised, frazil.Patch(None, self.restored) as patch:
            patch.write(self.levels[0])
            raise mine
        self.assertIs(raised.exception, mine)
        self.assertTrue(patch.closed)
        self.assertEqual(self.left(), ["level.0", "level.1", "level.2"])

    def test_a_failure_that_was_ignored_in_the_block_publishes_nothing(self):
        with self.assertRaises(frazil.StateError), frazil.Patch(None, self.restored) as patch:
            with self.assertRaises(frazil.CorruptError):
                patch.write(b"no delta at all")
                patch.write(self.levels[0])
        self.assertFalse(self.restored.exists())

    def test_the_wrong_basis_publishes_nothing(self):
        self.write("restored", self.third)
        with self.assertRaises(frazil.WrongBasisError):
            self.fed(self.restored, self.restored, self.levels[1], replace=True)
        self.assertEqual(self.restored.read_bytes(), self.third)

    def test_a_patch_that_was_not_finished_publishes_nothing(self):
        patch = frazil.Patch(None, self.restored)
        patch.write(self.levels[0])
        patch.close()
        self.assertEqual(self.left(), ["level.0", "level.1", "level.2"])

    def test_more_than_is_allowed_does_not_come_out(self):
        for options in ({"max_output": 1_000}, {"max_output": 999_999}):
            with self.assertRaises(frazil.LimitError):
                self.fed(None, self.restored, self.levels[0], **options)

    def test_a_patch_is_written_to_like_a_file(self):
        patch = frazil.Patch(None, self.restored)
        self.assertTrue(patch.writable())
        self.assertFalse(patch.readable() or patch.seekable() or patch.closed)
        level = self.levels[0]
        for piece in (bytearray(level[:100]), memoryview(level)[100:200], memoryview(bytearray(level[200:300])), b"", memoryview(b"")):
            patch.write(piece)
        patch.write(level[300:])
        patch.flush()
        with self.assertRaises(TypeError):
            patch.write("text")
        with self.assertRaises(frazil.StateError):
            patch.summary
        self.assertEqual(patch.finish(), patch.summary)
        patch.close()
        self.assertEqual(self.restored.read_bytes(), self.first)

    def test_a_plain_delta_promises_nothing(self):
        signature = frazil.Signature.of_stream(self.first)
        delta = frazil.Level(self.second, signature, format="rdiff").read()
        self.write("first", self.first)
        summary = self.fed(self.dir / "first", self.restored, delta)
        self.assertEqual((summary.verified, summary.identity), (False, None))
        self.assertEqual(self.restored.read_bytes(), self.second)
