"""The exceptions of this package."""

from __future__ import annotations

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
        kind = None if type(self) in _IO_KINDS.values() else type(self)
        return _again, (kind, int(self.status), self.message, fields), self.__dict__


class InvalidInputError(Error, ValueError):
    """An argument or option is outside what the function takes."""

    status = Status.INVALID_INPUT


class StateError(Error, ValueError):
    """The call is not allowed in the state the object is in: closed, finished, failed before, in use."""

    status = Status.STATE


class IoError(Error, OSError):
    """The operating system failed. It is also the built-in exception for its `errno`, where there is one:
    a `FileNotFoundError`, a `PermissionError`."""

    status = Status.IO

    def __init__(self, message: str = "", **fields: Any) -> None:
        super().__init__(message, **fields)
        self.strerror, self.filename = message, self.path


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


class ExistsError(Error, FileExistsError):
    """The output is there already and was not to be replaced."""

    status = Status.EXISTS

    def __init__(self, message: str = "", **fields: Any) -> None:
        super().__init__(message, **fields)
        self.errno = self.errno or _errno.EEXIST
        self.strerror, self.filename = message, self.path


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


_KINDS: Dict[int, Type[Error]] = {
    kind.status: kind
    for kind in (
        InvalidInputError,
        StateError,
        TruncatedError,
        CorruptError,
        UnsupportedError,
        LimitError,
        WrongBasisError,
        MismatchError,
        IncomparableError,
        SourceChangedError,
        ExistsError,
        CancelledError,
        OutOfMemoryError,
        InternalError,
        CallbackError,
    )
}
_KINDS[Status.NULL] = InvalidInputError


_IO_KINDS: Dict[Type[OSError], Type[IoError]] = {OSError: IoError}


def _io_kind(built_in: Type[OSError]) -> Type[IoError]:
    """The class that is an `IoError` and a built-in one, by whose name it goes."""
    kind = _IO_KINDS.get(built_in)
    if kind is None:
        doc = f"An `IoError` that is also the built-in `{built_in.__name__}`."
        kind = type(built_in.__name__, (IoError, built_in), {"__doc__": doc, "__module__": "frazil"})
        _IO_KINDS[built_in] = kind
    return kind


def make_error(status: int, message: str, **fields: Any) -> Error:
    """The exception for a status, with its class chosen by it."""
    if status == Status.IO:
        return _io_kind(type(OSError(fields.get("errno") or 0, "")))(message, **fields)
    kind = _KINDS.get(status)
    if kind is None:
        return Error(message, status=status, **fields)
    named = kind(message, **fields)
    named.status = Status(status)
    return named


def _again(kind: Optional[Type[Error]], status: int, message: str, fields: Dict[str, Any]) -> Error:
    """What unpickling calls. Classes that were made for a built-in one have no name to be found by."""
    if kind is None:
        return make_error(status, message, **fields)
    # A class of a caller's may be made in another way, so what is known here is put in by the class it is of.
    error: Error = (OSError if issubclass(kind, OSError) else Exception).__new__(kind, message)
    known = {Error, IoError, *_KINDS.values()}
    next(one for one in kind.__mro__ if one in known).__init__(error, message, **fields)  # type: ignore[misc]
    return error
