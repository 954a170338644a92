"""`up` killed before and after every side effect, from every start state: the next `up` makes it good."""

import pytest
from tests.unit.apply.scenes import KEYS, SCENES, Scene
from tests.unit.apply.stage import Killed, Wire, copied, keys, put, run_up, still_differs

from keywright_ops.model.proof import PASSED
from keywright_ops.targets.fake import World

BY_NAME = {scene.name: scene for scene in SCENES}


def effects(world: World, scene: Scene) -> list[str]:
    """The side effects of an `up` that nobody disturbs."""
    wire = Wire()
    run_up(copied(world), scene.wish, wire)
    return wire.names


def more_keys(world: World) -> set[str]:
    """The application goes on writing."""
    if world.server is None:
        return set()
    put(world, "later")
    return {"later"}


def power(world: World) -> set[str]:
    """The whole machine goes down with Keywright."""
    world.power_cut()
    return set()


def orderly(world: World) -> set[str]:
    """The application writes, then the machine is shut down in order."""
    if world.server is None:
        return set()
    lives = world.server.config["save"] or world.server.config["appendonly"] == "yes"
    put(world, "later")
    rewriting = world.server.rewriting
    world.terminate()
    return {"later"} if lives and not rewriting else set()


AFTERMATHS = (more_keys, power, orderly)


def expect_well(world: World, scene: Scene, expected: set[str], why: str) -> None:
    """It is as declared, everything is proven, and the keys are there, also after another restart."""
    ran = run_up(world, scene.wish, token="second")
    assert set(ran.verdicts.values()) == {PASSED}, (why, ran.verdicts)
    assert still_differs(world, scene.wish) == (), why
    assert expected <= keys(world), (why, "lost by up")
    if ran.opened.plan.persistence.promised:
        world.terminate()
        again = run_up(world, scene.wish, token="third")
        assert set(again.verdicts.values()) == {PASSED}, (why, again.verdicts)
        assert expected <= keys(world), (why, "lost by a stop and a start")


@pytest.mark.parametrize("name", BY_NAME)
def test_up_ends_as_declared_and_a_second_does_nothing(name: str) -> None:
    """Undisturbed: everything is proven, no key is lost, and the next diff is empty."""
    scene = BY_NAME[name]
    world = scene.build()
    running = world.server is not None
    ran = run_up(world, scene.wish)
    assert {PASSED} == set(ran.verdicts.values())
    assert () == still_differs(world, scene.wish)
    again = run_up(world, scene.wish, token="again")
    assert () == again.steps
    if scene.promised or running:
        assert keys(world) >= KEYS


@pytest.mark.parametrize("aftermath", AFTERMATHS, ids=lambda each: each.__name__)
@pytest.mark.parametrize("name", BY_NAME)
def test_killed_anywhere_the_next_up_makes_it_good(name: str, aftermath: object) -> None:
    """SIGKILL before the first or after any side effect, whatever happens then: the next `up` ends as
    declared, proven, and no key is lost where persistence was promised at all times."""
    scene = BY_NAME[name]
    base = scene.build()
    names = effects(base, scene)
    survived = base.server is not None and aftermath is more_keys
    # before the next one is the same world as after the last one; the journal is not the world
    moments = [(0, False), *((n, True) for n, name in enumerate(names) if name != "note")]
    for number, after in moments:
        world = copied(base)
        with pytest.raises(Killed):
            run_up(world, scene.wish, Wire(number, after))
        expected = set(KEYS) if scene.promised or survived else set()
        later = aftermath(world)  # type: ignore[operator]
        why = f"killed {'after' if after else 'before'} {number}: {names[number]}, of {names}"
        expect_well(world, scene, expected | (later if scene.promised else set()), why)
