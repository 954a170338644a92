"""The laws of diff: what is planned, in which order, with which danger; and what is never planned."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.steps.states import (
    HOME,
    PROGRAM,
    SECRETS,
    declared_of,
    facts_of,
    plan_of,
    stopped,
)

from keywright_ops.facts.redis_conf import parse_redis_conf
from keywright_ops.model.absence import NOT_THERE, Missing
from keywright_ops.model.facts import Facts
from keywright_ops.model.host import File
from keywright_ops.model.step import Control, Danger, Move, Signal, Step, WriteFile
from keywright_ops.steps.declared import Declared
from keywright_ops.steps.diff import before_stop, diff

AOF = "appendonly = true\nsave = []\n"
RDB = 'appendonly = false\nsave = ["900 1"]\n'
MEMORY = "appendonly = false\nsave = []\n"

ASKED_TO_END = ("1:signal-handler Received SIGTERM scheduling shutdown...",)


def ids(steps: tuple[Step, ...]) -> list[str]:
    """The steps by their ids."""
    return [step.id for step in steps]


def live(declared: Declared, **settings: str) -> Facts:
    """As declared but for some live settings, which redis.conf on disk says too."""
    facts = facts_of(declared)
    assert not isinstance(facts.config, Missing)
    config = {**facts.config, **{name.replace("_", "-"): value for name, value in settings.items()}}
    files = {**facts.files, f"{HOME}/redis.conf": File("0" * 64, 0o600, "1000")}
    return facts._replace(config=config, disk_config=dict(config), files=files)


def test_as_declared_there_is_nothing_to_do(pure: Callable[..., Any]) -> None:
    """Equal in every place: no steps."""
    for toml in (AOF, RDB, MEMORY):
        declared = declared_of(plan_of(toml))
        assert () == pure(diff, declared, facts_of(declared))


def test_a_fresh_environment_keeps_its_secrets_first_and_starts_last() -> None:
    """Secrets, then files, then the start: a killed run finds the same secrets again."""
    declared = declared_of(plan_of(AOF), drafted=("admin", "default"))
    nothing = {path: Missing(NOT_THERE) for path in facts_of(declared).files}
    facts = stopped(facts_of(declared, files=nothing, stored=(), disk_config=Missing(NOT_THERE)))
    expected = ["keep-secrets", "write-app.env", "write-users.acl", "write-redis.conf", "start"]
    assert expected == ids(diff(declared, facts))


def test_a_live_setting_is_set_live_and_can_be_taken_back() -> None:
    """CONFIG SET, then redis.conf; the undo is the old value."""
    declared = declared_of(plan_of(AOF + 'maxmemory = "64mb"\n'))
    facts = live(declared, maxmemory=str(128 * 2**20))
    step, write = diff(declared, facts)
    assert ("set-maxmemory", "write-redis.conf") == (step.id, write.id)
    assert ("CONFIG", "SET", "maxmemory", str(64 * 2**20)) == step.do[1]
    assert step.undo is not None
    assert ("CONFIG", "SET", "maxmemory", str(128 * 2**20)) == step.undo[1]


@pytest.mark.parametrize(
    ("policy", "used", "danger"),
    [
        ("allkeys-lru", 100 * 2**20, Danger.LOSES_DATA),
        ("volatile-ttl", 100 * 2**20, Danger.LOSES_DATA),
        ("noeviction", 100 * 2**20, Danger.DISTURBS),
        ("allkeys-lru", 1 * 2**20, Danger.SAFE),
    ],
)
def test_a_limit_below_what_is_used_is_asked_about(policy: str, used: int, danger: Danger) -> None:
    """A smaller maxmemory costs keys where the policy evicts, writes where it does not."""
    declared = declared_of(plan_of(f'{AOF}maxmemory = "64mb"\nmaxmemory_policy = "{policy}"\n'))
    facts = live(declared, maxmemory="0")
    facts = facts._replace(info={"used_memory": str(used), "db0": "keys=7,expires=0"})
    step = next(each for each in diff(declared, facts) if each.id == "set-maxmemory")
    assert danger == step.danger


def test_a_smaller_limit_is_not_slipped_in_by_a_start() -> None:
    """Stopped data is loaded under the old maxmemory; the new one is set live, where it is asked about."""
    declared = declared_of(plan_of(AOF + 'maxmemory = "64mb"\n'))
    for before in ("0", str(128 * 2**20)):
        write, _ = diff(declared, stopped(live(declared, maxmemory=before)))
        assert isinstance(write.do, WriteFile)
        assert before == parse_redis_conf(str(write.do.content))["maxmemory"]
    write, _ = diff(declared, stopped(live(declared, maxmemory=str(32 * 2**20))))
    assert isinstance(write.do, WriteFile)
    assert str(64 * 2**20) == parse_redis_conf(str(write.do.content))["maxmemory"]


def test_what_needs_a_restart_is_changed_live_first_and_stopped_last() -> None:
    """Live changes, redis.conf as it runs, the stop: data is kept as the live server keeps it."""
    declared = declared_of(plan_of(AOF))
    facts = live(declared, port="7002", appendonly="no", save="")._replace(stored=())
    steps = diff(declared, facts)
    assert ["appendonly-on", "write-redis.conf", "stop"] == ids(steps)
    assert isinstance(steps[1].do, WriteFile)
    written = parse_redis_conf(str(steps[1].do.content))
    assert ("7002", "yes") == (written["port"], written["appendonly"])
    assert Danger.CLIENTS_FOLLOW == steps[-1].danger  # the port is another


def test_the_stop_of_a_server_that_keeps_nothing_is_asked_about() -> None:
    """Memory only: keys are named and lost; no keys, no question; unknown keys are a question."""
    declared = declared_of(plan_of(MEMORY))
    facts = live(declared, port="7002")._replace(stored=())
    stop = diff(declared, facts)[-1]
    assert (Danger.LOSES_DATA, True) == (stop.danger, "7 keys" in stop.title)
    empty = facts._replace(info={"used_memory": "1"})
    assert Danger.CLIENTS_FOLLOW == diff(declared, empty)[-1].danger  # the port is another
    refused = Missing("WRONGPASS invalid")
    silent = facts._replace(info=refused, config=refused, users=refused)
    assert Danger.LOSES_DATA == diff(declared, silent)[-1].danger
    keeping = declared_of(plan_of(AOF))
    assert isinstance(silent.disk_config, dict)
    assert Danger.LOSES_DATA == diff(keeping, silent)[-1].danger, "what runs keeps nothing"


def test_ending_persistence_is_asked_about() -> None:
    """Append-only file off, or save points away, and nothing in their place: keys are named."""
    declared = declared_of(plan_of(MEMORY))
    off = live(declared, appendonly="yes")._replace(
        stored=("appendonlydir", "appendonlydir/a.manifest")
    )
    points = live(declared, save="900 1")
    for facts, step in ((off, "appendonly-off"), (points, "set-save")):
        found = next(each for each in diff(declared, facts) if each.id == step)
        assert (Danger.LOSES_DATA, True) == (found.danger, "7 keys" in found.title)


def test_switched_off_the_data_is_in_a_snapshot_first() -> None:
    """SAVE, set the file aside, switch off, and only then redis.conf: never an old file to be loaded."""
    declared = declared_of(plan_of(RDB))
    facts = live(declared, appendonly="yes")
    facts = facts._replace(
        stored=("appendonlydir", "appendonlydir/appendonly.aof.manifest", "dump.rdb")
    )
    expected = ["appendonly-snapshot", "appendonly-aside", "appendonly-off", "write-redis.conf"]
    assert expected == ids(diff(declared, facts))


def test_an_old_append_only_file_is_set_aside_under_a_new_name() -> None:
    """A file that the running server does not write is renamed, and no earlier one is overwritten."""
    declared = declared_of(plan_of(RDB))
    stored = (
        "appendonlydir",
        "appendonlydir.off-1",
        "appendonlydir.off-3",
        "appendonlydir/a.manifest",
    )
    (step,) = diff(declared, facts_of(declared, stored=stored))
    data = f"{HOME}/data"
    assert Move(f"{data}/appendonlydir", f"{data}/appendonlydir.off-4") == step.do


@pytest.mark.parametrize(
    ("stored", "toml", "expected"),
    [
        (("dump.rdb",), AOF, "no"),
        (("appendonlydir", "dump.rdb"), AOF, "no"),  # an unfinished first rewrite
        (("appendonlydir", "appendonlydir/a.manifest", "dump.rdb"), RDB, "yes"),
        (("appendonly.aof",), RDB, "yes"),  # Redis 6.2
        (("appendonlydir.off-1", "dump.rdb"), AOF, "no"),
        ((), AOF, "yes"),
        ((), RDB, "no"),
    ],
)
def test_stopped_data_is_started_as_it_was_written(
    stored: tuple[str, ...], toml: str, expected: str
) -> None:
    """What lies there decides under which `appendonly` it is loaded first."""
    declared = declared_of(plan_of(toml))
    files = {**facts_of(declared).files, f"{HOME}/redis.conf": Missing(NOT_THERE)}
    facts = stopped(facts_of(declared, stored=stored, files=files))
    write = next(step for step in diff(declared, facts) if step.id == "write-redis.conf")
    assert isinstance(write.do, WriteFile)
    assert expected == parse_redis_conf(str(write.do.content))["appendonly"]


def test_users_are_loaded_only_when_they_differ_live() -> None:
    """Edited on disk: written. Different live: loaded, with a sentence for each user."""
    declared = declared_of(plan_of(AOF))
    files = {**facts_of(declared).files, f"{HOME}/users.acl": File("0" * 64, 0o600, "1000")}
    assert ["write-users.acl"] == ids(diff(declared, facts_of(declared, files=files)))
    users = {**declared.users, "guest": declared.users["viewer"]}
    users["viewer"] = users["viewer"]._replace(hashes=frozenset({"0" * 64}))
    del users["health"]
    (load,) = diff(declared, facts_of(declared, users=users))
    for sentence in (
        "health is missing",
        "viewer has another password",
        "guest is not in the plan",
    ):
        assert sentence in load.title


def test_another_program_is_a_restart_under_either_name() -> None:
    """The path it was started by counts as much as the file behind it; the undo starts the old one."""
    declared = declared_of(plan_of(AOF))
    facts = facts_of(declared)
    assert not isinstance(facts.process, Missing)
    linked = facts.process._replace(executable="/programs/redis-check-rdb")
    assert () == diff(declared, facts._replace(process=linked))
    old = facts.process._replace(executable="/old/server", command=("/old/server", "redis.conf"))
    (stop,) = diff(declared, facts._replace(process=old))
    assert stop.undo is not None
    assert Control("start", "/old/server") == stop.undo


def test_a_server_that_is_ending_or_loading_is_waited_for() -> None:
    """Neither is taken for a running one: the stop is waited for, or the loading."""
    declared = declared_of(plan_of(AOF))
    (stop,) = diff(declared, facts_of(declared, log=ASKED_TO_END))
    assert isinstance(stop.do, Signal)
    loading = facts_of(declared, info={"loading": "1", "process_id": "42"})
    (wait,) = diff(declared, loading)
    assert wait.until is not None
    assert (None, ()) == (wait.undo, wait.expect)


SETTINGS = st.fixed_dictionaries(
    {
        "appendonly": st.sampled_from(["yes", "no"]),
        "port": st.sampled_from(["7001", "7002"]),
        "save": st.sampled_from(["", "900 1"]),
        "maxmemory": st.sampled_from(["0", "1000000000"]),
        "databases": st.sampled_from(["16", "8"]),
    }
)
STORED = st.sets(
    st.sampled_from(["dump.rdb", "appendonlydir/appendonly.aof.manifest", "appendonlydir.off-1"])
).map(
    lambda names: tuple(
        sorted(names | ({"appendonlydir"} if any("/" in n for n in names) else set()))
    )
)


@given(
    toml=st.sampled_from([AOF, RDB, MEMORY]), server=SETTINGS, disk=SETTINGS, stored=STORED,
    runs=st.booleans(), drafted=st.booleans(), known=st.booleans(),
)  # fmt: skip
def test_whatever_is_found_no_stop_leaves_a_trap(
    toml: str, server: dict[str, str], disk: dict[str, str], stored: tuple[str, ...],
    runs: bool, drafted: bool, known: bool,
) -> None:  # fmt: skip
    """From any live and any written settings: no stop while they disagree on appendonly, redis.conf
    never names another port than the running server's, secrets come first and stand in no title."""
    declared = declared_of(plan_of(toml), ("admin",) if drafted else ())
    facts = live(declared, **server)._replace(stored=stored)
    assert isinstance(facts.disk_config, dict)
    facts = facts._replace(disk_config={**facts.disk_config, **disk})
    if not known:
        facts = facts._replace(users=Missing("NOPERM"), disk_config=Missing(NOT_THERE))
    if not runs:
        facts = stopped(facts)
    on_disk = disk["appendonly"] if known else "no"
    for steps in (diff(declared, facts), tuple(before_stop(declared, facts))):
        expect_no_trap(steps, facts, on_disk, server, runs)


def expect_no_trap(
    steps: tuple[Step, ...], facts: Facts, on_disk: str, server: dict[str, str], runs: bool
) -> None:
    """Walk through the steps as they would be done."""
    running = server["appendonly"]
    assert "keep-secrets" not in ids(steps[1:])
    for step in steps:
        assert not any(secret.reveal() in step.title for secret in SECRETS.values())
        if step.id == "appendonly-on":
            running = "yes"
        if step.id == "appendonly-off":
            running = "no"
        if step.id == "write-redis.conf" and isinstance(step.do, WriteFile):
            written = parse_redis_conf(str(step.do.content))
            on_disk = written["appendonly"]
            assert not runs or written["port"] == server["port"]
        if isinstance(step.do, Signal):
            assert on_disk == running
    if runs and running == "no" and any(step.id in ("stop", "appendonly-off") for step in steps):
        moved = any(isinstance(step.do, Move) for step in steps)
        assert moved or not any(name.endswith(".manifest") for name in facts.stored or ())


def test_before_a_stop_the_file_says_what_runs() -> None:
    """down and restart: redis.conf is brought to the live appendonly and to nothing that was declared."""
    declared = declared_of(plan_of(RDB + 'maxmemory = "64mb"\n'))
    facts = live(declared, appendonly="yes", maxmemory="0", save="300 10 60 5")
    assert isinstance(facts.disk_config, dict)
    facts = facts._replace(disk_config={**facts.disk_config, "appendonly": "no"})
    steps = before_stop(declared, facts)
    assert ["appendonly-wait", "write-redis.conf"] == [step.id for step in steps]
    assert isinstance(steps[1].do, WriteFile)
    written = parse_redis_conf(str(steps[1].do.content))
    expected = ("yes", "0", "300 10 60 5")
    assert expected == (written["appendonly"], written["maxmemory"], written["save"])
    assert [] == before_stop(declared, stopped(facts))
    assert PROGRAM == declared.plan.engine.program
