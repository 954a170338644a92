"""The one script that asks a Linux host, run by real shells on this machine: read whole, whatever is here."""

import os
from pathlib import Path
from typing import Any

import pytest
from tests.contract.test_shell import shell
from tests.unit.steps.machines import plan_of

from keywright_ops.facts.machine import HEAD, sections
from keywright_ops.model.machine import Folder, Machine
from keywright_ops.render.kernel import KERNEL_FILES
from keywright_ops.targets.linux_host import SCRIPT, LinuxHost
from keywright_ops.targets.shell import Shell

__all__ = ["shell"]
pytestmark = pytest.mark.skipif(not os.path.exists("/etc/os-release"), reason="no Linux system")


def test_this_machine_is_read_whole(shell: Shell, tmp_path: Path) -> None:
    """It is a Machine, with what this test knows of it: its user, a folder's mode, the kernel's files."""
    plan = plan_of(f'unit.data_directory = "{tmp_path}"')
    tmp_path.chmod(0o750)
    machine = LinuxHost(shell, None, plan).look()
    assert isinstance(machine, Machine)
    assert ((os.geteuid() == 0), "") == (machine.root, machine.came_from)
    folder = machine.folders[str(tmp_path)]
    assert isinstance(folder, Folder)
    assert 0o750 == folder.mode
    assert isinstance(machine.free, int)
    assert Path("/proc/1/comm").read_text().strip() == machine.init
    files = {path: Path(path) for path in KERNEL_FILES}
    expected = {path: each.read_text().strip() for path, each in files.items() if each.exists()}
    assert expected == {path: machine.kernel[path] for path in expected}


def test_every_heading_is_printed_whatever_is_missing(shell: Shell, tmp_path: Path) -> None:
    """With no program on the path but cat and date, and a data folder that is nowhere: still all of them."""
    for name in ("cat", "date", "id", "df"):
        (tmp_path / name).symlink_to(
            f"/bin/{name}" if os.path.exists(f"/bin/{name}") else f"/usr/bin/{name}"
        )
    words = ("u", "p", "t", "/no/where/at/all", "i", "m", "/no/folder", "--", "/no/file")
    answer = shell.script(f'PATH="{tmp_path}"\n{SCRIPT}', *words)
    asked = [line.split()[1].rstrip(";") for line in SCRIPT.split("\n") if line.startswith("at ")]
    found: dict[str, Any] = sections(answer.output.decode())
    assert asked == list(found)
    assert HEAD not in "".join(found.values())
