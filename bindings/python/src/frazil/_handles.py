"""An object of the library, and who may use it when."""

from __future__ import annotations

import os
import threading
import weakref
from ctypes import c_void_p
from functools import partial
from typing import Any, Callable, Dict, List, Optional, TypeVar

from . import _ending as ending
from ._callbacks import Callbacks
from ._errors import StateError

Result = TypeVar("Result")

# Every object that is open, by its place: what frees it when it is forgotten. That knows nothing but the
# object of the library, so that a callback which leads back to its owner does not keep it alive.
_open: Dict[int, weakref.ref[Handle]] = {}


def _release(free: Callable[[Any], None], pointer: c_void_p, process: int, _forgotten: object = None) -> None:
    """Frees an object, once.

    In a process that was forked it stays: freeing it would remove the temporary files of the parent.
    """
    if process == os.getpid():
        native, pointer.value = pointer.value, None
        if native:
            free(native)
    _open.pop(id(pointer), None)


class _User:
    """One call that uses an object."""

    __slots__ = ("thread",)

    def __init__(self) -> None:
        self.thread = threading.get_ident()


class Handle:
    """An object of the library: one call at a time, in the process that made it.

    A call that fails, whatever with, is the last: what of a stream was lost with it is not known. The object
    is freed by `close`, or else with this one, or when the interpreter ends.

    Who uses it is a list, of which the first is the user and all others are refused. A signal's handler may
    raise whenever a call returns, so that a lock can stay held which nobody knows of. A list needs no answer:
    what was put in, in one call, is found there.
    """

    def __init__(self, name: str, free: Callable[[Any], None]) -> None:
        self.name = name
        self.callbacks = Callbacks(for_several=True)
        self.pointer = c_void_p()
        self._over: Optional[str] = None
        self._users: List[_User] = []
        self._process = os.getpid()
        self._release = partial(_release, free, self.pointer, self._process)
        _open[id(self.pointer)] = weakref.ref(self, self._release)

    def use(self, work: Callable[[c_void_p], Result]) -> Result:
        """Does `work`, which is given the object's pointer, as its only user."""
        if self._process != os.getpid():
            raise StateError(f"the {self.name} belongs to another process: it was open when this one was forked")
        return self._alone(lambda: self._do(work))

    def _alone(self, work: Callable[[], Result]) -> Result:
        me, users = _User(), self._users
        try:
            users.append(me)
            first = users[0]
            if first is not me and not self._left_by_a_signal(first):
                raise StateError(f"the {self.name} is in use by another call")
            return work()
        finally:
            # Nothing may come between these two; a signal's handler does not.
            if me in users:
                users.remove(me)

    def _left_by_a_signal(self, first: _User) -> bool:
        """Whether the user is no more, which is then forgotten.

        Before Python 3.10 a signal's handler may raise between any two steps of a `finally`. A thread that comes
        here while it is using the object does so in one of its callbacks, or else it is not using it any more.
        """
        if first.thread != threading.get_ident() or self.callbacks.are_running():
            return False
        self._users.remove(first)
        return True

    def _do(self, work: Callable[[c_void_p], Result]) -> Result:
        if self._over is not None:
            raise StateError(f"the {self.name} {self._over}")
        try:
            return work(self.pointer)
        except BaseException:
            self._over = self._over or "has failed before"
            raise

    def finished(self) -> None:
        """Refuses all that comes after; for the end of a call that finishes the work."""
        self._over = "is finished"

    @property
    def is_closed(self) -> bool:
        """Whether the object was freed."""
        return not self.pointer

    def close(self) -> None:
        """Frees the object; nothing the second time, and nothing in a process that was forked."""
        if self._process == os.getpid() and self.pointer:
            self._alone(self._free)

    def _free(self) -> None:
        self._over = "is closed"
        self._release()
        self.callbacks.end()


def _close_all() -> None:
    """Frees what nothing is using, and with it temporary files."""
    for reference in list(_open.values()):
        handle = reference()
        if handle is not None:
            try:
                handle.close()
            except StateError:
                pass


ending.then(_close_all)
