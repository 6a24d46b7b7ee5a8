"""What goes wrong ends the run with status 1 and a message, and neither a backup nor a tree is left half made."""

import os
import resource
import signal
import time
from pathlib import Path

from agent import FAILED_BACKUP, FAILED_RESTORE, AgentTest, number
from stores import SwiftStore

SEGMENT = 65_536
LARGE = 400_000


def lose(store, pieces):
    store.delete(pieces[0])


def lose_one_between(store, pieces):
    store.delete(pieces[len(pieces) // 2])


def lose_the_last(store, pieces):
    store.delete(pieces[-1])


def cut(store, pieces):
    store.put(pieces[-1], store.get(pieces[-1])[:-100])


def flip(store, pieces):
    piece = pieces[len(pieces) // 2]
    content = bytearray(store.get(piece))
    content[len(content) // 2] ^= 1
    store.put(piece, bytes(content))


ENDS_AT_ONCE = "reading an archive at offset 0: source ends before a tar begins"
NO_ARCHIVE = "reading an archive: libarchive: Unrecognized archive format"
TRUNCATED = "libarchive: truncated gzip input"
UNREADABLE = "libarchive: gzip decompression failed"
ANOTHER = "content is not what its record says"
# Of which level, what happens to it, and why its restore fails.
LOCAL_DAMAGES = [
    (0, flip, ANOTHER),
    (1, lose, ENDS_AT_ONCE),
    (1, cut, TRUNCATED),
    (1, flip, ANOTHER),
]
SWIFT_DAMAGES = [
    (0, lose_one_between, UNREADABLE),
    (1, lose, NO_ARCHIVE),
    (1, lose_one_between, UNREADABLE),
    (1, lose_the_last, TRUNCATED),
    (1, cut, TRUNCATED),
    (1, flip, ANOTHER),
]


class Failures(AgentTest):
    def setUp(self):
        super().setUp()
        (self.tree / "large").write_bytes(self.random.randbytes(LARGE))
        (self.tree / "small").write_bytes(b"small")

    def two_levels(self):
        """Two levels of several segments each, and the tree after the first."""
        options = ("--incremental", "--max-segment-size", str(SEGMENT))
        levels = [self.back_up(*options)]
        first = self.kept()
        (self.tree / "another").write_bytes(self.random.randbytes(LARGE))
        (self.tree / "small").unlink()
        return [*levels, self.back_up(*options)], first

    def assert_restore_fails(self, reason, standing):
        """The restore fails for that reason, and the destination, which is given, has that tree, or nothing."""
        target = self.dir / f"target-{self.random.getrandbits(32)}"
        logged = self.log_len()
        status, said = self.run_agent("restore", "--restore-abs-path", str(target))
        self.assert_failed(status, said, FAILED_RESTORE, reason, logged)
        self.assert_stands(standing, target)
        return target

    def assert_stands(self, standing, target):
        if standing:
            # A note stays of how far the chain has come, for whoever goes on.
            self.assert_same(standing, target, "--exclude=/.frazil-restore")
        else:
            self.assertEqual(os.listdir(target), [])

    def assert_backup_fails(self, reason, **keywords):
        """The backup fails for that reason, and is not published."""
        before, logged = self.levels(), self.log_len()
        status, said = self.run_agent("backup", "--path-to-backup", str(self.tree), "--incremental", **keywords)
        self.assert_failed(status, said, FAILED_BACKUP, reason, logged)
        self.assertEqual(self.levels(), before)

    def assert_failed(self, status, said, message, reason, logged):
        self.assertEqual((status, said.splitlines()[-1]), (1, message))
        log = self.log.read_text()[logged:]
        errors = [line.split("Engine error: ", 1)[1] for line in log.splitlines() if "] Engine error: " in line]
        self.assertTrue(any(reason in error for error in errors), f"{reason!r} is not in {errors}")

    def log_len(self):
        return len(self.log.read_text()) if self.log.exists() else 0

    def assert_next_run_works(self):
        self.assertEqual(number(self.back_up("--incremental")), 1)
        self.assert_same(self.tree, self.restored())


class Damages:
    """What a store has lost of what it was given."""

    def test_damaged_levels_are_not_restored(self):
        levels, first = self.two_levels()
        for level, damage, reason in self.damages:
            with self.subTest(level=level, damage=damage.__name__):
                pieces = self.store.pieces(levels[level])
                whole = {piece: self.store.get(piece) for piece in pieces}
                damage(self.store, pieces)
                try:
                    target = self.assert_restore_fails(reason, first if level else None)
                finally:
                    for piece, content in whole.items():
                        self.store.put(piece, content)
        # Nothing of it stands in the way of another restore.
        self.succeed("restore", "--restore-abs-path", str(target), "--overwrite")
        self.assert_same(self.tree, target)


class SwiftFailures(Damages, Failures):
    """An object store."""

    damages = SWIFT_DAMAGES

    def make_store(self):
        return SwiftStore(f"failures-{self.random.getrandbits(64):x}")

    def test_a_level_without_its_manifest_is_not_restored(self):
        levels, first = self.two_levels()
        self.store.delete(f"{levels[1]}/data")
        self.assert_restore_fails("/data 404 Not Found", first)


class LocalFailures(Damages, Failures):
    """A directory as the store."""

    damages = LOCAL_DAMAGES

    def test_a_store_that_is_full_fails_a_backup(self):
        self.back_up("--incremental")
        (self.tree / "another").write_bytes(self.random.randbytes(LARGE))
        # More than the snapshot takes, and less than the level.
        limit = LARGE // 2
        self.assert_backup_fails(
            "[Errno 27] File too large",
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        )
        self.assert_next_run_works()

    def test_a_damaged_snapshot_fails_the_next_backup(self):
        snapshot = f"{self.back_up('--incremental')}/engine_metadata"
        whole = self.store.get(snapshot)
        self.store.put(snapshot, whole[: len(whole) // 2])
        self.assert_backup_fails("stream ends within a frame")
        self.store.put(snapshot, whole)
        self.assert_next_run_works()

    def test_a_backup_that_is_killed_is_not_published(self):
        self.back_up("--incremental")
        # What takes bzip2 many times as long as somebody who looks on needs.
        (self.tree / "another").write_bytes(self.random.randbytes(64 << 20))
        process = self.started("backup", "--path-to-backup", str(self.tree), "--incremental", "--compression", "bzip2",
                               "--max-segment-size", str(SEGMENT))
        wait(lambda: any(path.stat().st_size for path in self.store.root.glob("data/*/*/*/1_*/data")))
        process.kill()
        process.wait()
        self.assertEqual([number(level) for level in self.levels()], [0])
        (self.tree / "another").unlink()
        self.assert_next_run_works()

    def test_a_restore_whose_reader_is_killed_fails(self):
        self.check_killed(lambda reads: reads, TRUNCATED)

    def test_a_restore_whose_engine_is_killed_fails(self):
        self.check_killed(lambda reads: not reads, None)

    def check_killed(self, is_meant, reason):
        """Kills that one of the agent's two children, the one that reads the store or the other, in the middle of
        level 1."""
        levels, first = self.two_levels()
        (data,) = self.store.pieces(levels[1])
        content = self.store.get(data)
        self.store.delete(data)
        os.mkfifo(self.store.root / data)
        target = self.dir / "target"
        process = self.started("restore", "--restore-abs-path", str(target), "--max-segment-size", str(SEGMENT))
        with open(self.store.root / data, "wb", buffering=0) as fifo:
            fifo.write(content[: LARGE // 2])
            # The one that reads is started first.
            wait(lambda: len(children(process.pid)) == 2)
            (child,) = [child for child in children(process.pid) if is_meant(has_open(child, self.store.root / data))]
            os.kill(child, signal.SIGKILL)
            wait(lambda: child not in children(process.pid))
        _, said = process.communicate(timeout=60)
        self.assertEqual((process.returncode, said.splitlines()[-1]), (1, FAILED_RESTORE))
        if reason:
            self.assertIn(reason, self.log.read_text())
        self.assert_stands(first, target)


def children(parent):
    """The processes that it has started, and which have not ended."""
    found = []
    for process in map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text().split()):
        try:
            state = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            # It has ended, and was waited for, since it was listed.
            continue
        if state != "Z":
            found.append(process)
    return found


def has_open(process, path):
    return any(os.path.realpath(found) == str(path) for found in Path(f"/proc/{process}/fd").iterdir())


def wait(condition, seconds=60):
    """Until it holds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("it took too long")
        time.sleep(0.01)
