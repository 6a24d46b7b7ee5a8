"""The functions of the Freezer blueprint *Add block based backup*, by its names and in its order."""

from __future__ import annotations

import ctypes
from typing import Optional

from ._aliases import AnyPath, Sink, Stream, Unpack
from ._callbacks import READ, Callbacks
from ._calls import call
from ._level import Level
from ._library import library
from ._option_structs import patch_options
from ._options import LevelOptions, PatchOptions
from ._patch import summary_of
from ._signature import Signature
from ._streams import Input, Output, path_of
from ._summaries import PatchSummary


def _signature_of(level: Level, delta_to: Optional[Sink]) -> Signature:
    with level:
        level._check_holds_signature()
        if delta_to is not None:
            level._copy_to(Output(delta_to))
        return level.finish()


def gen_sig_from_file(
    fs_path: AnyPath,
    ex_signature: Optional[Signature] = None,
    *,
    delta_to: Optional[Sink] = None,
    **options: Unpack[LevelOptions],
) -> Signature:
    """Reads the file at `fs_path` once and returns its new full signature.

    Its level, level 0 without `ex_signature`, or else that against the signature of the level before, is
    written to `delta_to`: an object with `write`, or a function. The signature's `dirty` says whether the
    file changed while it was read. Keyword arguments are those of `LevelOptions`.
    """
    return _signature_of(Level.of_file(fs_path, ex_signature, **options), delta_to)


def gen_sig_from_stream(
    read_pipe: Stream,
    ex_signature: Optional[Signature] = None,
    *,
    delta_to: Optional[Sink] = None,
    **options: Unpack[LevelOptions],
) -> Signature:
    """As `gen_sig_from_file`, of a stream: an object with `read`, an iterable of bytes, or bytes."""
    return _signature_of(Level(read_pipe, ex_signature, **options), delta_to)


def patch_from_file(
    fs_path_source: AnyPath,
    fs_path_dst: AnyPath,
    read_pipe: Optional[Stream] = None,
    **options: Unpack[PatchOptions],
) -> PatchSummary:
    """Applies a delta to a file.

    Without `read_pipe`, the file `fs_path_source` is a delta, and is applied to `fs_path_dst` as
    `patch_from_stream` does. With it, `fs_path_source` is the basis, the stream gives the delta, and
    `fs_path_dst` is created. Keyword arguments are those of `PatchOptions`.
    """
    callbacks = Callbacks()
    given = ctypes.byref(patch_options(options, callbacks))
    source, target = path_of(fs_path_source), path_of(fs_path_dst)
    if read_pipe is None:
        arguments = (source, target, READ(), None, given)
        return summary_of(lambda native: call(library.frazil_patch_from_file, *arguments, native, callbacks=callbacks))
    delta = Input(read_pipe, callbacks, only_read=True)
    return summary_of(lambda native: delta.read("frazil_patch_from_file", given, native, before=(source, target)))


def patch_from_stream(
    read_pipe: Stream, fs_path_dst: AnyPath, **options: Unpack[PatchOptions]
) -> PatchSummary:
    """Applies the delta that a stream gives: a level 0 creates the file `fs_path_dst`, a level n turns the
    file that is there into its next state, whole or not at all.

    A level 0 over a file that is there raises `WrongBasisError`, unless `replace` is given. Keyword
    arguments are those of `PatchOptions`.
    """
    callbacks = Callbacks()
    given = ctypes.byref(patch_options(options, callbacks))
    delta, target = Input(read_pipe, callbacks, only_read=True), path_of(fs_path_dst)
    return summary_of(lambda native: delta.read("frazil_patch_from_stream", target, given, native))
