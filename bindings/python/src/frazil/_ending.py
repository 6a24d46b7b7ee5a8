"""The end of the interpreter, which no other thread may meet while the library is calling Python.

A thread that wants to run Python then is ended on the spot, and its stack unwound; with functions of the
library on it, the whole process is aborted. Only threads that are daemons can come to that: all others have
ended before. So they are stopped first, by what they call the library for.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from typing import Callable, List, Optional

# Seconds to wait at most for calls that are under way: a callback comes with each mebibyte or so of work.
PATIENCE = 2.0

# The threads that are in a call of the library which may call back; one is there again for a call in a callback.
under_way: List[int] = []

_by: Optional[int] = None
_first: List[Callable[[], None]] = []
_then: List[Callable[[], None]] = []


def check() -> None:
    """Ends this thread, as the interpreter is about to, if that is ending, and in another thread."""
    if _by is not None and _by != threading.get_ident():
        raise SystemExit


def first(work: Callable[[], None]) -> None:
    """Does `work` when the interpreter ends, before the other threads are waited for."""
    _first.append(work)


def then(work: Callable[[], None]) -> None:
    """Does `work` when the interpreter ends, after the other threads have been stopped."""
    _then.append(work)


def _end() -> None:
    global _by
    _by = threading.get_ident()
    deadline = time.monotonic() + PATIENCE
    try:
        for work in _first:
            work()
        while any(thread != _by for thread in list(under_way)) and time.monotonic() < deadline:
            time.sleep(0.001)
    finally:
        for work in _then:
            work()


atexit.register(_end)
# The threads of a parent are not those of its child.
os.register_at_fork(after_in_child=under_way.clear)
