"""Samples a running server at intervals: one round trip each, and only what the screen shows."""

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from keywright.errors import ReplyError
from keywright.wire import Reply, Word
from keywright_ops.facts.clients import Connection, parse_connections
from keywright_ops.facts.info import parse_info
from keywright_ops.facts.numbers import whole
from keywright_ops.facts.rates import CommandRate, parse_command_rates
from keywright_ops.facts.slowlog import Logged, parse_slowlog
from keywright_ops.ops.top.reading import Reading, read

SENDS = ("INFO", "CLIENT LIST", "SLOWLOG GET")
HISTORY = 240  # readings that a graph can show
MANY_CLIENTS = 500  # beyond it the list is asked at every tenth sample: it costs 2 µs a client
SLOW_SHOWN = 32

COMMANDS, CLIENTS, SLOW = "commands", "clients", "slow"

Ask = Callable[[Sequence[Sequence[Word]]], list[Reply]]


class Sample(NamedTuple):
    """What the server told at one moment (`when`: monotonic seconds, `now`: since 1970)."""

    when: float
    now: float
    info: Mapping[str, str]
    stats: Mapping[str, str]


class Seen(NamedTuple):
    """What the screen shows: the last reading, its history, and the table that was asked for.

    `denied` is why a part cannot be shown, by part.
    """

    reading: Reading
    history: Sequence[Reading]
    commands: tuple[CommandRate, ...]
    clients: tuple[Connection, ...]
    slow: tuple[Logged, ...]
    info: Mapping[str, str]
    denied: Mapping[str, str]


class Watch:
    """Watches one server through `ask`; each `look` is one round trip."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._last: Sample | None = None
        self._history: deque[Reading] = deque(maxlen=HISTORY)
        self._clients: tuple[Connection, ...] = ()
        self._slow: tuple[Logged, ...] = ()
        self._denied: dict[str, str] = {}
        self._turn = 0

    def look(self, table: str = COMMANDS) -> Seen | None:
        """Sample, and return what is seen; None at the first sample, which has none to compare with.

        Raises Unreachable, and ReplyError where INFO itself is not allowed.
        """
        words: list[Sequence[Word]] = [("INFO",), ("INFO", "commandstats")]
        asks_clients = table == CLIENTS and self._due()
        if asks_clients:
            words.append(("CLIENT", "LIST"))
        elif table == SLOW:
            words.append(("SLOWLOG", "GET", SLOW_SHOWN))
        replies = self._ask(words)
        if isinstance(replies[0], ReplyError):
            raise replies[0]
        stats = "" if isinstance(replies[1], ReplyError) else replies[1]
        if asks_clients:
            self._take_clients(replies[2])
        elif table == SLOW:
            self._take_slow(replies[2])
        self._turn += 1
        sample = Sample(time.monotonic(), time.time(), parse_info(replies[0]), parse_info(stats))
        before, self._last = self._last, sample
        if before is None:
            return None
        span = sample.when - before.when
        reading = read(before.info, sample.info, span, sample.now)
        self._history.append(reading)
        return Seen(
            reading,
            self._history,
            parse_command_rates(before.stats, sample.stats, span),
            self._clients,
            self._slow,
            sample.info,
            dict(self._denied),
        )

    def _due(self) -> bool:
        if self._last is None:
            return True
        many = whole(self._last.info, "connected_clients") > MANY_CLIENTS
        return not many or not self._clients or self._turn % 10 == 0

    def _take_clients(self, reply: Reply) -> None:
        if isinstance(reply, ReplyError):
            self._denied[CLIENTS] = str(reply)
            return
        self._clients = parse_connections(reply)

    def _take_slow(self, reply: Reply) -> None:
        if isinstance(reply, ReplyError):
            self._denied[SLOW] = str(reply)
            return
        self._slow = parse_slowlog(reply)
