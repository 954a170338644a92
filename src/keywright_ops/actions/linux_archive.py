"""Refuses what a Linux host cannot install, before anything is changed: apt there is asked what it offers."""

from keywright.errors import InputError, Unreachable
from keywright_ops.actions.environment import Opened
from keywright_ops.model.absence import Missing
from keywright_ops.model.machine import Machine
from keywright_ops.steps.machine import LATEST, wanted_version


def refuse_unoffered(opened: Opened, machine: Machine, where: str) -> None:
    """Refuse a package, or a version of it, that apt does not offer there.

    Raises InputError, or Unreachable where apt's archives do not answer.
    """
    unit, host = opened.plan.unit, opened.target.host
    assert unit is not None and host is not None
    version, package = wanted_version(unit, machine), machine.packages.get(unit.package)
    pinned = "" if version == LATEST else version
    candidate = package.candidate if package else ""
    if not version or (candidate and pinned in ("", candidate)):
        return
    found = host.offered(unit.package, pinned)
    path = f"env.{opened.plan.environment}"
    if isinstance(found, Missing):
        raise Unreachable(
            f"apt on {where} cannot say whether it has {unit.package}: {found.why}",
            "`sudo apt-get update` there says more",
        )
    if not found:
        raise InputError(
            f"{where} is {machine.called}, and apt there offers no {unit.package}",
            "name the suite that has it in apt's sources there (on Debian 12: bookworm-backports);"
            f' or {path}.engine = "redis"'
            if opened.plan.engine.name == "valkey"
            else "name the distribution's own archive in apt's sources there",
        )
    if pinned and pinned not in found:
        raise InputError(
            f"apt on {where} offers no {unit.package} {pinned}",
            f'it offers {", ".join(found)}: {path}.unit.version = "{found[0]}"',
        )
