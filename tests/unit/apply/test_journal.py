"""The laws of the journal: what was done and where the copies are, never content, never a secret."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.unit.apply.scenes import AOF
from tests.unit.apply.stage import HOME, OTHER_PROGRAM, PROGRAM, Wire, Wish, open_stage

from keywright.errors import ApplyError
from keywright_ops.actions.up import Ask, bring_up
from keywright_ops.apply.apply import Workshop
from keywright_ops.apply.journal import KEEP_RUNS, Journal
from keywright_ops.model.step import Step
from keywright_ops.targets.fake import World

SAID = ("run", "event", "step", "title", "copy", "digest")


def watch(event: str, step: Step) -> None:
    """Nobody looks."""


def brought_up(world: World, wish: Wish, journal: Any) -> list[str]:
    """Bring the world up with a real journal; return the secrets that were in play."""
    opened = open_stage(world, wish, Wire())
    ask = Ask(None, None, wish.environ, watch, lambda outcome: None, lambda steps: True)
    shop = Workshop(opened.target, opened.plan, opened.vault, journal, watch, lambda steps: True)
    bring_up(ask, opened, shop, "token")
    return [secret.reveal() for secret in opened.secrets.values()]


def test_every_step_is_noted_and_no_secret_is(tmp_path: Path) -> None:
    """begin and done of every step, the place and digest of every copy; nothing of what was written."""
    world = World(programs=[PROGRAM, OTHER_PROGRAM])
    secrets = brought_up(world, Wish(AOF), Journal(str(tmp_path), "run-1"))
    secrets += brought_up(
        world, Wish(AOF + 'maxmemory = "64mb"\n'), Journal(str(tmp_path), "run-2")
    )
    path = tmp_path / "journal.jsonl"
    text = path.read_text()
    events = [json.loads(line) for line in text.splitlines()]
    assert 0o600 == path.stat().st_mode & 0o777
    assert {"run-1", "run-2"} == {event["run"] for event in events}
    begun = [event["step"] for event in events if event["event"] == "begin"]
    done = [event["step"] for event in events if event["event"] == "done"]
    assert begun == done
    assert {"keep-secrets", "start", "set-maxmemory", "write-redis.conf"} <= set(begun)
    (saved,) = [event for event in events if event["event"] == "saved"]
    assert saved["copy"].endswith("-redis.conf")
    assert f"{tmp_path}/undo/run-2" == os.path.dirname(saved["copy"])
    assert {*SAID} >= {name for event in events for name in event}
    assert not [secret for secret in secrets if secret in text]
    for name in ("redis.conf", "users.acl", "app.env"):
        content = world.files[f"{HOME}/{name}"][0].decode()
        assert not [line for line in content.splitlines() if len(line) > 30 and line in text]


def test_a_journal_that_cannot_be_written_stops_before_anything_is_done(tmp_path: Path) -> None:
    """ApplyError with a hint."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ApplyError, match="journal") as error:
        Journal(f"{tmp_path}/file", "run").note("begin", "start")
    assert error.value.hint


def test_only_the_last_runs_keep_their_copies(tmp_path: Path) -> None:
    """prune keeps the newest undo folders, and is content where there are none."""
    journal = Journal(str(tmp_path), "run")
    journal.prune()
    for number in range(KEEP_RUNS + 3):
        (tmp_path / "undo" / f"run-{number:03d}").mkdir(parents=True)
    journal.prune()
    expected = [f"run-{number:03d}" for number in range(3, KEEP_RUNS + 3)]
    assert expected == sorted(os.listdir(tmp_path / "undo"))
