"""Who uses an object: one call at a time."""

from __future__ import annotations

import threading
from typing import Callable, List, TypeVar

from ._errors import StateError

Result = TypeVar("Result")


class _User:
    """One call that uses an object."""

    __slots__ = ("thread",)

    def __init__(self) -> None:
        self.thread = threading.get_ident()


class Users:
    """The calls that want to use an object, of which the first does and all others are refused.

    It is a list, since a signal's handler may raise whenever a call returns, so that a lock can stay held which
    nobody knows of. A list needs no answer: what was put in, in one call, is found there.
    """

    def __init__(self, name: str, are_called: Callable[[], bool]) -> None:
        """`are_called` says whether a callback of the user's is running."""
        self._name, self._are_called = name, are_called
        self._users: List[_User] = []

    def alone(self, work: Callable[[], Result]) -> Result:
        """Does `work` as the only user."""
        me, users = _User(), self._users
        try:
            users.append(me)
            first = users[0]
            if first is not me and not self._left_by_a_signal(first):
                raise StateError(f"the {self._name} is in use by another call")
            return work()
        finally:
            # Nothing may come between these two; a signal's handler does not.
            if me in users:
                users.remove(me)

    def _left_by_a_signal(self, first: _User) -> bool:
        """Whether the user is no more, which is then forgotten.

        Before Python 3.10 a signal's handler may raise between any two steps of a `finally`. A thread that comes
        here while it is using the object does so in one of its callbacks, or else it is not using it any more.
        """
        if first.thread != threading.get_ident() or self._are_called():
            return False
        self._users.remove(first)
        return True
