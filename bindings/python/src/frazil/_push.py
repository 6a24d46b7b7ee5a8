"""What is fed: the push form of a level, a patch and a restoration."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, Callable, Generic, Optional, TypeVar

from ._calls import call
from ._errors import StateError
from ._handles import Handle
from ._streams import borrowed

if TYPE_CHECKING:
    from typing_extensions import Buffer, Self

SummaryType = TypeVar("SummaryType")


class PushStream(Generic[SummaryType]):
    """A stream that is written, and does its work as bytes come.

    It is complete only when `finish` says so. Leaving a `with` block finishes it, or gives it up where an
    exception leaves the block. When a call fails, it can only be closed. One thread at a time may use it,
    and it belongs to the process that made it.

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
        """Takes all of the bytes, in pieces of any length, and returns how many they are."""
        argument, length = borrowed(data)
        with self._handle as pointer:
            call(self._native_feed, pointer, argument, length, callbacks=self._handle.callbacks)
        return length

    def finish(self) -> SummaryType:
        """Ends the stream, completes the work and says what was done; once."""
        with self._handle as pointer:
            self._handle.finished()
            self._summary = self._finish(pointer)
        return self._summary

    def _finish(self, pointer: ctypes.c_void_p) -> SummaryType:
        raise NotImplementedError

    @property
    def summary(self) -> SummaryType:
        """What `finish` returned; `StateError` before."""
        if self._summary is None:
            raise StateError(f"the {self._handle.name} is not finished")
        return self._summary

    def writable(self) -> bool:
        """`True`."""
        return True

    def readable(self) -> bool:
        """`False`."""
        return False

    def seekable(self) -> bool:
        """`False`."""
        return False

    def flush(self) -> None:
        """Does nothing."""

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._handle.is_closed

    def close(self) -> None:
        """Gives up what is not finished, which publishes nothing; nothing the second time."""
        self._handle.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        try:
            if kind is None and self._summary is None:
                self.finish()
        finally:
            self.close()
