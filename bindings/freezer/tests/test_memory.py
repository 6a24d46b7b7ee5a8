"""Memory stays within a bound, however much there is to back up and restore."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

from ground import Ground

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

STREAM = """
    manifest, length = sys.argv[1], int(sys.argv[2])
    piece = bytes(range(256)) * 4096
    for level in range(2):
        pieces = (piece for _ in range(length >> 20))
        sizes = sum(map(len, streams.backed_up(pieces, manifest, 4 << 20, rolling=False)))
"""


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

    def test_a_stream_of_any_length(self):
        grown = [
            grown_by(STREAM, self.dir / f"manifest.{length}", length) for length in (64 * MEBIBYTE, 640 * MEBIBYTE)
        ]
        self.assertLess(max(grown), 64)
        self.assertLess(grown[1] - grown[0], 8)
