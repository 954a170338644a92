"""`keywright persist`: a snapshot or a rewrite is watched to its true end, and a failure says why."""

import json
import os
import threading
import time
from collections.abc import Callable

import pytest
from tests.embedded.stranger import Person, await_true

ENGINES = ("", "/usr/bin/redis-server")


@pytest.fixture(params=ENGINES, ids=("valkey", "redis-7.0"))
def keeper(request: pytest.FixtureRequest, person: Callable[..., Person]) -> Person:
    """Somebody whose server keeps snapshots and the append-only file, of either engine."""
    if request.param and not os.access(request.param, os.X_OK):
        pytest.skip("no redis-server here")
    line = (f'server = "{request.param}"',) if request.param else ()
    one = person("appendonly = true", 'save = ["900 1"]', *line)
    assert one.say("up").code == 0
    return one


def test_what_was_written_before_is_in_the_file(keeper: Person) -> None:
    """Law: when `persist now` ends, nothing is unsaved and the file is newer than the question."""
    keeper.fill(500)
    dump = keeper.state / "data" / "dump.rdb"
    before = time.time_ns()
    said = keeper.say("persist", "now", "--json")
    assert said.code == 0, said
    report = json.loads(said.out)
    assert dump.stat().st_mtime_ns > before - 10**9
    assert (report["path"], report["bytes"]) == (str(dump), dump.stat().st_size)
    assert report["written"] == "snapshot" and report["fork_microseconds"] > 0
    assert keeper.info()["rdb_changes_since_last_save"] == "0"


def test_a_running_one_is_waited_for_and_another_written(keeper: Person) -> None:
    """Law: a snapshot that runs already is older than the question: it is waited for, and then ours is
    written; the key that was set meanwhile is in it."""
    keeper.fill(400)
    keeper.ask("CONFIG", "SET", "rdb-key-save-delay", "4000")  # 400 keys take 1.6 s
    keeper.ask("BGSAVE")
    keeper.ask("SET", "esabcfg:late", "1")
    release = threading.Timer(0.8, lambda: keeper.ask("CONFIG", "SET", "rdb-key-save-delay", "0"))
    release.start()
    said = keeper.say("persist", "now")
    release.join()
    assert said.code == 0, said
    assert "another one is being written" in said.err
    info = keeper.info()
    assert info["rdb_changes_since_last_save"] == "0"
    assert int(info["rdb_saves"]) >= 2


def test_behind_a_rewrite_it_is_scheduled_and_still_true(keeper: Person) -> None:
    """Law: while the append-only file is rewritten BGSAVE is only scheduled; `persist now` does not
    take the last snapshot for the one that was asked for."""
    keeper.fill(400)
    keeper.ask("CONFIG", "SET", "rdb-key-save-delay", "4000")
    keeper.ask("BGREWRITEAOF")
    await_true(lambda: keeper.info()["aof_rewrite_in_progress"] == "1", "the rewrite runs")
    saves = int(keeper.info()["rdb_saves"])
    threading.Timer(0.5, lambda: keeper.ask("CONFIG", "SET", "rdb-key-save-delay", "0")).start()
    said = keeper.say("persist", "now")
    assert said.code == 0, said
    info = keeper.info()
    assert int(info["rdb_saves"]) == saves + 1
    assert info["rdb_bgsave_in_progress"] == "0" and info["aof_rewrite_in_progress"] == "0"
    assert info["rdb_changes_since_last_save"] == "0"


def test_a_rewrite_is_watched(keeper: Person) -> None:
    """Law: --rewrite ends when the new base file is the one that counts."""
    keeper.fill(300)
    for _ in range(5):
        keeper.ask("SET", "esabcfg:again", "x" * 5000)
    before = int(keeper.info()["aof_current_size"])
    rewrites = int(keeper.info()["aof_rewrites"])
    said = keeper.say("persist", "now", "--rewrite", "--json")
    assert said.code == 0, said
    info = keeper.info()
    assert int(info["aof_rewrites"]) == rewrites + 1 and info["aof_rewrite_in_progress"] == "0"
    assert int(info["aof_current_size"]) < before
    assert json.loads(said.out)["path"].endswith("appendonlydir/")


def test_without_an_append_only_file_there_is_nothing_to_rewrite(
    person: Callable[..., Person],
) -> None:
    """Law: --rewrite where the file is off is refused with what to do, and writes nothing."""
    one = person("appendonly = false", 'save = ["900 1"]')
    assert one.say("up").code == 0
    said = one.say("persist", "now", "--rewrite")
    assert (said.code, "append-only file is off" in said.err) == (2, True)
    assert not (one.state / "data" / "appendonlydir").exists()


def test_a_disk_that_cannot_be_written_is_told_with_the_servers_words(keeper: Person) -> None:
    """Law: exit 1, the server's own last words, what it means for writes; and after it is mended it works."""
    data = keeper.state / "data"
    blocker = data / "dump.rdb"
    blocker.unlink(missing_ok=True)
    (blocker / "in the way").mkdir(parents=True)  # a folder: also root cannot rename a file over it
    said = keeper.say("persist", "now")
    assert said.code == 1, said
    assert "could not write the snapshot" in said.err
    assert "Error moving temp DB file" in said.err or "error moving temp DB file" in said.err
    assert "MISCONF" in said.err and "MiB free" in said.err
    status = keeper.say("persist", "status")
    assert "FAILED" in status.out
    (blocker / "in the way").rmdir()
    blocker.rmdir()
    assert keeper.say("persist", "now").code == 0
    assert "FAILED" not in keeper.say("persist", "status").out


def test_status_tells_promise_and_truth_apart(keeper: Person) -> None:
    """Law: what the server does otherwise than declared is named, with what mends it; nothing is written."""
    saves = keeper.info()["rdb_saves"]
    keeper.ask("CONFIG", "SET", "save", "")
    said = keeper.say("persist", "status")
    assert said.code == 0
    assert "none, and 900 1 is declared" in " ".join(said.out.split())
    kept = {
        each["name"]: each["kept"]
        for each in json.loads(keeper.say("persist", "status", "--json").out)["promises"]
    }
    assert kept == {"appendonly": True, "appendfsync": True, "save": False}
    assert keeper.info()["rdb_saves"] == saves


def test_a_dry_run_sends_nothing(keeper: Person) -> None:
    """Law: --dry-run says the command, and no snapshot begins."""
    saves = keeper.info()["rdb_saves"]
    said = keeper.say("persist", "now", "--dry-run")
    assert (said.code, "BGSAVE" in said.out) == (0, True)
    assert keeper.info()["rdb_saves"] == saves


def test_a_snapshot_that_stands_alone_is_named(person: Callable[..., Person]) -> None:
    """Law: where nothing else keeps data, it is said that a crash begins with this file; elsewhere not."""
    one = person("appendonly = false", "save = []")
    assert one.say("up").code == 0
    said = one.say("persist", "now")
    assert (said.code, "begins with this file" in " ".join(said.out.split())) == (0, True), said
    one.declare("appendonly = false", 'save = ["900 1"]')
    assert one.say("up").code == 0
    assert "begins with" not in one.say("persist", "now").out
