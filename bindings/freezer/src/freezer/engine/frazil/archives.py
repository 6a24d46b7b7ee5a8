"""Whether an archive is the level that the storage says it is."""

from __future__ import annotations

import contextlib
from typing import Any, Generator, Iterable, Iterator, List, Mapping

import frazil

PART_LEN = 1 << 16
"""Bytes of an archive that are looked at together for what it is."""


def expected(pieces: Iterable[bytes], level: int, metadata: Mapping[str, Any]) -> Iterator[bytes]:
    """The pieces of an archive, unchanged, if it is that level, and the one that the metadata is of.

    `frazil.WrongBasisError` before any of them is given, so that nothing of another archive is restored. None is kept
    that was given: they are as long as a segment.
    """
    held: List[bytes] = []
    rest = iter(pieces)

    def begin() -> Generator[bytes, None, None]:
        for piece in rest:
            held.append(piece)
            for start in range(0, len(piece), PART_LEN):
                yield piece[start : start + PART_LEN]

    with contextlib.closing(begin()) as beginning:
        header = frazil.archive_header(beginning)
    if header.number != level:
        raise frazil.WrongBasisError(f"the archive is level {header.number}, where level {level} is restored")
    if header.id.hex() != metadata.get("id"):
        raise frazil.WrongBasisError(
            f"the archive is backup {header.id.hex()}, where the metadata is of backup {metadata.get('id')}"
        )
    return _given(held, rest)


def _given(held: List[bytes], rest: Iterator[bytes]) -> Iterator[bytes]:
    while held:
        yield held.pop(0)
    yield from rest
