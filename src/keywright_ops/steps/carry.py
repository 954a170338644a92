"""Carrying data over a restart of ours where the profile keeps nothing (`save ""`, no append-only file).

The server is told to save when it ends, live, in the moment before it is asked to: nothing that is written
until its very end is lost. The dump that it then loads is moved away afterwards: a crash weeks later must not
bring back sessions that were ended since.
"""

from keywright_ops.model.absence import Missing
from keywright_ops.model.facts import Facts
from keywright_ops.model.login import ADMIN
from keywright_ops.model.plan import Plan
from keywright_ops.model.step import RedisCommand, RunCommand, Step
from keywright_ops.steps.keyspace import keeps_data, keys_held
from keywright_ops.steps.snapshot import write_snapshot

SAVE_AT_END = "31536000 1"  # once a year, if anything changed: so rare that only the end counts
DUMP = "dump.rdb"


def before_ending(plan: Plan, facts: Facts) -> list[Step]:
    """Return what comes before a stop, so that it costs nothing: [] where an append-only file is kept.

    A server that is to save as it ends writes a snapshot first: systemd kills one that cannot after a
    while, and by then nothing could be saved any more.
    """
    if isinstance(facts.info, Missing) or not keys_held(facts):
        return []
    live = {} if isinstance(facts.config, Missing) else facts.config
    if live.get("appendonly") == "yes" or plan.persistence.appendonly:
        return []
    carried = [] if plan.persistence.promised else carry(facts)
    undo = RunCommand(("mv", "-f", *_retired(plan))) if carried else None
    steps = write_snapshot(facts, "first, since a stop that cannot save is cut off")
    return [*carried, *steps[:-1], steps[-1]._replace(undo=undo)]


def carry(facts: Facts) -> list[Step]:
    """Return the step that makes a server save when it ends; [] when it does so, or holds nothing."""
    if isinstance(facts.config, Missing) or keeps_data(facts) or not keys_held(facts):
        return []
    return [
        Step(
            id="save-at-end",
            title="let the server save its data when it ends",
            do=RedisCommand(ADMIN, ("CONFIG", "SET", "save", SAVE_AT_END)),
            undo=RedisCommand(ADMIN, ("CONFIG", "SET", "save", "")),
        )
    ]


def retire_dump(plan: Plan, facts: Facts) -> list[Step]:
    """Return the step that moves away a dump which was loaded and is never written again.

    One that somebody has saved since is theirs. Servers before 7.0 do not tell how much they loaded.
    """
    if plan.unit is None or plan.persistence.promised or isinstance(facts.info, Missing):
        return []
    stored = () if isinstance(facts.stored, Missing) else facts.stored
    loaded = facts.info.get("rdb_last_load_keys_loaded", "0")
    if DUMP not in stored or loaded == "0" or facts.info.get("rdb_saves", "1") != "0":
        return []
    dump, place = _retired(plan)
    return [
        Step(
            id="retire-dump",
            title=f"move the dump that was loaded to {place}",
            do=RunCommand(("mv", "-f", dump, place)),
            undo=RunCommand(("mv", "-f", place, dump)),
        )
    ]


def _retired(plan: Plan) -> tuple[str, str]:
    """Where the dump lies, and where it is moved so that no start loads it again."""
    assert plan.unit is not None
    return f"{plan.persistence.directory}/{DUMP}", f"{plan.unit.backup_directory}/loaded-{DUMP}"
