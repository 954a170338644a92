"""analyze: a keyspace by pattern, from a server, a replica of it, or an RDB file."""

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from keywright.endpoint import Endpoint
from keywright.errors import InputError, ReplyError, Unreachable
from keywright.wire import Wire
from keywright_ops.actions.reach import Reached
from keywright_ops.facts.info import keyspace_counts, parse_info
from keywright_ops.ops.analysis.pages import DONE, Frames, Scan, scan_of
from keywright_ops.ops.analysis.replica import parse_replicas
from keywright_ops.ops.analysis.report import (
    Analysis,
    Sample,
    lifetimes_of,
    prefixes_of,
    types_of,
)
from keywright_ops.ops.analysis.report import total as together
from keywright_ops.ops.analysis.tally import Big, Tally
from keywright_ops.ops.analysis.whole import add, fraction, read_whole, weighed_again

if TYPE_CHECKING:
    from keywright_ops.ops.analysis.kept import Asked  # json: only for those who wait

SENDS = (
    "INFO", "SCAN", "TYPE", "PTTL", "MEMORY USAGE", "OBJECT ENCODING", "PING", "READONLY",
)  # fmt: skip
NICE = 10  # of the whole program, once, at full speed
KEEP_EVERY = 10.0  # seconds; what is kept costs some milliseconds to write
LOOK_EVERY = 0.1  # seconds between two looks at how far it is


class Wanted(NamedTuple):
    """What to find out. `share` is the part of the server's time that it may take (None: all of it),
    `sample` how many keys to look at (0: all), `top` how many of the biggest keys to name."""

    pattern: bytes = b""
    delimiter: bytes = b":"
    depth: int = 4
    top: int = 20
    share: float | None = 0.2
    sample: int = 0
    encodings: bool = False
    replica: bool = False
    resume: bool = False


class Progress(NamedTuple):
    """How far it is: the share done (0 to 1), the keys read, the seconds that remain (None: unknown)."""

    done: float
    keys: int
    left: float | None


Change = Callable[[Endpoint], Endpoint]
Told = Callable[[Progress], bool]  # told how far it is; True: stop and keep what there is


def analyze(reached: Reached, wanted: Wanted, told: Told) -> Analysis:
    """Read the keyspace and return what it consists of.

    A pass that is stopped, or loses its server, is kept in the environment's state folder: `resume`
    goes on there. Raises InputError where it cannot.
    """
    change = _to_replica(reached) if wanted.replica else None
    with reached.wire(raw=True, change=change) as wire:
        if wanted.replica:
            wire.batch([("READONLY",)])  # a cluster's replica wants to be told; others refuse it
        look = _Look(reached, wanted, told, wire)
        try:
            if look.sampling:
                return look.sample()
            look.whole()
        except ReplyError as refusal:
            raise reached.explain(refusal, _refused(refusal)) from None
    with reached.wire(raw=True, change=change) as fresh:  # a stop leaves replies on the other one
        return look.report(weighed_again(fresh, look.tally.biggest()))


def _refused(refusal: ReplyError) -> list[str]:
    """The command that a server's refusal names between quotes: 'memory|usage'."""
    return (str(refusal).split("'")[1:2] or ["SCAN"])[0].split("|")


def _to_replica(reached: Reached) -> Change:
    """How the primary's endpoint becomes that of the replica that is furthest. Raises InputError."""
    found = parse_replicas(parse_info(reached.call("INFO", "replication")))
    if not found:
        raise InputError("the server has no replica that is online", "leave out --replica")
    host, port, _ = found[0]

    def change(primary: Endpoint) -> Endpoint:
        there = primary._replace(host=host, port=port, unix_path="")
        if not primary.relay:
            return there
        *words, last = primary.relay
        if ":" not in last:
            raise InputError(
                f"the replica {there.address} cannot be reached through {words[0]}",
                "leave out --replica, or run it on the host where the replica is",
            )
        return there._replace(relay=(*words, f"{host}:{port}"))

    return change


class _Look:
    """One pass over a server's keys, and what is known of it so far."""

    def __init__(self, reached: Reached, wanted: Wanted, told: Told, wire: Wire) -> None:
        self.reached, self.wanted, self.told, self.wire = reached, wanted, told, wire
        info = parse_info(wire.call("INFO").decode("utf-8", "replace"))
        if wanted.replica and info.get("master_link_status") != "up":
            link = info.get("master_link_status", "not told")
            raise InputError(
                f"the replica {wire.endpoint.address} does not have its primary's data yet (link {link})",
                "wait until it has, or leave out --replica",
            )
        self.run_id = info.get("run_id", "")
        self.cluster = info.get("cluster_enabled") == "1"
        self.total = dict(keyspace_counts(info)).get(reached.database, {}).get("keys", 0)
        self.pattern = wanted.pattern
        self.sampling = 0 < wanted.sample * 2 < self.total  # a sample of most keys is no saving
        self.tally = Tally(wanted.delimiter, wanted.depth, 0 if self.sampling else wanted.top)
        self.cursor, self.before = DONE, 0.0  # seconds of earlier runs of the same pass
        self.begun = self.kept = self.looked = time.monotonic()
        self.first: float | None = None

    def whole(self) -> None:
        """Read everything, from the beginning or from where it was interrupted."""
        scan, wanted = scan_of(self.pattern, self.wanted.encodings), self.wanted
        if wanted.resume:
            self._take_up()
        try:
            self._read(scan)
        except Unreachable as error:
            if self.cursor == DONE:
                raise
            self._keep()
            hint = "what was read is kept: `keywright analyze --resume` goes on there"
            raise type(error)(str(error), hint) from None
        if self.cursor != DONE:
            self._keep()
        elif wanted.resume or self.kept > self.begun:
            from keywright_ops.ops.analysis.kept import forget

            forget(self.reached.home)

    def _read(self, scan: Scan) -> None:
        start = self.cursor
        if self.wanted.share is None:
            os.nice(NICE)  # others on this machine come first
        self.cursor = read_whole(self.wire, scan, self.tally, start, self.wanted.share, self._watch)

    def _watch(self, cursor: bytes) -> bool:
        """After every page: is it time to tell, or to keep?"""
        self.cursor = cursor
        now = time.monotonic()
        if now - self.looked < LOOK_EVERY:
            return False
        self.looked = now
        if now - self.kept > KEEP_EVERY and cursor != DONE:
            self._keep()
            self.kept = now
        return self.told(self._progress(now))

    def done(self) -> float:
        """The share of the pass that is behind us."""
        if self.cursor == DONE:
            return 1.0
        if self.pattern or not self.total:
            return min(0.999, fraction(self.cursor, self.cluster))
        tally = self.tally
        return min(0.999, (tally.read + tally.vanished + tally.hidden) / self.total)

    def _progress(self, now: float) -> Progress:
        done = self.done()
        if self.first is None:
            self.first = done if self.before else 0.0
        gained = done - self.first
        left = (now - self.begun) * (1 - done) / gained if gained > 0 else None
        return Progress(done, self.tally.read, left)

    def _asked(self) -> "Asked":
        from keywright_ops.ops.analysis.kept import Asked

        wanted = self.wanted
        return Asked(
            self.run_id,
            self.reached.database,
            wanted.pattern.decode("latin-1"),
            wanted.delimiter.decode("latin-1"),
            wanted.depth,
            wanted.encodings,
        )

    def _keep(self) -> None:
        from keywright_ops.ops.analysis.kept import Begun, keep

        seconds = self.before + time.monotonic() - self.begun
        begun = Begun(self.cursor, self.tally.kept(), self.total, seconds)
        keep(self.reached.home, self._asked(), begun)

    def _take_up(self) -> None:
        from keywright_ops.ops.analysis.kept import take_up

        found = take_up(self.reached.home, self._asked())
        self.cursor, self.total, self.before = found.cursor, found.total, found.seconds
        self.tally.revive(found.sums)

    def sample(self) -> Analysis:
        """Look at some keys of all, wherever they lie; the pattern is matched here."""
        from keywright_ops.facts.glob import parse_glob
        from keywright_ops.ops.analysis.sample import margin, sampled

        matches = parse_glob(self.pattern).fullmatch if self.pattern else None
        frames, wanted = Frames(self.wanted.encodings), self.wanted.sample
        read = 0
        for looked, page in sampled(self.wire, wanted, frames, matches):
            read += looked
            add(self.tally, page, len(frames.commands))
            if self.told(Progress(read / wanted, read, None)):
                break
        widest = 100 * margin(0.5, read, self.total)
        return self.report([])._replace(sample=Sample(self.total, read, widest))

    def report(self, biggest: list[Big]) -> Analysis:
        """Return what was found so far."""
        tally, wanted = self.tally, self.wanted
        prefixes = prefixes_of(tally)
        types = types_of(prefixes)
        return Analysis(
            source="replica" if wanted.replica else "server",
            place=self.wire.endpoint.address,
            database=self.reached.database,
            pattern=wanted.pattern,
            measure="memory",
            total=self.total,
            done=self.done(),
            resumed=wanted.resume,
            seconds=self.before + time.monotonic() - self.begun,
            sums=together(types),
            vanished=tally.vanished,
            hidden=tally.hidden,
            types=types,
            lifetimes=lifetimes_of(tally),
            prefixes=prefixes,
            biggest=tuple(biggest),
            encodings=tally.encodings,
            cluster=self.cluster,
            delimiter=wanted.delimiter,
        )
