"""Patches: levels that turn a basis into a target."""

from __future__ import annotations

import ctypes
from typing import Any, Callable, Iterable, Optional, Union, cast

from . import _structs as structs
from ._aliases import AnyPath, Seekable, Self, Sink, Stream, Unpack
from ._callbacks import Callbacks
from ._calls import call
from ._inputs import inputs_of, take_basis
from ._library import library
from ._option_structs import patch_options
from ._options import PatchOptions
from ._pull import PullStream
from ._push import PushStream
from ._streams import Input, Output, is_path, path_of
from ._summaries import PatchSummary


def summary_of(finish: Callable[[Any], int]) -> PatchSummary:
    """The summary that `finish` puts into what it is given."""
    native = structs.sized(structs.PatchSummary)
    finish(ctypes.byref(native))
    return PatchSummary._of(native)


class PatchReader(PullStream[PatchSummary]):
    """A target that is read: a delta, applied to a basis.

    `basis` is what can be read at any place: a path, which `bytes` are too, a file object that can seek, a
    descriptor, or bytes such as a `memoryview`; all of it, from its start. `None` is for a level 0. `delta`
    is a path or a stream. What was read is **provisional** until the read that gives no bytes: only then has the
    whole target been held against the end of the delta. Keyword arguments are those of `PatchOptions`.
    """

    def __init__(
        self, basis: Optional[Seekable], delta: Union[AnyPath, Stream], **options: Unpack[PatchOptions]
    ) -> None:
        handle = self._opened("patch", library.frazil_patch_free, library.frazil_patch_read)
        given = patch_options(options, handle.callbacks)
        path = take_basis(basis, given, handle.callbacks)
        self._source = Input(delta, handle.callbacks, or_path=True)
        self._source.open(
            "frazil_patch_open", ctypes.byref(given), ctypes.byref(handle.pointer), before=(path,)
        )

    @classmethod
    def of_levels(
        cls, basis: Optional[Seekable], deltas: Iterable[Seekable], **options: Unpack[PatchOptions]
    ) -> Self:
        """The deltas of several levels, lowest first, applied to a basis in one pass. Each is what a basis can
        be; it is read once and checked before anything comes out."""
        patch = cls.__new__(cls)
        handle = patch._opened("patch", library.frazil_patch_free, library.frazil_patch_read)
        given = patch_options(options, handle.callbacks)
        call(
            library.frazil_patch_open_chain_inputs,
            take_basis(basis, given, handle.callbacks),
            *inputs_of(deltas, handle.callbacks),
            ctypes.byref(given),
            ctypes.byref(handle.pointer),
            callbacks=handle.callbacks,
        )
        return patch

    def finish(self) -> PatchSummary:
        """Says what was done, after the target was read to its end; `StateError` when it was not."""
        handle = self._in_use()

        def finish(pointer: ctypes.c_void_p) -> PatchSummary:
            handle.finished()
            self._summary = summary_of(
                lambda native: call(library.frazil_patch_finish, pointer, native, callbacks=handle.callbacks)
            )
            return self._summary

        return handle.use(finish)


class Patch(PushStream[PatchSummary]):
    """A patch that is fed its delta.

    `basis` is as for a `PatchReader`, or `None` for a level 0. `target` is a path, which may be that of the basis: the
    file appears whole and verified when the patch is finished, or not at all. Or it is an object with `write`, or a
    function; what that was given is **provisional** until the patch is finished.

        with frazil.Patch(None, "restored.img") as patch:
            for chunk in storage:
                patch.write(chunk)

    Finishing raises `TruncatedError` when the delta is not whole. Keyword arguments are those of
    `PatchOptions`.
    """

    _sink: Optional[Output] = None

    def __init__(
        self, basis: Optional[Seekable], target: Union[AnyPath, Sink], **options: Unpack[PatchOptions]
    ) -> None:
        handle = self._opened("patch", library.frazil_patch_writer_free, library.frazil_patch_writer_feed)
        options_given = patch_options(options, handle.callbacks)
        path = take_basis(basis, options_given, handle.callbacks)
        given, out = ctypes.byref(options_given), ctypes.byref(handle.pointer)
        if is_path(target):
            name = path_of(cast(AnyPath, target))
            call(library.frazil_patch_writer_new_file, path, name, given, out, callbacks=handle.callbacks)
        else:
            self._sink = Output(target)
            sink = self._sink.callback(handle.callbacks)
            call(library.frazil_patch_writer_new, path, given, *sink, out, callbacks=handle.callbacks)

    def _finish(self, pointer: ctypes.c_void_p) -> PatchSummary:
        summary = summary_of(
            lambda native: call(
                library.frazil_patch_writer_finish, pointer, native, callbacks=self._handle.callbacks
            )
        )
        if self._sink is not None:
            self._sink.confirm(summary.output_bytes)
        return summary


def patch_file(
    basis: Optional[Seekable],
    delta: Union[AnyPath, Stream],
    target: AnyPath,
    **options: Unpack[PatchOptions],
) -> PatchSummary:
    """Applies a delta, a path or a stream, to `basis`, which is as for a `PatchReader`, and publishes the result
    as the file `target`, which may be the same path; `None` is no basis, as for a level 0.

    The target appears whole and verified, or what was there stays. `ExistsError` when something is there
    and `replace` is not given.
    """
    callbacks = Callbacks()
    source = Input(delta, callbacks, or_path=True)
    given = patch_options(options, callbacks)
    path, rest = take_basis(basis, given, callbacks), (path_of(target), ctypes.byref(given))
    return summary_of(lambda native: source.read("frazil_patch_file", *rest, native, before=(path,)))


def chain_file(
    basis: Optional[Seekable], deltas: Iterable[Seekable], target: AnyPath, **options: Unpack[PatchOptions]
) -> PatchSummary:
    """Applies the deltas of several levels, lowest first, in one pass; each is what a basis can be. Else as
    `patch_file`."""
    callbacks = Callbacks()
    given = patch_options(options, callbacks)
    path, inputs = take_basis(basis, given, callbacks), inputs_of(deltas, callbacks)
    arguments = (path, *inputs, path_of(target), ctypes.byref(given))
    return summary_of(
        lambda native: call(library.frazil_patch_file_chain_inputs, *arguments, native, callbacks=callbacks)
    )


def patch_in_place(path: AnyPath, delta: AnyPath, **options: Unpack[PatchOptions]) -> PatchSummary:
    """Turns the file at `path` itself into the target of the delta in the file `delta`, without a second copy.

    **What this gives up:** once writing has begun the old content is gone, and a crash or a full disk
    leaves a file that is neither old nor new. The whole delta, and the basis where the delta is sealed,
    are checked before the first write.

    After a crash, the same call with a sealed delta succeeds where the file is still the old one, and refuses
    any other; a plain delta is applied to whatever is there.
    """
    callbacks = Callbacks()
    given = patch_options(options, callbacks)
    arguments = (path_of(path), path_of(delta), ctypes.byref(given))
    return summary_of(
        lambda native: call(library.frazil_patch_in_place, *arguments, native, callbacks=callbacks)
    )
