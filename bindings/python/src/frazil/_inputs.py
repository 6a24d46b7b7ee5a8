"""Bases, and the levels of a chain: what is read at any place, and more than once."""

from __future__ import annotations

import ctypes
import io
import os
from collections.abc import Iterable
from typing import Any, Callable, Optional, Tuple

from . import _choices as choices
from . import _structs as structs
from ._aliases import Seekable
from ._callbacks import READ_AT, Callbacks
from ._errors import InvalidInputError
from ._option_structs import integer
from ._streams import Source, descriptor_of, is_buffer, is_path, octets, path_of, view_of


# What the library calls to read so many bytes at an offset.
ReadAt = Callable[[int, int, int, int, int], int]


def _at_any_place(content: Any) -> Tuple[int, ReadAt]:
    """The length of what Python has, and a callback that reads it."""
    if is_buffer(content):
        view = octets(content)

        def copy(_user_data: int, offset: int, buffer: int, length: int, count: int) -> int:
            part = view[offset : offset + length]
            view_of(buffer, length)[: part.nbytes] = part
            ctypes.c_size_t.from_address(count).value = part.nbytes
            return 0

        return view.nbytes, copy

    if not (callable(getattr(content, "seek", None)) and callable(getattr(content, "tell", None))):
        raise TypeError(
            f"what can be read at any place is needed: a path, a file object that can seek, a descriptor, or "
            f"bytes other than `bytes`, which are a path; not {type(content).__name__}"
        )
    if not getattr(content, "seekable", lambda: True)():
        raise InvalidInputError("the file object cannot seek, and is to be read at any place")
    source = Source(content)

    def read(user_data: int, offset: int, buffer: int, length: int, count: int) -> int:
        content.seek(offset, os.SEEK_SET)
        return source.read(user_data, buffer, length, count)

    content.seek(0, os.SEEK_END)
    # The most that a place in a file can be; ctypes would take what is left of one that is too large.
    return integer(content.tell(), "the length that `tell` gives", 63), read


def _input_of(content: Any, callbacks: Callbacks) -> structs.Input:
    def made(kind: str, **fields: Any) -> structs.Input:
        return structs.Input(choices.number(choices.InputKind, kind, "kind"), **fields)

    if is_path(content):
        return made("path", path=path_of(content))
    # A pipe or a socket is refused by the library, which names it.
    descriptor = content if type(content) is int else descriptor_of(content)
    if descriptor is not None:
        return made("fd", fd=descriptor)
    length, read_at = _at_any_place(content)
    return made("callback", read_at=callbacks.made(READ_AT, read_at), length=length)


def take_basis(basis: Optional[Seekable], options: structs.PatchOptions, callbacks: Callbacks) -> Optional[bytes]:
    """Puts a basis that has no path into the options; or returns its path, and `None` for no basis."""
    if basis is None:
        return None
    if is_path(basis):
        return path_of(basis)  # type: ignore[arg-type]
    options.basis = ctypes.pointer(_input_of(basis, callbacks))
    return None


def inputs_of(contents: Iterable[Seekable], callbacks: Callbacks) -> Tuple[Any, int]:
    """Several inputs as the library takes them: an array, and how many they are."""
    alone = is_path(contents) or is_buffer(contents) or isinstance(contents, io.IOBase)
    if alone or not isinstance(contents, Iterable):
        raise TypeError("several levels are needed, not one alone")
    inputs = [_input_of(content, callbacks) for content in contents]
    return (structs.Input * len(inputs))(*inputs), len(inputs)
