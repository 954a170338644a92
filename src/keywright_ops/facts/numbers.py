"""Numbers among the fields that a server tells: absent or strange ones are nought."""

from collections.abc import Mapping


def whole(fields: Mapping[str, str], name: str) -> int:
    """Return a field as a whole number; 0 where it is missing or none."""
    text = fields.get(name, "")
    digits = text[1:] if text[:1] == "-" else text
    return int(text) if digits.isascii() and digits.isdigit() else 0


def fraction(fields: Mapping[str, str], name: str) -> float:
    """Return a field as a number; 0.0 where it is missing or none."""
    try:
        value = float(fields.get(name, "").rstrip("%"))
    except ValueError:
        return 0.0
    return value if value - value == 0 else 0.0  # neither nan nor endless
