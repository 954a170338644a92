"""Reads the lines of MONITOR: who sent which command, when; which are wanted; what they add up to.

Pure. A line is looked at by one regular expression: a busy server sends 100,000 of them a second, and
what is not read in time heaps up in the server's memory.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from keywright.secret import MASK
from keywright_ops.facts.masking import SECRETIVE, masked
from keywright_ops.facts.reply_text import quoted
from keywright_ops.facts.words import split_words

_WORD = rb'"((?:[^"\\]|\\.)*)"'
_LINE = re.compile(rb"\+?(\d+\.\d+) \[(\d+) (.*?)\] " + _WORD + rb"(?: " + _WORD + rb")?")
MOST_KINDS = 10_000  # different shapes, clients or commands that are counted; the rest together
_OTHERS = "(others)"

# Where the keys stand: their first place and, 0 for all words from there, how many.
_KEYS = {
    "EVAL": (3, 1), "EVALSHA": (3, 1), "EVAL_RO": (3, 1), "EVALSHA_RO": (3, 1), "FCALL": (3, 1),
    "FCALL_RO": (3, 1),
    "OBJECT": (2, 1), "XGROUP": (2, 1), "XINFO": (2, 1), "MEMORY": (2, 1), "BITOP": (2, 0),
    "ZUNION": (2, 1), "ZINTER": (2, 1), "ZDIFF": (2, 1), "SINTERCARD": (2, 1), "LMPOP": (2, 1),
    "DEL": (1, 0), "UNLINK": (1, 0), "MGET": (1, 0), "EXISTS": (1, 0), "TOUCH": (1, 0), "SUNION": (1, 0),
    "SINTER": (1, 0), "SDIFF": (1, 0), "PFCOUNT": (1, 0), "RENAME": (1, 2), "RENAMENX": (1, 2),
    "COPY": (1, 2),
    "RPOPLPUSH": (1, 2), "LMOVE": (1, 2), "BLMOVE": (1, 2), "SMOVE": (1, 2), "WATCH": (1, 0),
}  # fmt: skip
_SEVERAL = frozenset(_KEYS) | {"XREAD", "XREADGROUP", "MSET", "MSETNX"}
_KEYLESS = frozenset(
    """ACL ASKING AUTH BGREWRITEAOF BGSAVE CLIENT CLUSTER COMMAND CONFIG DBSIZE DEBUG DISCARD ECHO EXEC
    FAILOVER FLUSHALL FLUSHDB FUNCTION HELLO INFO KEYS LASTSAVE LATENCY LOLWUT MODULE MONITOR MULTI PING
    PSUBSCRIBE PSYNC PUBLISH PUBSUB PUNSUBSCRIBE QUIT RANDOMKEY READONLY READWRITE REPLCONF REPLICAOF
    RESET ROLE SAVE SCAN SCRIPT SELECT SHUTDOWN SLAVEOF SLOWLOG SPUBLISH SSUBSCRIBE SUBSCRIBE SUNSUBSCRIBE
    SWAPDB SYNC TIME UNSUBSCRIBE UNWATCH WAIT WAITAOF""".split()
)
_ID = re.compile(r"[0-9a-fA-F-]{8,}|.*[0-9].*|.*[^ -~].*", re.DOTALL)


class Seen(NamedTuple):
    """One command: `time` seconds since 1970 by the server's clock, `address` of the client ("lua" for a
    script's), `command` in upper case, `first` its first argument as MONITOR quotes it, `line` the whole."""

    time: float
    database: int
    address: str
    command: str
    first: bytes
    line: bytes

    @property
    def words(self) -> list[str]:
        """The command and all of its arguments; bytes that are not UTF-8 as surrogates."""
        text = self.line.decode("utf-8", "surrogateescape")
        return split_words(text[text.index("] ") + 2 :]) or [self.command]


def parse_monitor_line(line: bytes) -> Seen | None:
    """Return what a line of MONITOR tells; None for one that tells no command (OK)."""
    match = _LINE.match(line)
    if match is None:
        return None
    time, database, address, command, first = match.groups()
    return Seen(
        float(time),
        int(database),
        address.decode("utf-8", "replace"),
        command.decode("utf-8", "replace").upper(),
        first or b"",
        line,
    )


def masked_line(line: bytes) -> bytes:
    """Return a line of MONITOR without the secrets that its command may carry."""
    seen = parse_monitor_line(line)
    if seen is None or seen.command not in SECRETIVE:
        return line
    words = masked(seen.words)
    if words == seen.words:
        return line
    told = [
        MASK if each == MASK else quoted(each.encode("utf-8", "surrogateescape")) for each in words
    ]
    return line[: line.index(b"] ") + 2] + " ".join(told).encode()


def keys_of(words: Sequence[str]) -> Sequence[str]:
    """Return the keys that a command names, as far as its words alone tell."""
    name = words[0].upper()
    if name in _KEYLESS:
        return ()
    if name in ("XREAD", "XREADGROUP"):
        upper = [each.upper() for each in words]
        at = upper.index("STREAMS") + 1 if "STREAMS" in upper else len(words)
        return words[at : at + (len(words) - at) // 2]
    if name in ("MSET", "MSETNX"):
        return words[1::2]
    first, count = _KEYS.get(name, (1, 1))
    return words[first : first + count if count else None]


def key_shape(key: str) -> str:
    """Return a key with what tells one from the next taken out: session:4f2a… becomes session:*."""
    return ":".join("*" if _ID.fullmatch(part) else part for part in key[:200].split(":"))


class Wanted(NamedTuple):
    """Which commands are shown; what is empty takes all. `keys` is a pattern made by parse_glob."""

    commands: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()
    keys: re.Pattern[bytes] | None = None
    client: str = ""
    database: int | None = None

    def takes(self, seen: Seen, name: str) -> bool:
        """Tell whether this command is wanted; `name` is its client's."""
        if seen.command in self.excluded or (self.commands and seen.command not in self.commands):
            return False
        if self.database is not None and seen.database != self.database:
            return False
        if self.client and self.client not in (name, seen.address, seen.address.rpartition(":")[0]):
            return False
        return self.keys is None or _any_key(self.keys, seen)


def _any_key(pattern: re.Pattern[bytes], seen: Seen) -> bool:
    return any(pattern.fullmatch(key.encode("utf-8", "surrogateescape")) for key in _keys(seen))


class Summary(NamedTuple):
    """What was seen in so many seconds: the number of commands, and how often each command, each shape of
    key and each client, most frequent first."""

    seconds: float
    total: int
    commands: tuple[tuple[str, int], ...]
    shapes: tuple[tuple[str, int], ...]
    clients: tuple[tuple[str, int], ...]


class Tally:
    """Counts what is wanted."""

    def __init__(self) -> None:
        self.count = 0
        self._commands: Counter[str] = Counter()
        self._shapes: Counter[str] = Counter()
        self._clients: Counter[str] = Counter()

    def add(self, seen: Seen, name: str) -> None:
        """Count one command of that client."""
        self.count += 1
        _count(self._commands, seen.command)
        _count(self._clients, name or seen.address.rpartition(":")[0] or seen.address)
        for key in _keys(seen):
            _count(self._shapes, key_shape(key))

    def summary(self, seconds: float, most: int = 10) -> Summary:
        """Return what was counted in so many seconds."""
        counters = (self._commands, self._shapes, self._clients)
        return Summary(seconds, self.count, *(tuple(each.most_common(most)) for each in counters))


def _keys(seen: Seen) -> Sequence[str]:
    """The keys of a command; of one whose only key is its first word, without reading the rest."""
    if seen.command in _KEYLESS:
        return ()
    if seen.command in _SEVERAL or b"\\" in seen.first:
        return keys_of(seen.words)
    return (seen.first.decode("utf-8", "surrogateescape"),) if seen.first else ()


def _count(counter: Counter[str], kind: str) -> None:
    counter[kind if kind in counter or len(counter) < MOST_KINDS else _OTHERS] += 1
