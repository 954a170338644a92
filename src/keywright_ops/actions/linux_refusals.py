"""What a change on a Linux host refuses before it begins: another system, no root, a wrong clock.

Each says in one sentence what stands in the way, and what a person can do; nothing has been changed.
"""

import time

from keywright.errors import InputError, Refused, Unreachable
from keywright_ops.actions.environment import Opened
from keywright_ops.actions.linux_archive import refuse_unoffered
from keywright_ops.actions.linux_target import stays_here
from keywright_ops.model.absence import Missing
from keywright_ops.model.engine_host import parse_engine_host
from keywright_ops.model.machine import Machine
from keywright_ops.model.plan import Plan, Unit
from keywright_ops.model.step import KeepSecret, Step, WriteFile
from keywright_ops.steps.firewall import locked_out
from keywright_ops.steps.machine import wanted_version

FAMILIES = ("debian", "ubuntu")
LEAST_FREE = 64 * 2**20  # bytes: an installation and a few files; the data needs more
LATE = 300.0  # seconds that a clock may be wrong before certificates and apt's lists are refused


def machine_of(opened: Opened) -> Machine:
    """Return the host as it was seen last. Raises Unreachable when it does not tell."""
    assert opened.target.host is not None
    machine = opened.target.host.glance()
    if isinstance(machine, Missing):
        raise Unreachable(machine.why, "is it a Linux host with systemd?")
    return machine


def called(unit: Unit) -> str:
    """Return how the host is called in a sentence."""
    host = parse_engine_host(unit.host).host
    return host or "this machine"


def refuse_host(opened: Opened) -> None:
    """Refuse a host that Keywright cannot keep. Raises InputError or Refused."""
    plan, machine = opened.plan, machine_of(opened)
    assert plan.unit is not None
    where = called(plan.unit)
    if machine.init != "systemd":
        raise InputError(
            f"{where} is not run by systemd: its first process is {machine.init or 'unknown'}",
            "Docker's environments need none: `keywright up -e prod`",
        )
    if machine.system not in FAMILIES and not set(FAMILIES) & set(machine.like):
        raise InputError(
            f"{where} is {machine.called}; Keywright installs on Debian and Ubuntu",
            f"`keywright render -e {plan.environment} -o DIR` writes everything it needs",
        )
    _refuse_package(plan.unit, machine, plan)
    refuse_unoffered(opened, machine, where)
    _refuse_clock(machine, where)
    shut_out = locked_out(plan, machine)
    if shut_out:
        raise Refused(
            f"the firewall of {where} would lock you out: you come from {shut_out}",
            f'name your network: env.{plan.environment}.admin_from = ["{shut_out}"]',
        )
    installs = bool(wanted_version(plan.unit, machine))
    if installs and isinstance(machine.free, int) and machine.free < LEAST_FREE:
        raise Refused(
            f"only {machine.free // 2**20} MiB are free where {plan.persistence.directory} is",
            "free some space there, then run the same command again",
        )


def refuse_without_root(opened: Opened, steps: tuple[Step, ...]) -> None:
    """Say which step needs root before anything is done. Raises Refused."""
    machine, unit = machine_of(opened), opened.plan.unit
    assert unit is not None
    first = next((step for step in steps if needs_root(step, opened)), None)
    if first is None or machine.root:
        return
    raise Refused(
        f"'{first.title}' on {called(unit)} needs root: {machine.why_not_root or 'we are not root'}",
        f"`keywright up -e {opened.plan.environment} --dry-run` shows all that would be done",
    )


def needs_root(step: Step, opened: Opened) -> bool:
    """Whether the step changes the host, and not only what lies here."""
    if isinstance(step.do, KeepSecret):
        return False
    here = stays_here(opened.plan, opened.home, opened.base)
    return not (isinstance(step.do, WriteFile) and step.do.path.startswith(here))


def _refuse_package(unit: Unit, machine: Machine, plan: Plan) -> None:
    package = machine.packages.get(unit.package)
    if package and package.held and wanted_version(unit, machine):
        raise Refused(
            f"{unit.package} {package.installed} is held there (apt-mark hold)",
            f"sudo apt-mark unhold {unit.package}; or keep it:"
            f' env.{plan.environment}.unit.version = ""',
        )


def _refuse_clock(machine: Machine, where: str) -> None:
    late = machine.clock - time.time()
    if abs(late) > LATE:
        way = "ahead of" if late > 0 else "behind"
        raise Refused(
            f"the clock of {where} is {abs(late) / 60:.0f} minutes {way} this machine's",
            "sudo timedatectl set-ntp true there; certificates and apt's lists depend on it",
        )
