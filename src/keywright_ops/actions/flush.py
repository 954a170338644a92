"""flush: remove all keys, one database or a pattern: counted first, copied first, proven after."""

import json
import time
from collections.abc import Callable
from typing import NamedTuple

from keywright.errors import InputError, KeywrightError, Refused, ReplyError
from keywright_ops.actions.persist import explained, places
from keywright_ops.actions.proving import token
from keywright_ops.actions.reach import Reached
from keywright_ops.actions.safety_copy import refuse_without_way, safety_copy
from keywright_ops.apply.lock import lock
from keywright_ops.facts.glob import escape_glob
from keywright_ops.facts.info import Keyspace, parse_info, parse_keyspace
from keywright_ops.model.absence import Missing
from keywright_ops.model.copies import Kept
from keywright_ops.ops.flushing import (
    COUNTING,
    Matching,
    Watch,
    count_matching,
    unlink_matching,
)
from keywright_ops.ops.saving import SaveFailed, snapshot
from keywright_ops.ops.saving import Watch as SaveWatch
from keywright_ops.steps.restart import canary_key
from keywright_ops.targets.local import LocalTransport

SENDS = (
    *("INFO", "CONFIG GET", "SCAN", "TTL", "MEMORY USAGE", "UNLINK", "FLUSHALL", "FLUSHDB"),
    *("TIME", "BGSAVE", "SET", "GET"),
)
PATIENCE = 60.0  # seconds for one answer
REASON, AGAIN = "flush", "flush, going on"
UNFINISHED = "flush.json"  # in the environment's folder, while a pattern is being removed


class Wish(NamedTuple):
    """What a person wants gone: everything (`database` None), one database, or a pattern of one."""

    database: int | None
    pattern: str | None
    copy: bool

    @property
    def word(self) -> str:
        """The server's command for it."""
        if self.pattern is not None:
            return "SCAN and UNLINK"
        return "FLUSHALL ASYNC" if self.database is None else "FLUSHDB ASYNC"


class Loss(NamedTuple):
    """What would go. `size` is bytes, about; `sessions` None where they were not counted; `replicas`
    lose it too. `examples` are names that the pattern matches."""

    databases: tuple[Keyspace, ...]
    keys: int
    lasting: int
    size: int
    sessions: Matching | None
    examples: tuple[bytes, ...]
    replicas: int
    appendonly: bool
    cluster: bool


class FlushReport(NamedTuple):
    """What went, the copy that was kept, and the proof: `left` keys now, `writes` whether another client's
    write worked ("" when it did, else why not)."""

    gone: int
    left: int
    seconds: float
    kept: Kept | Missing
    writes: str


def plan_flush(reached: Reached, wish: Wish, watch: Watch) -> Loss:
    """Count what would go. Raises Refused where it must not, InputError for what is not there."""
    _refuse_number(reached)
    info = parse_info(reached.call("INFO"))
    _refuse(wish, info)
    everything = parse_keyspace(info)
    number = wish.database if wish.pattern is None else reached.database
    affected = tuple(each for each in everything if number is None or each.number == number)
    if wish.copy and affected:
        refuse_without_way(reached)
    replicas = int(info.get("connected_slaves", "0"))
    rest = (replicas, info.get("aof_enabled") == "1", info.get("cluster_enabled") == "1")
    try:
        if wish.pattern is not None:
            with reached.wire(raw=True, timeout=PATIENCE) as wire:
                found = count_matching(wire, wish.pattern, watch)
            return Loss(
                affected, found.keys, found.lasting, found.size, None, found.examples, *rest
            )
        keys = sum(each.keys for each in affected)
        lasting = keys - sum(each.expires for each in affected)
        total = sum(each.keys for each in everything)
        size = int(info.get("used_memory_dataset", "0")) * keys // total if total else 0
        return Loss(affected, keys, lasting, size, _sessions(reached, affected), (), *rest)
    except ReplyError as refusal:
        raise _explained(reached, refusal) from None


def _explained(reached: Reached, refusal: ReplyError) -> Exception:
    words = tuple(getattr(refusal, "__notes__", ())) or ("SCAN",)
    return reached.explain(refusal, words)


def _refuse(wish: Wish, info: dict[str, str]) -> None:
    if info.get("role") == "slave":
        master = f"{info.get('master_host', '?')}:{info.get('master_port', '?')}"
        raise Refused("this server is a replica: its keys are its primary's", f"flush {master}")
    if info.get("loading", "0") != "0":
        raise Refused("the server still loads its data", "wait until it has")
    if wish.pattern == "":
        raise InputError("an empty pattern matches no key", "--pattern 'cache:*'")


def _refuse_number(reached: Reached) -> None:
    """Before the first word: a server refuses the very connection to a database that it does not have."""
    most = reached.plan.directive("databases")
    if most is not None and not 0 <= reached.database < int(most.value):
        last = int(most.value) - 1
        raise InputError(f"there is no database {reached.database}", f"they are 0 to {last}")


def _sessions(reached: Reached, affected: tuple[Keyspace, ...]) -> Matching | None:
    """The application's sessions by their prefix, where its database is affected and not too large."""
    number = reached.plan.application.database
    if number not in [each.number for each in affected]:
        return None
    pattern = f"{escape_glob(reached.plan.prefix)}session:*"
    change = lambda place: place._replace(database=number)  # noqa: E731 - one word
    with reached.wire(raw=True, timeout=PATIENCE, change=change) as wire:
        return count_matching(wire, pattern, lambda _, __: None, COUNTING, details=False)


def flush(
    reached: Reached, wish: Wish, saving: SaveWatch, watch: Watch, told: Callable[[str], None]
) -> FlushReport:
    """Keep a copy, remove, and prove it. Raises ApplyError; until the copy is good nothing was removed."""
    with lock(f"{reached.home}/lock", "keywright flush"):
        mark = f"{reached.home}/{UNFINISHED}"
        kept: Kept | Missing = Missing("--no-copy: none was wanted")
        if wish.copy:
            told("a copy is taken, and proven to load")
            kept = safety_copy(reached, _reason(mark, wish), saving)
        begun = time.monotonic()
        try:
            gone = _remove(reached, wish, watch, mark)
        except ReplyError as refusal:
            raise _explained(reached, refusal) from None
        seconds = time.monotonic() - begun
        if gone and wish.word != "FLUSHALL ASYNC":
            _forget(reached, saving, told)
        return FlushReport(gone, _left(reached, wish), seconds, kept, _write(reached))


def _reason(mark: str, wish: Wish) -> str:
    """A run that goes on where another was killed takes a copy beside the first one's, and never in its
    stead: the first holds what went already."""
    content = LocalTransport().read(mark)
    if isinstance(content, Missing):
        return REASON
    return AGAIN if wish.pattern is not None else REASON


def _remove(reached: Reached, wish: Wish, watch: Watch, mark: str) -> int:
    if wish.pattern is None:
        before = _left(reached, wish)
        words = tuple(wish.word.split())
        with reached.wire(timeout=PATIENCE) as wire:
            reply = wire.batch([words])[0]
        if isinstance(reply, ReplyError):
            reply.add_note(words[0])
            raise reply
        return before
    files = LocalTransport()
    note = json.dumps({"pattern": wish.pattern, "database": reached.database})
    files.write(mark, note.encode("utf-8", "surrogateescape"), 0o600)
    with reached.wire(raw=True, timeout=PATIENCE) as wire:
        gone = unlink_matching(wire, wish.pattern, watch)
    files.remove(mark)
    return gone


def _forget(reached: Reached, saving: SaveWatch, told: Callable[[str], None]) -> None:
    """Where snapshots alone keep the data, the last one still holds what went, and a crash would bring it
    back (FLUSHALL itself writes an empty one)."""
    where = places(reached) if reached.opened is not None else {}
    if where.get("appendonly") != "no" or not where.get("save"):
        return
    told("a snapshot without them is written, so that no crash brings them back")
    try:
        snapshot(reached.ask, saving)
    except ReplyError as refusal:
        raise reached.explain(refusal, ("BGSAVE",)) from None
    except SaveFailed as failure:
        raise explained(reached, failure) from None


def _left(reached: Reached, wish: Wish) -> int:
    """How many keys of those that were to go are there now: what was written since."""
    if wish.pattern is not None:
        with reached.wire(raw=True, timeout=PATIENCE) as wire:
            found = count_matching(wire, wish.pattern, lambda _, __: None, details=False)
        return found.keys
    databases = parse_keyspace(parse_info(reached.call("INFO", "keyspace")))
    wanted = wish.database
    return sum(each.keys for each in databases if wanted is None or each.number == wanted)


def _write(reached: Reached) -> str:
    """Let another client, as the application, write and read one key with a minute to live."""
    key = canary_key(reached.plan, token())
    value = key.rpartition(":")[2]
    try:
        with reached.wire_as("appuser") as wire:
            replies = wire.batch([("SET", key, value, "EX", 60), ("GET", key), ("UNLINK", key)])
    except KeywrightError as error:
        return str(error)
    problem = next((str(each) for each in replies if isinstance(each, ReplyError)), "")
    return problem or ("" if replies[1] == value else "what was written is not what was read")
