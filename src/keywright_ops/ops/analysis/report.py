"""What `analyze` found, as nouns: made of the sums once, at the end.

Pure.
"""

from collections.abc import Iterable
from typing import NamedTuple

from keywright_ops.ops.analysis.tally import BOUNDS, Big, Tally
from keywright_ops.ops.analysis.tree import STAR, Branch, Rows


class Sums(NamedTuple):
    """Keys, their bytes, and how many of them never expire."""

    keys: int
    size: int
    lasting: int

    def plus(self, other: "Sums") -> "Sums":
        """Return both together."""
        return Sums(self.keys + other.keys, self.size + other.size, self.lasting + other.lasting)


NONE = Sums(0, 0, 0)


class Prefix(NamedTuple):
    """All keys of one pattern: `user:*` is everything below the prefix, `user:*:profile` a leaf.

    `below` are the patterns that it consists of, the largest first.
    """

    pattern: bytes
    sums: Sums
    types: dict[str, Sums]
    below: tuple["Prefix", ...]


class Lifetime(NamedTuple):
    """Keys whose TTL is under `bound` milliseconds (None: longer than all bounds)."""

    bound: int | None
    keys: int
    size: int


class Sample(NamedTuple):
    """What the shares stand on: `read` keys at random `of` all; `margin` in keys of a hundred, for the
    share that is least certain (one half), 19 times of 20."""

    of: int
    read: int
    margin: float


class Analysis(NamedTuple):
    """A keyspace by pattern. `measure` says what the bytes are: "memory" or "serialised".

    `source` is "server", "replica" or "file", `place` its address or path. `total` are the keys that the
    database had at the beginning, `done` the share of it that was read (1.0: all). `vanished` are keys
    that ended between their listing and the question about them, `hidden` those that the user may not see.
    `cluster` means that the server holds a
    part of a cluster's keys. `biggest` is empty for a sample: it cannot know them.
    """

    source: str
    place: str
    database: int | None
    pattern: bytes
    measure: str
    total: int
    done: float
    resumed: bool
    seconds: float
    sums: Sums
    vanished: int
    hidden: int
    types: dict[str, Sums]
    lifetimes: tuple[Lifetime, ...]
    prefixes: tuple[Prefix, ...]
    biggest: tuple[Big, ...]
    encodings: dict[str, int]
    sample: Sample | None = None
    cluster: bool = False
    delimiter: bytes = b":"

    @property
    def finished(self) -> bool:
        """Whether everything that was asked for was read."""
        return self.done >= 1.0


def prefixes_of(tally: Tally) -> tuple[Prefix, ...]:
    """Return the tree of patterns, the largest first on every level."""
    return _below(tally.root, b"", tally.delimiter)


def _below(branch: Branch, path: bytes, delimiter: bytes) -> tuple[Prefix, ...]:
    found = [_leaf(path + name, rows) for name, rows in branch.leaves.items()]
    found.append(_leaf(path + STAR, branch.leaves.star))
    for name, each in branch.named():
        head = path + name + delimiter
        below = _below(each, head, delimiter)
        if len(below) == 1:  # nothing to tell apart: the longer pattern says more
            found.append(below[0])
            continue
        types = _together(child.types for child in below)
        found.append(Prefix(head + STAR, total(types), types, below))
    return tuple(sorted((e for e in found if e.sums.keys), key=_largest))


def _leaf(pattern: bytes, rows: Rows) -> Prefix:
    types = {
        kind if isinstance(kind, str) else kind.decode("latin-1"): Sums(*row)
        for kind, row in rows.items()
    }
    return Prefix(pattern, total(types), types, ())


def _together(parts: Iterable[dict[str, Sums]]) -> dict[str, Sums]:
    types: dict[str, Sums] = {}
    for part in parts:
        for kind, sums in part.items():
            types[kind] = types.get(kind, NONE).plus(sums)
    return types


def total(types: dict[str, Sums]) -> Sums:
    """Return the sums of all types together."""
    whole = NONE
    for sums in types.values():
        whole = whole.plus(sums)
    return whole


def types_of(prefixes: Iterable[Prefix]) -> dict[str, Sums]:
    """Return the sums by type, the largest first."""
    types = _together(each.types for each in prefixes)
    return dict(sorted(types.items(), key=lambda pair: (-pair[1].size, pair[0])))


def lifetimes_of(tally: Tally) -> tuple[Lifetime, ...]:
    """Return the distribution of the TTLs of the keys that have one."""
    bounds: tuple[int | None, ...] = (*BOUNDS, None)
    return tuple(Lifetime(b, *row) for b, row in zip(bounds, tally.lifetimes, strict=True))


def _largest(prefix: Prefix) -> tuple[int, bytes]:
    return (-prefix.sums.size, prefix.pattern)


def flat(prefixes: Iterable[Prefix], by_keys: bool = False) -> list[Prefix]:
    """Return every pattern of the tree, the largest (or the one of most keys) first; one stands before
    those below it."""
    found: list[Prefix] = []
    for each in prefixes:
        found.append(each)
        found.extend(flat(each.below))
    # sorted is stable: equals stay in the tree's order
    return sorted(found, key=lambda each: -(each.sums.keys if by_keys else each.sums.size))


def chosen(
    prefixes: Iterable[Prefix], most: int, by_keys: bool = False
) -> tuple[list[tuple[int, Prefix]], int]:
    """Return the `most` largest patterns in the tree's order, each with its level, and how many are left
    out. What is above a chosen one is larger, and so is chosen too."""
    kept = {id(each) for each in flat(prefixes, by_keys)[: most or None]}
    rows: list[tuple[int, Prefix]] = []

    def walk(level: int, below: Iterable[Prefix]) -> int:
        left = 0
        for each in sorted(below, key=lambda e: -(e.sums.keys if by_keys else e.sums.size)):
            if id(each) in kept:
                rows.append((level, each))
                left += walk(level + 1, each.below)
            else:
                left += 1 + len(flat(each.below))
        return left

    return rows, walk(0, prefixes)
