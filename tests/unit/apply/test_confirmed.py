"""What loses data, or clients that are not told, is asked about; no leaves everything as it was."""

from typing import Any

import pytest
from tests.unit.apply.scenes import (
    AOF,
    KEYS,
    MEMORY,
    OTHER_PORT,
    PORT,
    RDB,
    Scene,
    stopped,
    untouched,
)
from tests.unit.apply.stage import OTHER_PROGRAM, copied, keys, run_up
from tests.unit.apply.test_failing_anywhere import state

from keywright.errors import Refused
from keywright_ops.targets.fake import World

TINY = 'maxmemory = "978kb"\n'  # an empty server of the fake world and one key
ASKED = (
    Scene("append-only to memory", AOF, untouched, MEMORY),
    Scene("snapshots to memory", RDB, untouched, MEMORY),
    Scene("a limit below what is used", AOF, untouched, AOF + TINY),
    Scene("a limit below, while stopped", AOF, stopped, AOF + TINY),
    Scene("a limit below, with another port", AOF, untouched, AOF.replace(PORT, OTHER_PORT) + TINY),
    Scene("memory only, another port", MEMORY, untouched, MEMORY.replace(PORT, OTHER_PORT)),
    Scene("another port", AOF, untouched, AOF.replace(PORT, OTHER_PORT)),
)


@pytest.mark.parametrize("scene", ASKED, ids=lambda scene: scene.name)
def test_no_leaves_everything_as_it_was(scene: Scene) -> None:
    """Refused: settings, users, files and keys are as before, the server too."""
    world = scene.build()
    before = state(copied(world))
    with pytest.raises(Refused):
        run_up(world, scene.wish, yes=False)
    assert before == state(world)


@pytest.mark.parametrize("scene", ASKED[2:3], ids=lambda scene: scene.name)
def test_yes_costs_what_was_said(scene: Scene) -> None:
    """The same change with yes evicts: the question was not idle."""
    world = scene.build()
    run_up(world, scene.wish)
    assert not keys(world) >= KEYS


def test_what_loses_nothing_is_not_asked_about() -> None:
    """A bigger limit, another program, the append-only file on: no question."""
    for after in (
        AOF + 'maxmemory = "2gb"\n',
        AOF + f'server = "{OTHER_PROGRAM}"\n',
    ):
        world: World = Scene("", AOF, untouched, after).build()
        ran: Any = run_up(world, Scene("", AOF, untouched, after).wish, yes=False)
        assert ran.steps
        assert keys(world) >= KEYS
