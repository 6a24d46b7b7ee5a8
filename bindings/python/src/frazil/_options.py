"""Options, which are keyword arguments here and structs in C.

None of them is needed; `None` and what is left out stand for the default. Numbers are bytes where
nothing else is said. Each class describes its own in its docstring, where `help` finds them.
"""

from __future__ import annotations

from typing import Iterable, Mapping, Optional, Union

from . import _choices as choices
from ._aliases import AnyPath, OpenFile, Sink, Told
from ._entries import Entry
from ._observer import EntryReport, Following


class LevelOptions(Following, total=False):
    """Options of a level or a signature, beside those of `Following`. The defaults suit a backup.

    block_len: Bytes in a block of the new signature, 1 to 2^30. Where this, `strong_len`, `weak_sum` and `strong_sum`
        are all left out they are those of the basis's signature, if it has whole BLAKE2b sums; else 64 KiB, the whole
        sum, RabinKarp and BLAKE2b.
    strong_len: Bytes kept of each strong sum.
    weak_sum: The rolling sum: `"rabin_karp"`, or `"rollsum"` for old peers; `"default"` is as left out.
    strong_sum: The strong sum: `"blake2"`, or `"md4"` for old peers; `"default"` is as left out.
    format: The form of the level's stream: `"sealed"` by default, frazil's frame that verifies all of it, or
        `"rdiff"`, librsync's plain one, which checks nothing.
    matching: Which matches are looked for: `"aligned"`, in their place alone, in constant memory; `"rolling"`, by
        a scan of everything that does not match in its place; or by default `"auto"`, in their place first, then
        by a scan that looks at less and less where it finds nothing in 8 MiB and more.
    engine: Who computes sums and finds matches: `"native"` by default, or `"librsync"`.
    threads: How many threads compute sums; by default, and for 0, as many as there are processors.
    memory_limit: Bytes that buffers, index and new signature may take, beside the basis's signature where that is
        held; 1 GiB by default. The index takes at most 12 bytes for each block of the basis, or of fewer than 2^18 up
        to 512 KiB more; where it does not fit, `"auto"` matches in their place alone, and the observer is told.
    target_len: The length of the source, where it is known; no more than that is read. 0 is as left out. A
        file that is opened by its path is measured without being told.
    basis_path: Names the basis in the stream, where its path is another than the target's.
    basis_signature_path: The file that holds the basis's signature, in place of a `Signature`: its sums are read
        from there as they are wanted, so that no more than the index is in memory, and not that with
        `matching="aligned"`. It is to stay as it is meanwhile; `frazil.CorruptError` says when it does not.
    allow_weak: Whether a sealed level may be made against a signature of MD4 or shortened sums.
    trust_holes: Whether the holes that a file system tells of are taken for zeros without being read, in a file that
        is opened by its path. File systems have told of holes where data was.
    hold_signature: Whether the new signature is held in memory: `True` by default, unless there is
        `signature_to`.
    signature_to: Is given the new signature on the way: an object with `write`, or a function. The signature is
        then not held, and memory stays constant however long the content is.
    signature_format: The form in which `signature_to` is given the signature: `"sealed"` by default, or `"rdiff"`.
    identify: Whether the content is identified by its CRC32 and fingerprint: `True` by default. `False`, for plain
        streams alone, spares that work: neither the summary nor the new signature then says what content it is of,
        nor the signature how long that was.
    """

    block_len: Optional[int]
    strong_len: Optional[int]
    weak_sum: Optional[choices.WeakSum]
    strong_sum: Optional[choices.StrongSum]
    format: Optional[choices.Format]
    matching: Optional[choices.Matching]
    engine: Optional[choices.Engine]
    threads: Optional[int]
    memory_limit: Optional[int]
    target_len: Optional[int]
    basis_path: Optional[AnyPath]
    basis_signature_path: Optional[AnyPath]
    allow_weak: Optional[bool]
    trust_holes: Optional[bool]
    hold_signature: Optional[bool]
    signature_to: Optional[Sink]
    signature_format: Optional[choices.Format]
    identify: Optional[bool]


class PatchOptions(Following, total=False):
    """Options of a patch or a chain, beside those of `Following`.

    max_output: The most bytes that may come out, 1 TiB by default; a sealed delta that declares more is refused
        before anything is made.
    index_memory: Bytes that the index of all levels of a chain may take together; 8 MiB by default.
    verify_basis: When the basis is held against its fingerprint: `"before"` the first byte comes out, or
        `"after"`, by the result. What `"default"` chooses is never wrong.
    replace: Whether a file that is there already may be replaced: `False` by default.
    threads: How many threads verify; by default as many as there are processors.
    """

    max_output: Optional[int]
    index_memory: Optional[int]
    verify_basis: Optional[choices.VerifyBasis]
    replace: Optional[bool]
    threads: Optional[int]


class Selection(Following, total=False):
    """What a backup leaves out, and what is no difference when a tree is verified; beside the options of
    `Following`.

    excludes: Lines in UTF-8, as in a `.gitignore` at the root of the tree, the last of which that matches decides;
        one that begins with `!` takes in.
    exclude_marked: Leaves out what is in a directory that holds anything of one of these names, `.nobackup` for
        one.
    exclude_caches: Whether to leave out what is in a directory with a valid `CACHEDIR.TAG`.
    nodump: Whether to leave out what has the `nodump` flag.
    one_file_system: Whether to stay on the file system of the root.
    """

    excludes: Optional[Iterable[Union[str, bytes]]]
    exclude_marked: Optional[Iterable[AnyPath]]
    exclude_caches: Optional[bool]
    nodump: Optional[bool]
    one_file_system: Optional[bool]


class BackupOptions(Selection, total=False):
    """Options of the backup of a tree, beside those of `Selection` and `Following`.

    filter: What the archive is compressed with: `"none"` by default, `"gzip"`, `"bzip2"`, `"xz"`, `"zstd"` or
        `"lz4"`.
    matching: Which matches are looked for in a file that changed: `"auto"` by default, `"aligned"` or `"rolling"`,
        as in `LevelOptions`.
    block_len: Bytes in a block, 1,024 to 2^30; by default 64 KiB, and above level 0 that of the chain, which can
        be no other.
    threads: How many threads compute and compress; by default as many as there are processors.
    memory_limit: Bytes of memory that the signature and the index of one changed file may take, beside 16 MiB that any
        level takes; 1 GiB by default.
    link_memory: Bytes of memory for files of which not all names were met; 32 MiB by default. Beyond it, hard
        links become files of their own, and that is told to `problem`.
    dereference: Whether what a symbolic link leads to is backed up in its place.
    always_read: Whether every file is read, whatever its metadata says.
    ignore_ctime: Whether a file is taken for unchanged although its change time is another.
    ignore_inode: Whether a file is taken for unchanged although its inode is another.
    trust_holes: Whether the holes that a file system tells of are taken for zeros without being read.
    compare_device: Whether a file on another device is read again; the number of a device may be another after
        every start of the system.
    leave_out: Leaves out the regular files that these are open on, file descriptors or objects with `fileno`,
        wherever in the tree they are met: the archive, where it is written to a file in there. The snapshot is left
        out without it.
    entry: Is told of each entry that the backup has looked at, or found gone; not of what it passed over as
        unchanged.
    """

    filter: Optional[choices.Filter]
    matching: Optional[choices.Matching]
    block_len: Optional[int]
    threads: Optional[int]
    memory_limit: Optional[int]
    link_memory: Optional[int]
    dereference: Optional[bool]
    always_read: Optional[bool]
    ignore_ctime: Optional[bool]
    ignore_inode: Optional[bool]
    trust_holes: Optional[bool]
    compare_device: Optional[bool]
    leave_out: Optional[Iterable[OpenFile]]
    entry: Optional[Told[EntryReport]]


class RestoreOptions(Following, total=False):
    """Options of the restoration of a level of a tree, beside those of `Following`.

    overwrite: Whether what is in the way is replaced; a level 0 is then restored anew, whatever level is there. What
        the archive does not name is never touched.
    accept_partial: Whether to go on from a level that was restored in part; an entry that lacks what it is made
        from is then left as it is and told to `problem`.
    keep_going: Whether to restore what is whole of a damaged archive; else damage anywhere leaves the tree as it
        was.
    privileged: Whether root restores what gives power over the system: devices, set-id bits, and attributes named
        `trusted.*` and `security.*`.
    numeric_owner: Whether root restores owners by their numbers instead of by their names.
    dry_run: Whether everything is read and verified, and nothing changed.
    sync: How what was restored is flushed to the disk: `"level"` by default, as a whole file system at the end, or
        `"file"`, file by file.
    threads: How many threads verify; by default as many as there are processors.
    max_file_len: Bytes that one restored file may have; 1 TiB by default.
    assume_parent: The id of the level at which the destination stands, 16 bytes, where it does not say so itself.
    paths: Restores these paths and what is below them alone. All levels of a chain have to be restored with the
        same. What needs a file that is not selected is left out and told to `problem`.
    strip: Leaves out so many of the first names of each path; what has no more is not restored.
    prefix: Puts everything below this path of the destination, which is made if need be.
    users: Numbers of users that become others.
    groups: Numbers of groups that become others.
    verify_parent: Whether the content of files that are replaced, deleted or only given other metadata is read and
        held against the level before too, not their kind and size alone.
    max_output: Bytes that all restored files of the level may have together; no limit by default.
    restoring: Is told what becomes of each entry, as `list_archive` gives it, while the restoration takes it in.
    missing: Is told of each of `paths` at which there is nothing at this level, by the thread that made the call, when
        the rest is published already: what it raises comes out, but stops nothing.
    """

    overwrite: Optional[bool]
    accept_partial: Optional[bool]
    keep_going: Optional[bool]
    privileged: Optional[bool]
    numeric_owner: Optional[bool]
    dry_run: Optional[bool]
    sync: Optional[choices.Sync]
    threads: Optional[int]
    max_file_len: Optional[int]
    assume_parent: Optional[bytes]
    paths: Optional[Iterable[AnyPath]]
    strip: Optional[int]
    prefix: Optional[AnyPath]
    users: Optional[Mapping[int, int]]
    groups: Optional[Mapping[int, int]]
    verify_parent: Optional[bool]
    max_output: Optional[int]
    restoring: Optional[Told[Entry]]
    missing: Optional[Told[str]]


class VerifyOptions(Selection, total=False):
    """Options of the verification of a tree: what was left out of the backup, and is no difference; those of
    `Selection` and `Following`.

    dereference: Whether what a symbolic link leads to was backed up in its place, and is compared so.
    """

    dereference: Optional[bool]
