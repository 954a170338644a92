"""`keywright acl`: users in words, one user's rights, a dry run, who was refused; no secret."""

import json
import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.embedded.stranger import Person

from keywright.endpoint import Endpoint
from keywright.errors import ReplyError
from keywright.secret import Secret
from keywright.wire import Wire

ENGINES = ("", "/usr/bin/redis-server")
HASH = re.compile(r"[0-9a-f]{64}")


@pytest.fixture(scope="module", params=ENGINES, ids=("valkey", "redis-7.0"))
def owner(request: pytest.FixtureRequest, rooms: Callable[[], Any]) -> Iterator[Person]:
    """Somebody whose server runs for the tests of this file."""
    if request.param and not os.access(request.param, os.X_OK):
        pytest.skip("no redis-server here")
    line = (f'server = "{request.param}"',) if request.param else ()
    one = Person(rooms() / "p", *line)
    assert one.say("up").code == 0
    yield one
    one.leave()


def look(person: Person, *words: str) -> Any:
    """What a command says with --json; never a whole hash."""
    said = person.say("acl", *words, "--json")
    assert said.code in (0, 1), said
    assert not HASH.search(said.text)
    return json.loads(said.out)


def test_every_user_in_words(owner: Person) -> None:
    """Law: each user with its rights in words, keys, channels, passwords and age, as in the plan."""
    users = {each["name"]: each for each in look(owner, "list")["users"]}
    assert list(users) == ["default", "appuser", "viewer", "admin", "health"]
    assert users["admin"]["rights"] == "everything"
    assert users["health"]["rights"] == "info, ping"
    assert users["appuser"]["rights"].startswith("all but the dangerous")
    assert (users["appuser"]["keys"], users["appuser"]["channels"]) == ("esabcfg:*", "esabcfg:*")
    assert "no writes, sees no values" in users["viewer"]["rights"]
    assert {(each["passwords"], each["age"]) for each in users.values()} == {(1, 0)}
    said = owner.say("acl", "list")
    assert said.code == 0 and not HASH.search(said.out)
    assert max(map(len, said.out.splitlines())) <= 80


def test_what_somebody_else_made_is_told_too(owner: Person) -> None:
    """Law: an unknown user without a password, with a selector or odd names, is shown for what it is."""
    owner.ask(
        "ACL",
        "SETUSER",
        "guest",
        "on",
        "nopass",
        "~cache:*",
        "resetchannels",
        "+get",
        "(+set ~q:*)",
    )
    try:
        [guest] = [each for each in look(owner, "list")["users"] if each["name"] == "guest"]
        assert (guest["nopass"], guest["keys"], guest["purpose"]) == (True, "cache:*", "")
        assert guest["rights"] == "get, and 1 rule beside"
        said = owner.say("acl", "show", "guest")
        assert "no password needed" in said.out and "~q:*" in said.out
        assert "adds rights" in said.out
    finally:
        owner.ask("ACL", "DELUSER", "guest")


def test_what_one_may_of_the_guide(owner: Person) -> None:
    """Law: what `acl show` says that a user may and may not is what the server says of each."""
    for name in ("viewer", "appuser", "health"):
        report = look(owner, "show", name)
        assert report["allowed"] and report["refused"]
        for command in (*report["allowed"], *report["refused"]):
            words = command.split()
            padding = ["esabcfg:a"] * 5
            for count in range(6):  # as many words as the command takes
                try:
                    answer = owner.ask("ACL", "DRYRUN", name, *words, *padding[:count])
                    break
                except ReplyError as error:
                    assert "wrong number" in str(error), command
            told = command in report["allowed"]
            refused = "no permissions to run" in str(answer)
            assert told is not refused, f"{name} {command}: {answer}"


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("viewer", "INFO"), 0, "may INFO"),
        (("viewer", "get", "esabcfg:a"), 1, "no permissions"),
        (("appuser", "set", "esabcfg:a", "1"), 0, "may SET"),
        (("appuser", "set", "other", "1"), 1, "'other' key"),
        (("appuser", "config", "get", "*"), 1, "no permissions"),
        (("viewer", "gte", "a"), 2, "not found"),
        (("viewer", "get"), 2, "wrong number"),
        (("viewr", "get", "a"), 2, "did you mean viewer?"),
        (("viewer",), 2, "needs USER COMMAND"),
    ],
)
def test_a_dry_run_of_a_command(
    owner: Person, words: tuple[str, ...], code: int, told: str
) -> None:
    """Law: exit 0 when it may, 1 when it may not, 2 for what is no command or user; nothing is written."""
    size = owner.ask("DBSIZE")
    said = owner.say("acl", "dryrun", *words)
    assert (said.code, told in said.text) == (code, True), said
    assert owner.ask("DBSIZE") == size


def test_who_was_refused(owner: Person) -> None:
    """Law: grouped by who and why; Keywright's own questions are told apart and left out; --reset asks."""
    owner.ask("ACL", "LOG", "RESET")
    assert "nobody was refused" in owner.say("acl", "log").out
    for _ in range(3):
        with pytest.raises(ReplyError):
            Wire(Endpoint(port=owner.port, username="intruder", password=Secret("x")))
    for key in ("other:1", "other:2"):
        with pytest.raises(ReplyError):
            owner.ask("GET", key, user="appuser")
    with pytest.raises(ReplyError):
        owner.ask("KEYS", "*", user="health")
    assert owner.say("check").code == 0
    groups = look(owner, "log")["groups"]
    strange = {(each["user"], each["reason"]): each for each in groups if not each["ours"]}
    assert set(strange) == {("intruder", "auth"), ("appuser", "key"), ("health", "command")}
    assert strange["intruder", "auth"]["times"] == 3
    assert sorted(strange["appuser", "key"]["objects"]) == ["other:1", "other:2"]
    assert any(each["ours"] for each in groups)
    said = owner.say("acl", "log")
    assert "3 × intruder from 127.0.0.1: a wrong password" in said.out
    assert "a health check" in said.out and "Keywright's own questions" in said.out
    assert owner.say("acl", "log", "--reset").code == 4
    assert len(look(owner, "log")["groups"]) == len(groups)
    assert owner.say("acl", "log", "--reset", "--yes").code == 0
    assert look(owner, "log")["groups"] == []


def test_a_password_typed_as_a_name_is_hidden(owner: Person) -> None:
    """Law: who typed a password where the name belongs is in the log; it is not shown (Person.judge)."""
    with pytest.raises(ReplyError):
        Wire(Endpoint(port=owner.port, username=owner.secrets["appuser"], password=Secret("x")))
    said = owner.say("acl", "log")
    assert "(hidden) from 127.0.0.1" in said.out
    owner.ask("ACL", "LOG", "RESET")


def test_as_whom(owner: Person) -> None:
    """Law: whoami is the server's answer, also as another user; who may not list is told so."""
    assert owner.say("acl", "whoami").out == "admin\n"
    assert owner.say("acl", "whoami", "--as", "viewer").out == "viewer\n"
    said = owner.say("acl", "list", "--as", "viewer")
    assert (said.code, "viewer may not use ACL LIST" in said.err) == (1, True)
