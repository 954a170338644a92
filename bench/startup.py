"""Start-up: what a command costs before it does anything, against the bare interpreter.

Measured as `python -m keywright_ops` from a built wheel in an environment of its own, against the
same interpreter's `-c pass`, interleaved, median of 21. An editable install is slower to start and
is not what users have.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from measure import Figure, interleaved, milliseconds, report, wheel_environment

ROUNDS = 21


def main() -> int:
    """Measure and print; 1 when a figure is over its limit."""
    with tempfile.TemporaryDirectory(prefix="keywright-bench-") as name:
        folder = Path(name)
        place = wheel_environment(folder)
        home = folder / "home"
        home.mkdir()
        return report("start-up (median of 21, interleaved)", measure(place, home))


def measure(place: Path, home: Path) -> list[Figure]:
    """Bring `local` up, time the commands in turn, take it down."""
    environment = {"PATH": f"{place}:/usr/bin:/bin", "HOME": str(home)}
    python, script = place / "python", place / "keywright"

    def run(*argv: str | Path) -> Callable[[], float]:
        return lambda: milliseconds(argv, environment, home)

    milliseconds([script, "up"], environment, home)
    try:
        times = interleaved(
            ROUNDS,
            {
                "pass": run(python, "-c", "pass"),
                "import": run(python, "-c", "import keywright"),
                "version": run(python, "-m", "keywright_ops", "--version"),
                "script version": run(script, "--version"),
                "status": run(python, "-m", "keywright_ops", "status"),
                "script status": run(script, "status"),
            },
        )
    finally:
        milliseconds([script, "down", "--yes"], environment, home)
    return figures(times)


def figures(times: dict[str, float]) -> list[Figure]:
    """The figures and their limits."""
    bare = times["pass"]

    def told(name: str) -> str:
        return f"{times[name]:.1f} ms against {bare:.1f} ms of `-c pass`"

    def ratio(title: str, name: str, limit: float | None) -> Figure:
        return Figure(title, times[name] / bare, "×", limit, told(name))

    return [
        ratio("python -m keywright_ops --version", "version", 1.5),
        ratio("python -m keywright_ops status (aim 5 ×)", "status", 6),
        Figure(
            "import keywright, above the interpreter",
            times["import"] - bare,
            "ms",
            15,
            told("import"),
        ),
        ratio("the installed script, --version", "script version", None),
        ratio("the installed script, status", "script status", None),
    ]


if __name__ == "__main__":
    sys.exit(main())
