"""`keywright up` killed with SIGKILL at every boundary, on the real engine: the next `up` makes it good."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.embedded.killed import Machine, killed_up
from tests.ports import free_port

from keywright_ops.gather.host import find_program
from keywright_ops.model.absence import Missing

pytestmark = pytest.mark.slow
KEYS = {f"key:{number}": f"value {number}" for number in range(50)}
BEFORE = 'port = {port}\nmaxmemory = "512mb"\nappendonly = false\nsave = ["900 1"]\n'
AFTER = 'port = {port}\nmaxmemory = "64mb"\nappendonly = true\nsave = []\n'
OFF = 'port = {port}\nmaxmemory = "512mb"\nappendonly = false\nsave = ["900 1"]\n'


@pytest.fixture
def machine() -> Iterator[Machine]:
    """A machine below a short path; whatever runs from it is ended afterwards."""
    made = Machine(Path(tempfile.mkdtemp(prefix="kw-")))
    yield made
    if made.toml.exists():
        made.end_servers()
    shutil.rmtree(made.root, ignore_errors=True)


def expect_one_server(machine: Machine, why: str) -> None:
    """Exactly one server of this home runs."""
    assert len(machine.servers()) == 1, why


def test_a_fresh_environment_killed_at_every_boundary(machine: Machine) -> None:
    """From nothing: killed anywhere, the next `up` exits 0, proven, with the secrets that were kept."""
    port = free_port()
    for boundary in range(1000):
        machine.declare(AFTER.format(port=port))
        name = killed_up(machine, boundary)
        kept = machine.vault()
        if name:
            machine.up(f"killed at {boundary}: {name}")
        expect_one_server(machine, f"killed at {boundary}: {name}")
        assert kept.items() <= machine.vault().items(), name
        if boundary % 5 == 0:
            assert "nothing to do" in machine.keywright("up").stdout, name
        machine.end_servers()
        shutil.rmtree(machine.home)
        if not name:
            break
    assert boundary > 30, "too few boundaries were met"


# what happens to the server between the kill and the next `up`, in turn
AFTERMATHS = (None, signal.SIGTERM, signal.SIGKILL)


@pytest.mark.parametrize(
    ("before", "after"), [(BEFORE, AFTER), (AFTER, OFF)], ids=["append-only on", "append-only off"]
)
def test_a_change_killed_at_every_boundary(machine: Machine, before: str, after: str) -> None:
    """maxmemory, append-only file and port changed at once: killed anywhere, and the server ended by
    whatever hand, the next `up` exits 0, proven, and every key is there, also after a restart."""
    program = find_program("", os.environ["PATH"])
    assert not isinstance(program, Missing)
    old, new = free_port(), free_port()
    machine.declare(before.format(port=old))
    machine.up()
    for key, value in KEYS.items():
        machine.call(old, "SET", key, value)
    machine.call(old, "SAVE")
    secrets = machine.vault()
    machine.end_servers(signal.SIGTERM)
    saved = machine.root / "saved"
    shutil.copytree(machine.home, saved)
    for boundary in range(1000):
        shutil.rmtree(machine.home)
        shutil.copytree(saved, machine.home)
        machine.start_by_hand(program, old)
        machine.declare(after.format(port=new))
        name = killed_up(machine, boundary)
        aftermath = AFTERMATHS[boundary % 3]
        if name and aftermath is not None:
            machine.end_servers(aftermath)
        why = f"killed at {boundary}: {name}, then {aftermath}"
        if name:
            machine.up(why)
        expect_one_server(machine, why)
        assert secrets == machine.vault(), why
        assert KEYS == {key: machine.call(new, "GET", key) for key in KEYS}, why
        machine.end_servers(signal.SIGTERM)
        machine.start_by_hand(program, new)
        assert KEYS == {key: machine.call(new, "GET", key) for key in KEYS}, why
        machine.end_servers()
        if not name:
            break
    assert boundary > 20, "too few boundaries were met"
