"""Finds the shared library, loads it and declares its functions.

The library is the one that `FRAZIL_LIBRARY` names, a path; or else the one in this package, which is
how it is installed; or else the system's. It has to be of the minor version that this package is made
for: before 1.0 the interface may change with it.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import Any, Callable, Optional

from ._errors import UnsupportedError
from ._functions import CORE, TREES, Declaration
from ._version import VERSION

INTERFACE = VERSION.rsplit(".", 1)[0]


def _file() -> str:
    chosen = os.environ.get("FRAZIL_LIBRARY")
    if chosen:
        return chosen
    bundled = Path(__file__).with_name("libfrazil.so")
    return str(bundled) if bundled.exists() else f"libfrazil.so.{INTERFACE}"


def _declare(loaded: ctypes.CDLL, name: str, declaration: Declaration) -> None:
    function = getattr(loaded, name)
    function.restype, function.argtypes = declaration


def _missing(file: str, name: str) -> Callable[..., Any]:
    def function(*_: object) -> None:
        raise UnsupportedError(f"{file} was built without trees and has no {name}")

    return function


def _load(file: str) -> ctypes.CDLL:
    """Loads it as a `CDLL`, whose functions run without the interpreter's lock."""
    try:
        loaded = ctypes.CDLL(file)
        version = _version_of(loaded)
        if version.rsplit(".", 1)[0] != INTERFACE:
            raise ImportError(f"{file} is version {version} of frazil, and version {INTERFACE} is needed", path=file)
        for name, declaration in CORE.items():
            _declare(loaded, name, declaration)
    except (AttributeError, OSError) as error:
        raise ImportError(f"cannot load the library of frazil: {error}", path=file) from error
    for name, declaration in TREES.items():
        try:
            _declare(loaded, name, declaration)
        except AttributeError:
            setattr(loaded, name, _missing(file, name))
    return loaded


def _version_of(loaded: ctypes.CDLL) -> str:
    _declare(loaded, "frazil_version", CORE["frazil_version"])
    version: Optional[bytes] = loaded.frazil_version()
    return (version or b"").decode()


FILE = _file()
library: Any = _load(FILE)


def library_version() -> str:
    """The version of the shared library that is loaded, as `MAJOR.MINOR.PATCH`."""
    return _version_of(library)


def librsync_version() -> str:
    """The version of the librsync that is in the shared library, as it names itself."""
    version: bytes = library.frazil_librsync_version()
    return version.decode()


def libarchive_version() -> str:
    """The version of the libarchive that the shared library has loaded, as `MAJOR.MINOR.PATCH`, or the empty string
    where it is one that cannot be used."""
    version: bytes = library.frazil_libarchive_version()
    return version.decode()


def library_file() -> str:
    """The shared library that is loaded: a path, or a name that the system's loader has found."""
    return FILE
