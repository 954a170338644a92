"""keys --delete, --expire, --undo, and key delete: many keys at once, counted first, copied, paced."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, nullcontext
from typing import NamedTuple

from keywright.errors import ApplyError, InputError, KeywrightError, ReplyError
from keywright.wire import Wire
from keywright_ops.actions.keys import PATIENCE, Progress, pace_of, sized, walk
from keywright_ops.actions.reach import Reached
from keywright_ops.facts.escapes import exact
from keywright_ops.ops.keyspace.bulk import (
    BYTES_AT_ONCE,
    KEYS_AT_ONCE,
    Rest,
    Restored,
    Tally,
    batches,
    delete,
    dumped,
    expire,
    milliseconds,
    restore,
)
from keywright_ops.ops.keyspace.copy_file import (
    LIMIT,
    CopyFile,
    Record,
    find_copy,
    load_copy,
    refuse_without_room,
)
from keywright_ops.ops.keyspace.scan import (
    COUNT,
    MEMORY,
    PTTL,
    TYPE,
    ColumnRefused,
    Row,
    questions,
    rows,
)
from keywright_ops.ops.keyspace.wanted import Wanted

SENDS = ("SCAN", "DBSIZE", "TYPE", "PTTL", "MEMORY USAGE", "TIME", "WATCH", "UNWATCH", "DUMP", "MULTI",
         "EXEC", "UNLINK", "PEXPIRE", "PEXPIREAT", "PERSIST", "RESTORE")  # fmt: skip
COLUMNS = (TYPE, PTTL, MEMORY)
SAMPLE = 10  # keys that are shown before they are asked about


class Target(NamedTuple):
    """Which keys: those of these `names`, or those that are `wanted`."""

    wanted: Wanted
    names: tuple[bytes, ...] = ()


class Survey(NamedTuple):
    """What a change would be about: a number of keys, their memory (bytes, as MEMORY USAGE estimates), some
    of them, the `largest`; `absent` are names that are not there."""

    number: int
    size: int
    sample: list[Row]
    total: int
    largest: Row | None = None
    absent: tuple[bytes, ...] = ()


class Change(NamedTuple):
    """`after` milliseconds until the end, 0 to delete now; `copy` whether one is kept, of at most `limit`
    bytes; `stop` says that somebody wants no more."""

    after: int = 0
    copy: bool = True
    limit: int = LIMIT
    pace: float | None = None
    stop: Callable[[], bool] = bool


class Changed(NamedTuple):
    """How far it came: `stopped` by Ctrl-C, `problem` what ended it else; `copy` is its path, "" for none."""

    tally: Tally
    copy: str
    copied: int
    seconds: float
    stopped: bool
    problem: KeywrightError | None


def survey(
    reached: Reached, target: Target, pace: float | None, progress: Progress | None
) -> Survey:
    """Count what a change would be about. Raises ReplyError, Unreachable."""
    with reached.wire(raw=True, timeout=PATIENCE) as wire:
        total, count, size, scanned = sized(reached, wire), 0, 0, 0
        sample: list[Row] = []
        largest: Row | None = None
        seen: set[bytes] = set()
        for page in _pages(reached, wire, target, pace):
            scanned = min(scanned + COUNT, total)
            count += len(page)
            size += sum(row[3] or 0 for row in page)
            largest = max((*([largest] if largest else []), *page), key=_weight, default=None)
            sample += page[: SAMPLE - len(sample)]
            if target.names:
                seen.update(row[0] for row in page)
            if progress is not None:
                progress(scanned, total, count)
    absent = tuple(name for name in target.names if name not in seen)
    return Survey(count, size, sample, total, largest, absent)


def _weight(row: Row) -> int:
    return row[3] or 0


def _pages(reached: Reached, wire: Wire, target: Target, pace: float | None) -> Iterator[list[Row]]:
    """The rows that are meant, page by page."""
    single = exact(target.wanted.glob)
    names = target.names or ((single,) if single is not None else ())
    if not names:
        for page in walk(reached, wire, target.wanted, COLUMNS, pace_of(reached, pace)):
            yield target.wanted.keep(page)
        return
    unique = list(dict.fromkeys(names))
    for at in range(0, len(unique), COUNT):
        part = unique[at : at + COUNT]
        try:
            answers = wire.exchange(questions(part, COLUMNS), len(part) * len(COLUMNS))
            found = rows(part, COLUMNS, answers)
        except ColumnRefused as refusal:
            raise reached.explain(refusal, refusal.words) from None
        kind = target.wanted.kind.encode()
        yield target.wanted.keep([row for row in found if not kind or row[1] == kind])


def change(
    reached: Reached, target: Target, wish: Change, surveyed: Survey, progress: Progress | None
) -> Changed:
    """Delete what is meant, or let it end. What was done stays done, however it ends.

    Raises Refused before anything is done when the copy would be too large.
    """
    copy = _copy(reached, wish, surveyed) if wish.copy else None
    began, tally = time.monotonic(), Tally()
    problem: KeywrightError | None = None
    try:
        for each in _performed(reached, target, wish, copy):
            tally = tally.plus(each)
            if progress is not None:
                progress(tally.done, surveyed.number, tally.done)
    except KeywrightError as error:
        problem = error
    finally:
        if copy is not None:
            copy.close()
    return Changed(
        tally, copy.path if copy else "", copy.size if copy else 0, time.monotonic() - began,
        wish.stop(), problem,
    )  # fmt: skip


def _performed(
    reached: Reached, target: Target, wish: Change, copy: CopyFile | None
) -> Iterator[Tally]:
    """Batch after batch, on a connection of its own: the scan's is ahead already."""
    rest = Rest(pace_of(reached, wish.pace))
    endless = target.wanted.bound == "none"
    with (
        reached.wire(raw=True, timeout=PATIENCE) as looking,
        reached.wire(raw=True, timeout=PATIENCE) as wire,
    ):
        for page in _pages(reached, looking, target, wish.pace):
            for names in batches(page):
                if wish.stop():
                    return
                rest.begin()
                try:
                    if wish.after:
                        yield expire(wire, names, wish.after, copy, endless)
                    else:
                        yield delete(wire, names, copy)
                except ReplyError as refusal:
                    raise reached.explain(refusal, _words(refusal, wish)) from None
                rest.rest()


def _words(refusal: ReplyError, wish: Change) -> tuple[str, ...]:
    """Which command a refusal is about: the server names it in quotes (7.0), else the one that changes."""
    _, quote, rest = str(refusal).partition("'")
    if quote and refusal.code == "NOPERM":
        return tuple(rest.partition("'")[0].upper().split("|"))
    return ("PEXPIRE",) if wish.after else ("UNLINK",)


def _copy(reached: Reached, wish: Change, surveyed: Survey) -> CopyFile:
    from keywright.errors import Refused

    about = surveyed.number * 64 if wish.after else surveyed.size
    if about > wish.limit:
        raise Refused(
            f"the copy would have about {about:,} bytes, more than {wish.limit:,}",
            "--copy-limit 5gb allows more, --no-copy keeps none",
        )
    refuse_without_room(reached.home, about)
    return begin_copy(reached, "expire" if wish.after else "delete", wish.limit)


def begin_copy(reached: Reached, reason: str, limit: int = LIMIT) -> CopyFile:
    """A new file for what goes, in the state of the environment."""
    header = {
        "app": reached.plan.app,
        "environment": reached.plan.environment,
        "database": reached.database,
        "taken": int(time.time()),
        "reason": reason,
    }
    return CopyFile(reached.home, header, limit)


class Undone(NamedTuple):
    """What was brought back, from which file, into which database; `kept` is the copy of what was written
    over, "" for none."""

    path: str
    database: int
    restored: Restored
    seconds: float
    kept: str = ""


def undo(
    reached: Reached, name: str, *, replace: bool, database: int | None, stop: Callable[[], bool]
) -> Undone:
    """Bring back what a copy holds; what is there again stays as it is, unless `replace`: then it is
    copied first.

    Raises InputError for a file that is none, or of another environment.
    """
    path = find_copy(reached.home, name)
    header, records = load_copy(path)
    of = header.get("environment")
    if of != reached.plan.environment:
        raise InputError(
            f"{path} is a copy of environment {of}", f"keywright keys -e {of} --undo …"
        )
    reached.database = int(header.get("database", 0)) if database is None else database
    began, told = time.monotonic(), Restored()
    over = begin_copy(reached, "replace") if replace else None
    with closing(over) if over else nullcontext(), reached.wire(raw=True, timeout=PATIENCE) as wire:
        now = milliseconds(wire.call("TIME"))
        for batch in _record_batches(records):
            try:
                if over is not None:
                    _keep_present(wire, batch, over)
                each = restore(wire, batch, now, replace=replace)
            except ReplyError as refusal:
                raise reached.explain(refusal, ("RESTORE",)) from None
            told = told.plus(each)
            if stop():
                break
    kept = over.path if over is not None else ""
    return Undone(path, reached.database, told, time.monotonic() - began, kept)


def _keep_present(wire: Wire, batch: Sequence[Record], copy: CopyFile) -> None:
    """What is there now goes to the disk before it is written over."""
    present, _ = dumped(wire, [each.name for each in batch])
    wire.call("UNWATCH")
    if present:
        copy.add(present)


def _record_batches(records: Iterator[Record]) -> Iterator[Sequence[Record]]:
    batch: list[Record] = []
    weight = 0
    torn: ApplyError | None = None
    while True:
        try:
            each = next(records)
        except StopIteration:
            break
        except ApplyError as error:  # what was read before is brought back all the same
            torn = error
            break
        batch.append(each)
        weight += len(each.payload or b"")
        if len(batch) >= KEYS_AT_ONCE or weight >= BYTES_AT_ONCE:
            yield batch
            batch, weight = [], 0
    if batch:
        yield batch
    if torn is not None:
        raise torn
