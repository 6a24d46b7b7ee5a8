"""The agent's encryption, which is a program behind tar, is around the archive too."""

import os
import subprocess
import threading
from unittest import mock

import frazil
from freezer.engine.frazil import openssl
from freezer.engine.tar import tar_builders
from ground import Ground


class Encryption(Ground):
    def setUp(self):
        super().setUp()
        self.key = self.dir / "key"
        self.key.write_text("a pass phrase\n")
        self.other = self.dir / "other"
        self.other.write_text("another pass phrase\n")
        self.write("file", b"a secret that is easy to find" * 1_000)
        self.write("large", self.content(3_000_000))

    def encrypting(self, key=None, **options):
        return self.engine(encrypt_key=str(key or self.key), **options)

    def test_levels_are_encrypted_and_restored(self):
        for number in range(3):
            self.write(f"new {number}", b"new")
            engine = self.back_up(engine=self.encrypting())
            self.assertTrue(engine.metadata()["encryption"])
        for _, _, data in self.backups():
            stored = (data / "data").read_bytes()
            self.assertTrue(stored.startswith(b"Salted__"))
            self.assertTrue((data / "engine_metadata").read_bytes().startswith(b"Salted__"))
        self.assert_same(self.tree, self.restore(engine=self.encrypting()))

    def test_it_is_the_agents_own(self):
        """What is stored comes out of the command with which the agent decrypts for tar."""
        self.back_up(engine=self.encrypting())
        builder = tar_builders.TarCommandRestoreBuilder(".", "gzip", False)
        builder.set_encryption(str(self.key))
        decrypting = builder.build().split("|")[0]
        with open(self.backups()[0][2] / "data", "rb") as stored:
            archive = subprocess.run(
                ["/bin/bash", "-c", decrypting],
                stdin=stored,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                check=True,
            ).stdout
        self.assertEqual(frazil.restore_tree(iter([archive]), self.dir / "by hand").files, 2)

    def test_nothing_of_the_tree_is_in_the_storage_in_clear(self):
        self.write("a name of its own", b"a word of its own")
        os.chdir(self.tree)
        for _ in range(2):
            self.back_up(engine=self.encrypting())
        for _, _, directory in self.backups():
            for path in directory.iterdir():
                content = path.read_bytes()
                self.assertNotIn(b"a name of its own", content)
                self.assertNotIn(b"a word of its own", content)

    def test_a_chain_goes_on_with_its_phrase_alone_and_may_become_an_encrypted_one(self):
        self.back_up()
        self.back_up(engine=self.encrypting())
        for engine, message in [
            (self.engine(), "Cannot go on from encrypted backup without key"),
            (self.encrypting(self.other), "snapshot"),
        ]:
            with self.subTest(message), self.assert_fails(message):
                self.back_up(engine=engine)
        self.assertEqual([level for level, _, _ in self.backups()], [0, 1])
        self.back_up(engine=self.encrypting())
        self.assert_same(self.tree, self.restore(engine=self.encrypting()))

    def test_segments_are_full(self):
        os.chdir(self.tree)
        segments = list(self.encrypting(max_segment_size=100_000).backup_data(".", str(self.dir / "manifest")))
        self.assertEqual({len(segment) for segment in segments[:-1]}, {100_000})
        self.assertTrue(0 < len(segments[-1]) <= 100_000)

    def test_without_the_phrase_nothing_is_restored(self):
        self.back_up(engine=self.encrypting())
        for engine, message in [
            (self.engine(), "Cannot restore encrypted backup without key"),
            (self.encrypting(self.other), "reading an archive"),
            (self.encrypting(self.dir / "no file"), "openssl failed with status 1: .*no file"),
        ]:
            with self.subTest(message), self.assert_fails(message):
                self.restore(engine=engine)
            self.assertEqual(os.listdir(self.dir / "restored"), [])

    def test_what_was_not_encrypted_is_restored_whatever_phrase_is_given(self):
        self.back_up()
        self.assert_same(self.tree, self.restore(engine=self.encrypting()))

    def test_nothing_is_stored_where_it_cannot_be_encrypted(self):
        with self.assert_fails("openssl failed with status 1"):
            self.back_up(engine=self.encrypting(self.dir / "no file"))
        path, os.environ["PATH"] = os.environ["PATH"], str(self.dir)
        self.addCleanup(os.environ.__setitem__, "PATH", path)
        with self.assert_fails("openssl is not installed"):
            self.back_up(engine=self.encrypting())
        self.assertEqual(self.backups(), [])

    def test_an_empty_phrase_is_none(self):
        empty = self.dir / "empty"
        for content in (b"", b"\n", b"\nphrase\n", b"\r\n", b"\0phrase\n"):
            empty.write_bytes(content)
            with self.subTest(content), self.assert_fails("the first line of .*empty is empty, and is to be the pass"):
                self.back_up(engine=self.encrypting(empty))
            self.assertEqual(self.backups(), [])
        with self.assertRaisesRegex(ValueError, "the path of the file with the pass phrase is empty"):
            self.engine(encrypt_key="")

    def test_what_another_has_encrypted_with_an_empty_phrase_is_restored(self):
        empty = self.dir / "empty"
        empty.write_bytes(b"\n")
        with mock.patch.object(openssl, "_check_phrase"):
            self.back_up(engine=self.encrypting(empty))
        self.assert_same(self.tree, self.restore(engine=self.encrypting(empty)))

    def test_damage_to_what_is_stored_is_found(self):
        self.back_up(engine=self.encrypting())
        data = self.backups()[0][2] / "data"
        whole = data.read_bytes()
        for damaged in (whole[:-1], whole[: len(whole) // 2], whole[:500_000] + b"!" + whole[500_001:]):
            data.write_bytes(damaged)
            with self.assert_fails("Failed to restore"):
                self.restore(engine=self.encrypting())
            self.assertEqual(os.listdir(self.dir / "restored"), [])

    def test_what_goes_wrong_before_the_program_comes_out_of_it(self):
        def failing():
            yield self.content(3_000_000)
            raise ConnectionResetError("the source is gone")

        with self.assertRaisesRegex(ConnectionResetError, "the source is gone"):
            for piece in openssl.encrypted(failing(), str(self.key), 100_000):
                self.assertLessEqual(len(piece), 100_000)
        with self.assert_fails("block"):
            self.back_up(engine=self.encrypting(rsync_block_size=100))
        self.assertEqual(self.backups(), [])

    def test_what_is_given_up_ends_the_program_and_what_feeds_it(self):
        threads = threading.active_count()
        pieces = openssl.encrypted(iter(lambda: bytes(1_000_000), b""), str(self.key), 100_000)
        self.assertEqual(len(next(pieces)), 100_000)
        self.assertGreater(threading.active_count(), threads)
        pieces.close()
        self.assertEqual(threading.active_count(), threads)
