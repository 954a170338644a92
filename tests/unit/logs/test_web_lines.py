"""RedisInsight's and nginx's lines tell their time and level; what is no line of theirs belongs to the one
before."""

import pytest

from keywright_ops.logs.source import Line
from keywright_ops.logs.web_lines import insight_form, nginx_access_form, nginx_error_form
from keywright_ops.logs.zones import UTC, Fixed

AT = 1_795_860_821.0  # 28 November 2026, 10:13:41 UTC

# nest-winston's nestLike as RedisInsight configures it (processId, colours)
LOG = (
    b"\x1b[32m[Redis Insight]\x1b[39m \x1b[32m25   -\x1b[39m 11/28/2026, 10:13:41 AM "
    b"\x1b[32m    LOG\x1b[39m \x1b[33m[NestFactory]\x1b[39m \x1b[32mStarting\x1b[39m - { stack: '[]' }"
)
ERROR = LOG.replace(b"    LOG", b"  ERROR").replace(b"Starting", b"connect ECONNREFUSED")


@pytest.mark.parametrize(("raw", "level"), [(LOG, "notice"), (ERROR, "warning")])
def test_redisinsight_tells_its_level_through_its_colours(raw: bytes, level: str) -> None:
    """The text has none of them, the line as it is kept has all."""
    form = insight_form()
    line = form.parse(raw)
    assert (level, "", raw, True) == (line.level, line.role, line.raw, line.head)
    assert line.text.startswith(b"[NestFactory]") and b"\x1b" not in line.text
    assert form.head.match(raw)


def test_what_follows_an_error_belongs_to_it() -> None:
    """Stacks are indented, and an object that was printed prettily ends in its bracket."""
    form = insight_form()
    for raw in (b"    at connect (net.js:1)", b"}", b"]", b""):
        assert not form.head.match(raw) or not raw
        assert not form.parse(raw).head or not raw
    assert "warning" == form.parse(b'{"level":"error","message":"x"}').level
    assert "" == form.parse(b"Visit http://127.0.0.1:5540 to get started.").level


def test_nginx_s_error_log_is_in_the_host_s_zone() -> None:
    """The same wall clock is another moment elsewhere."""
    raw = b"2026/11/28 10:13:41 [error] 31#31: *7 connect() failed (111: Connection refused)"
    here = nginx_error_form(UTC).parse(raw)
    text = b"*7 connect() failed (111: Connection refused)"
    assert Line(AT, "warning", 31, "", text, raw, True) == here
    assert AT - 3600 == nginx_error_form(Fixed(3600)).parse(raw).time
    assert "notice" == nginx_error_form(UTC).parse(raw.replace(b"error", b"notice")).level
    assert not nginx_error_form(UTC).parse(b"and more of it").head


@pytest.mark.parametrize(
    ("status", "level"), [(b"200", "notice"), (b"404", "notice"), (b"502", "warning")]
)
def test_nginx_s_access_log_tells_its_zone(status: bytes, level: str) -> None:
    """What the server failed at is a warning."""
    raw = b'203.0.113.7 - admin [28/Nov/2026:11:13:41 +0100] "GET /api/ HTTP/1.1" ' + status
    line = nginx_access_form().parse(raw + b' 157 "-" "curl/7.88.1"')
    assert (AT, level) == (line.time, line.level)
    assert not nginx_access_form().parse(b"nothing of that kind").head
