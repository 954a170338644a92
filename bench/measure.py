"""What the benchmarks share: a table of figures against limits, and interleaved timing."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]


class Figure(NamedTuple):
    """One figure: `value` and `limit` in the same unit; limit None is shown and not judged."""

    title: str
    value: float
    unit: str  # "×" | "%" | "ms"
    limit: float | None
    detail: str

    @property
    def holds(self) -> bool:
        """Whether the figure is within its limit."""
        return self.limit is None or self.value <= self.limit


def report(title: str, figures: Sequence[Figure]) -> int:
    """Print the table; return the exit code, 1 when a figure is over its limit."""
    print(f"\n{title}")
    print(f"  {'figure':<44} {'value':>9} {'limit':>9}  verdict")
    for each in figures:
        value = (
            f"{each.value:.2f} {each.unit}"
            if each.unit in ("×", "%")
            else f"{each.value:.0f} {each.unit}"
        )
        limit = "–" if each.limit is None else f"{each.limit:g} {each.unit}"
        verdict = "shown" if each.limit is None else "holds" if each.holds else "OVER"
        print(f"  {each.title:<44} {value:>9} {limit:>9}  {verdict}")
        print(f"      {each.detail}")
    return 0 if all(each.holds for each in figures) else 1


def milliseconds(argv: Sequence[str | Path], environment: Mapping[str, str], folder: Path) -> float:
    """Run a program to its end without a shell; raise when it fails."""
    words = [str(word) for word in argv]
    begun = time.perf_counter()
    done = subprocess.run(words, env=environment, cwd=folder, capture_output=True, check=False)
    elapsed = (time.perf_counter() - begun) * 1000
    if done.returncode:
        sys.exit(f"{' '.join(words)} failed ({done.returncode})\n{done.stderr.decode()}")
    return elapsed


def interleaved(rounds: int, runs: Mapping[str, Callable[[], float]]) -> dict[str, float]:
    """Run all of them in turn, `rounds` times, and return the median of each (milliseconds).

    In turn, so that a busy moment of the machine falls on all of them alike. One round before the
    count warms the caches.
    """
    times: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(rounds + 1):
        for name, run in runs.items():
            elapsed = run()
            if number:
                times[name].append(elapsed)
    return {name: median(values) for name, values in times.items()}


def wheel_environment(folder: Path) -> Path:
    """Build the wheel, install it with the extra `ops` in an environment of its own; its bin."""
    import shutil
    import venv

    source = folder / "source"
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("*.egg-info"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    dist = folder / "dist"
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", dist, source]
    milliseconds(build, os.environ, folder)
    wheel = next(dist.glob("*.whl"))
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv/bin/python"
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    milliseconds([*pip, f"{wheel}[ops]"], os.environ, folder)
    return folder / "venv/bin"
