"""The agent's options reach frazil, and mean what they mean with tar."""

import io
import os
import subprocess
from unittest import mock

import frazil
from freezer.common import config
from freezer.engine.frazil import patterns
from freezer.engine.tar import tar_builders
from ground import NAME, Ground, copy_of, seen
from oslo_config import cfg

ALIKE = [
    *["*.o", "foo", "foo/", "./foo", "./foo/", "/foo", "foo/*", "foo/*.o", "./foo/*.o", "./*.o", "*/b", "a*b", "*b"],
    *["{x}", "{x,foo}", "!neg", "#hash", "sp ", "sp2  ", "[br", "a[b]", r"a\[b\]", "[ab].?", "*.log", "deep/*.log"],
    *["deep/*/three.log", "build*", "./build*", r"star\*lit", r"back\\slash", r"back\slash", "[!a]*.c", "[^a]*.c"],
    *[r"\^a", "[^]a]a", "-*", "./*", "**/foo", "foo/**", "foo/**/z.o", "bar/foo", "*oo*", "f*r", "f*/*r", "d*/*e*"],
    *["??", ".hidden", "*/.hidden", "./.hidden", "caché", "*é", "foo\\", "foo//bar", "./", " ", "foo/./bar", "../foo"],
    *["x/build/", "a.o*", "*/*", "*/*/*", "d*/t*"],
]
# What frazil leaves out, where tar leaves out something else.
OTHER = {
    "*": ("everything but the root", lambda paths: paths == {"."}),
    "q?z": ("no slash is matched by a question mark", lambda paths: "q/z" in paths and "qXz" not in paths),
    ".": ("nothing", lambda paths: len(paths) > 30),
}


class Excluding(Ground):
    def setUp(self):
        super().setUp()
        for name in [
            *[
                "a.o",
                "b.c",
                "foo/a.o",
                "foo/x.c",
                "foo/bar/y.o",
                "foo/bar/baz/z.o",
                "foo.d/q",
                "bar/foo/r",
                "{x}",
                "sp ",
            ],
            *[
                "bar/foo.txt",
                "!neg",
                "#hash",
                "sp2  ",
                "[br",
                "a[b]",
                "deep/one/two/three.log",
                "deep/one.log",
                "-dash",
            ],
            *["build/out", "build2/out", "x/build/out", "a/b", "a/xb", "ax/zb", "star*lit", "ab/cab/d", "back\\slash"],
            *["^a", "qXz", "q/z", "foo2", "d.ot/.hidden", ".hidden", "caché/é"],
        ]:
            self.write(name, b"x")
        os.chdir(self.tree)

    def in_tar(self, pattern):
        made = subprocess.run(["tar", "-c", "--exclude=" + pattern, "."], stdout=subprocess.PIPE, check=False).stdout
        listed = subprocess.run(
            ["tar", "-t", "--quoting-style=literal"], input=made, stdout=subprocess.PIPE, check=False
        )
        return {os.path.normpath(name) for name in listed.stdout.decode().splitlines()}

    def in_archive(self, pattern):
        segments = self.engine(exclude=pattern).backup_data(".", str(self.dir / "manifest"))
        paths = set()
        frazil.list_archive(segments, lambda entry: paths.add(entry.path))
        (self.dir / "manifest").unlink()
        return paths

    def test_a_pattern_leaves_out_what_it_leaves_out_of_a_tar(self):
        for pattern in ALIKE:
            with self.subTest(pattern):
                self.assertEqual(self.in_archive(pattern), self.in_tar(pattern))

    def test_where_it_does_not_the_difference_is_known(self):
        for pattern, (what, is_so) in OTHER.items():
            with self.subTest(pattern, what=what):
                paths = self.in_archive(pattern)
                self.assertTrue(is_so(paths), paths)
                self.assertNotEqual(paths, self.in_tar(pattern))

    def test_a_pattern_that_cannot_be_said_is_refused_and_one_that_says_nothing_is_told_of(self):
        for pattern in ("[[:digit:]]", r"[\]]", "[a/b]", "a*b*c*d*e*f*g*h*i*j*k"):
            with self.subTest(pattern), self.assertRaisesRegex(ValueError, "the pattern"):
                patterns.lines(pattern)
        with self.assertLogs(level="WARNING") as logs:
            self.in_archive("/etc")
        self.assertIn("leaves out nothing", logs.output[0])

    def test_what_is_excluded_is_not_restored_and_is_no_deletion(self):
        self.back_up(engine=self.engine(exclude="*.o"))
        self.write("new.o", b"x")
        self.back_up(engine=self.engine(exclude="*.o"))
        restored = self.restore()
        self.assertFalse(list(restored.rglob("*.o")))
        self.assertTrue((restored / "foo/x.c").exists())


class Options(Ground):
    def test_links_are_followed_if_that_is_asked_for(self):
        outside = self.dir / "outside"
        outside.mkdir()
        (outside / "file").write_bytes(b"outside")
        os.symlink(outside, self.tree / "link")
        self.write("file", b"x")
        os.link(self.tree / "file", self.tree / "name")
        choices = [
            (None, False, True),
            ("", False, True),
            ("soft", True, True),
            ("hard", False, False),
            ("all", True, False),
        ]
        for choice, is_followed, is_one_file in choices:
            with self.subTest(choice):
                name = f"host_{choice}"
                for level in range(3):
                    engine = self.back_up(engine=self.engine(symlinks=choice), name=name)
                    self.assertEqual((engine.metadata()["level"], engine.metadata()["problems"]), (level, 0))
                    self.write("file", b"changed %d" % level)
                restored = self.restore(f"restored.{choice}", name=name)
                self.assertEqual((restored / "link").is_symlink(), not is_followed)
                self.assertEqual((restored / "link/file").read_bytes(), b"outside")
                self.assertEqual((restored / "file").samefile(restored / "name"), is_one_file)
                for name in ("file", "name"):
                    self.assertEqual((restored / name).read_bytes(), b"changed 1")

    def test_what_is_dereferenced_is_restored_as_out_of_the_agents_tar(self):
        (self.tree / "sub").mkdir()
        self.write("file", b"of three names")
        os.mkfifo(self.tree / "pipe")
        os.symlink("file", self.tree / "link")
        for name in ("file", "pipe", "link"):
            os.link(self.tree / name, self.tree / f"sub/{name}", follow_symlinks=False)
        os.link(self.tree / "file", self.tree / "third")
        os.symlink("../alone", self.tree / "sub/to alone")
        self.write("alone", b"of one name")
        # The agent's tar keeps whole seconds.
        for path in [*self.tree.rglob("*"), self.tree]:
            os.utime(path, (1_700_000_000, 1_700_000_000), follow_symlinks=False)
        for choice in ("hard", "all"):
            with self.subTest(choice):
                builder = tar_builders.TarCommandBuilder(".", "gzip", False)
                builder.set_dereference(choice)
                unpacked = self.dir / f"unpacked.{choice}"
                unpacked.mkdir()
                subprocess.run(f"{builder.build()} | tar -xz -C {unpacked}", shell=True, cwd=self.tree, check=True)
                name = f"host_{choice}"
                for _ in range(2):
                    engine = self.back_up(engine=self.engine(symlinks=choice), name=name)
                    self.assertEqual(engine.metadata()["problems"], 0)
                self.assert_same(unpacked, self.restore(f"restored.{choice}", name=name))

    def test_the_archive_is_compressed_as_the_agent_says(self):
        self.write("file", b"compressible" * 10_000)
        os.chdir(self.tree)
        for compression, magic in [("gzip", b"\x1f\x8b"), ("bzip2", b"BZh"), ("xz", b"\xfd7zXZ\0")]:
            with self.subTest(compression):
                engine = self.engine(compression=compression)
                archive = b"".join(engine.backup_data(".", str(self.dir / f"manifest.{compression}")))
                self.assertTrue(archive.startswith(magic))
                self.assertEqual(engine.metadata()["compression"], compression)
        for options in ({"compression": "zip"}, {"symlinks": "both"}):
            with self.subTest(options), self.assertRaises(ValueError):
                self.engine(**options)

    def test_the_agents_default_for_blocks_is_frazils_own_and_what_was_set_holds(self):
        self.write("file", self.content(100_000))

        def block_size_of(name, **options):
            return self.back_up(engine=self.engine(**options), name=name).metadata()["block_size"]

        self.assertEqual(block_size_of("made by hand", rsync_block_size=8_192), 8_192)
        conf = cfg.ConfigOpts()
        conf.register_opts(config._COMMON)
        conf.register_cli_opts(config._COMMON)
        with mock.patch("freezer.engine.frazil.frazil.CONF", conf):
            for arguments, wanted in [([], 65_536), (["--rsync-block-size", "4096"], 4_096)]:
                conf(["--engine", "frazil", *arguments], project="freezer", default_config_files=[])
                given = conf.rsync_block_size
                self.assertEqual(block_size_of(f"agent {wanted}", rsync_block_size=given), wanted)
            conf(["--engine", "frazil"], project="freezer", default_config_files=[])
            conf.set_override("rsync_block_size", 4_096)
            self.assertEqual(block_size_of("in the file of a job", rsync_block_size=4_096), 4_096)

    def test_a_chain_keeps_the_blocks_of_its_level_0(self):
        self.write("file", self.content(100_000))
        self.back_up(engine=self.engine(rsync_block_size=8_192))
        with self.assertLogs(level="WARNING") as logs:
            engine = self.back_up(engine=self.engine(rsync_block_size=16_384))
        self.assertIn("The blocks of this chain are 8192 bytes long", logs.output[0])
        self.assertEqual(engine.metadata()["block_size"], 8_192)

    def test_blocks_that_are_none_are_refused(self):
        with self.assert_fails("block"):
            self.back_up(engine=self.engine(rsync_block_size=100))
        self.assertEqual(self.backups(), [])

    def test_the_metadata_says_which_level_of_which_chain_it_is(self):
        made = [self.back_up().metadata() for _ in range(3)]
        self.assertEqual([one["level"] for one in made], [0, 1, 2])
        self.assertEqual([one["parent"] for one in made], [None, made[0]["id"], made[1]["id"]])
        self.assertEqual({one["root"] for one in made}, {made[0]["id"]})
        self.assertEqual(
            (made[0]["engine_name"], made[0]["encryption"], made[0]["format_version"]), ("frazil", False, 1)
        )
        stored = next(iter(self.storage.get_level_zero(self.engine(), NAME))).metadata()
        self.assertEqual(stored, made[0])
        self.assertEqual(self.engine().metadata("anything")["engine_name"], "frazil")

    def test_a_dry_run_of_a_backup_stores_nothing(self):
        self.write("file", self.content(100_000))
        with self.assertLogs(level="INFO") as logs:
            self.back_up(engine=self.engine(dry_run=True))
        self.assertIn("Dry run: level 0 would take", logs.output[-1])
        self.assertEqual(os.listdir(self.dir / "storage"), [])
        self.back_up()
        with self.assertLogs(level="INFO") as logs:
            self.back_up(engine=self.engine(dry_run=True))
        self.assertIn("Dry run: level 1 would take", logs.output[-1])
        self.assertEqual([level for level, _, _ in self.backups()], [0])

    def test_a_dry_run_of_a_restore_verifies_every_level_and_changes_nothing(self):
        self.write("file", self.content(100_000))
        self.back_up()
        self.back_up()
        self.assertFalse(self.restore("missing/restored", engine=self.engine(dry_run=True)).parent.exists())
        full = self.dir / "full"
        full.mkdir()
        (full / "file").write_bytes(b"precious")
        before = seen(full)
        self.restore("full", engine=self.engine(dry_run=True))
        self.assertEqual(seen(full), before)
        data = self.backups()[1][2] / "data"
        content = bytearray(data.read_bytes())
        content[len(content) // 2] ^= 1
        data.write_bytes(content)
        with self.assert_fails("Failed to restore"):
            self.restore(engine=self.engine(dry_run=True))

    def test_other_file_systems_are_left_out_as_with_tar(self):
        self.assertIn("--one-file-system", tar_builders.TarCommandBuilder(".", "gzip", False).build())
        with mock.patch.object(frazil, "TreeBackup", wraps=frazil.TreeBackup) as opened:
            self.back_up()
        self.assertTrue(opened.call_args.kwargs["one_file_system"])

    def test_what_cannot_be_read_is_told_of_and_the_backup_goes_on(self):
        self.write("file", b"x")
        self.write("unreadable", b"secret", 0o000)
        self.dir.chmod(0o755)
        manifests = self.dir / "manifests"
        manifests.mkdir(mode=0o777)
        manifests.chmod(0o777)

        def back_up():
            os.chdir(self.tree)
            engine = self.engine()
            with self.assertLogs(level="WARNING") as logs:
                archive = b"".join(engine.backup_data(".", str(manifests / "manifest")))
            self.assertIn("Backed up in part: ", logs.output[0])
            self.assertIn("unreadable", logs.output[0])
            self.assertEqual((engine.metadata()["partial"], engine.metadata()["problems"]), (True, 1))
            paths = []
            frazil.list_archive(io.BytesIO(archive), lambda entry: paths.append(entry.path))
            self.assertIn("file", paths)

        self.as_nobody(back_up)


class Levels(Ground):
    """Which level the agent asks for."""

    def levels(self):
        return [level for level, _, _ in self.backups()]

    def test_without_increments_every_backup_is_a_level_0(self):
        for _ in range(2):
            self.back_up(incremental=False)
        self.assertEqual(self.levels(), [0, 0])

    def test_after_the_highest_level_comes_a_level_0(self):
        for _ in range(5):
            self.back_up(max_level=1)
        self.assertEqual(self.levels(), [0, 1, 0, 1, 0])

    def test_a_chain_is_started_anew_after_some_days(self):
        for _ in range(2):
            self.back_up(always=3, restart=1.0)
        for _ in range(86_400):
            next(self.seconds)
        self.back_up(always=3, restart=1.0)
        self.assertEqual(self.levels(), [0, 1, 0])

    def test_days_are_counted_from_the_level_0_however_often_there_is_a_backup(self):
        for always, reverse in [(1, False), (1, True), (False, False)]:
            with self.subTest(always=always, reverse=reverse), self.listed(reverse=reverse):
                name, made = f"daily_{always}_{reverse}", []
                for _ in range(6):
                    for _ in range(86_300):
                        next(self.seconds)
                    self.back_up(name=name, always=always, restart=3.0)
                    made.append(self.backups(name)[-1][0])
                self.assertEqual([day for day, level in enumerate(made) if level == 0], [0, 4], made)

    def test_of_several_levels_on_one_the_newest_is_restored_and_each_by_its_date(self):
        file = self.write("file", self.content(200_000))
        states = []
        for number in range(5):
            file.write_bytes(file.read_bytes() + b"%d" % number)
            self.write(f"new {number}", b"new")
            (self.tree / f"new {number - 1}").unlink(missing_ok=True)
            self.back_up(always=2)
            states.append(copy_of(self.tree, self.dir / f"state.{number}"))
        self.assertEqual(self.levels(), [0, 1, 2, 2, 2])
        with self.listed(reverse=True):
            self.assert_same(self.tree, self.restore())
        with self.listed(reverse=False):
            self.assert_same(self.tree, self.restore("again"))
        for number, (_, second, _) in enumerate(self.backups()):
            self.assert_same(states[number], self.restore(f"restored.{number}", until=second))

    def test_a_level_is_restored_on_the_one_it_was_made_against_though_it_has_a_twin(self):
        file = self.write("file", self.content(200_000))
        states = []
        for number, always in enumerate([1, 1, 1, 2, 2]):
            file.write_bytes(b"%d" % number + file.read_bytes())
            with self.listed(reverse=number % 2):
                self.back_up(always=always)
            states.append(copy_of(self.tree, self.dir / f"state.{number}"))
        self.assertEqual(self.levels(), [0, 1, 1, 2, 2])
        for number, (_, second, _) in enumerate(self.backups()):
            self.assert_same(states[number], self.restore(f"restored.{number}", until=second))
