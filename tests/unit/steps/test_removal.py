"""The laws of `down --volumes`: still, save, stop, copy, forget, remove; nothing goes that is not copied."""

from typing import Any

import pytest
from tests.unit.steps.states import HOME, PROGRAM, declared_of, facts_of, plan_of, stopped

from keywright_ops.model.absence import Missing
from keywright_ops.model.copies import REMOVAL, Held, Layout, Lying
from keywright_ops.model.facts import Facts
from keywright_ops.model.step import Danger, FieldIs, KeepCopy, RedisCommand, Step
from keywright_ops.steps.removal import amount, hold_still, remove, stop_and_keep

AOF, RDB, MEMORY = (
    "appendonly = true\nsave = []\n",
    'appendonly = false\nsave = ["900 1"]\n',
    "appendonly = false\nsave = []\n",
)
LYING = Lying(f"{HOME}/data", 2, 3 * 2**20)
NOTHING = Lying(f"{HOME}/data", 0, 0)
PROOFS = f"{HOME}/proofs.json"


def running(toml: str, **info: str) -> Facts:
    """An environment that runs as declared, with these fields of INFO besides."""
    facts = facts_of(declared_of(plan_of(toml)))
    assert not isinstance(facts.info, Missing)
    known = {"rdb_last_load_keys_expired": "0"}
    return facts._replace(info=known | dict(facts.info) | info)


def copy_of(steps: list[Step]) -> KeepCopy:
    """The one doing that keeps a copy."""
    [found] = [step.do for step in steps if isinstance(step.do, KeepCopy)]
    return found


@pytest.mark.parametrize(
    ("toml", "expected"),
    [(AOF, ["hold-writes"]), (RDB, ["hold-writes", "save"]), (MEMORY, ["hold-writes", "save"])],
)
def test_writes_wait_and_what_is_in_memory_is_saved(
    toml: str, expected: list[str], pure: Any
) -> None:
    """With an append-only file the stop writes all; without it the server saves, save points or none."""
    steps = pure(hold_still, running(toml))
    assert expected == [step.id for step in steps]
    assert {Danger.DISTURBS} == {step.danger for step in steps}
    assert ("CLIENT", "UNPAUSE") == steps[0].undo.argv


def test_a_snapshot_that_is_being_written_is_waited_for() -> None:
    """SAVE is refused meanwhile, and that snapshot is older than the request."""
    steps = hold_still(running(MEMORY, rdb_bgsave_in_progress="1"))
    assert ["hold-writes", "await-snapshot", "save"] == [step.id for step in steps]
    assert steps[1].until is not None
    assert (FieldIs("info", "rdb_bgsave_in_progress", "0"),) == steps[1].until.conditions


@pytest.mark.parametrize("busy", ["aof_rewrite_in_progress", "aof_rewrite_scheduled"])
def test_a_rewrite_is_waited_for(busy: str) -> None:
    """A first rewrite that is cut off by the stop leaves nothing that could be loaded."""
    steps = hold_still(running(AOF, **{busy: "1"}))
    assert ["appendonly-wait", "hold-writes"] == [step.id for step in steps]


@pytest.mark.parametrize(("memory", "seconds"), [("0", 30), (str(100 * 2**30), 30 + 5120)])
def test_writes_wait_as_long_as_saving_can_take(memory: str, seconds: int) -> None:
    """The time grows with the memory, and ends by itself when we are killed."""
    [pause, *_] = hold_still(running(RDB, used_memory=memory))
    assert isinstance(pause.do, RedisCommand)
    assert ("CLIENT", "PAUSE", f"{seconds}000", "WRITE") == pause.do.argv


@pytest.mark.parametrize(("toml", "appendonly"), [(AOF, True), (RDB, False), (MEMORY, False)])
def test_a_running_server_is_stopped_and_copied_as_it_runs(
    toml: str, appendonly: bool, pure: Any
) -> None:
    """The copy is loaded by the program that ran, as the live server kept it, and must hold as much;
    without an append-only file the server must have nothing unsaved when it is stopped."""
    plan, facts = plan_of(toml), running(toml)
    steps = pure(stop_and_keep, plan, facts, LYING, PROGRAM)
    assert ["stop", "keep-copy"] == [step.id for step in steps]
    assert Danger.DISTURBS == steps[0].danger, "what was saved is not lost by the stop"
    saved = FieldIs("info", "rdb_changes_since_last_save", "0")
    assert (saved in steps[0].expect) == (not appendonly)
    do = copy_of(steps)
    assert (REMOVAL, PROGRAM, Held((("db0", 7),))) == (do.reason, do.program, do.held)
    assert appendonly == do.layout.appendonly
    assert ("databases", "16") in do.layout.settings
    assert "maxmemory" in dict(do.settings)


def test_the_live_server_is_believed_not_the_file() -> None:
    """What somebody switched by CONFIG SET is how the data is kept."""
    facts = running(RDB)
    assert not isinstance(facts.config, Missing)
    facts = facts._replace(config={**facts.config, "appendonly": "yes", "databases": "64"})
    do = copy_of(stop_and_keep(plan_of(RDB), facts, LYING, PROGRAM))
    assert Layout(True, (("databases", "64"),)) == do.layout
    assert ["hold-writes"] == [step.id for step in hold_still(facts)]


@pytest.mark.parametrize(
    ("stored", "appendonly"),
    [
        (("appendonlydir", "appendonlydir/appendonly.aof.manifest", "dump.rdb"), True),
        (("dump.rdb",), False),
        (("appendonlydir", "dump.rdb"), False),
        (("strange",), True),
    ],
)
def test_stopped_data_is_read_as_it_lies(stored: tuple[str, ...], appendonly: bool) -> None:
    """Whatever redis.conf says; nothing is known of how much it must hold."""
    facts = stopped(facts_of(declared_of(plan_of(AOF)), stored=stored))
    [step] = stop_and_keep(plan_of(AOF), facts, LYING, PROGRAM)
    assert isinstance(step.do, KeepCopy)
    assert (appendonly, None) == (step.do.layout.appendonly, step.do.held)
    assert ("databases", "16") in step.do.layout.settings


def test_where_nothing_lies_nothing_is_done(pure: Any) -> None:
    """No server and no data: no step; the rest of an interrupted removal: only its removal."""
    facts = stopped(facts_of(declared_of(plan_of(AOF)), stored=()))
    assert [] == pure(stop_and_keep, plan_of(AOF), facts, NOTHING, PROGRAM)
    assert [] == pure(remove, facts, NOTHING, PROOFS)
    rest = NOTHING._replace(leftover=True)
    assert [] == pure(stop_and_keep, plan_of(AOF), facts, rest, PROGRAM)
    assert ["forget-proof", "remove-data"] == [step.id for step in remove(facts, rest, PROOFS)]
    assert "the rest of an interrupted removal" in amount(facts, rest)


def test_the_removal_comes_last_and_says_what_is_lost(pure: Any) -> None:
    """Only it loses data: keys by database, size and folder stand in its title."""
    steps = pure(remove, running(AOF, db3="keys=1,expires=0"), LYING, PROOFS)
    assert "remove the data: 8 keys (db0 7, db3 1), 3.0 MiB in data" == steps[-1].title
    assert [Danger.SAFE, Danger.LOSES_DATA] == [step.danger for step in steps]
    facts = stopped(facts_of(declared_of(plan_of(AOF))))
    assert "2.0 GiB in data" == amount(facts, LYING._replace(size=2**31))
    assert "1.5 KiB in data" == amount(facts, LYING._replace(size=1536))
