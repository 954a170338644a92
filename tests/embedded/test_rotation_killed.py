"""`keywright password rotate` killed with SIGKILL at every boundary, on real engines."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from tests.embedded.killed import Machine, killed_up
from tests.embedded.test_killed import free_port

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
