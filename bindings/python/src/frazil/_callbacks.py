"""Python functions that the library may call, and what they raise.

An exception cannot pass through the library: it is kept, the library is told to stop, and the exception is
raised again, itself, when the call has returned.

A Python function around a `try` is not enough for that. Since Python 3.11 a pending signal is handled when
a function is entered, before its first statement and so outside of every `try`, and while the library
works is just when a signal comes to be pending. ctypes would print the `KeyboardInterrupt`, forget it, and
return whatever number its memory held: perhaps 0, which is success. So the library never enters a
function. It enters `send` of a generator that already waits inside its `try`.
"""

from __future__ import annotations

import ctypes
import threading
from functools import partial
from typing import Any, Callable, Generator, List, Optional, Tuple

from . import _ending as ending


# What a callback returns that raised; the library knows any number but 0 as a failure.
FAILED = 1

Body = Callable[..., int]

# Addresses and lengths alike: ctypes would give a NULL among pointers as `None`.
_WORD = ctypes.c_ssize_t


def prototype(words: int) -> Any:
    """The type of a callback that is given so many pointers or lengths."""
    return ctypes.CFUNCTYPE(ctypes.c_int, *[_WORD] * words)


READ = prototype(4)
READ_AT = prototype(5)
WRITE = prototype(3)
TOLD = prototype(2)
ASKED = prototype(1)
# Gives nothing back: what is raised can stop nothing, and comes out at the end.
NOTED = ctypes.CFUNCTYPE(None, *[_WORD] * 2)


class _Raised:
    """The first exception that was raised in a callback."""

    __slots__ = ("error", "is_over")

    def __init__(self) -> None:
        self.error: Optional[BaseException] = None
        self.is_over = False


def _serve(body: Body, raised: _Raised, check: Callable[[], None]) -> Generator[int, Tuple[int, ...], None]:
    """Does `body` with every tuple that is sent, and yields what C is to be told.

    All of the inner loop is inside the `try`: waiting, being entered, and jumping back. The error is kept
    before anything else can happen, so that a second signal in the same instant cannot lose it.
    """
    code, waiting = 0, False
    while True:
        try:
            while True:
                waiting = True
                arguments = yield code
                waiting = False
                check()
                code = body(*arguments)
        except BaseException as error:
            if waiting and isinstance(error, GeneratorExit):
                return
            if raised.is_over:
                raise
            if raised.error is None:
                raised.error = error
            code = FAILED


def _with_tuple(send: Callable[[Any], Any], words: int) -> Callable[..., Any]:
    """A function of so many words that sends them as one tuple, without a frame of Python in between."""
    function = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object, ctypes.c_char_p, *[_WORD] * words)
    return partial(function(("PyObject_CallFunction", ctypes.pythonapi)), send, b"((%b))" % (b"n" * words))


class Callbacks:
    """What the library may call during one call, or several; to be kept until it can call no more."""

    def __init__(self, *, for_several: bool = False, check: Callable[[], None] = ending.check) -> None:
        """`check` comes before each of them, and may raise."""
        self._for_several, self._check = for_several, check
        self._raised = _Raised()
        self._serving: List[Any] = []
        self._kept: List[object] = []
        # The threads of the library that are in one of them.
        self._within: List[int] = []

    def made(self, kind: Any, body: Body) -> Any:
        """A function for C; `body` is given integers and returns 0, or raises."""
        served = _serve(body, self._raised, self._check)
        next(served)
        made = kind(_with_tuple(served.send, len(kind._argtypes_)))
        self._serving.append(served)
        self._kept.append(made)
        return made

    def made_for_threads(self, kind: Any, body: Body) -> Any:
        """As `made`, for a function that threads of the library call, several at once. Signals are none of theirs, so
        that the library may enter a function there; and a generator serves one at a time."""

        def guarded(*arguments: int) -> int:
            self._within.append(threading.get_ident())
            try:
                self._check()
                return body(*arguments)
            except BaseException as error:
                if self._raised.error is None:
                    self._raised.error = error
                return FAILED
            finally:
                self._within.remove(threading.get_ident())

        made = kind(guarded)
        self._kept.append(made)
        return made

    def are_running(self) -> bool:
        """Whether the library is in one of them."""
        return any(served.gi_running for served in self._serving)

    def is_running_here(self) -> bool:
        """Whether this thread is one of the library's that is in one of them."""
        return threading.get_ident() in self._within

    def end(self) -> None:
        """Ends what serves the library. It would end by itself, but a signal's handler that raised then would
        do so in vain."""
        self._raised.is_over = True
        while self._serving:
            self._serving.pop().close()

    def check(self) -> None:
        """Raises what was raised in a callback; to be called after each call of the library."""
        if not self._for_several:
            self.end()
        error, self._raised.error = self._raised.error, None
        if error is not None:
            try:
                raise error
            finally:
                # Its traceback holds this frame.
                del error
