"""Reads the answer of INFO."""

from collections.abc import Mapping
from typing import NamedTuple


class Keyspace(NamedTuple):
    """One numbered database: its keys, how many of them expire, and how long those have on average (ms)."""

    number: int
    keys: int
    expires: int
    average_ttl: int


def parse_info(text: str) -> dict[str, str]:
    """Return the fields of an INFO answer by name, over all its sections; values as written.

    A field that comes twice (one line per module) keeps its last value. Lines that are no fields
    are passed over, so that a newer server's additions never break the reading.
    """
    fields: dict[str, str] = {}
    for line in text.split("\n"):
        name, colon, value = line.rstrip("\r").partition(":")
        if colon and name and not name.startswith("#"):
            fields[name] = value
    return fields


def parse_sections(text: str) -> dict[str, tuple[str, ...]]:
    """Return the lines (name:value, as written) of each section by its heading, in the server's order."""
    sections: dict[str, list[str]] = {}
    lines = sections.setdefault("", [])
    for line in text.replace("\r", "").split("\n"):
        if line.startswith("# "):
            lines = sections.setdefault(line[2:], [])
        elif line:
            lines.append(line)
    return {name: tuple(found) for name, found in sections.items() if name or found}


def keyspace_counts(fields: Mapping[str, str]) -> list[tuple[int, dict[str, int]]]:
    """Return the counts of each database that holds keys, by name (keys, expires …), in the server's order.

    A count that is no number is 0.
    """
    found = []
    for name, value in fields.items():
        if name.startswith("db") and name[2:].isdigit() and value.startswith("keys="):
            words = dict(word.partition("=")[::2] for word in value.split(","))
            counts = {n: int(v) if v.isascii() and v.isdigit() else 0 for n, v in words.items()}
            found.append((int(name[2:]), counts))
    return found


def parse_keyspace(fields: Mapping[str, str]) -> tuple[Keyspace, ...]:
    """Return the databases that hold keys, from INFO's fields."""
    return tuple(
        Keyspace(number, *(counts.get(name, 0) for name in ("keys", "expires", "avg_ttl")))
        for number, counts in keyspace_counts(fields)
    )
