"""Which backups of a storage belong together, and which of them the next is made against."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

from oslo_log import log

from freezer.engine.frazil import storages
from freezer.storage import base
from freezer.utils import utils

LOG = log.getLogger(__name__)

DAY = 86400


class Chain:
    """The backups of one level 0, those that can be restored: each with metadata, and with the one that it was made
    against.

    The metadata is what the agent puts last. Where it failed to, it leaves a directory that it takes for a backup, and
    that is none.
    """

    def __init__(self, zero: Any, until: Optional[int] = None) -> None:
        """With what is no younger than `until`, seconds since 1970, alone."""
        self.zero = zero
        self._found: Dict[str, Any] = {}
        self._parents: Dict[str, Optional[str]] = {}
        # What cannot be restored, since the one that it was made against is missing.
        self._orphans: List[Tuple[Any, Optional[str]]] = []
        # In the order of their levels, so that what one was made against is known.
        for backup in sorted(_increments(zero, until), key=_order):
            metadata = _metadata(backup)
            if metadata is None:
                LOG.warning(f"Passing over {_named(backup)}, which the agent did not complete: it has no metadata")
            elif backup.level and metadata.get("parent") not in self._found:
                self._orphans.append((backup, metadata.get("parent")))
            else:
                self._found[metadata["id"]] = backup
                self._parents[metadata["id"]] = metadata.get("parent")

    def newest(self, level: Optional[int] = None) -> Any:
        """The newest of the highest level, or of this one; `None` where there is none."""
        found = [backup for backup in self._found.values() if level in (None, backup.level)]
        return max(found, key=_order, default=None)

    def keep(self, other: Chain) -> None:
        """Keeps what the chain has in another storage, too."""
        self._found = {id: backup for id, backup in self._found.items() if id in other._found}

    def check(self, newest: Any) -> None:
        """`LookupError` where a backup is newer than this one, and cannot be restored."""
        for orphan, parent in self._orphans:
            if newest is None or _order(orphan) > _order(newest):
                raise LookupError(f"{_named(orphan)} was made against backup {parent}, which is not there")

    def up_to(self, backup: Any) -> Dict[int, Any]:
        """A backup and those that it was made against, by level."""
        levels = {}
        wanted: Optional[str] = next(id for id, found in self._found.items() if found is backup)
        while wanted is not None:
            levels[self._found[wanted].level] = self._found[wanted]
            wanted = self._parents[wanted]
        return levels


def previous_backup(
    engine: Any,
    storage: Any,
    hostname_backup_name: str,
    incremental: Any,
    max_level: Any,
    always_level: Any,
    restart_always_level: Any,
) -> Any:
    """As that of the agent's storages, of backups that can be restored, out of any storage where there are several;
    `None` for a level 0. Days are counted from the level 0 of the chain."""
    zero = _newest_zero(engine, storage, hostname_backup_name, None) if incremental else None
    if zero is None:
        return None
    chain, *others = [Chain(zero.copy(each)) for each in storages.each_of(storage)]
    for other in others:
        chain.keep(other)
    newest = chain.newest()
    if newest is None or (max_level and newest.level >= max_level):
        return None
    if always_level and newest.level > always_level:
        return None
    if restart_always_level and utils.DateTime.now().timestamp > zero.timestamp + restart_always_level * DAY:
        return None
    if always_level and newest.level == always_level:
        return chain.newest(newest.level - 1)
    return newest


def levels_of(engine: Any, storage: Any, hostname_backup_name: str, until: Optional[int]) -> List[Dict[int, Any]]:
    """The newest backup that is no younger than `until`, seconds since 1970, and those that it was made against,
    by level: once for each storage that has all of them.

    `IndexError` where there is none, as of the agent's own; `LookupError` where it cannot be restored. A storage whose
    metadata cannot be read is passed over where another's can.
    """
    zero = _newest_zero(engine, storage, hostname_backup_name, until)
    if zero is None:
        raise IndexError(f'No matching backup name "{hostname_backup_name}" found')
    chains, failure = [], None
    for each in storages.each_of(storage):
        try:
            chains.append(Chain(zero.copy(each), until))
        except LookupError as error:
            LOG.warning(f"Passing over a storage: {error}")
            failure = error
    if failure is not None and not chains:
        raise failure
    newest = max(filter(None, (chain.newest() for chain in chains)), key=_order, default=None)
    for chain in chains:
        chain.check(newest)
    if newest is None:
        raise LookupError(f"{_named(zero)} was not completed by the agent: it has no metadata")
    return [chain.up_to(found) for chain in chains if (found := chain.newest()) and _order(found) == _order(newest)]


def _newest_zero(engine: Any, storage: Any, hostname_backup_name: str, until: Optional[int]) -> Any:
    zeros = storage.get_level_zero(engine=engine, hostname_backup_name=hostname_backup_name, recent_to_date=until)
    return max(zeros, key=lambda zero: zero.timestamp, default=None)


def _increments(zero: Any, until: Optional[int]) -> List[Any]:
    """All backups of the chain, several of one level among them."""
    found = []
    for name in zero.storage.listdir(zero.increments_metadata_path):
        level, timestamp = map(int, name.split("_"))
        if not until or timestamp <= until:
            found.append(
                base.Backup(
                    engine=zero.engine,
                    hostname_backup_name=zero.hostname_backup_name,
                    level_zero_timestamp=zero.level_zero_timestamp,
                    timestamp=timestamp,
                    level=level,
                    storage=zero.storage,
                )
            )
    return found


def _metadata(backup: Any) -> Optional[Dict[str, Any]]:
    """The metadata of a backup; `None` where there is none, or not all of it."""
    try:
        metadata: Dict[str, Any] = backup.metadata()
    except (FileNotFoundError, IndexError, ValueError):
        return None
    except Exception as error:
        # That a storage does not answer says nothing of what it has.
        raise LookupError(f"the metadata of {_named(backup)} cannot be read: {error}") from error
    return metadata if "id" in metadata else None


def _order(backup: Any) -> Tuple[int, int]:
    return backup.level, backup.timestamp


def _named(backup: Any) -> str:
    return f"{backup.hostname_backup_name} level {backup.level} of {backup.timestamp}"
