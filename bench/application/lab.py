"""The bench's surroundings: one server of its own, a processor for each side, the session."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import hiredis

KEYS = 10_000
TTL = 3600  # seconds
PREFIX = "esabcfg:session:"
_chance = Random(20)  # the same keys and the same order in every run
IDS = [f"{_chance.getrandbits(128):032x}" for _ in range(KEYS)]
ORDER = _chance.sample(range(KEYS), KEYS)


def session() -> dict[str, Any]:
    """A session as backends keep it: 1 KiB as JSON."""
    data: dict[str, Any] = {
        "user_id": 421337,
        "email": "someone@example.com",
        "roles": ["editor", "reviewer", "billing"],
        "csrf_token": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "created": 1764300000.25,
        "locale": "en-GB",
        "count": 1000,
        "cart": [{"sku": f"SKU-{n:05}", "amount": n, "price": 19.99 + n} for n in range(10)],
        "flags": {f"feature_{n}": n % 2 == 0 for n in range(8)},
        "notes": "",
    }
    import json

    data["notes"] = "x" * (1024 - len(json.dumps(data)))
    return data


class Server(NamedTuple):
    """A running server, what it says it is, and how it was bound to processors."""

    port: int
    version: str
    pinned: bool


def pin(processor: int) -> bool:
    """Bind this process (and what it starts) to one processor, where there are two at least."""
    if not hasattr(os, "sched_setaffinity") or (os.cpu_count() or 1) < 2:
        return False
    os.sched_setaffinity(0, {processor})
    return True


@contextmanager
def running(program: str) -> Iterator[Server]:
    """Start the server on processor 0, keep this process on 1; end the server at the end."""
    port = free_port()
    with TemporaryDirectory(prefix="keywright-bench-") as folder:
        words = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        process = subprocess.Popen(
            [program, *words, "--dir", folder, "--maxclients", "2000"],
            stdout=subprocess.DEVNULL,
            preexec_fn=lambda: pin(0),  # noqa: PLW1509 - no thread is running yet
        )
        try:
            wait_for_pong(port)
            yield Server(port, version(port), pin(1))
        finally:
            process.terminate()
            process.wait()


def free_port() -> int:
    """A port that nobody holds at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def wait_for_pong(port: int) -> None:
    """Ask every 10 ms, at most 10 s."""
    limit = time.monotonic() + 10
    while time.monotonic() < limit:
        try:
            if ask(port, "PING") == b"PONG":
                return
        except OSError:
            time.sleep(0.01)
    sys.exit("the server gave no PONG within 10 s")


def ask(port: int, *words: str | bytes) -> Any:
    """One command over a connection of its own."""
    return ask_all(port, [words])[0]


def ask_all(port: int, commands: list[tuple[str | bytes, ...]]) -> list[Any]:
    """Many commands in one write, their replies in order."""
    reader = hiredis.Reader()
    replies: list[Any] = []
    with socket.create_connection(("127.0.0.1", port), timeout=30) as link:
        link.sendall(b"".join(hiredis.pack_command(words) for words in commands))
        while len(replies) < len(commands):
            reply = reader.gets()
            if reply is False:
                reader.feed(link.recv(65536))
            else:
                replies.append(reply)
    return replies


def version(port: int) -> str:
    """What the server is: name and version."""
    told = dict(
        line.split(":", 1) for line in ask(port, "INFO", "server").decode().split("\r\n")[1:-1]
    )
    if "valkey_version" in told:
        return f"Valkey {told['valkey_version']}"
    return f"Redis {told['redis_version']}"


def commands_so_far(port: int) -> int:
    """How many commands the server has carried out, without those that ask for this number."""
    calls = 0
    for line in ask(port, "INFO", "commandstats").decode().split("\r\n"):
        if line.startswith("cmdstat_") and not line.startswith("cmdstat_info"):
            calls += int(line.split("calls=")[1].split(",")[0])
    return calls


def used_by_others(since: tuple[float, float, float] | None = None) -> tuple[float, float, float]:
    """The share of the client's processor that other programs used since the value given (0 to 1).

    Returned first; the other two are for the next call. Zero where the system does not tell.
    """
    stat = Path("/proc/stat")
    if not stat.exists():
        return 0.0, 0.0, 0.0
    words = next((x for x in stat.read_text().splitlines() if x.startswith("cpu1 ")), "").split()
    busy = sum(int(words[n]) for n in (1, 2, 3, 6, 7, 8)) / os.sysconf("SC_CLK_TCK") if words else 0
    foreign, now = busy - sum(os.times()[:4]), time.monotonic()
    if since is None:
        return 0.0, foreign, now
    return max(0.0, (foreign - since[1]) / (now - since[2])), foreign, now


def machine() -> str:
    """The processor's name and how many there are."""
    name = "unknown processor"
    if Path("/proc/cpuinfo").exists():
        for line in open("/proc/cpuinfo", encoding="utf-8"):  # noqa: SIM115 - read to its end at once
            if line.startswith("model name"):
                name = line.split(":", 1)[1].strip()
                break
    return f"{name}, {os.cpu_count()} CPUs"
