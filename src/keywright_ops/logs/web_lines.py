"""How the lines of RedisInsight (winston's nestLike format) and of the nginx before it read.

    [Redis Insight] 25   - 11/28/2026, 10:13:41 AM     LOG [NestFactory] Starting…    (in colours)
    2026/11/28 10:13:41 [error] 31#31: *7 connect() failed (111: Connection refused) …
    203.0.113.7 - admin [28/Nov/2026:10:13:41 +0000] "GET /api/ HTTP/1.1" 502 157 "-" "curl/7.88.1"

Pure: reads no clock and asks nobody.
"""

import re

from keywright_ops.logs.forms import level_of
from keywright_ops.logs.redis_line import MONTHS
from keywright_ops.logs.source import Form, Line
from keywright_ops.logs.zones import Zone, utc_seconds

COLOUR = re.compile(rb"\x1b\[[0-9;]*m")
# What an error is followed by (its stack, pretty-printed) is indented or closes a bracket.
INSIGHT = re.compile(rb"(?![\s}\]])")
INSIGHT_LEVEL = re.compile(
    rb"\b(TRACE|DEBUG|VERBOSE|INFO|LOG|WARN|ERROR|FATAL)\b\s*|\"level\":\s*\"(\w+)\""
)
LOOK = 120  # bytes in which a level stands
NGINX_ERROR = re.compile(rb"(\d{4})/(\d\d)/(\d\d) (\d\d):(\d\d):(\d\d) \[(\w+)\] (\d+)#\d+: ")
NGINX_ACCESS = re.compile(
    rb"\S+ \S+ [^\[]*\[(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)\] "
)
STATUS = re.compile(rb'" (\d)\d\d ')


def insight_form() -> Form:
    """Return how RedisInsight's lines read; their time is the carrier's."""
    return Form(INSIGHT, _insight)


def _insight(raw: bytes) -> Line:
    plain = COLOUR.sub(b"", raw)
    head = INSIGHT.match(raw) is not None
    found = INSIGHT_LEVEL.search(plain, 0, LOOK) if head else None
    if found is None:
        return Line(None, "", 0, "", plain, raw, head)
    level = level_of((found[1] or found[2]).decode("ascii", "replace"))
    text = plain[found.end() :] if found[1] else plain
    return Line(None, level, 0, "", text, raw, True)


def nginx_error_form(zone: Zone) -> Form:
    """Return how the lines of nginx's error log read: its host's wall clock, and a level of syslog."""

    def parse(raw: bytes) -> Line:
        found = NGINX_ERROR.match(raw)
        if found is None:
            return Line(None, "", 0, "", raw, raw, False)
        year, month, day, hour, minute, second = (int(found[each]) for each in range(1, 7))
        try:
            told = zone.seconds((year, month, day, hour, minute, second))
        except (ValueError, OverflowError):
            told = 0.0  # a date that no calendar has
        level = level_of(found[7].decode())
        return Line(told, level, int(found[8]), "", raw[found.end() :], raw, True)

    return Form(NGINX_ERROR, parse)


def nginx_access_form() -> Form:
    """Return how the lines of nginx's access log read; what the server failed at (5xx) is a warning."""
    return Form(NGINX_ACCESS, _access)


def _access(raw: bytes) -> Line:
    found = NGINX_ACCESS.match(raw)
    if found is None:
        return Line(None, "", 0, "", raw, raw, False)
    day, year, hour, minute, second = (int(found[each]) for each in (1, 3, 4, 5, 6))
    ahead = int(found[8]) * 3600 + int(found[9]) * 60
    told = utc_seconds((year, MONTHS.get(found[2], 1), day, hour, minute, second))
    told += ahead if found[7] == b"-" else -ahead
    status = STATUS.search(raw, found.end())
    level = "warning" if status is not None and status[1] == b"5" else "notice"
    return Line(told, level, 0, "", raw[found.end() :], raw, True)
