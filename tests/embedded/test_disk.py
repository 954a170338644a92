"""A full disk, a read-only one, a limit on file sizes: a sentence with the way out, nothing half-done."""

import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.embedded.stranger import Person
from tests.embedded.test_not_its_own import root_only


@pytest.fixture
def small_disk(rooms: Callable[[], Path]) -> Iterator[Path]:
    """A file system of 2 MB of its own."""
    folder = rooms() / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m,mode=755", "keywright-test", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("needs root to mount a small file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=False)


@pytest.fixture
def cramped(person: Callable[..., Person], small_disk: Path) -> Person:
    """Somebody whose state lies on the small disk."""
    one = person()
    one.environ |= {"XDG_STATE_HOME": str(small_disk)}
    return one


def fill(folder: Path, leave: int = 0) -> Path:
    """Fill the disk up, and leave so many bytes (whole pages of 4096)."""
    ballast = folder / "ballast"
    room = shutil.disk_usage(folder).free - leave
    with open(ballast, "wb", buffering=0) as stream:
        while room > 0:
            try:
                room -= stream.write(b"\0" * min(room, 4096))
            except OSError:
                break
    return ballast


@pytest.mark.parametrize("pages", [0, 1, 2, 3, 5, 6, 7, 8, 12])
def test_full_from_the_start(cramped: Person, small_disk: Path, pages: int) -> None:
    """Law: wherever the space ends, `up` says so and what to do; with space again it just works."""
    ballast = fill(small_disk, leave=4096 * pages)
    said = cramped.say("up")
    assert said.code in (0, 1), said
    if said.code == 1:
        assert any(word in said.text for word in ("No space left", "MISCONF", "is the disk full"))
    cramped.say("status")
    ballast.unlink()
    said = cramped.say("up")
    assert said.code == 0, said


def test_full_while_it_runs(cramped: Person, small_disk: Path) -> None:
    """Law: on a disk that filled up status answers, check fails with the server's reason, down ends it."""
    assert cramped.say("up").code == 0
    cramped.fill(50)
    ballast = fill(small_disk)
    with cramped.wire() as wire:
        for _ in range(200):
            wire.batch([("SET", "esabcfg:more", "x" * 10000)])
    assert cramped.say("status").code == 0
    said = cramped.say("check", "--json")
    assert said.code == 1
    assert "MISCONF" in said.out
    assert cramped.say("diff").code == 0
    said = cramped.say("up")
    assert said.code == 1
    said = cramped.say("down")
    assert said.code in (0, 1), said
    if said.code == 1:
        assert "No space left" in said.err
        assert "hint:" in said.err
        assert len(cramped.pids()) == 1
    ballast.unlink()
    assert cramped.say("up").code == 0
    assert int(str(cramped.ask("EXISTS", *(f"esabcfg:fill:{n}" for n in range(50))))) == 50


def test_change_on_a_full_disk_is_taken_back(cramped: Person, small_disk: Path) -> None:
    """Law: a change that cannot be written leaves the old one in force, live and on disk."""
    assert cramped.say("up").code == 0
    before = cramped.identity()
    ballast = fill(small_disk)
    cramped.declare('maxmemory = "64mb"')
    said = cramped.say("up")
    assert (said.code, "No space left" in said.err) == (1, True)
    assert cramped.info()["maxmemory"] == str(512 * 2**20)
    ballast.unlink()
    assert cramped.say("up").code == 0
    assert cramped.info()["maxmemory"] == str(64 * 2**20)
    assert cramped.identity() == before


@root_only
def test_read_only(cramped: Person, small_disk: Path) -> None:
    """Law: on a file system mounted read-only every verb has a sentence, and status still answers."""
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    said = cramped.say("up")
    assert (said.code, "Read-only file system" in said.err, "hint:" in said.err) == (1, True, True)
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    assert cramped.say("up").code == 0


@pytest.mark.parametrize("limit", [0, 40, 200, 1000])
def test_limit_on_file_sizes(stranger: Person, limit: int) -> None:
    """Law: without root, `ulimit -f` shows the same: a sentence, a hint, nothing half-done."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    said = stranger.say("up", preexec_fn=limited)
    assert said.code == 1, said
    assert "hint:" in said.err
    assert stranger.pids() == []
    assert stranger.say("up").code == 0


def test_temporary_folder_full(settled: Person, small_disk: Path) -> None:
    """Law: a check that finds no room for its copy says `unknown` for that proof, and passes the rest."""
    fill(small_disk)
    said = settled.say("check", environ={"TMPDIR": str(small_disk)})
    assert "Traceback" not in said.text
    assert said.code in (0, 1)


def test_temporary_folder_deep(settled: Person) -> None:
    """Law: a TMPDIR too deep for a unix socket, or with blanks, does not spoil the copy proof."""
    deep = settled.root / ("a" * 60) / ("b c" * 20)
    deep.mkdir(parents=True)
    said = settled.say("check", environ={"TMPDIR": str(deep)})
    assert said.code == 0, said
    said = settled.say("check", environ={"TMPDIR": "/nowhere"})
    assert said.code == 0, said
