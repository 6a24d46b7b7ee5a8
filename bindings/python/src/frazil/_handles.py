"""An object of the library, and who may use it when."""

from __future__ import annotations

import os
import threading
import weakref
from ctypes import c_void_p
from typing import Any, Callable, Optional

from ._callbacks import Callbacks
from ._errors import StateError


def _release(free: Callable[[Any], None], pointer: c_void_p, process: int, callbacks: Callbacks) -> None:
    """Frees an object. What it may call, `callbacks`, is there until then.

    In a process that was forked it stays: freeing it would remove the temporary files of the parent.
    """
    if pointer and process == os.getpid():
        native, pointer.value = pointer.value, None
        free(native)


class Handle:
    """An object of the library: one call at a time, in the process that made it.

    It is a context manager around one call, and gives the object's pointer. A call that fails, whatever
    with, is the last: what of a stream was lost with it is not known. The object is freed by `close`, or
    else with this one, or when the interpreter ends.
    """

    def __init__(self, name: str, free: Callable[[Any], None]) -> None:
        self.name = name
        self.callbacks = Callbacks()
        self.pointer = c_void_p()
        self._over: Optional[str] = None
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._free = weakref.finalize(self, _release, free, self.pointer, self._process, self.callbacks)

    def __enter__(self) -> c_void_p:
        if self._process != os.getpid():
            raise StateError(f"the {self.name} belongs to another process: it was open when this one was forked")
        if not self._lock.acquire(blocking=False):
            raise StateError(f"the {self.name} is in use by another call")
        if self._over is not None:
            self._lock.release()
            raise StateError(f"the {self.name} {self._over}")
        return self.pointer

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is not None:
            self._over = "has failed before"
        self._lock.release()

    def finished(self) -> None:
        """Refuses all that comes after; for the end of a call that finishes the work."""
        self._over = "is finished"

    @property
    def is_closed(self) -> bool:
        """Whether the object was freed."""
        return not self._free.alive

    def close(self) -> None:
        """Frees the object; nothing the second time, and nothing in a process that was forked."""
        if self._process != os.getpid() or not self._free.alive:
            return
        if not self._lock.acquire(blocking=False):
            raise StateError(f"the {self.name} is in use by another call")
        try:
            self._over = "is closed"
            self._free()
        finally:
            self._lock.release()
