"""What the library says of finished work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Optional

from . import _choices as choices

if TYPE_CHECKING:
    from ._signature import Signature


@dataclass(frozen=True)
class Identity:
    """What tells content from other content."""

    length: int
    """Bytes of content."""
    crc32: int
    """The CRC32 (IEEE) of the content."""
    leaf_len: int
    """Bytes of content under each leaf of the fingerprint's tree; fingerprints over leaves of different
    lengths say nothing of each other."""
    fingerprint: bytes
    """The root of a tree of BLAKE2b-256 digests, 32 bytes."""

    @classmethod
    def _of(cls, native: Any) -> Identity:
        return cls(native.length, native.crc32, native.leaf_len, bytes(native.fingerprint))


@dataclass(frozen=True)
class LevelSummary:
    """What a finished level is."""

    source_bytes: int
    """Bytes of content that were read."""
    stream_bytes: int
    """Bytes of the level's stream; 0 where only the signature was made."""
    copy_bytes: int
    """Bytes of content that were found in the basis."""
    literal_bytes: int
    """Bytes of content that are in the stream."""
    zero_bytes: int
    """Bytes of content that are runs of zeros, which take no room in a sealed stream."""
    copy_commands: int
    """How many ranges of the basis are copied."""
    identity: Identity
    """The content that was read, which the level restores."""
    dirty: bool
    """Whether the content changed while it was read: the level restores the bytes that were read, which may
    be no state that the source was ever in."""
    matching: choices.Matching
    """Which matches were looked for in the end."""
    signature: Optional[Signature]
    """The new full signature, where it was held in memory."""

    @classmethod
    def _of(cls, native: Any, signature: Optional[Signature]) -> LevelSummary:
        return cls(
            native.source_bytes,
            native.stream_bytes,
            native.copy_bytes,
            native.literal_bytes,
            native.zero_bytes,
            native.copy_commands,
            Identity._of(native.identity),
            bool(native.dirty),
            choices.word(choices.Matching, native.matching),
            signature,
        )


@dataclass(frozen=True)
class PatchSummary:
    """What a finished patch or chain is."""

    output_bytes: int
    """Bytes of the target."""
    stream_bytes: int
    """Bytes of the deltas."""
    identity: Optional[Identity]
    """The target, which was verified; `None` for a plain delta, which promises nothing."""
    dirty: bool
    """Whether the source had changed while the level was made."""
    weak: bool
    """Whether blocks were matched on sums that cannot be trusted to tell contents apart."""

    @property
    def verified(self) -> bool:
        """Whether the target was held against what the stream promises of it."""
        return self.identity is not None

    @classmethod
    def _of(cls, native: Any) -> PatchSummary:
        identity = Identity._of(native.identity) if native.verified else None
        return cls(native.output_bytes, native.stream_bytes, identity, bool(native.dirty), bool(native.weak))


@dataclass(frozen=True)
class LevelHeader:
    """Which level of which chain a tree's archive and snapshot are."""

    id: bytes
    """This level: 16 random bytes."""
    parent: Optional[bytes]
    """The level that it is made against; `None` for a level 0."""
    root: bytes
    """The level 0 of its chain: itself for a level 0."""
    created: int
    """When the backup began, in seconds since 1970."""
    number: int
    """How many levels are before it in its chain. For information: the ids decide."""
    block_len: int
    """Bytes in a block; the same in a whole chain."""

    @classmethod
    def _of(cls, native: Any) -> LevelHeader:
        return cls(
            bytes(native.id.bytes),
            bytes(native.parent.bytes) if native.has_parent else None,
            bytes(native.root.bytes),
            native.created,
            native.number,
            native.block_len,
        )


@dataclass(frozen=True)
class BackupSummary:
    """What a finished backup of a tree is."""

    header: LevelHeader
    """Which level it is."""
    entries: int
    """Entries that the walk met."""
    files_read: int
    """Regular files whose content was read."""
    source_bytes: int
    """Bytes of content that were read."""
    content_bytes: int
    """Bytes of content and deltas in the archive, before any filter."""
    stream_bytes: int
    """Bytes of the archive."""
    full: int
    """Entries that are in the archive whole."""
    deltas: int
    """Files that are there as a delta."""
    copies: int
    """Files with the content of another file of the level before."""
    links: int
    """Further names of files."""
    metadata: int
    """Entries of which only the metadata changed."""
    deleted: int
    """Entries that are gone."""
    problems: int
    """What could not be backed up as it was; `problem` was told of each."""
    partial: bool
    """Whether something could not be backed up as it was."""

    @classmethod
    def _of(cls, native: Any, partial: bool) -> BackupSummary:
        return cls(
            LevelHeader._of(native.header),
            native.entries,
            native.files_read,
            native.source_bytes,
            native.content_bytes,
            native.stream_bytes,
            native.full,
            native.deltas,
            native.copies,
            native.links,
            native.metadata,
            native.deleted,
            native.problems,
            partial,
        )


@dataclass(frozen=True)
class RestoreSummary:
    """What the restoration of one level of a tree has done."""

    header: LevelHeader
    """Which level it is."""
    entries: int
    """Entries that were made, changed or deleted; a directory may count twice."""
    files: int
    """Files whose content was written."""
    output_bytes: int
    """Bytes of content that were written, or would be if it were no dry run."""
    deleted: int
    """Entries that were deleted."""
    problems: int
    """What could not be restored as it was; `problem` was told of each."""
    backup_problems: int
    """What the backup itself could not read as it was."""
    already_there: bool
    """Whether the destination stood at this level before."""
    whole: bool
    """Whether the archive was whole, and all of it that is selected was put in its place."""
    missing: int
    """How many of the selected paths there is nothing at, at this level."""
    partial: bool
    """Whether something is not as the level has it."""

    @classmethod
    def _of(cls, native: Any, partial: bool) -> RestoreSummary:
        return cls(
            LevelHeader._of(native.header),
            native.entries,
            native.files,
            native.output_bytes,
            native.deleted,
            native.problems,
            native.backup_problems,
            bool(native.already_there),
            bool(native.whole),
            native.missing,
            partial,
        )


@dataclass(frozen=True)
class Recovery:
    """What was done with what a restore of before had left behind."""

    kind: choices.RecoveryKind
    """What it was."""
    level: Optional[bytes]
    """The id of the level that the destination now stands at, 16 bytes, where it is known."""
    partial: bool
    """Whether something is not as that level has it."""

    @classmethod
    def _of(cls, native: Any, partial: bool) -> Recovery:
        level = bytes(native.level.bytes) if native.has_level else None
        return cls(choices.word(choices.RecoveryKind, native.kind), level, partial)


@dataclass(frozen=True)
class ArchiveSummary:
    """What an archive is as a whole."""

    header: LevelHeader
    """Which level of which chain it is."""
    records: int
    """Entries that the level says anything of; a directory may count twice."""
    content_bytes: int
    """Bytes of content and of deltas, before any filter."""
    problems: int
    """What could not be backed up as it was."""

    @classmethod
    def _of(cls, native: Any) -> ArchiveSummary:
        return cls(LevelHeader._of(native.header), native.records, native.content_bytes, native.problems)


@dataclass(frozen=True)
class SnapshotSummary:
    """What a snapshot is as a whole."""

    header: LevelHeader
    """Which level of which chain it is of."""
    entries: int
    """How many entries it has."""

    @classmethod
    def _of(cls, native: Any) -> SnapshotSummary:
        return cls(LevelHeader._of(native.header), native.entries)


@dataclass(frozen=True)
class VerifySummary:
    """What a verified tree is."""

    header: LevelHeader
    """The last level."""
    entries: int
    """Entries that were held against the tree."""
    source_bytes: int
    """Bytes of content that were read in the tree."""
    differences: int
    """How many differences were found."""

    @classmethod
    def _of(cls, native: Any) -> VerifySummary:
        return cls(LevelHeader._of(native.header), native.entries, native.source_bytes, native.differences)
