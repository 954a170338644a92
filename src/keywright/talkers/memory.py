"""Holds flows on a store inside the process: for tests, and where ENABLE_REDIS_CACHING is false.

Rule: it answers the commands that flows send as a server does (tests/app/test_memory.py asks both), and
refuses any other; scripts run as their Python twins, one at a time.
"""

import time
from bisect import insort
from collections.abc import Callable, Sequence
from threading import RLock

from keywright.errors import ReplyError
from keywright.flows import SCRIPTS, Ask, Batch, Flow, Reply, T, Word, as_flow, hold

MOST = 100_000  # keys; beyond, the ones that end first make room
Members = list[tuple[float, bytes]]
Value = bytes | Members

_WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value"
_NO_NUMBER = "ERR value is not an integer or out of range"


class Store:
    """Keys with values and ends; the interface that the twins of scripts are given.

    `clock` gives Unix seconds. A method that meets another type raises ReplyError, as a server says it.
    """

    def __init__(self, clock: Callable[[], float] = time.time, most: int = MOST) -> None:
        self._clock, self._most = clock, most
        self.lock = RLock()  # one conversation at a time, whoever holds it
        self._values: dict[bytes, Value] = {}
        self._ends: dict[bytes, int] = {}  # milliseconds

    def now_ms(self) -> int:
        """The time in milliseconds."""
        return int(self._clock() * 1000)

    def _value(self, key: bytes) -> Value | None:
        end = self._ends.get(key)
        if end is not None and end <= self.now_ms():
            self.delete(key)
            return None
        return self._values.get(key)

    def get(self, key: bytes) -> bytes | None:
        """The text at a key, None when there is none."""
        value = self._value(key)
        if isinstance(value, list):
            raise ReplyError(_WRONG_TYPE)
        return value

    def set(self, key: bytes, value: bytes, px: int | None = None) -> None:
        """Put a text at a key; it ends after `px` milliseconds, never when None."""
        self._make_room(key)
        self._values[key] = value
        self._ends.pop(key, None)
        if px is not None:
            self._ends[key] = self.now_ms() + px

    def _make_room(self, key: bytes) -> None:
        if key in self._values or len(self._values) < self._most:
            return
        for each in [each for each in self._ends if self._value(each) is None]:
            self.delete(each)
        if len(self._values) >= self._most:
            soonest = min(self._ends, key=self._ends.__getitem__, default=None)
            self.delete(soonest if soonest is not None else next(iter(self._values)))

    def delete(self, *keys: bytes) -> int:
        """Remove keys; returns how many were there."""
        now, gone = self.now_ms(), 0
        for key in keys:
            end = self._ends.pop(key, None)
            there = self._values.pop(key, None) is not None
            gone += there and (end is None or end > now)
        return gone

    def exists(self, key: bytes) -> bool:
        """Whether there is anything at a key."""
        return self._value(key) is not None

    def keys(self) -> list[bytes]:
        """Every key that has not ended."""
        return [key for key in list(self._values) if self._value(key) is not None]

    def pttl(self, key: bytes) -> int:
        """Milliseconds until a key ends; -1 for never, -2 when it is not there."""
        if self._value(key) is None:
            return -2
        end = self._ends.get(key)
        return -1 if end is None else end - self.now_ms()

    def pexpire(self, key: bytes, ms: int | None) -> bool:
        """Let a key end after `ms` milliseconds (None: never); False when it is not there."""
        if self._value(key) is None:
            return False
        if ms is None:
            self._ends.pop(key, None)
        else:
            self._ends[key] = self.now_ms() + ms
        return True

    def incr(self, key: bytes, by: int = 1) -> int:
        """Count up the number at a key, from 0; its end stays."""
        text = self.get(key)
        try:
            number = int(b"0" if text is None else text) + by
        except ValueError:
            raise ReplyError(_NO_NUMBER) from None
        end = self._ends.get(key)
        self.set(key, b"%d" % number)
        if end is not None:
            self._ends[key] = end
        return number

    def zadd(self, key: bytes, score: float, member: bytes) -> int:
        """Put a member into a sorted set; 1 when it is new."""
        members = self._members(key, make=True)
        new = self._take_out(members, member) is None
        insort(members, (score, member))
        return int(new)

    def zrem(self, key: bytes, *members: bytes) -> int:
        """Take members out of a sorted set; an empty one is gone."""
        found = self._members(key)
        gone = sum(self._take_out(found, member) is not None for member in members)
        if gone and not found:
            self.delete(key)
        return gone

    def zrange(self, key: bytes) -> list[bytes]:
        """The members of a sorted set, lowest score first."""
        return [member for _, member in self._members(key)]

    def zscore(self, key: bytes, member: bytes) -> float | None:
        """The score of a member, None when it is not in it."""
        return next((score for score, each in self._members(key) if each == member), None)

    def _members(self, key: bytes, make: bool = False) -> Members:
        value = self._value(key)
        if isinstance(value, bytes):
            raise ReplyError(_WRONG_TYPE)
        if value is None:
            value = []
            if make:
                self._make_room(key)
                self._values[key] = value
        return value

    @staticmethod
    def _take_out(members: Members, member: bytes) -> float | None:
        for place, (score, each) in enumerate(members):
            if each == member:
                del members[place]
                return score
        return None


class MemoryTalker:
    """Holds flows for threads on a store inside the process; all its users share it."""

    def __init__(self, store: Store | None = None) -> None:
        self.store = store or Store()

    def run(self, flow: Flow[T] | Ask[T]) -> T:
        """Hold one flow to its end and return its value."""
        return hold(as_flow(flow), self.exchange)

    def exchange(self, batch: Batch) -> list[Reply]:
        """Carry out a batch, no other in between."""
        with self.store.lock:
            return [_answered(self.store, words) for words in batch.commands]

    def close(self) -> None:
        """Nothing: what is kept is kept until the process ends."""


class AsyncMemoryTalker:
    """Holds flows in asyncio on a store inside the process."""

    def __init__(self, store: Store | None = None) -> None:
        self._talker = MemoryTalker(store)

    async def run(self, flow: Flow[T] | Ask[T]) -> T:
        """Hold one flow to its end and return its value."""
        return self._talker.run(flow)

    async def aclose(self) -> None:
        """Nothing: what is kept is kept until the process ends."""


def octets(word: Word) -> bytes:
    """A word as a server gets it."""
    if isinstance(word, bytes):
        return word
    return word.encode() if isinstance(word, str) else str(word).encode()


def _answered(store: Store, words: Sequence[Word]) -> Reply:
    from keywright.talkers.commands import COMMANDS

    name, *args = map(octets, words)
    try:
        if name.upper() in (b"EVALSHA", b"EVAL"):
            return _script(store, name.upper(), args)
        command = COMMANDS.get(name.upper())
        if command is None:
            return ReplyError(f"ERR unknown command '{name.decode('utf-8', 'replace')}'")
        return command(store, args)
    except ReplyError as error:
        return error


def _script(store: Store, name: bytes, args: list[bytes]) -> Reply:
    which, count = args[0].decode(), int(args[1])
    if name == b"EVAL":
        script = next((each for each in SCRIPTS.values() if each.lua == which), None)
    else:
        script = SCRIPTS.get(which)
    if script is None:
        return ReplyError("NOSCRIPT No matching script. Please use EVAL.")
    reply = script.twin(store, args[2 : 2 + count], args[2 + count :])
    return int(reply) if isinstance(reply, bool) else reply
