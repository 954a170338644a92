"""The steps of `down --volumes`: hold still, save, stop, keep a proven copy, remove, forget.

They come in three parts, each asked of fresh facts: what the server holds is counted only after nothing
can change it any more, and what was removed is never taken back by an undo.
"""

from keywright_ops.facts.loaded import parse_databases, parse_held
from keywright_ops.model.absence import Missing
from keywright_ops.model.copies import LAYOUT, REMOVAL, Layout, Lying
from keywright_ops.model.facts import Facts
from keywright_ops.model.login import ADMIN
from keywright_ops.model.plan import Plan
from keywright_ops.model.step import (
    Danger,
    FieldIs,
    KeepCopy,
    RedisCommand,
    RemoveData,
    RemoveFile,
    Step,
    Until,
)
from keywright_ops.steps.appendonly import appendonly_on_disk, await_rewrite
from keywright_ops.steps.restart import stop
from keywright_ops.steps.snapshot import SNAPSHOT_PACE, await_snapshot

SHORTEST_STILL = 30  # seconds that writes wait at most, besides those for the size of the data
FOR_LOADING = (*LAYOUT, "maxmemory", "maxmemory-policy")  # what the manifest tells of the settings


def hold_still(facts: Facts) -> list[Step]:
    """Return the steps after which the running server changes nothing, and all it holds is on disk.

    `facts` must hold info and config. With the append-only file on, the stop itself flushes it.
    """
    assert not isinstance(facts.info, Missing)
    seconds = SHORTEST_STILL + int(facts.info.get("used_memory", "0")) // SNAPSHOT_PACE
    pause = Step(
        id="hold-writes",
        title=f"let writes wait (at most {seconds} s), so that nothing changes any more",
        do=RedisCommand(ADMIN, ("CLIENT", "PAUSE", str(seconds * 1000), "WRITE")),
        undo=RedisCommand(ADMIN, ("CLIENT", "UNPAUSE")),
        danger=Danger.DISTURBS,
    )
    if _live(facts, "appendonly") == "yes":
        # a first rewrite that is cut off leaves nothing that could be loaded
        rewrites = ("aof_rewrite_in_progress", "aof_rewrite_scheduled")
        busy = any(facts.info.get(name) == "1" for name in rewrites)
        return [await_rewrite(), pause] if busy else [pause]
    waiting = [await_snapshot()] if facts.info.get("rdb_bgsave_in_progress") == "1" else []
    return [pause, *waiting, _save(seconds)]


def _save(seconds: int) -> Step:
    """SAVE has changed nothing until the file is written and renamed, and then nothing is unsaved."""
    saved = (FieldIs("info", "rdb_changes_since_last_save", "0"),)
    return Step(
        id="save",
        title="save what is in memory (blocks the server meanwhile)",
        do=RedisCommand(ADMIN, ("SAVE",), slow=True),
        until=Until(saved, limit=seconds, silence=seconds),
        danger=Danger.DISTURBS,
    )


def stop_and_keep(plan: Plan, facts: Facts, lying: Lying, program: str) -> list[Step]:
    """Return the steps that stop the server, if one runs, and keep a proven copy.

    Nothing is copied where nothing lies (and no server runs that would still write).
    """
    running = not isinstance(facts.process, Missing)
    steps = [_stop(facts)] if running else []
    if not running and not lying.files:
        return steps
    keep = KeepCopy(
        reason=REMOVAL,
        program=program,
        layout=_layout(plan, facts),
        held=None if isinstance(facts.info, Missing) else parse_held(facts.info),
        settings=tuple((name, _known(facts, name)) for name in FOR_LOADING if _known(facts, name)),
    )
    title = "keep a copy, read it back and load it in a scratch server"
    return [*steps, Step(id="keep-copy", title=title, do=keep)]


def _stop(facts: Facts) -> Step:
    step = stop(facts, "its data is to be removed", keeps=True)
    if _live(facts, "appendonly") == "yes":
        return step
    saved = FieldIs("info", "rdb_changes_since_last_save", "0")
    return step._replace(expect=(*step.expect, saved))


def remove(facts: Facts, lying: Lying, proofs: str) -> list[Step]:
    """Return the steps that remove the data and forget `proofs`, the record of what it survived."""
    there = lying.files or lying.leftover or not isinstance(facts.process, Missing)
    if not there:
        return []
    return [
        # first: as long as data is left, the next run sees that something is left to do
        Step(
            id="forget-proof",
            title="forget that this data once survived a restart",
            do=RemoveFile(proofs),
        ),
        Step(
            id="remove-data",
            title=f"remove the data: {amount(facts, lying)}",
            do=RemoveData(),
            danger=Danger.LOSES_DATA,
        ),
    ]


def amount(facts: Facts, lying: Lying) -> str:
    """Say how much data there is: 53 keys (db0 50, db1 3), 1.2 KiB in data."""
    place = f"{_size(lying.size)} in {lying.place.rpartition('/')[2]}"
    if isinstance(facts.info, Missing):
        rest = " (the rest of an interrupted removal)" if lying.leftover and not lying.files else ""
        return f"{place}{rest}"
    databases = parse_databases(facts.info)
    each = ", ".join(f"{name} {keys}" for name, keys in databases)
    keys = sum(keys for _, keys in databases)
    return f"{keys} {'key' if keys == 1 else 'keys'}{f' ({each})' if each else ''}, {place}"


def _size(count: int) -> str:
    if count < 2**20:
        return f"{count / 2**10:.1f} KiB"
    return f"{count / 2**20:.1f} MiB" if count < 2**30 else f"{count / 2**30:.1f} GiB"


def _layout(plan: Plan, facts: Facts) -> Layout:
    """How the data is to be read: as the live server says, else as it lies."""
    if not isinstance(facts.process, Missing):
        appendonly = _live(facts, "appendonly") == "yes"
    else:
        written = appendonly_on_disk(facts.stored)
        appendonly = plan.persistence.appendonly if written is None else written
    found = tuple((name, _known(facts, name)) for name in LAYOUT if _known(facts, name))
    return Layout(appendonly, found)


def _known(facts: Facts, name: str) -> str:
    """A setting as the server says it, else as its redis.conf does; "" when neither does."""
    for config in (facts.config, facts.disk_config):
        if not isinstance(config, Missing):
            return config.get(name, "")
    return ""


def _live(facts: Facts, name: str) -> str:
    return "" if isinstance(facts.config, Missing) else facts.config.get(name, "")
