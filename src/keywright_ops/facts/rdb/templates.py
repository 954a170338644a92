"""Passes over arrays (Redis 8.8) and over hashes whose field names are written once for many (Redis 8.10).

A template has a number and its fields' names. A hash refers to it by that number, as the first element
of a listpack or before its values; in the second form only the template says how many there are.
"""

from keywright_ops.facts.rdb.damage import damaged
from keywright_ops.facts.rdb.packed import count_listpack
from keywright_ops.facts.rdb.strings import Data, read_length, skip_lengths, skip_strings


class Templates:
    """The templates of one dump: how many fields each has, by number."""

    def __init__(self) -> None:
        self._fields: dict[int, int] = {}

    def learn(self, data: Data, at: int) -> int:
        """Pass over a template, and remember it."""
        number, at = read_length(data, at)
        self._fields[number], at = read_length(data, at)
        return skip_strings(data, at, self._fields[number])

    def skip_values(self, data: Data, at: int) -> tuple[int, int]:
        """Pass over a hash that names its template and then its values."""
        number, begun = read_length(data, at)
        if number not in self._fields:
            raise damaged(f"a hash of template {number}, which is not in the dump", at)
        return self._fields[number], skip_strings(data, begun, self._fields[number])


def skip_referring_listpack(data: Data, at: int) -> tuple[int, int]:
    """Pass over a hash as a listpack: its template's number, then its values."""
    count, at = count_listpack(data, at)
    return max(count - 1, 0), at


def skip_whole_listpack(data: Data, at: int) -> tuple[int, int]:
    """Pass over a hash that brings its template: a count, the names, the values in a listpack."""
    count, at = read_length(data, at)
    return count, skip_strings(data, at, count + 1)


def skip_array(data: Data, at: int) -> tuple[int, int]:
    """Pass over an array: a count, whether and where the next insertion goes, then each element.

    An element is its index, its kind, and a string (0 and 3), or eight bytes of a number (1 and 2).
    """
    count, at = read_length(data, at)
    cursor, at = read_length(data, at)
    at = skip_lengths(data, at, 1 if cursor else 0)
    left = count
    while left > 0:
        kind, at = read_length(data, skip_lengths(data, at, 1))
        if kind in (0, 3):
            at = skip_strings(data, at, 1)
        elif kind in (1, 2):
            at += 8
        else:
            raise damaged(f"an array's element of kind {kind}", at)
        left -= 1
    return count, at
