"""Rotating passwords on a real server: under load, held, undone, typed, and taken over from a variable."""

import json
import os
import time
from collections.abc import Callable

import pytest
from tests.embedded.load import Load
from tests.embedded.stranger import Person
from tests.embedded.test_engines import ENGINES

from keywright.endpoint import Endpoint
from keywright.errors import KeywrightError, ReplyError
from keywright.secret import Secret
from keywright.settings import Settings
from keywright.wire import Wire

VARIABLE = 'password_variable = "REDIS_PASSWORD"'


def accepted(one: Person, user: str, password: str) -> bool:
    """Whether the server takes this password."""
    try:
        with Wire(Endpoint(port=one.port, username=user, password=Secret(password))) as wire:
            return bool(wire.call("PING") == "PONG")
    except ReplyError:
        return False


def alive(session: Wire) -> bool:
    """Whether the connection is still there."""
    try:
        return bool(session.call("PING") == "PONG")
    except KeywrightError:
        return False


@pytest.mark.parametrize("user", ["default", "appuser"])
@pytest.mark.parametrize("engine", ["valkey-9.1", "redis-7.0"])
def test_under_load(person: Callable[..., Person], engine: str, user: str) -> None:
    """Law: about 1,000 commands a second from four threads see no failure while their password is
    rotated; a session of the old one that was held is dead afterwards, and the old one is refused."""
    program = ENGINES[engine][0]
    if not os.access(program, os.X_OK):
        pytest.skip(f"{program} is not here")
    one = person(f'server = "{program}"')
    assert one.say("up").code == 0
    before, old = one.identity(), one.secrets[user]
    with one.wire(user) as session:
        with Load(one.state, one.port, user) as load:
            time.sleep(0.5)
            said = one.say("password", "rotate", user)
            time.sleep(0.5)
        assert said.code == 0, said
        assert not alive(session)
    assert load.counted.failed == ()
    assert load.counted.done > 300 * load.counted.seconds, load.counted
    assert not accepted(one, user, old)
    assert accepted(one, user, one.secrets[user])
    assert one.identity() == before
    assert one.say("up", "--strict").code == 1  # the profile's own warning, and nothing else
    assert json.loads(one.say("up", "--json").out)["steps"] == []


def test_both_are_valid_while_it_is_held(settled: Person) -> None:
    """Law: --hold leaves both valid and every session open, `up` keeps it so and says it, --finish ends
    the old one."""
    old = settled.secrets["default"]
    with settled.wire("default") as session:
        said = settled.say("password", "rotate", "--hold")
        assert said.code == 0, said
        assert "both passwords of default are valid" in said.out
        said = settled.say("up")
        assert "its rotation is held" in said.err
        new = settled.secrets["default"]
        assert old != new
        assert accepted(settled, "default", old)
        assert accepted(settled, "default", new)
        assert alive(session)
        said = settled.say("password", "rotate")
        assert said.code == 4, said
        said = settled.say("password", "rotate", "--finish", "--dry-run")
        assert "1 open connection will be ended" in said.out
        assert alive(session)
        assert settled.say("password", "rotate", "--finish").code == 0
        assert not alive(session)
    assert not accepted(settled, "default", old)
    assert accepted(settled, "default", new)


def test_undo(settled: Person) -> None:
    """Law: --undo of a held rotation leaves the old password alone, in .env too; a second has nothing."""
    before = settled.secrets
    text = (settled.state / "app.env").read_text()
    assert settled.say("password", "rotate", "--all", "--hold").code == 0
    new = settled.secrets
    said = settled.say("password", "rotate", "--undo", "appuser")
    assert said.code == 0, said
    assert settled.say("password", "rotate", "--undo").code == 0
    assert settled.secrets == before
    assert (settled.state / "app.env").read_text() == text
    assert not any(accepted(settled, user, new[user]) for user in before)
    assert all(accepted(settled, user, before[user]) for user in before)
    assert settled.say("password", "rotate", "--undo").code == 4
    assert "nothing to do" in settled.say("up").out


def test_a_dry_run_changes_nothing(settled: Person) -> None:
    """Law: every step is told, with the connections that will be ended; files and server stay."""
    before = {path: path.read_bytes() for path in settled.state.iterdir() if path.is_file()}
    with settled.wire("default") as session:
        said = settled.say("password", "rotate", "--dry-run")
        assert alive(session)
    assert said.code == 0, said
    assert "rewrite app.env" in said.out
    assert "end the 1 open connection of default (127.0.0.1)" in said.out
    after = {path: path.read_bytes() for path in settled.state.iterdir() if path.is_file()}
    assert before.keys() - after.keys() == set()
    assert {path.name for path in before if before[path] != after[path]} <= {"server.log"}


def test_what_is_refused(settled: Person) -> None:
    """Law: one sentence and a hint each, and nothing changes."""
    before = settled.secrets
    cases = {
        ("rotate", "nobody"): 2,
        ("rotate", "--hold", "--undo"): 2,
        ("rotate", "--finish"): 4,
        ("rotate", "--undo"): 4,
        ("rotate", "--password-stdin", "--all"): 2,
    }
    for words, code in cases.items():
        said = settled.say("password", *words)
        assert said.code == code, (words, said)
    assert settled.secrets == before
    (settled.state / "users.acl").write_text("user default on nopass ~* &* +@all\n")
    said = settled.say("password", "rotate")
    assert said.code == 4, said
    assert "not as declared" in said.err
    assert settled.say("up").code == 0
    assert settled.say("down").code == 0
    assert settled.say("password", "rotate").code == 3


def test_a_variable_is_taken_over(person: Callable[..., Person]) -> None:
    """Law: a password from a variable is rotated only with --to-vault; from then on a variable that still
    carries it is ignored, with a warning; another one in it counts."""
    one = person(VARIABLE)
    one.environ["REDIS_PASSWORD"] = "from-the-shell-1"
    assert one.say("up").code == 0
    said = one.say("password", "rotate")
    assert said.code == 4, said
    assert "--to-vault" in said.err
    assert accepted(one, "default", "from-the-shell-1")
    said = one.say("password", "rotate", "--to-vault", "--hold")
    assert said.code == 0, said
    assert accepted(one, "default", "from-the-shell-1")
    assert one.say("password", "rotate", "--undo").code == 0
    assert "default" not in one.secrets
    assert one.say("password", "rotate", "--to-vault").code == 0
    assert not accepted(one, "default", "from-the-shell-1")
    said = one.say("up")
    assert said.code == 0, said
    assert "still holds the password that was rotated away on 20" in said.err
    assert "nothing to do" in said.out
    assert accepted(one, "default", one.secrets["default"])
    (row, *_) = json.loads(one.say("password", "status", "--json").out)["passwords"]
    assert (row["source"], row["age"], row["phase"]) == ("vault", 0, "")
    one.environ["REDIS_PASSWORD"] = "from-the-shell-2"
    assert one.say("up").code == 0
    assert accepted(one, "default", "from-the-shell-2")


def test_a_third_password_in_the_middle_is_refused(person: Callable[..., Person]) -> None:
    """Law: while a rotation waits, a variable with neither of both passwords is refused, not obeyed."""
    one = person(VARIABLE)
    assert one.say("up").code == 0
    assert one.say("password", "rotate", "--hold").code == 0
    said = one.say("up", environ={"REDIS_PASSWORD": "a-third-one"})
    assert said.code == 4, said
    assert "third password" in said.err
    assert one.say("up").code == 0


TYPED = (
    "plain",
    "with  two blanks ",
    "quotes ' and \"",
    "#hash at the start",
    "dollar $HOME ${X} $$",
    "back\\slash\\",
    "per%20cent %",
    "a@b:c/d?e#f[g]",
    "ünï ☃ 密码 🔑",
    ">redirect <x !y ~z &a (b)",
    "= equals=equals",
)


def test_typed_passwords(settled: Person) -> None:
    """Law: any line that a person can type becomes the password: the server takes it, and .env, read by
    the library, names exactly it."""
    for text in TYPED:
        said = settled.say("password", "rotate", "--password-stdin", typed=text)
        assert said.code == 0, (text, said)
        assert accepted(settled, "default", text), text
        settings = Settings.from_file(str(settled.state / "app.env"))
        assert settings.password == Secret(text), text
    said = settled.say("password", "rotate", "--password-stdin", typed=TYPED[-1])
    assert said.code == 2, said
    for bad in ("", "two\nlines", "nul\0"):
        said = settled.say("password", "rotate", "--password-stdin", typed=bad)
        assert said.code == 2, (bad, said)
    assert accepted(settled, "default", TYPED[-1])


def test_age(settled: Person) -> None:
    """Law: status tells who keeps each password and since when, and warns after 90 days."""
    rows = json.loads(settled.say("password", "status", "--json").out)["passwords"]
    assert {row["user"] for row in rows} == {"default", "appuser", "viewer", "admin", "health"}
    assert {(row["source"], row["age"], row["old"]) for row in rows} == {("vault", 0, False)}
    path = settled.state / "vault.json"
    kept = json.loads(path.read_text())
    kept["since"]["appuser"] = "2020-01-01"
    path.write_text(json.dumps(kept))
    said = settled.say("password", "status")
    assert "since 2020-01-01" in said.out
    assert "older than 90 days: appuser" in said.err
    assert settled.say("password", "rotate", "appuser").code == 0
    assert "older than" not in settled.say("password", "status").err
