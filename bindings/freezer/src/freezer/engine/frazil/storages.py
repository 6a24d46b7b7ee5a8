"""The agent's storages, as the agent's own part of a backup or a restore is to see them."""

from __future__ import annotations

from typing import Any, Dict, List

from freezer.storage import multiple


def each_of(storage: Any) -> List[Any]:
    """The storages that a backup goes to: those of a job that names several, or the one."""
    return list(getattr(storage, "storages", [storage]))


class Chosen:
    """A storage as far as the restoring half of the agent asks for it: it has these levels."""

    def __init__(self, levels: Dict[int, Any]) -> None:
        self.levels = levels

    def get_latest_level_zero_increments(self, **_question: object) -> Dict[int, Any]:
        return self.levels


class Continued:
    """A storage as the backing half of the agent asks for it: the next backup is made against this one, and every
    storage that fails is an error."""

    def __init__(self, storage: Any, previous: Any) -> None:
        self._storage, self._previous = storage, previous

    def previous_backup(self, **_question: object) -> Any:
        return self._previous

    def write_backup(self, rich_queue: Any, backup: Any) -> None:
        """As the agent's own; of several storages, the agent passes over what one raises."""
        heard = [_Heard(storage) for storage in each_of(self._storage)]
        if len(heard) == 1:
            self._storage.write_backup(rich_queue, backup)
            return
        try:
            multiple.MultipleStorage(heard).write_backup(rich_queue, backup)
        finally:
            for storage in heard:
                storage.stop()
        for storage in heard:
            if storage.error is not None:
                raise storage.error

    def put_metadata(self, *paths_and_backup: Any) -> None:
        self._storage.put_metadata(*paths_and_backup)


class _Heard:
    """One storage of several, of which it is known afterwards whether it failed."""

    def __init__(self, storage: Any) -> None:
        self._storage = storage
        self._queue: Any = None
        self._is_stopped = False
        self.error: Any = None

    def write_backup(self, rich_queue: Any, backup: Any) -> None:
        self._queue = rich_queue
        if self._is_stopped:
            rich_queue.force_stop()
        try:
            self._storage.write_backup(rich_queue, backup)
        except BaseException as error:
            self.error = error
            raise

    def stop(self) -> None:
        """Ends its thread, which goes on waiting where another storage, or the source, has failed."""
        self._is_stopped = True
        if self._queue is not None:
            self._queue.force_stop()
