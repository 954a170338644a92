"""RedisInsight on a Linux host: made when its line changes, left alone when it is somebody else's."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.steps.machines import FRESH, as_declared, plan_of

from keywright_ops.model.absence import NOT_THERE, Missing
from keywright_ops.model.machine import Beside, Machine
from keywright_ops.model.step import RunCommand, Step, WriteFile
from keywright_ops.render.insight import FOLDER
from keywright_ops.steps.insight import (
    LABEL,
    PRESETS,
    made_from,
    open_presets,
    run_argv,
    tend_insight,
)

PLAN = plan_of()
WRITE = Step("write-databases.json", "", WriteFile(PRESETS, "{}", 0o640))
OURS = made_from(PLAN)


def made(state: str = "running", mark: str = OURS) -> Machine:
    """A host with such a container of RedisInsight's name."""
    return as_declared(PLAN, insight=Beside(mark, state))


@given(
    st.sampled_from([OURS, "0123456789abcdef", ""]),
    st.sampled_from(["running", "exited", "created", "paused"]),
    st.booleans(),
    st.booleans(),
)
def test_what_is_done_to_a_container(mark: str, state: str, anew: bool, adopt: bool) -> None:
    """Another one for another line, a restart for other presets or when it does not run, else nothing; one
    that Keywright did not make is not touched unless a person says so."""
    steps = tend_insight(PLAN, made(state, mark), [WRITE] if anew else [], adopt)
    commands = [step.do.argv for step in steps if isinstance(step.do, RunCommand)]
    remove, start = ("docker", "rm", "-f", "redisinsight"), ("docker", "restart", "redisinsight")
    if not mark and not adopt:
        assert [] == commands
    elif mark != OURS:
        assert [remove, run_argv(PLAN)] == commands
        assert (not mark) == ("not ours" in steps[0].title)
    else:
        assert ([] if state == "running" and not anew else [start]) == commands


def test_where_there_is_none_it_is_made_and_taken_back(pure: Any) -> None:
    """None of its name: one step, whose undo removes it; made so it is left alone."""
    absent = as_declared(PLAN, insight=Missing(NOT_THERE))
    (step,) = pure(tend_insight, PLAN, absent, [])
    assert RunCommand(("docker", "rm", "-f", "redisinsight")) == step.undo
    assert isinstance(step.do, RunCommand)
    assert f"{LABEL}={OURS}" in step.do.argv
    assert [] == pure(tend_insight, PLAN, made(), [])


@pytest.mark.parametrize(
    "machine",
    [
        as_declared(
            PLAN, insight=Missing(NOT_THERE), insight_image=Missing("its image is not there")
        ),
        as_declared(PLAN, insight=Missing("no Docker Engine answers")),
    ],
)
def test_without_image_or_engine_nothing_is_tried(pure: Any, machine: Machine) -> None:
    """What cannot be started is left out."""
    assert [] == pure(tend_insight, PLAN, machine, [WRITE])


def test_the_mark_follows_what_it_is_made_from() -> None:
    """Another image, port, volume or limit is another mark; the same plan has the same."""
    lines = [
        "image='redis/redisinsight:2.68'",
        "port=6390",
        "volume='other-data'",
        "memory='512m'",
        "cpus=1",
    ]
    marks = {made_from(plan_of(f"insight.{line}")) for line in lines}
    assert 5 == len(marks - {OURS})
    assert made_from(plan_of()) == OURS


def test_it_is_published_on_loopback_alone() -> None:
    """The line that makes it publishes on 127.0.0.1, and holds no password."""
    argv = run_argv(PLAN)
    published = [argv[at + 1] for at, word in enumerate(argv) if word == "-p"]
    assert ["127.0.0.1:6380:5540"] == published
    assert not [word for word in argv if "assword" in word]


def test_the_folder_of_its_presets_is_made_once(pure: Any) -> None:
    """For root and the image's group alone; not without RedisInsight."""
    (step,) = pure(open_presets, PLAN, FRESH)
    assert isinstance(step.do, RunCommand)
    assert ("2750", FOLDER) == step.do.argv[-2:]
    assert [] == pure(open_presets, PLAN, as_declared(PLAN))
    assert [] == pure(open_presets, plan_of("insight.enabled = false"), FRESH)
