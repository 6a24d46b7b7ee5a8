"""Calls of the library, whose failures become exceptions."""

from __future__ import annotations

import ctypes
import os
import threading
from typing import Any, Callable, Optional

from . import _ending as ending
from ._callbacks import Callbacks
from ._errors import Error, make_error
from ._library import library
from ._structs import UNKNOWN


def error_of(native: Any) -> Error:
    """The exception that says what an error object of the library says; the object stays as it is."""
    path: Optional[bytes] = library.frazil_error_path(native)
    offset: int = library.frazil_error_offset(native)
    return make_error(
        library.frazil_error_status(native),
        library.frazil_error_message(native).decode("utf-8", "replace"),
        path=None if path is None else os.fsdecode(path),
        offset=None if offset == UNKNOWN else offset,
        errno=library.frazil_error_os_code(native) or None,
    )


def call(function: Callable[..., int], *arguments: Any, callbacks: Optional[Callbacks] = None) -> int:
    """Calls a function whose last argument is the place for an error, and returns its status.

    What was raised in a callback comes out first, whatever the library made of it.
    """
    native, thread = ctypes.c_void_p(), threading.get_ident()
    try:
        if callbacks is not None:
            ending.under_way.append(thread)
            ending.check()
        status = function(*arguments, ctypes.byref(native))
        if callbacks is not None:
            callbacks.check()
        if status < 0:
            raise error_of(native)
        return status
    finally:
        if callbacks is not None and thread in ending.under_way:
            ending.under_way.remove(thread)
        if native:
            library.frazil_error_free(native)
