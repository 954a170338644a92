"""Times as people type them: 90, 90s, 10m, 1h, 2d."""

UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_span(text: str) -> int:
    """Return the seconds; raises ValueError for what is no time."""
    word = text.strip().lower()
    unit = word[-1:] if word[-1:].isalpha() else ""
    digits = word[: len(word) - len(unit)].strip()
    if unit not in UNITS or not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"{text!r} is no time: write 90s, 10m, 1h or 2d")
    return int(digits) * UNITS[unit]
