"""The log of a container: `docker logs`, here or on another host, whatever driver keeps the lines.

Docker puts its own time (UTC, nanoseconds) before every line; a line without one is docker's own word about
itself. What the engine can pick out (since, until, the last lines) is left to it.
"""

import re
import time
from collections.abc import Callable, Generator, Iterator
from typing import NamedTuple

from keywright.errors import ApplyError, InputError, KeywrightError
from keywright_ops.logs.forms import stamped
from keywright_ops.logs.source import Form, Wish
from keywright_ops.targets.channel import Channel
from keywright_ops.targets.docker import refuse_engine, told
from keywright_ops.targets.target import Completed

STAMP = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d):(\d\d)\.(\d{1,9})(Z|[+-]\d\d:\d\d) ")
OWN_WORDS = re.compile(rb"^(?!\d{4}-\d\d-\d\dT).*\n", re.MULTILINE)
PIECE = 16 * 1024  # bytes after which Docker cuts a line, and stamps the next piece too
IDLE = 0.1  # seconds of silence that are told: an entry is whole then, and is shown
PACE = 0.5  # seconds between two looks at a container that does not run
GRACE = 5.0  # seconds for a container that is gone to come back: `up` makes it anew
ALL_OUTPUT = 'exec "$@" 2>&1'  # the container's standard error is as much its log
UNREADABLE = "does not support reading"
GONE = ("no such container", "no such object", "can not get logs from container which is dead")
# Drivers whose lines Docker gives away, and where they are.
ELSEWHERE = {
    "syslog": "the syslog server has its lines",
    "gelf": "Graylog has its lines",
    "fluentd": "Fluentd has its lines",
    "awslogs": "they are in Amazon CloudWatch: aws logs tail GROUP",
    "gcplogs": "they are in Google Cloud Logging: gcloud logging read",
    "splunk": "Splunk has its lines",
    "logentries": "Logentries has its lines",
    "etwlogs": "they are in the Windows event log",
}


class Way(NamedTuple):
    """How docker is called: `open` starts a program whose output is read, `ask` runs one to its end."""

    open: Callable[[tuple[str, ...]], Channel]
    ask: Callable[[tuple[str, ...]], Completed]


class State(NamedTuple):
    """A container's: whether it runs, since when it was started last, and who keeps its log."""

    running: bool
    started: str
    driver: str


def docker_form(form: Form) -> Form:
    """Return how the lines of a program read behind Docker's time."""
    minutes: dict[bytes, float] = {}

    def read(raw: bytes) -> tuple[float, int, str]:
        found = STAMP.match(raw)
        assert found is not None
        minute, seconds, fraction, zone = found.groups()
        known = minutes.get(minute + zone)
        if known is None:
            if len(minutes) > 10_000:
                minutes.clear()
            known = minutes[minute + zone] = _minute(minute, zone)
        return known + int(seconds) + int(fraction.ljust(9, b"0")) / 1e9, 0, ""

    return stamped(form, STAMP, read)


def _minute(minute: bytes, zone: bytes) -> float:
    from keywright_ops.logs.zones import utc_seconds

    date, clock = minute.decode().split("T")
    year, month, day = map(int, date.split("-"))
    hour, of_hour = map(int, clock.split(":"))
    ahead = 0
    if zone != b"Z":
        ahead = (int(zone[1:3]) * 3600 + int(zone[4:6]) * 60) * (-1 if zone[:1] == b"-" else 1)
    return float(utc_seconds((year, month, day, hour, of_hour, 0)) - ahead)


class DockerSource:
    """One container's log; `form` is that of the program in it."""

    able = frozenset(("since", "until", "tail"))

    def __init__(
        self, container: str, form: Form, way: Way, environment: str, service: str = "redis"
    ) -> None:
        self.container, self.place = container, f"container {container}"
        self.form, self.environment, self.service = docker_form(form), environment, service
        self._way = way

    def read(self, wish: Wish) -> Iterator[bytes]:
        """Give what Docker has kept: of every run of the container, not of one that was made anew."""
        own: list[bytes] = []
        with self._way.open(self._argv(wish)) as channel:
            for chunk in channel.chunks():
                lines = _lines_of_the_container(chunk, own)
                if lines:
                    yield lines
            if channel.code:
                raise self._complaint(own)

    def follow(self, wish: Wish) -> Iterator[bytes]:
        """Give the same, and what comes: through restarts and when it is made anew under its name."""
        own: list[bytes] = []
        last, silent = (
            b"",
            wish.tail == 0,
        )  # the last line is read all the same: what comes after it is new
        with self._way.open(self._argv(wish._replace(tail=1) if silent else wish)) as channel:
            for chunk in channel.chunks():
                lines = _lines_of_the_container(chunk, own)
                last = max(last, _last_stamp(lines)) if lines else last
                if lines and not silent:
                    yield lines
            if channel.code:
                raise self._complaint(own)
        yield b""  # all that was there is given, however long its way was
        state: State | None = State(True, "", "")
        while state is not None and not _over(wish):
            # a little earlier, since a float has no nanoseconds; what was given is not given again
            since = _seconds(last) - 1e-6 if last else wish.since
            wish = wish._replace(since=since, tail=None)
            last = yield from self._follow_one(wish, last)
            # `docker logs -f` ends with each run of the container
            state = yield from self._await_run(wish)

    def _follow_one(self, wish: Wish, given: bytes) -> Generator[bytes, None, bytes]:
        """Follow one run of the container; lines up to the stamp `given` were. Returns the newest."""
        own: list[bytes] = []
        last = given
        with self._way.open(self._argv(wish, "--follow")) as channel:
            for chunk in channel.chunks(IDLE):
                lines = _later(_lines_of_the_container(chunk, own), given)
                if lines:
                    last = max(last, _last_stamp(lines))
                yield lines if wish.until is None else _before(lines, wish.until)
                if _over(wish):
                    return last
            if channel.code and not (given and self._state() is None):
                raise self._complaint(own)
        return last

    def _await_run(self, wish: Wish) -> Generator[bytes, None, State | None]:
        """Wait until the container runs again; None when it is gone, or the time of the wish is over."""
        gone_since = None
        while not _over(wish):
            state = self._state()
            if state is not None and state.running:
                return state
            now = time.monotonic()
            gone_since = None if state is not None else gone_since or now
            if gone_since is not None and now - gone_since > GRACE:
                return None
            yield b""
            time.sleep(PACE)
        return None

    def _argv(self, wish: Wish, *options: str) -> tuple[str, ...]:
        words = ["docker", "logs", "--timestamps", *options]
        if wish.since is not None:
            words += ["--since", f"{max(wish.since, 0):.9f}"]
        follows = "--follow" in options
        if wish.until is not None and not follows:
            # docker's own bound is included, ours is not
            words += ["--until", _just_before(wish.until)]
        if wish.tail is not None and (wish.until is None or follows):
            # docker counts its last lines first, and looks at the time then
            words += ["--tail", str(wish.tail)]
        return ("sh", "-c", ALL_OUTPUT, "sh", *words, "--", self.container)

    def _state(self) -> State | None:
        """How the container is now; None when there is none."""
        columns = "{{.State.Running}} {{.State.StartedAt}} {{.HostConfig.LogConfig.Type}}"
        asked = ("docker", "inspect", "--type", "container", "--format", columns)
        done = self._way.ask((*asked, self.container))
        words = done.output.split()
        if done.code == 0 and len(words) == 3:
            return State(words[0] == "true", words[1], words[2])
        if any(each in done.errors.lower() for each in GONE):
            return None
        raise self._complaint([done.errors.encode()])

    def _gone(self) -> KeywrightError:
        return InputError(
            f"there is no container {self.container}, and no log of it",
            f"keywright up -e {self.environment} makes it; docker ps -a shows all",
        )

    def _complaint(self, own: list[bytes]) -> KeywrightError:
        """What to raise when docker does not give the log."""
        text = b"".join(own).decode("utf-8", "replace")
        lower = text.lower()
        if any(each in lower for each in GONE):
            return self._gone()
        if UNREADABLE in lower:
            return self._unreadable()
        if "not found" in lower and "docker" in lower and "daemon" not in lower:
            return InputError("docker is not installed there", "docs.docker.com/engine/install")
        try:
            refuse_engine(text)
        except KeywrightError as error:
            return error
        return ApplyError(f"docker logs {self.container} failed: {told(text)}")

    def _unreadable(self) -> KeywrightError:
        state = self._state()
        driver = state.driver if state is not None else "another"
        anew = (
            'set "log-driver": "local" in /etc/docker/daemon.json, restart docker, and make the'
            f" container anew: keywright up -e {self.environment}"
        )
        if driver == "none":
            return InputError(f"container {self.container} keeps no log: its driver is none", anew)
        where = ELSEWHERE.get(driver, "whatever it sends them to has them")
        return InputError(
            f"container {self.container} sends its log away by the driver {driver}: {where}",
            f"to read it here, {anew}",
        )


def _lines_of_the_container(chunk: bytes, own: list[bytes]) -> bytes:
    """The chunk without what docker says itself, which is added to `own`."""
    if len(chunk) > PIECE:
        chunk = _joined(chunk)
    said = OWN_WORDS.findall(chunk)
    if not said:
        return chunk
    own += said
    return OWN_WORDS.sub(b"", chunk)


def _joined(chunk: bytes) -> bytes:
    """The chunk with the stamps taken out that Docker puts into the middle of a very long line."""
    lines = chunk.split(b"\n")
    if max(map(len, lines)) <= PIECE:
        return chunk
    return b"\n".join(_without_inner_stamps(line) for line in lines)


def _without_inner_stamps(line: bytes) -> bytes:
    stamp = STAMP.match(line)
    if stamp is None:
        return line
    kept, start = line[: stamp.end() + PIECE], stamp.end() + PIECE
    while inner := STAMP.match(line, start):
        start = inner.end() + PIECE
        kept += line[inner.end() : start]
    return kept + line[start:]


def _last_stamp(chunk: bytes) -> bytes:
    """The stamp of a chunk's last line."""
    found = STAMP.match(chunk, chunk.rfind(b"\n", 0, -1) + 1)
    return found[0] if found else b""


def _later(chunk: bytes, last: bytes) -> bytes:
    """The lines of a chunk after the stamp `last` ("" for all): those before were given already."""
    if not last or not chunk or chunk[: len(last)] > last:
        return chunk
    lines = chunk.removesuffix(b"\n").split(b"\n")
    return b"".join(line + b"\n" for line in lines if line[: len(last)] > last)


def _before(chunk: bytes, until: float) -> bytes:
    lines = chunk.removesuffix(b"\n").split(b"\n") if chunk else []
    return b"".join(line + b"\n" for line in lines if _seconds(line) < until)


def _seconds(raw: bytes) -> float:
    """The time of a stamp, or of a line that begins with one."""
    found = STAMP.match(raw)
    if found is None:
        return 0.0
    minute, seconds, fraction, zone = found.groups()
    return _minute(minute, zone) + int(seconds) + int(fraction.ljust(9, b"0")) / 1e9


def _just_before(until: float) -> str:
    """The last nanosecond before a time."""
    whole = int(until)
    nanoseconds = whole * 10**9 + round((until - whole) * 1e9) - 1
    return f"{nanoseconds // 10**9}.{nanoseconds % 10**9:09d}"


def _over(wish: Wish) -> bool:
    return wish.until is not None and time.time() >= wish.until
