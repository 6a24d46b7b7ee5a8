"""What a signature or a delta says of itself."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any, Optional, Union

from . import _choices as choices
from . import _structs as structs
from ._aliases import AnyPath, Stream
from ._callbacks import Callbacks
from ._streams import Input
from ._summaries import Identity


@dataclass(frozen=True)
class Inspection:
    """What a signature or a delta says of itself. What is only in streams of the other kind is `None`.

    kind: What the stream carries.
    format: The form that it has.
    stream_bytes: Bytes of the stream.
    block_len: Of a signature: bytes in a block.
    strong_len: Of a signature: bytes of each strong sum.
    weak_sum: Of a signature: the rolling sum.
    strong_sum: Of a signature: the strong sum.
    block_count: Of a signature: how many blocks there are.
    copy_commands: Of a delta: how many ranges of the basis are copied.
    copy_bytes: Of a delta: bytes that it copies from the basis.
    literal_bytes: Of a delta: bytes that are in the stream.
    zero_bytes: Of a delta: bytes of runs of zeros, which take no room in a sealed stream.
    basis_len: Bytes of the basis, where a delta says what it was made against; 0 for a level 0.
    basis_leaf_len: Bytes of content under each leaf of the basis's fingerprint, where a delta says it.
    basis_fingerprint: The fingerprint of the basis, 32 bytes, where a delta says it.
    identity: The content that it is the signature of, or that a delta makes; `None` where it is plain. A delta's
        is claimed, not proven: only a patch shows.
    dirty: Whether the source changed while it was made.
    weak: Whether blocks were matched on sums that cannot be trusted to tell contents apart.
    """

    kind: choices.StreamKind
    format: choices.Format
    stream_bytes: int
    block_len: Optional[int]
    strong_len: Optional[int]
    weak_sum: Optional[choices.WeakSum]
    strong_sum: Optional[choices.StrongSum]
    block_count: Optional[int]
    copy_commands: Optional[int]
    copy_bytes: Optional[int]
    literal_bytes: Optional[int]
    zero_bytes: Optional[int]
    basis_len: Optional[int]
    basis_leaf_len: Optional[int]
    basis_fingerprint: Optional[bytes]
    identity: Optional[Identity]
    dirty: bool
    weak: bool

    @classmethod
    def _of(cls, native: Any) -> Inspection:
        kind = choices.word(choices.StreamKind, native.kind)

        def of(wanted: choices.StreamKind, value: Any) -> Any:
            return value if kind == wanted else None

        def of_basis(value: Any) -> Any:
            return value if native.has_basis else None

        return cls(
            kind,
            choices.word(choices.Format, native.format),
            native.stream_bytes,
            of("signature", native.block_len),
            of("signature", native.strong_len),
            of("signature", choices.word(choices.WeakSum, native.weak_sum)),
            of("signature", choices.word(choices.StrongSum, native.strong_sum)),
            of("signature", native.block_count),
            of("delta", native.copy_commands),
            of("delta", native.copy_bytes),
            of("delta", native.literal_bytes),
            of("delta", native.zero_bytes),
            of_basis(native.basis_len),
            of_basis(native.basis_leaf_len),
            of_basis(bytes(native.basis_fingerprint)),
            Identity._of(native.identity) if native.has_identity else None,
            bool(native.dirty),
            bool(native.weak),
        )


def inspect(stream: Union[AnyPath, Stream]) -> Inspection:
    """Reads a signature or a delta, a path, which `bytes` are too, or a stream, to its end, in constant memory,
    and checks all that can be without the content. So a level is verified without its basis."""
    source = Input(stream, Callbacks(), or_path=True)
    native = structs.sized(structs.Inspection)
    name = "frazil_inspection_of" if source.suffix else "frazil_inspection_of_path"
    source.read(name, ctypes.byref(native))
    return Inspection._of(native)
