"""What is made as it is read: the pull form of a level, a patch and a backup."""

from __future__ import annotations

import ctypes
import io
import operator
import sys
from typing import Any, Callable, Generic, Iterator, List, Optional, TypeVar

from ._aliases import Buffer, Self
from ._calls import call
from ._errors import StateError
from ._handles import Handle, Single
from ._streams import Input, Output

SummaryType = TypeVar("SummaryType")

CHUNK_LEN = 1 << 20
"""Bytes of the pieces in which a stream is iterated over, all but the last: 1 MiB."""


# Bytes that are not yet any, and that nobody else has: they are filled before they are given to anyone, without
# a copy, which would cost a tenth of the time of a level.
_unfilled = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_ssize_t)(
    ("PyBytes_FromStringAndSize", ctypes.pythonapi)
)


class PullStream(Single, io.BufferedIOBase, Generic[SummaryType]):
    """A stream of bytes that is made as it is read: a readable file object, and an iterator of `bytes`.

    What `read`, `readinto` and iterating give is as long as it can be, so that it is short at the end of the
    stream alone. When a call fails, nothing more can be read. One thread at a time may use it, and it
    belongs to the process that made it. `close` gives it up, at any time; leaving a `with` block does so.
    """

    _handle: Optional[Handle] = None
    _source: Optional[Input] = None
    _source_len: Optional[int] = None
    _summary: Optional[SummaryType] = None

    def _opened(self, name: str, free: Callable[[Any], None], read: Callable[..., int]) -> Handle:
        """Prepares for an object of the library, which is to be opened with the handle's pointer."""
        self._handle = Handle(name, free)
        self._native_read = read
        return self._handle

    def _in_use(self) -> Handle:
        if self._handle is None:
            raise ValueError("the stream was not opened")
        return self._handle

    @property
    def summary(self) -> SummaryType:
        """What was done; `StateError` before the stream is finished."""
        if self._summary is None:
            raise StateError(f"the {self._in_use().name} is not finished")
        return self._summary

    def _confirm_source(self) -> None:
        if self._source is not None:
            self._source.confirm_end(self._source_len)

    def readable(self) -> bool:
        """`True`; `StateError`, which is a `ValueError`, when it is closed, as of any file."""
        if self.closed:
            raise StateError("the stream is closed")
        return True

    def _read_on(self, address: int, length: int) -> int:
        """Reads what comes next to an address: at least one byte unless the stream has ended."""
        return self._in_use().use(lambda pointer: self._read_to(pointer, address, length))

    def _fill(self, address: int, length: int) -> int:
        """Reads so many bytes to an address, or as many as there are till the end of the stream."""

        def fill(pointer: ctypes.c_void_p) -> int:
            filled = 0
            while filled < length:
                count = self._read_to(pointer, address + filled, length - filled)
                if not count:
                    break
                filled += count
            return filled

        # One use, since what was filled is lost with what is raised.
        return self._in_use().use(fill)

    def _read_to(self, pointer: ctypes.c_void_p, address: int, length: int) -> int:
        count = ctypes.c_size_t()
        call(self._native_read, pointer, address, length, ctypes.byref(count), callbacks=self._in_use().callbacks)
        if not count.value:
            self._confirm_source()
        return count.value

    def _check_usable(self) -> None:
        self._in_use().use(lambda _pointer: None)

    def _into(self, buffer: Buffer, read: Callable[[int, int], int]) -> int:
        """Has `read` put bytes into a buffer."""
        view = memoryview(buffer)
        if not view.nbytes:
            self._check_usable()
            return 0
        place = ctypes.c_char.from_buffer(view.cast("B"))
        return read(ctypes.addressof(place), view.nbytes)

    def readinto1(self, buffer: Buffer) -> int:
        """Reads into a buffer what is ready, or else what comes next: at least one byte unless the stream
        has ended, and returns how many."""
        return self._into(buffer, self._read_on)

    def readinto(self, buffer: Buffer) -> int:
        """Fills a buffer, or as much of it as there is till the end of the stream, and returns how much."""
        return self._into(buffer, self._fill)

    def _read_piece(self, length: int, fill: Callable[[int, int], int]) -> bytes:
        """New bytes, which `fill` has put at an address, and of which it says how many they are."""
        self._check_usable()
        length = operator.index(length)
        if length > sys.maxsize:
            raise OverflowError("a piece is no longer than sys.maxsize")
        if not length:
            return b""
        piece: bytes = _unfilled(None, length)
        address = ctypes.cast(ctypes.c_char_p(piece), ctypes.c_void_p).value or 0
        filled = fill(address, length)
        return piece if filled == length else piece[:filled]

    def read(self, size: Optional[int] = -1, /) -> bytes:
        """Reads `size` bytes, fewer only at the end of the stream; all that is left by default."""
        if size is None or size < 0:
            pieces: List[bytes] = []
            self._copy_to(Output(pieces.append))
            return b"".join(pieces)
        return self._read_piece(size, self._fill)

    def read1(self, size: int = -1, /) -> bytes:
        """Reads what is ready, or else what comes next: at most `size` bytes, 1 MiB by default."""
        return self._read_piece(CHUNK_LEN if size < 0 else size, self._read_on)

    def _copy_to(self, sink: Output) -> None:
        """Writes all that is left to a sink."""
        while piece := self.read(CHUNK_LEN):
            sink.put(piece)

    def chunks(self, length: int = CHUNK_LEN) -> Iterator[bytes]:
        """Iterates over pieces of `length` bytes, of which the last may be shorter; none is empty."""
        length = operator.index(length)
        if length < 1:
            raise ValueError(f"the length of a piece is a positive number, not {length}")
        return self._pieces(length)

    def _pieces(self, length: int) -> Iterator[bytes]:
        # A generator, out of which a `StopIteration` of the source comes as a `RuntimeError`.
        while piece := self.read(length):
            yield piece

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        """The next piece of 1 MiB, which is shorter only at the end of the stream."""
        try:
            piece = self.read(CHUNK_LEN)
        except StopIteration as error:
            # It would be taken for the end.
            raise RuntimeError("the source raised StopIteration") from error
        if not piece:
            raise StopIteration
        return piece

    def close(self) -> None:
        """Gives the stream up; nothing the second time. What was not finished publishes nothing."""
        if self._handle is not None:
            self._handle.close()
        if self._source is not None:
            self._source.close()
        super().close()

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        try:
            self.close()
        except StateError:
            # In use elsewhere; but what leaves the block comes first.
            if kind is None:
                raise
