"""Levels of images, by an engine of the shape of the agent's own for Glance, whose source is a download."""

import multiprocessing
import os
import queue
import threading
from unittest import mock

import frazil
from frazil_freezer import streams
from freezer.engine import engine as freezer_engine
from freezer.utils import utils
from ground import Ground, quiet

BLOCK = 65_536


class Images:
    """A client of an image service."""

    def __init__(self, randomness):
        self.stored, self.random = {}, randomness

    def download_image(self, name):
        content, at = self.stored[name], 0
        while at < len(content):
            length = self.random.choice([0, 1, 4_095, 65_537, 300_000])
            yield content[at : at + length]
            at += length

    def create_image(self, name, data):
        made = b""
        while piece := data.read(10_000):
            made += piece
        self.stored[name] = made


class ImageEngine(freezer_engine.BackupEngine):
    """As `freezer.engine.glance.glance.GlanceEngine` without a cloud, and with levels."""

    name = "image"

    def __init__(self, storage, client, directory, max_segment_size, **options):
        super().__init__(storage=storage)
        self.client, self.directory, self.max_segment_size, self.options = client, directory, max_segment_size, options

    def backup_data(self, backup_resource, manifest_path):
        stream = self.client.download_image(backup_resource)
        yield from streams.backed_up(stream, manifest_path, self.max_segment_size, **self.options)

    def metadata(self, backup_resource):
        return {"engine_name": self.name, "image": backup_resource, "length": len(self.client.stored[backup_resource])}

    def restore_level(self, restore_resource, read_pipe, backup, except_queue):
        with streams.reported(except_queue):
            streams.restore_file(read_pipe, os.path.join(self.directory, restore_resource), backup.level)

    def restore(self, hostname_backup_name, restore_resource, *args, **kwargs):
        super().restore(hostname_backup_name, restore_resource, *args, **kwargs)
        with open(os.path.join(self.directory, restore_resource), "rb") as file:
            self.client.create_image(f"{restore_resource}~restored", file)


class Streams(Ground):
    SEGMENT_SIZE = 100_000

    def setUp(self):
        super().setUp()
        self.client = Images(self.random)
        self.work = self.dir / "work"
        self.work.mkdir()

    def image_engine(self, **options):
        return ImageEngine(self.storage, self.client, str(self.work), self.SEGMENT_SIZE, **options)

    def back_up_image(self, content, **options):
        self.client.stored["image"] = content
        self.image_engine(**options).backup("image", "host_image", True, False, False, False)

    def stored(self):
        return [(path / "data").read_bytes() for _, _, path in self.backups("host_image", "image")]

    def states(self):
        """Contents of an image, day after day."""
        content = bytearray(self.content(2_000_000))
        yield bytes(content)
        content[1_000_000:1_000_100] = self.content(100)
        yield bytes(content)
        del content[1_500_000:]
        yield bytes(content)
        yield bytes(content) + bytes(3 * BLOCK) + b"grown"
        yield b""
        yield bytes(content[:BLOCK])

    def test_levels_of_an_image_are_stored_and_restored_by_the_agents_driver(self):
        states = list(self.states())
        for number, content in enumerate(states):
            self.back_up_image(content)
            self.image_engine().restore("host_image", "image", False, None)
            self.assertEqual(self.client.stored["image~restored"], content, f"level {number}")
        sizes = [len(level) for level in self.stored()]
        self.assertGreater(sizes[0], 2_000_000)
        self.assertLess(sizes[1], 2 * BLOCK)
        self.assertLess(max(sizes[2:5]), BLOCK)

    def test_content_that_moved_is_found_if_that_is_asked_for(self):
        content = self.content(2_000_000)
        for rolling, least, most in [(False, 1_900_000, 2_200_000), (True, 0, 2 * BLOCK)]:
            with self.subTest(rolling):
                manifest = str(self.dir / f"manifest.{rolling}")
                list(streams.backed_up([content], manifest, 100_000, rolling=rolling))
                sent = b"".join(streams.backed_up([b"!", content], manifest, 100_000, rolling=rolling))
                self.assertTrue(least <= len(sent) <= most, len(sent))

    def test_segments_are_full_and_the_signature_follows_the_last(self):
        manifest = self.dir / "manifest"
        for content in (self.content(1_000_000), b"", b"x"):
            manifest.unlink(missing_ok=True)
            segments = []
            for segment in streams.backed_up([content], str(manifest), 70_000):
                self.assertFalse(manifest.exists())
                segments.append(segment)
            self.assertTrue(manifest.exists())
            self.assertEqual({len(segment) for segment in segments[:-1]} - {70_000}, set())
            self.assertTrue(0 < len(segments[-1]) <= 70_000)
            pieces = streams.restored(pipe_of(segments))
            self.assertEqual(b"".join(pieces), content)

    def test_a_download_that_fails_leaves_the_signature_that_was_there(self):
        manifest = self.dir / "manifest"
        list(streams.backed_up([b"one" * 50_000], str(manifest), 70_000))
        held = manifest.read_bytes()

        def failing():
            yield b"two" * 50_000
            raise ConnectionResetError("the image service is gone")

        with self.assertRaisesRegex(ConnectionResetError, "the image service is gone"):
            list(streams.backed_up(failing(), str(manifest), 70_000))
        self.assertEqual(manifest.read_bytes(), held)

        self.back_up_image(b"one" * 50_000)
        with mock.patch.object(self.client, "download_image", lambda _name: failing()):
            with self.assert_fails("the image service is gone"):
                self.back_up_image(b"two")
        self.assertEqual(len(self.stored()), 1)

    def test_a_level_without_its_end_is_refused_and_what_was_restored_stays(self):
        for content in self.states():
            self.back_up_image(content)
            if len(self.stored()) == 2:
                break
        for level in (0, 1):
            data = self.backups("host_image", "image")[level][2] / "data"
            whole = data.read_bytes()
            for cut in (whole[:-1], whole[: len(whole) // 2], b""):
                data.write_bytes(cut)
                with self.subTest(level=level, cut=len(cut)), self.assert_fails("ended|ends|truncated|is empty"):
                    self.image_engine().restore("host_image", "image", False, None)
                self.assertEqual(os.listdir(self.work), ["image"] if level else [])
                if level:
                    self.assertEqual(len((self.work / "image").read_bytes()), 2_000_000)
                    (self.work / "image").unlink()
            data.write_bytes(whole)

    def test_a_level_on_the_wrong_basis_is_refused(self):
        states = list(self.states())[:3]
        for content in states:
            self.back_up_image(content)
        levels = self.stored()
        file = str(self.work / "image")
        streams.restore_file(pipe_of([levels[0]]), file, 0)
        for content, level, number in [
            (states[0], levels[2], 2),
            (states[0][:-1], levels[1], 1),
            (states[0], levels[0], 1),
            (states[0], levels[1], 0),
        ]:
            (self.work / "image").write_bytes(content)
            with self.subTest(number), self.assertRaises(frazil.WrongBasisError):
                streams.restore_file(pipe_of([level]), file, number)
            self.assertEqual((self.work / "image").read_bytes(), content)
        (self.work / "image").write_bytes(states[0])
        self.assertEqual(b"".join(streams.restored(pipe_of([levels[1]]), file)), states[1])

    def test_a_level_that_takes_nothing_from_its_basis_is_refused_on_another(self):
        one, two, three = (self.content(200_000) for _ in range(3))
        for content in (one, two, three):
            self.back_up_image(content)
        level, file = self.stored()[2], self.work / "image"
        file.write_bytes(one)
        for restore in (
            lambda: streams.restore_file(pipe_of([level]), str(file), 2),
            lambda: list(streams.restored(pipe_of([level]), str(file))),
        ):
            with self.assertRaises(frazil.WrongBasisError):
                restore()
            self.assertEqual(file.read_bytes(), one)
        file.write_bytes(two)
        streams.restore_file(pipe_of([level]), str(file), 2)
        self.assertEqual(file.read_bytes(), three)
        file.unlink()
        with self.assertRaises(frazil.FileNotFoundError):
            streams.restore_file(pipe_of([level]), str(file), 2)

    def test_a_level_0_goes_from_the_pipe_into_an_image_as_it_comes(self):
        content = next(self.states())
        self.back_up_image(content)
        level = self.stored()[0]
        data = utils.ReSizeStream(streams.restored(pipe_of([level])), len(content), 1)
        self.client.create_image("made", data)
        self.assertEqual(self.client.stored["made"], content)
        with self.assertRaises(frazil.TruncatedError):
            self.client.create_image(
                "cut", utils.ReSizeStream(streams.restored(pipe_of([level[:-10]])), len(content), 1)
            )
        self.assertNotIn("cut", self.client.stored)

    def test_what_is_raised_in_a_level_is_put_where_the_agent_looks(self):
        failures = queue.Queue()
        with quiet(), self.assertLogs(level="ERROR"), self.assertRaises(frazil.Error):
            self.image_engine().restore_level("image", pipe_of([b"no level"]), mock.Mock(level=0), failures)
        self.assertIsInstance(failures.get(), frazil.Error)


def pipe_of(pieces):
    """A pipe between processes that gives these pieces."""
    reading, writing = multiprocessing.Pipe(duplex=False)

    def feed():
        with writing:
            for piece in pieces:
                try:
                    writing.send_bytes(piece)
                except BrokenPipeError:
                    return

    threading.Thread(target=feed, daemon=True).start()
    return reading
