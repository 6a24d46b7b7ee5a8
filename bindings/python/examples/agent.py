"""What a backup agent does: it backs a tree up into a store of objects of limited size, and restores it:

    python agent.py backup TREE STORE     the next level
    python agent.py restore STORE DEST    all levels, each as it arrives

The store is a directory of directories here, one for each level.
"""

import sys
from pathlib import Path
from typing import Iterator, List

import frazil

OBJECT_LEN = 32 << 20


def levels(store: Path) -> List[Path]:
    return sorted(store.glob("level.*"), key=lambda path: int(path.suffix[1:]))


def backup(tree: Path, store: Path) -> None:
    before = levels(store)
    level = store / f"level.{len(before)}"
    level.mkdir(parents=True)
    since = before[-1] / "snapshot" if before else None
    with frazil.TreeBackup(tree, level / "snapshot", since, filter="zstd", problem=print) as archive:
        for number, piece in enumerate(archive.chunks(OBJECT_LEN)):
            (level / f"{number:08}").write_bytes(piece)
        # All of it is stored: only now is there a snapshot, and a next level.
        summary = archive.finish()
    print(f"level {summary.header.number}: {summary.entries} entries, {summary.stream_bytes} bytes")


def objects(level: Path) -> Iterator[bytes]:
    for path in sorted(level.glob("[0-9]*")):
        yield path.read_bytes()


def restore(store: Path, destination: Path) -> None:
    for level in levels(store):
        with frazil.TreeRestore(destination) as tree:
            for piece in objects(level):
                tree.write(piece)
        print(f"level {tree.summary.header.number}: {tree.summary.output_bytes} bytes written")
    frazil.conclude_restore(destination)


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in ("backup", "restore"):
        sys.exit("usage: agent.py backup TREE STORE | restore STORE DEST")
    {"backup": backup, "restore": restore}[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
