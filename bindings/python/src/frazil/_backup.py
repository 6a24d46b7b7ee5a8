"""Backing up trees."""

from __future__ import annotations

import ctypes
from typing import Optional

from . import _structs as structs
from ._aliases import AnyPath, Sink, Unpack
from ._calls import call
from ._errors import Status
from ._library import library
from ._option_structs import backup_options
from ._options import BackupOptions
from ._pull import PullStream
from ._streams import Output, optional_path, path_of
from ._summaries import BackupSummary


class TreeBackup(PullStream[BackupSummary]):
    """The backup of a tree: a readable stream of its archive.

    `root` is a directory or a single file. `snapshot` is where the new snapshot, which the next level needs,
    is published as a new file by `finish`, whole or not at all. `since` is the snapshot of the level before;
    without it, it is level 0. Keyword arguments are those of `BackupOptions`.

        with frazil.TreeBackup("/home", "home.snapshot.0") as backup:
            for chunk in backup:
                storage.put(chunk)
            backup.finish()

    What cannot be read, or changes while it is read, is told to `problem` and counted, and the backup goes
    on.
    """

    def __init__(
        self,
        root: AnyPath,
        snapshot: AnyPath,
        since: Optional[AnyPath] = None,
        **options: Unpack[BackupOptions],
    ) -> None:
        handle = self._opened("backup", library.frazil_backup_free, library.frazil_backup_read)
        given = backup_options(options, handle.callbacks)
        call(
            library.frazil_backup_open,
            path_of(root),
            optional_path(since),
            path_of(snapshot),
            ctypes.byref(given),
            ctypes.byref(handle.pointer),
            callbacks=handle.callbacks,
        )

    def finish(self) -> BackupSummary:
        """Publishes the snapshot and says what was done, after the archive was read to its end and is where
        it is to stay; `StateError` when it was not read."""
        handle = self._in_use()

        def finish(pointer: ctypes.c_void_p) -> BackupSummary:
            handle.finished()
            native = structs.sized(structs.BackupSummary)
            status = call(
                library.frazil_backup_finish, pointer, ctypes.byref(native), callbacks=handle.callbacks
            )
            self._summary = BackupSummary._of(native, status == Status.PARTIAL)
            return self._summary

        return handle.use(finish)


def backup_tree(
    root: AnyPath,
    archive_to: Sink,
    snapshot: AnyPath,
    since: Optional[AnyPath] = None,
    **options: Unpack[BackupOptions],
) -> BackupSummary:
    """Backs up a tree in one call and writes the archive to an object with `write`, or gives it to a function;
    else as `TreeBackup`."""
    sink = Output(archive_to)
    with TreeBackup(root, snapshot, since, **options) as backup:
        backup._copy_to(sink)
        return backup.finish()
