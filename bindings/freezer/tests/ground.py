"""What the tests share: a tree, a storage of the agent's own, engines, and a judge that knows nothing of frazil."""

import contextlib
import itertools
import logging
import os
import random
import shutil
import stat
import subprocess
import sys
import tempfile
import traceback
import unittest
from pathlib import Path
from unittest import mock

from freezer.engine.frazil.frazil import FrazilEngine
from freezer.storage.local import LocalStorage
from freezer.utils import utils

SEED = int(os.environ.get("FRAZIL_SEED", "2026"))
print(f"FRAZIL_SEED={SEED}", file=sys.stderr)

IS_ROOT = os.geteuid() == 0
NOBODY = 65_534
NAME = "host_backup"

# The agent logs each exception; a test looks at the log where it is about it.
logging.getLogger().addHandler(logging.NullHandler())


class Ground(unittest.TestCase):
    """A test in an empty directory of its own, with random numbers of its own."""

    SEGMENT_SIZE = 1 << 20

    def setUp(self):
        self.dir = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.dir)
        self.addCleanup(os.chdir, os.getcwd())
        self.random = random.Random(f"{SEED} {self.id()}")
        self.tree = self.dir / "tree"
        self.tree.mkdir()
        self.storage = LocalStorage(str(self.dir / "storage"), self.SEGMENT_SIZE)
        # The agent names backups by the second they are made in.
        self.seconds = itertools.count(1_700_000_000)
        now = mock.patch.object(utils.DateTime, "now", lambda: utils.DateTime(next(self.seconds)))
        now.start()
        self.addCleanup(now.stop)

    def engine(self, **options):
        return FrazilEngine(**{"storage": self.storage, "max_segment_size": self.SEGMENT_SIZE, **options})

    def back_up(
        self, engine=None, path=None, name=NAME, incremental=True, max_level=False, always=False, restart=False
    ):
        """Backs up as the agent's job does, from within the directory, and returns the engine."""
        engine, path = engine or self.engine(), Path(path or self.tree)
        root, within = (".", path) if path.is_dir() else (path.name, path.parent)
        os.chdir(within)
        engine.backup(root, name, incremental, max_level, always, restart)
        return engine

    def restore(self, to="restored", engine=None, name=NAME, overwrite=False, until=None):
        """Restores as the agent's job does, and returns the directory."""
        destination = self.dir / to
        (engine or self.engine()).restore(name, str(destination), overwrite, until, "fs")
        return destination

    def backups(self, name=NAME, engine_name="frazil"):
        """The stored backups: level, second, and the directory of their data, in the order of their making."""
        found = []
        for path in (self.dir / "storage/metadata" / engine_name / name).glob("*/*/metadata"):
            level, second = map(int, path.parent.name.split("_"))
            data = Path(str(path.parent).replace("/metadata/", "/data/", 1))
            found.append((level, second, data))
        return sorted(found, key=lambda backup: backup[1])

    def write(self, name, content, mode=None):
        path = self.tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        if mode is not None:
            path.chmod(mode)
        return path

    def content(self, length):
        return self.random.randbytes(length)

    def assert_same(self, left, right):
        """Two trees are the same, by rsync and by our own look at what rsync does not compare."""
        differences = subprocess.run(
            ["rsync", "-aHAXn", "--checksum", "--delete", "--modify-window=-1", "--itemize-changes"]
            + [f"{left}/", f"{right}/"],
            check=True,
            stdout=subprocess.PIPE,
        ).stdout
        self.assertEqual(differences.decode(errors="backslashreplace"), "")
        self.assertEqual(seen(left), seen(right))

    @contextlib.contextmanager
    def assert_fails(self, message):
        """The block fails at the agent, whose log says why; threads and processes say it on standard error too."""
        with quiet(), self.assertLogs(level="ERROR") as logs, self.assertRaises(Exception) as raised:
            yield
        self.assertRegex("\n".join([*logs.output, str(raised.exception)]), message)

    def as_nobody(self, do):
        """Does it in a process of its own, as a user who may do nothing, where root can become one."""
        child = os.fork()
        if not child:
            status = 1
            try:
                if IS_ROOT:
                    os.setgroups([])
                    os.setgid(NOBODY)
                    os.setuid(NOBODY)
                do()
                status = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(status)
        self.assertEqual(os.waitpid(child, 0)[1], 0)

    def listed(self, reverse):
        """Has the storage list its directories in an order, of which the agent knows nothing."""
        return mock.patch.object(
            self.storage, "listdir", lambda path: sorted(LocalStorage.listdir(self.storage, path), reverse=reverse)
        )


@contextlib.contextmanager
def quiet():
    """Keeps what is written to standard error away from it, by other processes too."""
    with tempfile.TemporaryFile() as nowhere:
        kept = os.dup(2)
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def seen(root):
    """What there is in a tree: kind, mode, owner, time, content and holes, by path."""
    found = {}
    for directory, names, files in os.walk(os.fsencode(root)):
        for path in [directory] + [os.path.join(directory, name) for name in names + files]:
            status = os.lstat(path)
            content = None
            if stat.S_ISREG(status.st_mode):
                content = Path(os.fsdecode(path)).read_bytes()
            elif stat.S_ISLNK(status.st_mode):
                content = os.readlink(path)
            attributes = {
                name: os.getxattr(path, name, follow_symlinks=False)
                for name in os.listxattr(path, follow_symlinks=False)
            }
            found[os.path.relpath(path, os.fsencode(root))] = (
                oct(status.st_mode),
                status.st_uid,
                status.st_gid,
                status.st_mtime_ns,
                status.st_rdev,
                content,
                attributes,
            )
    return found


def copy_of(tree, to):
    """A copy of a tree with all that is known of it, hard links and holes too."""
    subprocess.run(["cp", "-a", "--sparse=always", f"{tree}/.", str(to)], check=True)
    return to
