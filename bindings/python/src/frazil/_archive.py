"""What the archive of a tree says of its level, and whether it is whole."""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Iterable, Optional, Tuple, Union

from . import _choices as choices
from . import _structs as structs
from ._callbacks import TOLD, Callbacks
from ._calls import call
from ._library import library
from ._observer import Following, observer
from ._option_structs import verify_options
from ._streams import AnyPath, Input, Stream, optional_text, path_of, paths_of
from ._summaries import ArchiveSummary, LevelHeader, VerifySummary

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._options import VerifyOptions


@dataclass(frozen=True)
class Entry:
    """What an archive says of one entry. Where `kind` is `"unknown"`, all from `mode` on is 0 or `None`.

    path: Where in the tree it is, as `os.fsdecode` gives it; the root is `.`.
    from_: Where in the level before its content is from, or which entry of this level it is a further name of.
    action: How it comes to be what it is.
    kind: What it is.
    closes: Whether a directory closes here, with its metadata as all that is in it leaves it.
    dirty: Whether it changed while it was read.
    fingerprint: The fingerprint of a regular file's content, 32 bytes. A delta's is claimed, not proven: only a
        restore shows.
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
    from_: Optional[str]
    action: choices.Action
    kind: choices.EntryKind
    closes: bool
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

    @classmethod
    def _of(cls, native: Any) -> Entry:
        metadata = native.metadata.contents
        return cls(
            os.fsdecode(native.path),
            optional_text(getattr(native, "from")),
            choices.word(choices.Action, native.action),
            choices.word(choices.EntryKind, metadata.kind),
            bool(native.closes),
            bool(native.dirty),
            bytes(native.fingerprint.contents) if native.fingerprint else None,
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


@dataclass(frozen=True)
class Difference:
    """Where a tree differs from what its archives say.

    path: Where in the tree, as `os.fsdecode` gives it; the root is `.`.
    kind: What differs.
    """

    path: str
    kind: choices.DifferenceKind


def archive_header(archive: Union[AnyPath, Stream]) -> LevelHeader:
    """Says which level of which chain an archive is, a path, which `bytes` are too, or a stream, of which no more
    is read than that needs, in pieces of any length.

    What follows in the archive is not looked at, and may be damaged.
    """
    source = Input(archive, Callbacks(), or_path=True)
    native = structs.LevelHeader()
    try:
        # Not to its end; what was read by then is sealed.
        source.open("frazil_archive_header", ctypes.byref(native))
    finally:
        source.close()
    return LevelHeader._of(native)


def list_archive(archive: Union[AnyPath, Stream], each: Callable[[Entry], object]) -> ArchiveSummary:
    """Reads an archive, a path, which `bytes` are too, or a stream, to its end, verifies all that can be
    without the level before, and tells `each` of every entry, in the order of their paths.

    What was told is provisional until the function has returned.
    """

    def told(_user_data: int, address: int) -> int:
        each(Entry._of(structs.Entry.from_address(address)))
        return 0

    callbacks = Callbacks()
    source = Input(archive, callbacks, or_path=True)
    native = structs.sized(structs.ArchiveSummary)
    source.read("frazil_archive_list", callbacks.made(TOLD, told), None, ctypes.byref(native))
    return ArchiveSummary._of(native)


def verify_archive(archive: Union[AnyPath, Stream], **following: Unpack[Following]) -> ArchiveSummary:
    """Reads an archive, a path, which `bytes` are too, or a stream, to its end and verifies the framing, every
    digest and the order, the content of what is there whole, and the commands of deltas.

    What a delta makes is claimed, not proven: only a restore shows.
    """
    callbacks = Callbacks()
    source = Input(archive, callbacks, or_path=True)
    watching = observer(following, callbacks)
    native = structs.sized(structs.ArchiveSummary)
    following_it = None if watching is None else ctypes.byref(watching)
    source.read("frazil_archive_verify", following_it, ctypes.byref(native))
    return ArchiveSummary._of(native)


def verify_tree(
    archives: Iterable[AnyPath],
    root: AnyPath,
    each: Optional[Callable[[Difference], object]] = None,
    **options: Unpack[VerifyOptions],
) -> VerifySummary:
    """Holds the tree at `root` against the archives of a chain, level 0 first, and tells `each` of every
    difference; the archives are verified on the way.

    `each` is called by the thread of the caller. Keyword arguments are those of `VerifyOptions`.
    """

    def told(_user_data: int, address: int) -> int:
        if each is not None:
            difference = structs.Difference.from_address(address)
            kind = choices.word(choices.DifferenceKind, difference.kind)
            each(Difference(os.fsdecode(difference.path), kind))
        return 0

    callbacks = Callbacks()
    given = verify_options(options, callbacks)
    native = structs.sized(structs.VerifySummary)
    call(
        library.frazil_tree_verify,
        *paths_of(archives),
        path_of(root),
        ctypes.byref(given),
        callbacks.made(TOLD, told),
        None,
        ctypes.byref(native),
        callbacks=callbacks,
    )
    return VerifySummary._of(native)
