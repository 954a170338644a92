"""Reads what a Linux host answers to the one script that asks it (gather/machine.py)."""

from collections.abc import Mapping

from keywright_ops.facts.ufw import parse_ufw
from keywright_ops.model.absence import NOT_THERE, Missing
from keywright_ops.model.machine import Address, Beside, Folder, Heard, Machine, Package, UnitState

HEAD = "@@ "  # what a section's name stands behind


def parse_machine(text: str, why_not_root: str = "") -> Machine | Missing:
    """Return the host as the script's sections tell it; Missing when they are not all there."""
    found = sections(text)
    if "kernel" not in found:
        return Missing("the host did not answer to the end")
    try:
        return _machine(found, why_not_root)
    except (LookupError, ValueError):
        return Missing("the host did not answer as it was asked")


def _machine(found: Mapping[str, str], why_not_root: str) -> Machine:
    release = parse_assignments(found["os"])
    uid, account, login = (found["root"].split("\n") + ["", ""])[:3]
    return Machine(
        called=release.get("PRETTY_NAME", "an unknown system"),
        system=release.get("ID", ""),
        like=tuple(release.get("ID_LIKE", "").split()),
        init=found["init"].strip(),
        root=uid == "0",
        account=login or account,
        sudo=bool(login) and uid == "0",
        heard=parse_heard(found.get("heard", "")),
        writable=frozenset(found.get("writable", "").split()),
        packages=parse_packages(found["packages"], found["policy"]),
        units=parse_units(found["units"]),
        addresses=parse_addresses(found["addresses"]),
        ssh_ports=_ports(found["sshd"]),
        came_from=parse_source(found["from"]),
        clock=float(found["clock"].strip() or 0),
        free=parse_free(found["free"]),
        folders=parse_folders(found["folders"]),
        kernel=parse_kernel(found["kernel"]),
        ufw=parse_ufw(found["ufw"], found["rules"]),
        docker=found["docker"].strip() or Missing("no Docker Engine answers"),
        insight=parse_beside(found["insight"], found["docker"]),
        insight_image=found["image"].strip() or Missing("its image is not there"),
        published=parse_published(found["published"]),
        broken=found["audit"].strip(),
        why_not_root=why_not_root,
        container=found["container"].strip().removeprefix("none"),
    )


def sections(text: str) -> dict[str, str]:
    """Return what stands below each heading."""
    found: dict[str, str] = {}
    name = ""
    for line in text.split("\n"):
        if line.startswith(HEAD):
            name = line.removeprefix(HEAD)
            found[name] = ""
        elif name:
            found[name] += line + "\n"
    return found


def parse_assignments(text: str) -> dict[str, str]:
    """Return NAME=VALUE lines as os-release has them; quotes around a value are taken off."""
    pairs = (line.partition("=") for line in text.split("\n") if "=" in line)
    return {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}


def parse_packages(listed: str, policy: str) -> dict[str, Package]:
    """Return packages from `dpkg-query -W` (name, version, status, want) and `apt-cache policy`."""
    found: dict[str, Package] = {}
    name = ""
    for line in policy.split("\n"):
        if line and not line[0].isspace() and line.endswith(":"):
            name = line[:-1]
            found[name] = Package("", "")
        elif line.strip().startswith("Candidate:") and name:
            candidate = line.partition(":")[2].strip()
            found[name] = Package("", "" if candidate == "(none)" else candidate)
    for line in listed.split("\n"):
        words = line.split("\t")
        if len(words) == 4 and words[2] == "installed":
            before = found.get(words[0], Package("", ""))
            found[words[0]] = Package(words[1], before.candidate, words[3] == "hold")
    return found


def parse_units(text: str) -> dict[str, UnitState]:
    """Return the units of `systemctl show -p Id,LoadState,…`, a block of lines for each."""
    found: dict[str, UnitState] = {}
    for block in text.strip().split("\n\n"):
        told = parse_assignments(block)
        if told.get("Id"):
            found[told["Id"]] = UnitState(
                load=told.get("LoadState", ""),
                active=told.get("ActiveState", ""),
                sub=told.get("SubState", ""),
                file=told.get("UnitFileState", ""),
                stale=told.get("NeedDaemonReload") == "yes",
                result=told.get("Result", ""),
                restarts=int(told.get("NRestarts") or 0),
            )
    return found


def parse_addresses(text: str) -> tuple[Address, ...]:
    """Return the addresses of `ip -o addr`; link-local ones of IPv6 are left out: they need a zone."""
    found = []
    for line in text.split("\n"):
        words = line.split()
        if len(words) < 4 or words[2] not in ("inet", "inet6"):
            continue
        address = words[3].partition("/")[0]
        if not address.startswith("fe80:"):
            found.append(Address(words[1].partition("@")[0], address))
    return tuple(found)


def parse_free(text: str) -> int | Missing:
    """Return the free bytes of `df -Pk`."""
    words = (text.strip().split("\n") or [""])[-1].split()
    if len(words) < 6 or not words[3].isdigit():
        return Missing("df does not tell")
    return int(words[3]) * 1024


def parse_folders(text: str) -> Mapping[str, Folder | Missing]:
    """Return folders from `stat -c '%U %G %a %n'`; one that is not there has no line."""
    found: dict[str, Folder | Missing] = {}
    for line in text.split("\n"):
        words = line.split(" ", 3)
        if len(words) == 4:
            found[words[3]] = Folder(words[0], words[1], int(words[2], 8))
    return found


def parse_kernel(text: str) -> dict[str, str | Missing]:
    """Return the kernel's files by path; an empty one is not there."""
    pairs = (line.partition("\t") for line in text.split("\n") if "\t" in line)
    return {path: value.strip() or Missing(NOT_THERE) for path, _, value in pairs}


def parse_beside(text: str, engine: str) -> Beside | Missing:
    """Return a container from `docker inspect`'s MADE|STATE; none is there when nothing was printed."""
    if not engine.strip():
        return Missing("no Docker Engine answers")
    made, bar, state = text.strip().partition("|")
    return Beside(made.replace("<no value>", ""), state) if bar else Missing(NOT_THERE)


def parse_published(text: str) -> tuple[tuple[str, str, int], ...]:
    """Return container, address and TCP port of what `docker ps` shows as published (NAME<tab>PORTS)."""
    found = []
    for line in text.split("\n"):
        name, _, ports = line.partition("\t")
        for each in ports.split(", "):
            place, _, inside = each.partition("->")
            address, _, numbers = place.rpartition(":")
            first, _, last = numbers.partition("-")  # neighbours are shown as one: 8000-8002
            if inside.endswith("/tcp") and _is_port(first) and _is_port(last or first):
                span = range(int(first), int(last or first) + 1)
                found += [(name, address.strip("[]"), port) for port in span]
    return tuple(found)


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5


def parse_source(text: str) -> str:
    """Return the address that ssh came from; "" when sshd knows none (it says UNKNOWN of a pipe)."""
    from ipaddress import ip_address  # only where a host is asked

    word = (text.split() or [""])[0]
    try:
        ip_address(word.partition("%")[0])
    except ValueError:
        return ""
    return word


def parse_heard(text: str) -> tuple[Heard, ...]:
    """Return who listens, from `ss -Hltnp`: state, two queues, local and peer address, program."""
    found = []
    for line in text.split("\n"):
        words = line.split(None, 5)
        address, _, port = words[3].rpartition(":") if len(words) > 4 else ("", "", "")
        if port.isdigit():
            program = line.partition('users:(("')[2].partition('"')[0]
            bare = address.partition("%")[0].strip("[]")
            found.append(Heard(bare, int(port), program))
    return tuple(found)


def parse_holder(text: str) -> str:
    """Return who listens, from `ss -ltnp` (its last column is users:(("NAME",pid=N,fd=M))), a line "@@", and
    the names of the containers that publish the port."""
    sockets, _, containers = text.partition("@@\n")
    if containers.strip():
        return f"the container {containers.split()[0]}"
    name, _, rest = sockets.partition('users:(("')[2].partition('",pid=')
    pid = rest.partition(",")[0]
    return f"{name} (process {pid})" if pid.isdigit() else "another program"


def _ports(text: str) -> tuple[int, ...]:
    words = (line.split() for line in text.split("\n"))
    return tuple(dict.fromkeys(int(each[1]) for each in words if len(each) == 2))
