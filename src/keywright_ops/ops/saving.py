"""Has the server write a snapshot, or its append-only file anew, and watches it to its true end.

What is running already is waited for: it is older than what was asked for. The server goes on without us
when we are interrupted.
"""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from keywright.errors import ApplyError, KeywrightError, ReplyError
from keywright.wire import Reply, Word
from keywright_ops.facts.info import parse_info
from keywright_ops.facts.saving import (
    DONE,
    FAILED,
    RUNNING,
    Saving,
    judge_rewrite,
    judge_snapshot,
    parse_saving,
)

Ask = Callable[[Sequence[Sequence[Word]]], list[Reply]]
# What is told while it works: "waiting" for another one, "scheduled" behind one, or "running".
Watch = Callable[[str, Saving], None]

FIRST_PACE, LONGEST_PACE = 0.01, 0.25  # seconds between two looks
UNSEEN_PATIENCE = 7.0  # seconds; after a failure a server delays a scheduled snapshot by 5
BUSY = ("already in progress", "can't execute", "Can't BGSAVE", "AOF log rewriting")
SNAPSHOT, REWRITE = "snapshot", "append-only file"
SENDS = ("INFO", "TIME", "BGSAVE", "BGREWRITEAOF")


class Saved(NamedTuple):
    """What was written: `seconds` from its beginning to its end, `waited` those for another one before.

    `before` and `after` are what the server told; `info` its whole INFO as it began.
    """

    kind: str
    seconds: float
    waited: float
    before: Saving
    after: Saving
    info: dict[str, str]

    @property
    def cow(self) -> int:
        """Bytes that were copied because they were written to meanwhile."""
        return self.after.snapshot_cow if self.kind == SNAPSHOT else self.after.rewrite_cow


class SaveFailed(ApplyError):
    """The server could not write it; `kind` says what."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def look(ask: Ask) -> Saving:
    """Return how the data is kept at this moment."""
    return parse_saving(_info(ask))


def snapshot(ask: Ask, watch: Watch, exact: bool = False) -> Saved:
    """Write a snapshot and wait for its end. Raises SaveFailed, or ReplyError for a refusal.

    While the append-only file is rewritten the server is told to do it after that (SCHEDULE); `exact`
    waits instead, so that `info` is of the very moment that the snapshot holds.
    """
    begun = time.monotonic()
    while True:
        pace = _Pace()
        while _occupied(now := look(ask), exact):
            watch("waiting", now)
            pace.rest()
        started_at = time.monotonic()
        words = ("BGSAVE", "SCHEDULE") if now.rewrite_running else ("BGSAVE",)
        clock, info, reply = ask([("TIME",), ("INFO",), words])
        if isinstance(reply, ReplyError):
            if any(each in str(reply) for each in BUSY):
                continue  # another one began between our look and our word
            raise reply
        _demand(clock)
        _demand(info)
        fields = parse_info(info)
        before = parse_saving(fields)
        after = _await_snapshot(ask, watch, before, int(clock[0]), "started" in str(reply))
        if after is not None:
            ended = time.monotonic()
            return Saved(SNAPSHOT, ended - started_at, started_at - begun, before, after, fields)


def _occupied(now: Saving, exact: bool) -> bool:
    return now.snapshot_running or (exact and (now.rewrite_running or now.rewrite_scheduled))


def _await_snapshot(
    ask: Ask, watch: Watch, before: Saving, second: int, started: bool
) -> Saving | None:
    """Watch it to its end; None when a scheduled one never came to be, and is to be asked for again."""
    pace, unseen_since = _Pace(), 0.0
    while True:
        now = look(ask)
        verdict = judge_snapshot(before, now, second, started)
        started = started or now.snapshot_running
        if verdict == DONE:
            return now
        if verdict == FAILED:
            raise SaveFailed(SNAPSHOT, "the server could not write the snapshot")
        if verdict == RUNNING or now.rewrite_running:
            unseen_since = 0.0
            watch("running" if verdict == RUNNING else "scheduled", now)
        elif not unseen_since:
            unseen_since = time.monotonic()
        elif time.monotonic() - unseen_since > UNSEEN_PATIENCE:
            return None
        pace.rest()


def rewrite(ask: Ask, watch: Watch) -> Saved:
    """Write the append-only file anew and wait for its end. Raises as `snapshot` does."""
    begun = time.monotonic()
    while True:
        pace = _Pace()
        while (now := look(ask)).rewrite_running:
            watch("waiting", now)
            pace.rest()
        started_at = time.monotonic()
        info, reply = ask([("INFO",), ("BGREWRITEAOF",)])
        if isinstance(reply, ReplyError):
            if any(each in str(reply) for each in BUSY):
                continue
            raise reply
        _demand(info)
        fields = parse_info(info)
        after = _await_rewrite(ask, watch)
        ended = time.monotonic()
        waited = started_at - begun
        return Saved(REWRITE, ended - started_at, waited, parse_saving(fields), after, fields)


def _await_rewrite(ask: Ask, watch: Watch) -> Saving:
    pace = _Pace()
    while True:
        now = look(ask)
        verdict = judge_rewrite(now)
        if verdict == DONE:
            return now
        if verdict == FAILED:
            raise SaveFailed(REWRITE, "the server could not rewrite its append-only file")
        watch("running" if now.rewrite_running else "scheduled", now)
        pace.rest()


def _info(ask: Ask) -> dict[str, str]:
    reply = ask([("INFO",)])[0]
    _demand(reply)
    return parse_info(reply)


def _demand(reply: Reply) -> None:
    if isinstance(reply, KeywrightError):
        raise reply


class _Pace:
    """Looks soon at first, and less and less often."""

    def __init__(self) -> None:
        self._seconds = FIRST_PACE

    def rest(self) -> None:
        """Sleep until the next look."""
        time.sleep(self._seconds)
        self._seconds = min(LONGEST_PACE, self._seconds * 1.5)
