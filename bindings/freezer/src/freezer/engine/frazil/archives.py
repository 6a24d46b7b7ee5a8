"""Whether an archive is the level that the storage says it is."""

from __future__ import annotations

import itertools
from typing import Any, Iterable, Iterator, List, Mapping

import frazil


def expected(pieces: Iterable[bytes], level: int, metadata: Mapping[str, Any]) -> Iterator[bytes]:
    """The pieces of an archive, unchanged, if it is that level, and the one that the metadata is of.

    `frazil.WrongBasisError` before any of them is given, so that nothing of another archive is restored.
    """
    held: List[bytes] = []
    rest = iter(pieces)

    def begin() -> Iterator[bytes]:
        for piece in rest:
            held.append(piece)
            yield piece

    header = frazil.archive_header(begin())
    if header.number != level:
        raise frazil.WrongBasisError(f"the archive is level {header.number}, where level {level} is restored")
    if header.id.hex() != metadata.get("id"):
        raise frazil.WrongBasisError(
            f"the archive is backup {header.id.hex()}, where the metadata is of backup {metadata.get('id')}"
        )
    return itertools.chain(held, rest)
