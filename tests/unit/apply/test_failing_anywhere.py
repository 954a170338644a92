"""Every side effect of `up` failing once, from every start state: what was done is taken back."""

import json
from typing import Any

import pytest
from tests.unit.apply.scenes import KEYS, SCENES, Scene
from tests.unit.apply.stage import HOME, Wire, copied, keys, put, run_up, still_differs

from keywright.errors import KeywrightError
from keywright_ops.targets.fake import World

BY_NAME = {scene.name: scene for scene in SCENES}
FILES = ("redis.conf", "users.acl", "app.env", "choices.json")


def state(world: World) -> dict[str, Any]:
    """Everything that must be as before after a failure."""
    server = world.server
    return {
        "files": {name: world.files.get(f"{HOME}/{name}", (b"",))[0] for name in FILES},
        "program": server.program if server else None,
        "config": server.config if server else None,
        "users": {name: line for name, (line, _) in server.users.items()} if server else None,
        "keys": keys(world) if server else None,
    }


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("name", BY_NAME)
def test_a_failure_takes_back_what_was_done(name: str, after: bool) -> None:
    """One side effect fails: either `up` gets by and ends as declared, or everything is as it was,
    the old server with its settings, users and data among it; the next `up` succeeds either way."""
    scene = BY_NAME[name]
    base = scene.build()
    before = state(base)
    wire = Wire()
    run_up(copied(base), scene.wish, wire)
    for number, effect in enumerate(wire.names):
        if after and effect == "note":
            continue  # as much was done as when the next effect fails before it is done
        world = copied(base)
        why = f"failed {'after' if after else 'before'} {number}: {effect}, of {wire.names}"
        trip = Wire(number, after, fails=True)
        try:
            run_up(world, scene.wish, trip)
        except KeywrightError as error:
            assert "could not be taken back" not in str(error), (why, str(error))
            if trip.brought_up:
                assert still_differs(world, scene.wish) == (), (
                    why,
                    "the restart proof left a mess",
                )
            else:
                assert before == state(world), (why, str(error))
        else:
            assert still_differs(world, scene.wish) == (), why
        finish(world, scene, before, why)


def finish(world: World, scene: Scene, before: dict[str, Any], why: str) -> None:
    """The application writes on, the machine goes down and comes back, `up` succeeds: no key is lost."""
    expected = set(KEYS)
    if scene.promised and world.server is not None:
        put(world, "later")
        expected.add("later")
        world.terminate()
    run_up(world, scene.wish, token="second")
    assert still_differs(world, scene.wish) == (), why
    if scene.promised:
        assert keys(world) >= expected, (why, "lost after the failure")
    assert json.loads(world.files[f"{HOME}/vault.json"][0])["schema"] == 1
