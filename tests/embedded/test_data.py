"""Data that is not this environment's own is never loaded, overwritten or removed unasked."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.embedded.stranger import Person, end
from tests.embedded.test_not_its_own import VALKEY


@pytest.fixture(scope="module")
def foreign_dump(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot that another server wrote: five keys."""
    from tests.embedded.stranger import await_true

    from keywright.endpoint import Endpoint
    from keywright.wire import Wire

    folder = tmp_path_factory.mktemp("foreign")
    path = str(folder / "s")
    argv = [str(VALKEY), "--port", "0", "--unixsocket", path, "--dir", str(folder), "--save", ""]
    server = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    await_true(lambda: os.path.exists(path), "it listens")
    with Wire(Endpoint(unix_path=path)) as wire:
        for number in range(5):
            wire.call("SET", f"foreign:{number}", "x")
        wire.call("SAVE")
    end(server.pid)
    server.wait()
    return folder / "dump.rdb"


def data_of(person: Person) -> Path:
    """Where the data will lie, before there is any: a dry run tells."""
    said = person.say("diff", "--json")
    assert said.code == 0
    with_home = person.say("up", "--dry-run")
    assert with_home.code == 0
    status = json.loads(person.say("status", "--json").out)
    folder = Path(status["state"]) / "data"
    folder.mkdir(parents=True)
    return folder


def test_foreign_snapshot(stranger: Person, foreign_dump: Path) -> None:
    """Law: refused (4), named, untouched; --adopt takes it over with every key, appendonly on."""
    data = data_of(stranger)
    shutil.copy(foreign_dump, data / "dump.rdb")
    for words in (["up"], ["up", "--yes"], ["diff"], ["up", "--dry-run"]):
        said = stranger.say(*words)
        assert said.code == 4
        assert "dump.rdb" in said.err
        assert "--adopt" in said.err
    assert os.listdir(data) == ["dump.rdb"]
    assert (data / "dump.rdb").read_bytes() == foreign_dump.read_bytes()
    said = stranger.say("up", "--adopt")
    assert said.code == 0, said
    assert stranger.ask("DBSIZE") == 5
    assert stranger.say("restart").code == 0
    assert stranger.ask("DBSIZE") == 5


@pytest.mark.parametrize("name", ["holiday.jpg", ".hidden", "appendonly.aof", "dump.rdb"])
def test_unknown_files(stranger: Person, name: str) -> None:
    """Law: files of an unknown kind stop `up` too; what cannot be loaded fails and stays as it is."""
    data = data_of(stranger)
    (data / name).write_text("no data of any server")
    assert stranger.say("up").code == 4
    said = stranger.say("up", "--adopt")
    assert said.code == (1 if name in ("appendonly.aof", "dump.rdb") else 0), said
    if said.code:
        assert "last words" in said.err
        assert stranger.pids() == []
    # a server that loads an old appendonly.aof moves it into appendonlydir first
    kept = [path.read_text() for path in data.rglob(f"{name}*") if path.is_file()]
    assert "no data of any server" in kept


def test_folder_is_a_file(stranger: Person) -> None:
    """Law: a file where the data folder must be is named, and stays."""
    data = data_of(stranger)
    data.rmdir()
    data.write_text("precious")
    said = stranger.say("up")
    assert said.code in (1, 4)
    assert "data is not a folder" in said.err
    assert data.read_text() == "precious"


def test_folder_is_a_link(stranger: Person) -> None:
    """Law: a link, dangling or not, is refused with the way to have everything on another disk."""
    data = data_of(stranger)
    data.rmdir()
    data.symlink_to(stranger.root / "disk")
    for _ in range(2):
        said = stranger.say("up")
        assert (said.code, "is a link to" in said.err) == (4, True)
        assert "XDG_STATE_HOME" in said.err
        (stranger.root / "disk").mkdir(exist_ok=True)
    assert list((stranger.root / "disk").iterdir()) == []


def test_home_behind_a_link(stranger: Person) -> None:
    """Law: a home directory behind a link (as /tmp on macOS) is as good as any."""
    link = stranger.root / "link"
    link.symlink_to(stranger.home)
    stranger.environ["HOME"] = str(link)
    assert stranger.say("up").code == 0
    said = stranger.say("up")
    assert (said.code, "nothing to do" in said.out) == (0, True)


def test_data_of_another_disk_is_gone(settled: Person) -> None:
    """Law: an environment's own data that vanished is not invented: up starts with what is there."""
    settled.fill(3)
    assert settled.say("down").code == 0
    shutil.rmtree(settled.state / "data")
    assert settled.say("up").code == 0
    assert settled.ask("DBSIZE") == 0


def test_corrupted_data(settled: Person) -> None:
    """Law: an append-only file broken in its middle fails the start with the server's words; it stays."""
    settled.fill(200)
    assert settled.say("down").code == 0
    [log] = (settled.state / "data" / "appendonlydir").glob("*.incr.aof")
    content = bytearray(log.read_bytes())
    content[2000:2040] = b"\xff" * 40
    log.write_bytes(content)
    said = settled.say("up")
    assert said.code == 1
    assert "last words" in said.err
    assert log.read_bytes() == bytes(content)
    assert settled.pids() == []
