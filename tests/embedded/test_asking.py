"""What loses data is asked about: a person answers on a terminal, a script gives --yes or is refused."""

import pytest
from tests.embedded.stranger import Person, on_terminal

IN_MEMORY = ("appendonly = false", "save = []")


@pytest.fixture
def forgetful(person) -> Person:
    """Somebody whose server keeps its keys in memory only, and holds some."""
    one = person(*IN_MEMORY)
    assert one.say("up").code == 0
    one.fill(7)
    return one


@pytest.mark.parametrize("verb", ["down", "restart"])
def test_without_a_terminal(forgetful: Person, verb: str) -> None:
    """Law: exit 4, the keys are counted in the sentence, the server is untouched."""
    before = forgetful.identity()
    said = forgetful.say(verb)
    assert said.code == 4
    assert "7 keys are kept in memory only and will be gone" in said.err
    assert "--yes" in said.err
    assert forgetful.identity() == before
    assert forgetful.say(verb, "--dry-run").code == 0
    assert forgetful.identity() == before
    assert forgetful.say(verb, "--yes").code == 0


@pytest.mark.parametrize(("answer", "code"), [("no", 4), ("", 4), ("y", 4), ("yes", 0), ("YES", 0)])
def test_on_a_terminal(forgetful: Person, answer: str, code: int) -> None:
    """Law: only `yes` goes on."""
    ended, screen = on_terminal(forgetful, "down", answers={"Type yes:": answer})
    assert (ended, "7 keys" in screen) == (code, True)
    assert bool(forgetful.pids()) == (code == 4)


def test_fresh_server_without_keys_is_not_asked_about(person) -> None:
    """Law: our own canaries are no data of anybody: up and down go without a question."""
    one = person(*IN_MEMORY)
    assert one.say("up").code == 0
    assert one.ask("DBSIZE") == 0
    said = one.say("down")
    assert said.code == 0, said


def test_switching_persistence_off_asks(settled: Person) -> None:
    """Law: to stop keeping data is asked about while there are keys."""
    settled.fill(3)
    settled.declare(*IN_MEMORY)
    said = settled.say("up")
    assert said.code == 4
    assert "3 keys will not survive" in said.err
    assert settled.ask("CONFIG", "GET", "appendonly") == ["appendonly", "yes"]
    assert settled.say("up", "--yes").code == 0
    assert settled.ask("DBSIZE") == 3


def test_restart_with_unknown_keys_asks(forgetful: Person) -> None:
    """Law: when the server does not tell how many keys it holds, it may hold any number: ask."""
    # (as long as one of the two lets Keywright in, it knows)
    forgetful.ask("ACL", "SETUSER", "default", "resetpass", ">another")
    forgetful.ask("ACL", "SETUSER", "admin", "resetpass", ">another")
    said = forgetful.say("up")
    assert said.code == 4, said
    assert "in memory only" in said.err
    said = forgetful.say("down")
    assert said.code == 4, said
    assert len(forgetful.pids()) == 1


def test_lock_is_held_while_a_question_is_open(forgetful: Person) -> None:
    """Law: a second command is refused (4) and names the holder; the first then goes on."""
    import os
    import pty

    leader, follower = pty.openpty()
    first = forgetful.start("down", stdin=follower, stdout=follower, stderr=follower)
    os.close(follower)
    screen = b""
    while b"Type yes:" not in screen:
        screen += os.read(leader, 4096)
    said = forgetful.say("up")
    assert said.code == 4
    assert f"keywright down, process {first.pid}" in said.err
    assert forgetful.say("status").code == 0
    assert forgetful.say("check").code == 0
    os.write(leader, b"yes\n")
    assert first.wait(20) == 0
    os.close(leader)
