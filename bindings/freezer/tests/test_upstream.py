"""The agent's own integration scenarios for its rsync engine, with comparisons that compare.

Its own list names alone, and its second never makes an increment. `freezer/tests/integration/test_rsync_backup.py`
is where they are.
"""

import os

from ground import Ground


class Upstream(Ground):
    SEGMENT_SIZE = 67_108_864

    def setUp(self):
        super().setUp()
        for number in range(5):
            self.write(f"file_{number}", self.content(1024))
        for number in range(25):
            self.write(f"dir_{number // 5}/file_{number % 5}", self.content(1024))

    def test_one_level_of_a_tree(self):
        self.back_up(incremental=False)
        self.assert_same(self.tree, self.restore())

    def test_several_levels_of_a_tree(self):
        self.back_up()
        for path in self.random.sample(sorted(self.tree.glob("dir_*/file_*")), 2):
            with open(path, "ab") as file:
                file.write(self.content(512))
        self.back_up()
        self.random.choice(sorted(self.tree.glob("dir_*/file_*"))).unlink()
        self.back_up()
        self.assertEqual([level for level, _, _ in self.backups()], [0, 1, 2])
        self.assert_same(self.tree, self.restore())

    def test_one_file(self):
        path = self.tree / "file_0"
        self.back_up(path=path)
        restored = self.restore()
        self.assertEqual(os.listdir(restored), ["file_0"])
        self.assertEqual((restored / "file_0").read_bytes(), path.read_bytes())
        status, wanted = os.stat(restored / "file_0"), os.stat(path)
        self.assertEqual((status.st_mode, status.st_mtime_ns), (wanted.st_mode, wanted.st_mtime_ns))
