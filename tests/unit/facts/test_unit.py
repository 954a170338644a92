"""A service's main process from systemctl and /proc, and RedisInsight's word of itself."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keywright_ops.facts.insight import parse_health
from keywright_ops.facts.unit import parse_main_process
from keywright_ops.model.absence import Missing
from keywright_ops.model.host import Process

SHOWN = "MainPID=77\nResult=success\nLoadState=loaded\nActiveState=active\nSubState=running\n"
STAT = (
    "77 (redis-server) S 1 77 77 0 -1 4194368 1234 0 0 0 10 20 0 0 20 0 5 0 4711 65536000 2500 "
    "18446744073709551615 1 1 0 0 0 0 0 4097 17610 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0"
)
PROGRAM = "/usr/bin/redis-check-rdb"
COMMAND = "/usr/bin/redis-server 127.0.0.1:6379\n\n\n\n"
RUNS = f"{SHOWN}\n{STAT}\n{PROGRAM}\n{COMMAND}"


def test_a_process_that_runs(pure: Any) -> None:
    """Its id, start time, program and command line; without the zeros that a title leaves behind."""
    command = ("/usr/bin/redis-server 127.0.0.1:6379",)
    assert Process(77, "4711", PROGRAM, command) == pure(parse_main_process, RUNS, "redis-server")
    suspended = pure(parse_main_process, RUNS.replace(") S ", ") T "), "redis-server")
    assert Process(77, "4711", PROGRAM, command, True) == suspended


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("LoadState=not-found\nSubState=dead\nMainPID=0\n", "there is no service redis-server"),
        (
            "MainPID=0\nResult=success\nLoadState=loaded\nSubState=dead\n",
            "no server of this environment runs (redis-server is dead)",
        ),
        (
            "MainPID=0\nResult=oom-kill\nLoadState=loaded\nSubState=failed\n",
            "no server of this environment runs (redis-server is failed, oom-kill)",
        ),
        ("", "no server of this environment runs (redis-server is unknown)"),
        (f"{SHOWN}\n\n", "no server of this environment runs (redis-server is running)"),
        (
            RUNS.replace(") S ", ") Z "),
            "no server of this environment runs (redis-server is running)",
        ),
        (
            RUNS.replace("MainPID=77", "MainPID="),
            "no server of this environment runs (redis-server is running)",
        ),
    ],
)
def test_without_a_process_the_service_is_told(pure: Any, text: str, why: str) -> None:
    """Missing says how systemd sees the service; one that ended between two looks is none."""
    assert Missing(why) == pure(parse_main_process, text, "redis-server")


@given(st.integers(0, len(RUNS)), st.text(max_size=8), st.integers(0, 60))
def test_half_an_answer_is_no_crash(at: int, noise: str, gone: int) -> None:
    """Cut and spoilt anywhere it is a process or Missing."""
    text = RUNS[:at] + noise + RUNS[at + gone :]
    assert isinstance(parse_main_process(text, "redis-server"), Process | Missing)


# RedisInsight 2.70 through its own port
OK = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"status":"up"}'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (OK, "up"),
        (OK.replace("up", "down"), "down"),
        ("", Missing("port 6380 does not answer")),
        ("SSH-2.0-OpenSSH_9.2\r\n", Missing("port 6380 speaks no HTTP")),
        (
            OK.replace("200 OK", "404 Not Found"),
            Missing("/api/health/ on port 6380 answers HTTP 404"),
        ),
        (OK[:-3], Missing("port 6380 is not RedisInsight's")),
        (OK[:-15] + "[]", Missing("port 6380 is not RedisInsight's")),
        (OK[:-15] + '{"status":1}', Missing("port 6380 is not RedisInsight's")),
        (OK[:-15] + "[" * 100000, Missing("port 6380 is not RedisInsight's")),
        ("HTTP/", Missing("/api/health/ on port 6380 answers HTTP ")),
        ("HTTP/1.0", Missing("/api/health/ on port 6380 answers HTTP ")),
    ],
)
def test_health_is_its_own_word_or_why_there_is_none(
    pure: Any, text: str, expected: str | Missing
) -> None:
    """Only a whole answer of RedisInsight's counts; what else listens there is told apart."""
    assert expected == pure(parse_health, text, 6380)


@given(st.text(max_size=60), st.integers(0, len(OK)))
@example("HTTP/", 0)
def test_whatever_answers_there_is_no_crash(noise: str, at: int) -> None:
    """Any answer is a word or Missing."""
    for text in (noise, OK[:at] + noise, noise + OK[at:]):
        assert isinstance(parse_health(text, 6380), str | Missing)
