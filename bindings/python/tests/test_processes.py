"""Forks, other processes, and the end of the interpreter."""

import atexit
import io
import multiprocessing
import os
import subprocess
import sys
import textwrap

import frazil
from ground import Ground


def signature_in_a_child(data):
    return frazil.gen_sig_from_stream(data)


class Processes(Ground):
    def in_child(self, work):
        """What `work` returned in a process that was forked, which then ends as any program does."""
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.close(read)
                with open(write, "wb") as pipe:
                    pipe.write(repr(work()).encode())
                # What ends with the interpreter ends here: finalizers, and what `atexit` knows of.
                atexit._run_exitfuncs()
                status = 0
            finally:
                os._exit(status)
        os.close(write)
        with open(read, "rb") as pipe:
            said = pipe.read().decode()
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        return said

    def test_a_forked_process_can_use_the_package(self):
        first = self.content()
        second = self.edited(first)
        signature = frazil.Signature.of_stream(first)

        def work():
            level = frazil.Level(second, signature)
            made = level.read()
            frazil.patch_from_stream(frazil.Level(first).read(), self.dir / "restored")
            frazil.patch_from_stream(made, self.dir / "restored")
            return level.finish() == frazil.Signature.of_stream(second)

        self.assertEqual(self.in_child(work), "True")
        self.assertEqual((self.dir / "restored").read_bytes(), second)
        (self.dir / "restored").unlink()
        self.assertEqual(work(), True)

    def test_a_forked_process_can_neither_use_nor_harm_what_was_open(self):
        data = self.content()
        delta = frazil.Level(data).read()
        level, patch = frazil.Level(io.BytesIO(data)), frazil.Patch(None, self.dir / "restored")
        made = [level.read(1_000)]
        patch.write(delta[:1_000])

        def work():
            said = []
            for call in (level.read, level.finish, lambda: patch.write(b"more"), patch.finish):
                try:
                    call()
                except frazil.StateError as error:
                    said.append("belongs to another process" in str(error))
            level.close()
            patch.close()
            return said

        self.assertEqual(self.in_child(work), "[True, True, True, True]")
        # Neither closing there nor the end of the child has removed anything here.
        made.append(level.read())
        level.finish()
        self.assertEqual(frazil.PatchReader(None, io.BytesIO(b"".join(made))).read(), data)
        patch.write(delta[1_000:])
        patch.finish()
        self.assertEqual((self.dir / "restored").read_bytes(), data)

    def test_every_way_to_start_a_process_works(self):
        data = self.content()
        for method in multiprocessing.get_all_start_methods():
            with self.subTest(method), multiprocessing.get_context(method).Pool(1) as pool:
                self.assertEqual(pool.apply(signature_in_a_child, (data,)), frazil.gen_sig_from_stream(data))

    def program(self, text):
        command = [sys.executable, "-X", "dev", "-W", "error", "-c", textwrap.dedent(text)]
        done = subprocess.run(command, cwd=self.dir, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        return done.returncode, done.stdout, done.stderr

    def test_the_interpreter_ends_quietly_with_all_of_it_open(self):
        (self.dir / "tree").mkdir()
        self.write("tree/file", self.content())
        before = self.left()
        ended = self.program(
            """
            import frazil, io, os
            archive = io.BytesIO()
            data = os.urandom(1_000_000)
            signature = frazil.gen_sig_from_stream(data)
            level = frazil.Level(data, signature, progress=print)
            level.read(10)
            pieces = frazil.Level(iter([data])).chunks(100)
            next(pieces)
            patch = frazil.Patch(None, "restored")
            patch.write(frazil.Level(data).read())
            writer = frazil.LevelWriter(archive)
            writer.write(data)
            backup = frazil.TreeBackup("tree", "snapshot")
            started = backup.read(100_000)
            restore = frazil.TreeRestore("destination", progress=lambda _: None)
            restore.write(started)
            comparison = signature.compare(signature)
            cycle = [level, patch, restore]
            cycle.append(cycle)
            """
        )
        self.assertEqual(ended, (0, "", ""))
        self.assertEqual(self.left(), before)

    def test_what_runs_at_the_end_can_use_signatures_still(self):
        ended = self.program(
            """
            import atexit

            def save():
                print(len(signature.blocks), signature.length, frazil.Signature.from_bytes(signature.to_bytes()) == signature)

            atexit.register(save)  # before frazil was imported, so after all that it does at the end
            import frazil, os
            signature = frazil.gen_sig_from_stream(os.urandom(1_000_000), block_len=1_000)
            """
        )
        self.assertEqual(ended, (0, "1000 1000000 True\n", ""))

    def test_the_interpreter_ends_quietly_while_daemons_are_at_work(self):
        with open(self.dir / "endless", "wb") as file:
            file.truncate(1 << 40)
        before = self.left()
        begin = """
            import frazil, os, threading
            started = threading.Event()
            zeros = bytes(1 << 20)
            signature = frazil.Signature.of_stream(os.urandom(500_000), block_len=64)

            def endless():
                while True:
                    yield zeros
                    started.set()

            def forever(work):
                while True:
                    work()
                    started.set()

            def work():
                {}

            for _ in range(2):
                threading.Thread(target=work, daemon=True).start()
            started.wait()
            """
        for work in (
            "frazil.gen_sig_from_stream(endless(), threads=1)",
            "forever(lambda level=frazil.Level(endless(), threads=1): level.read(1 << 20))",
            "forever(lambda level=frazil.Level.of_file('endless'): level.read(10))",
            "forever(lambda: frazil.gen_sig_from_stream(zeros, progress=lambda _: None))",
            "forever(signature.to_bytes)",
            "forever(lambda writer=frazil.LevelWriter(lambda _: None): writer.write(zeros))",
            "frazil.gen_sig_from_file('endless', progress=lambda _: started.set())",
            "patch = frazil.Patch(None, os.urandom(4).hex()); forever(lambda: patch.write(b''))",
        ):
            with self.subTest(work):
                self.assertEqual(self.program(textwrap.dedent(begin).format(work)), (0, "", ""))
                self.assertEqual(self.left(), before)

    def test_an_interrupted_program_ends_as_one(self):
        code, out, said = self.program(
            """
            import frazil, os, signal, threading
            with open("endless", "wb") as file:
                file.truncate(1 << 34)
            threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
            frazil.Signature.of_file("endless")
            """
        )
        self.assertEqual((code, out), (-2, ""))
        self.assertTrue(said.rstrip().endswith("KeyboardInterrupt"), said)
        self.assertNotIn("ignored", said)

    def test_importing_it_starts_no_thread_and_imports_little(self):
        code, out, said = self.program(
            """
            import os, sys, threading
            import frazil
            print(threading.active_count(), len(os.listdir("/proc/self/task")))
            print(sorted(name for name in sys.modules if name.split(".")[0] in ("asyncio", "unittest", "cffi", "numpy")))
            """
        )
        self.assertEqual((code, out, said), (0, "1 1\n[]\n", ""))
