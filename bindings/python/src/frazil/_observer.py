"""Following an operation: its progress, problems that it survived, and a way to stop it."""

from __future__ import annotations

import ctypes
import os
import threading
from dataclasses import dataclass
from typing import Any, Callable, Mapping, Optional, TypedDict

from . import _choices as choices
from . import _structs as structs
from ._aliases import Asked, Told
from ._callbacks import Callbacks
from ._calls import error_of
from ._entries import Entry, telling
from ._errors import Error


@dataclass(frozen=True)
class Progress:
    """How far an operation has come.

    done_bytes: Bytes of the source (a level, a backup) or of the result (a patch) that are done.
    total_bytes: What `done_bytes` will be at the end, where it is known.
    stream_bytes: Bytes of the stream that were written (a level) or read (a patch) so far.
    entries: Entries of a tree that are done; 0 where there is no tree.
    """

    done_bytes: int
    total_bytes: Optional[int]
    stream_bytes: int
    entries: int

    @classmethod
    def _of(cls, native: Any) -> Progress:
        total = None if native.total_bytes == structs.UNKNOWN else native.total_bytes
        return cls(native.done_bytes, total, native.stream_bytes, native.entries)


@dataclass(frozen=True)
class EntryReport:
    """What the backup of a tree did about one entry that it looked at.

    path: Where in the tree it is, as `os.fsdecode` gives it; the root is `.`.
    action: How it is in the archive; `"none"` where it proved to be what it was.
    reason: Why it was looked at.
    bytes: Bytes of content or delta that are in the archive for it.
    """

    path: str
    action: choices.Action
    reason: choices.Reason
    bytes: int

    @classmethod
    def _of(cls, native: Any) -> EntryReport:
        action = choices.word(choices.Action, native.action)
        reason = choices.word(choices.Reason, native.reason)
        return cls(os.fsdecode(native.path), action, reason, native.bytes)


class Following(TypedDict, total=False):
    """Functions that follow an operation.

    They are called about once for each mebibyte of work, by the thread that made the call, except that
    `TreeRestore` calls them in a thread of its own, one at a time. What they raise stops the operation and
    comes out of it, and so does a `KeyboardInterrupt`, except that no signal is answered while a `TreeRestore` ends.
    They cannot use the object that calls them.

    Nobody is asked any more when a file is about to appear, so that what was stopped has published nothing. A restored
    level takes longer to publish, and tells `progress` of that: what it raises then comes out when all is done, and
    `restored_level` says whether it was.

    progress: Is told that some work was done.
    problem: Is told of what went wrong and was survived, as an exception that is not raised.
    note: Is told of what is only worth knowing and takes nothing from the result, as that a socket is not backed up,
        as an exception that is not raised.
    cancelled: Answers whether to stop: if so, the operation fails with `CancelledError`.
    """

    progress: Optional[Told[Progress]]
    problem: Optional[Told[Error]]
    note: Optional[Told[Error]]
    cancelled: Optional[Asked]


def observer(options: Mapping[str, Any], callbacks: Callbacks) -> Optional[structs.Observer]:
    """The observer that the options ask for."""
    given = {name: options[name] for name in _BODIES if options.get(name) is not None}
    thread = threading.current_thread()
    if not given.keys() & {"cancelled", "progress"} and (thread.daemon or thread is threading.main_thread()):
        # A signal is answered to by the interpreter alone, and so is its end by a daemon; so long work has to
        # enter it now and then.
        given["cancelled"] = _never
    if not given:
        return None
    made = structs.sized(structs.Observer)
    for name, kind, *_ in structs.Observer._fields_:
        if name in given:
            setattr(made, name, callbacks.made(kind, _BODIES[name](given[name])))
    return made


def _never() -> bool:
    return False


def _telling_problem(problem: Told[Error]) -> Callable[[int, int], int]:
    def told(_user_data: int, address: int) -> int:
        problem(error_of(ctypes.c_void_p(address)))
        return 0

    return told


def _telling_missing(missing: Told[str]) -> Callable[[int, int], int]:
    def told(_user_data: int, address: int) -> int:
        missing(os.fsdecode(ctypes.string_at(address)))
        return 0

    return told


def _asking(cancelled: Asked) -> Callable[[int], int]:
    return lambda _user_data: int(bool(cancelled()))


# What the library calls for each function that follows an operation.
_BODIES: Mapping[str, Callable[[Any], Callable[..., int]]] = {
    "progress": lambda each: telling(Progress._of, structs.Progress, each),
    "problem": _telling_problem,
    "cancelled": _asking,
    "entry": lambda each: telling(EntryReport._of, structs.EntryReport, each),
    "note": _telling_problem,
    "restoring": lambda each: telling(Entry._of, structs.Entry, each),
    "missing": _telling_missing,
}
