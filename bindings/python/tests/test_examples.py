"""Examples are what users copy: each is short, and does what it says."""

import re
import subprocess
import sys
import textwrap

import frazil
from ground import BLOCK_LEN, ROOT, Ground

EXAMPLES = ROOT / "bindings/python/examples"


class Examples(Ground):
    def run_example(self, name, *arguments, stdin=None, stdout=None):
        command = [sys.executable, "-W", "error", EXAMPLES / name, *arguments]
        source = open(self.dir / stdin, "rb") if stdin else None
        target = open(self.dir / stdout, "wb") if stdout else subprocess.PIPE
        try:
            done = subprocess.run(command, cwd=self.dir, stdin=source, stdout=target, stderr=subprocess.PIPE)
        finally:
            for file in (source, target):
                if hasattr(file, "close"):
                    file.close()
        return done.returncode, (done.stdout or b"").decode(), done.stderr.decode()

    def test_each_is_short_and_tested_here(self):
        tests = (ROOT / "bindings/python/tests/test_examples.py").read_text()
        for example in EXAMPLES.iterdir():
            self.assertLess(len(example.read_text().splitlines()), 60, example)
            self.assertIn(f'"{example.name}"', tests)

    def test_the_programs_of_the_documents_run(self):
        readme = (ROOT / "bindings/python/README.md").read_text()
        programs = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
        package = re.search(r"\n\n((?:    .*\n|\n)+)", frazil.__doc__)[1]
        self.assertEqual(len(programs), 4)
        self.assertIn("import frazil", package)
        (self.dir / "home").mkdir()
        self.write("home/letter", b"Dear reader")
        for program in [*programs, textwrap.dedent(package)]:
            with self.subTest(program.splitlines()[0]):
                self.write("disk.img", self.content())
                command = [sys.executable, "-W", "error", "-c", program]
                done = subprocess.run(command, cwd=self.dir, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
                self.assertEqual((done.returncode, done.stdout), (0, ""))
                for made in ("restored.img", "restored"):
                    if (self.dir / made).is_file():
                        self.assertEqual((self.dir / made).read_bytes(), (self.dir / "disk.img").read_bytes())
                        (self.dir / made).unlink()
                    elif (self.dir / made).is_dir():
                        self.assertEqual((self.dir / made / "letter").read_bytes(), b"Dear reader")

    def test_a_file_at_two_levels(self):
        first = self.content()
        second = self.edited(first)
        self.write("disk", first)
        self.assertEqual(self.run_example("level.py", "disk", "sig.0", stdout="level.0"), (0, "", ""))
        self.write("disk", second)
        self.assertEqual(self.run_example("level.py", "disk", "sig.1", "sig.0", stdout="level.1"), (0, "", ""))
        for level, content in [("level.0", first), ("level.1", second)]:
            code, _, said = self.run_example("restore.py", "restored", stdin=level)
            self.assertEqual((code, said[-len(" bytes restored\n") :]), (0, " bytes restored\n"))
            self.assertEqual((self.dir / "restored").read_bytes(), content)
        code, _, said = self.run_example("restore.py", "restored", stdin="level.1")
        self.assertEqual((code, "restore: restoring restored: " in said), (1, True), said)
        code, _, said = self.run_example("restore.py", "no/such/directory", stdin="level.0")
        self.assertEqual((code, said), (1, "restore: there is no no/such\n"))
        code, _, said = self.run_example("level.py", "none", "sig.2", stdout="level.2")
        self.assertEqual((code, said.startswith("level: opening the source none")), (1, True), said)

    def test_which_ranges_have_changed(self):
        first = self.random.randbytes(3 * BLOCK_LEN)
        frazil.Signature.of_stream(first).save(self.dir / "old")
        frazil.Signature.of_stream(b"!" + first[1:]).save(self.dir / "new")
        code, out, said = self.run_example("changed_ranges.py", "old", "new")
        lines = ["changed 0 65536", "same 65536 131072", "to fetch: 65536 of 196608 bytes"]
        self.assertEqual((code, out.splitlines(), said), (0, lines, ""))

    def test_an_agent_with_a_store_of_objects(self):
        (self.dir / "tree").mkdir()
        content = self.content()
        self.write("tree/file", content)
        self.write("tree/large", self.random.randbytes(40_000_000))
        self.assertEqual(self.run_example("agent.py", "backup", "tree", "store")[0], 0)
        changed = self.edited(content)
        self.write("tree/file", changed)
        code, out, _ = self.run_example("agent.py", "backup", "tree", "store")
        self.assertEqual((code, out.startswith("level 1: 3 entries")), (0, True), out)
        stored = sorted(path.name for path in (self.dir / "store/level.0").iterdir())
        self.assertEqual(stored, ["00000000", "00000001", "snapshot"])
        code, out, _ = self.run_example("agent.py", "restore", "store", "restored")
        self.assertEqual((code, len(re.findall(r"^level [01]: \d+ bytes written$", out, re.MULTILINE))), (0, 2))
        self.assertEqual((self.dir / "restored/file").read_bytes(), changed)
        self.assertEqual(sorted(path.name for path in (self.dir / "restored").iterdir()), ["file", "large"])
