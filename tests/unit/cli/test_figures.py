"""Figures as people read them, and small pictures of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywright_ops.cli.figures import (
    compact,
    count,
    folded,
    micros,
    percent,
    shortened,
    show_columns,
    span,
    visible,
)
from keywright_ops.cli.pictures import bar, sparkline


@pytest.mark.parametrize(
    ("usec", "text"),
    [(0, "0 µs"), (0.4, "0.4 µs"), (850, "850 µs"), (12_345, "12.3 ms"), (222_298, "222 ms"),
     (1_250_000, "1.2 s"), (200_000_000, "3m")],
)  # fmt: skip
def test_micros(usec: float, text: str) -> None:
    """Microseconds in the unit that a person would choose."""
    assert micros(usec) == text


def test_the_others() -> None:
    """Times and sizes in a column, numbers with their thousands apart, parts in percent."""
    assert [span(each) for each in (0, 59, 60, 3600, 12_000, 90_000)] == [
        "0s", "59s", "1m", "1h0m", "3h20m", "1d1h",
    ]  # fmt: skip
    assert [compact(each) for each in (0, 999, 1000, 34_000, 1 << 20, 5 << 40)] == [
        "0", "999", "1.0K", "33K", "1.0M", "5.0T",
    ]  # fmt: skip
    assert [count(each) for each in (0, 0.25, 12, 1_234_567.0)] == ["0", "0.2", "12", "1 234 567"]
    # a little is not nothing, and nearly all is not all
    assert [percent(each) for each in (None, 0, 0.0001, 0.5, 0.99999, 1)] == [
        "-", "0.0 %", "< 0.1 %", "50.0 %", "99.9 %", "100.0 %",
    ]  # fmt: skip


@given(st.floats(-1, 2), st.integers(1, 80))
def test_a_bar_has_its_width(part: float, columns: int) -> None:
    """A bar is as wide as it was asked for, whatever it shows."""
    assert len(bar(part, columns)) == columns


def test_pictures() -> None:
    """A full bar is full, an empty one empty; a peak is not lost when there is no room for every value."""
    assert bar(1, 4) == "████"
    assert bar(0, 4) == "····"
    assert bar(0.5, 4) == "██··"
    assert sparkline([]) == ""
    assert sparkline([5, 5, 5]) == "▁▁▁"
    assert sparkline([0, 1, 7]) == "▁▂█"
    many = sparkline([1.0] * 500 + [9.0] + [1.0] * 499, 20)
    assert len(many) == 20
    assert many.count("█") == 1


def test_what_a_client_sent_cannot_drive_the_terminal() -> None:
    """Control characters and bytes that are no UTF-8 are shown as what they are."""
    raw = b"k\x1b[31m\xff\n\xc3\xa4".decode("utf-8", "surrogateescape")
    assert visible(raw) == "k\\x1b[31m\\xff\\x0aä"


def test_columns_fit(capsys: pytest.CaptureFixture[str]) -> None:
    """Only what may be cut is cut, until a line has 80 columns; figures stand to the right."""
    show_columns(("name", "n", "what"), [("a" * 60, "7", "b" * 60)], left=(0, 2), shrink=(0, 2))
    _, row = capsys.readouterr().out.splitlines()
    assert len(row) <= 80
    assert row.count("…") == 2
    assert "  7  " in row
    show_columns(("n", "m"), [("1", "100"), ("22", "3")], left=())
    assert capsys.readouterr().out == "   n    m\n   1  100\n  22    3\n"
    assert shortened("abcdef", 4) == "abc…"


@given(st.lists(st.sampled_from(["a", "word", "x" * 30]), max_size=30), st.integers(20, 60))
def test_folded(words: list[str], columns: int) -> None:
    """No word is lost, and a line is too long only where a single word is."""
    lines = folded(" ".join(words), "  ", columns)
    assert " ".join(lines).split() == words
    assert all(len(line) <= columns or len(line.split()) == 1 for line in lines)
