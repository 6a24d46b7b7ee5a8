"""What the tests share: seeded contents, and an empty directory for each."""

import os
import random
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SEED = int(os.environ.get("FRAZIL_SEED", "2026"))
print(f"FRAZIL_SEED={SEED}", file=sys.stderr)

BLOCK_LEN = 65536


class Ground(unittest.TestCase):
    """A test in an empty directory of its own, with random numbers of its own."""

    def setUp(self):
        # Not a `TemporaryDirectory`, which a forked process would remove when it ends.
        self.dir = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.dir)
        self.random = random.Random(f"{SEED} {self.id()}")

        unraisable = []
        hook, sys.unraisablehook = sys.unraisablehook, unraisable.append
        self.addCleanup(setattr, sys, "unraisablehook", hook)
        # What Python can only print is an exception that was lost.
        self.addCleanup(self.assertEqual, unraisable, [])

    def content(self, length=1_000_000):
        """Random bytes, with a run of zeros among them."""
        made = bytearray(self.random.randbytes(length))
        start = length // 3
        made[start : start + length // 5] = bytes(len(made[start : start + length // 5]))
        return bytes(made)

    def edited(self, content):
        """What a day later may be there: bytes changed, cut out and put in."""
        made = bytearray(content)
        for _ in range(3):
            at = self.random.randrange(len(made))
            made[at : at + 10] = self.random.randbytes(10)
        at = self.random.randrange(len(made))
        del made[at : at + 100]
        made[at:at] = self.random.randbytes(5_000)
        return bytes(made)

    def write(self, name, content):
        path = self.dir / name
        path.write_bytes(content)
        return path

    def left(self):
        """The names of what is in the directory."""
        return sorted(path.name for path in self.dir.iterdir())


def odd_pieces(content, randomness, longest=100_000):
    """Yields the content in pieces of odd lengths, none among them."""
    at = 0
    while at < len(content):
        length = randomness.choice([0, 1, 7, 4_095, 65_537, longest])
        yield content[at : at + length]
        at += length


class OnlyRead:
    """An object that has `read` and nothing else, and gives fewer bytes than it could."""

    def __init__(self, content, most=10_007):
        self.content, self.most = content, most

    def read(self, length):
        length = min(length, self.most)
        given, self.content = self.content[:length], self.content[length:]
        return given
