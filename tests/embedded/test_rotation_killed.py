"""`keywright password rotate` killed with SIGKILL at every boundary, on real engines."""

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from tests.embedded.killed import Machine, killed_up
from tests.ports import free_port

from keywright.endpoint import Endpoint
from keywright.errors import ReplyError
from keywright.secret import Secret
from keywright.settings import Settings
from keywright.wire import Wire
from keywright_ops.actions.password import Wish, rotate

pytestmark = pytest.mark.slow
REDIS_7 = "/usr/bin/redis-server"
TWO = Wish(("default", "admin"))


@pytest.fixture
def machine() -> Iterator[Machine]:
    """A machine below a short path; whatever runs from it is ended afterwards."""
    made = Machine(Path(tempfile.mkdtemp(prefix="kw-")))
    yield made
    if made.toml.exists():
        made.end_servers()
    shutil.rmtree(made.root, ignore_errors=True)


def logs_in(port: int, user: str, password: str) -> bool:
    """Whether the server takes this password."""
    try:
        with Wire(Endpoint(port=port, username=user, password=Secret(password))) as wire:
            return bool(wire.call("PING") == "PONG")
    except ReplyError:
        return False


def expect_valid(machine: Machine, port: int, why: str) -> None:
    """The password of .env and that of Keywright's administrator are valid."""
    settings = Settings.from_file(str(machine.home / "app.env"))
    assert settings.password is not None
    user = settings.username or "default"
    assert logs_in(port, user, settings.password.reveal()), (why, ".env")
    assert logs_in(port, "admin", machine.vault()["admin"]), (why, "admin")


def unfinished(machine: Machine) -> bool:
    """Whether the vault tells of a rotation."""
    return "turns" in json.loads((machine.home / "vault.json").read_text())


def open_session(machine: Machine, port: int) -> Wire:
    """A connection of an application."""
    password = Secret(machine.vault()["default"])
    return Wire(Endpoint(port=port, username="default", password=password))


def is_open(session: Wire) -> bool:
    """Whether the server has left the connection open."""
    try:
        return bool(session.call("PING") == "PONG")
    except OSError:
        return False


@pytest.mark.parametrize("program", ["", REDIS_7], ids=["valkey", "redis-7.0"])
def test_killed_at_every_boundary(machine: Machine, program: str) -> None:
    """Killed anywhere: what .env and vault name is valid at once; then, in turn, `up` finishes or --undo
    undoes; the server was not restarted, and an old session lives exactly as long as its password."""
    if program and not os.access(program, os.X_OK):
        pytest.skip(f"{program} is not here")
    port = free_port()
    machine.declare(f"port = {port}\n" + (f'server = "{program}"\n' if program else ""))
    machine.up()
    (pid,) = machine.servers()
    for boundary in range(0, 1000, 3 if program else 1):
        old = machine.vault()
        session = open_session(machine, port)
        name = killed_up(machine, boundary, partial(rotate, wish=TWO))
        why = f"killed at {boundary}: {name}"
        expect_valid(machine, port, why)
        undo = boundary % 2 == 1 and unfinished(machine)
        begun = unfinished(machine) or machine.vault() != old
        if undo:
            done = machine.keywright("password", "rotate", "--undo")
            assert done.returncode == 0, (why, done.stderr)
            assert old == machine.vault(), why
        else:
            machine.up(why)
        expect_valid(machine, port, why)
        assert not unfinished(machine), why
        rotated = begun and not undo
        for user in TWO.names:
            assert logs_in(port, user, old[user]) is not rotated, (why, user)
        if not begun:
            assert is_open(session), why
        elif rotated:
            assert not is_open(session), why
        session.close()
        assert [pid] == machine.servers(), why
        if not name:
            break
    assert boundary > 30, "too few boundaries were met"


def found_server(machine: Machine, port: int) -> "subprocess.Popen[bytes]":
    """A server that knows nothing of Keywright, in the environment's folder: requirepass, no ACL file."""
    machine.declare(f"port = {port}\n")
    machine.up()
    (pid,) = machine.servers()
    program = os.readlink(f"/proc/{pid}/exe")
    machine.end_servers()
    conf = machine.home / "redis.conf"
    lines = [line for line in conf.read_text().splitlines() if not line.startswith("aclfile")]
    conf.write_text("\n".join((*lines, "requirepass found-it-here")) + "\n")
    for name in ("users.acl", "vault.json", "app.env"):
        (machine.home / name).unlink()
    process = subprocess.Popen(
        (program, str(conf)), cwd=machine.home, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + 10
    while True:
        try:
            assert logs_in(port, "default", "found-it-here")
            return process
        except OSError:
            assert time.monotonic() < deadline, "the server does not come up"
            time.sleep(0.01)


def test_in_place_killed_at_every_boundary(machine: Machine) -> None:
    """Killed anywhere: what .env and vault name is valid at once; then, in turn, the same command finishes
    or --undo undoes, with one password valid in the end, and the server was not restarted."""
    port = free_port()
    process = found_server(machine, port)
    request = Wish(in_place=True)
    old = "found-it-here"
    for boundary in range(1000):
        name = killed_up(machine, boundary, partial(rotate, wish=request))
        why = f"killed at {boundary}: {name}"
        for password in [each for each in (machine.vault().get("default"),) if each]:
            assert logs_in(port, "default", password), why
        dotenv = machine.home / "app.env"
        if dotenv.exists():
            named = Settings.from_file(str(dotenv)).password
            assert named is not None and logs_in(port, "default", named.reveal()), why
        begun = (machine.home / "vault.json").exists() and unfinished(machine)
        words = ("--undo",) if begun and boundary % 2 else ("--in-place",)
        if name and (begun or machine.vault().get("default", old) == old):
            done = machine.keywright("password", "rotate", *words)
            assert done.returncode == 0, (why, done.stderr)
        new = machine.vault().get("default", old)
        assert logs_in(port, "default", new), why
        assert logs_in(port, "default", old) is (old == new), why
        with Wire(Endpoint(port=port, username="default", password=Secret(new))) as wire:
            (line,) = [each for each in wire.call("ACL", "LIST") if "user default " in each]
            assert line.count("#") == 1, why
            assert wire.call("CONFIG", "GET", "requirepass") == ["requirepass", new], why
        assert process.poll() is None, why
        old = new
        if not name:
            break
    assert boundary > 20, "too few boundaries were met"
