"""stats: what the server does in a second, from two samples of INFO."""

import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from keywright.wire import pack
from keywright_ops.actions.reach import Reached
from keywright_ops.facts.commandstats import parse_errorstats
from keywright_ops.facts.info import parse_info
from keywright_ops.facts.numbers import fraction
from keywright_ops.facts.rates import (
    CommandRate,
    Rates,
    parse_command_rates,
    parse_rates,
    ratio,
)

SENDS = ("INFO",)
QUESTION = ("INFO", "everything")
SHORTEST, LONGEST = 0.05, 3600.0  # seconds between the samples
BUSIEST = 5


class StatsReport(NamedTuple):
    """What happened in between, the counters since they began, and the commands that took most time.

    `hit_ratio` (0 to 1) counts since the counters began; None when nothing was read. `errors` are the
    kinds of error replies since then.
    """

    rates: Rates
    busiest: Sequence[CommandRate]
    info: Mapping[str, str]
    hit_ratio: float | None
    errors: Mapping[str, int]


def stats(reached: Reached, interval: float) -> StatsReport:
    """Ask twice, `interval` seconds apart; what Keywright itself asks is left out."""
    first = reached.call(*QUESTION)
    began = time.monotonic()
    time.sleep(interval)
    before, after = parse_info(first), parse_info(reached.call(*QUESTION))
    rates = parse_rates(before, after, time.monotonic() - began)
    own = 0 if rates.reset else 1 / rates.seconds  # the first INFO is counted in the second
    rates = rates._replace(
        commands=max(0.0, rates.commands - own),
        input=max(0.0, rates.input - own * len(pack(QUESTION))),
        output=max(0.0, rates.output - own * len(pack((first,)))),
    )
    busiest = [
        each
        for each in parse_command_rates(before, after, rates.seconds)
        if each.name != "INFO" or each.calls > 1.5 * own
    ]
    return StatsReport(
        rates,
        busiest[:BUSIEST],
        after,
        ratio(fraction(after, "keyspace_hits"), fraction(after, "keyspace_misses")),
        parse_errorstats(after),
    )
