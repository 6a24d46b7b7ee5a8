"""Several storages in one job: two directories, as the agent's own takes no Swift among several."""

import tempfile

from agent import FAILED_BACKUP, AgentTest, number
from stores import LocalStore

CONFIGURATION = """\
[default]
incremental = true
[storage:one]
storage = local
container = {one}
[storage:two]
storage = local
container = {two}
"""


class Storages(AgentTest):
    def make_store(self):
        store, self.second = LocalStore(self.dir / "one"), LocalStore(self.dir / "two")
        configuration = self.dir / "configuration"
        configuration.write_text(CONFIGURATION.format(one=store.root, two=self.second.root))
        store.options = ["--config", str(configuration)]
        return store

    def test_a_level_counts_as_stored_when_both_have_it_and_is_restored_out_of_either(self):
        for level in range(2):
            (self.tree / f"file {level}").write_bytes(self.random.randbytes(300_000))
            self.assertEqual(number(self.back_up()), level)
        levels, names = self.levels(), self.store.names()
        self.assertEqual(self.second.names(), names)

        # The agent alone does not notice that one fails while a level of a single segment is written.
        (self.tree / "small").write_bytes(b"small")
        chain = self.second.root / levels[0].rsplit("/", 1)[0]
        aside = chain.rename(tempfile.mktemp(dir=self.dir))
        chain.touch()
        status, said = self.run_agent("backup", "--path-to-backup", str(self.tree))
        self.assertEqual((status, said.splitlines()[-1]), (1, FAILED_BACKUP))
        self.assertIn("Not a directory", self.log.read_text())
        chain.unlink()
        aside.rename(chain)
        for store in (self.store, self.second):
            published = [name for name in store.names() if name.startswith("metadata/")]
            self.assertEqual(published, [name for name in names if name.startswith("metadata/")])

        self.assertEqual(number(self.back_up()), 2)
        for store in (self.store, self.second):
            content = store.get(f"{levels[1]}/data")
            store.put(f"{levels[1]}/data", content[:-100])
            self.assert_same(self.tree, self.restored())
            store.put(f"{levels[1]}/data", content)
