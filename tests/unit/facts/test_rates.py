"""What two answers of INFO say of the time between them."""

from hypothesis import given
from hypothesis import strategies as st

from keywright_ops.facts.rates import parse_command_rates, parse_rates

FIRST = {
    "run_id": "a",
    "server_time_usec": "1795860440000000",
    "uptime_in_seconds": "100",
    "total_commands_processed": "1000",
    "total_connections_received": "10",
    "total_net_input_bytes": "5000",
    "total_net_output_bytes": "9000",
    "keyspace_hits": "90",
    "keyspace_misses": "10",
    "evicted_keys": "0",
    "expired_keys": "4",
    "rejected_connections": "0",
    "total_error_replies": "1",
    "used_cpu_sys": "1.5",
    "used_cpu_user": "2.5",
    "cmdstat_get": "calls=100,usec=200,usec_per_call=2.00,rejected_calls=0,failed_calls=0",
    "cmdstat_keys": "calls=1,usec=50,usec_per_call=50.00,rejected_calls=0,failed_calls=0",
}
SECOND = FIRST | {
    "server_time_usec": "1795860442000000",  # two seconds later, whatever our own clock says
    "total_commands_processed": "1600",
    "total_net_output_bytes": "11000",
    "keyspace_hits": "120",
    "keyspace_misses": "20",
    "expired_keys": "5",
    "used_cpu_user": "3.5",
    "cmdstat_get": "calls=300,usec=600,usec_per_call=2.00,rejected_calls=0,failed_calls=2",
    "cmdstat_set": "calls=4,usec=1200,usec_per_call=300.00,rejected_calls=0,failed_calls=0",
}


def test_a_second_of_everything() -> None:
    """Counters become rates by the server's own clock; the ratio is that of the time in between."""
    rates = parse_rates(FIRST, SECOND, 999.0)
    assert (rates.seconds, rates.commands, rates.output, rates.input) == (2.0, 300.0, 1000.0, 0.0)
    assert (rates.hits, rates.misses, rates.hit_ratio) == (15.0, 5.0, 0.75)
    assert (rates.expired, rates.evicted, rates.cpu, rates.reset) == (0.5, 0.0, 0.5, False)


def test_nothing_read_is_no_ratio() -> None:
    """Without reads there is no hit ratio: neither 0 nor 1."""
    assert parse_rates(FIRST, FIRST, 1.0).hit_ratio is None


def test_counters_that_began_anew() -> None:
    """CONFIG RESETSTAT in between: what is counted since then, never a negative rate."""
    rates = parse_rates(FIRST, SECOND | {"total_commands_processed": "50"}, 2.0)
    assert (rates.commands, rates.reset) == (25.0, True)


def test_another_process() -> None:
    """A restart in between: what the new process counted, over its own life."""
    after = SECOND | {"run_id": "b", "uptime_in_seconds": "4", "total_commands_processed": "80"}
    rates = parse_rates(FIRST, after, 10.0)
    assert (rates.seconds, rates.commands, rates.reset) == (4.0, 20.0, True)


def test_commands_by_time() -> None:
    """Each command that ran in between, the one that took most first; one that did not run is no row."""
    rows = parse_command_rates(FIRST, SECOND, 2.0)
    assert [each.name for each in rows] == ["SET", "GET"]
    assert (rows[0].calls, rows[0].usec_per_call, rows[0].share) == (2.0, 300.0, 0.75)
    assert (rows[1].calls, rows[1].failed, rows[1].share) == (100.0, 1.0, 0.25)


COUNTERS = st.dictionaries(
    st.sampled_from([name for name in FIRST if name not in ("run_id", "server_time_usec")]),
    st.sampled_from(
        ["0", "1", "77", "10000000000000", "-3", "nan", "inf", "1e400", "", "calls=2,usec=x"]
    ),
)


@given(COUNTERS, COUNTERS, st.floats(0, 100))
def test_any_two_answers(before: dict[str, str], after: dict[str, str], seconds: float) -> None:
    """Whatever two servers answer: no rate is negative, no ratio outside 0 to 1, and nothing is raised."""
    rates = parse_rates(before, after, seconds)
    assert min(rates._replace(reset=False)) >= 0
    assert rates.hit_ratio is None or 0 <= rates.hit_ratio <= 1
    assert all(each.calls > 0 for each in parse_command_rates(before, after, seconds))
