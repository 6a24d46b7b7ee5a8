"""The agent makes levels and restores each of them."""

from agent import AgentTest, date, made_at, number
from stores import SwiftStore
from trees import change, plant

SEGMENT = 65_536


class Levels:
    """What holds of every store."""

    def test_levels_of_a_tree_are_restored_each_to_its_day(self):
        plant(self.tree, self.random)
        levels, days = [], []
        for day in range(4):
            if day:
                change(self.tree, self.random, day)
            levels.append(self.back_up("--incremental", "--max-segment-size", str(SEGMENT)))
            days.append(self.kept())
        self.assertEqual([number(level) for level in levels], [0, 1, 2, 3])
        self.assertEqual(self.levels(), levels)
        self.assert_same(days[-1], self.restored())
        for level, day in zip(levels[:-1], days):
            self.assert_same(day, self.restored("--restore-from-date", date(made_at(level))))
        self.check_stored(levels)

    def check_stored(self, levels):
        whole, *parts = map(self.stored, levels)
        for part in parts:
            self.assertLess(part, whole // 20)


class LocalLevels(Levels, AgentTest):
    """Levels in a directory."""


class SwiftLevels(Levels, AgentTest):
    """Levels in an object store."""

    def make_store(self):
        return SwiftStore(f"levels-{self.random.getrandbits(64):x}")

    def check_stored(self, levels):
        super().check_stored(levels)
        for level in levels:
            segments = [len(self.store.get(name)) for name in self.store.pieces(level)]
            self.assertEqual(segments[:-1], [SEGMENT] * (len(segments) - 1))
            self.assertTrue(0 < segments[-1] <= SEGMENT, segments[-1])
            manifest = self.store.headers(f"{level}/data")
            self.assertEqual(manifest["x-object-manifest"], f"{self.store.container}/{level}/segments")
            self.assertEqual(int(manifest["content-length"]), sum(segments))
        self.assertGreater(len(self.store.pieces(levels[0])), 20)
