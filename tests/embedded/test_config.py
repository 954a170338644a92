"""`keywright config`: three sides of a setting, a change with its danger and its undo, no secret ever."""

import json
import os
import re
import shlex
from collections.abc import Callable
from typing import Any

import pytest
from tests.embedded.stranger import Person, Said, on_terminal

ENGINES = ("", "/usr/bin/redis-server")
HASH = re.compile(r"#?[0-9a-f]{64}")


@pytest.fixture(scope="module", params=ENGINES, ids=("valkey", "redis-7.0"))
def owner(request: pytest.FixtureRequest, rooms: Callable[[], Any]) -> Any:
    """Somebody whose server runs for the tests of this file; each sets back what it set."""
    if request.param and not os.access(request.param, os.X_OK):
        pytest.skip("no redis-server here")
    line = (f'server = "{request.param}"',) if request.param else ()
    one = Person(rooms() / "p", 'maxmemory = "64mb"', "appendonly = true", *line)
    assert one.say("up").code == 0
    yield one
    one.leave()


@pytest.fixture(autouse=True)
def as_before(owner: Person) -> Any:
    """After each test the server says what it said before."""
    before = everything(owner)
    yield
    owner.ask("FLUSHALL")
    for name, value in everything(owner).items():
        if before[name] != value:
            owner.ask("CONFIG", "SET", name, before[name])
    assert everything(owner) == before


def everything(person: Person) -> dict[str, str]:
    """CONFIG GET *."""
    reply: list[str] = person.ask("CONFIG", "GET", "*")  # type: ignore[assignment]
    return dict(zip(reply[::2], reply[1::2], strict=True))


def sides(person: Person, *patterns: str) -> dict[str, dict[str, Any]]:
    """What `config get --json` says, by name."""
    said = person.say("config", "get", *patterns, "--json")
    assert said.code == 0, said
    return {each["name"]: each for each in json.loads(said.out)["settings"]}


def flat(said: Said) -> str:
    """All that was said, in one line."""
    return " ".join(said.text.split())


def test_three_sides_in_one_spelling(owner: Person) -> None:
    """Law: 64mb in the file and 67108864 of the server are the same; what differs is marked, on its side."""
    row = sides(owner, "maxmemory")["maxmemory"]
    assert (row["live"], row["disk"], row["declared"]) == ("67108864",) * 3
    assert row["differs"] is False
    owner.ask("CONFIG", "SET", "maxmemory", "100mb")
    row = sides(owner, "maxmemory")["maxmemory"]
    assert (row["live"], row["disk"], row["differs"]) == ("104857600", "67108864", True)
    said = owner.say("config", "get", "maxmemory")
    assert "≠ maxmemory" in said.out and "104857600 (100 MiB)" in said.out


def test_without_a_pattern_it_is_what_the_file_names(owner: Person) -> None:
    """Law: the plan's settings, all of them, and with '*' everything that the server has."""
    few, all_of_them = sides(owner), sides(owner, "*")
    assert {"maxmemory", "appendonly", "save", "aclfile"} <= set(few)
    assert len(all_of_them) > 3 * len(few)
    assert set(few) <= set(all_of_them)


@pytest.mark.parametrize("verb", ["get", "set"])
def test_an_unknown_name_is_told_the_nearest(owner: Person, verb: str) -> None:
    """Law: exit 2, and the name that was meant."""
    said = owner.say("config", verb, "maxmemroy-policy", *(("1",) if verb == "set" else ()))
    assert (said.code, "maxmemory-policy?" in said.err) == (2, True), said


def test_secrets_are_hidden_on_every_side(owner: Person) -> None:
    """Law: neither a password nor a hash is shown, however it is asked for."""
    owner.ask("CONFIG", "SET", "masterauth", "hunter2hunter2")
    for words in (
        ("config", "get", "*"),
        ("config", "get", "*", "--json"),
        ("config", "get", "masterauth"),
    ):
        said = owner.say(*words)
        assert said.code == 0
        assert "hunter2" not in said.text and not HASH.search(said.text)
        assert "(hidden)" in said.out
    owner.ask("CONFIG", "SET", "masterauth", "")


def test_what_is_declared_is_changed_in_the_file(owner: Person) -> None:
    """Law: refused with the line to write; written there, `up` does it."""
    said = owner.say("config", "set", "maxmemory", "80mb")
    assert said.code == 4, said
    toml = (owner.project / "keywright.toml").read_text()
    number = toml.splitlines().index('maxmemory = "64mb"') + 1
    assert f'line {number} of keywright.toml: maxmemory = "80mb"; then `keywright up`' in said.err
    assert owner.info()["maxmemory"] == "67108864"
    said = owner.say("config", "set", "slowlog-log-slower-than", "20000")
    [text, table] = re.findall(r"keywright.toml: (.*) under (\[.*?\])", said.err)[0]
    try:
        (owner.project / "keywright.toml").write_text(toml.replace(table, f"{table}\n{text}", 1))
        assert owner.say("up").code == 0
        assert owner.ask("CONFIG", "GET", "slowlog-log-slower-than") == [
            "slowlog-log-slower-than",
            "20000",
        ]
    finally:
        (owner.project / "keywright.toml").write_text(toml)
        assert owner.say("up", "--quiet").code == 0


def test_live_only_is_drift_that_up_undoes(owner: Person) -> None:
    """Law: it is set now, said to be drift, seen by `diff`, and set back by `up` and by the undo command."""
    said = owner.say("config", "set", "maxmemory-policy", "noeviction", "--live-only")
    assert said.code == 0, said
    assert "drift" in said.out
    assert owner.info()["maxmemory_policy"] == "noeviction"
    assert "maxmemory-policy" in owner.say("diff").text
    undo = re.search(r"undo +keywright (.*)", said.out)
    assert undo is not None
    assert owner.say(*shlex.split(undo[1])).code == 0
    assert owner.info()["maxmemory_policy"] == "allkeys-lru"


def test_what_nobody_declares_is_set_and_can_be_undone(owner: Person) -> None:
    """Law: set live, said how long it lasts and how to keep it; the undo command undoes it."""
    before = owner.ask("CONFIG", "GET", "hz")
    said = owner.say("config", "set", "hz", "33")
    assert said.code == 0, said
    assert "until the next restart" in said.out and "[env.local.settings]" in flat(said)
    assert owner.ask("CONFIG", "GET", "hz") == ["hz", "33"]
    undo = re.search(r"undo +keywright (.*)", said.out)
    assert undo is not None
    assert owner.say(*shlex.split(undo[1])).code == 0
    assert owner.ask("CONFIG", "GET", "hz") == before


@pytest.mark.parametrize(
    ("name", "value", "code", "words"),
    [
        ("maxmemory", "12parsec", 2, "needs a size"),
        ("hz", "often", 2, "whole number"),
        ("lfu-log-factor", "-5", 1, "the server refuses"),
        ("databases", "20", 4, "cannot be changed while the server runs"),
        ("databases", "20", 4, "`keywright up` restarts it"),
        ("logfile", "/tmp/x", 4, "cannot be changed while the server runs"),
        ("requirepass", "hunter2", 4, "password rotate"),
        ("masterauth", "hunter2", 4, "is a secret"),
    ],
)
def test_what_cannot_be_set_is_said_before(
    owner: Person, name: str, value: str, code: int, words: str
) -> None:
    """Law: a sentence and what to do; nothing is changed, and what might be a secret is not repeated."""
    before = owner.ask("CONFIG", "GET", name)
    said = owner.say("config", "set", name, value)
    assert (said.code, words in said.err) == (code, True), said
    assert "hunter2" not in said.text
    assert owner.ask("CONFIG", "GET", name) == before


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("appendonly", "no", "append-only file no more"),
        ("protected-mode", "no", "answers everybody"),
        ("bind", "127.0.0.1", "may not come back"),
        ("maxclients", "1", "clients are connected"),
        ("stop-writes-on-bgsave-error", "no", "snapshots fail"),
    ],
)
def test_danger_is_named_and_asked(owner: Person, name: str, value: str, words: str) -> None:
    """Law: without a terminal and without --yes exit 4 with the danger named, and nothing changed; a dry
    run says it too."""
    before = owner.ask("CONFIG", "GET", name)
    if name == "maxclients":
        with owner.wire(), owner.wire():
            said = owner.say("config", "set", name, value, "--live-only")
    else:
        said = owner.say("config", "set", name, value, "--live-only")
    assert (said.code, words in said.err) == (4, True), said
    dry = owner.say("config", "set", name, value, "--live-only", "--dry-run")
    assert dry.code == 0 and (name == "maxclients" or words in flat(dry)), dry
    assert owner.ask("CONFIG", "GET", name) == before


def test_less_memory_than_is_used_says_what_goes(owner: Person) -> None:
    """Law: how much would be evicted and about how many keys; with noeviction that writes are refused;
    --yes does it, and then about so many are gone."""
    owner.fill(2000, 5000)
    said = owner.say("config", "set", "maxmemory", "5mb", "--live-only")
    found = re.search(r"([\d.]+) MiB are evicted at once, some (\d+) keys", said.err)
    assert said.code == 4 and found, said
    owner.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")
    said = owner.say("config", "set", "maxmemory", "5mb", "--live-only")
    assert said.code == 4 and "every write is refused" in said.err, said
    owner.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    assert owner.ask("DBSIZE") == 2000
    assert owner.say("config", "set", "maxmemory", "5mb", "--live-only", "--yes").code == 0
    gone = 2000 - int(str(owner.ask("DBSIZE")))
    assert 0.5 * int(found[2]) < gone <= 2000


def test_a_person_answers_yes(owner: Person) -> None:
    """Law: on a terminal it asks; another word than yes changes nothing."""
    words = ("config", "set", "protected-mode", "no", "--live-only")
    code, screen = on_terminal(owner, *words, answers={"Go on?": "perhaps"})
    assert (code, owner.ask("CONFIG", "GET", "protected-mode")) == (4, ["protected-mode", "yes"])
    code, screen = on_terminal(owner, *words, answers={"Go on?": "yes"})
    assert code == 0, screen
    assert owner.ask("CONFIG", "GET", "protected-mode") == ["protected-mode", "no"]


def test_a_rendered_redis_conf_is_not_rewritten(owner: Person) -> None:
    """Law: refused with the way that is right; the file keeps every byte."""
    conf = owner.state / "redis.conf"
    before = conf.read_bytes()
    said = owner.say("config", "rewrite", "--yes")
    assert (said.code, "keywright diff" in said.err) == (4, True), said
    assert conf.read_bytes() == before


def test_counters_begin_anew_when_asked(owner: Person) -> None:
    """Law: it asks; with --yes the counters are small again."""
    for _ in range(50):
        owner.ask("PING")
    assert owner.say("config", "reset-stat").code == 4
    assert int(owner.info()["total_commands_processed"]) > 50
    assert owner.say("config", "reset-stat", "--yes").code == 0
    assert int(owner.info()["total_commands_processed"]) < 50


def test_a_found_server_rewrites_its_own_file(person: Callable[..., Person]) -> None:
    """Law: where redis.conf is the server's own, a copy is kept first, what changed is shown without a
    secret, and that users stand in it now is said; without a yes nothing is touched."""
    from tests.embedded.test_takeover import PASSWORD, VARIABLE, Found

    one = person('server = "/usr/bin/redis-server"', VARIABLE)
    one.environ["REDIS_PASSWORD"] = PASSWORD
    found = Found(one, "/usr/bin/redis-server", f'requirepass "{PASSWORD}"')
    with found.wire() as wire:
        wire.call("CONFIG", "SET", "maxmemory-policy", "volatile-lru")
        wire.call("ACL", "SETUSER", "guest", "on", ">secretword", "+get")
    before = found.conf.read_bytes()
    assert one.say("config", "rewrite").code == 4
    assert one.say("config", "rewrite", "--dry-run").code == 0
    assert found.conf.read_bytes() == before
    said = one.say("config", "rewrite", "--yes")
    assert said.code == 0, said
    assert "maxmemory-policy" in said.out and "volatile-lru" in said.out
    assert "(hidden)" in said.out and "users stand there now" in said.out
    assert (
        "secretword" not in said.text and PASSWORD not in said.text and not HASH.search(said.text)
    )
    [copy] = found.conf.parent.glob("redis.conf.*.keywright")
    assert copy.read_bytes() == before and copy.stat().st_mode & 0o777 == 0o600
    assert b"volatile-lru" in found.conf.read_bytes()
