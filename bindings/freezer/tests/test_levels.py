"""Five levels of a tree with everything in it are restored to each, by the agent's own driver and storage."""

import os
import socket
import subprocess

from ground import IS_ROOT, Ground, copy_of

MANY = 300


class Levels(Ground):
    def first(self):
        self.write("edited", self.content(1_000_000))
        self.write("inserted", self.content(700_000))
        self.write("appended", self.content(65_536))
        self.write("cut", self.content(400_000))
        self.write("gone", self.content(10_000))
        self.write("empty", b"")
        self.write("sub/deep/er/file", b"deep")
        self.write("set-id", b"#!", 0o4755)
        self.write("moved/away", self.content(300_000))
        self.write("to be a directory", b"file")
        self.write("to be a link", b"file")
        self.write("to be a file/inside", b"inside")
        os.link(self.tree / "edited", self.tree / "sub/name of edited")
        os.symlink("nowhere at all", self.tree / "dangling")
        os.symlink("edited", self.tree / "link")
        os.symlink("sub", self.tree / "link to a directory")
        os.mkfifo(self.tree / "pipe")
        (self.tree / "no entries").mkdir(mode=0o700)
        for number in range(MANY):
            self.write(f"many/{number}", b"%d" % number)
        tree = os.fsencode(self.tree)
        for name in (b"not utf-8 \xff\xfe", b"new\nline", b"-r", b" ", "caf\u00e9".encode(), b"x" * 255):
            with open(os.path.join(tree, name), "wb") as file:
                file.write(b"of " + name)
        with open(self.tree / "sparse", "wb") as file:
            file.seek(50 << 20)
            file.write(b"end")
        os.setxattr(self.tree / "edited", "user.colour", b"\x00blue")
        if IS_ROOT:
            os.chown(self.tree / "cut", 987_654, 876_543)
            os.lchown(self.tree / "dangling", 987_654, 876_543)
            os.mknod(self.tree / "device", 0o20600, os.makedev(1, 7))
            subprocess.run(["setfacl", "-m", "u:12345:r", self.tree / "appended"], check=True)
        os.utime(self.tree / "gone", ns=(1, 1_234_567_890_123_456_789))

    def second(self):
        with open(self.tree / "edited", "r+b") as file:
            file.seek(500_000)
            file.write(b"an edit")
        with open(self.tree / "sparse", "r+b") as file:
            file.seek(20 << 20)
            file.write(self.content(5_000))
        (self.tree / "gone").unlink()
        self.write("new/file", self.content(70_000))
        os.chmod(self.tree / "empty", 0o640)

    def third(self):
        content = (self.tree / "inserted").read_bytes()
        self.write("inserted", content[:1_000] + b"!" + content[1_000:])
        with open(self.tree / "appended", "ab") as file:
            file.write(self.content(65_536))
        os.truncate(self.tree / "cut", 65_536)
        os.rename(self.tree / "moved", self.tree / "moved to")
        (self.tree / "link").unlink()
        os.symlink("cut", self.tree / "link")
        os.unlink(self.tree / "sub/name of edited")
        os.link(self.tree / "sub/deep/er/file", self.tree / "sub/other name")

    def fourth(self):
        (self.tree / "to be a directory").unlink()
        self.write("to be a directory/inside", b"inside")
        (self.tree / "to be a link").unlink()
        os.symlink("empty", self.tree / "to be a link")
        (self.tree / "to be a file/inside").unlink()
        (self.tree / "to be a file").rmdir()
        self.write("to be a file", b"file")
        (self.tree / "link to a directory").unlink()
        self.write("link to a directory", b"no link any more")
        for number in range(0, MANY, 3):
            (self.tree / f"many/{number}").unlink()
        os.removexattr(self.tree / "edited", "user.colour")

    def fifth(self):
        os.truncate(self.tree / "sparse", 10)
        subprocess.run(["rm", "-rf", self.tree / "many", self.tree / "sub"], check=True)
        os.rename(
            os.path.join(os.fsencode(self.tree), b"not utf-8 \xff\xfe"), os.path.join(os.fsencode(self.tree), b"\xfd")
        )
        os.unlink(self.tree / "pipe")
        self.write("pipe", b"no pipe any more")

    def test_five_levels_of_a_tree_are_restored_to_each(self):
        states = []
        for level, change in enumerate([self.first, self.second, self.third, self.fourth, self.fifth]):
            change()
            engine = self.back_up(engine=self.engine(compression=["gzip", "bzip2", "xz"][level % 3]))
            self.assertEqual(engine.metadata()["problems"], 0)
            states.append(copy_of(self.tree, self.dir / f"state.{level}"))
        backups = self.backups()
        self.assertEqual([level for level, _, _ in backups], [0, 1, 2, 3, 4])
        for level, second, _ in backups:
            with self.subTest(level):
                restored = self.restore(f"restored.{level}", until=second)
                self.assert_same(states[level], restored)
        self.assert_same(self.tree, self.restore())
        blocks = os.stat(self.dir / "restored.0/sparse").st_blocks
        self.assertLess(blocks * 512, 1 << 20)

    def test_a_chain_is_restored_over_what_is_there_if_that_is_asked_for(self):
        self.first()
        self.back_up()
        self.second()
        self.back_up()
        restored = self.restore()
        (restored / "edited").write_bytes(b"lost")
        (restored / "new/file").unlink()
        with self.assertRaisesRegex(Exception, "Restore dir is not empty"):
            self.restore()
        self.restore(overwrite=True)
        self.assert_same(self.tree, restored)

    def test_a_single_file_is_backed_up_by_its_name_and_restored_into_the_directory(self):
        file = self.write("file", self.content(200_000), 0o600)
        self.write("other", b"not asked for")
        self.back_up(path=file)
        file.write_bytes(b"!" + file.read_bytes())
        self.back_up(path=file)
        restored = self.restore()
        self.assertEqual(os.listdir(restored), ["file"])
        self.assertEqual((restored / "file").read_bytes(), file.read_bytes())
        self.assertEqual(os.stat(restored / "file").st_mtime_ns, file.stat().st_mtime_ns)
        self.assertEqual(os.stat(restored / "file").st_mode, file.stat().st_mode)

    def test_a_socket_is_no_problem_and_is_not_restored(self):
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(self.tree / "socket"))
            self.write("file", b"x")
            engine = self.back_up()
        self.assertFalse(engine.metadata()["partial"])
        self.assertEqual(os.listdir(self.restore()), ["file"])
