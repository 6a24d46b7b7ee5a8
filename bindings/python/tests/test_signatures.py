"""Signatures: fields, comparisons, saving and loading."""

import copy
import hashlib
import io
import pickle
import zlib

import frazil
from ground import BLOCK_LEN, Ground, OnlyRead


class Signatures(Ground):
    def test_a_signature_is_a_mapping_of_its_fields(self):
        content = self.content(200_000)
        signature = frazil.Signature.of_stream(content)
        fields = dict(signature)
        self.assertEqual(fields["block_len"], BLOCK_LEN)
        self.assertEqual((fields["weak_sum"], fields["strong_sum"], fields["strong_len"]), ("rabin_karp", "blake2", 32))
        self.assertEqual((fields["length"], fields["dirty"]), (200_000, False))
        self.assertEqual(fields["crc32"], zlib.crc32(content))
        self.assertEqual((len(fields["fingerprint"]), fields["leaf_len"]), (32, signature.leaf_len))
        self.assertEqual(len(fields["blocks"]), 4)
        for name, value in fields.items():
            self.assertEqual(getattr(signature, name), value)
        self.assertEqual(len(signature), len(fields))
        self.assertIn("length", signature)
        with self.assertRaises(KeyError):
            signature["no such field"]
        with self.assertRaises(TypeError):
            frazil.Signature()

    def test_blocks_are_a_sequence_of_sums(self):
        content = self.content(200_000)
        blocks = frazil.Signature.of_stream(content).blocks
        expected = [content[at : at + BLOCK_LEN] for at in range(0, len(content), BLOCK_LEN)]
        sums = [hashlib.blake2b(one, digest_size=32).digest() for one in expected]
        self.assertEqual([block.strong_sum for block in blocks], sums)
        self.assertEqual(blocks[-1], blocks[3])
        self.assertEqual(blocks[1:3], [blocks[1], blocks[2]])
        for index in (4, -5):
            with self.assertRaises(IndexError):
                blocks[index]
        short = frazil.Signature.of_stream(content, strong_sum="md4", strong_len=8, format="rdiff")
        self.assertEqual((short.strong_sum, [len(block.strong_sum) for block in short.blocks]), ("md4", [8] * 4))

    def test_options_choose_the_sums(self):
        sums = {"weak_sum": "rollsum", "strong_sum": "blake2"}
        signature = frazil.Signature.of_stream(self.content(10_000), block_len=1_000, **sums)
        self.assertEqual((signature.block_len, signature.weak_sum, len(signature.blocks)), (1_000, "rollsum", 10))

    def test_a_signature_is_saved_and_loaded_everywhere(self):
        signature = frazil.Signature.of_stream(self.content())
        path = self.dir / "signature"
        signature.save(path)
        buffer, pieces = io.BytesIO(), []
        signature.save(buffer)
        signature.save(pieces.append)
        # Each writing has an id of its own.
        for written in (buffer.getvalue(), b"".join(pieces), signature.to_bytes()):
            self.assertEqual(frazil.Signature.from_bytes(written), signature)
        saved = path.read_bytes()
        with open(path, "rb", buffering=0) as unbuffered, open(path, "rb") as buffered:
            sources = [path, str(path), bytes(path), unbuffered, buffered, io.BytesIO(saved), OnlyRead(saved), bytearray(saved)]
            for source in sources:
                with self.subTest(type(source).__name__):
                    self.assertEqual(frazil.Signature.load(source), signature)
        for data in (saved, bytearray(saved), memoryview(saved), memoryview(bytearray(saved))):
            self.assertEqual(frazil.Signature.from_bytes(data), signature)

    def test_signatures_are_equal_when_their_sums_are(self):
        content = self.content()
        signature = frazil.Signature.of_stream(content)
        self.assertEqual(signature, frazil.Signature.of_stream(content, engine="librsync"))
        self.assertNotEqual(signature, frazil.Signature.of_stream(self.edited(content)))
        self.assertNotEqual(signature, frazil.Signature.of_stream(content, block_len=4_096))
        self.assertEqual(signature, dict(signature))
        plain = frazil.Signature.from_bytes(signature.to_bytes(format="rdiff"))
        self.assertNotEqual(signature, plain)
        self.assertEqual(plain, frazil.Signature.from_bytes(plain.to_bytes(format="rdiff")))
        other = frazil.Signature.of_stream(self.edited(content)).to_bytes(format="rdiff")
        self.assertNotEqual(plain, frazil.Signature.from_bytes(other))

    def test_the_plain_format_leaves_the_content_unknown(self):
        signature = frazil.Signature.of_stream(self.content(70_000))
        plain = frazil.Signature.from_bytes(signature.to_bytes(format="rdiff"))
        self.assertEqual((plain.length, plain.identity, plain.fingerprint, plain.crc32), (None, None, None, None))
        self.assertEqual(plain.blocks, signature.blocks)
        with self.assertRaises(frazil.InvalidInputError):
            plain.to_bytes()

    def test_a_signature_is_the_same_after_pickling(self):
        signature = frazil.Signature.of_stream(self.content())
        self.assertEqual(pickle.loads(pickle.dumps(signature)), signature)
        plain = frazil.Signature.from_bytes(signature.to_bytes(format="rdiff"))
        self.assertEqual(pickle.loads(pickle.dumps(plain)), plain)

    def test_what_the_plain_format_would_lose_is_not_pickled(self):
        content = self.content()
        for options in ({"strong_sum": "md4"}, {"strong_len": 16}):
            signature = frazil.Signature.of_stream(content, format="rdiff", **options)
            self.assertIsNotNone(signature.identity)
            with self.subTest(options):
                with self.assertRaises(frazil.InvalidInputError) as raised:
                    pickle.dumps(signature)
                self.assertIn("sealed", str(raised.exception))
                plain = frazil.Signature.from_bytes(signature.to_bytes(format="rdiff"))
                self.assertEqual(dict(pickle.loads(pickle.dumps(plain))), dict(plain))
                for again in (copy.copy(signature), copy.deepcopy([signature])[0]):
                    self.assertEqual(dict(again), dict(signature))

    def test_what_is_known_of_a_source_that_changed_is_pickled(self):
        path = self.write("file", self.content(5_000_000))
        def change(_progress):
            with open(path, "ab") as file:
                file.write(b"more")
        signature = frazil.Signature.of_file(path, progress=change)
        self.assertTrue(signature.dirty)
        self.assertEqual(dict(pickle.loads(pickle.dumps(signature))), dict(signature))

    def test_what_is_too_large_is_not_loaded(self):
        saved = frazil.Signature.of_stream(self.content(), block_len=1_024).to_bytes()
        with self.assertRaises(frazil.LimitError):
            frazil.Signature.load(io.BytesIO(saved), memory_limit=1_000)

    def test_a_comparison_says_which_ranges_are_the_same_moved_and_changed(self):
        first, second, third = (self.random.randbytes(BLOCK_LEN) for _ in range(3))
        old = frazil.Signature.of_stream(first + second)
        new = frazil.Signature.of_stream(first + third + second)
        ranges = list(old.compare(new))
        self.assertEqual(
            ranges,
            [
                frazil.Range("same", 0, BLOCK_LEN, 0),
                frazil.Range("changed", BLOCK_LEN, BLOCK_LEN, 0),
                frazil.Range("moved", 2 * BLOCK_LEN, BLOCK_LEN, BLOCK_LEN),
            ],
        )
        old.save(self.dir / "old")
        new.save(self.dir / "new")
        in_place = frazil.compare_files(self.dir / "old", self.dir / "new")
        self.assertEqual([one.kind for one in in_place], ["same", "changed"])
        self.assertEqual(list(in_place), [])

    def test_signatures_of_other_parameters_cannot_be_compared(self):
        content = self.content(1_000)
        with self.assertRaises(frazil.IncomparableError):
            frazil.Signature.of_stream(content).compare(frazil.Signature.of_stream(content, block_len=128))

    def test_a_signature_may_go_before_what_was_made_of_it(self):
        content = self.content()
        comparison = frazil.Signature.of_stream(content).compare(frazil.Signature.of_stream(content))
        self.assertEqual([one.kind for one in comparison], ["same"])
        level = frazil.Level(content, frazil.Signature.of_stream(content))
        self.assertLess(len(level.read()), 1_000)
