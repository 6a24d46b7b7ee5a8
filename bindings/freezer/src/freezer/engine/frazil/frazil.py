"""The engine `frazil`: block-level backups of trees and files.

Level 0 is the whole tree, level n what changed since level n-1, block by block: `frazil.TreeBackup` makes the
archive of a level as the agent stores it, `frazil.TreeRestore` restores it as the agent reads it. The engine
metadata of a level is frazil's snapshot of it, which the next level needs and no restore does.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import tempfile
from typing import Any, Dict, Iterable, Iterator, List, Literal, Optional, get_args

import frazil
from oslo_config import cfg
from oslo_log import log

from freezer.engine import engine
from freezer.engine.frazil import archives, chain, openssl, patterns, storages
from freezer.engine.frazil.pipes import printable, received, reported
from freezer.exceptions.engine import EngineException

CONF = cfg.CONF
LOG = log.getLogger(__name__)

FORMAT_VERSION = 1
"""The version of the archives and snapshots."""

Compression = Literal["gzip", "bzip2", "xz"]
DEREFERENCES = (None, "", "soft", "hard", "all")
DEFAULT_SEGMENT_SIZE = 33554432


class FrazilEngine(engine.BackupEngine):  # type: ignore[misc]  # Freezer has no types
    """Backs up and restores trees and single files.

    What it takes is what the agent gives every engine. `symlinks` is the choice of `--dereference-symlink`,
    `encrypt_key` the path of the file with the pass phrase. `rsync_block_size` is bytes in a block of a new
    chain; the agent's default, which it hands to every engine, stands for frazil's own, 64 KiB.
    """

    storage: Any

    def __init__(
        self,
        storage: Any,
        compression: Compression = "gzip",
        symlinks: Optional[str] = None,
        exclude: Optional[str] = None,
        max_segment_size: int = DEFAULT_SEGMENT_SIZE,
        rsync_block_size: Optional[int] = None,
        encrypt_key: Optional[str] = None,
        dry_run: bool = False,
        **_others: object,
    ) -> None:
        super().__init__(storage=storage)
        if compression not in get_args(Compression):
            raise ValueError(f"the compression is one of {', '.join(get_args(Compression))}, not {compression!r}")
        if symlinks not in DEREFERENCES:
            raise ValueError(f"what is dereferenced is soft, hard or all, not {symlinks!r}")
        if encrypt_key == "":
            raise ValueError("the path of the file with the pass phrase is empty; without encryption there is none")
        self.compression: Compression = compression
        self.symlinks = symlinks
        self.exclude = exclude
        self.max_segment_size = max_segment_size
        self.block_len = rsync_block_size if was_chosen("rsync_block_size") else None
        self.encrypt_pass_file = encrypt_key
        self.dry_run = dry_run
        self.summary: Optional[frazil.BackupSummary] = None
        # Of a backup, entries that are told of as problems and were asked for; of a restore, all problems.
        self.names_apart = 0
        self.problems: Any = None

    @property
    def name(self) -> str:
        return "frazil"

    def metadata(self, backup_resource: object = None) -> Dict[str, Any]:
        """What is stored beside a backup: how it was made, and which level of which chain it is."""
        made: Dict[str, Any] = {
            "engine_name": self.name,
            "compression": self.compression,
            "encryption": bool(self.encrypt_pass_file),
            "format_version": FORMAT_VERSION,
            "frazil_version": frazil.library_version(),
        }
        if self.summary is not None:
            header = self.summary.header
            made.update(
                level=header.number,
                id=header.id.hex(),
                parent=header.parent.hex() if header.parent is not None else None,
                root=header.root.hex(),
                block_size=header.block_len,
                partial=self._problems_of(self.summary) > 0,
                problems=self._problems_of(self.summary),
            )
        return made

    def backup(
        self,
        backup_resource: str,
        hostname_backup_name: str,
        incremental: Any,
        max_level: Any,
        always_level: Any,
        restart_always_level: Any,
        queue_size: int = 2,
    ) -> Any:
        """As of every engine, upon a backup that can be restored; a dry run reads everything, and stores nothing, in
        any storage."""
        choice = (hostname_backup_name, incremental, max_level, always_level, restart_always_level)
        previous = chain.previous_backup(self, self.storage, *choice)
        if not self.dry_run:
            with self._asking(storages.Continued(self.storage, previous)):
                return super().backup(backup_resource, *choice, queue_size)
        directory = tempfile.mkdtemp()
        try:
            manifest = os.path.join(directory, "engine_meta")
            if previous:
                previous.storage.get_file(previous.engine_metadata_path, manifest)
            stored = sum(map(len, self.backup_data(backup_resource, manifest)))
        finally:
            shutil.rmtree(directory)
        LOG.info(f"Dry run: level {previous.level + 1 if previous else 0} would take {stored} bytes")
        return None

    @contextlib.contextmanager
    def _asking(self, storage: Any) -> Iterator[None]:
        """Has the agent's own part of the work go by this storage."""
        really, self.storage = self.storage, storage
        try:
            yield
        finally:
            self.storage = really

    def backup_data(self, backup_path: str, manifest_path: str) -> Iterator[bytes]:
        """Makes the archive of the next level, in segments that are full but for the last.

        `manifest_path` is the snapshot of the level before, or no file for level 0; before the last segment is
        taken to its end, the new snapshot is in its place.
        """
        self.summary, self.names_apart = None, 0
        plain, snapshot = manifest_path + ".plain", manifest_path + ".new"
        try:
            since = self._since(manifest_path, plain)
            with self._opened(backup_path, snapshot, since) as backup:
                if self.encrypt_pass_file:
                    yield from openssl.encrypted(backup.chunks(), self.encrypt_pass_file, self.max_segment_size)
                else:
                    yield from backup.chunks(self.max_segment_size)
                summary = backup.finish()
            if self.encrypt_pass_file:
                openssl.encrypt_file(snapshot, manifest_path, self.encrypt_pass_file)
            else:
                os.replace(snapshot, manifest_path)
        finally:
            for path in (plain, snapshot):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path)
        self.summary = summary
        self._tell(summary)

    def _since(self, manifest_path: str, plain: str) -> Optional[str]:
        """The snapshot of the level before, if there is one: the manifest, or what it is decrypted to."""
        if not os.path.isfile(manifest_path):
            return None
        if not openssl.is_encrypted(manifest_path):
            return manifest_path
        if not self.encrypt_pass_file:
            raise ValueError("Cannot go on from encrypted backup without key")
        openssl.decrypt_file(manifest_path, plain, self.encrypt_pass_file)
        return plain

    def _opened(self, path: str, snapshot: str, since: Optional[str]) -> frazil.TreeBackup:
        LOG.info(f"Starting {'an incremental' if since else 'a full'} backup of {path}")
        return frazil.TreeBackup(
            path,
            snapshot,
            since,
            filter=self.compression,
            # Each thread of xz takes 170 MB; that of the agent's tar is one.
            threads=1 if self.compression == "xz" else None,
            # A chain has one block length, which is settled by its level 0.
            block_len=self.block_len if since is None else None,
            excludes=self._excludes(),
            dereference=self.symlinks in ("soft", "all"),
            # With no memory for files with several names, each name is a file of its own.
            link_memory=1 if self._takes_names_apart() else None,
            # As the agent has tar do it.
            one_file_system=True,
            problem=self._problem,
            note=lambda error: LOG.info(printable(error)),
        )

    def _takes_names_apart(self) -> bool:
        return self.symlinks in ("hard", "all")

    def _problem(self, error: frazil.Error) -> None:
        if self._takes_names_apart() and isinstance(error, frazil.LimitError) and "several names" in str(error):
            self.names_apart += 1
        else:
            LOG.warning("Backed up in part: " + printable(error))

    def _problems_of(self, summary: frazil.BackupSummary) -> int:
        return summary.problems - self.names_apart

    def _excludes(self) -> Optional[List[str]]:
        if not self.exclude:
            return None
        lines = patterns.lines(self.exclude)
        if not lines:
            LOG.warning(f"The pattern {self.exclude!r} leaves out nothing, of a tree that is named `.`")
        return lines

    def _tell(self, summary: frazil.BackupSummary) -> None:
        if self.block_len not in (None, summary.header.block_len):
            LOG.warning(
                f"The blocks of this chain are {summary.header.block_len} bytes long; "
                f"{self.block_len} will hold from the next level 0 on"
            )
        if self._problems_of(summary):
            LOG.warning(f"{self._problems_of(summary)} entries could not be backed up as they were; the log names each")
        LOG.info(
            f"Level {summary.header.number} is complete: {summary.entries} entries, {summary.files_read} files "
            f"read, {summary.source_bytes} bytes read, {summary.stream_bytes} bytes of archive"
        )

    def restore(
        self,
        hostname_backup_name: str,
        restore_resource: str,
        overwrite: bool,
        recent_to_date: Optional[int],
        backup_media: Optional[str] = None,
    ) -> None:
        """Restores the newest backup, each of its levels upon the one that it was made against.

        The agent takes any one of several backups of one level, as `--always-level` makes them, in the order
        of a listing; so the engine says which belong together. What could not be restored as it was is an error
        when all levels are restored, as it is with tar.
        """
        # Of `--mode fs` alone the agent itself asks, and makes the directory, which a dry run needs neither of.
        if self.dry_run:
            backup_media = None
        elif backup_media != "fs" and not overwrite and is_full(restore_resource):
            raise EngineException(f"{restore_resource} is not empty; give --overwrite, or another directory")
        found = chain.levels_of(self, self.storage, hostname_backup_name, recent_to_date)
        # The processes that restore the levels count in it.
        problems = self.problems = multiprocessing.Value("Q", 0)
        try:
            for left, levels in zip(reversed(range(len(found))), found):
                problems.value = 0
                try:
                    with self._asking(storages.Chosen(levels)):
                        super().restore(hostname_backup_name, restore_resource, overwrite, recent_to_date, backup_media)
                    break
                except EngineException as error:
                    if not left:
                        raise
                    LOG.error(f"{printable(error)} The next storage has the same backup, and is tried")
                # What is in the way by now was restored here.
                overwrite = True
        finally:
            self.problems = None
        if self.dry_run:
            return
        stands = frazil.recover_restore(restore_resource)
        frazil.conclude_restore(restore_resource)
        if problems.value or stands.partial:
            raise EngineException(
                f"Everything else is restored, but {problems.value} entries could not be as they were; "
                "the log names each"
            )

    def restore_level(self, restore_path: str, read_pipe: Any, backup: Any, except_queue: Any) -> None:
        """Restores one level, in a process of its own: whole, or with an exception and nothing changed."""
        with reported(except_queue):
            metadata = backup.metadata()
            pieces: Iterable[bytes] = received(read_pipe)
            if metadata.get("encryption"):
                if not self.encrypt_pass_file:
                    raise ValueError("Cannot restore encrypted backup without key")
                pieces = openssl.decrypted(pieces, self.encrypt_pass_file)
            pieces = archives.expected(pieces, backup.level, metadata)
            if self.dry_run:
                summary = frazil.verify_archive(pieces)
                LOG.info(f"Dry run: level {backup.level} is whole: {summary.records} entries")
            else:
                self._restored(restore_path, pieces)
                if metadata.get("problems"):
                    LOG.warning(f"{metadata['problems']} entries had not been backed up as they were")

    def _restored(self, path: str, pieces: Iterable[bytes]) -> None:
        # Whether the destination may be written to, the agent has already asked.
        with frazil.TreeRestore(
            path,
            overwrite=True,
            accept_partial=True,
            privileged=True,
            problem=lambda error: LOG.error("Restored in part: " + printable(error)),
            note=lambda error: LOG.info(printable(error)),
        ) as restore:
            for piece in pieces:
                restore.write(piece)
                # Before the next comes, which is as long as a segment.
                del piece
            summary = restore.finish()
        if self.problems is not None:
            self.problems.value += summary.problems
        LOG.info(
            f"Level {summary.header.number} is restored: {summary.entries} entries, {summary.files} files, "
            f"{summary.output_bytes} bytes written, {summary.deleted} entries deleted"
        )


def is_full(directory: str) -> bool:
    """Whether it is there, and has something in it."""
    return os.path.isdir(directory) and bool(os.listdir(directory))


def was_chosen(option: str) -> bool:
    """Whether an option of the agent was set, in a file or on the command line; so also where there is none, and
    the value comes from whoever made the engine."""
    try:
        return CONF.get_location(option).location is not cfg.Locations.opt_default
    except cfg.NoSuchOptError:
        return True
