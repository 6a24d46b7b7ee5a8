"""What is said of the entries of trees."""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass
from typing import Any, Callable, Dict, Optional, Tuple, Type

from . import _choices as choices
from ._aliases import Item, Told


def optional_text(text: Optional[bytes]) -> Optional[str]:
    """A path or a name that the library gives, as `os.fsdecode` has it."""
    return None if text is None else os.fsdecode(text)


@dataclass(frozen=True)
class TreeEntry:
    """What an archive and a snapshot both say of an entry of their tree.

    path: Where in the tree it is, as `os.fsdecode` gives it; the root is `.`.
    kind: What it is.
    dirty: Whether it changed while it was read.
    fingerprint: The fingerprint of a regular file's content, 32 bytes, or `None`.
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
    kind: choices.EntryKind
    dirty: bool
    fingerprint: Optional[bytes]
    mode: int
    uid: int
    gid: int
    modified_ns: int
    size: int
    device: Tuple[int, int]
    user: Optional[str]
    group: Optional[str]
    target: Optional[str]


def _common(native: Any) -> Dict[str, Any]:
    """The fields of every `TreeEntry`."""
    metadata = native.metadata.contents
    return {
        "path": os.fsdecode(native.path),
        "kind": choices.word(choices.EntryKind, metadata.kind),
        "dirty": bool(native.dirty),
        "fingerprint": bytes(native.fingerprint.contents) if native.fingerprint else None,
        "mode": metadata.mode,
        "uid": metadata.uid,
        "gid": metadata.gid,
        "modified_ns": metadata.modified_seconds * 1_000_000_000 + metadata.modified_nanoseconds,
        "size": metadata.size,
        "device": (metadata.device_major, metadata.device_minor),
        "user": optional_text(metadata.user),
        "group": optional_text(metadata.group),
        "target": optional_text(metadata.target),
    }


@dataclass(frozen=True)
class Entry(TreeEntry):
    """What an archive says of one entry, beside the fields of `TreeEntry`. Where `kind` is `"unknown"`, all from
    `mode` on is 0 or `None`. The fingerprint of a delta's content is claimed, not proven: only a restore shows.

    from_: Where in the level before its content is from, or which entry of this level it is a further name of.
    action: How it comes to be what it is.
    closes: Whether a directory closes here, with its metadata as all that is in it leaves it.
    """

    from_: Optional[str]
    action: choices.Action
    closes: bool

    @classmethod
    def _of(cls, native: Any) -> Entry:
        action = choices.word(choices.Action, native.action)
        from_ = optional_text(getattr(native, "from"))
        return cls(**_common(native), from_=from_, action=action, closes=bool(native.closes))


@dataclass(frozen=True)
class SnapshotEntry(TreeEntry):
    """What a snapshot says of one entry, beside the fields of `TreeEntry`. Where `link` is not `None`, the rest is
    that of the file it leads to.

    link: Which entry it is a further name of, or `None`.
    block_count: How many blocks the snapshot has the sums of.
    racy: Whether it changed so shortly before it was read that the next level reads it again.
    stale: Whether it could not be read, and this is what the level before knew of it.
    """

    link: Optional[str]
    block_count: int
    racy: bool
    stale: bool

    @classmethod
    def _of(cls, native: Any) -> SnapshotEntry:
        return cls(
            **_common(native),
            link=optional_text(native.link),
            block_count=native.block_count,
            racy=bool(native.racy),
            stale=bool(native.stale),
        )


@dataclass(frozen=True)
class Difference:
    """Where a tree differs from what its archives say.

    path: Where in the tree, as `os.fsdecode` gives it; the root is `.`.
    kind: What differs.
    """

    path: str
    kind: choices.DifferenceKind

    @classmethod
    def _of(cls, native: Any) -> Difference:
        return cls(os.fsdecode(native.path), choices.word(choices.DifferenceKind, native.kind))


def telling(made: Callable[[Any], Item], struct: Type[ctypes.Structure], each: Told[Item]) -> Callable[[int, int], int]:
    """A callback that tells `each` what is `made` of the struct that it is given."""

    def told(_user_data: int, address: int) -> int:
        each(made(struct.from_address(address)))
        return 0

    return told
