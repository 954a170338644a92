"""Reads ACL LOG: who was refused what, and groups what is the same.

The server logs no NOAUTH: a command before any login is refused without a trace.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

OURS = "keywright"  # the name of Keywright's own connections
NEAR = 3.0  # seconds around a proof of ours within which a nameless refusal is part of it
# What a proof is refused before it can say its name, or as who may not say one: user and object.
PROVING = frozenset(
    {("default", "AUTH"), ("health", "client|setname"), ("health", "client"), ("health", "get")}
)
EXAMPLES = 3


class Entry(NamedTuple):
    """One line of the log: `reason` is auth, command, key or channel; `age` in seconds."""

    times: int
    reason: str
    context: str
    object: str
    user: str
    age: float
    address: str
    name: str
    ours: bool = False


class Group(NamedTuple):
    """Refusals of the same user, from the same place, for the same reason.

    `objects` are commands, keys or channels, newest first; ages are seconds, of the newest and oldest.
    """

    user: str
    reason: str
    objects: tuple[str, ...]
    address: str
    name: str
    times: int
    newest: float
    oldest: float
    ours: bool


def parse_acl_log(reply: Iterable[Sequence[Any]]) -> tuple[Entry, ...]:
    """Return the log's entries, newest first, each with whether it is of Keywright's own proofs."""
    entries = tuple(_entry(dict(zip(each[::2], each[1::2], strict=True))) for each in reply)
    proofs = [each.age for each in entries if each.name == OURS]
    return tuple(each._replace(ours=_is_ours(each, proofs)) for each in entries)


def _entry(fields: dict[str, Any]) -> Entry:
    client = dict(part.partition("=")[::2] for part in str(fields.get("client-info", "")).split())
    return Entry(
        times=int(fields["count"]),
        reason=str(fields["reason"]),
        context=str(fields["context"]),
        object=str(fields["object"]),
        user=str(fields["username"]),
        age=float(fields["age-seconds"]),
        address=client.get("addr", "").rpartition(":")[0],
        name=client.get("name", ""),
    )


def _is_ours(entry: Entry, proofs: list[float]) -> bool:
    if entry.name == OURS:
        return True
    near = any(abs(entry.age - age) < NEAR for age in proofs)
    return near and not entry.name and (entry.user, entry.object) in PROVING


def grouped(entries: Iterable[Entry]) -> tuple[Group, ...]:
    """Return what is the same together, the newest first."""
    found: dict[tuple[object, ...], list[Entry]] = {}
    for each in entries:
        key = (each.user, each.reason, each.address, each.name, each.ours)
        found.setdefault(key, []).append(each)
    groups = [_group(same) for same in found.values()]
    return tuple(sorted(groups, key=lambda group: group.newest))


def _group(same: list[Entry]) -> Group:
    first = same[0]
    ages = [each.age for each in same]
    objects = tuple(dict.fromkeys(each.object for each in same))
    return Group(
        first.user, first.reason, objects, first.address, first.name,
        sum(each.times for each in same), min(ages), max(ages), first.ours,
    )  # fmt: skip
