"""An object of the library, and who may use it when."""

from __future__ import annotations

import os
import weakref
from ctypes import c_void_p
from functools import partial
from typing import Any, Callable, Dict, NoReturn, Optional, Tuple, TypeVar

from . import _ending as ending
from ._callbacks import Callbacks
from ._errors import StateError
from ._users import Users

Result = TypeVar("Result")

# Every object that is open, by its place, and what frees it when it is forgotten. That knows nothing but the
# object of the library, so that a callback which leads back to its owner does not keep it alive.
_open: Dict[int, Tuple[weakref.ref[Handle], Callable[[], None]]] = {}

# How many there may be before those are looked for that were forgotten and not freed.
_sweep_at = 64


def _release(free: Callable[[Any], None], pointer: c_void_p, process: int, _forgotten: object = None) -> None:
    """Frees an object, once.

    In a process that was forked it stays: freeing it would remove the temporary files of the parent.
    """
    if process == os.getpid():
        native, pointer.value = pointer.value, None
        if native:
            free(native)
    _open.pop(id(pointer), None)


def _sweep() -> None:
    """Frees what was forgotten while a signal was pending: its handler raises as Python enters what frees it, and
    Python passes over that."""
    global _sweep_at
    for reference, release in list(_open.values()):
        if reference() is None:
            release()
    _sweep_at = 2 * len(_open) + 64


class Single:
    """What there is one of, whoever has it: a copy would be a second owner of what the library has."""

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} cannot be pickled or copied")


class Handle:
    """An object of the library: one call at a time, in the process that made it.

    A call that fails, whatever with, is the last: what of a stream was lost with it is not known. The object
    is freed by `close`, or else with this one, or when the interpreter ends.
    """

    def __init__(self, name: str, free: Callable[[Any], None]) -> None:
        self.name = name
        self.callbacks = Callbacks(for_several=True)
        self.pointer = c_void_p()
        self._over: Optional[str] = None
        self._users = Users(name, self.callbacks.are_running)
        self._process = os.getpid()
        self._release = partial(_release, free, self.pointer, self._process)
        if len(_open) >= _sweep_at:
            _sweep()
        _open[id(self.pointer)] = weakref.ref(self, self._release), self._release

    def use(self, work: Callable[[c_void_p], Result]) -> Result:
        """Does `work`, which is given the object's pointer, as its only user."""
        if self._process != os.getpid():
            raise StateError(f"the {self.name} belongs to another process: it was open when this one was forked")
        has_begun = False

        def begin() -> Result:
            nonlocal has_begun
            if self._over is not None:
                raise StateError(f"the {self.name} {self._over}")
            has_begun = True
            return work(self.pointer)

        try:
            return self._users.alone(begin)
        except BaseException:
            # A signal's handler may raise also once the work is done, and what it gave is lost then.
            if has_begun:
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
            self._users.alone(self._free)

    def _free(self) -> None:
        self._over = "is closed"
        self._release()
        self.callbacks.end()


def _close_all() -> None:
    """Frees what nothing is using, and with it temporary files."""
    _sweep()
    for reference, _ in list(_open.values()):
        handle = reference()
        if handle is not None:
            try:
                handle.close()
            except StateError:
                pass


ending.then(_close_all)
