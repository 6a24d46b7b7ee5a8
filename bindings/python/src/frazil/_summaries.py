"""What the library says of finished work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

from . import _choices as choices


@dataclass(frozen=True)
class Identity:
    """What tells content from other content.

    length: Bytes of content.
    crc32: The CRC32 (IEEE) of the content.
    leaf_len: Bytes of content under each leaf of the fingerprint's tree; fingerprints over leaves of different
        lengths say nothing of each other.
    fingerprint: The root of a tree of BLAKE2b-256 digests, 32 bytes.
    """

    length: int
    crc32: int
    leaf_len: int
    fingerprint: bytes

    @classmethod
    def _of(cls, native: Any) -> Identity:
        return cls(native.length, native.crc32, native.leaf_len, bytes(native.fingerprint))


@dataclass(frozen=True)
class PatchSummary:
    """What a finished patch or chain is.

    output_bytes: Bytes of the target.
    stream_bytes: Bytes of the deltas.
    identity: The target, which was verified; `None` for a plain delta, which promises nothing.
    dirty: Whether the source had changed while the level was made.
    weak: Whether blocks were matched on sums that cannot be trusted to tell contents apart.
    """

    output_bytes: int
    stream_bytes: int
    identity: Optional[Identity]
    dirty: bool
    weak: bool

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
    """Which level of which chain a tree's archive and snapshot are.

    id: This level: 16 random bytes.
    parent: The level that it is made against; `None` for a level 0.
    root: The level 0 of its chain: itself for a level 0.
    created: When the backup began, in seconds since 1970.
    number: How many levels are before it in its chain. For information: the ids decide.
    block_len: Bytes in a block; the same in a whole chain.
    """

    id: bytes
    parent: Optional[bytes]
    root: bytes
    created: int
    number: int
    block_len: int

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
    """What a finished backup of a tree is.

    header: Which level it is.
    entries: Entries that the walk met.
    files_read: Regular files whose content was read.
    source_bytes: Bytes of content that were read.
    content_bytes: Bytes of content and deltas in the archive, before any filter.
    stream_bytes: Bytes of the archive.
    full: Entries that are in the archive whole.
    deltas: Files that are there as a delta.
    copies: Files with the content of another file of the level before.
    links: Further names of files.
    metadata: Entries of which only the metadata changed.
    deleted: Entries that are gone.
    problems: What could not be backed up as it was; `problem` was told of each.
    partial: Whether something could not be backed up as it was.
    """

    header: LevelHeader
    entries: int
    files_read: int
    source_bytes: int
    content_bytes: int
    stream_bytes: int
    full: int
    deltas: int
    copies: int
    links: int
    metadata: int
    deleted: int
    problems: int
    partial: bool

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
    """What the restoration of one level of a tree has done.

    header: Which level it is.
    entries: Entries that were made, changed or deleted; a directory may count twice.
    files: Files whose content was written.
    output_bytes: Bytes of content that were written, or would be if it were no dry run.
    deleted: Entries that were deleted.
    problems: What could not be restored as it was; `problem` was told of each.
    backup_problems: What the backup itself could not read as it was.
    already_there: Whether the destination stood at this level before.
    whole: Whether the archive was whole, and all of it that is selected was put in its place.
    missing: How many of the selected paths there is nothing at, at this level.
    partial: Whether something is not as the level has it.
    """

    header: LevelHeader
    entries: int
    files: int
    output_bytes: int
    deleted: int
    problems: int
    backup_problems: int
    already_there: bool
    whole: bool
    missing: int
    partial: bool

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
    """What was done with what a restore of before had left behind.

    kind: What it was.
    level: The id of the level that the destination now stands at, 16 bytes, where it is known.
    partial: Whether something is not as that level has it.
    """

    kind: choices.RecoveryKind
    level: Optional[bytes]
    partial: bool

    @classmethod
    def _of(cls, native: Any, partial: bool) -> Recovery:
        level = bytes(native.level.bytes) if native.has_level else None
        return cls(choices.word(choices.RecoveryKind, native.kind), level, partial)


@dataclass(frozen=True)
class ArchiveSummary:
    """What an archive is as a whole.

    header: Which level of which chain it is.
    records: Entries that the level says anything of; a directory may count twice.
    content_bytes: Bytes of content and of deltas, before any filter.
    problems: What could not be backed up as it was.
    """

    header: LevelHeader
    records: int
    content_bytes: int
    problems: int

    @classmethod
    def _of(cls, native: Any) -> ArchiveSummary:
        return cls(LevelHeader._of(native.header), native.records, native.content_bytes, native.problems)


@dataclass(frozen=True)
class SnapshotSummary:
    """What a snapshot is as a whole.

    header: Which level of which chain it is of.
    entries: How many entries it has.
    """

    header: LevelHeader
    entries: int

    @classmethod
    def _of(cls, native: Any) -> SnapshotSummary:
        return cls(LevelHeader._of(native.header), native.entries)


@dataclass(frozen=True)
class VerifySummary:
    """What a verified tree is.

    header: The last level.
    entries: Entries that were held against the tree.
    source_bytes: Bytes of content that were read in the tree.
    differences: How many differences were found.
    """

    header: LevelHeader
    entries: int
    source_bytes: int
    differences: int

    @classmethod
    def _of(cls, native: Any) -> VerifySummary:
        return cls(LevelHeader._of(native.header), native.entries, native.source_bytes, native.differences)
