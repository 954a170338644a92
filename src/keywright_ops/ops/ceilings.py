"""How much memory a server can have at most beside its own maxmemory: its container, cgroup and machine.

Asks Docker or reads the kernel's files of the server's process; what cannot be asked is left out.
"""

from typing import NamedTuple

from keywright.errors import KeywrightError
from keywright_ops.model.absence import Missing
from keywright_ops.model.plan import Plan
from keywright_ops.targets.target import Target, Transport

NOT_LIMITED = 1 << 62  # cgroup v1 writes "no limit" as a number near 2**63


class Ceiling(NamedTuple):
    """A limit in bytes: `kind` is container, service or machine."""

    kind: str
    bytes: int


def find_ceilings(target: Target | None, plan: Plan, machine: int) -> tuple[Ceiling, ...]:
    """Return the limits, the innermost first; `machine` is what INFO says of the whole (0: nothing)."""
    found: list[Ceiling] = []
    try:
        if target is not None and target.container is not None:
            found += _container(target, plan)
        elif target is not None:
            process = target.supervisor.find()
            if not isinstance(process, Missing):
                limit = cgroup_limit(target.transport, process.pid)
                if limit and not 0 < machine <= limit:
                    found.append(Ceiling("service", limit))
    except KeywrightError:
        pass  # the server answered; what else there is to know is no reason to say nothing
    return (*found, Ceiling("machine", machine)) if machine else tuple(found)


def _container(target: Target, plan: Plan) -> list[Ceiling]:
    from keywright_ops.gather.environment import gather  # `local` lives in no container

    housing = gather(target, plan, frozenset({"housing", "glance"})).housing
    if isinstance(housing, Missing) or isinstance(housing.container, Missing):
        return []
    limit = housing.container.memory
    return [Ceiling("container", limit)] if limit else []


def cgroup_limit(transport: Transport, pid: int) -> int:
    """Return the least limit (bytes) of the process's cgroup and those above it; 0 for none."""
    text = transport.read(f"/proc/{pid}/cgroup")
    if isinstance(text, Missing):
        return 0
    limits = []
    for line in text.decode("utf-8", "replace").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers == "":
            root, name = "/sys/fs/cgroup", "memory.max"
        elif "memory" in controllers.split(","):
            root, name = "/sys/fs/cgroup/memory", "memory.limit_in_bytes"
        else:
            continue
        parts = [part for part in path.split("/") if part and part != ".."]
        for depth in range(len(parts), -1, -1):
            value = transport.read("/".join((root, *parts[:depth], name)))
            number = b"" if isinstance(value, Missing) else value.strip()
            if number.isdigit() and int(number) < NOT_LIMITED:
                limits.append(int(number))
    return min(limits, default=0)
