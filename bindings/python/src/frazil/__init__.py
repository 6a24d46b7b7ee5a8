"""Block-level backups, made and restored in stream.

A level is a stream, and making it costs one read of the source: level 0 holds all content, level n what
changed since level n-1, block by block. Beside the stream comes the new signature, which is all that the
next level needs. Restoring is applying level 0, 1, ... n.

    import frazil

    with open("level.0", "wb") as storage:
        signature = frazil.gen_sig_from_file("disk.img", delta_to=storage)
    with open("level.1", "wb") as storage:  # a day later
        frazil.gen_sig_from_file("disk.img", signature, delta_to=storage)
    for name in ("level.0", "level.1"):
        with open(name, "rb") as pipe:
            frazil.patch_from_stream(pipe, "restored.img")

Under these are `Level` and `PatchReader`, which are read, `LevelWriter` and `Patch`, which are written; and
for trees `TreeBackup`, which is read, and `TreeRestore`, which is written. An operation is complete only
when its `finish` says so, which returns its `summary`, or that of a `Level` the new signature: given up before, or left
by an exception, it publishes nothing.

**Options** are keyword arguments: `LevelOptions`, `PatchOptions`, `BackupOptions`, `RestoreOptions` and `VerifyOptions`
describe them. A word such as `"sealed"` is one of `typing.get_args(frazil.Format)`.

**Streams.** What is read may be any object with `read`, a socket, a file descriptor, an iterable of bytes of
any lengths, or bytes; a file object of Python is read through its buffer, a compressed one decompressed.
What is written may be an object with `write`, or a function. A basis, and each level of a chain, may be a path,
a file object that can seek, a descriptor, or bytes. Paths are `str`, `bytes` or `os.PathLike`.

**Types** of these have names, for annotations: `Stream` is what is read, `Sink` what is written to, `Seekable` a basis,
`AnyPath` a path, `OpenFile` a descriptor or what has one. `Told[Progress]` is a function that is told of progress, and
so of anything else; `Asked` one whose answer counts, as that of `cancelled`.

**Listings.** `iter_archive`, `iter_snapshot` and `iter_differences` are iterators of what `list_archive`,
`list_snapshot` and `verify_tree` tell a function of, in constant memory; each can be closed at any time.

**Errors** are of `Error` and its subclasses; those of the operating system are an `OSError` too, and where Python has
a class of its own for them, of one that goes by the same name, such as `frazil.FileNotFoundError`. What the caller's
own functions and streams raise comes out unchanged, and so does what a signal's handler raises, `KeyboardInterrupt`
for one.

**Signals** are answered by the main thread within about a mebibyte of work. What was published just then stays: a
signal may fall behind the last byte, so that an exception does not say that nothing has changed. Not answered before
they are done, or raise in a function that is given, are `inspect`, `archive_header`, `list_archive` and
`list_snapshot` of a path, `Signature.load` and `save`, which the library lets nobody follow; a pipe that is named to
`level_file` or `patch_from_file`; a stream of `verify_tree` that waits; opening a snapshot; and a `TreeRestore` while
it ends, which has a thread of its own.

**Threads.** The library runs without the interpreter's lock. Objects may go from one thread to another; a call
while another is using the object raises `StateError`. A `Signature` may be used by several at once. When the
interpreter ends, what is open and idle is given up, and threads that are daemons are ended by what they call
frazil for; one that waits in a stream or function of the caller for more than two seconds may then abort the
process, as Python ends it in the midst of the library. What the functions of a `TreeRestore`, or the
streams of `verify_tree`, start is started by threads of the library, which block all signals, and a process begins so,
unless `signal.pthread_sigmask` sets another mask for the thread first.

**Processes.** A process that was forked can use the package and signatures that it inherits; what else was
open belongs to the parent, and the child can neither use nor harm it. Do not fork while a `TreeRestore` is
open.
"""

from typing import get_type_hints as _get_type_hints

from ._aliases import (
    AnyPath,
    Asked,
    OpenFile,
    Seekable,
    Sink,
    Stream,
    SupportsFileno,
    SupportsRead,
    SupportsSeek,
    SupportsWrite,
    Told,
)
from ._archive import archive_header, list_archive, verify_archive
from ._backup import TreeBackup, backup_tree
from ._blueprint import gen_sig_from_file, gen_sig_from_stream, patch_from_file, patch_from_stream
from ._choices import (
    Action,
    DifferenceKind,
    Engine,
    EntryKind,
    Filter,
    Format,
    Matching,
    RangeKind,
    Reason,
    RecoveryKind,
    StreamKind,
    StrongSum,
    Sync,
    VerifyBasis,
    WeakSum,
)
from ._comparison import Comparison, Range, compare_files
from ._entries import Difference, Entry, SnapshotEntry, TreeEntry
# Under their own names, but not in `__all__`: `import *` is not to hide the built-in ones.
from ._errors import BlockingIOError as BlockingIOError
from ._errors import BrokenPipeError as BrokenPipeError
from ._errors import ChildProcessError as ChildProcessError
from ._errors import ConnectionAbortedError as ConnectionAbortedError
from ._errors import ConnectionError as ConnectionError
from ._errors import ConnectionRefusedError as ConnectionRefusedError
from ._errors import ConnectionResetError as ConnectionResetError
from ._errors import FileExistsError as FileExistsError
from ._errors import FileNotFoundError as FileNotFoundError
from ._errors import InterruptedError as InterruptedError
from ._errors import IsADirectoryError as IsADirectoryError
from ._errors import NotADirectoryError as NotADirectoryError
from ._errors import PermissionError as PermissionError
from ._errors import ProcessLookupError as ProcessLookupError
from ._errors import TimeoutError as TimeoutError
from ._errors import (
    CallbackError,
    CancelledError,
    CorruptError,
    Error,
    ExistsError,
    IncomparableError,
    InternalError,
    InvalidInputError,
    IoError,
    LimitError,
    MismatchError,
    OutOfMemoryError,
    SourceChangedError,
    StateError,
    Status,
    TruncatedError,
    UnsupportedError,
    WrongBasisError,
)
from ._inspection import Inspection, inspect
from ._level import Level, LevelSummary, LevelWriter, level_file
from ._library import libarchive_version, library_file, library_version, librsync_version
from ._listings import Listing, iter_archive, iter_differences, iter_snapshot
from ._observer import EntryReport, Following, Progress
from ._options import BackupOptions, LevelOptions, PatchOptions, RestoreOptions, Selection, VerifyOptions
from ._patch import Patch, PatchReader, chain_file, patch_file, patch_in_place
from ._pull import CHUNK_LEN, PullStream
from ._push import PushStream
from ._restore import TreeRestore, conclude_restore, recover_restore, restore_tree, restored_level
from ._signature import Blocks, BlockSum, Signature
from ._snapshot import list_snapshot
from ._summaries import (
    ArchiveSummary,
    BackupSummary,
    Identity,
    LevelHeader,
    PatchSummary,
    Recovery,
    RestoreSummary,
    SnapshotSummary,
    VerifySummary,
)
from ._verification import verify_tree
from ._version import VERSION

__version__ = VERSION

__all__ = [
    "Action",
    "AnyPath",
    "ArchiveSummary",
    "Asked",
    "BackupOptions",
    "BackupSummary",
    "BlockSum",
    "Blocks",
    "CHUNK_LEN",
    "CallbackError",
    "CancelledError",
    "Comparison",
    "CorruptError",
    "Difference",
    "DifferenceKind",
    "Engine",
    "Entry",
    "EntryKind",
    "EntryReport",
    "Error",
    "ExistsError",
    "Filter",
    "Following",
    "Format",
    "Identity",
    "IncomparableError",
    "Inspection",
    "InternalError",
    "InvalidInputError",
    "IoError",
    "Level",
    "LevelHeader",
    "LevelOptions",
    "LevelSummary",
    "LevelWriter",
    "LimitError",
    "Listing",
    "Matching",
    "MismatchError",
    "OpenFile",
    "OutOfMemoryError",
    "Patch",
    "PatchOptions",
    "PatchReader",
    "PatchSummary",
    "Progress",
    "PullStream",
    "PushStream",
    "Range",
    "RangeKind",
    "Reason",
    "Recovery",
    "RecoveryKind",
    "RestoreOptions",
    "RestoreSummary",
    "Seekable",
    "Selection",
    "Signature",
    "Sink",
    "SnapshotEntry",
    "SnapshotSummary",
    "SourceChangedError",
    "StateError",
    "Status",
    "Stream",
    "StreamKind",
    "StrongSum",
    "SupportsFileno",
    "SupportsRead",
    "SupportsSeek",
    "SupportsWrite",
    "Sync",
    "Told",
    "TreeBackup",
    "TreeEntry",
    "TreeRestore",
    "TruncatedError",
    "UnsupportedError",
    "VerifyBasis",
    "VerifyOptions",
    "VerifySummary",
    "WeakSum",
    "WrongBasisError",
    "archive_header",
    "backup_tree",
    "chain_file",
    "compare_files",
    "conclude_restore",
    "gen_sig_from_file",
    "gen_sig_from_stream",
    "inspect",
    "iter_archive",
    "iter_differences",
    "iter_snapshot",
    "level_file",
    "libarchive_version",
    "library_file",
    "library_version",
    "librsync_version",
    "list_archive",
    "list_snapshot",
    "patch_file",
    "patch_from_file",
    "patch_from_stream",
    "patch_in_place",
    "recover_restore",
    "restore_tree",
    "restored_level",
    "verify_archive",
    "verify_tree",
]

# What is public is known by its public name, in tracebacks and in pickles; its annotations are of where it was written.
for _name, _public in list(globals().items()):
    if isinstance(_public, type) and _public.__module__.startswith(f"{__name__}._"):
        _annotations = vars(_public).get("__annotations__", {})
        _hints = _get_type_hints(_public) if _annotations else {}
        _annotations.update({_of: _hints[_of] for _of in _annotations})
        _public.__module__ = __name__
del _name, _public, _annotations, _hints
