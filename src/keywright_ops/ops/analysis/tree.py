"""Keys by prefix, as a tree whose size is bounded: ids become *, and so does what is too manifold.

Pure. `user:1001:profile` is the leaf `profile` under the branches `user` and `*`. A branch that would
have more than MANY different names folds them all into `*`: they were ids of a kind that has no look of
its own (user names, tokens). Prefixes and last segments are folded apart.
"""

from collections.abc import Iterable
from typing import Any, Self

MANY = 1000  # different names under one branch
ROOM = 20_000  # different names in the whole tree; ~20 MB
SHORTEST_HEX = 8  # "cafe" and "bed" are words
STAR = b"*"

_HEX = b"0123456789abcdefABCDEF-"
_DIGITS = b"0123456789"


def is_id(segment: bytes) -> bool:
    """Whether a segment looks like an id: digits, a hexadecimal number of 8 or more, a UUID, a date."""
    if segment.isdigit():
        return True
    if len(segment) < SHORTEST_HEX or segment.translate(None, _HEX):
        return False
    return len(segment.translate(None, _DIGITS)) < len(segment)


class Rows(dict[Any, list[int]]):
    """Type → [keys, bytes, keys without TTL] of the keys that end in one leaf."""

    __slots__ = ()

    def __missing__(self, kind: Any) -> list[int]:
        row = self[kind] = [0, 0, 0]
        return row

    def absorb(self, other: "Rows") -> None:
        """Add another's figures to these."""
        for kind, (keys, size, lasting) in other.items():
            row = self[kind]
            row[0] += keys
            row[1] += size
            row[2] += lasting


class Room:
    """How many names the tree still has room for; and where it was before: `known` are the leaves under
    prefixes without ids, which spares the walk there."""

    __slots__ = ("known", "left")

    def __init__(self, left: int) -> None:
        self.left = left
        self.known: dict[bytes, Leaves] = {}


class Leaves(dict[bytes, Rows]):
    """The last segments under one branch; `star` holds those that are folded."""

    __slots__ = ("closed", "room", "star")

    def __init__(self, room: Room, closed: bool) -> None:
        super().__init__()
        self.room, self.closed = room, closed
        self.star = Rows()

    def __missing__(self, name: bytes) -> Rows:
        if self.closed or name.isdigit() or is_id(name):  # most ids are numbers
            return self.star
        if len(self) >= MANY or self.room.left <= 0:
            self.close()
            return self.star
        self.room.left -= 1
        rows = self[name] = Rows()
        return rows

    def close(self) -> None:
        """Fold every name into *, from now on too."""
        self.closed = True
        for rows in self.values():
            self.star.absorb(rows)
        self.room.left += len(self)
        self.clear()


class Branch(dict[bytes, "Branch"]):
    """One prefix: its branches by name, its leaves; `depth` levels of names may follow below."""

    __slots__ = ("closed", "depth", "leaves", "room", "star")

    def __init__(self, room: Room, depth: int) -> None:
        super().__init__()
        self.room, self.depth, self.closed = room, depth, False
        self.star: Branch | None = None
        self.leaves = Leaves(room, depth <= 0)

    def __missing__(self, name: bytes) -> "Branch":
        if self.closed or name.isdigit() or is_id(name):  # most ids are numbers
            return self.folded()
        if len(self) >= MANY or self.room.left <= 0:
            self.close()
            return self.folded()
        self.room.left -= 1
        branch = self[name] = Branch(self.room, self.depth - 1)
        return branch

    def folded(self) -> "Branch":
        """Return the branch *, made when it is first needed."""
        if self.star is None:
            self.star = Branch(self.room, self.depth - 1)
        return self.star

    def close(self) -> None:
        """Fold every branch into *, from now on too."""
        self.closed = True
        self.room.known.clear()  # they may lie in what is folded now
        star, branches = self.folded(), list(self.values())
        self.clear()
        self.room.left += len(branches)
        for branch in branches:
            star.absorb(branch)

    def absorb(self, other: "Branch") -> None:
        """Add another branch's figures to this one's."""
        for name, rows in other.leaves.items():
            self.leaves[name].absorb(rows)
        self.room.left += len(other.leaves) + len(other)
        self.leaves.star.absorb(other.leaves.star)
        if other.star is not None:
            self.folded().absorb(other.star)
        for name, branch in other.items():
            self[name].absorb(branch)

    def leaves_under(self, prefix: bytes, delimiter: bytes, depth: int) -> Leaves:
        """Return the leaves under a whole prefix (`user:7`), seen from the root."""
        names = prefix.split(delimiter)
        branch, plain = self, len(names) <= depth
        for name in names[:depth]:
            below = branch[name]
            plain = plain and below is not branch.star
            branch = below
        if plain:
            self.room.known[prefix] = branch.leaves
        return branch.leaves

    def named(self) -> Iterable[tuple[bytes, "Branch"]]:
        """Return every branch with its name, * among them."""
        return [*self.items(), *([(STAR, self.star)] if self.star is not None else [])]

    def kept(self) -> list[Any]:
        """Return what `revive` makes the same branch of; nothing but lists, dicts and texts."""
        return [
            {_text(name): _rows(rows) for name, rows in self.leaves.items()},
            _rows(self.leaves.star),
            self.leaves.closed,
            {_text(name): branch.kept() for name, branch in self.items()},
            None if self.star is None else self.star.kept(),
            self.closed,
        ]

    def revive(self, kept: list[Any]) -> Self:
        """Take over what `kept` returned."""
        leaves, folded, self.leaves.closed, branches, star, self.closed = kept
        for name, rows in leaves.items():
            self.leaves[_bytes(name)] = _revived(rows)
        self.leaves.star = _revived(folded)
        for name, branch in branches.items():
            self[_bytes(name)] = Branch(self.room, self.depth - 1).revive(branch)
        if star is not None:
            self.folded().revive(star)
        self.room.left -= len(self.leaves) + len(branches)
        return self


def _text(name: bytes) -> str:
    return name.decode("latin-1")


def _bytes(name: str) -> bytes:
    return name.encode("latin-1")


def _rows(rows: Rows) -> dict[str, list[int]]:
    return {_kind(kind): row for kind, row in rows.items()}


def _revived(kept: dict[str, list[int]]) -> Rows:
    rows = Rows()
    for kind, row in kept.items():
        rows[kind.encode("latin-1")] = row
    return rows


def _kind(kind: bytes | str) -> str:
    return kind if isinstance(kind, str) else kind.decode("latin-1")
