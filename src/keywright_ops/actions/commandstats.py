"""commandstats: what the server counts of each command since its counters began."""

from collections.abc import Sequence
from typing import NamedTuple

from keywright.errors import ReplyError
from keywright_ops.actions.reach import Reached
from keywright_ops.facts.commandstats import CommandStat, parse_commandstats, parse_percentiles
from keywright_ops.facts.info import parse_info
from keywright_ops.facts.numbers import whole

SENDS = ("INFO",)
# Commands whose time grows with what is stored: the guide looks for KEYS, SMEMBERS and HGETALL.
HEAVY = frozenset(
    "KEYS SMEMBERS HGETALL HKEYS HVALS LRANGE ZRANGE ZREVRANGE ZRANGEBYSCORE ZREVRANGEBYSCORE SORT SORT_RO "
    "SUNION SINTER SDIFF SUNIONSTORE SINTERSTORE SDIFFSTORE ZUNION ZINTER ZDIFF ZUNIONSTORE ZINTERSTORE "
    "ZDIFFSTORE DEL FLUSHALL FLUSHDB SAVE MONITOR EVAL EVALSHA FCALL XRANGE XREVRANGE GEORADIUS GEOSEARCH "
    "DEBUG LINDEX LREM LINSERT".split()
)
SORTS = ("time", "calls", "usec", "failed", "rejected", "p99", "name")


class CommandstatsReport(NamedTuple):
    """The commands that are meant, of `all` that ran; `usec` is the time of all of them together
    (microseconds), `calls` their number. `percentiles` says whether the server keeps them; `uptime` is
    seconds."""

    commands: Sequence[CommandStat]
    all: int
    calls: int
    usec: int
    percentiles: bool
    uptime: int


def commandstats(
    reached: Reached, patterns: Sequence[str], heavy: bool, by: str
) -> CommandstatsReport:
    """Ask once; `patterns` are of names (GET, CLIENT*, keys), `heavy` means those whose time grows with
    the data."""
    info: dict[str, str] = {}
    sections = [("INFO", each) for each in ("server", "commandstats", "latencystats")]
    for words, told in zip(sections, reached.ask(sections), strict=True):
        if isinstance(told, ReplyError):
            raise reached.explain(told, words)
        info |= parse_info(told)
    everything = parse_commandstats(info)
    meant = [each for each in everything if means(each.name, patterns, heavy)]
    return CommandstatsReport(
        sorted(meant, key=lambda each: each.name if by == "name" else (-_key(each, by), each.name)),
        len(everything),
        sum(each.calls for each in everything),
        sum(each.usec for each in everything),
        bool(parse_percentiles(info)),
        whole(info, "uptime_in_seconds"),
    )


def _key(one: CommandStat, by: str) -> float:
    if by == "time":
        return one.usec
    if by == "usec":
        return one.usec_per_call
    if by == "p99":
        return one.percentiles.get("99", 0.0)
    return float(getattr(one, by))


def means(name: str, patterns: Sequence[str], heavy: bool) -> bool:
    """Whether a command is meant; a pattern means its first word too (client: CLIENT LIST), and A|B both."""
    if heavy and name not in HEAVY:
        return False
    wanted = [word.upper() for pattern in patterns for word in pattern.split("|") if word]
    if not wanted:
        return True
    from fnmatch import fnmatchcase  # only where somebody chose

    first = name.partition(" ")[0]
    return any(fnmatchcase(name, each) or first == each for each in wanted)
