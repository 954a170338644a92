"""Docker's time and the journal's fields stand before a line, and the line is read behind them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywright_ops.actions.log_linux import parse_seen, zone_of
from keywright_ops.logs import docker, journal
from keywright_ops.logs.redis_line import redis_form
from keywright_ops.logs.zones import UTC, Fixed

SERVER = redis_form(UTC)
READY = b"1:M 28 Nov 2026 10:13:41.160 * Ready to accept connections tcp"
AT = 1_795_860_821.0


# --- Docker --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stamp", "seconds"),
    [
        (b"2026-11-28T10:13:41.500000000Z ", AT + 0.5),
        (b"2026-11-28T10:13:41.5Z ", AT + 0.5),
        (b"2026-11-28T11:13:41.500000000+01:00 ", AT + 0.5),  # podman's docker
        (b"2026-11-28T04:43:41.000000001-05:30 ", AT),
    ],
)
def test_docker_s_time_counts(stamp: bytes, seconds: float) -> None:
    """Of a line with a header of its own, and of one without."""
    form = docker.docker_form(SERVER)
    line = form.parse(stamp + READY)
    assert ("notice", READY) == (line.level, line.raw)
    assert line.time == pytest.approx(seconds, abs=1e-6)
    more = form.parse(stamp + b"------ STACK TRACE ------")
    assert not more.head and more.time == pytest.approx(seconds, abs=1e-6)
    assert form.head.match(stamp + READY) and not form.head.match(stamp + b"--- STACK")


def test_what_docker_says_itself_is_no_line_of_the_container() -> None:
    """Its complaints come on the same way, without a time."""
    own: list[bytes] = []
    stamp = b"2026-11-28T10:13:41.500000000Z "
    chunk = stamp + b"one\nError grabbing logs: EOF\n" + stamp + b"\n"
    assert stamp + b"one\n" + stamp + b"\n" == docker._lines_of_the_container(chunk, own)
    assert [b"Error grabbing logs: EOF\n"] == own


@given(st.binary(max_size=70_000).map(lambda each: each.replace(b"\n", b"")))
def test_a_long_line_is_whole_again(text: bytes) -> None:
    """Docker cuts a line every 16 KiB and stamps each piece."""
    stamp = b"2026-11-28T10:13:41.500000000Z "
    pieces = [text[at : at + docker.PIECE] for at in range(0, len(text), docker.PIECE)] or [b""]
    cut = b"".join(stamp + each for each in pieces)
    assert stamp + text + b"\n" == docker._lines_of_the_container(cut + b"\n", [])


def test_a_bound_is_kept_to_the_nanosecond() -> None:
    """docker's own until is included, ours is not."""
    assert "1795860820.999999999" == docker._just_before(AT)
    assert "1795860821.499999999" == docker._just_before(AT + 0.5)
    assert "1795860820.999999" == journal._just_before(AT)


# --- the journal ---------------------------------------------------------------------------------


def entry(message: object, program: str = "redis-server", **more: object) -> bytes:
    """One line of journalctl's JSON."""
    fields = {"MESSAGE": message, "SYSLOG_IDENTIFIER": program, "_PID": "254", "PRIORITY": "6"}
    return json.dumps(
        {"__REALTIME_TIMESTAMP": "1795860821500000", "__CURSOR": "s=1;i=2", **fields, **more}
    ).encode()


def lines(*raw: bytes) -> list[bytes]:
    """The lines that come of a chunk."""
    chunk = b"".join(each + b"\n" for each in raw)
    return b"".join(journal._lines(chunk)).splitlines()


def test_the_server_s_line_has_its_own_level_and_the_journal_s_time() -> None:
    """Everything on standard output has the same priority; the server's mark tells more."""
    form = journal.journal_form(SERVER)
    (raw,) = lines(entry(READY.decode().replace("*", "#")))
    line = form.parse(raw)
    assert (AT + 0.5, "warning", 1, "M") == (line.time, line.level, line.pid, line.role)
    assert READY.replace(b"*", b"#") == line.raw and form.head.match(raw)
    (more,) = lines(entry("Backtrace:"))
    assert not form.head.match(more) and not form.parse(more).head


@pytest.mark.parametrize(
    ("priority", "level"), [("3", "warning"), ("4", "warning"), ("5", "notice"), ("7", "debug")]
)
def test_systemd_s_line_has_its_priority(priority: str, level: str) -> None:
    """And its name."""
    form = journal.journal_form(SERVER)
    (raw,) = lines(entry("Failed with result 'signal'.", "systemd", PRIORITY=priority, _PID="1"))
    line = form.parse(raw)
    assert (level, "systemd", 1) == (line.level, line.role, line.pid)
    assert b"Failed with result 'signal'." == line.raw and form.head.match(raw)


def test_a_message_may_be_anything() -> None:
    """Lines, bytes that are no text, a field twice, nothing; journalctl's own remarks are no entry."""
    form = journal.journal_form(SERVER)
    first, second = lines(entry("dumped core.\nStack", "systemd-coredump"))
    assert form.head.match(first) and not form.head.match(second)
    assert (b"Stack", False) == (form.parse(second).raw, form.parse(second).head)
    assert form.parse(lines(entry(list(b"\xff\x00x")))[0]).raw == b"\xff\x00x"
    assert form.parse(lines(entry(["one", "two"]))[0]).raw == b"one"
    assert form.parse(lines(entry(None))[0]).raw == b""
    assert [] == lines(b"-- No entries --", b"", b'{"half')
    assert "s=1;i=2" == journal._cursor(entry("x") + b"\n")


# --- what a host tells of its logs ---------------------------------------------------------------

TOLD = """
@@ who
nosudo

@@ zone
/usr/share/zoneinfo/Asia/Kolkata

@@ offset
+0530

@@ booted
1795860793

@@ loaded
loaded

@@ journal
no

@@ logfile
/var/log/redis/redis-server.log

@@ files
/var/log/redis/redis-server.log
/var/log/redis/redis-server.log
/var/log/nginx/error.log

@@ insight

@@ end
"""


def test_a_host_s_answer_is_read() -> None:
    """Each file once; the zone by its name, so that summer time is known."""
    seen = parse_seen(TOLD)
    assert ("nosudo", "Asia/Kolkata", 19800) == (seen.who, seen.zone, seen.offset)
    assert (1_795_860_793.0, True, False, False) == (
        seen.booted, seen.loaded, seen.journal, seen.insight,
    )  # fmt: skip
    assert ("/var/log/redis/redis-server.log", "/var/log/nginx/error.log") == seen.files
    wall = (2026, 11, 28, 15, 43, 41)
    assert AT == zone_of(seen).seconds(wall) == zone_of(seen._replace(zone="")).seconds(wall)
    berlin = zone_of(seen._replace(zone="Europe/Berlin", offset=3600))
    assert berlin.seconds((2026, 7, 1, 12, 0, 0)) == Fixed(7200).seconds((2026, 7, 1, 12, 0, 0))


def test_a_host_that_tells_little_is_read_too() -> None:
    """No systemd, no journal, no zone: nothing is assumed."""
    seen = parse_seen("")
    assert (None, False, True, ()) == (seen.booted, seen.loaded, seen.journal, seen.files)
    assert -12600 == parse_seen("\n@@ offset\n-0330\n").offset
