"""What goes wrong with the agent's own engine `rsyncv2`: each is a test here."""

import gzip
import io
import os
import queue
import subprocess
import tarfile
import unittest
from pathlib import Path
from unittest import mock

import frazil
from ground import IS_ROOT, Ground, seen

SEGMENT = 65_536


class Faults(Ground):
    SEGMENT_SIZE = SEGMENT

    def segments(self, **options):
        """What a backup of the tree gives the storage, piece by piece."""
        os.chdir(self.tree)
        return list(self.engine(**options).backup_data(".", str(self.dir / "manifest")))

    def restore_one(self, archive, level=0, to="restored", metadata=None):
        """Restores one level out of a pipe, as the agent's child process does."""
        header = frazil.archive_header(io.BytesIO(archive)) if metadata is None else None
        backup = mock.Mock(level=level)
        backup.metadata.return_value = metadata or {"id": header.id.hex()}
        pieces = iter([archive[at : at + 100_000] for at in range(0, len(archive), 100_000)])
        pipe = mock.Mock()
        pipe.recv_bytes.side_effect = lambda: next_or_end(pieces)
        failures = queue.Queue()
        self.engine().restore_level(str(self.dir / to), pipe, backup, failures)

    def test_no_segment_is_lost_whatever_is_left_for_the_last(self):
        for compression in ("gzip", "bzip2"):
            for length in (65_000, 65_440, 65_530, 131_072, 200_000, 265_000):
                with self.subTest(compression=compression, length=length):
                    self.write("file", self.content(length))
                    (self.dir / "manifest").unlink(missing_ok=True)
                    segments = self.segments(compression=compression)
                    self.assertEqual({len(segment) for segment in segments[:-1]} - {SEGMENT}, set())
                    self.assertTrue(0 < len(segments[-1]) <= SEGMENT)
                    self.assertGreater(sum(map(len, segments)), length)
                    self.restore_one(b"".join(segments), to=f"restored.{compression}.{length}")
                    restored = self.dir / f"restored.{compression}.{length}/file"
                    self.assertEqual(restored.read_bytes(), (self.tree / "file").read_bytes())

    def test_segments_are_full_also_where_the_archive_is_a_multiple_of_them(self):
        self.write("file", self.content(200_000))
        length = len(b"".join(self.segments()))
        for size in (1, 7, length // 8, length - 1, length, length + 1):
            with self.subTest(size):
                (self.dir / "manifest").unlink()
                # Ids are drawn by lot, so that the archive is a little shorter or longer each time.
                segments = self.segments(max_segment_size=size)
                self.assertEqual({len(segment) for segment in segments[:-1]} - {size}, set())
                self.assertTrue(0 < len(segments[-1]) <= size)

    def test_an_archive_that_is_cut_or_damaged_anywhere_restores_nothing(self):
        self.write("file", self.content(150_000))
        self.write("other", b"other")
        archive = b"".join(self.segments())
        whole = frazil.archive_header(io.BytesIO(archive))
        cuts = [archive[:length] for length in (0, 1, 100, len(archive) // 2, len(archive) - 1)]
        flips = []
        for at in (1, 600, len(archive) // 3, len(archive) // 2, len(archive) - 10):
            flipped = bytearray(archive)
            flipped[at] ^= 0x10
            flips.append(bytes(flipped))
        for number, damaged in enumerate(cuts + flips):
            with self.subTest(number), self.assertLogs(level="ERROR"), self.assertRaises(frazil.Error):
                self.restore_one(damaged, metadata={"id": whole.id.hex()})
            self.assertFalse((self.dir / "restored").exists())

    def test_a_file_that_grows_while_it_is_read_harms_no_other(self):
        for number in range(20):
            self.write(f"file {number:02}", self.content(100_000))
        growing = self.tree / "file 10"
        os.chdir(self.tree)
        segments = []
        for segment in self.engine(max_segment_size=10_000).backup_data(".", str(self.dir / "manifest")):
            segments.append(segment)
            with open(growing, "ab") as file:
                file.write(b"more" * 1_000)
        self.restore_one(b"".join(segments))
        restored = seen(self.dir / "restored")
        wanted = seen(self.tree)
        for path in wanted:
            if path not in (b"file 10", b"."):
                self.assertEqual(restored[path], wanted[path])

    def test_nothing_escapes_from_where_it_is_restored(self):
        def forged(change):
            made = io.BytesIO()
            with tarfile.open(fileobj=io.BytesIO(archive)) as source, tarfile.open(fileobj=made, mode="w") as target:
                for member in source:
                    content = source.extractfile(member) if member.isreg() else None
                    change(member)
                    target.addfile(member, content)
            return gzip.compress(made.getvalue())

        self.write("file", b"evil" * 1_000)
        os.symlink(self.dir, self.tree / "a link")
        archive = gzip.decompress(b"".join(self.segments()))
        (self.dir / "victim").write_bytes(b"victim")

        def named(name):
            def change(member):
                if member.name == "full/file":
                    member.name = name

            return change

        for name in (
            "full/../../victim",
            "full/a link/victim",
            f"full/{self.dir}/victim",
            f"{self.dir}/victim",
            "../victim",
        ):
            metadata = {"id": frazil.archive_header(io.BytesIO(archive)).id.hex()}
            with self.subTest(name), self.assertLogs(level="ERROR"), self.assertRaises(frazil.Error):
                self.restore_one(forged(named(name)), metadata=metadata)
            self.assertEqual((self.dir / "victim").read_bytes(), b"victim")
            self.assertFalse((self.dir / "restored/file").exists())

    def test_a_link_that_becomes_a_file_leaves_what_it_led_to(self):
        victim = self.dir / "victim"
        victim.write_bytes(b"victim")
        victim.chmod(0o600)
        os.symlink(victim, self.tree / "entry")
        os.symlink(victim, self.tree / "retargeted")
        self.back_up()
        (self.tree / "entry").unlink()
        self.write("entry", b"a file now")
        (self.tree / "retargeted").unlink()
        os.symlink("elsewhere", self.tree / "retargeted")
        self.back_up()
        restored = self.restore()
        self.assert_same(self.tree, restored)
        self.assertEqual((victim.read_bytes(), victim.stat().st_mode & 0o7777), (b"victim", 0o600))

    def test_a_directory_becomes_a_file_and_a_file_a_directory(self):
        self.write("a/inside", b"inside")
        self.write("b", b"file")
        self.back_up()
        (self.tree / "a/inside").unlink()
        (self.tree / "a").rmdir()
        self.write("a", b"file")
        (self.tree / "b").unlink()
        self.write("b/inside", b"inside")
        self.back_up()
        self.assert_same(self.tree, self.restore())

    def test_a_restore_does_not_remove_what_is_not_of_the_backup(self):
        self.write("sub/file", b"new")
        self.back_up()
        (self.dir / "restored/sub").mkdir(parents=True)
        (self.dir / "restored/sub/file").write_bytes(b"old")
        (self.dir / "restored/sub/kept").write_bytes(b"kept")
        restored = self.restore(overwrite=True)
        self.assertEqual((restored / "sub/file").read_bytes(), b"new")
        self.assertEqual((restored / "sub/kept").read_bytes(), b"kept")

    def test_dangling_links_and_odd_names_are_backed_up(self):
        os.symlink("nowhere", self.tree / "dangling")
        os.symlink("loop", self.tree / "loop")
        name = os.path.join(os.fsencode(self.tree), b"not utf-8 \xff")
        Path(os.fsdecode(name)).write_bytes(b"odd")
        self.back_up()
        os.unlink(self.tree / "dangling")
        self.back_up()
        self.assert_same(self.tree, self.restore())

    def test_a_file_that_vanishes_during_the_walk_is_passed_over(self):
        for number in range(400):
            self.write(f"{number % 20:02}/{number}", b"x")
        os.chdir(self.tree)
        segments = []
        for segment in self.engine(max_segment_size=100).backup_data(".", str(self.dir / "manifest")):
            if not segments:
                subprocess.run(["rm", "-rf", self.tree / "19", self.tree / "18/18"], check=True)
            segments.append(segment)
        self.restore_one(b"".join(segments))
        self.assertEqual((self.dir / "restored/00/0").read_bytes(), b"x")

    def test_the_header_of_a_large_tree_is_no_header(self):
        for number in range(2_000):
            self.write(f"{number % 20}/a name that is long enough to take some room {number}", b"")
        self.back_up()
        self.back_up()
        self.assert_same(self.tree, self.restore())

    def test_what_did_not_change_is_not_sent_again(self):
        path = self.write("file", self.content(1_000_000))
        edits = {
            "nothing": (lambda: None, 0),
            "touch": (lambda: os.utime(path), 0),
            "chmod": (lambda: path.chmod(0o600), 0),
            "an inserted byte": (lambda: path.write_bytes(b"!" + path.read_bytes()), 2 * 65_536),
            "a cut at the edge of a block": (lambda: os.truncate(path, 524_288), 65_536),
            "a block that is appended": (
                lambda: path.write_bytes(path.read_bytes() + self.content(65_536)),
                2 * 65_536,
            ),
        }
        self.back_up()
        for edit, (change, most) in edits.items():
            with self.subTest(edit):
                change()
                engine = self.back_up()
                self.assertLessEqual(engine.summary.content_bytes, most)
                self.assertLess(engine.summary.stream_bytes, most + 6_000)
        self.assert_same(self.tree, self.restore())

    def test_hard_links_holes_and_attributes_are_kept(self):
        self.write("file", self.content(10_000))
        os.link(self.tree / "file", self.tree / "name")
        os.setxattr(self.tree / "file", "user.a", b"b")
        with open(self.tree / "sparse", "wb") as file:
            file.truncate(50 << 20)
        engine = self.back_up()
        self.assertLess(engine.summary.stream_bytes, 50_000)
        restored = self.restore()
        self.assert_same(self.tree, restored)
        self.assertEqual(os.stat(restored / "file").st_ino, os.stat(restored / "name").st_ino)
        self.assertEqual(os.stat(restored / "sparse").st_blocks, 0)

    @unittest.skipUnless(IS_ROOT, "only root gives files away")
    def test_owners_that_the_system_does_not_know_and_devices_are_kept(self):
        os.chown(self.write("file", b"x"), 3_000_000_000, 3_000_000_001)
        os.mknod(self.tree / "null", 0o20666, os.makedev(1, 3))
        os.mknod(self.tree / "block", 0o60600, os.makedev(200, 77))
        self.back_up()
        self.assert_same(self.tree, self.restore())

    def test_both_of_the_agents_engines_and_this_one_have_places_of_their_own(self):
        self.write("file", b"x")
        self.back_up()
        self.assertEqual(os.listdir(self.dir / "storage/data"), ["frazil"])


def next_or_end(pieces):
    try:
        return next(pieces)
    except StopIteration:
        raise EOFError from None
