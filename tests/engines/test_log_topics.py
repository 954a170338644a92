"""What real servers log (Redis 6.2, 7.0, 8.2 and Valkey 9.1): every line is read, every topic is found by
what they really write, and a crash report is one entry.

Origin of everything here: the servers themselves, started by these tests.
"""

import re
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hiredis
import pytest
from tests.app.test_old_server import OLD
from tests.engines.servers import ENGINES, Engine, Server, running
from tests.ports import free_port

from keywright_ops.logs.file import FileSource
from keywright_ops.logs.find import Question
from keywright_ops.logs.pattern import compile_patterns
from keywright_ops.logs.reading import Asked, entries, pieces
from keywright_ops.logs.redis_line import redis_form
from keywright_ops.logs.source import LEVELS
from keywright_ops.logs.topics import TOPICS, topic
from keywright_ops.logs.zones import Here

SERVERS = (OLD, *ENGINES)
# What no program holds: the C library's words, names of events that are put together, and Redis 6.2's own.
NOT_IN_A_PROGRAM = {
    "Connection reset by peer", "Address already in use", "No space left on device",
    "-sdown", "+sdown", "-odown", "+odown",
}  # fmt: skip


def by_name(name: str) -> Engine:
    """The engine of that name, or a skip."""
    engine = next(each for each in SERVERS if each.name == name)
    if engine.program is None:
        pytest.skip(f"{name} is not installed")
    return engine


def begin(engine: Engine, folder: Path, *settings: str) -> Any:
    """Start a server that logs everything into a file."""
    port = free_port()
    text = [f"port {port}", "bind 127.0.0.1", 'save ""', f'dir "{folder}"', "logfile server.log"]
    text += ["loglevel debug", *settings]
    if engine.name != "redis-6.2":
        text.append("enable-debug-command yes")
    (folder / "redis.conf").write_text("\n".join(text) + "\n")
    return running(engine, folder, port)


def log(server: Server) -> FileSource:
    """The source over its log."""
    return FileSource(str(server.folder / "server.log"), redis_form(Here()), "local")


def found(server: Server, question: Question) -> str:
    """What is wanted of the log."""
    told = b"".join(pieces(log(server), Asked(question=question)))
    return told.decode("utf-8", "replace")


@pytest.fixture(scope="module", params=[each.name for each in SERVERS])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Each server in turn, having done everything that DEEDS names."""
    engine = by_name(request.param)
    with begin(engine, tmp_path_factory.mktemp(engine.name), "lua-time-limit 5") as running_one:
        with running_one.line() as line:
            for _, deed, _ in DEEDS.values():
                deed(running_one, line)
        yield running_one


def connect(server: Server, _: Any) -> None:
    """Come and go."""
    socket.create_connection(("127.0.0.1", server.port)).close()


def be_slow(_: Server, line: Any) -> None:
    """A script that runs for longer than lua-time-limit."""
    line.ask("EVAL", "local n = 0; for i = 1, 30000000 do n = n + i end; return n", "0")


def shrink(_: Server, line: Any) -> None:
    """maxmemory below what is used."""
    line.ask("CONFIG", "SET", "maxmemory", "500000")
    line.ask("CONFIG", "SET", "maxmemory", "0")


def save(_: Server, line: Any) -> None:
    """A snapshot in the background."""
    line.ask("BGSAVE")


def replicate(_: Server, line: Any) -> None:
    """Become the replica of nobody, and a master again."""
    line.ask("REPLICAOF", "127.0.0.1", str(free_port()))
    time.sleep(0.2)
    line.ask("REPLICAOF", "NO", "ONE")


def attack(server: Server, _: Any) -> None:
    """A web page that posts to the server."""
    with socket.create_connection(("127.0.0.1", server.port)) as stranger:
        stranger.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        stranger.recv(100)


def nothing(_: Server, __: Any) -> None:
    """It was started."""


Deed = Callable[[Server, Any], None]
# topic → what makes the server log it, by a deed, and what it writes then
DEEDS: dict[str, tuple[str, Deed, str]] = {
    "startup": ("starting", nothing, r"[Rr]eady to accept connections"),
    "connection": ("a client", connect, r"- Accepted 127\.0\.0\.1:\d+"),
    "performance": (
        "a slow script",
        be_slow,
        r"# (Slow|Lua slow) script detected: still in execution",
    ),
    "memory": ("a small maxmemory", shrink, r"maxmemory"),
    "persistence": ("a snapshot", save, r"Background saving (started|terminated with success)"),
    "replication": ("a replica", replicate, r"(MASTER|PRIMARY|REPLICAOF) "),
    "security": ("a web page", attack, r"# Possible SECURITY ATTACK detected"),
}


def await_line(server: Server, pattern: str) -> str:
    """Wait until the server has written it."""
    limit = time.monotonic() + 15
    while True:
        text = (server.folder / "server.log").read_text(errors="replace")
        match = re.search(f"^.*{pattern}.*$", text, re.MULTILINE)
        if match:
            return match[0]
        assert time.monotonic() < limit, text
        time.sleep(0.02)


@pytest.mark.parametrize("name", DEEDS)
def test_a_topic_finds_what_the_server_writes(name: str, server: Server):
    """Each topic is found by what a real server wrote of it, and is not simply everything."""
    _, _, pattern = DEEDS[name]
    line = await_line(server, pattern)
    told = found(server, Question((topic([name]),)))
    assert line in told
    with server.line() as asked:
        asked.ask("DEBUG", "LOG", "nothing of the kind")
    assert "DEBUG LOG: nothing of the kind" in found(server, Question())
    assert "nothing of the kind" not in found(server, Question((topic([name]),)))


def test_every_topic_has_a_deed():
    """No topic goes untried."""
    assert set(TOPICS) == set(DEEDS)


def test_every_phrase_is_a_servers_own():
    """Each phrase of a topic stands in one of the programs."""
    programs = [Path(each.program).resolve() for each in SERVERS if each.program]
    if len(programs) < len(SERVERS):
        pytest.skip("not all servers are installed")
    held = [program.read_bytes().lower() for program in programs]
    missing = {
        phrase
        for phrases in TOPICS.values()
        for phrase in phrases
        if not any(phrase.lower().encode() in program for program in held)
    }
    assert missing <= NOT_IN_A_PROGRAM


def test_every_line_is_read(server: Server):
    """No line of a server that runs well is without time, level, process and role."""
    await_line(server, DEEDS["security"][2])
    seen = set()
    for entry in entries(log(server), pieces(log(server), Asked())):
        assert entry is not None and entry.line.head, entry
        assert abs(entry.time - time.time()) < 300, entry
        assert entry.line.level in LEVELS and entry.line.pid > 0 and entry.line.role in "MSC", entry
        seen.add(entry.line.level)
    assert set(LEVELS) <= seen


def test_a_level_finds_what_the_mark_says(server: Server, tmp_path: Path):
    """A level is the mark in the header, and no mark in a text."""
    with server.line() as line:
        line.ask("DEBUG", "LOG", "a # b * c - d . e")
    text = (server.folder / "server.log").read_text(errors="replace")
    (tmp_path / "server.log").write_text(text)  # the server goes on writing
    server = server._replace(folder=tmp_path)
    for level, mark in zip(LEVELS, ".-*#", strict=True):
        expected = [
            each for each in text.splitlines() if re.match(rf"\d+:[MSC] .{{24}} \{mark} ", each)
        ]
        got = found(server, Question(levels=frozenset((level,)))).splitlines()
        kept = [each for each in got if re.match(r"\d+:[MSC] ", each)]
        assert expected and expected == kept, level


@pytest.mark.parametrize("name", [each.name for each in SERVERS])
def test_a_crash_report_is_one_entry(name: str, tmp_path: Path):
    """A real crash: whatever is looked for in it, all of it is shown, and nothing else."""
    with begin(by_name(name), tmp_path, "crash-memcheck-enabled no") as server:
        with server.line() as line, pytest.raises((ConnectionError, hiredis.HiredisError)):
            line.ask("DEBUG", "SEGFAULT")
        server.process.wait(20)
        whole = (tmp_path / "server.log").read_bytes().decode("utf-8", "replace")
        start = whole.index("=== ")
        report = whole[start:]
        assert "BUG REPORT START" in report and "BUG REPORT END" in report
        for pattern in ("crashed by signal", "STACK TRACE", "BUG REPORT END", "redis_version:"):
            wanted = compile_patterns([pattern], True)
            assert wanted is not None
            assert report == found(server, Question((wanted,)))
        assert found(server, Question(levels=frozenset(("warning",)))).endswith(report)
        last = list(entries(log(server), pieces(log(server), Asked())))[-1]
        assert last is not None
        assert ("warning", server.process.pid) == (last.line.level, last.line.pid)
        assert abs(last.time - time.time()) < 300


@pytest.mark.parametrize("stamp", ["legacy", "iso8601", "milliseconds"])
@pytest.mark.parametrize("form", ["legacy", "logfmt"])
def test_valkeys_other_forms_say_the_same(form: str, stamp: str, tmp_path: Path):
    """log-format and log-timestamp-format of Valkey change nothing that is found."""
    settings = (f"log-format {form}", f"log-timestamp-format {stamp}")
    with begin(by_name("valkey-9.1"), tmp_path, *settings) as server:
        with server.line() as line:
            line.ask("DEBUG", "LOG", 'said "so" \\ there')
            pid = int(re.search(r"process_id:(\d+)", line.ask("INFO", "server"))[1])  # type: ignore[index]
        told = found(server, Question(levels=frozenset(("warning",))))
        assert "DEBUG LOG" in told
        assert "Configuration loaded" not in told
        assert "Configuration loaded" in found(server, Question(levels=frozenset(LEVELS[2:])))
        assert "Accepted" not in found(server, Question(levels=frozenset(LEVELS[2:])))
        for entry in entries(log(server), pieces(log(server), Asked())):
            assert entry is not None and entry.line.head, entry
            assert (pid, True) == (entry.line.pid, abs(entry.time - time.time()) < 300)
            assert entry.line.level in LEVELS and entry.line.role in ("M", ""), entry
