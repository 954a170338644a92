"""Lines as real servers wrote them (redis 7.0.15, valkey 9.1.2) are read for what they say."""

import pytest
from tests.purity import pure

from keywright_ops.logs.redis_line import redis_form
from keywright_ops.logs.source import Line
from keywright_ops.logs.zones import UTC, Fixed

# 28 November 2026, 10:09:52.790 UTC
SECONDS = 1795860592.79
PASTED = {
    b"25328:M 28 Nov 2026 10:09:52.790 - Accepted 127.0.0.1:52840": ("verbose", "M"),
    b"25328:M 28 Nov 2026 10:09:52.790 # Valkey is now ready to exit, bye bye...": ("warning", "M"),
    b"25328:M 28 Nov 2026 10:09:52.790 * Configuration loaded": ("notice", "M"),
    b"25328:M 28 Nov 2026 10:09:52.790 . 1 clients connected (0 replicas)": ("debug", "M"),
    b"25328:S 28 Nov 2026 10:09:52.790 * MASTER <-> REPLICA sync started": ("notice", "S"),
    b"25328:C 28 Nov 2026 10:09:52.790 * DB saved on disk": ("notice", "C"),
    b"25328:X 28 Nov 2026 10:09:52.790 # +sdown master mymaster 127.0.0.1 6379": ("warning", "X"),
    b"25328:M 2026-11-28T10:09:52.790+00:00 * Module lua unloaded": ("notice", "M"),
    b"25328:M 2026-11-28T11:09:52.790+01:00 * Module lua unloaded": ("notice", "M"),
    b"25328:M 2026-11-28T04:39:52.790-05:30 * Module lua unloaded": ("notice", "M"),
    b"25328:M 1795860592790 * Module lua unloaded": ("notice", "M"),
    b'pid=25328 role=primary timestamp="28 Nov 2026 10:09:52.790" level=warning message="x"': (
        "warning", "M",
    ),
    b'pid=25328 role=replica timestamp="2026-11-28T10:09:52.790+00:00" level=info message="x"': (
        "verbose", "S",
    ),
    b'pid=25328 role=primary timestamp="1795860592790" level=debug message="x"': ("debug", "M"),
}  # fmt: skip


@pytest.mark.parametrize("raw", PASTED)
def test_a_header_is_read_in_every_form(raw: bytes):
    """Time, level, process and role stand in every form of the header."""
    form = redis_form(UTC)
    line = pure(form.parse, raw)
    level, role = PASTED[raw]
    assert (level, role, 25328, True) == (line.level, line.role, line.pid, line.head)
    assert line.time == pytest.approx(SECONDS, abs=0.0001)
    assert raw == line.raw
    assert form.head.match(raw)
    assert any(mark in raw for mark in form.marks[level])


def test_the_text_is_what_comes_after_the_header():
    """The message alone, of a plain line and of logfmt; a quote inside it stays."""
    form = redis_form(UTC)
    assert form.parse(next(iter(PASTED))).text == b"Accepted 127.0.0.1:52840"
    logfmt = (
        b'pid=25358 role=primary timestamp="28 Nov 2026 10:09:55.004" level=warning '
        b"message=\"DEBUG LOG: hello 'quoted' \\n x\""
    )
    assert form.parse(logfmt).text == b"DEBUG LOG: hello 'quoted' \\n x"


def test_a_signal_handler_tells_its_time_in_seconds():
    """What is written from inside a signal handler has a header of its own."""
    raw = b"25328:signal-handler (1795860592) Received SIGTERM scheduling shutdown..."
    expected = Line(
        1795860592.0, "warning", 25328, "", b"Received SIGTERM scheduling shutdown...", raw, True
    )
    assert expected == redis_form(UTC).parse(raw)
    assert redis_form(UTC).head.match(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"------ STACK TRACE ------", b"# Server",
        b"redis_version:7.0.15", b"/lib/x86_64-linux-gnu/libc.so.6(+0x38d60)[0x7f0]",
        b"           _.-``__ ''-._   ", b"7:30", b"123:M no time at all * text",
    ],
)  # fmt: skip
def test_a_line_without_a_header_belongs_to_the_one_before(raw: bytes):
    """It begins no entry and tells no time."""
    form = redis_form(UTC)
    assert Line(None, "", 0, "", raw, raw, False) == form.parse(raw)
    assert not form.head.match(raw)


def test_the_zone_is_the_hosts():
    """A wall clock that is two hours ahead showed 12:09 at 10:09 UTC; an hour given in the line wins."""
    form = redis_form(Fixed(2 * 3600))
    assert form.parse(b"1:M 28 Nov 2026 12:09:52.790 * x").time == pytest.approx(SECONDS)
    assert form.parse(b"1:M 2026-11-28T10:09:52.790+00:00 * x").time == pytest.approx(SECONDS)


def test_a_time_that_no_calendar_has_is_no_traceback():
    """A damaged line reads, with the beginning of time."""
    assert redis_form(UTC).parse(b"1:M 28 Xyz 2026 10:00:00.000 * x").level == "notice"
    assert redis_form(UTC).parse(b"1:M 99 Nov 2026 99:99:99.999 * x").level == "notice"


def test_keydb_tells_its_thread():
    """KeyDB's header has a thread after the process."""
    line = redis_form(UTC).parse(b"1234:19:M 28 Nov 2026 10:09:52.790 * text")
    assert (1234, "M", b"text") == (line.pid, line.role, line.text)
