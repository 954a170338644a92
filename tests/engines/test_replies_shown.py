"""Replies, quotes and patterns, held to redis-cli and to the servers themselves."""

import subprocess
from collections.abc import Iterator
from shutil import which

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.engines.servers import Server

from keywright.endpoint import Endpoint
from keywright.errors import InputError
from keywright.wire import Wire
from keywright_ops.facts.command_line import parse_command_line
from keywright_ops.facts.glob import parse_glob
from keywright_ops.facts.reply_text import (
    quoted,
    render_plainly,
    render_raw,
    render_typed,
    told_plainly,
)
from keywright_ops.ops.line import Line

CLIENT = which("redis-cli")
pytestmark = pytest.mark.skipif(CLIENT is None, reason="redis-cli is not installed")

SCRIPT = (
    "return {1, -7, {2, {'a', '\"', {}}, false}, 'x', redis.status_reply('fine'), "
    "redis.error_reply('ERR bad'), {}, {{}}, {{{'deep'}}}}"
)
COMMANDS = [
    ("PING",), ("GET", "text"), ("GET", "binary"), ("GET", "nothing"), ("GET",), ("NOPE", "x"),
    ("STRLEN", "text"), ("LPUSH", "text", "x"), ("LRANGE", "list", "0", "-1"), ("HGETALL", "nothing"),
    ("EVAL", SCRIPT, "0"), ("EVAL", "local t={} for i=1,120 do t[i]={i,{i}} end return t", "0"),
    ("CONFIG", "GET", "maxmemory*"), ("COMMAND", "INFO", "get", "nope"), ("CLUSTER", "INFO"),
    ("MEMORY", "DOCTOR"), ("LATENCY", "DOCTOR"), ("ACL", "LIST"), ("ECHO", ""), ("SLOWLOG", "GET", "0"),
    ("XRANGE", "stream", "-", "+"), ("XINFO", "STREAM", "stream"), ("ACL", "GETUSER", "default"),
    ("GEOPOS", "geo", "x", "y"), ("ZRANGE", "geo", "0", "-1", "WITHSCORES"), ("EXEC",),
]  # fmt: skip


@pytest.fixture(scope="module")
def filled(open_server: Server) -> Server:
    """A server with a key of each kind."""
    with open_server.line() as line:
        line.ask_all(
            [
                ("SET", "text", 'tab\t"q" é'), ("SET", "binary", bytes(range(256))),
                ("RPUSH", "list", *map(str, range(12))), ("XADD", "stream", "1-1", "f", "v"),
                ("GEOADD", "geo", "13.4", "52.5", "x"),
            ]
        )  # fmt: skip
    return open_server


@pytest.fixture
def line(filled: Server) -> Iterator[Line]:
    """A connection of ours to it."""
    with Line(Wire(Endpoint(port=filled.port))) as line:
        yield line


def theirs(server: Server, *words: str, typed: bytes = b"") -> bytes:
    """What redis-cli prints."""
    argv = (str(CLIENT), "-p", str(server.port), *words)
    return subprocess.run(argv, input=typed, capture_output=True, timeout=30).stdout


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words)[:20])
def test_a_reply_on_a_terminal_and_raw(words: tuple[str, ...], filled: Server, line: Line) -> None:
    """Law: every kind of reply looks as redis-cli shows it, with --no-raw and with --raw."""
    reply, plain = line.ask(words, 5.0), told_plainly(words)
    typed = theirs(filled, "--no-raw", *words)
    if plain:  # redis-cli leaves the errors of these bare, and the last line open
        assert typed.decode().strip("\r\n").replace("\r", "") in render_plainly(reply)
    else:
        assert typed == render_typed(reply).encode()
    assert theirs(filled, "--raw", *words) == render_raw(reply) + (b"" if plain else b"\n")


# One word each, as a person may get it wrong.
LINES = st.lists(
    st.text(alphabet="ab \"'\\xn\t0f\xe9", min_size=1, max_size=16), min_size=20, max_size=20
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(LINES)
def test_quotes_are_those_of_redis_cli(filled: Server, typed: list[str]) -> None:
    """Law: whatever quotes and escapes a line holds, redis-cli sends the words that we would send."""
    expected = []
    for each in typed:
        try:
            words = parse_command_line(f"ECHO {each}").words
        except InputError:
            expected.append("Invalid argument(s)")
            continue
        wrong = "(error) ERR wrong number of arguments for 'echo' command"
        text = words[1].encode("utf-8", "surrogateescape") if len(words) == 2 else b""
        expected.append(quoted(text) if len(words) == 2 else wrong)
    said = theirs(filled, "--no-raw", typed="".join(f"ECHO {each}\n" for each in typed).encode())
    assert expected == [each for each in said.decode().splitlines() if each]


PATTERNS = st.text(alphabet="ab*?[]^-\\", max_size=6)
NAMES = ("a", "b", "ab", "a*", "a[b]", "^", "-", "]", "\\", "x\ny", "*")


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(PATTERNS)
def test_patterns_are_those_of_the_server(line: Line, pattern: str) -> None:
    """Law: a pattern matches here exactly what KEYS finds by it."""
    if not line.ask(("EXISTS", "9:mark"), 5.0):
        line.ask(("SELECT", "9"), 5.0)
        for name in (*NAMES, "9:mark"):
            line.ask(("SET", name, ""), 5.0)
    found = {each.decode() for each in line.ask(("KEYS", pattern), 5.0)} - {"9:mark"}
    expression = parse_glob(pattern)
    assert found == {name for name in NAMES if expression.fullmatch(name.encode())}
