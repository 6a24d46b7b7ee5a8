"""Levels of one stream of bytes, for engines whose source is no tree: an image of Glance, a disk of Nova.

Such an engine has its source as an iterator of bytes of any lengths, that can be read once. Its `backup_data` gives
what `backed_up` gives, and the level before is known by its signature, which is the engine metadata of the agent:

    def backup_data(self, backup_resource, manifest_path):
        image = self.client.download_image(self.glance.get_image(backup_resource))
        yield from streams.backed_up(image, manifest_path, self.max_segment_size)

What else it has to remember of the source belongs into `metadata()`, as Glance's engine does with the image. To
restore, it keeps a file that each level turns into its next state, and uploads that when the agent has restored the
last one; or, where only level 0 is ever made, it uploads what `restored` gives, as it comes:

    def restore_level(self, restore_resource, read_pipe, backup, except_queue):
        with streams.reported(except_queue):
            streams.restore_file(read_pipe, self.image_file, backup.level)

`backed_up` stands for `frazil.gen_sig_from_stream`, with a level that is pulled: that function pushes a level out until
it ends, and a generator has to give what it makes while it makes it. `restore_file` stands for
`frazil.patch_from_stream`, which takes any level that fits, where this one takes the level that the agent says; and so
does `restored`, where there is no file. Memory is constant, however long the source is. What goes wrong is raised where
the function was called, or its iterator is read.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Iterable, Iterator, Optional

import frazil

from freezer.engine.frazil.pipes import Connection, received, reported

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["Connection", "backed_up", "received", "reported", "restore_file", "restored"]


def backed_up(
    pieces: Iterable[bytes],
    manifest_path: str,
    max_segment_size: int,
    *,
    rolling: bool = False,
    **options: Unpack[frazil.LevelOptions],
) -> Iterator[bytes]:
    """Makes the next level of a source, in segments that are full but for the last.

    `manifest_path` is the signature of the level before, or no file for level 0. When the last segment has been
    taken, the new signature is in its place; after a failure, what was there is.

    The signature before is read as it is wanted. Blocks are matched in their place alone, as suits disks; `rolling`
    finds content that has moved, too, and holds an index in memory: at most 12 bytes for each block. **options are those of `frazil.Level`; the length of a block, 64 KiB by default, is
    that of the level before.
    """
    new = manifest_path + ".new"
    if os.path.isfile(manifest_path):
        options["basis_signature_path"] = manifest_path
        options.setdefault("matching", "auto" if rolling else "aligned")
    try:
        with open(new, "wb") as signature:
            options["signature_to"] = signature
            with frazil.Level(pieces, None, **options) as level:
                yield from level.chunks(max_segment_size)
                level.finish_summary()
        os.replace(new, manifest_path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(new)


def restore_file(read_pipe: Connection, path: str, level: int) -> frazil.PatchSummary:
    """Turns the file at `path` into its state at a level, whole or not at all: at level 0 it is made, or replaced;
    at level n it has to be what level n-1 has left, all of which is read before.

    `frazil.WrongBasisError` when it is not, or when a level 0 comes at level n or the other way round. A stream says
    what it was made against and not its number, so that a level which leaves everything as it was fits twice.
    `frazil.TruncatedError` when it has no end, and `frazil.FileNotFoundError` when there is no file at level n.
    """
    basis = path if level else None
    return frazil.patch_file(basis, received(read_pipe), path, replace=True, verify_basis="before")


def restored(read_pipe: Connection, basis: Optional[str] = None) -> Iterator[bytes]:
    """The content at a level, in pieces as they come: of level 0, or with the path of the content at the level
    before as `basis`.

    What was given is provisional until the iterator ends: it raises what `restore_file` does, and the level is
    then not whole.
    """
    with frazil.PatchReader(basis, received(read_pipe)) as patch:
        yield from patch.chunks()
        patch.finish()
