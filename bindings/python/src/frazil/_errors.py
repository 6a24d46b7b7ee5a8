"""The exceptions of this package."""

from __future__ import annotations

import builtins
import enum
import errno as _errno
from typing import Any, Dict, Optional, Tuple, Type


class Status(enum.IntEnum):
    """What the library returns; the numbers never change. Negative ones are failures."""

    OK = 0
    END = 1
    PARTIAL = 2
    DIRTY = 3
    INVALID_INPUT = -1
    STATE = -2
    IO = -3
    TRUNCATED = -4
    CORRUPT = -5
    UNSUPPORTED = -6
    LIMIT = -7
    WRONG_BASIS = -8
    MISMATCH = -9
    INCOMPARABLE = -10
    SOURCE_CHANGED = -11
    EXISTS = -12
    CANCELLED = -13
    OUT_OF_MEMORY = -14
    INTERNAL = -15
    NULL = -16
    CALLBACK = -17


class Error(Exception):
    """What every failure of frazil is; each kind is a class of its own.

    `str()` of it says what was being done, to what, where, and what was expected and found. All of them
    can be pickled.

    status: A `Status`; or a plain number that this version has no name for.
    path: The file that was being worked on, as `os.fsdecode` gives it, or `None`.
    offset: Bytes from the start of the stream or file that the message names, or `None`.
    errno: The operating system's number for the failure beneath, or `None`.
    """

    status: int = Status.INTERNAL
    path: Optional[str]
    offset: Optional[int]
    errno: Optional[int]

    def __init__(
        self,
        message: str = "",
        *,
        status: Optional[int] = None,
        path: Optional[str] = None,
        offset: Optional[int] = None,
        errno: Optional[int] = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        if status is not None:
            self.status = status
        self.path, self.offset, self.errno = path, offset, errno

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> Tuple[Any, ...]:
        fields = {"path": self.path, "offset": self.offset, "errno": self.errno}
        return _again, (type(self), self.message, fields), self.__dict__


class InvalidInputError(Error, ValueError):
    """An argument or option is outside what the function takes."""

    status = Status.INVALID_INPUT


class StateError(Error, ValueError):
    """The call is not allowed in the state the object is in: closed, finished, failed before, in use."""

    status = Status.STATE


class _OfTheSystem(Error, OSError):
    """What has the fields of an `OSError`, too."""

    status = Status.IO

    def __init__(self, message: str = "", **fields: Any) -> None:
        super().__init__(message, **fields)
        self.strerror, self.filename = message, self.path


class IoError(_OfTheSystem):
    """The operating system failed. It is of a subclass that is also the built-in exception for its `errno`, where
    there is one, and goes by the same name: `frazil.FileNotFoundError`, `frazil.PermissionError`."""


class TruncatedError(Error):
    """A stream ended before it was complete."""

    status = Status.TRUNCATED


class CorruptError(Error):
    """A stream holds bytes that no writer of the format produces."""

    status = Status.CORRUPT


class UnsupportedError(Error):
    """A stream needs a newer version of the library, or a feature that this one does not have."""

    status = Status.UNSUPPORTED


class LimitError(Error):
    """The work would exceed a declared limit of memory or output."""

    status = Status.LIMIT


class WrongBasisError(Error):
    """The basis is not the content that the delta was made against."""

    status = Status.WRONG_BASIS


class MismatchError(Error):
    """The result is not the content that the stream promised."""

    status = Status.MISMATCH


class IncomparableError(Error):
    """Two signatures do not have the same parameters, so their sums say nothing of each other."""

    status = Status.INCOMPARABLE


class SourceChangedError(Error):
    """The source changed while it was read; given to `problem`."""

    status = Status.SOURCE_CHANGED


class ExistsError(_OfTheSystem, builtins.FileExistsError):
    """The output is there already and was not to be replaced."""

    status = Status.EXISTS

    def __init__(self, message: str = "", *, errno: Optional[int] = None, **fields: Any) -> None:
        super().__init__(message, errno=errno or _errno.EEXIST, **fields)


class CancelledError(Error):
    """The function given as `cancelled` asked to stop."""

    status = Status.CANCELLED


class OutOfMemoryError(Error, MemoryError):
    """Memory could not be had."""

    status = Status.OUT_OF_MEMORY


class InternalError(Error):
    """A fault in frazil itself."""

    status = Status.INTERNAL


class CallbackError(Error):
    """Python could not run a function that the library called, and has not said why."""

    status = Status.CALLBACK


class BlockingIOError(IoError, builtins.BlockingIOError):
    """An `IoError` that is also the built-in `BlockingIOError`."""


class ChildProcessError(IoError, builtins.ChildProcessError):
    """An `IoError` that is also the built-in `ChildProcessError`."""


class ConnectionError(IoError, builtins.ConnectionError):
    """An `IoError` that is also the built-in `ConnectionError`."""


class BrokenPipeError(ConnectionError, builtins.BrokenPipeError):
    """An `IoError` that is also the built-in `BrokenPipeError`."""


class ConnectionAbortedError(ConnectionError, builtins.ConnectionAbortedError):
    """An `IoError` that is also the built-in `ConnectionAbortedError`."""


class ConnectionRefusedError(ConnectionError, builtins.ConnectionRefusedError):
    """An `IoError` that is also the built-in `ConnectionRefusedError`."""


class ConnectionResetError(ConnectionError, builtins.ConnectionResetError):
    """An `IoError` that is also the built-in `ConnectionResetError`."""


class FileExistsError(IoError, builtins.FileExistsError):
    """An `IoError` that is also the built-in `FileExistsError`."""


class FileNotFoundError(IoError, builtins.FileNotFoundError):
    """An `IoError` that is also the built-in `FileNotFoundError`."""


class InterruptedError(IoError, builtins.InterruptedError):
    """An `IoError` that is also the built-in `InterruptedError`."""


class IsADirectoryError(IoError, builtins.IsADirectoryError):
    """An `IoError` that is also the built-in `IsADirectoryError`."""


class NotADirectoryError(IoError, builtins.NotADirectoryError):
    """An `IoError` that is also the built-in `NotADirectoryError`."""


class PermissionError(IoError, builtins.PermissionError):
    """An `IoError` that is also the built-in `PermissionError`."""


class ProcessLookupError(IoError, builtins.ProcessLookupError):
    """An `IoError` that is also the built-in `ProcessLookupError`."""


class TimeoutError(IoError, builtins.TimeoutError):
    """An `IoError` that is also the built-in `TimeoutError`."""


_KINDS: Dict[int, Type[Error]] = {
    kind.status: kind for kind in (*Error.__subclasses__(), *_OfTheSystem.__subclasses__())
}
_KINDS[Status.NULL] = InvalidInputError

# By the built-in class that each is.
_IO_KINDS: Dict[Type[OSError], Type[IoError]] = {
    OSError: IoError,
    builtins.BlockingIOError: BlockingIOError,
    builtins.ChildProcessError: ChildProcessError,
    builtins.ConnectionError: ConnectionError,
    builtins.BrokenPipeError: BrokenPipeError,
    builtins.ConnectionAbortedError: ConnectionAbortedError,
    builtins.ConnectionRefusedError: ConnectionRefusedError,
    builtins.ConnectionResetError: ConnectionResetError,
    builtins.FileExistsError: FileExistsError,
    builtins.FileNotFoundError: FileNotFoundError,
    builtins.InterruptedError: InterruptedError,
    builtins.IsADirectoryError: IsADirectoryError,
    builtins.NotADirectoryError: NotADirectoryError,
    builtins.PermissionError: PermissionError,
    builtins.ProcessLookupError: ProcessLookupError,
    builtins.TimeoutError: TimeoutError,
}

_KNOWN = {Error, *_KINDS.values(), *_IO_KINDS.values()}


def make_error(status: int, message: str, **fields: Any) -> Error:
    """The exception for a status, with its class chosen by it, or by `errno` where the system failed."""
    if status == Status.IO:
        return _IO_KINDS[type(OSError(fields.get("errno") or 0, ""))](message, **fields)
    kind = _KINDS.get(status)
    if kind is None:
        return Error(message, status=status, **fields)
    named = kind(message, **fields)
    named.status = Status(status)
    return named


def _again(kind: Type[Error], message: str, fields: Dict[str, Any]) -> Error:
    """What unpickling calls."""
    # A class of a caller's may be made in another way, so what is known here is put in by the class it is of.
    error: Error = (OSError if issubclass(kind, OSError) else Exception).__new__(kind, message)
    next(one for one in kind.__mro__ if one in _KNOWN).__init__(error, message, **fields)  # type: ignore[misc]
    return error
