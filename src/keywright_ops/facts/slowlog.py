"""Reads SLOWLOG GET, and Valkey's COMMANDLOG GET: calls that took longer or were larger than a threshold."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from keywright_ops.facts.masking import masked
from keywright_ops.facts.shapes import command_shape


class Logged(NamedTuple):
    """One call that was logged. `amount` is microseconds (slow) or bytes (large requests and replies),
    `when` seconds since 1970 by the server's clock; `words` hold no secret; `address` and `name` are the
    client's."""

    id: int
    when: int
    amount: int
    words: tuple[str, ...]
    address: str
    name: str

    @property
    def shape(self) -> str:
        """The command with its key's pattern."""
        return command_shape(self.words)


class Shape(NamedTuple):
    """All logged calls of one shape: how many, the worst and the sum of their amounts, the last time
    (seconds since 1970), and who sent them (client names, else addresses without a port), the busiest
    first."""

    shape: str
    calls: int
    worst: int
    total: int
    last: int
    who: tuple[str, ...]


def parse_slowlog(reply: Sequence[Any]) -> tuple[Logged, ...]:
    """Return the entries of a reply (bytes that are not UTF-8 as surrogates), the newest first."""
    found = []
    for entry in reply:
        identity, when, amount, words, *client = entry
        address, name = (*client, "", "")[:2]
        hidden = tuple(masked([str(word) for word in words]))
        found.append(Logged(int(identity), int(when), int(amount), hidden, str(address), str(name)))
    return tuple(found)


def group_by_shape(entries: Iterable[Logged]) -> tuple[Shape, ...]:
    """Return the shapes, the one with the largest sum first."""
    groups: dict[str, list[Logged]] = {}
    for entry in entries:
        groups.setdefault(entry.shape, []).append(entry)
    found = []
    for shape, each in groups.items():
        amounts = [entry.amount for entry in each]
        who: dict[str, int] = {}
        for entry in each:
            person = entry.name or entry.address.rpartition(":")[0] or "?"
            who[person] = who.get(person, 0) + 1
        busiest = tuple(sorted(who, key=lambda name: -who[name]))
        last = max(entry.when for entry in each)
        found.append(Shape(shape, len(each), max(amounts), sum(amounts), last, busiest))
    return tuple(sorted(found, key=lambda shape: -shape.total))
