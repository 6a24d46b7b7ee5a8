"""Memory stays within a bound, however much there is to back up and restore."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from unittest import mock

from ground import NAME, Ground

MEBIBYTE = 1 << 20


def grown_by(program, *arguments):
    """The mebibytes by which a process of its own grows while it runs a program, beyond what it has imported."""
    whole = (
        textwrap.dedent(
            """
            import json, resource, sys
            import frazil, multiprocessing
            from unittest import mock
            from frazil_freezer import streams
            from freezer.engine.frazil.frazil import FrazilEngine
            from freezer.storage.local import LocalStorage

            def peak():
                own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
                return max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)

            before = peak()
            """
        )
        + textwrap.dedent(program)
        + "\nprint((peak() - before) / 1024)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", whole, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
        check=False,
    )
    if ran.returncode:
        raise AssertionError(ran.stderr.decode())
    return float(ran.stdout)


TREE = """
    import os
    tree, storage, restored = sys.argv[1:4]
    engine = FrazilEngine(storage=LocalStorage(storage, 4 << 20), max_segment_size=4 << 20)
    os.chdir(tree)
    for level in range(2):
        engine.backup(".", "host_backup", True, False, False, False)
        with open("large", "r+b") as file:
            file.seek(1000)
            file.write(os.urandom(1 << 20))
    engine.restore("host_backup", restored, False, None, "fs")
"""

XZ = """
    import os
    tree, storage = sys.argv[1:3]
    engine = FrazilEngine(storage=LocalStorage(storage, 4 << 20), max_segment_size=4 << 20, compression="xz")
    os.chdir(tree)
    engine.backup(".", "host_backup", True, False, False, False)
"""

STREAM = """
    manifest, length = sys.argv[1], int(sys.argv[2])
    piece = bytes(range(256)) * 4096
    for level in range(2):
        pieces = (piece for _ in range(length >> 20))
        sizes = sum(map(len, streams.backed_up(pieces, manifest, 4 << 20, rolling=False)))
"""


class Piece(bytes):
    """What a storage has given, as long as anyone keeps it."""

    kept = 0

    def __init__(self, _content):
        Piece.kept += 1

    def __del__(self):
        Piece.kept -= 1


class Memory(Ground):
    def test_a_tree_of_large_and_of_many_files(self):
        with open(self.tree / "large", "wb") as file:
            for _ in range(100):
                file.write(self.content(MEBIBYTE))
        for number in range(1_000):
            self.write(f"many/{number % 100}/{number}", b"x")
        grown = grown_by(TREE, self.tree, self.dir / "storage", self.dir / "restored")
        # Segments of 4 MiB: two in the queue, one at each side of it, and what compresses and reads ahead.
        self.assertLess(grown, 64)

    def test_a_restore_keeps_no_segment_when_it_takes_the_next(self):
        self.write("file", self.content(MEBIBYTE))
        self.back_up()
        (_, _, directory), kept = self.backups()[0], []
        stored = (directory / "data").read_bytes()
        segments = iter([stored[at : at + 100_000] for at in range(0, len(stored), 100_000)])

        def recv_bytes():
            kept.append(Piece.kept)
            try:
                return Piece(next(segments))
            except StopIteration:
                raise EOFError from None

        (backup,) = self.storage.get_level_zero(self.engine(), NAME)
        pipe = mock.Mock(recv_bytes=recv_bytes)
        self.engine().restore_level(str(self.dir / "restored"), pipe, backup, mock.Mock())
        self.assertEqual(set(kept), {0})
        self.assertGreater(len(kept), 10)

    def test_xz_takes_no_more_however_many_processors_there_are(self):
        content = self.content(MEBIBYTE)
        with open(self.tree / "large", "wb") as file:
            for _ in range(100):
                file.write(content)
        # An encoder with a dictionary of 8 MiB has 94 MiB, and several of them have buffers beside.
        self.assertLess(grown_by(XZ, self.tree, self.dir / "storage"), 160)

    def test_a_stream_of_any_length(self):
        grown = [
            grown_by(STREAM, self.dir / f"manifest.{length}", length) for length in (64 * MEBIBYTE, 640 * MEBIBYTE)
        ]
        self.assertLess(max(grown), 64)
        self.assertLess(grown[1] - grown[0], 8)
