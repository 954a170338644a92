"""LATENCY and the statistics of commands, as real servers print them."""

from keywright_ops.facts.commandstats import (
    CommandStat,
    parse_commandstats,
    parse_errorstats,
    parse_percentiles,
)
from keywright_ops.facts.info import parse_info
from keywright_ops.facts.latency import (
    Event,
    command_latencies,
    parse_histograms,
    parse_history,
    parse_latest,
    spread,
)

# pasted from Valkey 9.1 and Redis 6.2
INFO = """\
# Commandstats\r
cmdstat_client|list:calls=1,usec=18,usec_per_call=18.00,rejected_calls=2,failed_calls=3\r
cmdstat_set:calls=200,usec=351,usec_per_call=1.75,rejected_calls=0,failed_calls=0\r
# Latencystats\r
latency_percentiles_usec_set:p50=2.007,p99=6.015,p99.9=9.023\r
# Errorstats\r
errorstat_NOPERM:count=5\r
"""
HISTOGRAM = [
    "set",
    ["calls", 200, "histogram_usec", [1, 73, 2, 182, 4, 196, 8, 199, 16, 200]],
    "eval",
    ["calls", 1, "histogram_usec", [33816, 1]],
]


def test_commandstats() -> None:
    """Calls, time, failures and percentiles of each command, by the name that people write."""
    first, second = parse_commandstats(parse_info(INFO))
    assert first == CommandStat("CLIENT LIST", 1, 18, 2, 3, {})
    assert second.percentiles == {"50": 2.007, "99": 6.015, "99.9": 9.023}
    assert second.usec_per_call == 1.755
    assert parse_errorstats(parse_info(INFO)) == {"NOPERM": 5}


def test_percentiles_of_both_kinds() -> None:
    """Exact ones where the server keeps them, else powers of two; the slowest first."""
    slow, fast = command_latencies(parse_percentiles(parse_info(INFO)), parse_histograms(HISTOGRAM))
    assert (slow.name, slow.p50, slow.p99, slow.longest, slow.exact) == (
        "EVAL", 33816, 33816, 33816, False,
    )  # fmt: skip
    assert (fast.name, fast.calls, fast.p50, fast.p99, fast.longest, fast.exact) == (
        "SET", 200, 2.007, 6.015, 16, True,
    )  # fmt: skip


def test_events() -> None:
    """LATENCY LATEST of Redis, and of Valkey, which tells more of each; what it is in words."""
    assert parse_latest([["command", 1795860440, 50, 60]])[0] == Event(
        "command", 1795860440, 50, 60, ()
    )
    found = parse_latest([["fork", 1795860443, 27, 27, 27, 1]])[0]
    assert found.meaning.startswith("the fork")
    assert Event("news-of-9.2", 1, 2, 3, ()).meaning == ""
    assert parse_history([[1795860440, 50], [1795860441, 9]]) == ((1795860440, 50), (1795860441, 9))


def test_spread() -> None:
    """The least, the half, one in a hundred, the most: by the nearest rank."""
    assert spread([]) is None
    found = spread([float(n) for n in range(1, 1001)])
    assert found is not None
    assert found == (1000, 1.0, 500.0, 990.0, 1000.0)
    assert spread([7.0]) == (1, 7.0, 7.0, 7.0, 7.0)
