"""The agent's options mean with the engine what they mean with the agent's own."""

import json
import os
import subprocess

from agent import AGENT, FAILED_RESTORE, AgentTest, date, made_at, number

# The one that the agent stores in a level's metadata, and what its data begins with.
COMPRESSIONS = {"gzip": b"\x1f\x8b", "bzip2": b"BZh", "xz": b"\xfd7zXZ\0"}


class Options(AgentTest):
    def days(self, count, *options):
        """Backs the tree up on that many days, each with a file of its own, and gives levels and trees."""
        levels, days = [], []
        for day in range(count):
            (self.tree / "file").write_bytes(self.random.randbytes(10_000 + day))
            (self.tree / f"of day {day}").touch()
            levels.append(self.back_up(*options))
            days.append(self.kept())
        return levels, days

    def test_the_help_lists_the_engine(self):
        said = subprocess.run([AGENT, "--help"], env=self.environment(), check=True, capture_output=True, text=True)
        # Wrapped as the terminal is wide.
        words = " ".join(said.stdout.split())
        self.assertIn("Allowed values: tar, rsync, rsyncv2, nova, osbrick, glance, frazil", words)

    def test_without_incremental_every_backup_is_level_0(self):
        levels, days = self.days(2)
        self.assertEqual([number(level) for level in levels], [0, 0])
        self.assert_same(days[1], self.restored())

    def test_max_level_begins_again_with_level_0_and_what_is_older_can_be_removed(self):
        levels, days = self.days(4, "--incremental", "--max-level", "1")
        self.assertEqual([number(level) for level in levels], [0, 1, 0, 1])
        self.succeed("admin", "--remove-before-date", date(made_at(levels[2]) - 1))
        self.assertEqual(self.levels(), levels[2:])
        self.assertFalse([name for name in self.store.names() if name.startswith(levels[0].rsplit("/", 1)[0])])
        self.assert_same(days[3], self.restored())

    def test_always_level_repeats_that_level_upon_the_one_before(self):
        levels, days = self.days(3, "--incremental", "--always-level", "1")
        self.assertEqual([number(level) for level in levels], [0, 1, 1])
        # Each of them by its date, though Freezer knows them by their number alone.
        for level, day in zip(levels[1:], days[1:]):
            self.assert_same(day, self.restored("--restore-from-date", date(made_at(level))))

    def test_restart_always_level_begins_again_after_its_days(self):
        # Less than a second, and the agent takes longer to start.
        levels, days = self.days(2, "--incremental", "--always-level", "3", "--restart-always-level", "0.00001")
        self.assertEqual([number(level) for level in levels], [0, 0])
        self.assert_same(days[1], self.restored())

    def test_what_is_excluded_is_not_restored(self):
        (self.tree / "sub").mkdir()
        for name in ("kept", "left.log", "sub/left.log", "sub/kept.log.txt"):
            (self.tree / name).write_text(name)
        self.back_up("--exclude", "*.log")
        found = self.restored()
        self.assertEqual(sorted(path.name for path in found.rglob("*")), ["kept", "kept.log.txt", "sub"])

    def test_each_compression_makes_levels_of_one_chain(self):
        levels = []
        for compression, magic in COMPRESSIONS.items():
            (self.tree / compression).write_text("a line like any other\n" * 10_000)
            levels.append(self.back_up("--incremental", "--compression", compression))
            (piece,) = self.store.pieces(levels[-1])
            self.assertEqual(self.store.get(piece)[: len(magic)], magic)
            self.assertLess(self.stored(levels[-1]), 20_000)
        self.assertEqual([number(level) for level in levels], [0, 1, 2])
        self.assert_same(self.tree, self.restored())

    def test_a_single_file_is_backed_up_and_restored(self):
        file = self.tree / "a file"
        for level in range(2):
            file.write_bytes(self.random.randbytes(100_000))
            self.assertEqual(number(self.back_up("--incremental", path=file)), level)
        found = self.restored()
        self.assertEqual(os.listdir(found), ["a file"])
        self.assertEqual((found / "a file").read_bytes(), file.read_bytes())

    def test_a_full_directory_is_restored_into_only_when_that_is_asked_for(self):
        levels, days = self.days(1)
        target = self.dir / "target"
        target.mkdir()
        (target / "file").write_text("another")
        status, said = self.run_agent("restore", "--restore-abs-path", str(target))
        self.assertEqual(status, 1)
        self.assertIn(f"Restore dir is not empty. Please use --overwrite or provide different path or remove the "
                      f"content of {target}", said)
        self.assertEqual((target / "file").read_text(), "another")
        self.succeed("restore", "--restore-abs-path", str(target), "--overwrite")
        self.assert_same(days[0], target)

    def test_a_date_before_the_first_backup_has_none(self):
        levels, _ = self.days(1)
        target = self.dir / "target"
        options = ("--restore-abs-path", str(target), "--restore-from-date", date(made_at(levels[0]) - 1))
        status, said = self.run_agent("restore", *options)
        self.assertEqual((status, said.splitlines()[-1]),
                         (1, 'Critical Error: No matching backup name "machine_backup" found'))
        self.assertFalse(target.exists())

    def test_an_encrypted_chain_is_restored_with_its_pass_phrase_alone(self):
        phrase, another = self.dir / "phrase", self.dir / "another phrase"
        phrase.write_text("a phrase\n")
        another.write_text("not that\n")
        for level in range(2):
            (self.tree / f"secret {level}").write_text("nobody is to read this\n" * 1_000)
            made = self.back_up("--incremental", "--encrypt-pass-file", str(phrase))
            for name in (*self.store.pieces(made), f"{made}/engine_metadata"):
                self.assertEqual(self.store.get(name)[:8], b"Salted__")
        self.assert_same(self.tree, self.restored("--encrypt-pass-file", str(phrase)))
        for options in ((), ("--encrypt-pass-file", str(another))):
            target = self.dir / f"target {len(options)}"
            status, said = self.run_agent("restore", "--restore-abs-path", str(target), *options)
            self.assertEqual((status, said.splitlines()[-1]), (1, FAILED_RESTORE))
            self.assertEqual(os.listdir(target), [])

    def test_the_agent_finds_the_restored_tree_consistent(self):
        (self.tree / "sub").mkdir()
        for name in ("file", "sub/file", "sub/another"):
            (self.tree / name).write_bytes(self.random.randbytes(10_000))
        told = self.dir / "told"
        self.back_up("--consistency-check", "--metadata-out", str(told))
        metadata = json.loads(told.read_text())
        self.assertEqual((metadata["engine_name"], metadata["curr_backup_level"]), ("frazil", 0))
        self.restored("--consistency-checksum", metadata["consistency_checksum"])
