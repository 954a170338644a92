"""Days between dates are those of the calendar."""

from datetime import date, timedelta

from keywright_ops.facts.dates import days_between


def test_every_day_of_nine_years() -> None:
    """Across leap years and the year 2000: the calendar's own difference."""
    first = date(1996, 1, 1)
    for number in range(9 * 366):
        assert number == days_between(str(first), str(first + timedelta(number)))


def test_what_is_no_date() -> None:
    """None, and no error: a vault may be written by hand."""
    for text in ("", "2026", "yesterday", "20260101", "2026-1-1", "2026-01-0x"):
        assert days_between(text, "2026-01-01") is None
