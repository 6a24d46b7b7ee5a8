"""Options, which are keyword arguments here and structs in C.

None of them is needed; `None` and what is left out stand for the default. Numbers are bytes where
nothing else is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Iterable, Mapping, Optional

from . import _choices as choices
from ._observer import EntryReport, Following
from ._streams import AnyPath, OpenFile, Sink

if TYPE_CHECKING:
    from ._archive import Entry


class LevelOptions(Following, total=False):
    """Options of a level or a signature. The defaults suit a backup."""

    block_len: Optional[int]
    """Bytes in a block of the new signature, 1 to 2^30. Where this, `strong_len`, `weak` and `strong` are
    all left out they are those of the basis's signature, if it has whole BLAKE2b sums; else 64 KiB, the
    whole sum, RabinKarp and BLAKE2b."""
    strong_len: Optional[int]
    """Bytes kept of each strong sum."""
    weak: Optional[choices.Weak]
    """The rolling sum."""
    strong: Optional[choices.Strong]
    """The strong sum."""
    format: Optional[choices.Format]
    """The form of the level's stream: `"sealed"` by default."""
    matching: Optional[choices.Matching]
    """Which matches are looked for: `"auto"` by default."""
    engine: Optional[choices.Engine]
    """Who computes sums and finds matches: `"native"` by default."""
    threads: Optional[int]
    """How many threads compute sums; by default as many as there are processors."""
    memory_limit: Optional[int]
    """Bytes that buffers, index and new signature may take, beside the basis's signature; 1 GiB by default."""
    target_len: Optional[int]
    """The length of the source, where it is known; no more than that is read. A file that is opened by its
    path is measured without being told."""
    basis_path: Optional[AnyPath]
    """Names the basis in the stream, where its path is another than the target's."""
    basis_signature_path: Optional[AnyPath]
    """The file that holds the basis's signature, in place of a `Signature`: its sums are read from there as
    they are wanted, so that memory stays constant however long the basis is, and blocks are matched in their
    place alone."""
    allow_weak: Optional[bool]
    """Whether a sealed level may be made against a signature of MD4 or shortened sums."""
    hold_signature: Optional[bool]
    """Whether the new signature is held in memory: `True` by default, unless there is `signature_to`."""
    signature_to: Optional[Sink]
    """Is given the new signature on the way: an object with `write`, or a function. The signature is then
    not held, and memory stays constant however long the content is."""
    signature_format: Optional[choices.Format]
    """The form in which `signature_to` is given the signature."""


class PatchOptions(Following, total=False):
    """Options of a patch or a chain."""

    max_output: Optional[int]
    """The most bytes that may come out; by default what a sealed delta declares, and 1 TiB where it
    declares nothing, as every plain one."""
    index_memory: Optional[int]
    """Bytes that the index of all levels of a chain may take together; 8 MiB by default."""
    verify_basis: Optional[choices.VerifyBasis]
    """When the basis is verified; the default is never wrong."""
    replace: Optional[bool]
    """Whether a file that is there already may be replaced: `False` by default."""
    threads: Optional[int]
    """How many threads verify; by default as many as there are processors."""


class Selection(Following, total=False):
    """What a backup leaves out, and what is no difference when a tree is verified."""

    excludes: Optional[Iterable[str]]
    """Lines as in a `.gitignore` at the root of the tree, the last of which that matches decides; one that
    begins with `!` takes in."""
    exclude_marked: Optional[Iterable[AnyPath]]
    """Leaves out what is in a directory that holds anything of one of these names, `.nobackup` for one."""
    exclude_caches: Optional[bool]
    """Whether to leave out what is in a directory with a valid `CACHEDIR.TAG`."""
    nodump: Optional[bool]
    """Whether to leave out what has the `nodump` flag."""
    one_file_system: Optional[bool]
    """Whether to stay on the file system of the root."""


class BackupOptions(Selection, total=False):
    """Options of the backup of a tree."""

    filter: Optional[choices.Filter]
    """What the archive is compressed with: `"none"` by default."""
    matching: Optional[choices.Matching]
    """Which matches are looked for in a file that changed: `"auto"` by default."""
    block_len: Optional[int]
    """Bytes in a block, 1,024 to 2^30; by default 64 KiB, and above level 0 that of the chain, which can be
    no other."""
    threads: Optional[int]
    """How many threads compute and compress; by default as many as there are processors."""
    memory_limit: Optional[int]
    """Bytes of memory that the signature and the index of one changed file may take; 1 GiB by default."""
    link_memory: Optional[int]
    """Bytes of memory for files of which not all names were met; 32 MiB by default. Beyond it, hard links
    become files of their own, and that is told to `problem`."""
    dereference: Optional[bool]
    """Whether what a symbolic link leads to is backed up in its place."""
    always_read: Optional[bool]
    """Whether every file is read, whatever its metadata says."""
    ignore_ctime: Optional[bool]
    """Whether a file is taken for unchanged although its change time is another."""
    ignore_inode: Optional[bool]
    """Whether a file is taken for unchanged although its inode is another."""
    trust_holes: Optional[bool]
    """Whether the holes that a file system tells of are taken for zeros without being read."""
    compare_device: Optional[bool]
    """Whether a file on another device is read again; the number of a device may be another after every start
    of the system."""
    leave_out: Optional[Iterable[OpenFile]]
    """Leaves out the regular files that these are open on, file descriptors or objects with `fileno`, wherever
    in the tree they are met: the archive, where it is written to a file in there. The snapshot is left out
    without it."""
    entry: Optional[Callable[[EntryReport], object]]
    """Is told of each entry that the backup has looked at, or found gone; not of what it passed over as
    unchanged."""


class RestoreOptions(Following, total=False):
    """Options of the restoration of a level of a tree."""

    overwrite: Optional[bool]
    """Whether what is in the way is replaced. What the archive does not name is never touched."""
    accept_partial: Optional[bool]
    """Whether to go on from a level that was restored in part; an entry that lacks what it is made from is then
    left as it is and told to `problem`."""
    keep_going: Optional[bool]
    """Whether to restore what is whole of a damaged archive; else damage anywhere leaves the tree as it was."""
    privileged: Optional[bool]
    """Whether root restores what gives power over the system: devices, set-id bits, and attributes named
    `trusted.*` and `security.*`."""
    numeric_owner: Optional[bool]
    """Whether root restores owners by their numbers instead of by their names."""
    dry_run: Optional[bool]
    """Whether everything is read and verified, and nothing changed."""
    sync: Optional[choices.Sync]
    """When what was restored is flushed to the disk: `"level"` by default."""
    threads: Optional[int]
    """How many threads verify; by default as many as there are processors."""
    max_file_len: Optional[int]
    """Bytes that one restored file may have; 1 TiB by default."""
    assume_parent: Optional[bytes]
    """The id of the level at which the destination stands, 16 bytes, where it does not say so itself."""
    paths: Optional[Iterable[AnyPath]]
    """Restores these paths and what is below them alone. All levels of a chain have to be restored with the
    same. What needs a file that is not selected is left out and told to `problem`."""
    strip: Optional[int]
    """Leaves out so many of the first names of each path; what has no more is not restored."""
    prefix: Optional[AnyPath]
    """Puts everything below this path of the destination, which is made if need be."""
    users: Optional[Mapping[int, int]]
    """Numbers of users that become others."""
    groups: Optional[Mapping[int, int]]
    """Numbers of groups that become others."""
    verify_parent: Optional[bool]
    """Whether the content of files that are replaced, deleted or only given other metadata is read and held
    against the level before too, not their kind and size alone."""
    max_output: Optional[int]
    """Bytes that all restored files of the level may have together; no limit by default."""
    restoring: Optional[Callable[[Entry], object]]
    """Is told what becomes of each entry, as `list_archive` gives it, while the restoration takes it in."""


class VerifyOptions(Selection, total=False):
    """Options of the verification of a tree: what was left out of the backup, and is no difference."""
