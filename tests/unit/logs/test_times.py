"""A time is read in every form that people write, against Python's own calendar."""

import datetime as dt
import time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.purity import pure

from keywright.errors import InputError
from keywright_ops.logs.times import parse_time
from keywright_ops.logs.zones import UTC, Fixed, Here, Named, days_before, twice, utc_seconds

NOW = 1795860592.5  # Saturday, 28 November 2026, 10:09:52.5 UTC
BERLIN = Named(ZoneInfo("Europe/Berlin"))


def utc(*parts: int) -> float:
    """Seconds since 1970."""
    return dt.datetime(*parts, tzinfo=dt.UTC).timestamp()  # type: ignore[arg-type,misc]


GUIDE = {
    "5m": NOW - 300,
    "1h": NOW - 3600,
    "24h": NOW - 86400,
    "1 hour ago": NOW - 3600,
    "1 day ago": NOW - 86400,
    "1 week ago": NOW - 7 * 86400,
    "5 minutes ago": NOW - 300,
    "1 minute ago": NOW - 60,
    "2025-01-11": utc(2025, 1, 11),
    "2025-01-11 10:00:00": utc(2025, 1, 11, 10),
    "2025-01-11T10:00:00": utc(2025, 1, 11, 10),
    "2025-01-11T12:00:00": utc(2025, 1, 11, 12),
    "00:00:00": utc(2026, 11, 28),
}
OTHERS = {
    "now": NOW,
    "today": utc(2026, 11, 28),
    "TODAY": utc(2026, 11, 28),
    "yesterday": utc(2026, 11, 27),
    "yesterday 18:30": utc(2026, 11, 27, 18, 30),
    "10:00": utc(2026, 11, 28, 10),
    "1h30m": NOW - 5400,
    "-1h": NOW - 3600,
    "2 days": NOW - 2 * 86400,
    "1.5h": NOW - 5400,
    "an hour ago": NOW - 3600,
    "1 hour, 5 minutes ago": NOW - 3900,
    "2025-01-11T10:00Z": utc(2025, 1, 11, 10),
    "2025-01-11T10:00:00.250Z": utc(2025, 1, 11, 10) + 0.25,
    "2025-01-11T10:00:00+01:00": utc(2025, 1, 11, 9),
    "2025-01-11T10:00:00-0530": utc(2025, 1, 11, 15, 30),
    "2025-01-11 10:00 UTC": utc(2025, 1, 11, 10),
    "1764324000": 1764324000,
    "@1764324000.5": 1764324000.5,
    "1764324000123": 1764324000.123,
    "28 Nov 2026 10:09:52.790": utc(2026, 11, 28, 10, 9, 52) + 0.79,
    "  5   minutes   ago ": NOW - 300,
}


@pytest.mark.parametrize(("text", "expected"), [*GUIDE.items(), *OTHERS.items()])
def test_every_form_is_read(text: str, expected: float):
    """Each form of the guide, of docker and of journalctl means what it means there."""
    assert pure(parse_time, text, NOW, UTC) == pytest.approx(expected)


@pytest.mark.parametrize(
    "text",
    [
        "", "soon", "5 fortnights", "2025-02-30", "2025-13-01", "25:00", "10:61", "12", "5", "ago", "-",
        "0000-01-01", "99999-01-01", "2025-01-11T10", "yesterday-ish", "1h 3x", "5mm", "28 Nev 2026 10:00",
        "2025-01-11\x0010:00",
    ],
)  # fmt: skip
def test_what_is_no_time_is_said_with_examples(text: str):
    """One sentence that names the option and what was typed, and forms that are known."""
    with pytest.raises(InputError) as told:
        parse_time(text, NOW, UTC, "--until")
    assert str(told.value).startswith(f"--until {text!r}")
    assert "1 hour ago" in told.value.hint


@given(
    st.datetimes(dt.datetime(1970, 1, 2), dt.datetime(2899, 1, 1)),  # noqa: DTZ001 - the zone comes after
    st.integers(-14, 14),
)
def test_any_date_agrees_with_the_calendar(when: dt.datetime, hours: int):
    """Any date and clock, in any zone, is what Python's own calendar says."""
    when = when.replace(microsecond=0)
    zone = dt.timezone(dt.timedelta(hours=hours))
    expected = when.replace(tzinfo=zone).timestamp()
    assert expected == parse_time(str(when), NOW, Fixed(hours * 3600))
    assert expected == parse_time(when.replace(tzinfo=zone).isoformat(), NOW, UTC)


@given(st.dates(dt.date(1, 1, 1)))
def test_days_are_counted_as_the_calendar_does(date: dt.date):
    """The days since 1970 of any date."""
    assert (date - dt.date(1970, 1, 1)).days == days_before(date.year, date.month, date.day)


@given(st.text(max_size=30))
def test_nothing_typed_is_a_traceback(text: str):
    """Whatever is typed is a time or an InputError."""
    try:
        parse_time(text, NOW, UTC)
    except InputError:
        pass


@given(st.integers(0, 4_000_000_000))
def test_a_zone_goes_there_and_back(seconds: int):
    """The wall clock of a moment leads back to it, but for the hour that comes twice."""
    for zone in (UTC, Fixed(-3600), BERLIN, Here()):
        assert zone.seconds(zone.wall(seconds)) in (seconds, seconds - 3600)
        assert seconds == pytest.approx(utc_seconds(UTC.wall(seconds)))


def test_the_hour_that_comes_twice_is_known():
    """Summer time ended in Berlin on 25 October 2026 at 01:00 UTC, and began on 29 March."""
    ended, began = utc(2026, 10, 25, 1), utc(2026, 3, 29, 1)
    assert twice(BERLIN, ended)
    assert twice(BERLIN, ended + 3600)
    assert not twice(BERLIN, ended + 86400)
    assert not twice(BERLIN, began)
    assert not twice(UTC, ended)


def test_midnight_is_the_wall_clocks():
    """Today begins at midnight here, which is another moment elsewhere."""
    assert utc(2026, 11, 27, 23) == parse_time("today", NOW, BERLIN)
    assert utc(2026, 11, 27, 23) == parse_time("00:00:00", NOW, BERLIN)


def test_here_agrees_with_the_c_library():
    """The zone of this machine is the C library's."""
    assert time.localtime(NOW)[:6] == Here().wall(NOW)
