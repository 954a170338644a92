"""`keywright down --volumes` killed with SIGKILL at every boundary: nothing is lost, the next one ends it."""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.embedded.killed import Machine, killed_up
from tests.embedded.test_killed import KEYS
from tests.ports import free_port

from keywright.errors import Unreachable
from keywright_ops.actions.remove import remove_data
from keywright_ops.gather.host import find_program
from keywright_ops.gather.scratch_server import load_second_copy
from keywright_ops.model.absence import Missing
from keywright_ops.model.copies import Kept, Layout, Loaded
from keywright_ops.store.copies import Store, verify

pytestmark = pytest.mark.slow
MODES = {
    "append-only": "appendonly = true\nsave = []\n",
    "snapshots": 'appendonly = false\nsave = ["900 1"]\n',
    "memory only": "appendonly = false\nsave = []\n",
}
# what happens to the server between the kill and the next run, in turn
AFTERMATHS = (None, signal.SIGTERM, signal.SIGKILL)


@pytest.fixture
def machine() -> Iterator[Machine]:
    """A machine below a short path; whatever runs from it is ended afterwards."""
    made = Machine(Path(tempfile.mkdtemp(prefix="kw-")))
    yield made
    if made.toml.exists():
        made.end_servers()
    shutil.rmtree(made.root, ignore_errors=True)


def good_copy(machine: Machine, program: str) -> Kept | None:
    """The newest copy that the store calls good; it must be so: as hashed, and with every key."""
    kept = Store(f"{machine.home}/copies").find()
    if isinstance(kept, Missing):
        return None
    assert "" == verify(kept.folder, kept.manifest.files)
    layout = Layout(kept.manifest.appendonly)
    loaded = load_second_copy(program, f"{kept.folder}/data", layout)
    assert isinstance(loaded, Loaded), loaded
    assert (len(KEYS), len(KEYS)) == (loaded.keys, kept.manifest.keys)
    return kept


def all_keys(machine: Machine, port: int) -> bool:
    """Whether the running server holds every key."""
    return KEYS == {key: machine.call(port, "GET", key) for key in KEYS}


def expect_nothing_lost(machine: Machine, port: int, program: str, why: str) -> None:
    """The keys are with the running server, or in the files as they lie, or in a good copy."""
    kept = good_copy(machine, program)
    if machine.servers():
        try:
            assert kept is not None or all_keys(machine, port), why
            return
        except Unreachable:  # it was asked to end, and answered until it did
            await_end(machine)
    if kept is None:
        machine.start_by_hand(program, port)
        assert all_keys(machine, port), why
        machine.end_servers(signal.SIGTERM)


def await_end(machine: Machine) -> None:
    """Wait until no server runs, at most 10 s."""
    deadline = time.monotonic() + 10
    while machine.servers():
        assert time.monotonic() < deadline, "a server that was asked to end does not"
        time.sleep(0.01)


@pytest.mark.parametrize("mode", MODES)
def test_killed_at_every_boundary(machine: Machine, mode: str) -> None:
    """Law: killed anywhere, every key is served, lies there or is in a good copy; the next run ends
    with no data and a good copy with every key, which `up` serves again when it is put back."""
    program = find_program("", os.environ["PATH"])
    assert not isinstance(program, Missing)
    port = free_port()
    machine.declare(f"port = {port}\n{MODES[mode]}")
    machine.up()
    secrets, saved = machine.vault(), machine.root / "saved"
    machine.end_servers(signal.SIGTERM)
    shutil.copytree(machine.home, saved)
    for boundary in range(1000):
        shutil.rmtree(machine.home)
        shutil.copytree(saved, machine.home)
        machine.start_by_hand(program, port)
        for key, value in KEYS.items():
            machine.call(port, "SET", key, value)
        name = killed_up(machine, boundary, remove_data)
        why = f"killed at {boundary}: {name}"
        aftermath = AFTERMATHS[boundary % 3]
        if mode != "memory only" and name and aftermath and machine.servers():
            machine.end_servers(aftermath if mode == "append-only" else signal.SIGTERM)
        expect_nothing_lost(machine, port, program, why)
        if name:
            done = machine.keywright("down", "--volumes", "--yes")
            assert done.returncode == 0, f"{why}\n{done.stdout}{done.stderr}{machine.last_log()}"
        kept = good_copy(machine, program)
        assert kept is not None, why
        left = {path.name for path in machine.home.iterdir()}
        assert not left & {"data", "data.removed", "proofs.json"}, why
        assert [] == machine.servers(), why
        assert secrets == machine.vault(), why
        names = {each.name for each in Path(kept.folder).iterdir()}
        assert {"data", "manifest.json"} == names, why
        folders = [each for each in (machine.home / "copies").iterdir() if each.is_dir()]
        assert all((each / "manifest.json").exists() for each in folders), why
        if boundary % 10 == 0 or not name:
            shutil.copytree(f"{kept.folder}/data", machine.home / "data")
            machine.up(why)
            assert all_keys(machine, port), why
            machine.end_servers()
        if not name:
            break
    assert boundary > 40, "too few boundaries were met"
