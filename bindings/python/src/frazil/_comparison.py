"""Comparing signatures: which ranges of new content are the same as the old, moved, or changed."""

from __future__ import annotations

import ctypes
from typing import Any, Callable, Iterator, NamedTuple, Optional

from . import _choices as choices
from . import _signature as signatures
from . import _structs as structs
from ._aliases import AnyPath, Self
from ._calls import call
from ._errors import StateError, Status
from ._handles import Handle, Single
from ._library import library
from ._streams import path_of


class Range(NamedTuple):
    """A range of the new content, in bytes. Ranges come in order and without gaps.

    kind: What it is to the old content.
    offset: Where it begins.
    len: How long it is. Where a plain signature leaves the length of the last block unknown, it counts as whole.
    from_: Where it is in the old content, if it is the same or moved; else 0.
    """

    kind: choices.RangeKind
    offset: int
    len: int
    from_: int


class Comparison(Single, Iterator[Range]):
    """The ranges of new content as an old signature knows them: an iterator, made by `Signature.compare` or
    `compare_files`. `close`, which leaving a `with` block does, gives it up with the files that it reads."""

    def __init__(self, old: signatures.Signature, new: signatures.Signature) -> None:
        if not isinstance(new, signatures.Signature):
            raise TypeError(f"a signature is needed, not {type(new).__name__}")
        self._open(lambda out: call(library.frazil_comparison_open, old._pointer, new._pointer, out))

    def _open(self, opener: Callable[[Any], int]) -> None:
        self._handle = Handle("comparison", library.frazil_comparison_free)
        opener(ctypes.byref(self._handle.pointer))

    def close(self) -> None:
        """Gives it up; nothing the second time."""
        self._handle.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        try:
            self.close()
        except StateError:
            # In use elsewhere; but what leaves the block comes first.
            if kind is None:
                raise

    def __next__(self) -> Range:
        found = self._handle.use(self._following)
        if found is None:
            raise StopIteration
        return found

    def _following(self, pointer: ctypes.c_void_p) -> Optional[Range]:
        native = structs.Range()
        if call(library.frazil_comparison_next, pointer, ctypes.byref(native)) == Status.END:
            return None
        kind = choices.word(choices.RangeKind, native.kind)
        return Range(kind, native.offset, native.len, getattr(native, "from"))


def compare_files(old: AnyPath, new: AnyPath) -> Comparison:
    """Compares two signatures in files, in constant memory: blocks that moved count as changed.

    Reading goes on as ranges are taken, so that damage may raise then.
    """
    comparison = Comparison.__new__(Comparison)
    old_path, new_path = path_of(old), path_of(new)
    comparison._open(lambda out: call(library.frazil_comparison_open_paths, old_path, new_path, out))
    return comparison
