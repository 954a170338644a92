"""The application library against the guide's recipe, its peers, and what is possible at all.

One server, one run. Exits 1 when a limit is missed. See docs/application/speed.md.
"""

import argparse
import asyncio
import gc
import signal
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from shutil import which
from statistics import median
from typing import Any

import cbench
import hot
import memory
from driving import AsyncWay, Way, by_tasks, by_threads, in_a_row, waits
from lab import ORDER, Server, commands_so_far, machine, running, used_by_others
from om import Child
from ours import async_ours, async_talking, ours, seed, talking, touching
from peers import async_peers, sync_peers
from rounds import Measured, Run, Subject
from table import BASE, Figure, details, report
from thin import async_recipe, async_thin, one_command, recipe, thin

SKETCH = "bare sketch"
NOISE = 0.1  # of the client's processor: what other programs may use before a run says so
COUNTED = 500  # operations, for commands per operation
# Times as fast as the recipe: subject, format, at least.
LIMITS = [
    ("load, 1 thread", "json", 2.2),
    ("load, 10 tasks", "json", 4.5),
    ("load, 100 tasks", "json", 8.0),
    ("load, 100 tasks", "msgspec", 12.0),
    ("save, 1 thread", "json", 1.2),
    ("save, 10 tasks", "json", 2.5),
    ("save, 100 tasks", "json", 5.0),
    ("load, 8 threads", "json", 2.5),
]


class Bench:
    """The ways, set up against one server, and the event loop of the tasks."""

    def __init__(self, server: Server, options: argparse.Namespace, loop: asyncio.Runner) -> None:
        self.server, self.options, self.loop = server, options, loop
        port = server.port
        seed(port)
        self.sync = [recipe(port), *(thin(port, each) for each in ("json", "msgspec"))]
        self.ours = [ours(port, each) for each in ("json", "msgspec")]
        self.sync += [*self.ours, talking(port), *sync_peers(port)]
        self.threaded = [recipe(port), one_command(port), *self.sync[1:2], self.ours[0]]
        self.tasks: list[AsyncWay] = loop.run(self._async_ways())
        self.raw: list[AsyncWay] = loop.run(self._raw_ways())
        for way in self.sync:
            in_a_row(way.save, ORDER)
        for other in self.tasks:
            loop.run(by_tasks(other.save, ORDER, 100))
        self.om = Child(options.redis_om, port) if options.redis_om.exists() else None
        self.commands: dict[str, dict[str, float]] = {"load": {}, "save": {}, "touch": {}}

    async def _async_ways(self) -> list[AsyncWay]:
        port, formats = self.server.port, ("json", "msgspec")
        sketches = [await async_thin(port, each) for each in formats]
        mine = [await async_ours(port, each) for each in formats]
        return [
            async_recipe(port),
            *sketches,
            *mine,
            async_talking(port, "json"),
            *async_peers(port),
        ]

    async def _raw_ways(self) -> list[AsyncWay]:
        return [
            await async_thin(self.server.port, "raw"),
            async_talking(self.server.port, "raw"),
        ]

    def subjects(self) -> list[Subject]:
        """What is measured: load and save, in a row, by threads, by tasks."""
        found = []
        for act in ("load", "save"):
            runs = {each.name: _in_a_row(each, act) for each in self.sync}
            found.append(Subject(f"{act}, 1 thread", runs))
        threads = {each.name: _by_threads(each) for each in self.threaded}
        found.append(Subject("load, 8 threads", threads, 8))
        for act in ("load", "save"):
            for tasks in (10, 100):
                runs = {each.name: self._by_tasks(each, act, tasks) for each in self.tasks}
                if self.om is not None:
                    runs["redis-om"] = _by_child(self.om, act, tasks)
                if act == "load" and tasks == 100:
                    runs |= {each.name: self._by_tasks(each, act, tasks) for each in self.raw}
                    runs |= cbench.runs(self.options.benchmark, self.server.port)
                found.append(Subject(f"{act}, {tasks} tasks", runs, tasks))
        return found

    def _by_tasks(self, way: AsyncWay, act: str, tasks: int) -> Run:
        do = getattr(way, act)
        return lambda numbers: self.loop.run(by_tasks(do, numbers, tasks))

    def count(self) -> None:
        """Ask the server how many commands each way gave it for an operation."""
        port = self.server.port
        subjects: list[tuple[str, str, Run]] = []
        for act in ("load", "save"):
            subjects += [(act, each.name, _in_a_row(each, act)) for each in self.sync]
            subjects += [(act, each.name, self._by_tasks(each, act, 10)) for each in self.tasks]
            if self.om is not None:
                subjects.append((act, "redis-om", _by_child(self.om, act, 10)))
        subjects.append(("touch", "keywright", touching(port)))
        for act, name, run in subjects:
            before = commands_so_far(port)
            run(ORDER[:COUNTED])
            known = self.commands[act].get(name, 0.0)
            self.commands[act][name] = max(known, (commands_so_far(port) - before) / COUNTED)

    def tail(self) -> tuple[float, float, float]:
        """The 99th percentile at 100 tasks, ours by the recipe's; and both in milliseconds."""
        ratios, mine, theirs = [], [], []
        for _ in range(min(7, self.options.rounds)):
            both = [self._p99(self._named("keywright", "json")), self._p99(self.tasks[0])]
            ratios.append(both[0] / both[1])
            mine.append(both[0] * 1000)
            theirs.append(both[1] * 1000)
        return median(ratios), median(mine), median(theirs)

    def _p99(self, way: AsyncWay) -> float:
        took: list[float] = self.loop.run(waits(way.load, ORDER[:2000], 100))
        return took[len(took) * 99 // 100]

    def _named(self, start: str, end: str) -> AsyncWay:
        return next(w for w in self.tasks if w.name.startswith(start) and w.name.endswith(end))


def _in_a_row(way: Way | AsyncWay, act: str) -> Run:
    do = getattr(way, act)
    return lambda numbers: in_a_row(do, numbers)


def _by_threads(way: Way) -> Run:
    return lambda numbers: by_threads(way.load, numbers, 8)


WITH_MSGSPEC = ("Flask-Session",)  # peers that write by msgspec are compared with ours that does


def _by_child(child: Child, act: str, tasks: int) -> Run:
    return lambda numbers: child.measured(act, numbers, tasks)


def name_of(measured: Measured, start: str, format: str) -> str:
    """The way's name that begins so and is of that format."""
    return next(n for n in measured.samples if n.startswith(start) and n.endswith(format))


def judged(found: dict[str, Measured]) -> list[Figure]:
    """The ratios to the recipe, and to the best peer."""
    figures = []
    for title, kind, limit in LIMITS:
        measured = found[title]
        mine, sketch = (name_of(measured, each, kind) for each in ("keywright", SKETCH))
        value = measured.ratio(mine, BASE)
        best = _best_peer(measured)
        ceiling = measured.ratio(sketch, BASE)
        figures.append(Figure(f"{title}, {kind}", value, limit, ceiling, best))
    for title in ("load, 1 thread", "save, 1 thread", "load, 10 tasks", "save, 10 tasks",
                  "load, 100 tasks", "save, 100 tasks"):  # fmt: skip
        measured = found[title]
        best = _best_peer(measured)
        assert best is not None
        mine = name_of(measured, "keywright", "msgspec" if best[1] in WITH_MSGSPEC else "json")
        ahead = measured.ratio(mine, best[1])
        figures.append(Figure(f"{title}, by peer", ahead, 1.0, None, best))
    return figures


def _best_peer(measured: Measured) -> tuple[float, str] | None:
    no_peers = ("keywright", "its talker", SKETCH, "redis-", BASE)
    peers = [n for n in measured.samples if not n.startswith(no_peers) or n == "redis-om"]
    return max((measured.ratio(each, BASE), each) for each in peers) if peers else None


def against_c(measured: Measured) -> list[Figure]:
    """By redis-benchmark with a hundred requests under way."""
    figures = []
    for kind in ("raw", "json", "msgspec"):
        start = "its talker" if kind == "raw" else "keywright"
        mine, sketch = (name_of(measured, each, kind) for each in (start, SKETCH))
        for base, limit in (("redis-benchmark -c 100", 0.5), ("redis-benchmark -c 1 -P 100", None)):
            title = f"{kind} / {base.replace('redis-benchmark', 'C')}"
            ceiling = measured.ratio(sketch, base)
            figures.append(Figure(title, measured.ratio(mine, base), limit, ceiling))
    return figures


def counted(commands: dict[str, dict[str, float]]) -> list[Figure]:
    """Commands per operation: exactly one."""
    return [
        Figure(f"commands of a {act}", max(v for n, v in names.items() if n.startswith("keywright")),
               1.0, 1.0, unit="", most=True)
        for act, names in commands.items()
    ]  # fmt: skip


def measure(server: Server, options: argparse.Namespace) -> int:
    """All rounds, then the tables."""
    with asyncio.Runner() as loop:
        bench = Bench(server, options, loop)
        subjects = bench.subjects() + hot.subjects(server.port, loop)
        for subject in subjects:
            subject.warm()
        bench.count()
        gc.collect()
        gc.freeze()  # ten thousand sessions lie about: looking through them is nobody's work here
        quiet = used_by_others()
        for number in range(options.rounds):
            print(f"\rround {number + 1} of {options.rounds}", end="", file=sys.stderr, flush=True)
            for subject in subjects:
                subject.round()
        print(file=sys.stderr)
        others = used_by_others(quiet)[0]
        tail = bench.tail()
        found = {each.title: each.measured for each in subjects}
        for title, measured in found.items():
            details(title, measured, bench.commands.get(title.split(",")[0], {}))
        figures = judged(found) + against_c(found["load, 100 tasks"]) + counted(bench.commands)
        print(f"\np99 at 100 tasks: ours {tail[1]:.1f} ms, the recipe's {tail[2]:.1f} ms")
        figures.append(Figure("p99, 100 tasks, by recipe's", tail[0], 1.5, most=True))
        figures += hot.figures(found)
        if bench.om is not None:
            bench.om.close()
        early, late = (100_000, 1_000_000) if options.soak else (50_000, 250_000)
        grown = memory.growth(server.port, early, late)
        title = f"memory, {early // 1000} k to {late // 1000} k"
        figures.append(Figure(title, grown, 1.0, unit="MiB", most=True))
    code = report(figures)
    if server.pinned and others > NOISE:
        print(f"other programs used {others:.0%} of the client's processor: measure again alone")
    return code


def main(words: Sequence[str] | None = None) -> int:
    """Read the options, start the server, measure."""
    parser = argparse.ArgumentParser(prog="bench/application", description=__doc__)
    parser.add_argument("--server", default=which("redis-server") or which("valkey-server"))
    parser.add_argument(
        "--benchmark", default=which("redis-benchmark") or which("valkey-benchmark")
    )
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--soak", action="store_true", help="a million operations for memory")
    beside = Path(sys.prefix) / "redis-om/bin/python"
    parser.add_argument("--redis-om", type=Path, default=beside, help="a Python that has redis-om")
    options = parser.parse_args(words)
    if not options.server or not options.benchmark:
        sys.exit("redis-server and redis-benchmark are needed: on Debian, apt-get install redis")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the server ends with the bench
    warnings.simplefilter("ignore")  # peers' deprecations
    with running(options.server) as server:
        bound = "server on CPU 0, client on CPU 1" if server.pinned else "not bound to processors"
        python = ".".join(map(str, sys.version_info[:3]))
        print(f"{server.version}, Python {python}, {machine()}; {bound}; {options.rounds} rounds")
        print(versions())
        return measure(server, options)


def versions() -> str:
    """What the peers are, in one line."""
    from importlib.metadata import PackageNotFoundError, version

    names: list[Any] = []
    for name in ("redis", "hiredis", "starsessions", "flask-session", "django", "django-redis",
                 "cashews", "aiocache", "msgspec"):  # fmt: skip
        try:
            names.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            sys.exit(f"{name} is missing: pip install -e '.[bench]'")
    return ", ".join(names)


if __name__ == "__main__":
    sys.exit(main())
