"""Switching the append-only file on and off without losing a key, whenever the power goes.

The trap (antirez/redis#837, redis/redis#12484): a server that is started with `appendonly` just switched
on begins EMPTY, because an existing dump.rdb is not read then, and its next save overwrites the dump.
So the switch is made on the live server, the rewrite is waited for, and only then does redis.conf say so.

The truth about stopped data is what lies there: a complete append-only file exists exactly while it is
kept. A folder without a manifest is what an unfinished first rewrite leaves: nothing to load. A file that
the running server no longer writes is old at once, and would be loaded for the newest data; so it is set
aside first (the server goes on writing to what it has open) and switched off then.
"""

from keywright_ops.model.absence import Missing
from keywright_ops.model.facts import Facts
from keywright_ops.model.login import ADMIN
from keywright_ops.model.plan import Plan
from keywright_ops.model.step import Danger, FieldIs, InOrder, Move, RedisCommand, Step, Until
from keywright_ops.steps.keyspace import keys_held

FOLDER = "appendonlydir"  # what Redis 7 and Valkey keep; Redis 6.2 kept one file, appendonly.aof
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
    """Return under which `appendonly` the data in the directory was written; None without data."""
    names = () if isinstance(stored, Missing) else stored
    if append_only_files(names):
        return True
    return False if any(name.endswith(".rdb") and "/" not in name for name in names) else None


def append_only_files(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of what a start with `appendonly yes` would load."""
    complete = any(name.startswith(f"{FOLDER}/") and name.endswith(".manifest") for name in names)
    old_ones = tuple(name for name in names if name.endswith(".aof") and "/" not in name)
    return (FOLDER, *old_ones) if complete else old_ones


def switch_appendonly(plan: Plan, facts: Facts, on: bool) -> list[Step]:
    """Return the steps that switch the running server, in the order that survives a crash."""
    flip = RedisCommand(ADMIN, ("CONFIG", "SET", "appendonly", "yes" if on else "no"))
    back = RedisCommand(ADMIN, ("CONFIG", "SET", "appendonly", "no" if on else "yes"))
    if on:
        stale = set_aside(plan, facts)
        step = Step(
            id="appendonly-on",
            title="switch the append-only file on, live, and wait for its first rewrite",
            do=flip,
            expect=(FieldIs("config", "appendonly", "no"),),
            until=REWRITTEN,
            # a complete file that nobody writes any more must not stay: the next start would load it
            undo=InOrder((back, _aside(plan, facts, FOLDER, len(stale)))),
        )
        return [*stale, step]
    off = Step(
        id="appendonly-off",
        title="switch the append-only file off",
        do=flip,
        expect=(FieldIs("config", "appendonly", "yes"),),
        undo=back,
        undone=REWRITTEN,
    )
    keys = keys_held(facts)
    if plan.persistence.promised:
        return [_snapshot(), *_set_aside_until_undone(plan, facts), off]
    if keys:
        title = f"stop keeping data: {keys} keys will not survive the next restart"
        off = off._replace(title=title, danger=Danger.LOSES_DATA)
    return [*_set_aside_until_undone(plan, facts), off]


def _snapshot() -> Step:
    return Step(
        id="appendonly-snapshot",
        title="write a snapshot first, so that a restart finds the data (blocks meanwhile)",
        do=RedisCommand(ADMIN, ("SAVE",)),
        danger=Danger.DISTURBS,
    )


def set_aside(plan: Plan, facts: Facts) -> list[Step]:
    """Rename append-only files that nobody writes, so that no start takes them for the newest data.

    There is no undo: they are as old if something else fails.
    """
    names = () if isinstance(facts.stored, Missing) else facts.stored
    steps = []
    for name in append_only_files(names):
        move = _aside(plan, facts, name)
        steps.append(
            Step(
                id="appendonly-aside",
                title=f"set {name} aside as {move.destination.rpartition('/')[2]}",
                do=move,
            )
        )
    return steps


def _set_aside_until_undone(plan: Plan, facts: Facts) -> list[Step]:
    """Set aside what is the truth until the switch; taken back if the switch was not made."""
    return [
        step._replace(undo=Move(step.do.destination, step.do.source))
        for step in set_aside(plan, facts)
        if isinstance(step.do, Move)
    ]


def _aside(plan: Plan, facts: Facts, name: str, later: int = 0) -> Move:
    """The renaming to the next free number, or `later` numbers after it."""
    names = () if isinstance(facts.stored, Missing) else facts.stored
    taken = [other.removeprefix(f"{name}.off-") for other in names]
    turn = max((int(number) for number in taken if number.isdigit()), default=0) + 1 + later
    source = f"{plan.persistence.directory}/{name}"
    return Move(source, f"{source}.off-{turn}")


def await_rewrite() -> Step:
    """Wait until the append-only file that was switched on earlier can be loaded."""
    return Step(
        id="appendonly-wait",
        title="wait until the append-only file is complete",
        do=RedisCommand(ADMIN, ("PING",)),
        until=REWRITTEN,
    )
