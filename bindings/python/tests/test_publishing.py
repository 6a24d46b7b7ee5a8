"""What is published and what is said of it agree, wherever work is stopped."""

import os
import socket

import frazil
from ground import Ground


class Stopped(Exception):
    """What stops the work here."""


class Publishing(Ground):
    def setUp(self):
        super().setUp()
        self.source = self.write("source", self.content(2_500_000))
        frazil.level_file(self.source, self.dir / "level")
        self.tree = self.dir / "tree"
        self.tree.mkdir()
        for name in ("file", "other"):
            self.write(f"tree/{name}", self.content(1_500_000))
        with socket.socket(socket.AF_UNIX) as made:  # which is not backed up: a note
            here = os.getcwd()
            os.chdir(self.tree)
            self.addCleanup(os.chdir, here)
            made.bind("socket")
        with open(self.dir / "archive", "wb") as archive:
            frazil.backup_tree(self.tree, archive, self.dir / "snapshot")
        self.level = (self.dir / "level").read_bytes()
        self.target = self.dir / "target"

    def fed(self, stream, data):
        with stream:
            stream.write(data)

    def works(self):
        """All that publishes a file by a call that calls back, given what follows it."""
        tree, target, level = self.tree, self.target, self.dir / "level"
        return {
            "a level": lambda following: frazil.level_file(self.source, target, **following),
            "a patch": lambda following: frazil.patch_file(None, level, target, **following),
            "a chain": lambda following: frazil.chain_file(None, [level], target, **following),
            "a delta": lambda following: frazil.patch_from_stream(memoryview(self.level), target, **following),
            "a fed patch": lambda following: self.fed(frazil.Patch(None, target, **following), self.level),
            "a snapshot": lambda following: frazil.backup_tree(tree, lambda _: None, target, **following),
        }

    def follow(self, work, stop_at, stop):
        """Does the work and has it stopped where a function is called for the `stop_at`th time; gives how often one
        was called, and what the work has raised."""
        called = 0

        def call(*told):
            nonlocal called
            called += 1
            self.assertFalse(self.target.exists(), "there before the work was complete")
            if called == stop_at:
                return stop()
            if told and isinstance(told[0], frazil.Progress) and self.changes:
                with open(self.source, "ab") as source:  # which is a problem
                    source.write(b"more")

        try:
            work(dict.fromkeys(["progress", "problem", "note", "cancelled"], call))
        except (Stopped, frazil.CancelledError) as error:
            return called, error
        return called, None

    changes = False

    def try_everywhere(self, work, stop):
        called, error = self.follow(work, None, stop)
        self.assertIsNone(error)
        self.assertTrue(self.target.exists())
        self.assertGreater(called, 3)
        for stop_at in range(1, called + 1):
            self.target.unlink()
            _, error = self.follow(work, stop_at, stop)
            with self.subTest(stop_at=stop_at, of=called, error=repr(error)):
                self.assertEqual(error is None, self.target.exists())
            self.target.touch()
        self.target.unlink()

    def stop(self):
        raise Stopped

    def test_what_raises_has_published_nothing(self):
        for name, work in self.works().items():
            for self.changes in (False, True):
                with self.subTest(name, changes=self.changes):
                    self.try_everywhere(work, self.stop)

    def test_what_is_cancelled_has_published_nothing(self):
        for name, work in self.works().items():
            with self.subTest(name):
                self.try_everywhere(work, lambda: True)

    def test_a_restoration_that_raises_has_published_nothing_or_all_of_it(self):
        archive, seen = (self.dir / "archive").read_bytes(), set()
        identity = frazil.archive_header(memoryview(archive)).id
        works = {
            "in one call": lambda to, following: frazil.restore_tree(memoryview(archive), to, **following),
            "fed": lambda to, following: self.fed(frazil.TreeRestore(to, **following), archive),
        }
        for name, restore in works.items():
            called, _ = self.follow(lambda following: restore(self.dir / name, following), None, self.stop)
            for stop_at in range(1, called + 1):
                to = self.dir / f"{name} {stop_at}"
                with self.subTest(name, stop_at=stop_at, of=called):
                    _, error = self.follow(lambda following: restore(to, following), stop_at, self.stop)
                    self.assertIsInstance(error, Stopped)
                    there = sorted(path.name for path in to.iterdir() if path.name[0] != ".") if to.exists() else []
                    level = frazil.restored_level(to)
                    self.assertIn((there, level), [([], None), (["file", "other"], identity)])
                    seen.add(level)
        # The last is told while nothing stops it any more.
        self.assertEqual(seen, {None, identity})
