"""Following an operation: its progress, problems that it survived, and a way to stop it."""

from __future__ import annotations

import ctypes
import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Mapping, Optional, TypedDict

from . import _choices as choices
from . import _structs as structs
from ._callbacks import ASKED, TOLD, Callbacks
from ._calls import error_of
from ._errors import Error

if TYPE_CHECKING:
    from ._archive import Entry


@dataclass(frozen=True)
class Progress:
    """How far an operation has come."""

    done_bytes: int
    """Bytes of the source (a level, a backup) or of the result (a patch) that are done."""
    total_bytes: Optional[int]
    """What `done_bytes` will be at the end, where it is known."""
    stream_bytes: int
    """Bytes of the stream that were written (a level) or read (a patch) so far."""
    entries: int
    """Entries of a tree that are done; 0 where there is no tree."""


@dataclass(frozen=True)
class EntryReport:
    """What the backup of a tree did about one entry that it looked at."""

    path: str
    """Where in the tree it is, as `os.fsdecode` gives it; the root is `.`."""
    action: choices.Action
    """How it is in the archive; `"none"` where it proved to be what it was."""
    reason: choices.Reason
    """Why it was looked at."""
    bytes: int
    """Bytes of content or delta that are in the archive for it."""


class Following(TypedDict, total=False):
    """Functions that follow an operation.

    They are called about once for each mebibyte of work, by the thread that made the call, except that
    `TreeRestore` calls them in a thread of its own, one at a time. What they raise stops the operation and
    comes out of it; so does a `KeyboardInterrupt`. They cannot use the object that calls them.
    """

    progress: Optional[Callable[[Progress], object]]
    """Is told that some work was done."""
    problem: Optional[Callable[[Error], object]]
    """Is told of what went wrong and was survived, as an exception that is not raised."""
    note: Optional[Callable[[Error], object]]
    """Is told of what is only worth knowing and takes nothing from the result, as that a socket is not backed
    up, as an exception that is not raised."""
    cancelled: Optional[Callable[[], object]]
    """Answers whether to stop: if so, the operation fails with `CancelledError`."""


def observer(options: Mapping[str, Any], callbacks: Callbacks) -> Optional[structs.Observer]:
    """The observer that the options ask for."""
    progress, problem = options.get("progress"), options.get("problem")
    cancelled, entry = options.get("cancelled"), options.get("entry")
    note, restoring = options.get("note"), options.get("restoring")
    if cancelled is None and progress is None and threading.current_thread() is threading.main_thread():
        # A signal is answered to by the interpreter alone; so long work has to enter it now and then.
        cancelled = _never
    if progress is cancelled is problem is entry is note is restoring is None:
        return None
    made = structs.sized(structs.Observer)
    if progress is not None:
        made.progress = callbacks.made(TOLD, _telling_progress(progress))
    if problem is not None:
        made.problem = callbacks.made(TOLD, _telling_problem(problem))
    if cancelled is not None:
        made.cancelled = callbacks.made(ASKED, _asking(cancelled))
    if entry is not None:
        made.entry = callbacks.made(TOLD, _telling_entry(entry))
    if note is not None:
        made.note = callbacks.made(TOLD, _telling_problem(note))
    if restoring is not None:
        made.restoring = callbacks.made(TOLD, _telling_restoring(restoring))
    return made


def _never() -> bool:
    return False


def _telling_progress(progress: Callable[[Progress], object]) -> Callable[[int, int], int]:
    def told(_user_data: int, address: int) -> int:
        native = structs.Progress.from_address(address)
        total = native.total_bytes
        progress(
            Progress(
                native.done_bytes,
                None if total == structs.UNKNOWN else total,
                native.stream_bytes,
                native.entries,
            )
        )
        return 0

    return told


def _telling_problem(problem: Callable[[Error], object]) -> Callable[[int, int], int]:
    def told(_user_data: int, address: int) -> int:
        problem(error_of(ctypes.c_void_p(address)))
        return 0

    return told


def _telling_entry(entry: Callable[[EntryReport], object]) -> Callable[[int, int], int]:
    def told(_user_data: int, address: int) -> int:
        native = structs.EntryReport.from_address(address)
        action = choices.word(choices.Action, native.action)
        reason = choices.word(choices.Reason, native.reason)
        entry(EntryReport(os.fsdecode(native.path), action, reason, native.bytes))
        return 0

    return told


def _telling_restoring(restoring: Callable[[Entry], object]) -> Callable[[int, int], int]:
    from ._archive import Entry  # which needs this module

    def told(_user_data: int, address: int) -> int:
        restoring(Entry._of(structs.Entry.from_address(address)))
        return 0

    return told


def _asking(cancelled: Callable[[], object]) -> Callable[[int], int]:
    return lambda _user_data: int(bool(cancelled()))
