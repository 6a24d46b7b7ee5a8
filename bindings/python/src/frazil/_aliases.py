"""The types of what callers give, public ones, and what older versions of Python do not have of `typing`.

They are there at run time too, so that `typing.get_type_hints` finds them.
"""

from __future__ import annotations

import collections.abc
import os
import socket
import typing
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Callable, Optional, Protocol, TypeVar, Union

if TYPE_CHECKING:
    from typing_extensions import Buffer as Buffer
    from typing_extensions import Self as Self
    from typing_extensions import Unpack as Unpack
else:

    class _Unpack:
        """What says that keyword arguments are those of a dictionary, where `typing` has no word for it."""

        def __class_getitem__(cls, options: Any) -> Any:
            return options

    Buffer = getattr(collections.abc, "Buffer", Union[bytes, bytearray, memoryview])
    Self = getattr(typing, "Self", TypeVar("Self"))
    Unpack = getattr(typing, "Unpack", _Unpack)

Item = TypeVar("Item")


class SupportsRead(Protocol):
    """Gives at most so many bytes; none at the end."""

    def read(self, length: int, /) -> Optional[Buffer]: ...


class SupportsWrite(Protocol):
    """Takes bytes, and may say how many it took; `None` is all."""

    def write(self, data: bytes, /) -> object: ...


class SupportsFileno(Protocol):
    """Is open on a file."""

    def fileno(self) -> int: ...


class SupportsSeek(Protocol):
    """Is read from the place that was sought."""

    def read(self, length: int, /) -> Optional[Buffer]: ...
    def seek(self, offset: int, whence: int, /) -> object: ...
    def tell(self) -> int: ...


AnyPath = Union[str, bytes, os.PathLike[str], os.PathLike[bytes]]
"""A path."""

Stream = Union[SupportsRead, socket.socket, Buffer, Iterable[Buffer], int]
"""What is read from its place to its end: an object with `read`, a socket, bytes, an iterable of bytes, or a file
descriptor."""

Sink = Union[SupportsWrite, Callable[[bytes], object]]
"""What is written to: an object with `write`, or a function that is given bytes."""

Seekable = Union[AnyPath, SupportsSeek, Buffer, int]
"""What is read at any place, and more than once: a path, which `bytes` are too, a file object that can seek, a file
descriptor, or bytes such as a `memoryview`."""

OpenFile = Union[int, SupportsFileno]
"""An open file: a file descriptor, or an object with `fileno`."""

Told = Callable[[Item], object]
"""A function that is told something, such as `Told[Progress]`. What it returns is of no matter; what it raises stops
the work."""

Asked = Callable[[], object]
"""A function that is asked something, and whose answer is taken for true or false."""
