"""Trees are backed up, listed, verified and restored."""

import io
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import frazil
from ground import Ground, odd_pieces


class Trees(Ground):
    def setUp(self):
        super().setUp()
        self.tree = self.dir / "tree"
        (self.tree / "sub").mkdir(parents=True)
        self.write("tree/file", self.content(300_000))
        self.write("tree/sub/other", b"other")
        os.link(self.tree / "file", self.tree / "sub/name")
        os.symlink("file", self.tree / "link")
        with open(os.path.join(bytes(self.tree), b"not utf-8 \xff"), "wb") as file:
            file.write(b"named by bytes")

    def backed_up(self, number, **options):
        """Backs the tree up as the next level, and returns its archive."""
        since = self.dir / f"snapshot.{number - 1}" if number else None
        archive = io.BytesIO()
        summary = frazil.backup_tree(self.tree, archive, self.dir / f"snapshot.{number}", since, **options)
        self.write(f"archive.{number}", archive.getvalue())
        self.assertEqual(summary.stream_bytes, len(archive.getvalue()))
        self.assertEqual(summary.header.number, number)
        self.assertFalse(summary.partial)
        return archive.getvalue(), summary

    def changed(self):
        path = self.tree / "file"
        path.write_bytes(self.edited(path.read_bytes()))
        (self.tree / "sub/other").unlink()
        (self.tree / "new").mkdir()
        self.write("tree/new/file", b"new")

    def contents(self, root):
        """What is in a tree: kinds, contents, targets and times, by path."""
        found = {}
        for directory, names, files in os.walk(bytes(root)):
            for name in names + files:
                path = os.path.join(directory, name)
                status = os.lstat(path)
                if os.path.islink(path):
                    inside = os.readlink(path)
                else:
                    inside = Path(os.fsdecode(path)).read_bytes() if os.path.isfile(path) else None
                found[os.path.relpath(path, bytes(root))] = (status.st_mode, status.st_mtime_ns, status.st_nlink, inside)
        return found

    def test_levels_of_a_tree_are_restored_one_after_the_other(self):
        archives, trees = [], []
        for number, options in enumerate([{}, {"filter": "zstd"}, {"matching": "aligned"}]):
            archives.append(self.backed_up(number, **options)[0])
            trees.append(self.contents(self.tree))
            self.changed() if number < 1 else self.write("tree/file", self.content(10_000 * number))
        restored = self.dir / "restored"
        for number, (archive, tree) in enumerate(zip(archives, trees)):
            with frazil.TreeRestore(restored) as restore:
                for piece in odd_pieces(archive, self.random):
                    restore.write(piece)
            self.assertEqual((restore.summary.header.number, restore.summary.partial), (number, False))
            self.assertTrue(restore.summary.whole)
            found = self.contents(restored)
            self.assertEqual({path: entry for path, entry in found.items() if not path.startswith(b".frazil")}, tree)
        frazil.conclude_restore(restored)
        self.assertEqual(self.contents(restored), trees[-1])

    def test_an_archive_is_restored_out_of_every_stream(self):
        archive, summary = self.backed_up(0)
        path = self.dir / "archive.0"
        with open(path, "rb", buffering=0) as file:
            for number, source in enumerate([path, bytes(path), file, io.BytesIO(archive), odd_pieces(archive, self.random)]):
                with self.subTest(number):
                    restored = frazil.restore_tree(source, self.dir / f"restored.{number}")
                    self.assertEqual(restored.header, summary.header)
                    frazil.conclude_restore(self.dir / f"restored.{number}")
                    self.assertEqual(self.contents(self.dir / f"restored.{number}"), self.contents(self.tree))

    def test_an_archive_without_its_end_publishes_nothing(self):
        archive, _ = self.backed_up(0)
        for length in (0, 1_000, len(archive) // 2, len(archive) - 15_000):
            with self.subTest(length):
                with self.assertRaises((frazil.TruncatedError, frazil.CorruptError)):
                    with frazil.TreeRestore(self.dir / "restored") as restore:
                        restore.write(archive[:length])
                with self.assertRaises((frazil.TruncatedError, frazil.CorruptError)):
                    frazil.restore_tree(io.BytesIO(archive[:length]), self.dir / "restored")
                self.assertEqual(self.left(), ["archive.0", "snapshot.0", "tree"])

    def test_a_block_that_is_left_by_an_exception_publishes_nothing(self):
        archive, _ = self.backed_up(0)
        with self.assertRaises(KeyError), frazil.TreeRestore(self.dir / "restored") as restore:
            restore.write(archive)
            raise KeyError
        self.assertFalse((self.dir / "restored").exists())

    def test_a_backup_that_was_not_read_to_its_end_has_no_snapshot(self):
        with frazil.TreeBackup(self.tree, self.dir / "snapshot") as backup:
            backup.read(100)
            with self.assertRaises(frazil.StateError):
                backup.finish()
        with frazil.TreeBackup(self.tree, self.dir / "snapshot") as backup:
            backup.read()
        self.assertEqual(self.left(), ["tree"])

    def test_levels_are_restored_in_their_order_alone(self):
        first, _ = self.backed_up(0)
        self.changed()
        second, _ = self.backed_up(1)
        with self.assertRaises(frazil.Error):
            frazil.restore_tree(io.BytesIO(second), self.dir / "restored")
        frazil.restore_tree(io.BytesIO(first), self.dir / "restored")
        frazil.restore_tree(io.BytesIO(second), self.dir / "restored")
        self.assertTrue(frazil.restore_tree(io.BytesIO(second), self.dir / "restored").already_there)

    def test_an_archive_is_listed(self):
        _, summary = self.backed_up(0)
        entries = []
        listed = frazil.list_archive(self.dir / "archive.0", entries.append)
        self.assertEqual((listed.header, listed.problems), (summary.header, 0))
        self.assertEqual(listed.records, len(entries))
        by_path = {os.fsencode(entry.path): entry for entry in entries if not entry.closes}
        self.assertEqual(set(by_path) - {b"."}, set(self.contents(self.tree)))
        file, status = by_path[b"file"], os.lstat(self.tree / "file")
        self.assertEqual((file.action, file.kind, file.size), ("full", "file", 300_000))
        self.assertEqual((file.modified_ns, file.mode, file.uid), (status.st_mtime_ns, status.st_mode & 0o7777, status.st_uid))
        self.assertEqual(file.fingerprint, frazil.Signature.of_file(self.tree / "file").fingerprint)
        name = by_path[b"sub/name"]
        self.assertEqual((name.action, name.from_, name.kind), ("link", "file", "unknown"))
        self.assertEqual((by_path[b"link"].kind, by_path[b"link"].target), ("symlink", "file"))
        self.assertEqual(by_path[b"sub"].fingerprint, None)

        self.changed()
        self.backed_up(1)
        entries.clear()
        with open(self.dir / "archive.1", "rb") as archive:
            frazil.list_archive(archive, entries.append)
        actions = {entry.path: entry.action for entry in entries if entry.kind != "directory"}
        self.assertEqual((actions["file"], actions["sub/other"], actions["new/file"]), ("delta", "delete", "full"))

    def test_an_archive_says_which_level_it_is_before_it_is_read_any_further(self):
        archives = [self.backed_up(0, filter="gzip"), self.backed_up(1)]
        for number, (archive, summary) in enumerate(archives):
            path = self.dir / f"archive.{number}"
            with open(path, "rb", buffering=0) as file:
                for source in (path, bytes(path), file, io.BytesIO(archive), odd_pieces(archive, self.random)):
                    self.assertEqual(frazil.archive_header(source), summary.header)
        given = []
        pieces = (given.append(piece) or piece for piece in odd_pieces(archives[0][0], self.random, longest=1_000))
        frazil.archive_header(pieces)
        self.assertLess(sum(map(len, given)), 250_000)
        for archive, error in [(b"", frazil.TruncatedError), (archives[1][0][:100], frazil.TruncatedError)]:
            with self.subTest(archive), self.assertRaises(error):
                frazil.archive_header(io.BytesIO(archive))
        with self.assertRaises(KeyError):
            frazil.archive_header({}[piece] for piece in "a")

    def test_a_backup_reports_what_it_looked_at_and_why(self):
        reports = []
        self.backed_up(0, entry=reports.append)
        by_path = {os.fsencode(report.path): report for report in reports}
        self.assertEqual(set(by_path) - {b"."}, set(self.contents(self.tree)))
        self.assertEqual({report.path for report in reports if report.reason != "new"}, {"sub/name"})
        self.assertEqual((by_path[b"sub/name"].action, by_path[b"sub/name"].reason), ("link", "link"))
        self.assertEqual(by_path[b"file"], frazil.EntryReport("file", "full", "new", by_path[b"file"].bytes))
        self.assertGreater(by_path[b"file"].bytes, 200_000)

        # Long enough ago that the next backup need not look at it again.
        for name in ("file", "sub/other", "link"):
            os.utime(self.tree / name, (1, 1), follow_symlinks=False)
        self.backed_up(1)
        self.changed()
        reports.clear()
        self.backed_up(2, entry=reports.append)
        found = {report.path: (report.action, report.reason) for report in reports}
        self.assertEqual((found["file"][0], found["new/file"]), ("delta", ("full", "new")))
        self.assertEqual(found["sub/other"], ("delete", "gone"))

        error = KeyError("mine")
        def refuse(_report):
            raise error

        with self.assertRaises(KeyError) as raised:
            frazil.backup_tree(self.tree, io.BytesIO(), self.dir / "never", entry=refuse)
        self.assertIs(raised.exception, error)
        self.assertFalse((self.dir / "never").exists())

    def test_a_snapshot_is_listed(self):
        _, summary = self.backed_up(0)
        entries = []
        listed = frazil.list_snapshot(self.dir / "snapshot.0", entries.append)
        self.assertEqual((listed.header, listed.entries), (summary.header, len(entries)))
        by_path = {os.fsencode(entry.path): entry for entry in entries}
        self.assertEqual(set(by_path) - {b"."}, set(self.contents(self.tree)))
        file, status = by_path[b"file"], os.lstat(self.tree / "file")
        self.assertEqual((file.kind, file.size, file.link, file.stale), ("file", 300_000, None, False))
        self.assertEqual((file.modified_ns, file.mode, file.gid), (status.st_mtime_ns, status.st_mode & 0o7777, status.st_gid))
        signature = frazil.Signature.of_file(self.tree / "file")
        self.assertEqual((file.fingerprint, file.block_count), (signature.fingerprint, len(signature.blocks)))
        self.assertEqual(by_path[b"sub/name"].link, "file")
        self.assertEqual((by_path[b"link"].kind, by_path[b"link"].target), ("symlink", "file"))
        self.write("cut", (self.dir / "snapshot.0").read_bytes()[:-1])
        with self.assertRaises(frazil.TruncatedError):
            frazil.list_snapshot(self.dir / "cut", entries.append)
        with self.assertRaises(ZeroDivisionError):
            frazil.list_snapshot(self.dir / "snapshot.0", lambda _: 1 / 0)

    def test_a_snapshot_is_listed_out_of_every_stream(self):
        _, summary = self.backed_up(0)
        path, listed = self.dir / "snapshot.0", []
        frazil.list_snapshot(path, listed.append)
        content = path.read_bytes()
        with open(path, "rb", buffering=0) as file:
            for number, source in enumerate([bytes(path), file, io.BytesIO(content), odd_pieces(content, self.random)]):
                again = []
                with self.subTest(number):
                    self.assertEqual(frazil.list_snapshot(source, again.append).header, summary.header)
                    self.assertEqual(again, listed)

    def test_a_tree_is_verified_out_of_every_stream(self):
        archives = [self.backed_up(0)[0]]
        self.changed()
        archives.append(self.backed_up(1)[0])
        self.write("tree/extra", b"extra")
        paths = [self.dir / "archive.0", self.dir / "archive.1"]
        wanted = []
        verified = frazil.verify_tree(paths, self.tree, wanted.append)
        self.assertIn(frazil.Difference("extra", "extra"), wanted)
        with open(paths[0], "rb", buffering=0) as first, open(paths[1], "rb", buffering=0) as second:
            for sources in (
                [first, second],
                [io.BytesIO(archives[0]), odd_pieces(archives[1], self.random)],
                [bytes(paths[0]), io.BytesIO(archives[1])],
            ):
                differences = []
                self.assertEqual(frazil.verify_tree(sources, self.tree, differences.append), verified)
                self.assertEqual(differences, wanted)
        error = KeyError("mine")

        def raising():
            yield archives[1][:1_000]
            raise error

        with self.assertRaises(KeyError) as raised:
            frazil.verify_tree([io.BytesIO(archives[0]), raising()], self.tree)
        self.assertIs(raised.exception, error)
        for cut in (archives[1][:-1_000], b""):
            with self.assertRaises(frazil.TruncatedError):
                frazil.verify_tree([paths[0], io.BytesIO(cut)], self.tree)
        for alone in (io.BytesIO(archives[0]), memoryview(archives[0])):
            with self.assertRaises(TypeError):
                frazil.verify_tree(alone, self.tree)

    def test_a_pipe_that_is_verified_is_read_by_its_path(self):
        archive, summary = self.backed_up(0)
        os.mkfifo(self.dir / "fifo")
        with ThreadPoolExecutor(1) as pool:
            written = pool.submit((self.dir / "fifo").write_bytes, archive)
            self.assertEqual(frazil.verify_tree([self.dir / "fifo"], self.tree).header, summary.header)
            written.result()

    def test_an_archive_and_a_tree_are_verified(self):
        archive, summary = self.backed_up(0)
        self.assertEqual(frazil.verify_archive(io.BytesIO(archive)).header, summary.header)
        damaged = bytearray(archive)
        damaged[len(damaged) // 2] ^= 1
        with self.assertRaises((frazil.CorruptError, frazil.MismatchError)):
            frazil.verify_archive(memoryview(damaged))
        differences = []
        paths = [self.dir / "archive.0"]
        self.assertEqual(frazil.verify_tree(paths, self.tree, differences.append).differences, 0)
        self.assertEqual(differences, [])
        status = os.stat(self.tree / "file")
        with open(self.tree / "file", "r+b") as file:
            file.write(b"changed")
        os.utime(self.tree / "file", ns=(status.st_atime_ns, status.st_mtime_ns))
        verified = frazil.verify_tree(iter(paths), self.tree, differences.append)
        self.assertEqual(verified.differences, len(differences))
        self.assertEqual({(one.path, one.kind) for one in differences} & {("file", "content")}, {("file", "content")})
        self.assertEqual(frazil.verify_tree(paths, self.tree).differences, len(differences))
        with self.assertRaises(TypeError):
            frazil.verify_tree(str(paths[0]), self.tree)

    def test_options_reach_the_backup(self):
        options = {"excludes": ["sub/", "!sub/name"], "exclude_marked": [b"no such mark"], "threads": 1, "block_len": 4_096}
        _, summary = self.backed_up(0, **options)
        entries = []
        frazil.list_archive(self.dir / "archive.0", entries.append)
        self.assertFalse([entry for entry in entries if entry.path.startswith("sub/")])
        self.assertEqual(summary.header.block_len, 4_096)
        self.assertEqual(frazil.verify_tree([self.dir / "archive.0"], self.tree, excludes=["sub/"]).differences, 0)
        self.assertEqual(frazil.verify_tree([self.dir / "archive.0"], self.tree, excludes=[b"sub/"]).differences, 0)
        (self.tree / "to sub").symlink_to("sub")
        self.backed_up(1, dereference=True)
        archives = [self.dir / "archive.0", self.dir / "archive.1"]
        self.assertEqual(frazil.verify_tree(archives, self.tree, dereference=True).differences, 0)
        self.assertGreater(frazil.verify_tree(archives, self.tree).differences, 0)
        (self.tree / "to sub").unlink()
        for line, error in [("\udcff*", frazil.InvalidInputError), (b"\xff", frazil.InvalidInputError), (1, TypeError)]:
            with self.assertRaises(error):
                frazil.verify_tree([self.dir / "archive.0"], self.tree, excludes=[line])
        for options in ({"excludes": "*.o"}, {"exclude_marked": ".nobackup"}):
            with self.assertRaises(TypeError):
                self.backed_up(1, **options)

    def test_options_reach_the_restoration(self):
        archive, _ = self.backed_up(0)
        restored = self.dir / "restored"
        frazil.restore_tree(memoryview(archive), restored, paths=["sub/other"], strip=1, prefix="below")
        self.assertEqual((restored / "below/other").read_bytes(), b"other")
        self.assertFalse((restored / "file").exists())
        selected = frazil.restore_tree(memoryview(archive), self.dir / "selected", paths=["sub/other", "none"])
        self.assertEqual(selected.missing, 1)
        self.missing_paths_are_told(archive)
        summary = frazil.restore_tree(memoryview(archive), self.dir / "dry", dry_run=True)
        self.assertEqual((summary.output_bytes > 300_000, (self.dir / "dry").exists()), (True, False))
        if os.getuid() == 0:
            owners = {"users": {0: 12_345}, "groups": {0: 54_321}, "numeric_owner": True}
            frazil.restore_tree(memoryview(archive), self.dir / "owned", **owners)
            status = os.stat(self.dir / "owned/file")
            self.assertEqual((status.st_uid, status.st_gid), (12_345, 54_321))
        # C would take no paths for all of them.
        for options in ({"paths": []}, {"assume_parent": b"short"}, {"users": {0: 1 << 32}}):
            with self.subTest(options), self.assertRaises(frazil.InvalidInputError):
                frazil.restore_tree(memoryview(archive), self.dir / "never", **options)

    def missing_paths_are_told(self, archive):
        paths, told = ["sub/other", "none", b"not \xff"], []
        for number, restore in enumerate([frazil.restore_tree, self.fed]):
            restored = self.dir / f"missing.{number}"
            summary = restore(memoryview(archive), restored, paths=paths, missing=told.append)
            self.assertEqual((summary.missing, sorted(told)), (2, ["none", "not \udcff"]))
            told.clear()
            error = KeyError("mine")

            def refuse(_path):
                raise error

            with self.assertRaises(KeyError) as raised:
                restore(memoryview(archive), self.dir / f"raised.{number}", paths=paths, missing=refuse)
            self.assertIs(raised.exception, error)
            # It came when all was done.
            self.assertEqual((self.dir / f"raised.{number}/sub/other").read_bytes(), b"other")
            self.assertIsNotNone(frazil.restored_level(self.dir / f"raised.{number}"))

    def fed(self, archive, destination, **options):
        with frazil.TreeRestore(destination, **options) as restore:
            restore.write(archive)
        return restore.summary

    def test_what_is_written_into_the_tree_is_left_out_and_limits_are_kept(self):
        paths, seen = [], []
        with open(self.tree / "archive", "wb") as archive:
            frazil.backup_tree(
                self.tree, archive, self.tree / "snapshot", leave_out=[archive], compare_device=True
            )
        frazil.list_archive(self.tree / "archive", lambda entry: paths.append(entry.path))
        self.assertIn("file", paths)
        self.assertEqual({"archive", "snapshot"} & set(paths), set())
        with self.assertRaises(frazil.LimitError):
            frazil.restore_tree(self.tree / "archive", self.dir / "limited", max_output=300_000)
        frazil.restore_tree(
            self.tree / "archive", self.dir / "restored", restoring=seen.append, verify_parent=True
        )
        self.assertEqual(sorted({entry.path for entry in seen}), sorted(set(paths)))

    def test_the_parent_of_a_destination_may_be_told(self):
        first, summary = self.backed_up(0)
        self.changed()
        second, _ = self.backed_up(1)
        restored = self.dir / "restored"
        frazil.restore_tree(io.BytesIO(first), restored)
        frazil.conclude_restore(restored)
        with self.assertRaises(frazil.Error):
            frazil.restore_tree(io.BytesIO(second), restored)
        frazil.restore_tree(io.BytesIO(second), restored, assume_parent=summary.header.id)
        self.assertEqual((restored / "file").read_bytes(), (self.tree / "file").read_bytes())

    def test_a_destination_says_where_it_stands(self):
        archive, summary = self.backed_up(0)
        nothing = frazil.Recovery("nothing", None, False)
        self.assertEqual(frazil.recover_restore(self.dir / "restored"), nothing)
        (self.dir / "restored").mkdir()
        self.assertEqual(frazil.recover_restore(self.dir / "restored"), nothing)
        frazil.restore_tree(memoryview(archive), self.dir / "restored")
        stands = frazil.Recovery("stands", summary.header.id, False)
        self.assertEqual(frazil.recover_restore(self.dir / "restored"), stands)
        problems = []
        self.assertEqual(frazil.recover_restore(self.dir / "restored", problem=problems.append), stands)
        self.assertEqual(problems, [])

    def test_the_level_of_a_destination_is_known(self):
        restored = self.dir / "restored"
        self.assertIsNone(frazil.restored_level(restored))
        restored.mkdir()
        self.assertIsNone(frazil.restored_level(restored))
        for number in range(2):
            archive, summary = self.backed_up(number)
            self.changed() if not number else None
            with frazil.TreeRestore(restored) as restore:
                restore.write(archive)
                # Its own thread may not have begun yet.
                with self.assertRaises(frazil.StateError):
                    for _ in range(1_000):
                        frazil.restored_level(restored)
                        time.sleep(0.01)
            self.assertEqual(frazil.restored_level(bytes(restored)), summary.header.id)
        frazil.conclude_restore(restored)
        self.assertIsNone(frazil.restored_level(restored))

    def test_progress_counts_entries(self):
        told = []
        self.write("tree/large", self.content(3_000_000))
        self.backed_up(0, progress=told.append)
        self.assertGreater(told[-1].entries, 1)
        restored = []
        archive = (self.dir / "archive.0").read_bytes()
        with frazil.TreeRestore(self.dir / "restored", progress=restored.append) as restore:
            restore.write(archive)
        self.assertGreater(restored[-1].done_bytes, 1_000_000)
