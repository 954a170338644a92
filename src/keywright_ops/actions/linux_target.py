"""Puts together the target of a Linux host: one shell, its files, systemd, the way to the server."""

import atexit
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import NamedTuple

from keywright.endpoint import Endpoint
from keywright.errors import Unreachable
from keywright.secret import Secret
from keywright_ops.actions.locate import locate
from keywright_ops.actions.place import Place
from keywright_ops.actions.refusals import SERVICES
from keywright_ops.model.absence import NOT_THERE, Missing
from keywright_ops.model.engine_host import HERE, EngineHost, parse_engine_host
from keywright_ops.model.host import HostFacts
from keywright_ops.model.machine import Machine
from keywright_ops.model.plan import Plan, Unit
from keywright_ops.model.plan import Warning as Caution
from keywright_ops.plan.resolve import resolve
from keywright_ops.steps.machine import unit_state
from keywright_ops.targets.door import Door
from keywright_ops.targets.host_files import HostFiles
from keywright_ops.targets.linux_host import LinuxHost
from keywright_ops.targets.shell import Shell, local_shell
from keywright_ops.targets.ssh_line import SshLine
from keywright_ops.targets.systemd import SystemdSupervisor
from keywright_ops.targets.target import Target, Transport

NOT_ASKED = Missing("not asked")


class Line(NamedTuple):
    """The way to a Linux host: a shell there and, over ssh, the connection that it runs on."""

    host: EngineHost
    shell: Shell
    ssh: SshLine | None


class There(NamedTuple):
    """A Linux host that was reached: the way there, the host itself, and its files."""

    line: Line
    host: LinuxHost
    files: HostFiles


def reach(place: Place, plan: Plan, home: str) -> tuple[Plan, There]:
    """Ask the host of a plan with a unit, and return the plan as it is with what the host told.

    Raises Unreachable with ssh's own reason, or when the host does not answer to the end.
    """
    assert plan.unit is not None
    line = open_line(plan.unit)
    host = LinuxHost(line.shell, line.ssh, plan)
    machine = demand_machine(host)
    told = host_facts(machine)
    plan = resolve(place.profile, plan.environment, told, {}, home, place.folder)
    plan = with_host_warnings(plan, machine)
    return plan, There(line, host, files_there(line, plan, home, place.folder))


def open_line(unit: Unit) -> Line:
    """Return the way to the unit's host, one for the whole run. It is opened when it is first used."""
    return _open(unit.host, unit.key)


@cache
def _open(url: str, key: str) -> Line:
    host = parse_engine_host(url, "host")
    if host.way == HERE:
        line = Line(host, local_shell(), None)
    else:
        ssh = SshLine(host, key)
        line = Line(host, ssh.shell(), ssh)
    atexit.register(close_line, line)
    return line


def close_line(line: Line) -> None:
    """End the shell and the connection."""
    line.shell.close()
    if line.ssh is not None:
        line.ssh.close()


def demand_machine(host: LinuxHost) -> Machine:
    """Ask the host everything. Raises Unreachable when it does not answer to the end."""
    machine = host.look()
    if isinstance(machine, Missing):
        raise Unreachable(machine.why, "is it a Linux host with systemd?")
    return machine


def host_facts(machine: Machine) -> HostFacts:
    """Return what the plan needs of a host that was asked."""
    bridge = machine.address_of("docker0")
    ports = machine.ssh_ports
    return HostFacts(
        program=NOT_ASKED,
        free_port=NOT_ASKED,
        bridge=bridge[0] if bridge else Missing(NOT_THERE),
        ssh_port=ports[0] if ports else Missing("no sshd runs there"),
        machine=machine,
    )


def with_host_warnings(plan: Plan, machine: Machine) -> Plan:
    """Return the plan with what the host makes questionable."""
    found = list(plan.warnings)
    path = f"env.{plan.environment}"
    if not machine.root:
        why = machine.why_not_root or "we are another user"
        text = f"seen without root ({why}): what only root may read counts as not there"
        found.append(Caution(f"{path}.host", text))
    if isinstance(machine.docker, Missing) and plan.insight is None:
        text = "the host has no Docker Engine: RedisInsight is left out; apt-get install docker.io"
        found.append(Caution(f"{path}.insight", text))
    found += [Caution(f"{path}.engine", text) for text in _rivals(plan, machine)]
    return plan._replace(warnings=tuple(found))


def _rivals(plan: Plan, machine: Machine) -> Iterator[str]:
    """The distribution's service of the other server, when it waits for the next boot to take our port."""
    assert plan.unit is not None
    for name in SERVICES:
        state = unit_state(machine, f"{name}.service")
        if name != plan.unit.name and state.file == "enabled" and state.active != "active":
            yield (
                f"{name} is down now and starts with the machine: whoever is first then has the port;"
                f" sudo systemctl disable {name}"
            )


def files_there(line: Line, plan: Plan, home: str, folder: str) -> HostFiles:
    """Return the files of the host; the environment's own folder and the application's .env lie here."""
    return HostFiles(line.shell, stays_here(plan, home, folder))


def stays_here(plan: Plan, home: str, folder: str) -> tuple[str, str]:
    """Return what lies on this machine: the environment's own folder and the application's .env."""
    dotenv = plan.application.dotenv
    return home, dotenv if dotenv.startswith("/") else f"{folder}/{dotenv}"


def linux_target(plan: Plan, there: There, secrets: Mapping[str, Secret]) -> Target:
    """Return the target of a plan with a unit, on a host that was reached."""
    line, host, files = there
    supervisor = SystemdSupervisor(line.shell, plan)
    door = Door(_way(line, supervisor, files, plan), secrets)
    return Target(files, supervisor, door, host=host)


def _way(
    line: Line, supervisor: SystemdSupervisor, files: Transport, plan: Plan
) -> Callable[[], Endpoint]:
    """How the server is found: where its own sockets listen; over ssh through the one connection."""

    def located() -> Endpoint:
        place = locate(supervisor, files, plan)
        if line.ssh is None:
            return place
        return place._replace(relay=line.ssh.relay_argv(place.host, place.port))

    return located
