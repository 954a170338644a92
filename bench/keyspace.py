"""`keywright analyze` against redis-cli's own way, over a keyspace of 1,000,000 mixed keys.

Whole processes, interleaved, on one server that `keywright up` made. While `analyze` runs at full speed
another client sends a GET every millisecond: its p99 is compared with the one on the idle server.
`--long` adds 10,000,000 keys, to see that time grows with them and memory does not.
"""

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

from measure import ROOT, Figure, report

sys.path.insert(0, str(ROOT / "src"))

from keywright.endpoint import Endpoint
from keywright.secret import Secret
from keywright.wire import Wire, pack

ROUNDS = 3
KEYS, MANY = 1_000_000, 10_000_000
FASTER, FASTER_THAN_KEYSTATS = 4, 6  # times
BYSTANDER = 6  # times the p99 of the idle server
MEGABYTES = 150
LINEAR = 1.15  # times as many keys may take that much longer
GIANTS, ELEMENTS = 10, 100_000
BATCH = 5000  # commands in one write


class Ran(NamedTuple):
    """One run of a program: seconds, and its peak of memory in MB."""

    seconds: float
    megabytes: float


class Environment:
    """A project and a home of their own, with a server that `keywright up` started."""

    def __init__(self, folder: Path, server: str) -> None:
        self.home, self.project = folder / "home", folder / "project"
        self.home.mkdir()
        self.project.mkdir()
        lines = [
            "[env.local]",
            "port = 27199",
            'maxmemory = "3gb"',
            'maxmemory_policy = "noeviction"',
        ]
        lines += ["appendonly = false", "save = []", f'server = "{server}"' if server else ""]
        (self.project / "keywright.toml").write_text("\n".join(lines))
        self.environ = {"HOME": str(self.home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        self.environ["PYTHONPATH"] = os.pathsep.join((str(ROOT / "src"), *sys.path))
        self.keywright("up")
        vault = next((self.home / ".local/state/keywright").glob("*/local/vault.json"))
        import json

        secret = Secret(json.loads(vault.read_text())["secrets"]["admin"])
        self.endpoint = Endpoint(port=27199, username="admin", password=secret, timeout=60)

    def keywright(self, *words: str) -> Ran:
        """Run one command to its end."""
        return self.run(sys.executable, "-m", "keywright_ops", *words)

    def redis_cli(self, option: str) -> Ran:
        """Run redis-cli in one of its ways over the keyspace."""
        assert self.endpoint.password is not None
        self.environ["REDISCLI_AUTH"] = self.endpoint.password.reveal()
        return self.run("redis-cli", "-p", str(self.endpoint.port), "--user", "admin", option)

    def run(self, *argv: str) -> Ran:
        """Run a program; what it prints goes nowhere, an error ends the benchmark."""
        begun = time.perf_counter()
        child = subprocess.Popen(
            argv,
            env=self.environ,
            cwd=self.project,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        assert child.stderr is not None
        peak = Peak(child.pid)
        peak.start()
        words = child.stderr.read()
        code = child.wait()
        seconds = time.perf_counter() - begun
        peak.join()
        if code:
            sys.exit(f"{' '.join(argv)} failed\n{words.decode()}")
        return Ran(seconds, peak.megabytes)


class Peak(threading.Thread):
    """Reads the peak of a process's memory until it ends (its rusage would begin with ours)."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.path, self.megabytes = Path(f"/proc/{pid}/status"), 0.0

    def run(self) -> None:
        """Look every 50 ms."""
        while True:
            try:
                found = re.search(r"VmHWM:\s+(\d+) kB", self.path.read_text())
            except OSError:
                return
            if found is None:  # it has ended
                return
            self.megabytes = int(found[1]) / 1024
            time.sleep(0.05)


def mixed(count: int) -> Iterator[bytes]:
    """Commands that make so many keys: six types under eight prefixes, half of them with a TTL."""
    dice = random.Random(6)
    for number in range(count):
        ttl = dice.randrange(60, 10 * 86400)
        kind = number % 14
        if kind < 4:
            key = b"session:%032x" % dice.getrandbits(128)
            yield pack((b"SET", key, b"s" * dice.randrange(200, 800), b"EX", ttl))
        elif kind < 6:
            yield pack(
                (b"SET", b"cache:page:%d" % number, b"p" * dice.randrange(50, 300), b"EX", ttl)
            )
        elif kind < 8:
            mail = b"m%d@example.org" % number
            yield pack((b"HSET", b"user:%d:profile" % number, b"name", b"n", b"mail", mail))
        elif kind == 8:
            yield pack((b"SADD", b"user:%d:roles" % number, b"reader", b"writer"))
        elif kind == 9:
            yield pack((b"RPUSH", b"queue:mail:%d" % number, b"j" * 40, b"k" * 40))
        elif kind == 10:
            yield pack((b"ZADD", b"board:%d" % number, 1, b"one", 2, b"two"))
        elif kind == 11:
            yield pack((b"XADD", b"events:%d" % number, b"*", b"kind", b"login"))
        elif kind == 12:
            yield pack((b"SET", b"flag:%d" % number, b"1"))
        else:
            yield pack((b"SET", b"lock:order:%d" % number, b"t", b"EX", ttl))


def giants() -> Iterator[bytes]:
    """Commands that make twenty very large keys."""
    for number in range(GIANTS):
        for first in range(0, ELEMENTS, 1000):
            members = [b"m%d" % each for each in range(first, first + 1000)]
            fields = [word for each in members for word in (each, b"value")]
            yield pack((b"SADD", b"big:set:%d" % number, *members))
            yield pack((b"HSET", b"big:hash:%d" % number, *fields))


def plain(count: int) -> Iterator[bytes]:
    """Commands that make so many small strings."""
    return (pack((b"SET", b"item:%d" % number, b"v" * 16)) for number in range(count))


def fill(endpoint: Endpoint, commands: Iterator[bytes]) -> None:
    """Write them all, thousands in one write."""
    with Wire(endpoint) as wire:
        batch: list[bytes] = []
        for command in commands:
            batch.append(command)
            if len(batch) == BATCH:
                wire.exchange(b"".join(batch), len(batch))
                batch.clear()
        if batch:
            wire.exchange(b"".join(batch), len(batch))


class Bystander(threading.Thread):
    """Another client: a GET every millisecond, each answer timed (milliseconds)."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(daemon=True)
        self.wire = Wire(endpoint)
        self.times: list[float] = []
        self.ended = threading.Event()

    def run(self) -> None:
        """Ask until told to stop."""
        question = pack((b"GET", b"flag:12"))
        while not self.ended.is_set():
            begun = time.perf_counter()
            self.wire.exchange(question, 1)
            taken = time.perf_counter() - begun
            self.times.append(taken * 1000)
            time.sleep(max(0.0, 0.001 - taken))

    def p99(self) -> float:
        """Stop, and return the time that 99 of 100 answers kept."""
        self.ended.set()
        self.join()
        return quantiles(self.times, n=100)[98]


def beside(endpoint: Endpoint, run: object) -> float:
    """Return the bystander's p99 while `run` (a callable, or seconds of idleness) goes on."""
    watcher = Bystander(endpoint)
    watcher.start()
    if callable(run):
        run()
    else:
        time.sleep(2)
    return watcher.p99()


def figures(place: Environment, rounds: int) -> list[Figure]:
    """Measure over the keyspace as it is."""
    runs = {
        "analyze": lambda: place.keywright("analyze", "--full-speed", "--json"),
        "--memkeys": lambda: place.redis_cli("--memkeys"),
    }
    told = subprocess.run(["redis-cli", "--help"], capture_output=True, check=False)
    if b"--keystats" in told.stdout + told.stderr:
        runs["--keystats"] = lambda: place.redis_cli("--keystats")
    ran: dict[str, list[Ran]] = {name: [] for name in runs}
    idle: list[float] = []
    busy: list[float] = []
    for _ in range(rounds):
        for name, run in runs.items():
            ran[name].append(run())
        idle.append(beside(place.endpoint, None))
        busy.append(beside(place.endpoint, runs["analyze"]))
    times = {name: median(each.seconds for each in of) for name, of in ran.items()}
    ours = times.pop("analyze")
    found = []
    for name, faster in (("--memkeys", FASTER), ("--keystats", FASTER_THAN_KEYSTATS)):
        if name in times:
            beside_it = (
                f"{ours:.1f} s against {times[name]:.1f} s: {times[name] / ours:.1f} times faster"
            )
            title = f"analyze as a part of redis-cli {name}"
            found.append(Figure(title, ours / times[name], "×", 1 / faster, beside_it))
    ratio = median(busy) / median(idle)
    detail = f"p99 {median(busy):.2f} ms while it runs, {median(idle):.2f} ms on the idle server"
    found.append(Figure("another client's GET, p99 beside it", ratio, "×", BYSTANDER, detail))
    peak = max(each.megabytes for each in ran["analyze"])
    found.append(Figure("memory of the tool", peak, "MB", MEGABYTES, "its peak"))
    return found


def long(place: Environment) -> list[Figure]:
    """1 and then 10 million small keys: a key shall take as long, and the tool no more memory."""
    with Wire(place.endpoint) as wire:
        wire.call("FLUSHALL")
    fill(place.endpoint, plain(KEYS))
    few = min(place.keywright("analyze", "--full-speed", "--json").seconds for _ in range(ROUNDS))
    fill(place.endpoint, plain(MANY))
    many = place.keywright("analyze", "--full-speed", "--json")
    ratio = many.seconds / few / (MANY / KEYS)
    detail = f"{MANY:,} keys in {many.seconds:.1f} s, {KEYS:,} in {few:.1f} s"
    return [
        Figure("a key among ten million, to one of a million", ratio, "×", LINEAR, detail),
        Figure("memory of the tool over ten million", many.megabytes, "MB", MEGABYTES, "its peak"),
    ]


def main() -> int:
    """Measure and print; 1 when a figure is over its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=KEYS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--long", action="store_true", help="ten million keys too (minutes)")
    parser.add_argument("--server", default=shutil.which("redis-server") or "")
    words = parser.parse_args()
    if not shutil.which("redis-cli"):
        print("keyspace: there is no redis-cli here to compare with", file=sys.stderr)
        return 0
    with tempfile.TemporaryDirectory(prefix="keywright-bench-") as name:
        place = Environment(Path(name), words.server)
        try:
            fill(place.endpoint, mixed(words.keys))
            fill(place.endpoint, giants())
            found = figures(place, words.rounds)
            if words.long:
                found += long(place)
        finally:
            place.keywright("down", "--yes")
    server = words.server or "the embedded server"
    return report(
        f"analyze, {words.keys:,} mixed keys on {server} (median of {words.rounds})", found
    )


if __name__ == "__main__":
    sys.exit(main())
