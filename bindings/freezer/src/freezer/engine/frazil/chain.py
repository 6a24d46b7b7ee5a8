"""Which backups of a storage belong together."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from freezer.storage import base


class Chosen:
    """A storage as far as the restoring half of the agent asks for it: it has these levels."""

    def __init__(self, levels: Dict[int, Any]) -> None:
        self.levels = levels

    def get_latest_level_zero_increments(self, **_question: object) -> Dict[int, Any]:
        return self.levels


def levels_of(engine: Any, storage: Any, hostname_backup_name: str, until: Optional[int]) -> Dict[int, Any]:
    """The newest backup that is no younger than `until`, seconds since 1970, and those that it was made against,
    by level.

    `IndexError` where there is none, as of the agent's own; `LookupError` where one is missing in between.
    """
    zeros = storage.get_level_zero(engine=engine, hostname_backup_name=hostname_backup_name, recent_to_date=until)
    if not zeros:
        raise IndexError(f'No matching backup name "{hostname_backup_name}" found')
    increments = _increments(max(zeros, key=lambda zero: zero.timestamp), until)
    newest = max(increments, key=lambda backup: (backup.level, backup.timestamp))
    levels = {newest.level: newest}
    parent = newest.metadata().get("parent")
    for level in range(newest.level - 1, -1, -1):
        found = _with_id(parent, [backup for backup in increments if backup.level == level])
        if found is None:
            raise LookupError(
                f"level {level + 1} of {hostname_backup_name} was made against backup {parent}, "
                f"which is not among those of level {level}"
            )
        levels[level], metadata = found
        parent = metadata.get("parent")
    return levels


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


def _with_id(wanted: Optional[str], backups: List[Any]) -> Any:
    for backup in backups:
        metadata = backup.metadata()
        if metadata.get("id") == wanted:
            return backup, metadata
    return None
