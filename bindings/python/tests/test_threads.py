"""Threads: the interpreter's lock is free while the library works, and a handle has one user at a time."""

import io
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import frazil
from ground import Ground


class Threads(Ground):
    def test_the_interpreter_runs_on_while_the_library_works(self):
        """The library waits for another thread of Python. With the lock held it would wait for ever."""
        path = self.dir / "fifo"
        os.mkfifo(path)
        data = self.content()
        thread = threading.Thread(target=lambda: path.write_bytes(data))
        thread.start()
        # It opens and reads the pipe by itself, without a callback.
        summary = frazil.level_file(path, self.dir / "level")
        self.assertEqual(summary.signature, frazil.gen_sig_from_stream(data))
        thread.join()

    def test_threads_with_their_own_objects_do_not_meet(self):
        first = self.content()
        second = self.edited(first)
        shared = frazil.Signature.of_stream(first)
        level0 = frazil.Level(first).read()

        def work(number):
            told = []
            level = frazil.Level(io.BytesIO(second), shared, progress=told.append)
            made = b"".join(level.chunks(10_000 + number))
            level.finish()
            path = self.dir / f"restored.{number}"
            frazil.patch_from_stream(level0, path)
            with frazil.Patch(path, path, replace=True) as patch:
                for at in range(0, len(made), 50_000):
                    patch.write(made[at : at + 50_000])
            return path.read_bytes() == second and len(list(shared.blocks)) == len(shared.blocks) and bool(told)

        with ThreadPoolExecutor(8) as pool:
            self.assertEqual(list(pool.map(work, range(16))), [True] * 16)

    def test_an_object_goes_from_one_thread_to_another(self):
        data = self.content()
        level = frazil.Level(io.BytesIO(data), progress=lambda _: None)
        made = [level.read(1_000)]
        with ThreadPoolExecutor(1) as pool:
            made.append(pool.submit(level.read).result())
            pool.submit(level.finish).result()
        self.assertEqual(frazil.PatchReader(None, io.BytesIO(b"".join(made))).read(), data)

    def test_a_second_user_is_refused_and_the_first_goes_on(self):
        entered, leave = threading.Event(), threading.Event()
        data = self.content()

        def waiting():
            entered.set()
            leave.wait()
            yield data

        level = frazil.Level(waiting())
        with ThreadPoolExecutor(1) as pool:
            made = pool.submit(level.read)
            entered.wait()
            for call in (level.read, level.finish, level.close, lambda: next(level)):
                with self.assertRaises(frazil.StateError) as raised:
                    call()
                self.assertIn("in use", str(raised.exception))
            leave.set()
            self.assertEqual(frazil.PatchReader(None, io.BytesIO(made.result())).read(), data)
        level.finish()

    def test_what_is_raised_in_a_thread_comes_out_there(self):
        error = KeyboardInterrupt("not of a signal")

        def raising(_progress):
            raise error

        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(frazil.gen_sig_from_stream, self.content(), progress=raising)
            with self.assertRaises(KeyboardInterrupt) as raised:
                future.result()
        self.assertIs(raised.exception, error)
