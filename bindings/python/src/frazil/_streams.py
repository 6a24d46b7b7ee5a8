"""Whatever Python has bytes in, as a source or a sink for the library."""

from __future__ import annotations

import ctypes
import io
import os
import socket
import stat
from collections.abc import Iterable
from typing import Any, Callable, Iterator, Optional, Tuple

from ._aliases import AnyPath, Buffer
from ._callbacks import READ, WRITE, Callbacks
from ._calls import call
from ._errors import CallbackError, Status, make_error
from ._library import library

_PyBUF_WRITE = 0x200
_memory = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_int)(
    ("PyMemoryView_FromMemory", ctypes.pythonapi)
)


def path_of(path: AnyPath) -> bytes:
    """A path as the library takes it."""
    encoded = os.fsencode(path)
    if b"\0" in encoded:
        raise ValueError("embedded null byte in a path")
    return encoded


def optional_path(path: Optional[AnyPath]) -> Optional[bytes]:
    return None if path is None else path_of(path)


def is_path(value: object) -> bool:
    return isinstance(value, (str, bytes, os.PathLike))


def is_buffer(value: object) -> bool:
    """Whether it is bytes, or like them."""
    try:
        memoryview(value)  # type: ignore[arg-type]
    except TypeError:
        return False
    return True


def view_of(address: int, length: int) -> memoryview:
    """Memory of the library, to be written to."""
    view: memoryview = _memory(address, length, _PyBUF_WRITE)
    return view


def octets(data: Buffer) -> memoryview:
    """The bytes of an object, in a row."""
    view = memoryview(data)
    # A view without bytes cannot be cast.
    return view.cast("B") if view.nbytes else memoryview(b"")


def borrowed(data: Buffer) -> Tuple[Any, int]:
    """The bytes of an object as an argument that is a pointer, without a copy where that can be."""
    if isinstance(data, bytes):
        return data, len(data)
    view = octets(data)
    if view.readonly:
        return view.tobytes(), view.nbytes
    return ctypes.byref(ctypes.c_char.from_buffer(view)), view.nbytes


def slices(data: Buffer, longest: int) -> Iterable[Tuple[Any, int]]:
    """The bytes of an object as `borrowed` gives them, at most so many at once; one slice if there are none.

    `bytes` are not copied; of other bytes that cannot be changed it is one slice at a time.
    """
    view = octets(data)
    starts = range(0, max(view.nbytes, 1), longest)
    if isinstance(data, bytes):
        address = ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value or 0
        return ((address + start, min(longest, len(data) - start)) for start in starts)
    return (borrowed(view[start : start + longest]) for start in starts)


def descriptor_of(stream: Any) -> Optional[int]:
    """The file descriptor of a stream that the library may read by itself.

    That is so of a file without a buffer in Python. What Python has read ahead, or what it decompresses,
    is not what a descriptor gives; and a pipe is read by Python, which answers to signals while it waits.
    """
    if isinstance(stream, int) and not isinstance(stream, bool):
        descriptor = stream
    elif type(stream) in (io.FileIO, Opened) and stream.readable():
        descriptor = stream.fileno()
    else:
        return None
    mode = os.fstat(descriptor).st_mode
    return descriptor if stat.S_ISREG(mode) or stat.S_ISBLK(mode) else None


def waits(path: bytes) -> bool:
    """Whether opening and reading what has this path may take for ever, as a pipe that nobody writes to. Python
    answers to signals meanwhile, so it is to do both."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False  # the library says so better
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)


class Opened(io.FileIO):
    """A file that is closed in silence when it is forgotten.

    A signal's handler may raise between opening and the assignment; Python would then warn that nobody closed it.
    """

    __del__ = io.FileIO.close  # a method in C: no signal is answered within it


def opened(path: bytes) -> io.FileIO:
    """A file that Python has opened, or the exception that the library would raise."""
    name = os.fsdecode(path)
    try:
        return Opened(name)
    except OSError as error:
        if error.errno is None or error.filename != name:
            raise  # of a signal's handler
        message = f"opening the source {name}: {error.strerror}"
        raise make_error(Status.IO, message, path=name, errno=error.errno) from None


class Source:
    """Any stream, as a callback that reads."""

    def __init__(self, stream: Any) -> None:
        self._fill = self._filler(stream)
        self.given = 0
        self.ended = False

    def _filler(self, stream: Any) -> Callable[[memoryview], Optional[int]]:
        if isinstance(stream, int) and not isinstance(stream, bool):
            stream = io.FileIO(stream, closefd=False)
        if isinstance(stream, (str, os.PathLike, bool)):
            raise TypeError(f"a stream of bytes is needed, not {type(stream).__name__}")
        if isinstance(stream, io.TextIOBase):
            raise TypeError("a stream of bytes is needed, not one of text: open it in binary mode")
        if isinstance(stream, socket.socket):
            return stream.recv_into
        if isinstance(stream, (io.RawIOBase, io.BufferedIOBase)):
            return stream.readinto
        if callable(getattr(stream, "read", None)):
            return lambda view: self._copy(stream.read(view.nbytes), view)
        if is_buffer(stream):
            return self._pieces(iter((stream,)))
        if isinstance(stream, Iterable):
            return self._pieces(iter(stream))
        raise TypeError(
            f"a stream of bytes is needed: an object with `read`, bytes, or an iterable of them; not "
            f"{type(stream).__name__}"
        )

    def _copy(self, data: Any, view: memoryview) -> Optional[int]:
        if data is None:
            return None
        if isinstance(data, str):
            raise TypeError("the stream gave text, not bytes")
        given = octets(data)
        if given.nbytes > view.nbytes:
            raise ValueError(f"the stream gave {given.nbytes} bytes when it was asked for at most {view.nbytes}")
        view[: given.nbytes] = given
        return given.nbytes

    def _pieces(self, pieces: Iterator[Any]) -> Callable[[memoryview], int]:
        rest = memoryview(b"")

        def fill(view: memoryview) -> int:
            nonlocal rest
            while not rest.nbytes:
                try:
                    piece = next(pieces)
                except StopIteration:
                    return 0
                if isinstance(piece, str):
                    raise TypeError("the iterator gave text, not bytes")
                rest = octets(piece)
            taken = min(rest.nbytes, view.nbytes)
            view[:taken] = rest[:taken]
            rest = rest[taken:]
            return taken

        return fill

    def read(self, _user_data: int, buffer: int, length: int, count: int) -> int:
        """The callback: it reads at most `length` bytes."""
        filled = self._fill(view_of(buffer, length))
        if filled is None:
            raise BlockingIOError("the stream has no bytes ready, and does not wait for them")
        if not 0 <= filled <= length:
            raise ValueError(f"the stream gave {filled} bytes when it was asked for at most {length}")
        self.given += filled
        self.ended = filled == 0
        ctypes.c_size_t.from_address(count).value = filled
        return 0

    def confirm_end(self, expected: Optional[int] = None) -> None:
        """Fails unless the end that the library has found is one that Python gave, or was `expected`.

        A callback that could not even be entered, for want of memory, returns an arbitrary number.
        """
        if not self.ended and self.given != expected:
            raise CallbackError("the stream was not read to its end")


class Input:
    """What a function reads: a path, a descriptor, or a callback; each has a C function of its own."""

    def __init__(
        self,
        stream: Any,
        callbacks: Callbacks,
        *,
        or_path: bool = False,
        only_read: bool = False,
        by_callback: bool = False,
    ) -> None:
        """`or_path` says that `str`, `bytes` and `os.PathLike` are paths, `only_read` that there is a function
        for a callback alone, without a suffix; `by_callback` that Python is to read whatever it is."""
        self._callbacks = callbacks
        self._source: Optional[Source] = None
        self.suffix = ""
        self.arguments: Tuple[Any, ...]
        self._opened: Optional[io.FileIO] = None
        descriptor = None
        if or_path and is_path(stream):
            path = path_of(stream)
            if not by_callback and not waits(path):
                self.arguments = (path,)
                return
            self._opened = stream = opened(path)
        if not only_read:
            descriptor = None if by_callback else descriptor_of(stream)
            self.suffix = "_stream" if descriptor is None else "_fd"
        if descriptor is not None:
            self.arguments = (descriptor,)
            return
        self._source = Source(stream)
        self.arguments = (callbacks.made(READ, self._source.read), None)

    def open(self, name: str, *after: Any, before: Tuple[Any, ...] = ()) -> int:
        """Calls the function of this name that is for such an input, with more arguments around it."""
        function = getattr(library, name + self.suffix)
        return call(function, *before, *self.arguments, *after, callbacks=self._callbacks)

    def read(self, name: str, *after: Any, before: Tuple[Any, ...] = (), expected: Optional[int] = None) -> int:
        """As `open`, with a function that reads the input to its end, or `expected` bytes of it."""
        try:
            status = self.open(name, *after, before=before)
            self.confirm_end(expected)
            return status
        finally:
            self.close()

    def close(self) -> None:
        """Closes what was opened here."""
        if self._opened is not None:
            self._opened.close()

    def confirm_end(self, expected: Optional[int] = None) -> None:
        """As that of a `Source`."""
        if self._source is not None:
            self._source.confirm_end(expected)


class Output:
    """A sink, as a function and as a callback that writes."""

    def __init__(self, sink: Any) -> None:
        self._write = getattr(sink, "write", None)
        self._give = sink
        if isinstance(sink, io.TextIOBase) or not callable(self._write or sink):
            raise TypeError(f"an object with `write` for bytes is needed, or a function, not {type(sink).__name__}")
        self._is_raw = isinstance(sink, io.RawIOBase)
        self.taken = 0

    def put(self, data: bytes) -> None:
        """Writes all of it."""
        if self._write is None:
            self._give(data)
            return
        while data:
            written = self._write(data)
            if written is None and self._is_raw:
                raise BlockingIOError("the sink has no room, and does not wait for it")
            if type(written) is not int:
                return
            if not 0 < written <= len(data):
                raise ValueError(f"the sink says it took {written} bytes when it was given {len(data)}")
            data = data[written:]

    def write(self, _user_data: int, data: int, length: int) -> int:
        """The callback."""
        self.put(ctypes.string_at(data, length))
        self.taken += length
        return 0

    def confirm(self, length: int) -> None:
        """Fails unless so many bytes were written: a callback that could not be entered may have said so of some."""
        if self.taken != length:
            raise CallbackError(f"the sink was given {self.taken} bytes of {length}")

    def callback(self, callbacks: Callbacks) -> Tuple[Any, None]:
        return callbacks.made(WRITE, self.write), None
