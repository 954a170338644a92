"""The table of figures, under 80 columns: ours, the limit, the ceiling, the best peer, the verdict."""

from collections.abc import Sequence
from typing import NamedTuple

from rounds import Measured

BASE = "guide's recipe"


class Figure(NamedTuple):
    """One figure: `value` must be at least `limit`, or at most when `most`; None is only shown.

    `ceiling` is the bare sketch's, `peer` the best peer's, in the same unit; "" where there is none.
    """

    title: str
    value: float
    limit: float | None
    ceiling: float | None = None
    peer: tuple[float, str] | None = None
    unit: str = "×"
    most: bool = False

    @property
    def holds(self) -> bool:
        """Whether the figure is within its limit."""
        if self.limit is None:
            return True
        return self.value <= self.limit if self.most else self.value >= self.limit


def report(figures: Sequence[Figure]) -> int:
    """Print the table; return the exit code, 1 when a limit is missed."""
    print(f"\n{'figure':<28}{'ours':>9}{'limit':>7}{'sketch':>8}  {'best peer':<19}verdict")
    for each in figures:
        sign = "≤" if each.most else "≥"
        limit = "–" if each.limit is None else f"{sign} {each.limit:g}"
        verdict = "shown" if each.limit is None else "holds" if each.holds else "MISSED"
        ours = f"{_number(each.value)} {each.unit}"
        ceiling = "" if each.ceiling is None else _number(each.ceiling)
        peer = "" if each.peer is None else f"{_number(each.peer[0])} {each.peer[1]}"
        print(f"{each.title:<28}{ours:>9}{limit:>7}{ceiling:>8}  {peer:<19}{verdict}")
    missed = [each.title for each in figures if not each.holds]
    print(f"\n{len(missed)} missed: {', '.join(missed)}" if missed else "\nevery limit holds")
    return 1 if missed else 0


def details(title: str, measured: Measured, commands: dict[str, float]) -> None:
    """Print every way of a subject: ratios to the recipe (by rate, by processor time), and the rest."""
    print(f"\n{title}")
    print(
        f"  {'way':<30}{'× recipe':>9}{'× in CPU':>10}{'CPU µs/op':>11}{'commands':>9}{'ops/s':>8}"
    )
    for name in measured.samples:
        count = f"{commands[name]:.2f}" if name in commands else "–"
        ratio, cpu, rate = measured.ratio(name, BASE), measured.cpu(name), measured.rate(name)
        less = (
            f"{measured.least(BASE) / measured.least(name):>10.2f}{cpu:>11.1f}"
            if cpu
            else f"{'–':>10}{'–':>11}"
        )
        print(f"  {name:<30}{ratio:>9.2f}{less}{count:>9}{rate:>8.0f}")


def _number(value: float) -> str:
    return f"{value:.2f}" if value < 100 else f"{value:.0f}"
