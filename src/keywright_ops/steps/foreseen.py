"""The steps of a Linux host beyond the first round, and what they need there: told before anything is done.

A package's files and service are not there before it is installed, so that the list ends with it and the
question is asked again; here the answer is foreseen instead.
"""

from collections.abc import Callable
from typing import NamedTuple

from keywright_ops.model.absence import Missing
from keywright_ops.model.facts import Facts
from keywright_ops.model.machine import Folder, Machine, Package, UnitState
from keywright_ops.model.plan import Plan, Unit
from keywright_ops.model.step import Control, RunCommand, Signal, Step, WriteFile
from keywright_ops.steps.apt import APT
from keywright_ops.steps.declared import Declared
from keywright_ops.steps.diff import diff
from keywright_ops.steps.nginx import SERVICE

GONE = Missing("it was stopped")


def foresee(declared: Declared, facts: Facts) -> tuple[Step, ...]:
    """Return all steps that lead to the declared state, as far as they can be known now."""
    steps = diff(declared, facts)
    if declared.plan.unit is None or not isinstance(facts.machine, Machine):
        return steps
    if steps and isinstance(steps[-1].do, Signal) and not isinstance(facts.process, Missing):
        facts = facts._replace(process=GONE, info=GONE, config=GONE, users=GONE)
        steps = _joined(steps, diff(declared, facts))
    if any(step.id == "install-package" for step in steps) and steps[-1].id == "unmask":
        facts = as_installed(declared.plan, facts)
        steps = _joined(steps, diff(declared, facts))
    if any(step.id == "install-nginx" for step in steps):
        steps = _joined(steps, diff(declared, with_nginx(facts)))
    return steps


def _joined(first: tuple[Step, ...], more: tuple[Step, ...]) -> tuple[Step, ...]:
    """Both; what the first list does already (secrets, files) is not done again."""
    done = {step.id for step in first}
    return (*first, *(step for step in more if step.id not in done))


def as_installed(plan: Plan, facts: Facts) -> Facts:
    """Return the facts of a host as they will be once the package is there and nothing runs."""
    unit, machine = plan.unit, facts.machine
    assert unit is not None and isinstance(machine, Machine)
    folders = {
        unit.config_directory: Folder(unit.account, unit.account, 0o2770),
        plan.persistence.directory: Folder(unit.account, unit.account, 0o750),
    }
    stopped = UnitState("loaded", "inactive", "dead", "enabled", False)
    machine = machine._replace(
        packages={**machine.packages, unit.package: _installed(unit, machine)},
        units={**machine.units, f"{unit.name}.service": stopped},
        folders={**folders, **machine.folders},
    )
    return facts._replace(machine=machine, process=GONE)


def with_nginx(facts: Facts) -> Facts:
    """Return the facts of a host as they will be once nginx is there, with its own page."""
    machine = facts.machine
    assert isinstance(machine, Machine) and not isinstance(machine.web, Missing)
    runs = UnitState("loaded", "active", "running", "enabled", False)
    return facts._replace(
        machine=machine._replace(
            web=machine.web._replace(version="?"), units={**machine.units, SERVICE: runs}
        )
    )


def _installed(unit: Unit, machine: Machine) -> Package:
    found = machine.packages.get(unit.package, Package("", ""))
    version = found.candidate if unit.version in ("", "latest") else unit.version
    return found._replace(installed=version or "?")


class Needs(NamedTuple):
    """What a change needs of a host: who is at work there, how root is had, and what becomes of it.

    `restarts` says that a running server is stopped; `rules` is how many rules of the firewall change.
    """

    host: str
    system: str
    account: str
    root: str
    installs: tuple[str, ...]
    writes: tuple[str, ...]
    starts: bool
    restarts: bool
    rules: int


def needs(
    host: str, machine: Machine, steps: tuple[Step, ...], lies_here: Callable[[str], bool]
) -> Needs:
    """Return what the steps need; `lies_here` tells the files that are on this machine."""
    commands = [step.do.argv for step in steps if isinstance(step.do, RunCommand)]
    installed: list[str] = []
    for argv in commands:
        if argv[: len(APT)] == APT and argv[len(APT)] == "install":
            installed += [word for word in argv[len(APT) + 1 :] if not word.startswith("-")]
    files = [step.do.path for step in steps if isinstance(step.do, WriteFile)]
    stops = any(isinstance(step.do, Signal) for step in steps)
    return Needs(
        host=host,
        system=machine.called,
        account=machine.account,
        root=("by sudo" if machine.sudo else "root") if machine.root else "",
        installs=tuple(dict.fromkeys(installed)),
        writes=tuple(dict.fromkeys(path for path in files if not lies_here(path))),
        starts=any(isinstance(step.do, Control) for step in steps) and not stops,
        restarts=stops,
        rules=sum(argv[0] == "ufw" and "--force" not in argv for argv in commands),
    )
