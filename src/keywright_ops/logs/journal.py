"""The journal of a service: systemd's own lines about it, and the server's where it has no log file.

journalctl's JSON is turned into lines of one form, so that its priorities and process ids are not lost:
`SECONDS PRIORITY PROGRAM[PID]: MESSAGE`, and `SECONDS PRIORITY PROGRAM[PID]| MORE` for the further lines
of a message that has several. Everything but the patterns is filtered by journalctl.
"""

import json
import re
import time
from collections.abc import Callable, Iterator

from keywright.errors import ApplyError, InputError, KeywrightError
from keywright_ops.logs.source import Form, Line, Wish
from keywright_ops.targets.channel import Channel

STAMP = re.compile(rb"(\d+\.\d{6}) (\d) ([^ \n]*)\[(\d+)\]([:|]) ")
SERVER = rb"(?:redis|valkey|keydb)-(?:server|sentinel)"  # its lines have a header of their own
FIELDS = "MESSAGE,PRIORITY,_PID,SYSLOG_IDENTIFIER"
IDLE = 0.1  # seconds of silence that are told: an entry is whole then, and is shown
# syslog's priorities onto the four levels
LEVELS = ("warning", "warning", "warning", "warning", "warning", "notice", "notice", "debug")
INFO = 6  # what a line has that names no priority
# What journalctl says on standard error, in lower case, when not all may be seen. Of a user who has a journal
# of his own it says so only without JSON: whoever makes the source has to look.
NO_RIGHT = ("insufficient permissions", "not seeing messages from other users")

CURSOR = re.compile(rb'"__CURSOR" ?: ?"([^"]+)"')

Open = Callable[[tuple[str, ...]], Channel]


def journal_form(server: Form) -> Form:
    """Return how the lines of a journal read, with the server's form for the server's own."""
    stamp = STAMP.pattern.replace(b"([:|])", b":").replace(b"(", b"(?:")
    inner = server.head.pattern
    of_server = rb"\d+\.\d{6} \d " + SERVER + rb"\[\d+\]: (?:" + inner + rb")"
    of_others = rb"(?!\d+\.\d{6} \d " + SERVER + rb"\[)" + stamp
    is_server = re.compile(SERVER)

    def parse(raw: bytes) -> Line:
        found = STAMP.match(raw)
        if found is None:
            return server.parse(raw)
        seconds, priority, program, pid, sign = found.groups()
        message = raw[found.end() :]
        if is_server.fullmatch(program):
            return server.parse(message)._replace(time=float(seconds))
        name = program.decode("utf-8", "replace")
        level = LEVELS[min(int(priority), 7)]
        return Line(float(seconds), level, int(pid), name, message, message, sign == b":")

    return Form(re.compile(of_server + b"|" + of_others), parse, carried=True)


class JournalSource:
    """What the journal of a host has of one unit; `open` starts a program there, as root where that is free.

    `who` and `host` are for what is said when it may not be read; `forbidden` is whether that is known.
    """

    able = frozenset(("since", "until", "tail", "boot", "priorities"))

    def __init__(
        self,
        unit: str,
        form: Form,
        open_channel: Open,
        environment: str,
        who: str,
        host: str,
        forbidden: bool = False,
    ) -> None:
        self.unit, self.place = unit, f"unit {unit}"
        self.form, self.environment, self.service = journal_form(form), environment, "redis"
        self._open, self._who, self._host = open_channel, who, host
        self._forbidden = forbidden

    def read(self, wish: Wish) -> Iterator[bytes]:
        """Give what the journal keeps."""
        self._refuse_forbidden()
        with self._open(self._argv(wish)) as channel:
            for chunk in channel.chunks():
                yield from _lines(chunk)
            self._judge(channel)

    def follow(self, wish: Wish) -> Iterator[bytes]:
        """Give the same, and what comes."""
        self._refuse_forbidden()
        cursor, until = "", wish.until
        silent = wish.tail == 0  # the last entry is read all the same: what comes after it is new
        with self._open(self._argv(wish._replace(tail=1) if silent else wish)) as channel:
            for chunk in channel.chunks():
                cursor = _cursor(chunk) or cursor
                if not silent:
                    yield from _lines(chunk)
            self._judge(channel)
        yield b""  # all that was there is given, however long its way was
        after = (f"--after-cursor={cursor}",) if cursor else ()
        wish = wish._replace(until=None, tail=None, since=None if cursor else wish.since)
        yield from self._come(self._argv(wish, "--follow", "--no-tail", *after), until)

    def _come(self, argv: tuple[str, ...], until: float | None) -> Iterator[bytes]:
        with self._open(argv) as channel:
            for chunk in channel.chunks(IDLE):
                if chunk:
                    yield from _lines(chunk, until)
                else:
                    self._refuse_partial(channel)
                    yield b""
                if until is not None and time.time() >= until:
                    return
            self._judge(channel)

    def _argv(self, wish: Wish, *options: str) -> tuple[str, ...]:
        words = ["journalctl", "--no-pager", "--all", "--output=json", f"--output-fields={FIELDS}"]
        words += [f"--unit={self.unit}", *options]
        if wish.since is not None:
            words.append(f"--since=@{wish.since:.6f}")
        if wish.until is not None:
            # its own bound is included, ours is not
            words.append(f"--until=@{_just_before(wish.until)}")
        if wish.tail is not None and wish.until is None:
            words.append(f"--lines={wish.tail}")  # with --until it counts from the journal's end
        if wish.boot:
            words.append("--boot")
        if wish.priorities is not None:
            words.append("--priority={}..{}".format(*wish.priorities))
        return tuple(words)

    def _refuse_forbidden(self) -> None:
        if self._forbidden:
            raise cannot_read_journal(self._who, self._host)

    def _refuse_partial(self, channel: Channel) -> None:
        """Raise when this user is shown nothing, or his own lines alone."""
        lower = channel.said.lower()
        if any(each in lower for each in NO_RIGHT):
            raise cannot_read_journal(self._who, self._host)

    def _judge(self, channel: Channel) -> None:
        """Raise what stands in the way when journalctl failed."""
        self._refuse_partial(channel)
        code, said = channel.code, channel.said
        if code == 127:
            raise InputError(f"there is no journalctl on {self._host}", "does systemd run there?")
        if code:
            lines = [line for line in said.splitlines() if line.strip()]
            reason = lines[-1] if lines else f"exit code {code}"
            raise ApplyError(f"journalctl failed on {self._host}: {reason}")


def cannot_read_journal(who: str, host: str) -> KeywrightError:
    """Return what to raise when somebody may not read the journal."""
    return InputError(
        f"{who} may not read the journal on {host}",
        f"sudo usermod -aG systemd-journal,adm {who}, then log in again; or let sudo ask no password",
    )


def _lines(chunk: bytes, until: float | None = None) -> Iterator[bytes]:
    """The lines of a chunk of journalctl's JSON, those at `until` and later left out."""
    found = []
    for raw in chunk.split(b"\n"):
        if not raw.startswith(b"{"):
            continue  # the end, or "-- No entries --"
        try:
            entry = json.loads(raw)
        except ValueError:
            continue
        microseconds = int(entry.get("__REALTIME_TIMESTAMP", 0))
        if until is None or microseconds < until * 1e6:
            found.append(_line(entry, microseconds))
    if found:
        yield b"".join(found)


def _cursor(chunk: bytes) -> str:
    """Where the journal stands after the last entry of a chunk."""
    found = CURSOR.findall(chunk)
    return found[-1].decode() if found else ""


def _line(entry: dict[str, object], microseconds: int) -> bytes:
    priority = _text(entry.get("PRIORITY")) or b"%d" % INFO
    program = _text(entry.get("SYSLOG_IDENTIFIER")).replace(b" ", b"_")
    pid = _text(entry.get("_PID")) or b"0"
    stamp = b"%d.%06d %s %s[%s]" % (*divmod(microseconds, 10**6), priority[:1], program, pid)
    first, *more = _text(entry.get("MESSAGE")).split(b"\n")
    return b"".join((stamp, b": ", first, b"\n", *(stamp + b"| " + each + b"\n" for each in more)))


def _text(value: object) -> bytes:
    """A field of the journal: text, a list of bytes where it is none, or a list of values."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    if isinstance(value, list):
        if all(isinstance(each, int) for each in value):
            return bytes(value)
        return _text(value[0])
    return b""


def _just_before(until: float) -> str:
    """The last microsecond before a time."""
    return "{}.{:06d}".format(*divmod(round(until * 1e6) - 1, 10**6))
