"""What the snapshot of a tree says of its entries."""

from __future__ import annotations

import ctypes
from typing import Union

from . import _structs as structs
from ._aliases import AnyPath, Stream, Told
from ._callbacks import TOLD, Callbacks
from ._entries import SnapshotEntry, telling
from ._streams import Input
from ._summaries import SnapshotSummary


def list_snapshot(snapshot: Union[AnyPath, Stream], each: Told[SnapshotEntry]) -> SnapshotSummary:
    """Reads a snapshot, a path, which `bytes` are too, or a stream, to its end, verifies it, and tells `each` of
    every entry, in the order of their paths; `iter_snapshot` is an iterator of them.

    What was told is provisional until the function has returned.
    """
    callbacks = Callbacks()
    return read_snapshot(Input(snapshot, callbacks, or_path=True), callbacks, each)


def read_snapshot(source: Input, callbacks: Callbacks, each: Told[SnapshotEntry]) -> SnapshotSummary:
    """As `list_snapshot`."""
    told = callbacks.made(TOLD, telling(SnapshotEntry._of, structs.SnapshotEntry, each))
    native = structs.sized(structs.SnapshotSummary)
    source.read("frazil_snapshot_list", told, None, ctypes.byref(native))
    return SnapshotSummary._of(native)
