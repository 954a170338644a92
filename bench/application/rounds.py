"""Interleaved rounds: every way once in each, ratios taken inside a round, medians of the ratios."""

from collections.abc import Callable, Mapping, Sequence
from itertools import cycle, islice
from statistics import median
from typing import NamedTuple

from driving import Sample
from lab import ORDER

Run = Callable[
    [Sequence[int]], Sample
]  # does that many operations, on the sessions of these numbers

SECONDS = 0.06  # of each way in each round: short, so that a busy moment falls on neighbours alike
LEAST = 100  # operations


class Measured(NamedTuple):
    """What a subject showed: for each way its rounds."""

    samples: dict[str, list[Sample]]

    def ratio(self, name: str, base: str) -> float:
        """How many times as fast as `base`: the median of what each round said."""
        pairs = zip(self.samples[name], self.samples[base], strict=True)
        return median(each.rate / other.rate for each, other in pairs)

    def rate(self, name: str) -> float:
        """Operations per second, the median: to be shown, never to be judged."""
        return median(each.rate for each in self.samples[name])

    def cpu(self, name: str) -> float:
        """Microseconds of the client's processor time for one operation, the median."""
        return median(each.cpu for each in self.samples[name])

    def least(self, name: str) -> float:
        """The least of these: what other programs took away from the caches is not in it."""
        return min(each.cpu for each in self.samples[name])


class Subject:
    """Some ways of doing the same, by their names."""

    def __init__(self, title: str, runs: Mapping[str, Run], tasks: int = 1) -> None:
        self.title, self.runs, self.tasks = title, runs, tasks
        self.measured = Measured({name: [] for name in runs})
        self._counts: dict[str, int] = {}
        self._order = cycle(ORDER)

    def warm(self) -> None:
        """Open connections, and learn how many operations fill a round."""
        for name, run in self.runs.items():
            run(self._numbers(LEAST))
            count = run(self._numbers(LEAST)).rate * SECONDS
            self._counts[name] = max(LEAST, int(count) // self.tasks * self.tasks)

    def round(self) -> None:
        """Every way once."""
        for name, run in self.runs.items():
            self.measured.samples[name].append(run(self._numbers(self._counts[name])))

    def _numbers(self, count: int) -> list[int]:
        return list(islice(self._order, count))
