"""Renews the locks of threads: one daemon thread for each server, which ends when there is nothing to do.

Rule: a lock is renewed after a third of its time; when the server does not answer it is tried again until
the time is over, and then the lock is lost.
"""

import os
import threading
import time
import weakref
from heapq import heappop, heappush
from typing import Any, Protocol

IDLE = 5.0  # seconds after which a thread with nothing to do ends


class Renewable(Protocol):
    """A lock that says when it is to be renewed next."""

    def renew_now(self, token: str) -> float | None:
        """Renew it; the seconds until the next time, None when that is not wanted any more."""
        ...


class Renewals:
    """The locks of one server, in the order in which they are due."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Renewable, str]] = []
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._count = 0

    def add(self, lock: Renewable, token: str, after: float) -> None:
        """Renew the lock in `after` seconds, as long as it has this token."""
        with self._changed:
            self._put(lock, token, after)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name="keywright-locks", daemon=True
                )
                self._thread.start()
            self._changed.notify()

    def _put(self, lock: Renewable, token: str, after: float) -> None:
        self._count += 1
        heappush(self._due, (time.monotonic() + after, self._count, lock, token))

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._due and not self._changed.wait_for(lambda: self._due, IDLE):
                    self._thread = None
                    return
                wait = self._due[0][0] - time.monotonic()
                if wait > 0:
                    self._changed.wait(wait)
                    continue
                _, _, lock, token = heappop(self._due)
            after = lock.renew_now(token)
            if after is not None:
                with self._changed:
                    self._put(lock, token, after)
            del lock


_of: "weakref.WeakKeyDictionary[Any, Renewals]" = weakref.WeakKeyDictionary()
_guard = threading.Lock()


def renewals_of(server: Any) -> Renewals:
    """The renewals of a talker or a client."""
    with _guard:
        found = _of.get(server)
        if found is None:
            found = _of[server] = Renewals()
        return found


def _fresh() -> None:
    """A fork's child holds no lock and has no thread."""
    global _of, _guard
    _of, _guard = weakref.WeakKeyDictionary(), threading.Lock()


os.register_at_fork(after_in_child=_fresh)
