"""What the archive of a tree says of its level, and whether it is whole."""

from __future__ import annotations

import ctypes
from typing import Union

from . import _structs as structs
from ._aliases import AnyPath, Stream, Told, Unpack
from ._callbacks import TOLD, Callbacks
from ._entries import Entry, telling
from ._observer import Following, observer
from ._streams import Input
from ._summaries import ArchiveSummary, LevelHeader


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


def list_archive(archive: Union[AnyPath, Stream], each: Told[Entry]) -> ArchiveSummary:
    """Reads an archive, a path, which `bytes` are too, or a stream, to its end, verifies all that can be
    without the level before, and tells `each` of every entry, in the order of their paths; `iter_archive` is an
    iterator of them.

    What was told is provisional until the function has returned.
    """
    callbacks = Callbacks()
    return read_archive(Input(archive, callbacks, or_path=True), callbacks, each)


def read_archive(source: Input, callbacks: Callbacks, each: Told[Entry]) -> ArchiveSummary:
    """As `list_archive`."""
    told = callbacks.made(TOLD, telling(Entry._of, structs.Entry, each))
    native = structs.sized(structs.ArchiveSummary)
    source.read("frazil_archive_list", told, None, ctypes.byref(native))
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
