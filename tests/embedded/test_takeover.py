"""A server found with requirepass, or with users in redis.conf, becomes Keywright's without losing a key
or locking anybody out."""

import json
import os
import subprocess
from collections.abc import Callable

import pytest
from tests.embedded.stranger import Person, await_true, end
from tests.embedded.test_engines import ENGINES
from tests.embedded.test_password import accepted

from keywright.endpoint import Endpoint
from keywright.errors import KeywrightError
from keywright.secret import Secret
from keywright.wire import Wire

PASSWORD = "found #it here"
VARIABLE = 'password_variable = "REDIS_PASSWORD"'


class Found:
    """A server that somebody set up by hand in the environment's folder, with 50 keys in it."""

    def __init__(self, one: Person, program: str, *lines: str, password: str = PASSWORD) -> None:
        self.one, self.password = one, password
        assert one.say("up").code == 0
        assert one.say("down").code == 0
        self.conf = one.state / "redis.conf"
        kept = [
            line for line in self.conf.read_text().splitlines() if not line.startswith("aclfile")
        ]
        self.conf.write_text("\n".join((*kept, *lines)) + "\n")
        for name in ("users.acl", "vault.json", "app.env"):
            (one.state / name).unlink()
        self.process = subprocess.Popen(
            (program, str(self.conf)), cwd=one.state, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        await_true(self.answers, "the server answers")
        with self.wire() as wire:
            for key in range(50):
                wire.call("SET", f"key:{key}", key)

    def wire(self) -> Wire:
        """A client of before."""
        secret = Secret(self.password) if self.password else None
        return Wire(Endpoint(port=self.one.port, username="default", password=secret))

    def answers(self) -> bool:
        """Whether a client of before is let in."""
        try:
            with self.wire() as wire:
                return bool(wire.call("PING") == "PONG")
        except KeywrightError:
            return False

    def expect_taken_over(self) -> None:
        """`up` ends well, everything is proven, every key is there, and the password is the same."""
        said = self.one.say("up", "--json", "--yes")
        assert said.code == 0, said
        assert {each["verdict"] for each in json.loads(said.out)["proofs"]} == {"passed"}
        self.process.wait(10)
        assert self.answers()
        with self.wire() as wire:
            assert [wire.call("GET", f"key:{key}") for key in range(50)] == list(
                map(str, range(50))
            )
        assert "nothing to do" in self.one.say("up").out


@pytest.fixture(params=["valkey-9.1", "redis-7.0"])
def engine(request: pytest.FixtureRequest) -> str:
    """The server's program."""
    program = ENGINES[request.param][0]
    if not os.access(program, os.X_OK):
        pytest.skip(f"{program} is not here")
    return program


def test_requirepass(person: Callable[..., Person], engine: str) -> None:
    """Law: the password is read from redis.conf and kept; then it is rotated like any other."""
    found = Found(person(f'server = "{engine}"'), engine, f'requirepass "{PASSWORD}"')
    found.expect_taken_over()
    assert found.one.secrets["default"] == PASSWORD
    assert found.one.say("password", "rotate").code == 0
    assert not found.answers()


def test_inline_users(person: Callable[..., Person], engine: str) -> None:
    """Law: CONFIG REWRITE wrote `user default #hash`: the password comes from the variable."""
    one = person(f'server = "{engine}"', VARIABLE)
    one.environ["REDIS_PASSWORD"] = PASSWORD
    found = Found(one, engine, f'requirepass "{PASSWORD}"')
    with found.wire() as wire:
        wire.call("ACL", "SETUSER", "default", f">{PASSWORD}")
        wire.call("CONFIG", "REWRITE")
    assert "user default" in found.conf.read_text()
    found.expect_taken_over()


def test_a_password_that_nobody_told(person: Callable[..., Person]) -> None:
    """Law: without it `up` refuses, with a hint, and the server runs on as it was."""
    program = ENGINES["valkey-9.1"][0]
    found = Found(person(), program, f'requirepass "{PASSWORD}"')
    with found.wire() as wire:
        wire.call("CONFIG", "SET", "requirepass", "changed-by-hand")
    found.password = "changed-by-hand"
    for words in (("up",), ("up", "--dry-run"), ("password", "rotate")):
        said = found.one.say(*words)
        assert said.code == 4, (words, said)
        assert "password_variable" in said.err
        assert found.answers()
    found.one.declare(VARIABLE)
    found.one.environ["REDIS_PASSWORD"] = "changed-by-hand"
    found.expect_taken_over()


def test_others_would_be_locked_out(person: Callable[..., Person]) -> None:
    """Law: users that the plan does not know are named, and nothing is done without --adopt."""
    program = ENGINES["valkey-9.1"][0]
    found = Found(person(), program, f'requirepass "{PASSWORD}"')
    with found.wire() as wire:
        wire.call("ACL", "SETUSER", "alice", "on", ">secret", "~*", "+@all")
    said = found.one.say("up")
    assert said.code == 4, said
    assert "would lock out user alice" in said.err
    assert accepted(found.one, "alice", "secret")
    assert found.one.say("up", "--adopt").code == 0
    assert found.answers()


def test_an_open_server(person: Callable[..., Person]) -> None:
    """Law: a server without any password is not closed to its clients unasked."""
    program = ENGINES["valkey-9.1"][0]
    found = Found(person(), program, password="")
    said = found.one.say("up")
    assert said.code == 4, said
    assert "without a password" in said.err
    assert found.answers()
    assert found.one.say("up", "--adopt").code == 0
    assert not found.answers()


def test_the_conf_in_between_is_never_open(person: Callable[..., Person]) -> None:
    """Law: the redis.conf that is written before the restart names the ACL file."""
    program = ENGINES["valkey-9.1"][0]
    found = Found(person(), program, f'requirepass "{PASSWORD}"')
    said = found.one.say("up", "--json")
    assert said.code == 0, said
    ids = [step["id"] for step in json.loads(said.out)["steps"]]
    assert ids.index("write-users.acl") < ids.index("write-redis.conf") < ids.index("stop")
    assert ids.count("write-redis.conf") == 1
    assert "aclfile" in found.conf.read_text()


@pytest.mark.parametrize("rewritten", [False, True], ids=["requirepass", "inline users"])
def test_in_place(person: Callable[..., Person], engine: str, rewritten: bool) -> None:
    """Law: nothing but the password changes: same process, same redis.conf otherwise, which agrees with the
    live server, also after a restart by hand; old sessions are dead; `up` takes it over afterwards."""
    one = person(f'server = "{engine}"', VARIABLE)
    one.environ["REDIS_PASSWORD"] = PASSWORD
    found = Found(one, engine, f'requirepass "{PASSWORD}"')
    if rewritten:
        with found.wire() as wire:
            wire.call("CONFIG", "REWRITE")
    assert one.say("password", "rotate", "--to-vault").code == 4
    said = one.say("password", "rotate", "--in-place", "--to-vault", "--dry-run")
    assert "let default log in with both passwords" in said.out, said
    assert found.answers()
    with found.wire() as session:
        said = one.say("password", "rotate", "--in-place", "--to-vault")
        assert said.code == 0, said
        with pytest.raises(KeywrightError):
            session.call("PING")
    assert not found.answers()
    assert found.process.poll() is None
    found.password = one.secrets["default"]
    assert found.answers()
    conf = found.conf.read_text()
    assert "aclfile" not in conf
    assert PASSWORD not in conf
    assert not (one.state / "users.acl").exists()
    with found.wire() as wire:
        assert wire.call("CONFIG", "GET", "requirepass") == ["requirepass", found.password]
    end(found.process.pid)
    found.process = subprocess.Popen(
        (engine, str(found.conf)), cwd=one.state, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    await_true(found.answers, "the server answers with the new password")
    found.expect_taken_over()


def test_in_place_held_and_undone(person: Callable[..., Person], engine: str) -> None:
    """Law: --hold leaves both valid, --undo the old one alone, in redis.conf too; no restart."""
    found = Found(person(f'server = "{engine}"'), engine, f'requirepass "{PASSWORD}"')
    one = found.one
    said = one.say("password", "rotate", "--in-place", "--hold")
    assert said.code == 0, said
    new = one.secrets["default"]
    assert new != PASSWORD
    assert found.answers()
    assert accepted(one, "default", new)
    said = one.say("password", "rotate", "--undo")
    assert said.code == 0, said
    assert found.answers()
    assert not accepted(one, "default", new)
    assert found.process.poll() is None
    with found.wire() as wire:
        assert wire.call("CONFIG", "GET", "requirepass") == ["requirepass", PASSWORD]
        (line,) = wire.call("ACL", "LIST")
    assert line.count("#") == 1
    found.expect_taken_over()


def test_in_place_and_then_up(person: Callable[..., Person]) -> None:
    """Law: `up` in the middle of it takes the server over with both passwords valid, and --finish ends it."""
    program = ENGINES["valkey-9.1"][0]
    found = Found(person(), program, f'requirepass "{PASSWORD}"')
    assert found.one.say("password", "rotate", "--in-place", "--hold").code == 0
    found.expect_taken_over()
    assert accepted(found.one, "default", found.one.secrets["default"])
    said = found.one.say("password", "rotate", "--finish")
    assert said.code == 0, said
    assert not found.answers()


def test_in_place_is_for_found_servers(settled: Person) -> None:
    """Law: where an ACL file is, the ordinary rotation does it."""
    assert settled.say("password", "rotate", "--in-place").code == 4
