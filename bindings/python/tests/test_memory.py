"""Memory: constant however long the content is, and all of it given back."""

import subprocess
import sys
import textwrap

import frazil
from ground import Ground

PEAK = """
def peak():
    '''Bytes that this process has held at most.'''
    for line in open("/proc/self/status"):
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
"""


# Bytes of what is written at once; what may come on top is buffers.
LARGE = 96 << 20


class Memory(Ground):
    def run_alone(self, program):
        """What a program of its own prints."""
        text = PEAK + textwrap.dedent(program)
        done = subprocess.run([sys.executable, "-c", text], cwd=self.dir, stdout=subprocess.PIPE, text=True, check=True)
        return done.stdout

    def test_ten_gibibytes_of_holes_take_no_memory(self):
        said = self.run_alone(
            """
            import frazil, os

            LEN = 10 << 30

            class Zeros:
                left, zeros = LEN, memoryview(bytes(1 << 20))
                def read(self, length):
                    given = min(length, self.left, len(self.zeros))
                    self.left -= given
                    return self.zeros[:given]

            frazil.gen_sig_from_stream(b"to begin with")
            before = peak()
            signature_len = 0
            def count(data):
                global signature_len
                signature_len += len(data)
            level = frazil.Level(Zeros(), signature_to=count)
            made = level.read()
            summary = level.finish_summary()
            assert (summary.source_bytes, summary.zero_bytes, len(made) < 1_000) == (LEN, LEN, True), summary
            assert signature_len > LEN // 65536 * 32, signature_len
            with frazil.Patch(None, "restored") as patch:
                patch.write(made)
            assert patch.summary.identity == summary.identity
            status = os.stat("restored")
            assert (status.st_size, status.st_blocks) == (LEN, 0), status
            with frazil.PatchReader(None, memoryview(made)) as target:
                for _ in range(1_000):  # the rest is as long, and as dull
                    assert target.read(1 << 20) == Zeros.zeros
            print(peak() - before)
            """
        )
        self.assertLess(int(said), 64 << 20)

    def test_a_large_write_takes_no_memory_of_its_own(self):
        content = self.random.randbytes(LARGE)
        frazil.gen_sig_from_stream(content, delta_to=(made := bytearray()).extend, threads=1)
        self.write("level", made)
        del made
        (self.dir / "tree").mkdir()
        self.write("tree/file", content)
        with open(self.dir / "archive", "wb") as archive:
            frazil.backup_tree(self.dir / "tree", archive, self.dir / "snapshot")
        opened = {
            "archive": "frazil.TreeRestore('restored', threads=1)",
            "level": "frazil.Patch(None, 'target', threads=1, replace=True)",
            "tree/file": "frazil.LevelWriter(lambda _: None, threads=1)",
        }
        # A view that cannot be written to is copied, a slice at a time. None is had by a copy, which would be a peak.
        for kind in ("file.read()", "filled(file)", "memoryview(filled(file)).toreadonly()"):
            for name, made in opened.items():
                said = self.run_alone(
                    f"""
                    import frazil, os, shutil
                    with frazil.Patch(None, lambda _: None) as warm:
                        warm.write(frazil.Level(bytes(1_000)).read())

                    def filled(file):
                        data = bytearray(os.fstat(file.fileno()).st_size)
                        file.readinto(data)
                        return data

                    with open({name!r}, "rb") as file:
                        data = {kind}
                    before = peak()
                    with {made} as stream:
                        stream.write(data)
                    print(peak() - before)
                    shutil.rmtree("restored", ignore_errors=True)
                    """
                )
                with self.subTest(name, kind=kind):
                    self.assertLess(int(said), LARGE // 3)

    def test_what_was_used_is_given_back(self):
        said = self.run_alone(
            """
            import frazil, io, pickle

            data = bytes(100_000)
            level = frazil.Level(data).read()
            deep = "x" * 200 + "/" + "y" * 200

            def once():
                signature = frazil.gen_sig_from_stream(io.BytesIO(data), block_len=64, progress=lambda _: None)
                list(signature.compare(pickle.loads(pickle.dumps(signature))))
                with frazil.Level(iter([data])) as given_up:
                    given_up.read(10)
                forgotten = frazil.Level(data)
                forgotten.read(10)
                given_up = frazil.Patch(None, lambda _: None)
                given_up.write(level)
                for call in (
                    lambda: frazil.Level.of_file(deep * 9),
                    lambda: frazil.Level(data, cancelled=lambda: True).read(),
                    lambda: frazil.Level(data, progress=lambda _: 1 / 0).read(),
                    lambda: frazil.patch_from_stream(level[:-1], "restored"),
                ):
                    try:
                        call()
                    except (frazil.Error, ZeroDivisionError):
                        pass
                    else:
                        raise AssertionError(call)

            for _ in range(20):
                once()
            before = peak()
            for _ in range(300):
                once()
            print(peak() - before)
            """
        )
        self.assertLess(int(said), 8 << 20)
