"""A rotation killed and failed at every side effect: finished by the next `up`, or undone when asked, and
at every moment the passwords that .env and the vault name are valid."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.apply.stage import (
    HOME,
    PROGRAM,
    Killed,
    Request,
    Wire,
    Wish,
    copied,
    run_password,
    run_up,
    still_differs,
)

from keywright.errors import KeywrightError, ReplyError
from keywright.secret import Secret
from keywright.settings import Settings
from keywright_ops.model.proof import PASSED
from keywright_ops.targets.fake import World

WISH = Wish("port = 7001\nappendonly = true\nsave = []\n")
USERS = {
    "default": Request(("default",)),
    "appuser": Request(("appuser",)),
    "admin": Request(("admin",)),
    "all": Request(everyone=True),
}


def vault(world: World) -> dict[str, Any]:
    """What the vault holds."""
    return dict(json.loads(world.files[f"{HOME}/vault.json"][0]))


def accepted(world: World, name: str, password: str) -> bool:
    """Whether the live server takes this password of the user."""
    assert world.server is not None
    try:
        world.server.log_in(name, Secret(password))
    except ReplyError:
        return False
    return True


def named_in_dotenv(world: World) -> tuple[str, str]:
    """User and password that the application would read."""
    text = world.files[f"{HOME}/app.env"][0].decode()
    lines = dict(line.split("=", 1) for line in text.splitlines() if line[:1].isupper())
    settings = Settings.from_env({name: value.strip("'\"") for name, value in lines.items()})
    assert settings.password is not None
    return settings.username or "default", settings.password.reveal()


def expect_valid(world: World, why: str) -> None:
    """What .env names and what the vault names for the administrator is valid at this moment."""
    assert accepted(world, *named_in_dotenv(world)), (why, "the password of .env is not valid")
    assert accepted(world, "admin", vault(world)["secrets"]["admin"]), (why, "admin is locked out")


class Watched(Wire):
    """Holds after every side effect what must hold at every moment."""

    def __init__(self, world: World, at: int | None = None, **more: bool) -> None:
        super().__init__(at, **more)
        self.world = world

    def step_on(self, name: str, call: Callable[[], Any]) -> Any:
        """Do it, and look."""
        try:
            return super().step_on(name, call)
        finally:
            expect_valid(self.world, f"at {self.count}: {name}, after {self.names}")


def settled() -> tuple[World, dict[str, str]]:
    """A running environment with one connection of every user, and its passwords."""
    world = World(programs=[PROGRAM])
    run_up(world, WISH)
    passwords = vault(world)["secrets"]
    assert world.server is not None
    for name, password in passwords.items():
        world.server.connect(name, Secret(password))
    return world, passwords


def expect_rotated(world: World, old: dict[str, str], names: tuple[str, ...], why: str) -> None:
    """Only the new passwords are valid, nobody's old session lives, nothing is unfinished."""
    assert world.server is not None
    now = vault(world)
    assert "turns" not in now, why
    for name, password in old.items():
        rotated = name in names
        assert accepted(world, name, password) is not rotated, (why, name)
        assert accepted(world, name, now["secrets"][name]), (why, name)
        assert (name in world.server.sessions.values()) is not rotated, (why, name, "sessions")
    expect_valid(world, why)
    assert still_differs(world, WISH) == (), why


def expect_as_before(world: World, old: dict[str, str], why: str) -> None:
    """Only the old passwords are valid."""
    assert old == vault(world)["secrets"], why
    assert "turns" not in vault(world), why
    assert all(accepted(world, name, password) for name, password in old.items()), why
    assert world.server is not None
    hashes = [user.hashes for _, user in world.server.users.values()]
    assert all(len(each) == 1 for each in hashes), (why, "a second password is left")
    assert still_differs(world, WISH) == (), why


def everyone(request: Request) -> tuple[str, ...]:
    """The names that a request is about."""
    return request.names or ("default", "appuser", "viewer", "admin", "health")


@pytest.mark.parametrize("name", USERS)
def test_undisturbed(name: str) -> None:
    """The new password alone is valid; at every moment before, what .env and vault name was."""
    world, old = settled()
    gone = run_password(world, USERS[name], WISH, Watched(world))
    assert {PASSED} == {outcome.verdict for outcome in gone.outcomes}
    expect_rotated(world, old, everyone(USERS[name]), "undisturbed")


@pytest.mark.parametrize("undo", [False, True], ids=["up finishes", "undo undoes"])
@pytest.mark.parametrize("name", USERS)
def test_killed_anywhere(name: str, undo: bool) -> None:
    """SIGKILL before the first or after any side effect: the next `up` finishes it; or --undo takes it
    back, unless it had ended."""
    base, old = settled()
    count = Wire()
    run_password(copied(base), USERS[name], WISH, count)
    moments = [(0, False), *((n, True) for n, each in enumerate(count.names) if each != "note")]
    for number, after in moments:
        world = copied(base)
        with pytest.raises(Killed):
            run_password(world, USERS[name], WISH, Watched(world, number, after=after))
        why = f"killed {'after' if after else 'before'} {number}: {count.names[number]}"
        if undo and "turns" in vault(world):
            run_password(world, Request(undo=True), WISH, Watched(world))
            expect_as_before(world, old, why)
            continue
        begun = vault(world)["secrets"] != old or "turns" in vault(world)
        ran = run_up(world, WISH, Watched(world), token="second")
        assert {PASSED} == set(ran.verdicts.values()), why
        expect_rotated(world, old, everyone(USERS[name]) if begun else (), why)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("name", USERS)
def test_failing_anywhere(name: str, after: bool) -> None:
    """One side effect fails: the phase is taken back, all that is named stays valid, and rotating again
    ends it."""
    base, old = settled()
    count = Wire()
    run_password(copied(base), USERS[name], WISH, count)
    for number, effect in enumerate(count.names):
        world = copied(base)
        why = f"failed {'after' if after else 'before'} {number}: {effect}"
        try:
            run_password(world, USERS[name], WISH, Watched(world, number, after=after, fails=True))
        except KeywrightError as error:
            assert "could not be taken back" not in str(error), (why, str(error))
            assert still_differs(world, WISH) == (), (why, "the phase was not taken back")
        expect_valid(world, why)
        if vault(world)["secrets"] == old and "turns" not in vault(world):
            expect_as_before(world, old, why)
            run_password(world, USERS[name], WISH, Watched(world))
        else:
            run_up(world, WISH, Watched(world), token="second")
        expect_rotated(world, old, everyone(USERS[name]), why)


def test_an_undo_killed_anywhere_is_ended_by_the_next() -> None:
    """Killed while it goes back: `--undo` again ends as before, or there is nothing left to undo."""
    base, old = settled()
    run_password(base, Request(everyone=True, hold=True), WISH)
    count = Wire()
    run_password(copied(base), Request(undo=True), WISH, count)
    for number, effect in enumerate(count.names):
        world = copied(base)
        with pytest.raises(Killed):
            run_password(world, Request(undo=True), WISH, Watched(world, number, after=True))
        if "turns" in vault(world):
            run_password(world, Request(undo=True), WISH, Watched(world))
        else:
            run_up(world, WISH, Watched(world), token="second")
        expect_as_before(world, old, f"killed after {number}: {effect}")


def test_a_held_rotation_waits_for_a_person() -> None:
    """`up` leaves both passwords valid and every session open; only --finish ends the old ones."""
    world, old = settled()
    assert world.server is not None
    before = dict(world.server.sessions)
    run_password(world, Request(("default",), hold=True), WISH)
    for _ in range(2):
        run_up(world, WISH, Watched(world))
        assert before == world.server.sessions
        assert accepted(world, "default", old["default"])
        assert accepted(world, "default", vault(world)["secrets"]["default"])
    run_password(world, Request(finish=True), WISH, Watched(world))
    expect_rotated(world, old, ("default",), "finished")


def test_a_hold_that_was_killed_before_it_held_does_not_end_by_itself() -> None:
    """Killed in the first phase of --hold: `up` goes on to where both are valid, and no further."""
    base, _ = settled()
    count = Wire()
    request = Request(("default",), hold=True)
    run_password(copied(base), request, WISH, count)
    for number in range(len(count.names)):
        world = copied(base)
        with pytest.raises(Killed):
            run_password(world, request, WISH, Watched(world, number, after=True))
        run_up(world, WISH, Watched(world))
        turns = vault(world).get("turns")
        assert turns is None or turns["default"]["phase"] == "named", number
        assert world.server is not None and "default" in world.server.sessions.values()
