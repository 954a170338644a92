"""Data that is carried over a restart of ours, and does not come back weeks later."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.steps.machines import plan_of as linux_plan
from tests.unit.steps.states import declared_of, facts_of, plan_of, stopped

from keywright_ops.facts.canonical import canonical
from keywright_ops.model.facts import Facts
from keywright_ops.model.step import RedisCommand, RunCommand
from keywright_ops.steps.carry import carry, retire_dump

LOCAL = plan_of("appendonly = false\nsave = []\n")
KEEPS_NOTHING, KEEPS = linux_plan(), linux_plan("appendonly = true\npurpose = 'durable'")
WELL = facts_of(declared_of(LOCAL))


def holding(appendonly: str, save: str, keys: int) -> Facts:
    """A running server with these live settings and so many keys."""
    assert isinstance(WELL.config, dict)
    assert isinstance(WELL.info, dict)
    info = {name: value for name, value in WELL.info.items() if name != "db0"}
    if keys:
        info["db3"] = f"keys={keys},expires=0,avg_ttl=0"
    config = WELL.config | {"appendonly": appendonly, "save": canonical("save", save)}
    return WELL._replace(config=config, info=info)


@given(st.sampled_from(["yes", "no"]), st.sampled_from(["", "3600 1"]), st.integers(0, 3))
def test_only_what_would_be_lost_is_carried(appendonly: str, save: str, keys: int) -> None:
    """A server that keeps nothing and holds keys is told to save at its end, live; undone it is as it was."""
    steps = carry(holding(appendonly, save, keys))
    lost = appendonly == "no" and not save and keys > 0
    assert lost == bool(steps)
    for step in steps:
        assert isinstance(step.do, RedisCommand)
        assert isinstance(step.undo, RedisCommand)
        assert ("CONFIG", "SET", "save") == step.do.argv[:3] == step.undo.argv[:3]
        saving = holding(appendonly, str(step.do.argv[3]), keys)
        assert [] == carry(saving)
        assert save == step.undo.argv[3]


def test_a_server_that_does_not_answer_is_not_told(pure: Any) -> None:
    """Stopped, or silent: nothing to tell anybody."""
    assert [] == pure(carry, stopped(WELL))


@given(
    st.sampled_from([("dump.rdb",), (), ("appendonlydir",)]),
    st.sampled_from(["0", "7", None]),
    st.sampled_from(["0", "1", None]),
    st.booleans(),
)
def test_only_a_dump_that_was_loaded_and_is_never_written_again_goes(
    stored: tuple[str, ...], loaded: str | None, saved: str | None, promised: bool
) -> None:
    """Loaded keys, no save since, and a plan that keeps nothing; what cannot be known leaves it."""
    assert isinstance(WELL.info, dict)
    told = {"rdb_last_load_keys_loaded": loaded, "rdb_saves": saved}
    info = WELL.info | {name: value for name, value in told.items() if value is not None}
    facts = WELL._replace(info=info, stored=stored)
    steps = retire_dump(KEEPS if promised else KEEPS_NOTHING, facts)
    goes = (stored, loaded, saved, promised) == (("dump.rdb",), "7", "0", False)
    assert goes == bool(steps)
    for step in steps:
        assert isinstance(step.do, RunCommand)
        assert isinstance(step.undo, RunCommand)
        dump, place = "/var/lib/redis/dump.rdb", "/var/backups/redis/loaded-dump.rdb"
        assert (("mv", "-f", dump, place), ("mv", "-f", place, dump)) == (
            step.do.argv,
            step.undo.argv,
        )
    assert [] == retire_dump(LOCAL, facts)
    assert [] == retire_dump(KEEPS_NOTHING, stopped(facts))
