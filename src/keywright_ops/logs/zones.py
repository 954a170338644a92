"""Time zones as two functions: a wall clock's minute → seconds since 1970, and back.

Redis writes the wall clock of its host without saying which zone that is; whoever makes a source knows.
Light on purpose: neither datetime nor zoneinfo is loaded unless a zone has a name.
"""

import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import tzinfo

Wall = tuple[int, int, int, int, int, int]  # year, month, day, hour, minute, second


class Zone(Protocol):
    """A time zone."""

    def seconds(self, wall: Wall) -> float:
        """Seconds since 1970 (UTC) of what the wall clock showed; of a time that came twice the first."""
        ...

    def wall(self, seconds: float) -> Wall:
        """What the wall clock shows then."""
        ...


def days_before(year: int, month: int, day: int) -> int:
    """Return the days from 1 January 1970 to a date of the Gregorian calendar (Howard Hinnant's way)."""
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


def utc_seconds(wall: Wall) -> int:
    """Return the seconds since 1970 of a wall clock that shows UTC."""
    year, month, day, hour, minute, second = wall
    return days_before(year, month, day) * 86400 + hour * 3600 + minute * 60 + second


class Fixed:
    """Always so many seconds ahead of UTC (0: UTC itself, as in a container without TZ)."""

    def __init__(self, ahead: int = 0) -> None:
        self.ahead = ahead

    def seconds(self, wall: Wall) -> float:
        """Seconds since 1970."""
        return utc_seconds(wall) - self.ahead

    def wall(self, seconds: float) -> Wall:
        """What the clock shows."""
        told = time.gmtime(seconds + self.ahead)
        return told.tm_year, told.tm_mon, told.tm_mday, told.tm_hour, told.tm_min, told.tm_sec


class Here:
    """The zone of this machine, with its summer time."""

    def seconds(self, wall: Wall) -> float:
        """Seconds since 1970; of an hour that came twice the first."""
        told = time.mktime((*wall, 0, 0, 1))
        if time.localtime(told)[:6] == wall and time.localtime(told).tm_isdst == 1:
            return told
        return time.mktime((*wall, 0, 0, -1))

    def wall(self, seconds: float) -> Wall:
        """What the clock shows."""
        told = time.localtime(seconds)
        return told.tm_year, told.tm_mon, told.tm_mday, told.tm_hour, told.tm_min, told.tm_sec


class Named:
    """A zone of the tz database: `Named(ZoneInfo("Europe/Berlin"))`, a host's or a container's TZ."""

    def __init__(self, zone: "tzinfo") -> None:
        self._zone = zone

    def seconds(self, wall: Wall) -> float:
        """Seconds since 1970."""
        from datetime import datetime

        return datetime(*wall, tzinfo=self._zone).timestamp()

    def wall(self, seconds: float) -> Wall:
        """What the clock shows."""
        from datetime import datetime

        told = datetime.fromtimestamp(seconds, self._zone)
        return told.year, told.month, told.day, told.hour, told.minute, told.second


UTC = Fixed(0)


def twice(zone: Zone, seconds: float, around: float = 7200.0) -> bool:
    """Whether an hour comes twice near a time: summer time ends."""

    def ahead(at: float) -> float:
        return utc_seconds(zone.wall(at)) - at

    return ahead(seconds - around) > ahead(seconds + around) + 1
