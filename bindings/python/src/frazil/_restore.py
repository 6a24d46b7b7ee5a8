"""Restoring trees."""

from __future__ import annotations

import ctypes
from typing import Any, Callable, Optional, Union

from . import _structs as structs
from ._aliases import AnyPath, Stream, Told, Unpack
from ._callbacks import Callbacks
from ._calls import call
from ._errors import Error, Status
from ._library import library
from ._observer import observer
from ._option_structs import restore_options
from ._options import RestoreOptions
from ._push import PushStream
from ._streams import Input, path_of
from ._summaries import Recovery, RestoreSummary


def _summary_of(finish: Callable[[Any], int]) -> RestoreSummary:
    native = structs.sized(structs.RestoreSummary)
    status = finish(ctypes.byref(native))
    return RestoreSummary._of(native, status == Status.PARTIAL)


class TreeRestore(PushStream[RestoreSummary]):
    """The restoration of one level of a tree into the directory `destination`, which is fed the archive.

    The directory is made if need be. Nothing is published before the restoration is finished, and nothing
    of an archive that is not whole. Level 0 wants an empty destination, unless it may overwrite; level n
    wants one that stands at level n-1, of which a note is kept there until `conclude_restore`. Keyword
    arguments are those of `RestoreOptions`.

        for level in levels:
            with frazil.TreeRestore("/restored") as restore:
                for chunk in level:
                    restore.write(chunk)
        frazil.conclude_restore("/restored")

    A failure may come out of a later `write` than the one that gave its cause. It has a thread of its own
    until it is finished or closed; do not fork in between.
    """

    def __init__(self, destination: AnyPath, **options: Unpack[RestoreOptions]) -> None:
        handle = self._opened("restore", library.frazil_restore_free, library.frazil_restore_feed)
        given = restore_options(options, handle.callbacks)
        out = ctypes.byref(handle.pointer)
        call(
            library.frazil_restore_open,
            path_of(destination),
            ctypes.byref(given),
            out,
            callbacks=handle.callbacks,
        )

    def _finish(self, pointer: ctypes.c_void_p) -> RestoreSummary:
        return _summary_of(
            lambda native: call(
                library.frazil_restore_finish, pointer, native, callbacks=self._handle.callbacks
            )
        )


def restore_tree(
    archive: Union[AnyPath, Stream], destination: AnyPath, **options: Unpack[RestoreOptions]
) -> RestoreSummary:
    """Restores the level in `archive`, a path, which `bytes` are too, or a stream; else as `TreeRestore`."""
    callbacks = Callbacks()
    source = Input(archive, callbacks, or_path=True)
    given, target = restore_options(options, callbacks), path_of(destination)
    return _summary_of(
        lambda native: source.read("frazil_restore_tree", target, ctypes.byref(given), native)
    )


def conclude_restore(destination: AnyPath) -> None:
    """Ends a chain: removes the note of the level that the directory `destination` stands at.

    `StateError` while a restoration is under way there, or was left half-way.
    """
    call(library.frazil_restore_conclude, path_of(destination))


def restored_level(destination: AnyPath) -> Optional[bytes]:
    """Says which level the directory `destination` stands at, its id of 16 bytes, or will once a restoration that
    was killed is finished; `None` where no chain of restorations is under way, as where there is no such directory
    yet. Nothing is changed.

    `StateError` while a restoration is at work there.
    """
    native = structs.LevelId()
    status = call(library.frazil_restore_level, path_of(destination), ctypes.byref(native))
    return None if status == Status.END else bytes(native.bytes)


def recover_restore(destination: AnyPath, *, problem: Optional[Told[Error]] = None) -> Recovery:
    """Finishes, or undoes, what a restoration that was killed has left in the directory `destination`, which
    need not be there.

    `problem` is told of each entry that could not be put in its place. What it raises comes out when the work
    is done: nothing stops it in the middle.
    """
    callbacks = Callbacks()
    watching = observer({"problem": problem}, callbacks)
    told = None if watching is None else ctypes.byref(watching)
    native = structs.sized(structs.Recovery)
    status = call(
        library.frazil_restore_recover, path_of(destination), told, ctypes.byref(native), callbacks=callbacks
    )
    return Recovery._of(native, status == Status.PARTIAL)
