"""Whatever Python has bytes in, as a source or a sink for the library."""

from __future__ import annotations

import ctypes
import io
import os
import socket
import stat
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Callable, Iterator, Optional, Tuple, Union

from ._callbacks import READ, WRITE, Callbacks
from ._calls import call
from ._errors import CallbackError
from ._library import library

if TYPE_CHECKING:
    from typing import Protocol

    from typing_extensions import Buffer

    class SupportsRead(Protocol):
        """Gives at most so many bytes; none at the end."""

        def read(self, length: int, /) -> Optional[Buffer]: ...

    class SupportsWrite(Protocol):
        """Takes bytes, and may say how many it took; `None` is all."""

        def write(self, data: bytes, /) -> object: ...

    class SupportsFileno(Protocol):
        """Is open on a file."""

        def fileno(self) -> int: ...

    AnyPath = Union[str, bytes, os.PathLike[str], os.PathLike[bytes]]
    Stream = Union[SupportsRead, socket.socket, Buffer, Iterable[Buffer], int]
    Sink = Union[SupportsWrite, Callable[[bytes], object]]
    OpenFile = Union[int, SupportsFileno]
else:
    Buffer = AnyPath = Stream = Sink = OpenFile = Any

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


def paths_of(paths: Iterable[AnyPath]) -> Tuple[Any, int]:
    """Several paths as the library takes them: an array, and how many they are."""
    if is_path(paths):
        raise TypeError("several paths are needed, not one alone")
    encoded = [path_of(path) for path in paths]
    return (ctypes.c_char_p * len(encoded))(*encoded), len(encoded)


def is_path(value: object) -> bool:
    return isinstance(value, (str, bytes, os.PathLike))


def is_buffer(value: object) -> bool:
    """Whether it is bytes, or like them."""
    try:
        memoryview(value)  # type: ignore[arg-type]
    except TypeError:
        return False
    return True


def optional_text(text: Optional[bytes]) -> Optional[str]:
    """A path or a name that the library gives, as `os.fsdecode` has it."""
    return None if text is None else os.fsdecode(text)


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


def descriptor_of(stream: Any) -> Optional[int]:
    """The file descriptor of a stream that the library may read by itself.

    That is so of a file without a buffer in Python. What Python has read ahead, or what it decompresses,
    is not what a descriptor gives; and a pipe is read by Python, which answers to signals while it waits.
    """
    if isinstance(stream, int) and not isinstance(stream, bool):
        descriptor = stream
    elif type(stream) is io.FileIO and stream.readable():
        descriptor = stream.fileno()
    else:
        return None
    mode = os.fstat(descriptor).st_mode
    return descriptor if stat.S_ISREG(mode) or stat.S_ISBLK(mode) else None


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


class Input:
    """What a function reads: a path, a descriptor, or a callback; each has a C function of its own."""

    def __init__(self, stream: Any, callbacks: Callbacks, *, or_path: bool = False, only_read: bool = False) -> None:
        """`or_path` says that `str`, `bytes` and `os.PathLike` are paths, `only_read` that there is a function
        for a callback alone, without a suffix."""
        self._callbacks = callbacks
        self._source: Optional[Source] = None
        self.suffix = ""
        self.arguments: Tuple[Any, ...]
        descriptor = None
        if or_path and is_path(stream):
            self.arguments = (path_of(stream),)
            return
        if not only_read:
            descriptor = descriptor_of(stream)
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
        status = self.open(name, *after, before=before)
        self.confirm_end(expected)
        return status

    def confirm_end(self, expected: Optional[int] = None) -> None:
        """Fails unless the end that the library has found is one that Python gave, or was `expected`.

        A callback that could not even be entered, for want of memory, returns an arbitrary number.
        """
        if self._source is not None and not self._source.ended and self._source.given != expected:
            raise CallbackError("the stream was not read to its end")


class Output:
    """A sink, as a function and as a callback that writes."""

    def __init__(self, sink: Any) -> None:
        self._write = getattr(sink, "write", None)
        self._give = sink
        if isinstance(sink, io.TextIOBase) or not callable(self._write or sink):
            raise TypeError(f"an object with `write` for bytes is needed, or a function, not {type(sink).__name__}")
        self._is_raw = isinstance(sink, io.RawIOBase)

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
        return 0

    def callback(self, callbacks: Callbacks) -> Tuple[Any, None]:
        return callbacks.made(WRITE, self.write), None
