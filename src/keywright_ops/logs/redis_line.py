"""What a line of Redis or Valkey says: their own header in every form that they write it.

    1:M 28 Nov 2026 10:00:00.123 * Ready to accept connections tcp        Redis 4 to 8, Valkey
    1:M 2026-11-28T10:00:00.123+01:00 * …   1:M 1795860594260 * …         Valkey 8.1 (log-timestamp-format)
    pid=1 role=primary timestamp="…" level=notice message="…"             Valkey 8.1 (log-format logfmt)
    1:signal-handler (1795860592) Received SIGTERM scheduling shutdown... from inside a signal handler

Everything else (a crash report's raw parts, the banner) belongs to the line before. The plain form tells the
host's wall clock and no zone: whoever makes the form gives it.

Pure: reads no clock and asks nobody.
"""

import re
from collections.abc import Callable

from keywright_ops.logs.source import Form, Line
from keywright_ops.logs.zones import Zone, utc_seconds

MARKS = {".": "debug", "-": "verbose", "*": "notice", "#": "warning"}
WORDS = {b"debug": "debug", b"info": "verbose", b"notice": "notice", b"warning": "warning"}
ROLES = {b"primary": "M", b"replica": "S", b"sentinel": "X", b"RDB/AOF": "C"}
MONTHS = {
    name: number
    for number, name in enumerate(
        b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), start=1
    )
}

PLAIN = rb"\d\d [A-Z][a-z][a-z] \d{4} \d\d:\d\d:\d\d\.\d{3}"
ISO = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(?:Z|[+-]\d\d:?\d\d)"
STAMP = rb"(?:" + PLAIN + rb"|" + ISO + rb"|\d{13})"
# KeyDB tells its thread too: `1234:19:M 28 Nov …`
HEAD = re.compile(
    rb"\d+:[MSCX] " + PLAIN + rb" [.*#-] "  # the usual one first: it is tried at every match
    rb"|\d+(?::\d+)?:(?:[MSCX] " + STAMP + rb" [.*#-] |signal-handler \(\d+\) )|pid=\d+ role="
    rb"|=== [A-Z]+ BUG REPORT START"
)
LEGACY = re.compile(rb"(\d+)(?::\d+)?:([MSCX]) (" + STAMP + rb") ([.*#-]) ?")
HANDLER = re.compile(rb"(\d+):signal-handler \((\d+)\) ")
LOGFMT = re.compile(
    rb'pid=(\d+) role=("[^"]*"|\S+) timestamp="(' + STAMP + rb')" level=(\w+) message="(.*)"?\r?$',
    re.DOTALL,
)
# Every line of a level holds one of these; the second is logfmt's.
FAST_MARKS = {
    level: (f" {mark} ".encode(), b" level=" + word + b" ")
    for (mark, level), word in zip(MARKS.items(), WORDS, strict=True)
}

Stamp = Callable[[bytes], float]


def redis_form(zone: Zone) -> Form:
    """Return how the lines of a server read whose wall clock shows this zone."""
    stamp = stamp_reader(zone)
    return Form(HEAD, lambda raw: parse_redis(raw, stamp), FAST_MARKS)


def stamp_reader(zone: Zone) -> Stamp:
    """Return what reads a header's time. It remembers the last minute: lines of one minute share it."""
    minutes: dict[bytes, float] = {}

    def read(stamp: bytes) -> float:
        if len(stamp) == 13:
            return int(stamp) / 1000
        plain = len(stamp) == 24 and stamp[2] == 0x20  # a space; an ISO time with Z is as long
        head = stamp[:17] if plain else stamp[:16] + stamp[23:]
        minute = minutes.get(head)
        if minute is None:
            if len(minutes) > 10_000:
                minutes.clear()
            minute = minutes[head] = _plain(stamp, zone) if plain else _iso(stamp)
        at = 18 if plain else 17  # where the seconds stand
        return minute + int(stamp[at : at + 2] + stamp[at + 3 : at + 6]) / 1000

    return read


def _plain(stamp: bytes, zone: Zone) -> float:
    """Seconds since 1970 of the minute; a date that no calendar has is the epoch's own."""
    month = MONTHS.get(stamp[3:6], 1)
    try:
        return zone.seconds(
            (int(stamp[7:11]), month, int(stamp[:2]), int(stamp[12:14]), int(stamp[15:17]), 0)
        )
    except (ValueError, OverflowError):
        return 0.0


def _iso(stamp: bytes) -> float:
    wall = (int(stamp[:4]), int(stamp[5:7]), int(stamp[8:10]), int(stamp[11:13]), int(stamp[14:16]))
    seconds = utc_seconds((*wall, 0))
    offset = stamp[23:]
    if offset == b"Z":
        return seconds
    ahead = int(offset[1:3]) * 3600 + int(offset[-2:]) * 60
    return seconds - (ahead if offset[:1] == b"+" else -ahead)


def parse_redis(raw: bytes, stamp: Stamp) -> Line:
    """Return what a line says; one without a header belongs to the line before."""
    found = LEGACY.match(raw)
    if found:
        pid, role, told, mark = found.groups()
        level = MARKS[mark.decode()]
        return Line(stamp(told), level, int(pid), role.decode(), raw[found.end() :], raw, True)
    if raw.startswith(b"pid="):
        found = LOGFMT.match(raw)
        if found:
            pid, role, told, word, text = found.groups()
            return Line(
                stamp(told),
                WORDS.get(word, ""),
                int(pid),
                ROLES.get(role.strip(b'"').split(b" ")[0], role.decode("ascii", "replace")),
                text.removesuffix(b'"'),
                raw,
                True,
            )
    found = HANDLER.match(raw)
    if found:
        # the servers say these at warning; inside a handler there is no way to write the mark
        seconds = float(found[2])
        return Line(seconds, "warning", int(found[1]), "", raw[found.end() :], raw, True)
    return Line(None, "", 0, "", raw, raw, False)
