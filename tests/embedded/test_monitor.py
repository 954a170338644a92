"""`keywright monitor`: for a while, what is wanted, nothing secret, and what it adds up to."""

import json
from collections.abc import Callable

from tests.embedded.stranger import Person, await_true
from tests.embedded.typist import Typist, ended

from keywright_ops.actions.monitor import GUARDED


def listening(person: Person) -> bool:
    """Whether a monitor is on."""
    return "cmd=monitor" in str(person.ask("CLIENT", "LIST"))


def watched(person: Person, *words: str, play: Callable[[Person], None]) -> tuple[int, str, str]:
    """What `keywright monitor WORDS` says while something is played; the play ends it by `--limit`."""
    child = person.start("monitor", *words)
    await_true(lambda: listening(person) or child.poll() is not None, "it listens")
    if child.poll() is None:
        play(person)
    code, out, err = ended(child)
    assert "Traceback" not in out + err
    return code, out, err


def played(person: Person) -> None:
    """An application's connection, with secrets and values."""
    with person.wire("default") as wire:
        wire.call("CLIENT", "SETNAME", "app")
        wire.batch(
            [
                ("SET", "esabcfg:session:4f2a99bc", "private-value"), ("GET", "esabcfg:session:00aa00bb"),
                ("GET", b"esabcfg:\x00\xff"), ("PING",), ("SELECT", "3"),
                ("HSET", "esabcfg:h", "f", "private-value"),
                ("HELLO", "2", "AUTH", "nobody", "wrong-secret"), ("DEL", "esabcfg:a", "esabcfg:b"),
            ]
        )  # fmt: skip


def test_what_is_seen(neighbour: Person) -> None:
    """Law: each command with client and database; no secret, no value; Keywright's own are left out."""
    code, out, err = watched(
        neighbour,
        "--for",
        "20s",
        "--limit",
        "9",
        "--client",
        "app",
        "--exclude",
        "AUTH",
        play=played,
    )
    assert code == 0, err
    assert "a sixth of its speed" in err
    lines = out.split("\n\n")[0].splitlines()
    assert [line.split("  ", 2)[1:] for line in lines] == [
        ["app", "CLIENT SETNAME app"],
        ["app", "SET esabcfg:session:4f2a99bc …"],
        ["app", "GET esabcfg:session:00aa00bb"],
        ["app", 'GET "esabcfg:\\x00\\xff"'],
        ["app", "PING"],
        ["app db3", "SELECT 3"],
        ["app db3", "HSET esabcfg:h …"],
        ["app db3", "HELLO 2 AUTH (redacted) ••••••"],
        ["app db3", "DEL esabcfg:a esabcfg:b"],
    ]
    assert "private-value" not in out
    assert "wrong-secret" not in out
    assert "keywright" not in out


def test_the_summary(neighbour: Person) -> None:
    """Law: the counts are of all that was wanted, also of what was not shown."""
    code, out, _ = watched(
        neighbour,
        "--for",
        "20s",
        "--json",
        "--key",
        "esabcfg:*",
        "--every",
        "2",
        "--limit",
        "3",
        play=played,
    )
    *lines, last = (json.loads(line) for line in out.splitlines())
    assert code == 0
    assert [each["command"] for each in lines] == ["SET", "GET", "DEL"]
    assert lines[0]["arguments"] == ["esabcfg:session:4f2a99bc", "…"]
    assert (lines[0]["name"], lines[0]["database"], lines[2]["database"]) == ("app", 0, 3)
    assert last["schema"] == "keywright/monitor/1"
    assert (last["count"], last["shown"], last["ended"]) == (5, 3, "limit")
    assert last["commands"] == {"GET": 2, "SET": 1, "HSET": 1, "DEL": 1}
    assert last["keys"]["esabcfg:session:*"] == 2
    assert last["clients"] == {"app": 5}


def test_filters(neighbour: Person) -> None:
    """Law: command, exclusion, client and database filter; --values shows what is written."""
    words = ["--for", "20s", "--json", "--command", "set,hset,get", "--exclude", "GET", "-n", "3"]
    _, out, _ = watched(
        neighbour, *words, "--client", "app", "--values", "--limit", "1", play=played
    )
    first = json.loads(out.splitlines()[0])
    assert (first["command"], first["arguments"]) == ("HSET", ["esabcfg:h", "f", "private-value"])


def test_it_ends_by_itself(neighbour: Person) -> None:
    """Law: without anything to see it ends when its time is over, and no monitor is left."""
    said = neighbour.say("monitor", "--for", "500ms")
    assert said.code == 0
    assert "0 commands in 0." in said.out
    await_true(lambda: not listening(neighbour), "the connection is closed")


def test_ctrl_c_ends_it_well(neighbour: Person) -> None:
    """Law: Ctrl-C gives the summary, and exit 0."""
    with Typist(neighbour, "monitor", "--for", "60s") as typist:
        await_true(lambda: listening(neighbour), "it listens")
        played(neighbour)
        typist.await_text("DEL esabcfg:a")
        typist.type("\x03")
        typist.await_text("(ended by you)")
        assert typist.leave() == 0


def test_wrong_words(neighbour: Person) -> None:
    """Law: a time that is none, too long, or nothing is said before anything is sent."""
    for words in (
        ["--for", "soon"],
        ["--for", "2h"],
        ["--for", "0s"],
        ["--limit", "0"],
        ["--every", "0"],
    ):
        said = neighbour.say("monitor", *words)
        assert said.code == 2, words
        assert said.err.startswith("keywright: --"), words


def test_who_may_not(neighbour: Person) -> None:
    """Law: a user without the right is told so, and what else there is."""
    said = neighbour.say("monitor", "--as", "viewer", "--for", "1s")
    assert said.code == 1
    assert "user viewer may not use MONITOR" in said.err


def test_in_production_it_asks(person: Callable[..., Person]) -> None:
    """Law: on a managed service it is refused without --yes before anything is sent; and a service that
    does not allow it is named, with what to use instead."""
    somebody = person(more='[env.azure]\nkind = "azure"\napp.host = "127.0.0.1"\n')
    said = somebody.say("monitor", "-e", "azure", environ={"REDIS_PASSWORD": "x"})
    assert said.code == 4, said
    assert "azure is in production" in said.err
    assert "keywright slowlog" in said.err
    assert set(GUARDED) == {"docker-prod", "systemd", "azure", "aws"}


def test_a_busy_server_is_kept_up_with(neighbour: Person) -> None:
    """Law: what 30,000 commands at once bring is read to the last, and counted exactly."""

    def much(person: Person) -> None:
        with person.wire("default") as wire:
            for _ in range(30):
                wire.batch([("GET", f"esabcfg:user:{number}") for number in range(1000)])
            wire.call("ECHO", "over")

    # the last one is shown alone: --limit ends it there
    words = ["--for", "30s", "--json", "--every", "30000", "--limit", "2", "--command", "GET,ECHO"]
    code, out, err = watched(neighbour, *words, play=much)
    last = json.loads(out.splitlines()[-1])
    assert (code, last["ended"]) == (0, "limit"), err
    assert last["commands"] == {"GET": 30000, "ECHO": 1}
    assert last["keys"] == {"esabcfg:user:*": 30000}


def test_it_needs_a_server(stranger: Person) -> None:
    """Law: without a server it is exit 3, in one sentence."""
    assert stranger.say("monitor").code == 3
