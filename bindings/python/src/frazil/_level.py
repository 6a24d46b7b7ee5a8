"""Levels of files and streams."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any, Callable, Optional, cast

from . import _choices as choices
from . import _structs as structs
from ._aliases import AnyPath, Self, Sink, Stream, Unpack
from ._callbacks import Callbacks
from ._calls import call
from ._errors import InvalidInputError
from ._library import library
from ._option_structs import level_options
from ._options import LevelOptions
from ._pull import PullStream
from ._push import PushStream
from ._signature import Signature
from ._streams import Input, Output, path_of
from ._summaries import Identity


@dataclass(frozen=True)
class LevelSummary:
    """What a finished level is.

    source_bytes: Bytes of content that were read.
    stream_bytes: Bytes of the level's stream; 0 where only the signature was made.
    copy_bytes: Bytes of content that were found in the basis.
    literal_bytes: Bytes of content that are in the stream.
    zero_bytes: Bytes of content that are runs of zeros, which take no room in a sealed stream.
    copy_commands: How many ranges of the basis are copied.
    identity: The content that was read, which the level restores; `None` where it was not to be identified.
    dirty: Whether the content changed while it was read: the level restores the bytes that were read, which may
        be no state that the source was ever in.
    matching: Which matches were looked for in the end.
    signature: The new full signature, where it was held in memory.
    """

    source_bytes: int
    stream_bytes: int
    copy_bytes: int
    literal_bytes: int
    zero_bytes: int
    copy_commands: int
    identity: Optional[Identity]
    dirty: bool
    matching: choices.Matching
    signature: Optional[Signature]

    @classmethod
    def _of(cls, native: Any, signature: Optional[Signature]) -> LevelSummary:
        return cls(
            native.source_bytes,
            native.stream_bytes,
            native.copy_bytes,
            native.literal_bytes,
            native.zero_bytes,
            native.copy_commands,
            Identity._of(native.identity) if native.identity.leaf_len else None,
            bool(native.dirty),
            choices.word(choices.Matching, native.matching),
            signature,
        )


def _basis(signature: Optional[Signature]) -> Any:
    if signature is None:
        return None
    if not isinstance(signature, Signature):
        raise TypeError(f"a signature is needed, not {type(signature).__name__}: load it by Signature.load")
    return signature._pointer


def _summary_of(finish: Callable[[Any, Any], int]) -> LevelSummary:
    """The summary, and the signature, that `finish` puts into what it is given."""
    native = structs.sized(structs.LevelSummary)
    signature = Signature._made(lambda out: finish(out, ctypes.byref(native)))
    return LevelSummary._of(native, signature if signature._pointer else None)


class Level(PullStream[LevelSummary]):
    """A level: a readable stream of what changed in some content since an older signature.

    `Level(stream)` reads a stream, of which `bytes` are the content, and `Level.of_file(path)` a file or
    device; without a `basis`, the signature of the level before, it is level 0. It is read as any file
    object or iterated over; then `finish` gives the new signature, which the next level needs.

        with frazil.Level.of_file("disk.img") as level:
            for chunk in level:
                storage.put(chunk)
            level.finish().save("disk.sig")

    What the stream raises comes out of the call that reads on. Keyword arguments are those of
    `LevelOptions`.
    """

    def __init__(self, stream: Stream, basis: Optional[Signature] = None, **options: Unpack[LevelOptions]) -> None:
        handle = self._opened("level", library.frazil_level_free, library.frazil_level_read)
        self._source_len = options.get("target_len")
        self._start(Input(stream, handle.callbacks), basis, options)

    @classmethod
    def of_file(cls, path: AnyPath, basis: Optional[Signature] = None, **options: Unpack[LevelOptions]) -> Self:
        """A level of the file or device at `path`.

        Should the file change while it is read, the level restores the bytes that were read, and the
        signature and the summary say that it is `dirty`.
        """
        level = cls.__new__(cls)
        level._opened("level", library.frazil_level_free, library.frazil_level_read)
        level._source_len = options.get("target_len")
        level._start(Input(path_of(path), level._in_use().callbacks, or_path=True), basis, options)
        return level

    def _start(self, source: Input, basis: Optional[Signature], options: Any) -> None:
        self._source, handle = source, self._in_use()
        given = level_options(options, handle.callbacks)
        self._holds_signature = not given.no_signature
        source.open("frazil_level_open", _basis(basis), ctypes.byref(given), ctypes.byref(handle.pointer))

    def finish(self) -> Signature:
        """Ends the level after it was read, and returns the new signature.

        Before anything was read it computes the signature alone, faster. After a part it raises
        `StateError`, since the rest of the stream would be lost. `summary` then says what was done. Where the
        signature is not held in memory this is `InvalidInputError`, and `finish_summary` ends the level.
        """
        self._check_holds_signature()
        return cast(Signature, self.finish_summary().signature)

    def _check_holds_signature(self) -> None:
        if not self._holds_signature:
            raise InvalidInputError("a signature that is not to be held cannot be given")

    def finish_summary(self) -> LevelSummary:
        """As `finish`, and returns the `summary`."""
        handle = self._in_use()

        def finish(pointer: ctypes.c_void_p) -> LevelSummary:
            handle.finished()
            summary = _summary_of(
                lambda signature, native: call(
                    library.frazil_level_finish, pointer, signature, native, callbacks=handle.callbacks
                )
            )
            self._confirm_source()
            self._summary = summary
            return summary

        return handle.use(finish)


class LevelWriter(PushStream[LevelSummary]):
    """A level that is fed its content, and writes its stream to `sink`: an object with `write`, or a function.

    The stream has its end only after `finish`, whose summary has the new signature. Keyword arguments are
    those of `LevelOptions`.
    """

    def __init__(self, sink: Sink, basis: Optional[Signature] = None, **options: Unpack[LevelOptions]) -> None:
        handle = self._opened("level", library.frazil_level_writer_free, library.frazil_level_writer_feed)
        given = level_options(options, handle.callbacks)
        self._sink = Output(sink)
        call(
            library.frazil_level_writer_new,
            _basis(basis),
            ctypes.byref(given),
            *self._sink.callback(handle.callbacks),
            ctypes.byref(handle.pointer),
            callbacks=handle.callbacks,
        )

    def _finish(self, pointer: ctypes.c_void_p) -> LevelSummary:
        summary = _summary_of(
            lambda signature, native: call(
                library.frazil_level_writer_finish, pointer, signature, native, callbacks=self._handle.callbacks
            )
        )
        self._sink.confirm(summary.stream_bytes)
        return summary


def level_file(
    path: AnyPath, level_path: AnyPath, basis: Optional[Signature] = None, **options: Unpack[LevelOptions]
) -> LevelSummary:
    """Makes the level of the file at `path` and publishes it as the new file at `level_path`, which appears
    whole or not at all; else as `Level.of_file`."""
    callbacks = Callbacks()
    given = level_options(options, callbacks)
    source, target = path_of(path), path_of(level_path)
    return _summary_of(
        lambda signature, native: call(
            library.frazil_level_file,
            source,
            _basis(basis),
            target,
            ctypes.byref(given),
            signature,
            native,
            callbacks=callbacks,
        )
    )
