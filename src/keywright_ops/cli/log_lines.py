"""How an entry of a log looks: as a line for people, or as JSON."""

import time
from collections.abc import Sequence
from re import Pattern

from keywright_ops.cli.show import BOLD, DIM, RED, YELLOW, coloured
from keywright_ops.logs.reading import Entry
from keywright_ops.logs.redis_line import MARKS
from keywright_ops.logs.source import Source

NAME_COLOURS = ("36", "35", "32", "34", "33", "31")
LEVEL_COLOURS = {"debug": DIM, "verbose": DIM, "warning": YELLOW}
MATCH = f"{BOLD};{RED}"
ROLES = {"M": "master", "S": "replica", "C": "child", "X": "sentinel"}
MARK_OF = {level: mark for mark, level in MARKS.items()}

# What a terminal would obey: shown by its number. A log's lines hold what clients sent.
VISIBLE = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if code != ord("\t")}


class Look:
    """What stands beside each line: names of several sources, times, colours."""

    def __init__(
        self,
        sources: Sequence[Source],
        *,
        timestamps: bool,
        terminal: bool,
        matches: Sequence["Pattern[bytes]"],
    ) -> None:
        self._names = names_of(sources)
        self._width = max((len(name) for name in self._names.values()), default=0)
        order = list(dict.fromkeys(self._names.values()))
        self._colours = {
            name: NAME_COLOURS[number % len(NAME_COLOURS)] for number, name in enumerate(order)
        }
        self._timestamps, self._terminal, self._matches = timestamps, terminal, matches

    def lines(self, entry: Entry) -> bytes:
        """The entry's lines, each with its line feed."""
        first = _shortened(entry) if self._timestamps else _whole(entry)
        shown = [self._told(first, entry.line.level)]
        shown += [self._told(each, entry.line.level) for each in entry.more]
        names, times = self._name(entry), self._time(entry)
        blank = b" " * len(times)
        return b"".join(
            names + (times if number == 0 else blank) + each + b"\n"
            for number, each in enumerate(shown)
        )

    def _name(self, entry: Entry) -> bytes:
        name = self._names.get(id(entry.source), "")
        if not name:
            return b""
        return (coloured(f"{name:<{self._width}}", self._colours[name]) + " ").encode()

    def _time(self, entry: Entry) -> bytes:
        return (local_time(entry.time) + " ").encode() if self._timestamps else b""

    def _told(self, raw: bytes, level: str) -> bytes:
        if not self._terminal:
            return raw
        text = raw.rstrip(b"\r").decode("utf-8", "backslashreplace").translate(VISIBLE)
        colour = LEVEL_COLOURS.get(level, "")
        for match in self._matches:
            parts, position, told = [], 0, text.encode()
            for found in match.finditer(told):
                if found.end() > found.start():
                    parts.append(_in(told[position : found.start()], colour))
                    parts.append(_in(found[0], MATCH))
                    position = found.end()
            if position:
                return b"".join([*parts, _in(told[position:], colour)])
        return _in(text.encode(), colour)


def _in(told: bytes, colour: str) -> bytes:
    if not told or not colour:
        return told
    return coloured(told.decode("utf-8", "backslashreplace"), colour).encode()


def _whole(entry: Entry) -> bytes:
    """A line as its program wrote it; in a journal others than the server are called by their name."""
    line = entry.line
    if line.role in ROLES or not line.role or not entry.source.form.carried:
        return line.raw
    return f"{line.role}[{line.pid}]: ".encode() + line.raw


def _shortened(entry: Entry) -> bytes:
    """A server's line without the time of its own, which is told in front."""
    line = entry.line
    if not line.head or line.role not in ROLES or line.level not in MARK_OF:
        return _whole(entry)
    return f"{line.pid}:{line.role} {MARK_OF[line.level]} ".encode() + line.text


def names_of(sources: Sequence[Source]) -> dict[int, str]:
    """Return what to call each source, by its id(): the environment, the service, or both; ""
    where one says all (a unit's journal and its file)."""
    if len(sources) < 2:
        return {}
    environments = {each.environment for each in sources}
    services = {each.service for each in sources}
    found = {}
    for each in sources:
        parts = [each.environment] if len(environments) > 1 else []
        parts += [each.service] if len(services) > 1 else []
        found[id(each)] = "/".join(parts)
    return found


def local_time(seconds: float) -> str:
    """Return an ISO 8601 time with milliseconds, on the wall clock here."""
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    here = time.localtime(whole)
    ahead = here.tm_gmtoff // 60
    zone = f"{'-' if ahead < 0 else '+'}{abs(ahead) // 60:02}:{abs(ahead) % 60:02}"
    return time.strftime("%Y-%m-%dT%H:%M:%S", here) + f".{milliseconds:03}{zone}"


def entry_json(entry: Entry) -> dict[str, object]:
    """One entry as an object."""
    line = entry.line
    text = b"\n".join((line.text, *entry.more)).decode("utf-8", "backslashreplace")
    whole, milliseconds = divmod(round(entry.time * 1000), 1000)
    told = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))
    return {
        "schema": "keywright/log/1",
        "time": f"{told}.{milliseconds:03}Z" if entry.time else None,
        "environment": entry.source.environment,
        "service": entry.source.service,
        "level": line.level or None,
        "pid": line.pid or None,
        "role": ROLES.get(line.role, line.role) or None,
        "text": text,
    }
