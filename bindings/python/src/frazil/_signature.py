"""Signatures: the sums of every block of some content."""

from __future__ import annotations

import ctypes
import operator
import weakref
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Callable, List, NamedTuple, Optional, Tuple, Union, cast, overload

from . import _choices as choices
from . import _comparison as comparisons
from . import _structs as structs
from ._aliases import AnyPath, Buffer, Self, Sink, Stream, Unpack
from ._callbacks import Callbacks
from ._calls import call
from ._errors import Status
from ._library import library
from ._option_structs import integer, level_options
from ._options import LevelOptions
from ._streams import Input, Output, borrowed, is_path, path_of
from ._summaries import Identity


class BlockSum(NamedTuple):
    """The sums of one block.

    weak_sum: The rolling sum.
    strong_sum: The strong sum.
    """

    weak_sum: int
    strong_sum: bytes


class Blocks(Sequence[BlockSum]):
    """The sums of every block of a signature, in order; each is looked up when it is asked for."""

    def __init__(self, signature: Signature) -> None:
        self._signature = signature
        self._count: int = library.frazil_signature_block_count(signature._pointer)
        self._strong_len = signature.strong_len

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> BlockSum: ...

    @overload
    def __getitem__(self, index: slice) -> List[BlockSum]: ...

    def __getitem__(self, index: Union[int, slice]) -> Union[BlockSum, List[BlockSum]]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(self._count))]
        index = operator.index(index)
        number = index + self._count if index < 0 else index
        if not 0 <= number < self._count:
            raise IndexError(f"there is no block {index} among {self._count}")
        block = structs.BlockSum()
        call(library.frazil_signature_block, self._signature._pointer, number, ctypes.byref(block))
        return BlockSum(block.weak_sum, bytes(block.strong_sum)[: self._strong_len])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Blocks):
            return NotImplemented
        return len(self) == len(other) and all(mine == theirs for mine, theirs in zip(self, other))

    __hash__ = None  # type: ignore[assignment]


# What a signature is made by: a call that gives one through the pointer.
Maker = Callable[[Any], int]


class Signature(Mapping[str, Any]):
    """The sums of every block of some content: what the next level is made against.

    It is a mapping of the fields below, which are attributes too. It is immutable, and may be used by
    several threads at once, by a forked process, and be pickled; its memory goes with the last reference. One of
    MD4 or shortened sums cannot be pickled, `InvalidInputError`, unless it was loaded from the plain format: only that
    takes it, and would lose length, CRC32 and fingerprint. Pickle its `to_bytes(format="rdiff")` if that is meant.

    Make one by `of_file` or `of_stream`, take it from a finished level, or load it.
    """

    _FIELDS = (
        "block_len",
        "strong_len",
        "weak_sum",
        "strong_sum",
        "length",
        "crc32",
        "fingerprint",
        "leaf_len",
        "dirty",
        "blocks",
    )

    def __init__(self) -> None:
        raise TypeError("a signature is made by Signature.of_file, of_stream, load or from_bytes")

    @classmethod
    def _made(cls, maker: Maker) -> Signature:
        """The signature that `maker` puts into the pointer that it is given."""
        signature = cls.__new__(cls)
        signature._pointer = ctypes.c_void_p()
        # Memory alone, which at the end of the interpreter is left to the system: something may yet use it.
        weakref.finalize(signature, _release, signature._pointer).atexit = False  # type: ignore[misc]
        maker(ctypes.byref(signature._pointer))
        return signature

    _pointer: ctypes.c_void_p

    @classmethod
    def of_file(cls, path: AnyPath, **options: Unpack[LevelOptions]) -> Signature:
        """Computes the signature of a file, a device or anything that has a path."""
        callbacks = Callbacks()
        given, length = level_options(options, callbacks), options.get("target_len")
        path_of(path)
        source = Input(path, callbacks, or_path=True)
        name = "frazil_signature_of" if source.suffix else "frazil_signature_of_path"
        return cls._made(lambda out: source.read(name, ctypes.byref(given), out, expected=length))

    @classmethod
    def of_stream(cls, stream: Stream, **options: Unpack[LevelOptions]) -> Signature:
        """Computes the signature of what a stream gives to its end; `bytes` are content."""
        callbacks = Callbacks()
        source = Input(stream, callbacks)
        given, length = level_options(options, callbacks), options.get("target_len")
        return cls._made(
            lambda out: source.read("frazil_signature_of", ctypes.byref(given), out, expected=length)
        )

    @classmethod
    def load(cls, source: Union[AnyPath, Stream], *, memory_limit: Optional[int] = None) -> Signature:
        """Loads a signature, sealed or plain, from a path or a stream; `bytes` are a path.

        `memory_limit` is in bytes; there is none by default. What is too large raises `LimitError`.
        """
        given = Input(source, Callbacks(), or_path=True)
        limit = 0 if memory_limit is None else integer(memory_limit, "memory_limit")
        return cls._made(lambda out: given.read("frazil_signature_load", limit, out))

    @classmethod
    def from_bytes(cls, data: Buffer) -> Signature:
        """Loads a signature, sealed or plain, out of memory."""
        argument, length = borrowed(data)
        return cls._made(lambda out: call(library.frazil_signature_load_data, argument, length, out))

    def save(self, destination: Union[AnyPath, Sink], *, format: choices.Format = "sealed") -> None:
        """Saves the signature.

        A path, which `bytes` are too, is a new file, which appears whole or not at all; `ExistsError` if
        it is there. Else it is written to an object with `write`, or given to a function.

        A signature of MD4 or shortened sums, or one that was loaded from the plain format, cannot be
        sealed: `InvalidInputError`.
        """
        number = choices.number(choices.Format, format, "format")
        if is_path(destination):
            call(library.frazil_signature_save, self._pointer, path_of(cast(AnyPath, destination)), number)
            return
        callbacks = Callbacks()
        sink = Output(destination).callback(callbacks)
        call(library.frazil_signature_save_stream, self._pointer, number, *sink, callbacks=callbacks)

    def to_bytes(self, *, format: choices.Format = "sealed") -> bytes:
        """The signature in memory; as `save`."""
        pieces: List[bytes] = []
        self.save(pieces.append, format=format)
        return b"".join(pieces)

    def compare(self, new: Signature) -> comparisons.Comparison:
        """Says what the ranges of the content of `new` are to the content of this signature.

        Only blocks that stand on the grid of both can be recognised: after an insertion in the middle of
        a block, all that follows has changed. `IncomparableError` unless sums and block length agree.
        """
        return comparisons.Comparison(self, new)

    @property
    def block_len(self) -> int:
        """Bytes in a block, the last of which may be shorter."""
        return int(library.frazil_signature_block_len(self._pointer))

    @property
    def strong_len(self) -> int:
        """Bytes of each strong sum."""
        return int(library.frazil_signature_strong_len(self._pointer))

    @property
    def weak_sum(self) -> choices.WeakSum:
        """Which rolling sum it has: `"rollsum"` or `"rabin_karp"`."""
        number = library.frazil_signature_weak_sum(self._pointer)
        return cast(choices.WeakSum, choices.word(choices.WeakSum, number))

    @property
    def strong_sum(self) -> choices.StrongSum:
        """Which strong sum it has: `"md4"` or `"blake2"`."""
        number = library.frazil_signature_strong_sum(self._pointer)
        return cast(choices.StrongSum, choices.word(choices.StrongSum, number))

    @property
    def length(self) -> Optional[int]:
        """Bytes of content, or `None`: the plain format does not say."""
        length = int(library.frazil_signature_length(self._pointer))
        return None if length == structs.UNKNOWN else length

    @property
    def identity(self) -> Optional[Identity]:
        """Length, checksum and fingerprint of the content, or `None`: the plain format has them not."""
        native = structs.Identity()
        status = call(library.frazil_signature_identity, self._pointer, ctypes.byref(native))
        return None if status == Status.END else Identity._of(native)

    @property
    def crc32(self) -> Optional[int]:
        """The CRC32 of the content, or `None`."""
        identity = self.identity
        return None if identity is None else identity.crc32

    @property
    def fingerprint(self) -> Optional[bytes]:
        """The fingerprint of the content, 32 bytes, or `None`."""
        identity = self.identity
        return None if identity is None else identity.fingerprint

    @property
    def leaf_len(self) -> Optional[int]:
        """Bytes of content under each leaf of the fingerprint's tree, or `None`."""
        identity = self.identity
        return None if identity is None else identity.leaf_len

    @property
    def dirty(self) -> bool:
        """Whether the content changed while it was read, so that this is the signature of the bytes that
        were read and perhaps of no state that the source was ever in."""
        return bool(library.frazil_signature_is_dirty(self._pointer))

    @property
    def blocks(self) -> Blocks:
        """The sums of every block."""
        return Blocks(self)

    def __getitem__(self, field: str) -> Any:
        if field not in self._FIELDS:
            raise KeyError(field)
        return getattr(self, field)

    def __iter__(self) -> Iterator[str]:
        return iter(self._FIELDS)

    def __len__(self) -> int:
        return len(self._FIELDS)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Signature):
            return super().__eq__(other)
        # The same sums of the same content are the same; looking at each would take long.
        fields = [name for name in self if name != "blocks" or self.fingerprint is None]
        return all(self[name] == other[name] for name in fields)

    def __repr__(self) -> str:
        length = "an unknown number of" if self.length is None else self.length
        return f"<frazil.Signature of {length} bytes in {len(self.blocks)} blocks of {self.block_len}>"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _known: object) -> Self:
        return self

    def __reduce__(self) -> Tuple[Any, ...]:
        # What knows its content is sealed, or refuses: the plain format would lose what it knows.
        format: choices.Format = "rdiff" if self.identity is None else "sealed"
        return Signature.from_bytes, (self.to_bytes(format=format),)


def _release(pointer: ctypes.c_void_p) -> None:
    if pointer:
        library.frazil_signature_free(pointer)
