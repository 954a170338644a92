"""Switching the append-only file on and off without losing a key, whenever the power goes.

The trap (antirez/redis#837, redis/redis#12484): a server that is started with `appendonly` just switched
on begins EMPTY, because an existing dump.rdb is not read then, and its next save overwrites the dump.
So the switch is made on the live server, the rewrite is waited for, and only then does redis.conf say so.

The truth about stopped data is what lies there: an append-only file exists exactly while it is kept.
Switching off therefore sets the file aside before redis.conf changes; switching on creates it before.
At whatever point a run is killed, data is loaded under the setting it was written under.
"""

from keywright_ops.model.absence import Missing
from keywright_ops.model.facts import Facts
from keywright_ops.model.login import ADMIN
from keywright_ops.model.plan import Plan
from keywright_ops.model.step import Danger, FieldIs, Move, RedisCommand, Step, Until
from keywright_ops.steps.keyspace import keys_held

REWRITTEN = Until(
    (
        FieldIs("info", "aof_enabled", "1"),
        FieldIs("info", "aof_rewrite_in_progress", "0"),
        FieldIs("info", "aof_rewrite_scheduled", "0"),
        FieldIs("info", "aof_last_bgrewrite_status", "ok"),
    ),
    limit=600.0,
    pace=0.01,
)


def appendonly_on_disk(stored: tuple[str, ...] | Missing) -> bool | None:
    """Return under which `appendonly` the data in the directory was written; None without data.

    `appendonlydir` is what Redis 7 and Valkey keep, `appendonly.aof` what Redis 6.2 did.
    """
    names = () if isinstance(stored, Missing) else stored
    if _append_only_files(names):
        return True
    return False if any(name.endswith(".rdb") for name in names) else None


def _append_only_files(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if name == "appendonlydir" or name.endswith(".aof"))


def switch_appendonly(plan: Plan, facts: Facts, on: bool) -> list[Step]:
    """Return the steps that switch the running server, in the order that survives a crash."""
    flip = RedisCommand(ADMIN, ("CONFIG", "SET", "appendonly", "yes" if on else "no"))
    back = RedisCommand(ADMIN, ("CONFIG", "SET", "appendonly", "no" if on else "yes"))
    if on:
        return [
            Step(
                id="appendonly-on",
                title="switch the append-only file on, live, and wait for its first rewrite",
                do=flip,
                expect=(FieldIs("config", "appendonly", "no"),),
                until=REWRITTEN,
                undo=back,
            )
        ]
    off = Step(
        id="appendonly-off",
        title="switch the append-only file off",
        do=flip,
        expect=(FieldIs("config", "appendonly", "yes"),),
        undo=back,
    )
    keys = keys_held(facts)
    if plan.persistence.promised:
        return [_snapshot(), off, *_set_aside(plan, facts)]
    if keys:
        title = f"stop keeping data: {keys} keys will not survive the next restart"
        off = off._replace(title=title, danger=Danger.LOSES_DATA)
    return [off, *_set_aside(plan, facts)]


def _snapshot() -> Step:
    return Step(
        id="appendonly-snapshot",
        title="write a snapshot first, so that a restart finds the data (blocks meanwhile)",
        do=RedisCommand(ADMIN, ("SAVE",)),
        danger=Danger.DISTURBS,
    )


def _set_aside(plan: Plan, facts: Facts) -> list[Step]:
    """Rename the append-only files, so that no later start takes them for the newest data."""
    names = () if isinstance(facts.stored, Missing) else facts.stored
    steps = []
    for name in _append_only_files(names):
        turn = sum(other.startswith(f"{name}.off-") for other in names) + 1
        source = f"{plan.persistence.directory}/{name}"
        aside = f"{source}.off-{turn}"
        steps.append(
            Step(
                id="appendonly-aside",
                title=f"set {name} aside as {name}.off-{turn}",
                do=Move(source, aside),
                undo=Move(aside, source),
            )
        )
    return steps
