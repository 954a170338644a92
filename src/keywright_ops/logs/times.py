"""A time as people write it → seconds since 1970: every form of docker, journalctl and the guide.

    5m  24h  1h30m  "2 days"  "1 hour ago"  "1 week ago"  -1h       before now
    now  today  yesterday  "yesterday 18:30"  10:00  00:00:00       of this day, on the wall clock here
    2025-01-11  "2025-01-11 10:00:00"  2025-01-11T10:00             on the wall clock here
    2025-01-11T10:00:00Z  2025-01-11T10:00:00.5+01:00  "… UTC"      with its zone
    1764324000  @1764324000.5  1764324000123                        seconds, or milliseconds, since 1970
    "28 Nov 2026 10:00:00.123"                                      pasted from a line of Redis

Pure: `now` and the zone are given.
"""

import re

from keywright.errors import InputError
from keywright_ops.logs.zones import Wall, Zone, days_before, utc_seconds

DAY = 86400
# As systemd counts: a month is 30.44 days, a year 365.25.
UNITS = {
    "s": 1, "sec": 1, "secs": 1, "second": 1, "seconds": 1,
    "m": 60, "min": 60, "mins": 60, "minute": 60, "minutes": 60,
    "h": 3600, "hr": 3600, "hrs": 3600, "hour": 3600, "hours": 3600,
    "d": DAY, "day": DAY, "days": DAY,
    "w": 7 * DAY, "week": 7 * DAY, "weeks": 7 * DAY,
    "month": 30.44 * DAY, "months": 30.44 * DAY,
    "y": 365.25 * DAY, "year": 365.25 * DAY, "years": 365.25 * DAY,
    "ms": 0.001,
}  # fmt: skip
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()

PART = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)\s*")
CLOCK = r"(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?"
ZONE = r"\s*(z|utc|gmt|[+-]\d\d(?::?\d\d)?)?"
DATE = re.compile(rf"(\d{{4}})-(\d\d?)-(\d\d?)(?:[t\s]+{CLOCK}{ZONE})?")
PASTED = re.compile(rf"(\d\d?) ([a-z]{{3}}) (\d{{4}}) {CLOCK}{ZONE}")
OF_DAY = re.compile(rf"(today|yesterday|tomorrow)?\s*(?:{CLOCK})?")
EPOCH = re.compile(r"@?(\d{9,11}(?:\.\d+)?)")
MILLIS = re.compile(r"@?(\d{13})")
EXAMPLES = (
    '5m, 24h, "1 hour ago", today, 10:00, 2025-01-11, "2025-01-11 10:00:00", 2025-01-11T10:00:00Z'
)


def parse_time(text: str, now: float, zone: Zone, option: str = "--since") -> float:
    """Return the seconds since 1970 that a text means. Raises InputError with what could be meant."""
    told = " ".join(text.lower().split())
    for read in (_ago, _number, _of_day, _date, _pasted):
        try:
            found = read(told, now, zone)
        except _ImpossibleError as error:
            raise InputError(f"{option} {text!r}: {error}", f"for example {EXAMPLES}") from None
        if found is not None:
            return found
    raise InputError(
        f"{option} {text!r} is no time that Keywright knows", f"for example {EXAMPLES}"
    )


class _ImpossibleError(Exception):
    """A time that no clock or calendar shows."""


def _ago(told: str, now: float, _: Zone) -> float | None:
    """`5m`, `1 hour ago`, `-1h30m`: before now."""
    rest = told.removesuffix("ago").removeprefix("-").strip()
    rest = re.sub(r"^(an?|one)\b", "1", rest).replace(",", " ")
    back, position = 0.0, 0
    while position < len(rest):
        part = PART.match(rest, position)
        if part is None or part[2] not in UNITS:
            return None
        back += float(part[1]) * UNITS[part[2]]
        position = part.end()
    return now - back if rest else None


def _number(told: str, *_: object) -> float | None:
    if found := MILLIS.fullmatch(told):
        return int(found[1]) / 1000
    if found := EPOCH.fullmatch(told):
        return float(found[1])
    return None


def _of_day(told: str, now: float, zone: Zone) -> float | None:
    """`now`, `today`, `yesterday 18:30`, `10:00`."""
    if told == "now":
        return now
    found = OF_DAY.fullmatch(told)
    if not found or not told:
        return None
    day, *clock = found.groups()
    shift = {"yesterday": -1, "tomorrow": 1}.get(day or "", 0)
    year, month, date, *_ = zone.wall(now)
    if shift:
        year, month, date = _date_of(days_before(year, month, date) + shift)
    return _on((year, month, date), clock, None, zone)


def _date(told: str, _: float, zone: Zone) -> float | None:
    found = DATE.fullmatch(told)
    if not found:
        return None
    year, month, day, *clock, offset = found.groups()
    return _on((int(year), int(month), int(day)), clock, offset, zone)


def _pasted(told: str, _: float, zone: Zone) -> float | None:
    found = PASTED.fullmatch(told)
    if not found or found[2] not in MONTHS:
        return None
    day, month, year, *clock, offset = found.groups()
    return _on((int(year), MONTHS.index(month) + 1, int(day)), clock, offset, zone)


def _on(
    date: tuple[int, int, int], clock: list[str | None], offset: str | None, zone: Zone
) -> float:
    """Seconds since 1970 of a date, a clock (hour, minute, second, fraction) and a zone of its own."""
    year, month, day = date
    if not 1 <= month <= 12 or not 1 <= day <= 31 or _date_of(days_before(*date)) != date:
        raise _ImpossibleError(f"there is no day {year:04}-{month:02}-{day:02}")
    if not 1970 <= year <= 2900:
        raise _ImpossibleError(f"no log is of the year {year}")
    hour, minute, second = (int(each or 0) for each in clock[:3])
    if hour > 23 or minute > 59 or second > 60:
        raise _ImpossibleError(f"no clock shows {hour:02}:{minute:02}:{second:02}")
    fraction = float(f"0.{clock[3]}") if clock[3] else 0.0
    wall: Wall = (year, month, day, hour, minute, 0)
    if offset is None:
        return zone.seconds(wall) + second + fraction
    return utc_seconds(wall) + second + fraction - _ahead(offset)


def _ahead(offset: str) -> int:
    if offset in ("z", "utc", "gmt"):
        return 0
    digits = offset[1:].replace(":", "").ljust(4, "0")
    seconds = int(digits[:2]) * 3600 + int(digits[2:]) * 60
    return seconds if offset[0] == "+" else -seconds


def _date_of(days: int) -> tuple[int, int, int]:
    """The date so many days after 1 January 1970 (Howard Hinnant's way back)."""
    era, of_era = divmod(days + 719468, 146097)
    year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year + era * 400 + (month <= 2), month, of_year - (153 * shifted + 2) // 5 + 1
