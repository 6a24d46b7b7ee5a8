"""What the tests share: Freezer's agent as a process, in an empty directory for each test."""

import datetime
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from stores import LocalStore

SEED = int(os.environ.get("FRAZIL_SEED", "2026"))
ENGINE = "frazil"
AGENT = Path(sys.executable).parent / "freezer-agent"
# What the tests name the machine and the backup, and so what Freezer calls both together.
HOST, BACKUP = "machine", "backup"
# A run that takes longer than this hangs.
RUN_SECONDS = 300
# What the agent says last, whatever went wrong in the engine; the log says what.
FAILED_BACKUP = "Critical Error: ('Engine error. Failed to backup.', {})"
FAILED_RESTORE = "Critical Error: ('Engine error. Failed to restore.', {})"


class AgentTest(unittest.TestCase):
    """A test with a tree to back up, a store, and random numbers of its own."""

    def setUp(self):
        # Where user extended attributes are known to work.
        self.dir = Path(tempfile.mkdtemp(dir=os.environ.get("SERVICES_DIR")))
        self.addCleanup(shutil.rmtree, self.dir)
        self.random = random.Random(f"{SEED} {self.id()}")
        self.tree = self.dir / "tree"
        self.tree.mkdir()
        self.log = self.dir / "log"
        self.store = self.make_store()

    def make_store(self):
        return LocalStore(self.dir / "store")

    def command(self, action, *options):
        return [AGENT, "--action", action, "--engine", ENGINE, "--hostname", HOST, "--backup-name", BACKUP,
                "--nosync", "--log-file", self.log, *self.store.options, *options]

    def environment(self):
        (self.dir / "tmp").mkdir(exist_ok=True)
        return {**os.environ, "HOME": str(self.dir), "TMPDIR": str(self.dir / "tmp"), "PYTHONWARNINGS": "ignore"}

    def run_agent(self, action, *options, **keywords):
        """Runs the agent to its end, and gives its exit status and what it said on standard error."""
        done = subprocess.run(self.command(action, *options), env=self.environment(), stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=RUN_SECONDS,
                              **keywords)
        return done.returncode, done.stderr

    def started(self, action, *options):
        """Starts the agent."""
        process = subprocess.Popen(self.command(action, *options), env=self.environment(), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def succeed(self, action, *options):
        status, said = self.run_agent(action, *options)
        if status:
            self.fail(f"{action} {options} failed: {said}\n{self.log.read_text()[-8000:]}")

    def back_up(self, *options, path=None):
        """Backs the tree up, or that path, and gives the name of the level that it made."""
        before = self.levels()
        # Freezer names levels by seconds, and would replace one of the same.
        while before and int(time.time()) <= made_at(before[-1]):
            time.sleep(0.01)
        self.succeed("backup", "--path-to-backup", str(path or self.tree), *options)
        (made,) = set(self.levels()) - set(before)
        return made

    def restored(self, *options):
        """Restores into a new directory, which it gives."""
        target = Path(tempfile.mkdtemp(dir=self.dir, prefix="restored-"))
        self.succeed("restore", "--restore-abs-path", str(target), *options)
        return target

    def levels(self):
        """The levels that are published, in the order of their making: the names of their directories."""
        prefix = f"metadata/{ENGINE}/{HOST}_{BACKUP}/"
        found = [name[len(prefix) :].split("/") for name in self.store.names() if name.startswith(prefix)]
        found = [(zero, level) for zero, level, last in found if last == "metadata"]
        made = sorted(found, key=lambda level: int(level[1].split("_")[1]))
        return [f"data/{ENGINE}/{HOST}_{BACKUP}/{zero}/{level}" for zero, level in made]

    def stored(self, level):
        """The bytes of data that a level has in the store."""
        return sum(len(self.store.get(name)) for name in self.store.pieces(level))

    def kept(self):
        """A copy of the tree as it is now."""
        copy = Path(tempfile.mkdtemp(dir=self.dir, prefix="kept-"))
        subprocess.run(["rsync", "-aHAX", f"{self.tree}/", f"{copy}/"], check=True)
        return copy

    def assert_same(self, expected, found, *options):
        """Contents, kinds, permissions, owners, times, hard links, access lists and attributes are the same."""
        command = ["rsync", "-aHAXn", "--checksum", "--delete", "--itemize-changes", *options]
        done = subprocess.run([*command, f"{expected}/", f"{found}/"], check=True, stdout=subprocess.PIPE, text=True)
        self.assertEqual(done.stdout, "")


def number(level):
    """The number in the name of a level."""
    return int(level.rsplit("/", 1)[1].split("_")[0])


def made_at(level):
    """When the level was made, in the seconds that its name has."""
    return int(level.rsplit("/", 1)[1].split("_")[1])


def date(seconds):
    """The agent's way to write a time."""
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
