"""`keywright down --volumes`: asks, keeps a copy that is proven to load, and only then removes the data."""

import json
import os
import re
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.embedded.stranger import Person, on_terminal
from tests.embedded.test_not_its_own import root_only

from keywright.errors import KeywrightError

MODES = {
    "append-only": ("appendonly = true", "save = []"),
    "snapshots": ("appendonly = false", 'save = ["900 1"]'),
    "memory only": ("appendonly = false", "save = []"),
}
KEPT = {
    "choices.json",
    "copies",
    "journal.jsonl",
    "redis.conf",
    "server.log",
    "users.acl",
    "vault.json",
}


@pytest.fixture(params=MODES)
def full(request: pytest.FixtureRequest, person: Callable[..., Person]) -> Person:
    """Somebody whose server holds 100 keys in database 0 and 3 in database 5."""
    one = person(*MODES[request.param])
    assert one.say("up").code == 0
    one.fill(100)
    one.fill(3, database=5)
    return one


def copies(person: Person) -> list[Path]:
    """The folders of the store, oldest first."""
    return sorted((person.state / "copies").iterdir())


def put_back(person: Person) -> None:
    """What the command says, by hand: copy the newest copy to where the data was."""
    shutil.copytree(copies(person)[-1] / "data", person.state / "data")


def test_there_and_back(full: Person) -> None:
    """Law: the data is gone, a closed and complete copy is there, and put back it is served again."""
    secrets = full.secrets
    said = full.say("down", "--volumes", "--yes")
    assert said.code == 0, said
    assert "103 keys (db0 100, db5 3)" in said.out
    assert full.pids() == []
    assert {path.name for path in full.state.iterdir()} & {"data", "proofs.json"} == set()
    assert {path.name for path in full.state.iterdir()} >= KEPT
    [copy] = copies(full)
    manifest = json.loads((copy / "manifest.json").read_text())
    assert (manifest["schema"], manifest["keys"], manifest["reason"]) == (1, 103, "down --volumes")
    assert manifest["databases"] == {"db0": 100, "db5": 3}
    assert manifest["engine"] == "valkey"
    assert {path.stat().st_mode & 0o777 for path in copy.rglob("*") if path.is_file()} == {0o600}
    [commands] = re.findall(r"\n +(cp -a .*)\n +keywright up\n", said.out)
    assert os.system(commands) == 0
    assert full.say("up").code == 0
    assert full.ask("DBSIZE") == 100
    assert full.info()["db5"].startswith("keys=3,")
    assert full.secrets == secrets


def test_nothing_to_do_the_second_time(full: Person) -> None:
    """Law: without server and data it says so, and takes no second copy; `up` begins empty."""
    assert full.say("down", "-v", "-y").code == 0
    said = full.say("down", "-v")
    assert (said.code, "nothing to do" in said.out) == (0, True)
    assert len(copies(full)) == 1
    assert full.say("up").code == 0
    assert full.ask("DBSIZE") == 0


def test_a_stopped_environment(full: Person) -> None:
    """Law: with no server running the data on disk is copied as it lies."""
    remembers = full.info()["aof_enabled"] == "1" or full.ask("CONFIG", "GET", "save") != [
        "save",
        "",
    ]
    assert full.say("down", "--yes").code == 0
    said = full.say("down", "--volumes", "--yes")
    assert said.code == 0, said
    kept = list((full.state / "copies").glob("*/manifest.json"))
    assert [json.loads(each.read_text())["keys"] for each in kept] == [103] * remembers
    assert [path for path in (full.state / "data").rglob("*") if path.is_file()] == []


def test_not_without_a_yes(full: Person) -> None:
    """Law: exit 4 without a terminal, and on one unless `yes` is typed: the server is untouched."""
    before = full.identity()
    said = full.say("down", "--volumes")
    assert (said.code, "103 keys" in said.err, "--yes" in said.err) == (4, True, True)
    code, screen = on_terminal(full, "down", "--volumes", answers={"Type yes:": "no"})
    assert code == 4
    for word in (
        "This loses data:",
        "103 keys (db0 100, db5 3)",
        "/copies",
        "docs/operating/copies.md",
    ):
        assert word in screen
    assert full.say("down", "--volumes", "--dry-run").code == 0
    assert full.identity() == before
    assert not (full.state / "copies").exists()
    code, screen = on_terminal(full, "down", "--volumes", answers={"Type yes:": "yes"})
    assert (code, full.pids()) == (0, [])


def test_dry_run_and_json(full: Person) -> None:
    """Law: a dry run prints the steps and both places; JSON tells the copy."""
    said = full.say("down", "--volumes", "--dry-run")
    for word in ("stop the server", "keep a copy", "103 keys", f"{full.state}/data", "/copies"):
        assert word in said.out
    dry = json.loads(full.say("down", "-v", "--dry-run", "--json").out)
    done = json.loads(full.say("down", "-v", "--yes", "--json").out)
    assert [each["id"] for each in dry["steps"]] == [each["id"] for each in done["steps"]]
    assert done["steps"][-1]["id"] == "remove-data"
    assert (done["copy"]["folder"], done["copy"]["keys"]) == (str(copies(full)[0]), 103)
    assert json.loads(full.say("down", "-v", "--yes", "--json").out)["copy"] is None


def test_while_it_is_written_to(full: Person) -> None:
    """Law: every write that was answered is in the copy, whatever comes while it is taken."""
    answered = 0
    begun = threading.Event()

    def write() -> None:
        nonlocal answered
        try:
            with full.wire() as wire:
                while True:
                    answered = wire.call("INCR", "esabcfg:counter")
                    wire.call("SET", f"esabcfg:under:{answered}", "x", "PX", str(1 + answered % 40))
                    begun.set()
        except KeywrightError:
            return  # the server has ended

    writer = threading.Thread(target=write)
    writer.start()
    assert begun.wait(10)
    said = full.say("down", "--volumes", "--yes")
    writer.join(30)
    assert said.code == 0, said
    put_back(full)
    assert full.say("up").code == 0
    assert answered > 0
    assert str(full.ask("GET", "esabcfg:counter")) == str(answered)


@pytest.mark.slow
def test_saving_takes_longer_than_an_answer_is_waited_for(person: Callable[..., Person]) -> None:
    """Law: a save that blocks the server for longer than 5 s is waited for, and is in the copy."""
    one = person(*MODES["memory only"])
    assert one.say("up").code == 0
    one.fill(65)
    one.ask("CONFIG", "SET", "rdb-key-save-delay", "100000")  # microseconds for each key
    said = one.say("down", "--volumes", "--yes")
    assert said.code == 0, said
    assert json.loads((copies(one)[0] / "manifest.json").read_text())["keys"] == 65


def test_data_that_does_not_load_is_not_removed(settled: Person) -> None:
    """Law: exit 1 with the server's reason; no copy is called good, and the data stays as it lies."""
    settled.fill(200)
    assert settled.say("down").code == 0
    [log] = (settled.state / "data" / "appendonlydir").glob("*.incr.aof")
    content = bytearray(log.read_bytes())
    content[2000:2040] = b"\xff" * 40
    log.write_bytes(content)
    said = settled.say("down", "--volumes", "--yes")
    assert said.code == 1
    assert "does not load" in said.err
    assert "Bad file format" in said.err
    assert "not touched" in said.err
    assert log.read_bytes() == bytes(content)
    assert copies(settled) == []


def test_a_failure_brings_the_server_back(full: Person) -> None:
    """Law: where no copy can be kept, the server that was stopped runs again with every key."""
    (full.state / "copies").write_text("a file where a folder is needed")
    said = full.say("down", "--volumes", "--yes")
    assert said.code == 1, said
    assert "taken back" in said.err
    assert (full.ask("DBSIZE"), full.info()["db5"][:7]) == (100, "keys=3,")
    assert full.ask("SET", "esabcfg:written", "again") == "OK"
    (full.state / "copies").unlink()
    assert full.say("down", "--volumes", "--yes").code == 0


def test_foreign_data_is_not_removed(stranger: Person) -> None:
    """Law: data that this environment did not write is refused by name, and stays."""
    state = Path(json.loads(stranger.say("status", "--json").out)["state"])
    (state / "data").mkdir(parents=True)
    (state / "data" / "holiday.jpg").write_text("precious")
    said = stranger.say("down", "--volumes", "--yes")
    assert (said.code, "holiday.jpg" in said.err) == (4, True)
    assert (state / "data" / "holiday.jpg").read_text() == "precious"


@pytest.mark.parametrize("how", ["suspended", "stranger's users"])
def test_a_server_that_does_not_tell_is_left_alone(settled: Person, how: str) -> None:
    """Law: what a server holds must be known before it is removed: exit 3, nothing is changed."""
    settled.fill(5)
    [pid] = settled.pids()
    if how == "suspended":
        os.kill(pid, 19)
    else:
        settled.ask("ACL", "SETUSER", "default", "resetpass", ">another")  # tried in admin's place
        settled.ask("ACL", "SETUSER", "admin", "resetpass", ">another")
    said = settled.say("down", "--volumes", "--yes")
    os.kill(pid, 18)
    assert said.code == 3, said
    assert settled.pids() == [pid]
    assert (settled.state / "data" / "appendonlydir").exists()


def test_the_last_three_copies_stay(settled: Person) -> None:
    """Law: the fourth copy lets the first go; empty ones push out none."""
    for number in (1, 2, 3, 4, 0):
        assert settled.say("up").code == 0
        settled.fill(number)
        assert settled.say("down", "-v", "-y").code == 0
    keys = [json.loads((each / "manifest.json").read_text())["keys"] for each in copies(settled)]
    assert keys == [2, 3, 4, 0]


@root_only
def test_no_room_for_a_copy(person: Callable[..., Person], rooms: Callable[[], Path]) -> None:
    """Law: a disk without room is told before anything is stopped: exit 4, the server untouched."""
    disk = rooms() / "disk"
    disk.mkdir()
    if os.system(f"mount -t tmpfs -o size=20m,mode=755 keywright-test {disk}") != 0:
        pytest.skip("no small file system can be mounted")
    try:
        one = person()
        one.environ |= {"XDG_STATE_HOME": str(disk)}
        assert one.say("up").code == 0
        one.fill(300, size=10_000)
        before = one.identity()
        said = one.say("down", "--volumes", "--yes")
        assert (said.code, "are free" in said.err, "free some space" in said.err) == (4, True, True)
        assert one.identity() == before
        one.leave()
    finally:
        os.system(f"umount -l {disk}")
