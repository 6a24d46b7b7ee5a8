"""Holding a tree against its archives."""

from __future__ import annotations

import ctypes
import io
from collections.abc import Iterable
from typing import Any, Callable, List, Mapping, Optional, Tuple, Union

from . import _structs as structs
from ._aliases import AnyPath, Stream, Told, Unpack
from ._callbacks import READ, TOLD, Callbacks
from ._calls import call
from ._entries import Difference, telling
from ._library import library
from ._option_structs import verify_options
from ._options import VerifyOptions
from ._streams import Source, descriptor_of, is_buffer, is_path, opened, path_of, waits
from ._summaries import VerifySummary


def verify_tree(
    archives: Iterable[Union[AnyPath, Stream]],
    root: AnyPath,
    each: Optional[Told[Difference]] = None,
    **options: Unpack[VerifyOptions],
) -> VerifySummary:
    """Holds the tree at `root` against the archives of a chain, level 0 first, and tells `each` of every
    difference; the archives are verified on the way. `iter_differences` is an iterator of them.

    An archive is a path, which `bytes` are too, or a stream, each its own. Streams are read by threads that the
    archives have, several at once, so that a signal does not stop one that waits; `each` is called by the thread of the
    caller. Keyword arguments are those of `VerifyOptions`.
    """
    return read_tree(archives, root, each or _nobody, Callbacks(), options)


def _nobody(_difference: Difference) -> None:
    pass


def read_tree(
    archives: Iterable[Union[AnyPath, Stream]],
    root: AnyPath,
    each: Told[Difference],
    callbacks: Callbacks,
    options: Mapping[str, Any],
) -> VerifySummary:
    """As `verify_tree`."""
    if is_path(archives) or is_buffer(archives) or isinstance(archives, io.IOBase):
        raise TypeError("several archives are needed, not one alone")
    given, target = verify_options(options, callbacks), path_of(root)
    told = callbacks.made(TOLD, telling(Difference._of, structs.Difference, each))
    native = structs.sized(structs.VerifySummary)
    files: List[io.FileIO] = []
    try:
        verify, inputs, confirm = _inputs(list(archives), callbacks, files)
        call(verify, *inputs, target, ctypes.byref(given), told, None, ctypes.byref(native), callbacks=callbacks)
        confirm()
    finally:
        for file in files:
            file.close()
    return VerifySummary._of(native)


Inputs = Tuple[Any, Tuple[Any, ...], Callable[[], None]]


def _inputs(archives: List[Any], callbacks: Callbacks, files: List[io.FileIO]) -> Inputs:
    """The function for such archives, what it takes of them, and what finds that they were read; what has to be
    opened comes to `files`."""
    paths = [path_of(archive) if is_path(archive) else None for archive in archives]
    if all(path is not None and not waits(path) for path in paths):
        return library.frazil_tree_verify, ((ctypes.c_char_p * len(paths))(*paths), len(paths)), lambda: None
    streams = list(archives)
    for number, path in enumerate(paths):
        if path is not None:
            streams[number] = opened(path)
            files.append(streams[number])
    found = (descriptor_of(stream) for stream in streams)
    descriptors = [descriptor for descriptor in found if descriptor is not None]
    if len(descriptors) == len(streams):
        array = (ctypes.c_int * len(descriptors))(*descriptors)
        return library.frazil_tree_verify_fd, (array, len(descriptors)), lambda: None
    sources = [Source(stream) for stream in streams]

    def read(number: int, buffer: int, length: int, count: int) -> int:
        return sources[number].read(0, buffer, length, count)

    def confirm() -> None:
        for source in sources:
            source.confirm_end()

    numbers = (ctypes.c_void_p * len(sources))(*range(len(sources)))
    return library.frazil_tree_verify_stream, (callbacks.made_for_threads(READ, read), numbers, len(sources)), confirm
