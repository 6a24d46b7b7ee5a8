"""What the snapshot of a tree says of its entries."""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass
from typing import Any, Callable, Optional, Tuple

from . import _choices as choices
from . import _structs as structs
from ._callbacks import TOLD, Callbacks
from ._calls import call
from ._library import library
from ._streams import AnyPath, optional_text, path_of
from ._summaries import SnapshotSummary


@dataclass(frozen=True)
class SnapshotEntry:
    """What a snapshot says of one entry. Where `link` is not `None`, the rest is that of the file it leads to.

    path: Where in the tree it is, as `os.fsdecode` gives it; the root is `.`.
    link: Which entry it is a further name of, or `None`.
    fingerprint: The fingerprint of a regular file's content, 32 bytes, or `None`.
    block_count: How many blocks the snapshot has the sums of.
    kind: What it is.
    dirty: Whether it changed while it was read.
    racy: Whether it changed so shortly before it was read that the next level reads it again.
    stale: Whether it could not be read, and this is what the level before knew of it.
    mode: Permissions with set-id and sticky bits.
    uid: Number of the owner.
    gid: Number of the group.
    modified_ns: When the content was last changed, in nanoseconds since 1970.
    size: Bytes of content of a regular file.
    device: Major and minor number of a device.
    user: Name of the owner, empty where the system knew none.
    group: Name of the group, empty where the system knew none.
    target: Where a symbolic link leads.
    """

    path: str
    link: Optional[str]
    fingerprint: Optional[bytes]
    block_count: int
    kind: choices.EntryKind
    dirty: bool
    racy: bool
    stale: bool
    mode: int
    uid: int
    gid: int
    modified_ns: int
    size: int
    device: Tuple[int, int]
    user: Optional[str]
    group: Optional[str]
    target: Optional[str]

    @classmethod
    def _of(cls, native: Any) -> SnapshotEntry:
        metadata = native.metadata.contents
        return cls(
            os.fsdecode(native.path),
            optional_text(native.link),
            bytes(native.fingerprint.contents) if native.fingerprint else None,
            native.block_count,
            choices.word(choices.EntryKind, metadata.kind),
            bool(native.dirty),
            bool(native.racy),
            bool(native.stale),
            metadata.mode,
            metadata.uid,
            metadata.gid,
            metadata.modified_seconds * 1_000_000_000 + metadata.modified_nanoseconds,
            metadata.size,
            (metadata.device_major, metadata.device_minor),
            optional_text(metadata.user),
            optional_text(metadata.group),
            optional_text(metadata.target),
        )


def list_snapshot(snapshot: AnyPath, each: Callable[[SnapshotEntry], object]) -> SnapshotSummary:
    """Reads a snapshot to its end, verifies it, and tells `each` of every entry, in the order of their paths.

    What was told is provisional until the function has returned.
    """

    def told(_user_data: int, address: int) -> int:
        each(SnapshotEntry._of(structs.SnapshotEntry.from_address(address)))
        return 0

    callbacks = Callbacks()
    native = structs.sized(structs.SnapshotSummary)
    call(
        library.frazil_snapshot_list,
        path_of(snapshot),
        callbacks.made(TOLD, told),
        None,
        ctypes.byref(native),
        callbacks=callbacks,
    )
    return SnapshotSummary._of(native)
