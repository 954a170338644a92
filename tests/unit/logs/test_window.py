"""A window found by bisection holds exactly the lines that a plain look at each would keep."""

from collections.abc import Callable

from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.purity import pure

from keywright_ops.logs.redis_line import redis_form
from keywright_ops.logs.window import first_at, in_order, judged, window
from keywright_ops.logs.zones import UTC

FORM = redis_form(UTC)
FIRST = 1_795_860_000


def line(seconds: float, more: int = 0) -> bytes:
    """A line of that time, and some that belong to it."""
    import time

    told = time.strftime("%d %b %Y %H:%M:%S", time.gmtime(seconds))
    head = f"7:M {told}.000 * text\n".encode()
    return head + b"its own\n" * more


def pread(log: bytes) -> Callable[[int, int], bytes]:
    """Read from memory, and never more than a file would give."""
    return lambda size, position: log[position : position + min(size, 100_000)]


def through_window(log: bytes, since: float | None, until: float | None) -> bytes:
    """What a source would give."""
    found = b""
    for start, end, judge in window(pread(log), len(log), FORM, since, until):
        part = log[start:end]
        found += b"".join(judged([part], FORM, since, until)) if judge and part else part
    return found


steps = st.lists(st.tuples(st.integers(0, 600), st.integers(0, 2)), min_size=1, max_size=40)
bounds = st.none() | st.integers(-100, 9000)


@settings(deadline=None)
@given(steps, bounds, bounds, st.integers(1, 60))
@example([(0, 0)], 0, 0, 1)
def test_a_window_is_exact(gaps: list[tuple[int, int]], since, until, repeat: int):
    """Any log in order of time, however long, and any bounds."""
    seconds, entries = FIRST, []
    for gap, more in gaps * repeat:
        seconds += gap
        entries.append((seconds, line(seconds, more)))
    low = None if since is None else FIRST + since * repeat
    high = None if until is None else FIRST + until * repeat
    log = b"".join(raw for _, raw in entries)
    expected = b"".join(
        raw
        for told, raw in entries
        if (low is None or told >= low) and (high is None or told < high)
    )
    assert expected == through_window(log, low, high)


@settings(deadline=None, max_examples=15)
@given(st.lists(st.integers(0, 50), min_size=200, max_size=400), st.integers(0, 20_000))
def test_a_line_may_be_late(late: list[int], since: int):
    """Lines that stand up to a minute behind their time are judged by their own."""
    entries = [(FIRST + 60 * n - behind, n) for n, behind in enumerate(late)]
    log = b"".join(line(told) for told, _ in entries)
    expected = b"".join(line(told) for told, _ in entries if told >= FIRST + since)
    assert expected == through_window(log, FIRST + since, None)


def test_a_log_that_is_not_in_order_is_judged_line_by_line():
    """Two logs pasted together, the younger first: nothing is lost."""
    young = [FIRST + 100_000 + 60 * n for n in range(3000)]
    old = [FIRST + 60 * n for n in range(3000)]
    log = b"".join(line(told) for told in young + old)
    assert not pure(in_order, pread(log), len(log), FORM)
    since = FIRST + 2000 * 60
    expected = b"".join(line(told) for told in young + old if told >= since)
    assert expected == through_window(log, since, None)


def test_a_big_log_is_hardly_read():
    """A bound in a log of megabytes is found with a few small reads."""
    log = b"".join(line(FIRST + n) for n in range(100_000))
    read: list[int] = []

    def counted(size: int, position: int) -> bytes:
        read.append(size)
        return log[position : position + size]

    found = first_at(counted, len(log), FORM, FIRST + 60_000, 0)
    assert log[found:].startswith(line(FIRST + 60_000))
    assert sum(read) < len(log) / 20


def test_lines_before_the_first_time_go_with_no_bound():
    """What has no time is shown when the beginning is not bounded, and belongs to no window else."""
    log = b"banner\n" + line(FIRST)
    assert log == b"".join(judged([log], FORM, None, FIRST + 1))
    assert line(FIRST) == b"".join(judged([log], FORM, FIRST, None))


def test_a_carriage_return_is_part_of_its_line():
    """Lines end in line feeds alone."""
    log = line(FIRST).replace(b"text", b"te\rxt\x0b\x85")
    assert log == b"".join(judged([log], FORM, FIRST, FIRST + 1))
