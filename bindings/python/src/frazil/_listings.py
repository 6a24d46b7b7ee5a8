"""What a tree, an archive or a snapshot holds, as an iterator.

The library tells a function of one thing after the other and cannot be left in between. So a thread of its own
listens to it, no further ahead than `AHEAD`, and waits for whoever iterates.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterable, Iterator
from queue import Empty, SimpleQueue
from typing import Any, Callable, Generic, Optional, TypeVar, Union

from . import _ending as ending
from ._aliases import AnyPath, Item, Self, Stream, Told, Unpack
from ._archive import read_archive
from ._callbacks import Callbacks
from ._entries import Difference, Entry, SnapshotEntry
from ._errors import StateError
from ._handles import Single
from ._option_structs import verify_options
from ._options import VerifyOptions
from ._snapshot import read_snapshot
from ._streams import Input
from ._summaries import ArchiveSummary, SnapshotSummary, VerifySummary
from ._users import Users
from ._verification import read_tree

SummaryType = TypeVar("SummaryType")

# How many items may be there that nobody has taken.
AHEAD = 256

# How long an end that a signal has taken out of its queue is not seen; all else is seen at once.
LOOK_SECONDS = 0.1

CLOSED = "is closed"


class _GivenUp(BaseException):
    """What ends the thread of a listing that nobody wants the rest of."""


class _End:
    """What comes behind the last item."""

    def __init__(self, summary: Any, error: Optional[BaseException]) -> None:
        self.summary, self.error = summary, error


class _Channel:
    """What the thread and the iterator share: it knows neither, so that the iterator can be forgotten.

    These queues are of C, and nothing that a signal's handler raises can leave a lock of theirs held. What was taken
    out of one just then is lost; so the end is kept beside it, and nobody waits for it without looking there.
    """

    def __init__(self) -> None:
        self.items: SimpleQueue[Any] = SimpleQueue()
        self.end: Optional[_End] = None
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
        while True:
            try:
                item = self.items.get(timeout=LOOK_SECONDS)
            except Empty:
                if self.end is None or not self.items.empty():
                    continue
                return self.end
            self._room.put(None)
            return item

    def give_up(self) -> None:
        """Has the thread end soon."""
        self._is_given_up = True
        self._room.put(None)

    def run(self, read: Callable[[Told[Any], Callbacks], Any], callbacks: Callbacks) -> None:
        """What the thread does."""
        summary: Any = None
        error: Optional[BaseException] = None
        try:
            summary = read(self.put, callbacks)
        except BaseException as raised:
            error = raised
        self.end = _End(summary, error)
        self.items.put(self.end)


_open: weakref.WeakSet[_Channel] = weakref.WeakSet()


def _give_up_all() -> None:
    for channel in list(_open):
        channel.give_up()


# At the end of the interpreter none is to wait for an iterator.
ending.first(_give_up_all)
os.register_at_fork(after_in_child=_open.clear)


class Listing(Single, Iterator[Item], Generic[Item, SummaryType]):
    """An iterator of what a tree, an archive or a snapshot holds, made by `iter_archive`, `iter_snapshot` or
    `iter_differences`. Memory stays constant, however much that is.

    What it has given is provisional until it ends; then `summary` is there. What was raised meanwhile comes out of the
    iteration; after that, or an exception of a signal's handler, it cannot be gone on with. A thread of its own reads
    ahead and calls what the caller gave to be called; `close`, which leaving a `with` block does, ends it, and so does
    forgetting the iterator. It belongs to the process that made it, and to one call at a time.

        with frazil.iter_archive("archive.0") as entries:
            for entry in entries:
                print(entry.path)
    """

    def __init__(self, read: Callable[[Told[Item], Callbacks], SummaryType]) -> None:
        self._channel, self._process = _Channel(), os.getpid()
        self._callbacks = Callbacks(check=self._channel.check)
        self._users = Users("listing", self._callbacks.are_running)
        self._over: Optional[str] = None
        self._is_ended = False
        weakref.finalize(self, self._channel.give_up).atexit = False  # type: ignore[misc]
        run = self._channel.run
        self._thread = threading.Thread(target=run, args=(read, self._callbacks), name="frazil", daemon=True)
        self._thread.start()

    def _alone(self, work: Callable[[], Item]) -> Item:
        if self._process != os.getpid():
            raise StateError("the listing belongs to another process: it was open when this one was forked")
        if threading.current_thread() is self._thread or self._callbacks.is_running_here():
            raise StateError("the listing is in use: it is what calls")
        return self._users.alone(work)

    def __next__(self) -> Item:
        return self._alone(self._next)

    def _next(self) -> Item:
        if self._over is not None:
            raise StateError(f"the listing {self._over}")
        if self._is_ended:
            raise StopIteration
        # What a signal's handler raises may take an item with it.
        self._over = "has failed before"
        item = self._channel.take()
        if not isinstance(item, _End):
            self._over = None
            return item  # type: ignore[no-any-return]
        error, item.error = item.error, None
        if isinstance(error, _GivenUp):
            raise StateError("the listing was given up")
        if isinstance(error, StopIteration):
            # It would be taken for the end.
            raise RuntimeError("the source raised StopIteration") from error
        if error is not None:
            try:
                raise error
            finally:
                # Its traceback holds this frame.
                del error, item
        self._is_ended = True
        self._over = None
        raise StopIteration

    @property
    def summary(self) -> SummaryType:
        """What was listed, as a whole; `StateError` before all of it was taken."""
        if not self._is_ended or self._channel.end is None:
            raise StateError("the listing has not come to its end")
        return self._channel.end.summary  # type: ignore[no-any-return]

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._over == CLOSED

    def close(self) -> None:
        """Gives up what was not taken, and waits until nothing is read any more; nothing the second time. A stream
        of the caller's that waits is waited for, and what it raises then is passed over."""
        if not self.closed and self._process == os.getpid():
            self._alone(self._close)

    def _close(self) -> Any:
        self._over = "is being closed"
        self._channel.give_up()
        while self._channel.end is None:
            self._channel.take()
        self._over = CLOSED

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

    # Refused here, and not by the first that is wanted of it.
    verify_options(options, Callbacks())

    def read(each: Told[Difference], callbacks: Callbacks) -> VerifySummary:
        return read_tree(archives, root, each, callbacks, options)

    return Listing(read)
