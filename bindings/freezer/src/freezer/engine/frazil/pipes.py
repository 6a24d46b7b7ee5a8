"""What goes from one process of the agent to another while it restores."""

from __future__ import annotations

import contextlib
import pickle
from typing import Iterator, Protocol

from oslo_log import log

LOG = log.getLogger(__name__)

LONGEST = 16384
"""Bytes of an exception that are sent; a pipe takes 65,536."""


class Connection(Protocol):
    """The end of a pipe that is read from: a `multiprocessing.connection.Connection`."""

    def recv_bytes(self) -> bytes: ...


class ExceptQueue(Protocol):
    """Where the agent looks for what was raised in another process."""

    def put(self, error: Exception, /) -> None: ...


def received(read_pipe: Connection) -> Iterator[bytes]:
    """The bytes that come out of a pipe, until the other side closes it.

    It may have closed it too early: the agent passes over an `IOError` of a storage. What is restored has a
    trailer, without which it is refused.
    """
    while True:
        try:
            # With no name, so that it is gone when the next is received.
            yield read_pipe.recv_bytes()
        except EOFError:
            return


@contextlib.contextmanager
def reported(except_queue: ExceptQueue) -> Iterator[None]:
    """Logs what is raised, and puts it where the agent looks for it."""
    try:
        yield
    except Exception as error:
        LOG.exception(printable(error))
        except_queue.put(sendable(error))
        raise


def printable(error: BaseException) -> str:
    """The message of an exception; names that are no text are escaped, which no log takes otherwise."""
    return str(error).encode(errors="backslashreplace").decode()


def sendable(error: Exception) -> Exception:
    """The exception, or what says the same, as far as it can go from one process to another.

    The agent looks for it when the process has ended, which waits for a pipe that is full: what is longer than that
    may take is cut, and whole in the log alone.
    """
    try:
        pickled = pickle.dumps(error)
        pickle.loads(pickled)
        if len(pickled) <= LONGEST:
            return error
    except Exception:
        pass
    return RuntimeError(f"{type(error).__name__}: {printable(error)}"[: LONGEST // 4])
