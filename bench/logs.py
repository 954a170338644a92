"""Logs: finding in a file of 1,000,000 lines against `grep -iE`, in one run.

The figures are the finder's inside one process, as grep's are inside its own: reading the file, finding, and
writing what was found to a file. The whole command is shown beside them. Before anything is timed it is
checked that both found the same bytes.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from measure import ROOT, Figure, interleaved, report

sys.path.insert(0, str(ROOT / "src"))

from keywright_ops.logs.file import FileSource
from keywright_ops.logs.find import Question
from keywright_ops.logs.pattern import compile_patterns
from keywright_ops.logs.reading import Asked, pieces
from keywright_ops.logs.redis_line import redis_form
from keywright_ops.logs.source import Wish
from keywright_ops.logs.zones import UTC

ROUNDS = 7
LINES = 1_000_000
FIRST = 1_795_000_000  # seconds since 1970 of the first line
STEP = 0.864  # seconds between two lines: the log is of ten days
HOURS = 6  # of the window

USUAL = (
    "M * Background saving started by pid {}",
    "C * DB saved on disk",
    "C * Fork CoW for RDB: current {} MB, peak {} MB, average 1 MB",
    "M * Background saving terminated with success",
    "M - Accepted 127.0.0.1:{}",
    "M - DB 0: {} keys ({} volatile) in 65536 slots HT.",
    "M . Client closed connection id={} addr=127.0.0.1:{} laddr=127.0.0.1:6379 fd=8 name=app",
    "M - Reading from client: Connection reset by peer id={}",
    "M * 10 changes in 300 seconds. Saving...",
)
GRAVE = (
    "M # Error trying to save the DB, can't exit.",
    "M # WARNING: 32 bit instance detected but no memory limit set.",
    "M # Error writing to the AOF file: No space left on device",
)


def main() -> int:
    """Write the log, measure, print; 1 when a figure is over its limit."""
    with tempfile.TemporaryDirectory(prefix="keywright-bench-") as name:
        folder = Path(name)
        path = folder / "server.log"
        write_log(path)
        size = path.stat().st_size / 1e6
        return report(
            f"logs: {LINES:,} lines, {size:.0f} MB (median of {ROUNDS}, interleaved)",
            measure(path, folder),
        )


def write_log(path: Path) -> None:
    """Write lines as servers do, 2.3 of a hundred grave."""
    chance = random.Random(1)
    with path.open("w") as log:
        for number in range(LINES):
            seconds = FIRST + number * STEP
            told = time.strftime("%d %b %Y %H:%M:%S", time.gmtime(seconds))
            text = chance.choice(GRAVE if chance.random() < 0.0232 else USUAL)
            text = text.format(*(chance.randrange(65536) for _ in range(text.count("{}"))))
            role, mark, rest = text.split(" ", 2)
            log.write(f"1:{role} {told}.{int(seconds * 1000) % 1000:03} {mark} {rest}\n")


def measure(path: Path, folder: Path) -> list[Figure]:
    """Time grep, the finder and the command in turn."""
    pattern = compile_patterns(["error|warning"], fold=True)
    assert pattern is not None
    since = FIRST + LINES * STEP - HOURS * 3600
    asked = {
        "pattern": Asked(question=Question((pattern,))),
        "level": Asked(question=Question(levels=frozenset(("warning",)))),
        "window": Asked(Wish(since=since)),
    }
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
    ours, theirs = folder / "ours", folder / "theirs"

    def grep(*words: str) -> Callable[[], float]:
        def run() -> float:
            begun = time.perf_counter()
            with theirs.open("wb") as out:
                subprocess.run(["grep", *words, path], env=environment, stdout=out, check=True)
            return (time.perf_counter() - begun) * 1000

        return run

    def find(name: str) -> Callable[[], float]:
        def run() -> float:
            begun = time.perf_counter()
            with ours.open("wb") as out:
                source = FileSource(str(path), redis_form(UTC), "local")
                for piece in pieces(source, asked[name]):
                    out.write(piece)
            return (time.perf_counter() - begun) * 1000

        return run

    def command(*words: str) -> Callable[[], float]:
        code = (
            "import sys; from keywright_ops.actions import log_sources as s; "
            "from keywright_ops.logs.file import FileSource; "
            "from keywright_ops.logs.redis_line import redis_form; "
            "from keywright_ops.logs.zones import UTC; "
            f"s.local_sources = lambda *_: [FileSource({str(path)!r}, redis_form(UTC), 'local')]; "
            "from keywright_ops.cli.main import main; sys.exit(main(sys.argv[1:]))"
        )
        there = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(ROOT / "src")}

        def run() -> float:
            begun = time.perf_counter()
            with ours.open("wb") as out:
                argv = [sys.executable, "-c", code, "logs", *words]
                subprocess.run(argv, env=there, cwd=folder, stdout=out, check=True)
            return (time.perf_counter() - begun) * 1000

        return run

    for name, words in {"pattern": ("-iE", "error|warning"), "level": (" # ",)}.items():
        grep(*words)()
        find(name)()
        if ours.read_bytes() != theirs.read_bytes():
            sys.exit(f"{name}: grep and the finder found different lines")
    times = interleaved(
        ROUNDS,
        {
            "grep": grep("-iE", "error|warning"),
            **{name: find(name) for name in asked},
            "command": command("--grep", "error|warning"),
            "command window": command("--since", f"@{since}"),
        },
    )
    return figures(times)


def figures(times: dict[str, float]) -> list[Figure]:
    """The figures and their limits."""

    def against(title: str, name: str, limit: float | None) -> Figure:
        told = f"{times[name]:.0f} ms against {times['grep']:.0f} ms of `grep -iE` (LC_ALL=C)"
        return Figure(title, times[name] / times["grep"], "×", limit, told)

    return [
        against("a pattern: error|warning, in either case", "pattern", 3.3),
        against("a level: warning", "level", 2.2),
        against(f"a time window: the last {HOURS} hours", "window", 0.5),
        against("keywright logs --grep, the whole command", "command", None),
        against("keywright logs --since, the whole command", "command window", None),
    ]


if __name__ == "__main__":
    sys.exit(main())
