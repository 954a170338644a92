"""Values as a person writes them in keywright.toml: sizes, durations, percentages, save points.

Pure. `parse_` takes what TOML gave and returns the value, `format_` writes a value so that parsing
gives it back (a law that the tests hold). A parser raises `NotThat`, whose message completes the
sentence "env.prod.maxmemory: …".

Sizes have three rules, because their readers have three, and each field says which one it follows:
- redis.conf's (redis.conf, "Note on units"): k m g are powers of 1000, kb mb gb powers of 1024;
- docker's for memory (go-units RAMInBytes): k m g and kb mb gb alike are powers of 1024;
- docker's for logs (go-units FromHumanSize, max-size of json-file): both are powers of 1000.
So "1gb" of maxmemory is 2**30 bytes, and so is "1G" of a container's memory.
"""

from typing import NamedTuple

from keywright_ops.model.plan import SavePoint

# The largest size a server or docker can count: a signed 64-bit integer.
LARGEST = 2**63 - 1
# Units by reader; bytes.
REDIS_UNITS = {
    "": 1, "b": 1,
    "k": 10**3, "m": 10**6, "g": 10**9,
    "kb": 2**10, "mb": 2**20, "gb": 2**30,
}  # fmt: skip
DOCKER_UNITS = {
    "": 1, "b": 1,
    "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40,
    "kb": 2**10, "mb": 2**20, "gb": 2**30, "tb": 2**40,
}  # fmt: skip
DOCKER_LOG_UNITS = {
    "": 1, "b": 1,
    "k": 10**3, "m": 10**6, "g": 10**9,
    "kb": 10**3, "mb": 10**6, "gb": 10**9,
}  # fmt: skip
# Units of time in microseconds, the finest that a redis.conf counts in (slowlog).
TIME_UNITS = {
    "us": 1, "ms": 10**3, "s": 10**6, "m": 60 * 10**6, "h": 3600 * 10**6, "d": 86400 * 10**6,
}  # fmt: skip
# Ten years: longer is a slip of the hand, and expiry arithmetic stays far from 64 bits.
LONGEST = 3650 * TIME_UNITS["d"]


class NotThat(ValueError):
    """A value that a field cannot take: `str(error)` the reason, `error.hint` the right thing."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.hint = hint


class Share(NamedTuple):
    """A part of the container's memory limit, in hundredths of a percent: 60% is 6000."""

    hundredths: int


def called(value: object) -> str:
    """Say what TOML gave, in a person's words, never longer than a line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return repr(value) if len(value) <= 40 else repr(value[:37]) + "…"
    if isinstance(value, int):
        return str(value) if abs(value) < 10**20 else "a number beyond every measure"
    if isinstance(value, float):
        return str(value)
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    return "a date"


class Number(NamedTuple):
    """A plain decimal number as it was written: "1.5" is 15 / 10; exact, and cheaper to load than
    the decimal module."""

    digits: int
    scale: int
    unit: str

    def times(self, factor: int) -> int | None:
        """Return the number times a whole factor; None when that is not whole."""
        product = self.digits * factor
        return None if product % self.scale else product // self.scale


def split_unit(text: str) -> Number | None:
    """Split "1.5 gb" into number and lower-case unit; None when it is not a plain number first."""
    text = text.strip()
    end = 0
    while end < len(text) and (text[end] in "0123456789."):
        end += 1
    digits, unit = text[:end], text[end:].strip().lower()
    whole, dot, fraction = digits.partition(".")
    if not whole or (dot and not fraction) or "." in fraction or len(digits) > 20:
        return None
    return Number(int(whole + fraction), 10 ** len(fraction), unit)


def parse_size(value: object, units: dict[str, int], example: str) -> int:
    """Return bytes, 0 … 2**63-1; a bare number is bytes."""
    hint = f"write a size such as {example}"
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise NotThat(f"a size is needed, not {called(value)}", hint)
    if isinstance(value, int):
        size = value
    else:
        split = split_unit(value)
        if split is None or split.unit not in units:
            raise NotThat(f"{called(value)} is not a size", hint)
        exact = split.times(units[split.unit])
        if exact is None:
            raise NotThat(f"{called(value)} is not a whole number of bytes", hint)
        size = exact
    if size < 0:
        raise NotThat(f"a size cannot be negative, as {called(value)} is", hint)
    if size > LARGEST:
        raise NotThat("a size cannot be above 2**63-1 bytes", hint)
    return size


def parse_redis_size(value: object) -> int:
    """Read a size by redis.conf's rule: "512mb" = 512 * 2**20, "512m" = 512 * 10**6."""
    return parse_size(value, REDIS_UNITS, '"512mb" or 536870912')


def parse_docker_size(value: object) -> int:
    """Read a size by docker's rule for memory: "1.5G" = "1.5gb" = 1.5 * 2**30."""
    return parse_size(value, DOCKER_UNITS, '"1.5G" or "512m"')


def parse_docker_log_size(value: object) -> int:
    """Read a size by docker's rule for logs: "50m" = 50 * 10**6."""
    return parse_size(value, DOCKER_LOG_UNITS, '"50m"')


def format_size(size: int, units: dict[str, int]) -> str:
    """Write bytes in the largest unit that divides them, in its shortest spelling."""
    best, factor = "", 1
    for unit, each in units.items():
        if size and size % each == 0 and each > factor:
            best, factor = unit, each
    return f"{size // factor}{best}"


def format_redis_size(size: int) -> str:
    """Write bytes for redis.conf: 2**30 → "1gb"."""
    return format_size(size, REDIS_UNITS)


def format_docker_size(size: int) -> str:
    """Write bytes for a container's memory, with a fraction where it is exact: "1.5g"."""
    for unit in ("t", "g", "m", "k"):
        factor = DOCKER_UNITS[unit]
        if size >= factor and size * 2 % factor == 0:
            whole, rest = divmod(size, factor)
            return f"{whole}.5{unit}" if rest else f"{whole}{unit}"
    return f"{size}b"


def format_docker_log_size(size: int) -> str:
    """Write bytes for max-size of docker's json-file log: 50_000_000 → "50m"."""
    return format_size(size, DOCKER_LOG_UNITS)


def parse_memory(value: object) -> int | Share:
    """Read maxmemory: a size by redis.conf's rule, or a percentage of the container's limit."""
    if isinstance(value, str) and value.strip().endswith("%"):
        return parse_share(value)
    return parse_redis_size(value)


def format_memory(value: int | Share) -> str:
    """Write what `parse_memory` reads."""
    return format_share(value) if isinstance(value, Share) else format_redis_size(value)


def parse_share(value: object) -> Share:
    """Read "60%": above 0 and below 100."""
    hint = 'write a percentage such as "60%"'
    text = value.strip() if isinstance(value, str) else ""
    split = split_unit(text[:-1]) if text.endswith("%") else None
    hundredths = split.times(100) if split is not None and not split.unit else None
    if hundredths is None:
        raise NotThat(f"{called(value)} is not a percentage of at most two decimals", hint)
    if not 0 < hundredths < 100_00:
        raise NotThat(f"a share lies between 0% and 100%, and {called(value)} does not", hint)
    return Share(hundredths)


def format_share(value: Share) -> str:
    """Write a percentage as `parse_share` reads it."""
    whole, rest = divmod(value.hundredths, 100)
    return f"{whole}.{rest:02}%" if rest else f"{whole}%"


def parse_duration(value: object, bare: str = "s") -> int:
    """Return microseconds, 0 … ten years. `bare` is the unit of a number that has none."""
    hint = 'write a duration such as "10ms", "5s", "1h" or "1d"'
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise NotThat(f"a duration is needed, not {called(value)}", hint)
    if isinstance(value, (int, float)):
        if value != value or value < 0:
            raise NotThat(f"a duration cannot be {called(value)}", hint)
        if value > LONGEST:
            raise NotThat("a duration of more than ten years is a slip", hint)
        text = f"{value:.9f}" if isinstance(value, float) else str(value)
    else:
        text = value
    split = split_unit(text)
    unit = (split.unit or bare) if split else ""
    if split is None or unit not in TIME_UNITS:
        raise NotThat(f"{called(value)} is not a duration", hint)
    microseconds = split.times(TIME_UNITS[unit])
    if microseconds is None:
        raise NotThat(f"{called(value)} is finer than a microsecond", hint)
    if microseconds > LONGEST:
        raise NotThat("a duration of more than ten years is a slip", hint)
    return microseconds


def format_duration(microseconds: int) -> str:
    """Write a duration in the largest unit that divides it: 3_600_000_000 → "1h"."""
    best = "us" if microseconds else "s"
    for unit, factor in TIME_UNITS.items():
        if microseconds and microseconds % factor == 0:
            best = unit
    return f"{microseconds // TIME_UNITS[best]}{best}"


def parse_save(value: object) -> tuple[SavePoint, ...]:
    """Read save points: ["900 1", "300 10"], or "" or [] for none."""
    hint = 'write save = ["900 1", "300 10"] (seconds, changes), or save = "" for no snapshots'
    if value == "" and isinstance(value, str):
        return ()
    if not isinstance(value, list):
        raise NotThat(f"a list of save points is needed, not {called(value)}", hint)
    return tuple(parse_save_point(each, hint) for each in value)


def parse_save_point(value: object, hint: str) -> SavePoint:
    """Read one "SECONDS CHANGES"; both at least 1, as the server demands of the seconds."""
    words = value.split() if isinstance(value, str) else []
    if len(words) != 2 or not all(word.isascii() and word.isdigit() for word in words):
        raise NotThat(f"{called(value)} is not a save point", hint)
    if any(len(word) > 10 or not 1 <= int(word) <= 2**31 - 1 for word in words):
        raise NotThat(f"the numbers of a save point lie between 1 and 2147483647: {value}", hint)
    return SavePoint(int(words[0]), int(words[1]))


def format_save(points: tuple[SavePoint, ...]) -> list[str]:
    """Write save points as the list that `parse_save` reads."""
    return [f"{point.seconds} {point.changes}" for point in points]
