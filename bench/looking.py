"""What looking costs: one-shot commands against the bare interpreter, and `top` against an idle server.

Start-up is measured as in startup.py: `python -m keywright_ops` from a built wheel in an environment of its
own, interleaved, median of 21. What `top` costs the server is the server's own account of its processor time
(INFO cpu) over 20 s, with it and without it.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from measure import Figure, interleaved, milliseconds, report, wheel_environment

ROUNDS = 21
LIMIT = 6.0
SHARE = 1.0  # percent of a processor that `top` may cost the server
SPAN = 20.0  # seconds
ONE_SHOT = (
    ("info",),
    ("info", "memory"),
    ("redis", "DBSIZE"),
    ("memory",),
    ("clients",),
    ("slowlog",),
    ("commandstats",),
    ("latency", "--samples", "1"),
)


def main() -> int:
    """Measure and print; 1 when a figure is over its limit."""
    with tempfile.TemporaryDirectory(prefix="keywright-bench-") as name:
        folder = Path(name)
        place = wheel_environment(folder)
        home = folder / "home"
        home.mkdir()
        environment = {"PATH": f"{place}:/usr/bin:/bin", "HOME": str(home)}
        milliseconds([place / "keywright", "up"], environment, home)
        try:
            figures = [*start_up(place, home, environment), cost_of_top(place, home, environment)]
        finally:
            milliseconds([place / "keywright", "down", "--yes"], environment, home)
        return report("looking", figures)


def start_up(place: Path, home: Path, environment: dict[str, str]) -> list[Figure]:
    """Each one-shot command, as a ratio to `-c pass`."""

    def run(*argv: str | Path) -> Callable[[], float]:
        return lambda: milliseconds(argv, environment, home)

    python = place / "python"
    runs = {"pass": run(python, "-c", "pass")}
    runs |= {" ".join(words): run(python, "-m", "keywright_ops", *words) for words in ONE_SHOT}
    times = interleaved(ROUNDS, runs)
    bare = times.pop("pass")
    return [
        Figure(name, took / bare, "×", LIMIT, f"{took:.1f} ms against {bare:.1f} ms of `-c pass`")
        for name, took in times.items()
    ]


def cost_of_top(place: Path, home: Path, environment: dict[str, str]) -> Figure:
    """The server's processor time with `top` beside it, less that of the idle server."""
    words = [str(place / "keywright")]

    def used() -> float:
        text = subprocess.run(
            [*words, "info", "cpu"],
            check=True,
            env=environment,
            cwd=home,
            capture_output=True,
            text=True,
        )
        fields = dict(line.partition(":")[::2] for line in text.stdout.splitlines())
        return float(fields["used_cpu_sys"]) + float(fields["used_cpu_user"])

    before = used()
    time.sleep(SPAN)
    idle = used() - before
    top = subprocess.Popen(
        [*words, "top", "--count", "1000"], env=environment, cwd=home, stdout=subprocess.DEVNULL
    )
    try:
        before = used()
        time.sleep(SPAN)
        busy = used() - before
    finally:
        top.kill()
        top.wait()
    share = (busy - idle) / SPAN * 100
    detail = f"{busy:.3f} s of processor in {SPAN:.0f} s, {idle:.3f} s without it"
    return Figure("top, of one processor", share, "%", SHARE, detail)


if __name__ == "__main__":
    sys.exit(main())
