"""The targets that must obey the same laws: this machine, seen in three ways, and the fake world."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from tests.contract.rig import SECRETS, Rig
from tests.ports import free_port

from keywright.endpoint import Endpoint
from keywright_ops.facts.redis_conf import parse_redis_conf
from keywright_ops.gather.host import find_program
from keywright_ops.model.absence import Missing
from keywright_ops.model.host import Process
from keywright_ops.targets import child
from keywright_ops.targets.child import ChildSupervisor
from keywright_ops.targets.door import Door
from keywright_ops.targets.fake import FakeDoor, FakeSupervisor, FakeTransport, World
from keywright_ops.targets.host_files import HostFiles
from keywright_ops.targets.local import LocalTransport
from keywright_ops.targets.shell import Shell


@pytest.fixture(
    params=[
        "this machine",
        "this machine, as ps tells",
        "through a shell: sh",
        "through a shell: bash",
        "the fake",
    ]
)
def rig(
    request: pytest.FixtureRequest, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Rig]:
    """One target; whatever was started there is ended afterwards."""
    if request.param.endswith("ps tells"):  # the way of a system without /proc
        monkeypatch.setattr(child, "HAS_PROC", False)
    home = str(tmp_path / "home")
    port = free_port()

    def locate() -> Endpoint:
        content = transport.read(f"{home}/redis.conf")
        disk = {} if isinstance(content, Missing) else parse_redis_conf(content.decode())
        return Endpoint(host="127.0.0.1", port=int(disk.get("port", port)))

    program = find_program("", os.environ["PATH"])
    assert isinstance(program, str)
    if request.param == "the fake":
        world = World(programs=[program])
        transport: Any = FakeTransport(world)
        supervisor: Any = FakeSupervisor(world, program, home)
        yield Rig(transport, supervisor, FakeDoor(world, locate, SECRETS), home, port)
        return
    transport, supervisor = LocalTransport(), ChildSupervisor(program, home)
    shell = Shell((request.param.rpartition(" ")[2],))
    if request.param.startswith("through a shell"):
        transport = HostFiles(shell, ())  # as on another host: nothing lies here
    door = Door(locate, SECRETS)
    yield Rig(transport, supervisor, door, home, port, knows_listeners=child.HAS_PROC)
    door.close()
    shell.close()
    left = supervisor.find()
    if isinstance(left, Process):
        supervisor.signal(left, "KILL")
