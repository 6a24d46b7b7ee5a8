"""A tree with everything that a file system has, and what a day makes of it."""

import os
import shutil

LARGE = 1_500_000
UNKNOWN = 54_321  # an owner that no machine knows


def plant(tree, random):
    """Makes the tree that level 0 finds."""
    (tree / "directory/inner").mkdir(parents=True)
    (tree / "empty directory").mkdir()
    (tree / "large").write_bytes(random.randbytes(LARGE))
    (tree / "text").write_bytes(b"a line like any other\n" * 20_000)
    (tree / "empty").touch()
    for number in range(20):
        (tree / f"directory/{number:02}").write_bytes(random.randbytes(random.randrange(5_000)))
    (tree / "directory/inner/goes").write_bytes(b"goes")
    (tree / "becomes a directory").write_bytes(b"still a file")
    (tree / "becomes a file").mkdir()
    (tree / "becomes a file/inside").touch()
    os.symlink("large", tree / "link")
    os.symlink("/nowhere/at all", tree / "dangling link")
    os.link(tree / "text", tree / "directory/text under another name")
    os.mkfifo(tree / "pipe", 0o640)
    for name in (b"not utf-8 \xff", b"line\nbreak", b"-n", b" "):
        with open(os.path.join(os.fsencode(tree), name), "wb") as file:
            file.write(name)
    with open(tree / "sparse", "wb") as file:
        file.seek(4 << 20)
        file.write(b"end")
    os.setxattr(tree / "text", "user.note", b"kept\x00whole")
    (tree / "directory/00").chmod(0o600)
    (tree / "directory/inner").chmod(0o2750)
    os.utime(tree / "directory/01", ns=(1, 1_234_567_890_123_456_789))
    if os.geteuid() == 0:
        os.chown(tree / "directory/02", UNKNOWN, UNKNOWN)


def change(tree, random, day):
    """Makes of the tree what the level of that day finds, from the first on."""
    at = random.randrange(LARGE // 2)
    content = bytearray((tree / "large").read_bytes())
    content[at : at + 1_000] = random.randbytes(1_000)
    content[at + 5_000 : at + 5_000] = b"put in"
    (tree / "large").write_bytes(content)
    (tree / f"new on day {day}").write_bytes(random.randbytes(3_000))
    (tree / "directory/03").chmod(0o400 + day)
    if day == 1:
        (tree / "directory/inner/goes").unlink()
        (tree / "directory/04").rename(tree / "renamed")
        (tree / "becomes a directory").unlink()
        (tree / "becomes a directory").mkdir()
        (tree / "becomes a directory/inside").write_bytes(b"inside")
        shutil.rmtree(tree / "becomes a file")
        (tree / "becomes a file").write_bytes(b"a file now")
        (tree / "link").unlink()
        os.symlink("text", tree / "link")
    if day == 2:
        with open(tree / "text", "ab") as file:
            file.write(b"a line more\n")
        os.truncate(tree / "directory/05", 1)
        (tree / "dangling link").unlink()
        (tree / "empty directory").rmdir()
        (tree / "directory").rename(tree / "directory of another name")
        (tree / "directory").mkdir()
        (tree / "directory of another name/03").rename(tree / "directory/03")
