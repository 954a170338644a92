"""Which keys somebody wants, in which order, how many of them. Pure: rows come in, rows go out."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from keywright_ops.ops.keyspace.scan import IDLE, MEMORY, PTTL, TYPE, Row

NAME, SIZE, TTL = "name", "size", "ttl"
SORTS = (NAME, SIZE, TTL, IDLE)
NEVER = 1 << 62  # where a key without an end stands among times


class Wanted(NamedTuple):
    """Which keys: `glob` a pattern, `kind` a type ("" for all), `bound` "", "none" (no TTL), "<" or ">"
    `edge` (milliseconds), `min_size` in bytes, `sort` one of SORTS or "", `limit` 0 for all of them."""

    glob: bytes = b"*"
    kind: str = ""
    bound: str = ""
    edge: int = 0
    min_size: int = 0
    sort: str = ""
    limit: int = 0

    def columns(self, *, shown: bool) -> tuple[str, ...]:
        """What must be asked of every key; more where it is `shown` beside the name."""
        asked = [TYPE] if shown else []
        if shown or self.bound or self.sort == TTL:
            asked.append(PTTL)
        if shown or self.min_size or self.sort == SIZE:
            asked.append(MEMORY)
        if self.sort == IDLE:
            asked.append(IDLE)
        return tuple(asked)

    def keep(self, rows: list[Row]) -> list[Row]:
        """The rows that are wanted (pattern and type were the server's to filter)."""
        if self.bound == "none":
            rows = [row for row in rows if row[2] == -1]
        elif self.bound == "<":
            rows = [row for row in rows if row[2] is not None and 0 <= row[2] < self.edge]
        elif self.bound == ">":
            rows = [row for row in rows if row[2] is not None and row[2] > self.edge]
        if self.min_size:
            rows = [row for row in rows if (row[3] or 0) >= self.min_size]
        return rows


def order(sort: str) -> Callable[[Row], tuple[int, bytes]]:
    """The key by which rows are sorted: largest, soonest to end, longest idle first; equals by name."""

    def by(row: Row) -> tuple[int, bytes]:
        if sort == SIZE:
            return -(row[3] or 0), row[0]
        if sort == TTL:
            return (NEVER if row[2] is None or row[2] < 0 else row[2]), row[0]
        if sort == IDLE:
            return -(row[4] or 0), row[0]
        return 0, row[0]

    return by


class Shortlist:
    """The first `limit` rows in an order (all for 0), however many are added: it never holds many more."""

    def __init__(self, sort: str, limit: int) -> None:
        self._by, self._limit = order(sort), limit
        self._sorted = bool(sort)
        self._rows: list[Row] = []
        self._most = limit * 2 + 1000

    def add(self, rows: Sequence[Row]) -> None:
        """Take more rows into account."""
        self._rows.extend(rows)
        if self._limit and len(self._rows) > self._most:
            self._rows = self.rows()

    @property
    def full(self) -> bool:
        """Whether nothing that comes can change it: as many as wanted, in no order."""
        return bool(self._limit) and not self._sorted and len(self._rows) >= self._limit

    def rows(self) -> list[Row]:
        """What it holds, in order."""
        rows = sorted(self._rows, key=self._by) if self._sorted else self._rows
        return rows[: self._limit] if self._limit else list(rows)
