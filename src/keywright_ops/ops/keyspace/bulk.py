"""Deletes many keys, lets them expire, and brings them back: in small batches, each copied before it goes.

A batch is watched, dumped, written to the disk, and deleted only if none of its keys was changed meanwhile:
what is deleted is what is in the copy. A key that somebody keeps writing is left, and counted.
"""

import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from keywright.errors import ReplyError
from keywright.wire import Wire, Word
from keywright_ops.ops.keyspace.copy_file import CopyFile, Record
from keywright_ops.ops.keyspace.scan import Row

KEYS_AT_ONCE = 200
BYTES_AT_ONCE = 8 << 20  # of memory in one batch, so that its dump is soon made
TRIES = 3  # of a key that changes while it is copied


class Tally(NamedTuple):
    """How a batch ended: `done` keys, `left` that changed meanwhile or cannot be copied, `gone` before."""

    done: int = 0
    left: int = 0
    gone: int = 0

    def plus(self, other: "Tally") -> "Tally":
        """Both together."""
        return Tally(self.done + other.done, self.left + other.left, self.gone + other.gone)


def batches(rows: Sequence[Row]) -> Iterable[list[bytes]]:
    """Names in batches of bounded number and size."""
    names: list[bytes] = []
    weight = 0
    for row in rows:
        names.append(row[0])
        weight += row[3] or 0
        if len(names) >= KEYS_AT_ONCE or weight >= BYTES_AT_ONCE:
            yield names
            names, weight = [], 0
    if names:
        yield names


def delete(wire: Wire, names: Sequence[bytes], copy: CopyFile | None, tries: int = TRIES) -> Tally:
    """Delete a batch by UNLINK. Raises ReplyError for a command that is not allowed."""
    if copy is None:
        done = int(wire.call("UNLINK", *names))
        return Tally(done, gone=len(names) - done)
    records, uncopied = dumped(wire, names)
    if records:
        copy.add(records)
        replies = wire.batch([("MULTI",), ("UNLINK", *(each.name for each in records)), ("EXEC",)])
        _raise(replies)
        if replies[-1] is None:  # one of them was changed since it was watched
            return _again(wire, [each.name for each in records], copy, tries, uncopied)
        _raise(replies[-1])
        done = int(replies[-1][0])
    else:
        wire.call("UNWATCH")
        done = 0
    return Tally(done, uncopied, len(names) - uncopied - done)


def _again(wire: Wire, names: list[bytes], copy: CopyFile, tries: int, left: int) -> Tally:
    """Smaller batches meet fewer changes; one key alone is tried a few times."""
    if len(names) == 1:
        if tries <= 1:
            return Tally(left=left + 1)
        return delete(wire, names, copy, tries - 1).plus(Tally(left=left))
    half = len(names) // 2
    first = delete(wire, names[:half], copy, tries)
    return first.plus(delete(wire, names[half:], copy, tries)).plus(Tally(left=left))


def dumped(wire: Wire, names: Sequence[bytes]) -> tuple[list[Record], int]:
    """Watch keys and dump them with their times; how many could not be (a module's type)."""
    commands: list[tuple[Word, ...]] = [("WATCH", *names), ("TIME",)]
    for name in names:
        commands += (("PTTL", name), ("DUMP", name))
    watched, moment, *told = wire.batch(commands)
    _raise((watched, moment))
    now, records, uncopied = milliseconds(moment), [], 0
    for name, pttl, payload in zip(names, told[::2], told[1::2], strict=True):
        if isinstance(payload, ReplyError):
            if payload.code == "NOPERM":
                raise payload
            uncopied += 1
        elif payload is not None:
            records.append(Record(name, now + pttl if pttl >= 0 else -1, payload))
    return records, uncopied


def milliseconds(moment: Sequence[bytes]) -> int:
    """The server's own time, as TIME answers it."""
    return int(moment[0]) * 1000 + int(moment[1]) // 1000


def expire(
    wire: Wire, names: Sequence[bytes], after: int, copy: CopyFile | None, only_endless: bool
) -> Tally:
    """Let a batch end after so many milliseconds; what their times were is kept in the copy."""
    moment, *times = wire.batch([("TIME",), *(("PTTL", name) for name in names)])
    _raise((moment, *times))
    now = milliseconds(moment)
    there = [(name, pttl) for name, pttl in zip(names, times, strict=True) if pttl != -2]
    if only_endless:
        there = [(name, pttl) for name, pttl in there if pttl == -1]
    if copy is not None and there:
        copy.add(Record(name, now + pttl if pttl >= 0 else -1, None) for name, pttl in there)
    replies = wire.batch([("PEXPIRE", name, after) for name, _ in there])
    _raise(replies)
    done = sum(replies)
    return Tally(done, gone=len(names) - done)


class Restored(NamedTuple):
    """How bringing back ended: `done`; `there` were there (again) and were left; `ended` had run out
    meanwhile; `refused` by the server, `why` its first words."""

    done: int = 0
    there: int = 0
    ended: int = 0
    refused: int = 0
    why: str = ""

    def plus(self, other: "Restored") -> "Restored":
        """Both together; the first reason counts."""
        return Restored(
            self.done + other.done, self.there + other.there, self.ended + other.ended,
            self.refused + other.refused, self.why or other.why,
        )  # fmt: skip


def restore(wire: Wire, records: Sequence[Record], now: int, *, replace: bool) -> Restored:
    """Bring a batch back with the times it had. `now` is the server's time in milliseconds."""
    alive = [each for each in records if each.ends < 0 or each.ends > now]
    more = ("ABSTTL", "REPLACE") if replace else ("ABSTTL",)
    commands: list[tuple[Word, ...]] = []
    for name, ends, payload in alive:
        if payload is not None:
            commands.append(("RESTORE", name, max(ends, 0), payload, *more))
        else:
            commands.append(("PERSIST", name) if ends < 0 else ("PEXPIREAT", name, ends))
    done = there = refused = 0
    why = ""
    for record, reply in zip(alive, wire.batch(commands), strict=True):
        if isinstance(reply, ReplyError):
            if reply.code == "NOPERM":
                raise reply
            there += reply.code == "BUSYKEY"
            refused += reply.code != "BUSYKEY"
            why = why or ("" if reply.code == "BUSYKEY" else str(reply))
        elif record.payload is None and not reply:
            there += 1
        else:
            done += 1
    return Restored(done, there, len(records) - len(alive), refused, why)


class Rest:
    """Keeps a share of the server's time free between batches."""

    def __init__(self, pace: float) -> None:
        self._pace, self._began = pace, time.monotonic()

    def begin(self) -> None:
        """A batch begins."""
        self._began = time.monotonic()

    def rest(self) -> None:
        """A batch has ended: wait as long as the pace asks for."""
        if self._pace < 1:
            time.sleep((time.monotonic() - self._began) * (1 / self._pace - 1))


def _raise(replies: Iterable[object]) -> None:
    for reply in replies:
        if isinstance(reply, ReplyError):
            raise reply
