"""Several storages in one job: each has every level that counts as stored, and any of them is enough to restore."""

import io
import shutil
import threading
from pathlib import Path
from unittest import mock

from freezer.storage.local import LocalStorage
from freezer.storage.multiple import MultipleStorage
from ground import NAME, Ground, copy_of, quiet

FULL = OSError(28, "No space left on device")


class Full(io.BytesIO):
    """A file on a disk that is soon full."""

    def write(self, data):
        raise FULL


class Storages(Ground):
    SEGMENT_SIZE = 100_000

    def setUp(self):
        super().setUp()
        self.parts = [LocalStorage(str(self.dir / name), self.SEGMENT_SIZE) for name in ("one", "two")]
        self.storage = MultipleStorage(self.parts)
        self.write("file", self.content(1_000_000))
        self.write("other", b"other")

    def change(self, length):
        with open(self.tree / "file", "r+b") as file:
            file.seek(self.random.randrange(400_000))
            file.write(self.content(length))
        self.write(f"new {self.random.random()}", b"new")

    def levels_in(self, part):
        """The levels that have metadata in a storage, in the order of their making."""
        found = Path(self.parts[part].storage_path, "metadata/frazil", NAME).glob("*/*/metadata")
        made = sorted((int(path.parent.name.split("_")[1]), path.parent.name) for path in found)
        return [int(name.split("_")[0]) for _, name in made]

    def data_in(self, part, level):
        (found,) = Path(self.parts[part].storage_path, "data/frazil", NAME).glob(f"*/{level}_*/data")
        return found

    def restore_each(self):
        """Restores out of both, and out of each alone."""
        whole, parts = self.storage, self.parts
        for number, storage in enumerate([whole, MultipleStorage(parts[::-1]), *parts]):
            self.storage = storage
            restored = self.restore(f"restored.{number}")
            self.assert_same(self.tree, restored)
            shutil.rmtree(restored)
        self.storage = whole

    def test_every_level_is_in_each_and_is_restored_out_of_each(self):
        for level in range(3):
            self.back_up()
            self.change(1_000)
        self.back_up()
        self.assertEqual([self.levels_in(part) for part in (0, 1)], [[0, 1, 2, 3]] * 2)
        self.restore_each()

    def test_one_that_fails_while_a_level_is_written_fails_the_run_and_nothing_counts_as_stored(self):
        self.back_up()
        # A level of one segment, of which the agent does not notice it, and one of several.
        for length in (1_000, 500_000):
            self.change(length)
            for part in self.parts:
                really, threads = part.open, threading.active_count()
                failing = mock.patch.object(
                    part, "open", lambda path, mode, really=really: Full() if mode == "wb" else really(path, mode)
                )
                with self.subTest(length, part=part.storage_path), failing, quiet():
                    with self.assert_fails("No space left on device"):
                        self.back_up()
                    self.assertEqual([self.levels_in(number) for number in (0, 1)], [[0], [0]])
                    self.wait_for(lambda threads=threads: threading.active_count() == threads)
        self.back_up()
        self.assertEqual([self.levels_in(part) for part in (0, 1)], [[0, 1]] * 2)
        self.restore_each()

    def wait_for(self, condition):
        for _ in range(100):
            if condition():
                return
            threading.Event().wait(0.1)
        self.fail("it took too long")

    def test_a_source_that_fails_ends_the_threads_of_each(self):
        threads = threading.active_count()
        with quiet():
            with self.assert_fails("No such file or directory"):
                self.engine().backup("missing", NAME, True, False, False, False)
            self.wait_for(lambda: threading.active_count() == threads)

    def test_what_only_one_was_given_the_metadata_of_is_not_gone_on_with(self):
        self.back_up()
        for part in self.parts:
            self.change(1_000)
            before = self.levels_in(0)[-1]
            with mock.patch.object(part, "put_file", side_effect=FULL):
                with self.assertRaisesRegex(OSError, "No space left on device"):
                    self.back_up()
            self.change(1_000)
            self.back_up()
            self.assertEqual([self.levels_in(number)[-1] for number in (0, 1)], [before + 1] * 2)
            self.restore_each()

    def test_a_level_0_that_only_one_has_is_not_gone_on_with(self):
        self.back_up()
        shutil.rmtree(self.parts[1].storage_path)
        self.change(1_000)
        self.back_up()
        self.assertEqual([self.levels_in(part) for part in (0, 1)], [[0, 0], [0]])
        self.restore_each()

    def test_a_level_that_is_damaged_in_one_is_restored_out_of_the_other(self):
        states = []
        for _ in range(2):
            self.change(1_000)
            self.back_up()
            states.append(copy_of(self.tree, self.dir / f"state.{len(states)}"))
        whole = {level: self.data_in(0, level).read_bytes() for level in (0, 1)}
        for level, content in whole.items():
            for damaged in (content[:-1], b""):
                self.data_in(0, level).write_bytes(damaged)
                with self.subTest(level, length=len(damaged)), self.assertLogs(level="ERROR") as logs:
                    restored = self.restore(f"restored.{level}.{len(damaged)}")
                self.assertIn("The next storage has the same backup, and is tried", "\n".join(logs.output))
                self.assert_same(states[1], restored)
            with self.subTest(level, dry_run=True), self.assertLogs(level="ERROR"):
                self.restore("dry", engine=self.engine(dry_run=True))
            self.data_in(0, level).write_bytes(content)
        self.data_in(0, 0).write_bytes(b"")
        self.data_in(1, 1).write_bytes(b"")
        with self.assert_fails("Failed to restore"):
            self.restore("not restored")

    def test_one_that_lacks_a_level_or_does_not_answer_is_passed_over_in_a_restore(self):
        for _ in range(3):
            self.change(1_000)
            self.back_up()
        (self.data_in(0, 1).parent / "data").unlink()
        shutil.rmtree(next(Path(self.parts[0].storage_path, "metadata/frazil", NAME).glob("*/1_*")))
        self.assert_same(self.tree, self.restore("lacking"))
        with mock.patch.object(self.parts[0], "get_file", side_effect=ConnectionError("gone")):
            self.assert_same(self.tree, self.restore("not answering"))
            with mock.patch.object(self.parts[1], "get_file", side_effect=ConnectionError("gone")):
                with self.assertRaisesRegex(LookupError, "cannot be read: gone"):
                    self.restore("neither")

    def test_a_directory_that_is_not_empty_is_left_alone(self):
        self.back_up()
        there = self.dir / "there"
        there.mkdir()
        (there / "file").write_bytes(b"precious")
        self.data_in(0, 0).write_bytes(b"")
        with self.assertRaisesRegex(Exception, "Restore dir is not empty"):
            self.restore("there")
        self.assertEqual((there / "file").read_bytes(), b"precious")
