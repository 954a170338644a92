"""monitor: who sends which commands, for a while; what it costs is said before."""

from collections.abc import Callable
from time import monotonic, time
from typing import NamedTuple

from keywright.errors import ReplyError
from keywright_ops.actions.reach import Reached
from keywright_ops.facts.clients import parse_client_list
from keywright_ops.facts.monitored import Seen, Summary, Tally, Wanted, parse_monitor_line
from keywright_ops.ops.line import Line
from keywright_ops.ops.watching import watch
from keywright_ops.targets.door import CLIENT_NAME

SENDS = ("MONITOR", "CLIENT LIST")
# MONITOR in these costs people who did not ask for it.
GUARDED = ("docker-prod", "systemd", "azure", "aws")
BEHIND = (
    3.0  # seconds that we may read later than it was sent, before it is too much for the server
)


class Watched(NamedTuple):
    """`summary` of what was wanted, `shown` how many were told, `passed` how many commands went by in all,
    `ended` why it ended: "time", "limit", "asked" (Ctrl-C) or "behind"."""

    summary: Summary
    shown: int
    passed: int
    ended: str


Tell = Callable[[Seen, str], None]


class Watching:
    """What was seen so far: who is called what, and the counts."""

    def __init__(self, wanted: Wanted, limit: int | None, every: int, tell: Tell) -> None:
        self.tally = Tally()
        self.shown = self.passed = 0
        self._wanted, self._limit, self._every, self._tell = wanted, limit, every, tell
        self._names: dict[str, str] = {}

    def know(self, listed: str) -> None:
        """Take the names of the clients that CLIENT LIST tells."""
        self._names |= {each.address: each.name for each in parse_client_list(listed)}

    def take(self, batch: list[bytes]) -> None:
        """Count and tell what is wanted of these lines."""
        found = [seen for seen in map(parse_monitor_line, batch) if seen is not None]
        for seen in found:  # first: a client logs in before it says its name
            if seen.command == "CLIENT" and seen.first.upper() == b"SETNAME":
                self._names[seen.address] = "".join(seen.words[2:3])
        for seen in found:
            name = self._names.get(seen.address, "")
            if name == CLIENT_NAME:
                continue
            self.passed += 1
            if self._wanted.takes(seen, name):
                self.tally.add(seen, name)
                if (self.tally.count - 1) % self._every == 0 and not self.enough:
                    self._tell(seen, name)
                    self.shown += 1

    @property
    def enough(self) -> bool:
        """Whether as many were told as were asked for."""
        return self._limit is not None and self.shown >= self._limit


def monitor(
    reached: Reached, wanted: Wanted, seconds: float, limit: int | None, every: int, tell: Tell
) -> Watched:
    """Watch for so many seconds and tell every wanted command (each `every`th), at most `limit`.

    What Keywright itself sends is left out. Raises ReplyError, which says what to use instead where the
    server does not allow MONITOR.
    """
    watching = Watching(wanted, limit, every, tell)
    begun, ended = monotonic(), "time"
    listed = reached.ask([("CLIENT", "LIST")])[0]
    watching.know("" if isinstance(listed, ReplyError) else listed)
    try:
        with Line(reached.wire()) as line:
            ended = _listen(line, seconds, watching)
    except ReplyError as refusal:
        raise reached.explain(refusal, ("MONITOR",)) from None
    except KeyboardInterrupt:
        ended = "asked"
    taken = monotonic() - begun
    return Watched(watching.tally.summary(taken), watching.shown, watching.passed, ended)


def _listen(line: Line, seconds: float, watching: Watching) -> str:
    lag = Lag()
    for batch in watch(line, seconds):
        watching.take(batch)
        if watching.enough:
            return "limit"
        if lag.grown(batch) > BEHIND:
            return "behind"
    return "time"


class Lag:
    """How far we read behind what the server sends, by its own clock; the least seen counts as none."""

    def __init__(self) -> None:
        self._least: float | None = None

    def grown(self, batch: list[bytes]) -> float:
        """Seconds that the last line of a batch is later than the best one was."""
        seen = parse_monitor_line(batch[-1]) if batch else None
        if seen is None:
            return 0.0
        late = time() - seen.time
        self._least = late if self._least is None else min(self._least, late)
        return late - self._least
