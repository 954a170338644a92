"""Adds up what is known of each key, page by page; servers and RDB files feed the same sums.

Pure. This is the hot loop of `analyze`: a key costs it about a microsecond.
"""

from bisect import bisect_right
from collections.abc import Sequence
from heapq import heappush, heapreplace
from typing import Any, NamedTuple

from keywright_ops.ops.analysis.tree import ROOM, Branch, Room

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000  # milliseconds
BOUNDS = (MINUTE, 10 * MINUTE, HOUR, DAY, 7 * DAY, 30 * DAY, 365 * DAY)
LASTING = -1  # the PTTL of a key without one


class Big(NamedTuple):
    """One of the biggest keys; `ttl` is milliseconds, -1 for none. Ordered by size."""

    size: int
    key: bytes
    kind: str
    ttl: int


class Tally:
    """The sums. `top` is how many of the biggest keys are kept."""

    def __init__(self, delimiter: bytes, depth: int, top: int) -> None:
        self.delimiter, self.depth, self.top = delimiter, depth, top
        self.root = Branch(Room(ROOM), depth)
        self.lifetimes = [[0, 0] for _ in range(len(BOUNDS) + 1)]  # [keys, bytes] by BOUNDS
        self.encodings: dict[str, int] = {}
        self.read = self.vanished = self.hidden = 0
        self.size = 0  # bytes
        self.lasting = 0  # keys without TTL
        self._biggest: list[Big] = []
        self._floor = -1 if top else 1 << 62

    def feed(
        self, keys: Sequence[bytes], kinds: Sequence[Any], ttls: Sequence[int], sizes: Sequence[int]
    ) -> None:
        """Add keys with their types, TTLs (milliseconds, -1: none) and sizes in bytes."""
        root, delimiter, depth, floor = self.root, self.delimiter, self.depth, self._floor
        known, lifetimes, lasting = root.room.known, self.lifetimes, 0
        for key, kind, ttl, size in zip(keys, kinds, ttls, sizes, strict=True):
            prefix, there, name = key.rpartition(delimiter)
            leaves = known.get(prefix) if there else root.leaves
            if leaves is None:
                leaves = root.leaves_under(prefix, delimiter, depth)
            row = (leaves.star if name.isdigit() else leaves[name])[kind]
            row[0] += 1
            row[1] += size
            if ttl < 0:
                row[2] += 1
                lasting += 1
            else:
                lifetime = lifetimes[bisect_right(BOUNDS, ttl)]
                lifetime[0] += 1
                lifetime[1] += size
            if size > floor:
                floor = self._remember(Big(size, key, _text(kind), ttl))
        self.lasting += lasting
        self.size += sum(sizes)
        self.read += len(keys)

    def _remember(self, big: Big) -> int:
        """Keep one of the biggest; return the size that the next one must exceed."""
        if len(self._biggest) < self.top:
            heappush(self._biggest, big)
        else:
            heapreplace(self._biggest, big)
        if len(self._biggest) == self.top:
            self._floor = self._biggest[0].size
        return self._floor

    def biggest(self) -> list[Big]:
        """Return the biggest keys, the biggest first; one that SCAN told twice stands there once."""
        return sorted({big.key: big for big in self._biggest}.values(), reverse=True)

    def kept(self) -> dict[str, Any]:
        """Return the sums as JSON takes them."""
        return {
            "root": self.root.kept(),
            "lifetimes": self.lifetimes,
            "encodings": self.encodings,
            "sums": [self.read, self.vanished, self.hidden, self.size, self.lasting],
            "biggest": [[b.size, b.key.decode("latin-1"), b.kind, b.ttl] for b in self._biggest],
        }

    def revive(self, kept: dict[str, Any]) -> None:
        """Take over what `kept` returned."""
        self.root.revive(kept["root"])
        self.lifetimes = kept["lifetimes"]
        self.encodings = kept["encodings"]
        self.read, self.vanished, self.hidden, self.size, self.lasting = kept["sums"]
        for size, key, kind, ttl in kept["biggest"]:
            self._remember(Big(size, key.encode("latin-1"), kind, ttl))


def _text(kind: bytes | str) -> str:
    return kind if isinstance(kind, str) else kind.decode("latin-1")
