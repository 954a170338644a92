"""`keywright analyze` on real servers: what it says is what a naive count says."""

import csv
import io
import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.embedded.stranger import Person, await_true, end
from tests.embedded.test_engines import ENGINES
from tests.ports import free_port

from keywright.endpoint import Endpoint
from keywright.secret import Secret
from keywright.wire import Wire
from keywright_ops.facts.glob import parse_glob

BINARY = [
    b"bin:\xff\xfe\r\n:1",
    b"bin:\x00:2",
    "bin:café:3".encode(),
    b"bin: ",
    b"",
    b"back\\slash",
]
INTERRUPTED = 130


def raw(person: Person, database: int = 0) -> Wire:
    """A connection that answers bytes."""
    secret = Secret(person.secrets["admin"])
    place = Endpoint(
        port=person.port, username="admin", password=secret, database=database, timeout=30
    )
    return Wire(place, raw=True)


def furnish(person: Person, count: int = 3000) -> None:
    """A mixed keyspace: six types, half with a TTL, one large key, names that are no text."""
    dice = random.Random(1)
    with raw(person) as wire:
        for first in range(0, count, 500):
            wire.batch([_command(number, dice) for number in range(first, first + 500)])
        wire.batch([("SET", name, "x") for name in BINARY])
        wire.call("HSET", "big:one", *[word for n in range(5000) for word in (f"f{n}", "v" * 20)])


def _command(number: int, dice: random.Random) -> tuple[Any, ...]:
    ttl = dice.randrange(3600, 10**6)
    return (
        ("SET", f"session:{dice.getrandbits(128):032x}", "s" * dice.randrange(500), "EX", ttl),
        ("HSET", f"user:{number}:profile", "name", "n" * (number % 90)),
        ("SADD", f"user:{number}:roles", "reader", "writer"),
        ("RPUSH", f"queue:{number}", "job"),
        ("ZADD", f"board:{number}", 1, "one"),
        ("XADD", f"events:{number}", "*", "kind", "login"),
        ("SET", f"lock:{number}", "t", "EX", ttl),
    )[number % 7]


def naive(person: Person, pattern: bytes = b"*") -> dict[str, Any]:
    """One question after the other: KEYS, and of each TYPE, PTTL and MEMORY USAGE."""
    with raw(person) as wire:
        keys = wire.call("KEYS", pattern)
        kinds = wire.batch([("TYPE", key) for key in keys])
        ttls = wire.batch([("PTTL", key) for key in keys])
        sizes = wire.batch([("MEMORY", "USAGE", key) for key in keys])
    return {
        "keys": len(keys),
        "bytes": sum(sizes),
        "keys_without_ttl": sum(ttl == -1 for ttl in ttls),
        "types": dict(Counter(kind.decode() for kind in kinds)),
    }


def seen(report: dict[str, Any]) -> dict[str, Any]:
    """The same of a report."""
    found = {name: report[name] for name in ("keys", "bytes", "keys_without_ttl")}
    return found | {"types": {each["type"]: each["keys"] for each in report["types"]}}


def told(person: Person, *words: str) -> dict[str, Any]:
    """What the command says, as JSON."""
    said = person.say("analyze", "--json", *words)
    assert said.code == 0, said
    report: dict[str, Any] = json.loads(said.out)
    return report


@pytest.fixture(scope="module")
def full(neighbour: Person) -> Person:
    """A person whose keyspace is mixed, and stays as it is."""
    furnish(neighbour)
    return neighbour


@pytest.mark.parametrize("engine", ["redis-7.0", "valkey-9.1", "redis-6.2", "redis-8.2"])
def test_it_counts_what_is_there(person: Callable[..., Person], engine: str) -> None:
    """Law: keys, bytes, types and keys without TTL are those of a naive count, on every engine."""
    program = ENGINES[engine][0]
    if not os.access(program, os.X_OK):
        pytest.skip(f"{program} is not here")
    one = person(f'server = "{program}"', "appendonly = false")
    assert one.say("up").code == 0
    empty = told(one)
    assert (empty["keys"], empty["prefixes"], empty["finished"]) == (0, [], True)
    assert "no key" in one.say("analyze").out
    furnish(one, 1500)
    expected = naive(one)
    assert seen(told(one, "--full-speed")) == expected
    assert seen(told(one, "--pace", "90", "--as", "viewer", "--encodings")) == expected
    part = told(one, "user:*", "--full-speed")
    assert seen(part) == naive(one, b"user:*")
    assert part["biggest"][0]["key"].startswith("user:")


def test_prefixes_types_and_lifetimes(full: Person) -> None:
    """Law: prefixes are told as a tree of patterns, the biggest key by name, lifetimes by their bounds."""
    report = told(full, "--full-speed", "--top", "0")
    by_pattern = {each["pattern"]: each["keys"] for each in report["prefixes"]}
    expected = naive(full, b"user:*:roles")["keys"]
    assert by_pattern["user:*:roles"] == expected
    assert by_pattern["user:*:*"] == naive(full, b"user:*")["keys"]
    assert report["biggest"][0]["key"] == "big:one"
    assert report["biggest"][0]["ttl_ms"] is None
    assert (
        sum(each["keys"] for each in report["lifetimes"])
        == report["keys"] - report["keys_without_ttl"]
    )
    assert [each["keys"] for each in report["lifetimes"][:3]] == [
        0,
        0,
        0,
    ]  # all live for an hour or more


def test_the_biggest_key_is_weighed_again(full: Person) -> None:
    """Law: a biggest key's size is that of MEMORY USAGE with 50 samples."""
    with raw(full) as wire:
        expected = wire.call("MEMORY", "USAGE", "big:one", "SAMPLES", 50)
    assert told(full, "big:*")["biggest"][0]["bytes"] == expected


def test_names_that_are_no_text(full: Person) -> None:
    """Law: names of any bytes are counted and shown so that they can be typed back."""
    report = told(full, r"bin:*", "--full-speed")
    assert report["keys"] == 4
    shown = {each["key"] for each in report["biggest"]}
    assert shown == {r"bin:\xff\xfe\r\n:1", r"bin:\x00:2", "bin:café:3", r"bin:\x20"}
    assert told(full, r"bin:\xff*")["keys"] == 1


@pytest.mark.parametrize(
    "pattern",
    ["*", "user:*", "user:?", "[qb]*", "[^u]*", "[a-e]*:1*", "*:\\*", "nothing", "**r*o*"],
)
def test_patterns_mean_what_the_server_says(full: Person, pattern: str) -> None:
    """Law: where we match by ourselves, we match what the server matches."""
    with raw(full) as wire:
        every, expected = wire.call("KEYS", "*"), wire.call("KEYS", pattern)
    matches = parse_glob(pattern).fullmatch
    assert sorted(key for key in every if matches(key)) == sorted(expected)


def test_a_sample_says_how_far_it_may_be_off(full: Person) -> None:
    """Law: shares of a sample are within twice their stated error, and the biggest keys are not told."""
    truth = {
        each["pattern"]: each["keys"]
        for each in told(full, "--full-speed", "--top", "0")["prefixes"]
    }
    report = told(full, "--sample", "1000", "--top", "0")
    assert report["sample"]["read"] == 1000
    assert 2 < report["sample"]["margin_points"] < 3.5
    assert report["biggest"] == []
    wrong = [
        each["pattern"]
        for each in report["prefixes"]
        if abs(each["share"] - truth[each["pattern"]] / sum_of(full)) > 2 * each["margin"]
    ]
    assert wrong == []
    said = full.say("analyze", "--sample", "1000")
    assert "cannot come from a sample" in " ".join(said.out.split())


def sum_of(person: Person) -> int:
    """How many keys there are."""
    return int(str(person.ask("DBSIZE")))


def test_a_sample_of_a_pattern(full: Person) -> None:
    """Law: of a pattern a sample tells which share of all keys it is."""
    report = told(full, "user:*", "--sample", "1500")
    share = sum(each["share"] for each in report["prefixes"] if each["pattern"] == "user:*:*")
    truth = naive(full, b"user:*")["keys"] / sum_of(full)
    assert abs(share - truth) < 2 * 0.025
    assert {each["pattern"] for each in report["prefixes"]} <= {
        "user:*:*",
        "user:*:roles",
        "user:*:profile",
    }


def test_a_sample_of_most_keys_is_a_whole_pass(full: Person) -> None:
    """Law: who wants as many keys as there are gets all of them, and no error."""
    report = told(full, "--sample", "100000")
    assert report["sample"] is None
    assert report["keys"] == sum_of(full)


def interrupt(person: Person, *words: str, after: float) -> tuple[int, str, str]:
    """Press Ctrl-C in a pass that would take some seconds more."""
    child = person.start("analyze", *words)
    time.sleep(after)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=20)
    assert "Traceback" not in err
    return child.returncode, out, err


def test_interrupted_and_resumed_is_as_if_it_never_was(full: Person) -> None:
    """Law: Ctrl-C shows what was read, ends with 130 and says how to go on; resumed it is complete and exact.

    What is kept is its owner's alone, and is gone when the pass has ended.
    """
    code, out, err = interrupt(full, "--pace", "0.2", "--json", after=1.0)
    assert code == INTERRUPTED
    assert "--resume goes on there" in err
    part = json.loads(out)
    assert not part["finished"]
    assert 0 < part["keys"] < sum_of(full)
    kept = full.state / "analysis.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    said = full.say("analyze", "user:*", "--resume")
    assert (said.code, "had another pattern" in said.err) == (2, True)
    code, out, _ = interrupt(full, "--pace", "0.2", "--json", "--resume", after=1.0)
    assert code == INTERRUPTED
    assert json.loads(out)["keys"] >= part["keys"]
    whole = told(full, "--resume", "--full-speed")
    assert whole["resumed"]
    assert whole["finished"]
    fresh = told(full, "--full-speed")
    for name in ("keys", "bytes", "types", "prefixes", "keys_without_ttl", "biggest"):
        if name == "biggest":
            assert [each["key"] for each in whole[name]][:1] == [
                each["key"] for each in fresh[name]
            ][:1]
        else:
            assert whole[name] == fresh[name], name
    assert not kept.exists()
    said = full.say("analyze", "--resume")
    assert (said.code, said.err.splitlines()[0]) == (
        2,
        "keywright: no analysis was interrupted here",
    )


def test_a_restarted_server_is_not_gone_on_with(person: Callable[..., Person]) -> None:
    """Law: the cursor of a server that was restarted since is refused: its keys lie in another order."""
    one = person()
    assert one.say("up").code == 0
    furnish(one, 2000)
    assert interrupt(one, "--pace", "0.2", after=1.0)[0] == INTERRUPTED
    assert one.say("restart", "--yes").code == 0
    said = one.say("analyze", "--resume")
    assert (said.code, "was restarted" in said.err) == (2, True)
    (one.state / "analysis.json").write_text("{")
    said = one.say("analyze", "--resume")
    assert (said.code, "damaged" in said.err) == (2, True)
    assert told(one, "--full-speed")["finished"]


def test_a_server_that_goes_away_in_the_middle(person: Callable[..., Person]) -> None:
    """Law: when the server ends in the middle, the exit code is 3 and what was read is kept."""
    one = person()
    assert one.say("up").code == 0
    furnish(one, 2000)
    child = one.start("analyze", "--pace", "0.2")
    time.sleep(1.0)
    for pid in one.pids():
        end(pid)
    _, err = child.communicate(timeout=20)
    assert (child.returncode, "Traceback" in err) == (3, False)
    assert "--resume" in err
    assert (one.state / "analysis.json").exists()


@pytest.fixture
def replica(full: Person, rooms: Callable[[], Path]) -> Iterator[int]:
    """A replica of the neighbour's server, with the same users; its port."""
    folder, port = rooms(), free_port()
    full.ask("CONFIG", "SET", "repl-diskless-sync-delay", "0")
    shutil.copy(full.state / "users.acl", folder)
    program = str(
        full.ask("CONFIG", "GET", "dir") and Path(f"/proc/{full.pids()[0]}/exe").resolve()
    )
    argv = [program, "--port", str(port), "--dir", str(folder), "--aclfile", f"{folder}/users.acl"]
    argv += ["--replicaof", f"127.0.0.1 {full.port}", "--save", ""]
    argv += ["--masteruser", "admin", "--masterauth", full.secrets["admin"]]
    child = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        await_true(lambda: _linked(full, port), "the replica has the data", 30)
        yield port
    finally:
        child.kill()
        child.wait()


def _linked(person: Person, port: int) -> bool:
    online = "state=online" in person.info().get("slave0", "")
    return online and person.info(port=port).get("master_link_status") == "up"


def test_from_a_replica(full: Person, replica: int) -> None:
    """Law: --replica asks the replica that INFO names, with the same users, and finds the same keys."""
    report = told(full, "--replica", "--full-speed")
    assert (report["source"], report["place"]) == ("replica", f"127.0.0.1:{replica}")
    assert report["keys"] == sum_of(full)
    assert int(full.info(port=replica)["cmdstat_scan"].partition("calls=")[2].partition(",")[0]) > 2


def test_without_a_replica(full: Person) -> None:
    """Law: --replica without one is refused, and says what to do."""
    said = full.say("analyze", "--replica")
    assert (said.code, "no replica that is online" in said.err) == (2, True)


def test_from_a_dump(full: Person, tmp_path: Path) -> None:
    """Law: a dump tells the same keys, types and lifetimes as its server; its bytes are no memory."""
    full.ask("SAVE")
    (dump,) = [path for path in full.state.rglob("*.rdb") if "base" not in path.name]
    copy = tmp_path / "copy.rdb"
    shutil.copy(dump, copy)
    live = told(full, "--full-speed", "--top", "0")
    report = told(full, str(copy), "-n", "0", "--top", "0")  # of the same database
    for name in ("keys", "keys_without_ttl"):
        assert report[name] == live[name]
    count = {each["type"]: each["keys"] for each in live["types"]}
    assert {each["type"]: each["keys"] for each in report["types"]} == count
    patterns = {each["pattern"]: each["keys"] for each in live["prefixes"]}
    assert {each["pattern"]: each["keys"] for each in report["prefixes"]} == patterns
    assert [each["keys"] for each in report["lifetimes"]] == [
        each["keys"] for each in live["lifetimes"]
    ]
    assert report["measure"] == "serialised"
    assert report["biggest"][0]["key"] == "big:one"
    assert "serialised size" in full.say("analyze", str(copy)).out
    assert told(full, str(copy), "user:*", "-n", "0")["keys"] == naive(full, b"user:*")["keys"]


def test_dumps_that_are_none(full: Person, tmp_path: Path) -> None:
    """Law: a file that is missing, empty, damaged or no dump is one sentence and exit code 2."""
    empty, rubbish = tmp_path / "empty.rdb", tmp_path / "rubbish.rdb"
    empty.touch()
    rubbish.write_bytes(b"hello" * 100)
    for path in (tmp_path / "none.rdb", empty, rubbish, tmp_path):
        said = full.say("analyze", str(path) if path.suffix else f"{path}/../x.rdb")
        assert said.code == 2, said
        assert said.err.startswith("keywright: ")


def test_csv_has_the_same_numbers(full: Person) -> None:
    """Law: CSV is one table whose sums are those of JSON; an escaped name is one field."""
    said = full.say("analyze", "--csv", "--full-speed")
    rows = list(csv.DictReader(io.StringIO(said.out)))
    report = told(full, "--full-speed")
    (every,) = [row for row in rows if row["section"] == "all"]
    assert (int(every["keys"]), int(every["bytes"])) == (report["keys"], report["bytes"])
    types = {row["name"]: int(row["keys"]) for row in rows if row["section"] == "type"}
    assert types == {each["type"]: each["keys"] for each in report["types"]}


def test_it_fits_eighty_columns(full: Person) -> None:
    """Law: what people read is at most 80 columns wide, whatever the names."""
    with raw(full, 3) as wire:
        wire.batch([("SET", "n" * 300 + ":x", "1"), ("SET", "w:" + "é" * 200, "1")])
    for words in ((), ("--sample", "500"), ("-n", "3"), ("--encodings",)):
        said = full.say("analyze", "--full-speed", *words)
        assert said.code == 0, said
        assert [line for line in said.out.splitlines() if len(line) > 80] == []


def test_a_user_who_may_not(full: Person) -> None:
    """Law: a user who lacks a right is told which, exit code 1."""
    said = full.say("analyze", "--as", "health")
    assert (said.code, said.err.splitlines()[0]) == (1, "keywright: user health may not use SCAN")


def test_keys_that_a_user_may_not_see_are_counted(full: Person) -> None:
    """Law: keys outside a user's patterns are told as such, none is taken for another."""
    report = told(full, "--as", "appuser", "--full-speed")
    assert report["keys"] == 0
    assert report["hidden"] == sum_of(full)
