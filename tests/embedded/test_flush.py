"""`keywright flush`: says what is lost, keeps a copy that is proven, asks, removes, and proves it."""

import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.embedded.stranger import Person, Said, await_true, end, on_terminal
from tests.ports import free_port

ENGINES = ("", "/usr/bin/redis-server")
MODES = {
    "nothing": ("appendonly = false", "save = []"),
    "append-only": ("appendonly = true", "save = []"),
    "snapshots": ("appendonly = false", 'save = ["900 1"]'),
}


def line_of(program: str) -> tuple[str, ...]:
    """The engine as a line of the file."""
    if program and not os.access(program, os.X_OK):
        pytest.skip("no redis-server here")
    return (f'server = "{program}"',) if program else ()


@pytest.fixture
def full(person: Callable[..., Person]) -> Person:
    """Somebody whose server holds 100 keys and 4 sessions in database 0, and 3 in database 5."""
    one = person(*MODES["append-only"])
    assert one.say("up").code == 0
    one.fill(100)
    one.fill(3, database=5)
    for number in range(4):
        one.ask("SET", f"esabcfg:session:{number}", "x", "EX", "1000")
    return one


def copies(person: Person) -> list[Path]:
    """The good copies of the store, oldest first."""
    return sorted(each.parent for each in (person.state / "copies").glob("*/manifest.json"))


def manifest(copy: Path) -> dict[str, object]:
    """What a copy says of itself."""
    found: dict[str, object] = json.loads((copy / "manifest.json").read_text())
    return found


def flat(said: Said) -> str:
    """All that was said, in one line."""
    return " ".join(said.text.split())


def counts(person: Person) -> dict[str, int]:
    """Keys by database."""
    found = re.findall(r"^(db\d+):keys=(\d+)", str(person.ask("INFO", "keyspace")), re.M)
    return {name: int(keys) for name, keys in found}


def test_it_says_what_would_go_and_leaves_it(full: Person) -> None:
    """Law: a dry run, and a run that nobody confirms, name keys by database, those without a time to live
    and the sessions; exit 0 and 4; every key is there and no copy was begun."""
    said = full.say("flush", "--dry-run")
    assert said.code == 0
    for words in ("all 107 keys of local", "db0 104, db5 3", "103 keys without", "4 sessions"):
        assert words in flat(said), said
    said = full.say("flush")
    assert (said.code, "--yes" in said.err) == (4, True), said
    assert counts(full) == {"db0": 104, "db5": 3}
    assert not (full.state / "copies").exists()


@pytest.mark.parametrize(
    ("mode", "program"),
    [
        ("append-only", ENGINES[0]),
        ("append-only", ENGINES[1]),
        ("snapshots", ENGINES[1]),
        ("nothing", ENGINES[0]),
    ],
)
def test_there_and_back(person: Callable[..., Person], mode: str, program: str) -> None:
    """Law: everything goes, the copy holds all of it, and the commands that are printed bring it back."""
    one = person(*MODES[mode], *line_of(program))
    assert one.say("up").code == 0
    one.fill(100)
    one.fill(3, database=5)
    said = one.say("flush", "--yes")
    assert said.code == 0, said
    assert counts(one) == {}
    [copy] = copies(one)
    assert (manifest(copy)["keys"], manifest(copy)["reason"]) == (103, "flush")
    assert manifest(copy)["databases"] == {"db0": 100, "db5": 3}
    assert {path.stat().st_mode & 0o777 for path in copy.rglob("*") if path.is_file()} == {0o600}
    assert "another client writes and reads" in said.out
    one.ask("SET", "esabcfg:written since", "1")
    [down, command, up] = [line.strip() for line in said.out.splitlines()[-3:]]
    assert one.say(*down.split()[1:]).code == 0
    assert os.system(command) == 0
    assert one.say(*up.split()[1:]).code == 0
    assert counts(one) == {"db0": 100, "db5": 3}


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("nothing", ()),
        ("nothing", ("-n", "5")),
        ("snapshots", ()),
        ("snapshots", ("-n", "5")),
        ("snapshots", ("--pattern", "esabcfg:fill:*", "-n", "5")),
        ("append-only", ("-n", "5")),
    ],
)
def test_a_crash_brings_nothing_back(
    person: Callable[..., Person], mode: str, words: tuple[str, ...]
) -> None:
    """Law: after kill -9 and a start what was flushed is gone, however the data is kept: the snapshot that
    the copy was made of does not stand in for it."""
    one = person(*MODES[mode])
    assert one.say("up").code == 0
    one.fill(100)
    one.fill(3, database=5)
    said = one.say("flush", *words, "--yes")
    assert said.code == 0, said
    [pid] = one.pids()
    time.sleep(1.1)  # the append-only file is synced every second
    end(pid)
    assert one.say("up").code == 0
    kept = {} if mode == "nothing" or not words else {"db0": 100}
    assert counts(one) == kept
    [copy] = copies(one)
    assert manifest(copy)["databases"] == {"db0": 100, "db5": 3}


def test_one_database(full: Person) -> None:
    """Law: -n N removes that one alone; the copy holds all; done again there is nothing to do."""
    said = full.say("flush", "-n", "5", "--yes", "--json")
    assert said.code == 0, said
    report = json.loads(said.out)
    assert (report["removed"], report["left"], report["writes"]) == (3, 0, True)
    assert counts(full) == {"db0": 104}
    assert report["copy"]["keys"] == 107
    said = full.say("flush", "-n", "5")
    assert (said.code, "nothing to remove" in said.out) == (0, True)
    said = full.say("flush", "-n", "99")
    assert (said.code, "they are 0 to 15" in said.err) == (2, True)


def test_a_pattern(full: Person) -> None:
    """Law: only what matches goes, in its database, brackets and bytes of a name included."""
    with full.wire() as wire:
        wire.call("SET", b"esabcfg:odd\xff[1]", "1")
        wire.call("SET", "other:fill:1", "1")
    said = full.say("flush", "--pattern", "esabcfg:fill:*", "--yes", "--no-copy")
    assert said.code == 0, said
    assert counts(full) == {"db0": 6, "db5": 3}
    dry = full.say("flush", "--pattern", "*odd*", "--dry-run")
    assert "\\xff" in dry.out and "1 key that match" in dry.out
    assert full.say("flush", "--pattern", r"esabcfg:odd?\[1\]", "--yes", "--no-copy").code == 0
    assert counts(full)["db0"] == 5
    assert full.say("flush", "--pattern", "").code == 2


def test_killed_in_the_middle_of_a_pattern(full: Person) -> None:
    """Law: SIGKILL while keys go: the first copy holds all, the next run finishes, and its own copy never
    takes the first one's place."""
    full.fill(40_000)
    total = counts(full)["db0"]
    words = ("flush", "--pattern", "esabcfg:fill:*", "--yes")
    for _ in range(2):
        begun = counts(full)["db0"]
        run = full.start(*words)
        await_true(lambda begun=begun: counts(full)["db0"] < begun, "keys go", 40)  # type: ignore[misc]
        end(run.pid)
        run.communicate()
    left = counts(full)["db0"]
    assert 4 < left < total, "it was not killed in the middle"
    assert manifest(copies(full)[0])["databases"] == {"db0": total, "db5": 3}
    said = full.say(*words)
    assert said.code == 0, said
    assert counts(full) == {"db0": 4, "db5": 3}
    assert manifest(copies(full)[0])["databases"] == {"db0": total, "db5": 3}
    assert not (full.state / "flush.json").exists()


def test_killed_while_the_copy_is_taken(full: Person) -> None:
    """Law: killed before the copy is good nothing is gone, and the next run takes its own and finishes."""
    full.ask("CONFIG", "SET", "rdb-key-save-delay", "20000")  # 107 keys take 2 s
    run = full.start("flush", "--yes")
    await_true(lambda: full.info()["rdb_bgsave_in_progress"] == "1", "the snapshot is written", 20)
    end(run.pid)
    run.communicate()
    full.ask("CONFIG", "SET", "rdb-key-save-delay", "0")
    assert counts(full) == {"db0": 104, "db5": 3}
    assert full.say("flush", "--yes").code == 0
    [copy] = copies(full)
    assert (counts(full), manifest(copy)["keys"]) == ({}, 107)


def test_what_cannot_be_copied_is_not_removed(full: Person) -> None:
    """Law: a snapshot that fails ends it with 1 and the server's words; --no-copy is a choice of its own,
    and says that none was kept."""
    blocker = full.state / "data" / "dump.rdb"
    blocker.unlink(missing_ok=True)
    (blocker / "in the way").mkdir(parents=True)
    said = full.say("flush", "--yes")
    assert said.code == 1 and "could not write the snapshot" in said.err, said
    assert counts(full) == {"db0": 104, "db5": 3}
    shutil.rmtree(blocker)
    full.ask("CONFIG", "SET", "stop-writes-on-bgsave-error", "no")
    said = full.say("flush", "--yes", "--no-copy")
    assert (said.code, "no copy was kept" in said.out) == (0, True), said
    assert counts(full) == {} and copies(full) == []


def test_while_others_write(full: Person) -> None:
    """Law: with a writer beside it, it ends well: what was written since is counted, and is no failure."""
    stop = threading.Event()

    def write() -> None:
        with full.wire() as wire:
            number = 0
            while not stop.is_set():
                wire.batch([("SET", f"esabcfg:busy:{number + each}", "x") for each in range(20)])
                number += 20
                time.sleep(0.002)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        said = full.say("flush", "--yes")
    finally:
        stop.set()
        writer.join()
    assert said.code == 0, said
    assert re.search(r"keys were written since|none is left", said.out)
    assert counts(full).get("db5", 0) == 0


def test_a_person_types_yes(full: Person) -> None:
    """Law: on a terminal it asks after it has said what is lost; anything but yes changes nothing."""
    code, screen = on_terminal(full, "flush", answers={"Type yes": "no"})
    assert (code, counts(full)) == (4, {"db0": 104, "db5": 3})
    assert "4 sessions" in screen
    code, screen = on_terminal(full, "flush", answers={"Type yes": "yes"})
    assert (code, counts(full)) == (0, {}), screen


def test_a_replica_is_not_flushed(full: Person, tmp_path: Path) -> None:
    """Law: where the server is a replica it is refused, with the primary's address."""
    port = free_port()
    primary = subprocess.Popen(
        ["redis-server", "--port", str(port), "--save", "", "--dir", str(tmp_path)],
        stdout=subprocess.DEVNULL,
    )
    try:
        full.ask("REPLICAOF", "127.0.0.1", str(port))
        said = full.say("flush", "--yes")
        assert (said.code, f"127.0.0.1:{port}" in said.err) == (4, True), said
    finally:
        full.ask("REPLICAOF", "NO", "ONE")
        primary.send_signal(signal.SIGKILL)
        primary.wait()


def test_who_may_not_is_told_which_command(full: Person) -> None:
    """Law: as a user without the right the missing command is named, and nothing is gone."""
    said = full.say("flush", "--as", "viewer", "--yes", "--no-copy")
    assert said.code == 1 and "viewer may not use FLUSHALL" in said.err, said
    said = full.say("flush", "--as", "viewer", "--yes")
    assert said.code == 1 and "viewer" in said.err, said
    assert counts(full) == {"db0": 104, "db5": 3}
