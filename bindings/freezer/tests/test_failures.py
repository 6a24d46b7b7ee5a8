"""What fails under the agent: an error there, nothing published, and the next run works."""

import io
import os
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path
from unittest import mock

import frazil
from freezer.engine.frazil.frazil import FrazilEngine
from ground import IS_ROOT, NOBODY, Ground, copy_of
from oslo_serialization import jsonutils as json

RESTORING = """
import multiprocessing, sys

from freezer.engine.frazil.frazil import FrazilEngine
from freezer.storage.local import LocalStorage

if __name__ == "__main__":
    multiprocessing.set_start_method("forkserver")
    engine = FrazilEngine(storage=LocalStorage(sys.argv[1], 100_000))
    engine.restore("host_backup", sys.argv[2], False, None, "fs")
"""


class Failures(Ground):
    SEGMENT_SIZE = 100_000

    def setUp(self):
        super().setUp()
        self.write("file", self.content(2_000_000))
        self.write("other", b"other")

    def change(self):
        with open(self.tree / "file", "r+b") as file:
            file.seek(self.random.randrange(1_000_000))
            file.write(self.content(400_000))
        self.write(f"new {self.random.random()}", b"new")

    def data_of(self, level):
        return self.backups()[level][2] / "data"

    def staged(self, restored):
        return sorted(path.name for path in restored.iterdir())

    def test_a_storage_that_fails_in_the_midst_of_a_backup(self):
        self.back_up()
        self.change()
        really = self.storage.open

        class Failing(io.BytesIO):
            def write(self, data):
                if self.tell() > 150_000:
                    raise OSError(28, "No space left on device")
                return super().write(data)

        for encrypt_key in (None, str(self.tree / "other")):
            with self.subTest(encrypt_key), self.assert_fails("No space left on device"):
                with mock.patch.object(
                    self.storage, "open", lambda path, mode: Failing() if "w" in mode else really(path, mode)
                ):
                    self.back_up(engine=self.engine(encrypt_key=encrypt_key))
            self.assertEqual([level for level, _, _ in self.backups()], [0])
        self.back_up()
        self.assert_same(self.tree, self.restore())

    def test_a_storage_that_fails_when_the_metadata_is_put_makes_no_level(self):
        really = self.storage.put_file

        def failing(name, begins):
            def put_file(source, to):
                if not to.endswith(f"/{name}"):
                    return really(source, to)
                if begins:
                    open(to, "wb").close()
                raise OSError(28, "No space left on device")

            return mock.patch.object(self.storage, "put_file", put_file)

        levels, states = [], []
        for name, begins in [("metadata", False), ("metadata", True), ("engine_metadata", False)]:
            for level in (len(levels), len(levels) + 1):
                self.change()
                with failing(name, begins), self.assertRaisesRegex(Exception, "No space left on device"):
                    self.back_up()
                with self.subTest(name, begins=begins, level=level):
                    self.back_up()
                    levels.append(level)
                    self.assertEqual([found for found, _, data in self.whole()], levels)
                    self.assert_same(self.tree, self.restore(f"restored.{level}"))
                    states.append((self.whole()[-1][1], copy_of(self.tree, self.dir / f"state.{level}")))
        for second, state in states:
            self.assert_same(state, self.restore(f"again.{second}", until=second))

    def whole(self):
        """The backups whose metadata is there."""
        found = self.backups()
        meta = [Path(str(data).replace("/data/", "/metadata/", 1)) / "metadata" for _, _, data in found]
        return [backup for backup, path in zip(found, meta) if path.stat().st_size]

    def test_a_chain_that_was_gone_on_with_from_such_a_level_is_left_where_it_can_be_restored(self):
        self.back_up()
        kept = copy_of(self.tree, self.dir / "kept")
        second = self.backups()[-1][1]
        for _ in range(2):
            self.change()
            self.back_up()
        (Path(str(self.backups()[1][2]).replace("/data/", "/metadata/", 1)) / "metadata").unlink()
        with self.assertRaisesRegex(Exception, "level 2 of .* was made against backup .*, which is not there"):
            self.restore()
        self.assert_same(kept, self.restore("older", until=second))
        self.back_up()
        self.assertEqual(sorted(level for level, _, _ in self.backups()), [0, 1, 2])
        with self.assertRaisesRegex(Exception, "which is not there"):
            self.restore()
        self.back_up()
        self.assert_same(self.tree, self.restore("newest"))

    def test_metadata_that_a_storage_does_not_give_is_not_taken_for_missing(self):
        self.back_up()
        with mock.patch.object(self.storage, "get_file", side_effect=ConnectionError("gone")):
            for work in (self.back_up, self.restore):
                with self.assertRaisesRegex(Exception, "metadata of .* cannot be read: gone"):
                    work()
        self.assertEqual(len(self.backups()), 1)

    def test_what_is_raised_at_length_does_not_hang_the_agent(self):
        self.back_up()
        with mock.patch.object(FrazilEngine, "_restored", side_effect=ValueError("x" * 200_000)):
            with self.assert_fails("ValueError: xxx"):
                self.restore()

    def test_a_directory_that_is_not_empty_is_restored_onto_only_when_told_to_in_any_mode(self):
        self.back_up()
        there = self.dir / "there"
        there.mkdir()
        (there / "file").write_bytes(b"precious")
        for media in ("fs", "mysql"):
            with self.assertRaisesRegex(Exception, "not empty"):
                self.engine().restore("host_backup", str(there), False, None, media)
        self.assertEqual((there / "file").read_bytes(), b"precious")

    def test_a_tree_that_cannot_be_read(self):
        os.chdir(self.tree)
        with self.assert_fails("No such file or directory"):
            self.engine().backup("missing", "host_backup", True, False, False, False)
        self.assertEqual(self.backups(), [])

    def test_a_snapshot_of_the_level_before_that_is_damaged(self):
        self.back_up()
        snapshot = self.backups()[0][2] / "engine_metadata"
        whole = snapshot.read_bytes()
        for damaged in (b"", whole[:-1], whole[:100], b"\0" + whole[1:]):
            snapshot.write_bytes(damaged)
            with self.assert_fails("snapshot|sealed|stream"):
                self.back_up()
        self.assertEqual(len(self.backups()), 1)
        snapshot.write_bytes(whole)
        self.back_up()
        self.assert_same(self.tree, self.restore())

    def test_a_backup_that_is_given_up_leaves_no_snapshot_behind(self):
        os.chdir(self.tree)
        manifest = self.dir / "manifest"
        for encrypt_key in (None, str(self.tree / "other")):
            segments = self.engine(encrypt_key=encrypt_key, max_segment_size=1_000).backup_data(".", str(manifest))
            next(segments)
            segments.close()
            self.assertEqual(sorted(path.name for path in self.dir.iterdir()), ["storage", "tree"])

    def test_a_reader_that_ends_early_which_the_agent_passes_over(self):
        first = copy_of(self.tree, self.dir / "first")
        self.back_up()
        self.change()
        self.back_up()
        really = self.storage.backup_blocks

        def short(backup):
            blocks = really(backup)
            yield next(blocks)
            if backup.level == 1:
                raise OSError(5, "Input/output error")
            yield from blocks

        with mock.patch.object(self.storage, "backup_blocks", short):
            with self.assert_fails("ended|truncated|cut short"):
                self.restore()
        # It stands at level 0, whole; and the next run goes through.
        restored = self.dir / "restored"
        self.assertEqual(self.staged(restored), [".frazil-restore", *self.staged(first)])
        self.assertEqual((restored / "file").read_bytes(), (first / "file").read_bytes())
        self.assert_same(self.tree, self.restore(overwrite=True))

    def test_a_storage_that_fails_while_it_is_read(self):
        self.back_up()

        def failing(_backup):
            yield self.data_of(0).read_bytes()[:50_000]
            raise ValueError("the storage has gone mad")

        with mock.patch.object(self.storage, "backup_blocks", failing):
            with self.assert_fails("the storage has gone mad"):
                self.restore()
        self.assertEqual(self.staged(self.dir / "restored"), [])
        self.assert_same(self.tree, self.restore())

    def test_a_child_that_is_killed(self):
        self.back_up()
        self.change()
        self.back_up()
        engine = self.engine()
        really = engine.restore_level

        def killed(path, pipe, backup, failures):
            if backup.level == 1:
                os.kill(os.getpid(), signal.SIGKILL)
            really(path, pipe, backup, failures)

        with mock.patch.object(engine, "restore_level", killed), self.assertRaisesRegex(Exception, "Failed to restore"):
            self.restore(engine=engine)
        self.assert_same(self.tree, self.restore(overwrite=True))

    def test_a_child_that_is_killed_in_the_midst_of_a_level(self):
        self.back_up()
        engine = self.engine()
        really = engine._restored

        def killed(path, pieces):
            def some():
                yield next(pieces)
                time.sleep(0.1)
                os.kill(os.getpid(), signal.SIGKILL)
                yield b""

            really(path, some())

        with mock.patch.object(engine, "_restored", killed), self.assertRaisesRegex(Exception, "Failed to restore"):
            self.restore(engine=engine)
        self.assertFalse((self.dir / "restored/file").exists())
        self.assert_same(self.tree, self.restore(overwrite=True))

    def test_children_that_are_no_copies_of_their_parent_restore_as_well(self):
        """As from Python 3.14 on, where the engine is pickled for them."""
        self.back_up()
        self.change()
        self.back_up()
        script = self.dir / "script.py"
        script.write_text(RESTORING)
        subprocess.run([sys.executable, script, self.dir / "storage", self.dir / "restored"], check=True)
        self.assert_same(self.tree, self.dir / "restored")

    def test_a_level_in_the_place_of_another_is_refused(self):
        for _ in range(3):
            self.back_up()
            self.change()
        stored = [self.data_of(level).read_bytes() for level in range(3)]
        self.back_up(name="host_other")
        another = (self.backups("host_other")[0][2] / "data").read_bytes()
        swaps = {
            "level 0 again": (1, stored[0], "the archive is level 0, where level 1 is restored"),
            "a later level": (1, stored[2], "the archive is level 2, where level 1 is restored"),
            "level 1 first": (0, stored[1], "the archive is level 1, where level 0 is restored"),
            "of another chain": (0, another, "where the metadata is of backup"),
            "nothing": (0, b"", "ends before"),
        }
        for name, (level, content, message) in swaps.items():
            with self.subTest(name):
                self.data_of(level).write_bytes(content)
                with self.assert_fails(message):
                    self.restore(f"restored {name}")
                self.data_of(level).write_bytes(stored[level])
        self.restore()

    def test_a_level_on_the_wrong_one_is_refused_also_by_the_library(self):
        self.back_up()
        self.change()
        self.back_up()
        self.back_up(name="host_other")
        self.restore("stands", name="host_other", engine=self.engine())
        backup = mock.Mock(level=1)
        data = self.data_of(1).read_bytes()
        backup.metadata.return_value = {"id": frazil.archive_header(io.BytesIO(data)).id.hex()}
        pipe = mock.Mock()
        pipe.recv_bytes.side_effect = [data, EOFError]
        failures = mock.Mock()
        with self.assertLogs(level="ERROR"), self.assertRaises(frazil.WrongBasisError):
            self.engine().restore_level(str(self.dir / "stands"), pipe, backup, failures)
        self.assertIsInstance(failures.put.call_args.args[0], frazil.WrongBasisError)

    def test_a_chain_of_which_a_level_is_missing_is_refused_before_anything_is_restored(self):
        for _ in range(3):
            self.back_up()
        metadata = list((self.dir / "storage/metadata/frazil/host_backup").glob("*/1_*/metadata"))[0]
        held = json.loads(metadata.read_text())
        for parent in ("ff" * 16, None):
            metadata.write_text(json.dumps({**held, "id": "ee" * 16, "parent": parent}))
            with self.assertRaisesRegex(LookupError, r"host_backup level 1 of \d+ was made against backup"):
                self.restore()
        self.assertFalse((self.dir / "restored").exists())
        with self.assertRaisesRegex(IndexError, 'No matching backup name "host_none" found'):
            self.restore(name="host_none")

    def test_what_could_not_be_restored_as_it_was_is_an_error_after_all_levels(self):
        self.back_up()
        self.change()
        self.back_up()
        (self.dir / "restored/other").mkdir(parents=True)
        (self.dir / "restored/other/in the way").write_bytes(b"kept")
        with self.assertRaisesRegex(Exception, "Everything else is restored, but 1 entries could not be as they were"):
            self.restore(overwrite=True)
        restored = self.dir / "restored"
        self.assertEqual((restored / "file").read_bytes(), (self.tree / "file").read_bytes())
        self.assertEqual((restored / "other/in the way").read_bytes(), b"kept")
        self.assertFalse((restored / ".frazil-restore").exists())

    @unittest.skipUnless(IS_ROOT, "only root makes devices, and becomes another")
    def test_so_is_what_the_user_of_the_agent_may_not_make(self):
        os.mknod(self.tree / "device", 0o20666, os.makedev(1, 3))
        self.back_up()
        self.change()
        self.back_up()
        self.dir.chmod(0o755)
        # So that all modules are loaded, which another may be unable to read.
        self.assert_same(self.tree, self.restore())
        (self.dir / "of another").mkdir()
        os.chown(self.dir / "of another", NOBODY, NOBODY)

        def restore():
            with self.assertRaisesRegex(Exception, "but [1-9][0-9]* entries could not be as they were"):
                self.restore("of another/restored")
            self.assertEqual(len(os.listdir(self.dir / "of another/restored")), len(os.listdir(self.tree)) - 1)

        self.as_nobody(restore)

    def test_what_is_raised_can_be_sent_to_another_process(self):
        from freezer.engine.frazil.pipes import printable, sendable
        from freezer.exceptions.engine import EngineException

        self.assertIsInstance(sendable(frazil.TruncatedError("cut")), frazil.TruncatedError)
        sent = sendable(EngineException("the agent's own cannot"))
        self.assertEqual((type(sent), "the agent's own cannot" in str(sent)), (RuntimeError, True))
        self.assertEqual(printable(OSError(os.fsdecode(b"\xff"))), "\\udcff")
