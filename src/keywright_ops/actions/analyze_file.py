"""analyze FILE.rdb: a keyspace by pattern from a snapshot, without a server."""

import time
from collections.abc import Iterable, Iterator

from keywright_ops.actions.analyze import LOOK_EVERY, Progress, Told, Wanted
from keywright_ops.facts.glob import parse_glob
from keywright_ops.facts.rdb.header import read_header
from keywright_ops.facts.rdb.reader import Entry, read_rdb
from keywright_ops.ops.analysis.report import Analysis, lifetimes_of, prefixes_of, total, types_of
from keywright_ops.ops.analysis.tally import Tally
from keywright_ops.ops.analysis.whole import add_entries
from keywright_ops.ops.dump_file import load_dump


def analyze_file(path: str, wanted: Wanted, database: int | None, told: Told) -> Analysis:
    """Read a snapshot and return what it consists of; sizes are those of the file, not of the memory.

    Lifetimes count from when the file was written. `database` None is all of them.
    """
    begun = time.monotonic()
    tally = Tally(wanted.delimiter, wanted.depth, wanted.top)
    with load_dump(path) as dump:
        written = read_header(dump.data).fields.get("ctime", "")  # seconds since 1970
        taken = int(written) if written.isdigit() else int(dump.changed)
        watch = _Watch(told, tally, dump.size)
        entries = _chosen(read_rdb(dump.data), database, wanted.pattern)
        finished = add_entries(tally, entries, taken * 1000, watch.tell)
    prefixes = prefixes_of(tally)
    types = types_of(prefixes)
    return Analysis(
        source="file",
        place=path,
        database=database,
        pattern=wanted.pattern,
        measure="serialised",
        total=tally.read,
        done=1.0 if finished else watch.done(),
        resumed=False,
        seconds=time.monotonic() - begun,
        sums=total(types),
        vanished=0,
        hidden=0,
        types=types,
        lifetimes=lifetimes_of(tally),
        prefixes=prefixes,
        biggest=tuple(tally.biggest()),
        encodings={},
        delimiter=wanted.delimiter,
    )


class _Watch:
    """Tells how far the file is read, ten times a second."""

    def __init__(self, told: Told, tally: Tally, size: int) -> None:
        self.told, self.tally, self.size = told, tally, size
        self.begun = self.looked = time.monotonic()

    def done(self) -> float:
        return min(0.999, self.tally.size / self.size)

    def tell(self, _: int) -> bool:
        now = time.monotonic()
        if now - self.looked < LOOK_EVERY:
            return False
        self.looked, done = now, self.done()
        left = (now - self.begun) * (1 - done) / done if done else None
        return self.told(Progress(done, self.tally.read, left))


def _chosen(entries: Iterable[Entry], database: int | None, pattern: bytes) -> Iterator[Entry]:
    """The entries of one database, and of the keys that match."""
    if database is not None:
        entries = (each for each in entries if each.database == database)
    if pattern:
        matches = parse_glob(pattern).fullmatch
        entries = (each for each in entries if matches(each.key))
    return iter(entries)
