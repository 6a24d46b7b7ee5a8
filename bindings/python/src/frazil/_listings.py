"""What a tree, an archive or a snapshot holds, as an iterator.

The library tells a function of one thing after the other and cannot be left in between. So a thread of its own
listens to it, no further ahead than `AHEAD`, and waits for whoever iterates.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterable, Iterator
from queue import SimpleQueue
from typing import Any, Callable, Generic, Optional, TypeVar, Union

from . import _ending as ending
from ._aliases import AnyPath, Item, Self, Stream, Told, Unpack
from ._archive import read_archive
from ._callbacks import Callbacks
from ._entries import Difference, Entry, SnapshotEntry
from ._errors import StateError
from ._options import VerifyOptions
from ._snapshot import read_snapshot
from ._streams import Input
from ._summaries import ArchiveSummary, SnapshotSummary, VerifySummary
from ._verification import read_tree

SummaryType = TypeVar("SummaryType")

# How many items may be there that nobody has taken.
AHEAD = 256


class _GivenUp(BaseException):
    """What ends the thread of a listing that nobody wants the rest of."""


class _End:
    """What comes behind the last item."""

    def __init__(self, summary: Any, error: Optional[BaseException]) -> None:
        self.summary, self.error = summary, error


class _Channel:
    """What the thread and the iterator share: it knows neither, so that the iterator can be forgotten.

    These queues are of C, and nothing that a signal's handler raises can leave a lock of theirs held.
    """

    def __init__(self) -> None:
        self.items: SimpleQueue[Any] = SimpleQueue()
        self._room: SimpleQueue[None] = SimpleQueue()
        self._is_given_up = False
        for _ in range(AHEAD):
            self._room.put(None)
        _open.add(self)

    def put(self, item: object) -> None:
        """Waits for room; for the thread."""
        self._room.get()
        self.check()
        self.items.put(item)

    def check(self) -> None:
        """Ends the thread, if nobody wants the rest."""
        ending.check()
        if self._is_given_up:
            raise _GivenUp

    def take(self) -> Any:
        """Waits for an item, or the end; for the iterator."""
        item = self.items.get()
        self._room.put(None)
        return item

    def give_up(self) -> None:
        """Has the thread end soon."""
        self._is_given_up = True
        self._room.put(None)

    def run(self, read: Callable[[Told[Any], Callbacks], Any]) -> None:
        """What the thread does."""
        summary: Any = None
        error: Optional[BaseException] = None
        try:
            summary = read(self.put, Callbacks(check=self.check))
        except BaseException as raised:
            error = raised
        self.items.put(_End(summary, error))


_open: weakref.WeakSet[_Channel] = weakref.WeakSet()


def _give_up_all() -> None:
    for channel in list(_open):
        channel.give_up()


# At the end of the interpreter none is to wait for an iterator.
ending.first(_give_up_all)
os.register_at_fork(after_in_child=_open.clear)


class Listing(Iterator[Item], Generic[Item, SummaryType]):
    """An iterator of what a tree, an archive or a snapshot holds, made by `iter_archive`, `iter_snapshot` or
    `iter_differences`. Memory stays constant, however much that is.

    What it has given is provisional until it ends; then `summary` is there. What was raised meanwhile comes out of the
    iteration. A thread of its own reads ahead and calls what the caller gave to be called; `close`, which leaving a
    `with` block does, ends it, and so does forgetting the iterator. It belongs to the process that made it.

        with frazil.iter_archive("archive.0") as entries:
            for entry in entries:
                print(entry.path)
    """

    def __init__(self, read: Callable[[Told[Item], Callbacks], SummaryType]) -> None:
        self._channel, self._process = _Channel(), os.getpid()
        self._is_closed = False
        self._end: Optional[_End] = None
        weakref.finalize(self, self._channel.give_up).atexit = False  # type: ignore[misc]
        self._thread = threading.Thread(target=self._channel.run, args=(read,), name="frazil", daemon=True)
        self._thread.start()

    def _check_user(self) -> None:
        if self._process != os.getpid():
            raise StateError("the listing belongs to another process: it was open when this one was forked")
        if threading.current_thread() is self._thread:
            raise StateError("the listing is in use: it is what calls")

    def _take(self) -> Any:
        item = self._channel.take()
        if isinstance(item, _End):
            self._end = item
            self._channel.items.put(item)  # for another thread that waits
        return item

    def __next__(self) -> Item:
        self._check_user()
        if self._is_closed:
            raise StateError("the listing is closed")
        if self._end is not None:
            raise StopIteration
        item = self._take()
        if not isinstance(item, _End):
            return item  # type: ignore[no-any-return]
        error, item.error = item.error, None
        if isinstance(error, StopIteration):
            # It would be taken for the end.
            raise RuntimeError("the source raised StopIteration") from error
        if error is not None:
            try:
                raise error
            finally:
                # Its traceback holds this frame.
                del error, item
        raise StopIteration

    @property
    def summary(self) -> SummaryType:
        """What was listed, as a whole; `StateError` before all of it was taken."""
        if self._end is None or self._end.summary is None:
            raise StateError("the listing has not come to its end")
        return self._end.summary  # type: ignore[no-any-return]

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._is_closed

    def close(self) -> None:
        """Gives up what was not taken, and waits until nothing is read any more; nothing the second time. A stream
        of the caller's that waits is waited for."""
        if self._is_closed or self._process != os.getpid():
            return
        self._check_user()
        self._channel.give_up()
        while self._end is None:
            self._take()
        self._is_closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.close()


def iter_archive(archive: Union[AnyPath, Stream]) -> Listing[Entry, ArchiveSummary]:
    """The entries of an archive, as `list_archive` tells of them."""

    def read(each: Told[Entry], callbacks: Callbacks) -> ArchiveSummary:
        return read_archive(Input(archive, callbacks, or_path=True, by_callback=True), callbacks, each)

    return Listing(read)


def iter_snapshot(snapshot: Union[AnyPath, Stream]) -> Listing[SnapshotEntry, SnapshotSummary]:
    """The entries of a snapshot, as `list_snapshot` tells of them."""

    def read(each: Told[SnapshotEntry], callbacks: Callbacks) -> SnapshotSummary:
        return read_snapshot(Input(snapshot, callbacks, or_path=True, by_callback=True), callbacks, each)

    return Listing(read)


def iter_differences(
    archives: Iterable[Union[AnyPath, Stream]], root: AnyPath, **options: Unpack[VerifyOptions]
) -> Listing[Difference, VerifySummary]:
    """The differences between a tree and the archives of its chain, as `verify_tree` tells of them."""

    def read(each: Told[Difference], callbacks: Callbacks) -> VerifySummary:
        return read_tree(archives, root, each, callbacks, options)

    return Listing(read)
