"""What is fed: the push form of a level, a patch and a restoration."""

from __future__ import annotations

import ctypes
from typing import Any, Callable, Generic, Optional, TypeVar

from ._aliases import Buffer, Self
from ._calls import call
from ._errors import StateError
from ._handles import Handle, Single
from ._streams import slices

# How many bytes the library is given at once: between them signals are answered, and no more is copied.
SLICE_LEN = 1 << 20

SummaryType = TypeVar("SummaryType")


class PushStream(Single, Generic[SummaryType]):
    """A stream that is written, and does its work as bytes come.

    It is complete only when `finish` says so. Leaving a `with` block finishes it, or gives it up where an
    exception leaves the block, or where `close` was called in it. When a call fails, it can only be closed. One
    thread at a time may use it, and it belongs to the process that made it.

    It can be written to like a file, but is no `io.IOBase`: that would finish it whenever it is forgotten.
    """

    _handle: Handle
    _summary: Optional[SummaryType] = None

    def _opened(self, name: str, free: Callable[[Any], None], feed: Callable[..., int]) -> Handle:
        """Prepares for an object of the library, which is to be opened with the handle's pointer."""
        self._handle = Handle(name, free)
        self._native_feed = feed
        return self._handle

    def write(self, data: Buffer) -> int:
        """Takes all of the bytes, however many, and returns how many they are."""
        given = slices(data, SLICE_LEN)

        def feed(pointer: ctypes.c_void_p) -> int:
            fed = 0
            for argument, length in given:
                call(self._native_feed, pointer, argument, length, callbacks=self._handle.callbacks)
                fed += length
            return fed

        return self._handle.use(feed)

    def finish(self) -> SummaryType:
        """Ends the stream, completes the work and says what was done; once."""

        def finish(pointer: ctypes.c_void_p) -> SummaryType:
            self._handle.finished()
            self._summary = self._finish(pointer)
            return self._summary

        return self._handle.use(finish)

    def _finish(self, pointer: ctypes.c_void_p) -> SummaryType:
        raise NotImplementedError

    @property
    def summary(self) -> SummaryType:
        """What `finish` returned; `StateError` before."""
        if self._summary is None:
            raise StateError(f"the {self._handle.name} is not finished")
        return self._summary

    def _check_open(self) -> None:
        if self.closed:
            raise StateError(f"the {self._handle.name} is closed")

    def writable(self) -> bool:
        """`True`; `StateError`, which is a `ValueError`, when it is closed, as of any file."""
        self._check_open()
        return True

    def readable(self) -> bool:
        """`False`; as `writable`."""
        self._check_open()
        return False

    def seekable(self) -> bool:
        """`False`; as `writable`."""
        self._check_open()
        return False

    def flush(self) -> None:
        """Does nothing; as `writable`."""
        self._check_open()

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._handle.is_closed

    def close(self) -> None:
        """Gives up what is not finished, which publishes nothing; nothing the second time."""
        self._handle.close()

    def __enter__(self) -> Self:
        self._check_open()
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is not None:
            try:
                self.close()
            except StateError:
                pass  # In use elsewhere; but what leaves the block comes first.
            return
        try:
            if self._summary is None and not self.closed:
                self.finish()
        finally:
            self.close()
