"""What a Linux host tells of itself: one snapshot, asked by one script, before and after the plan."""

from collections.abc import Mapping
from typing import NamedTuple

from keywright_ops.model.absence import Missing
from keywright_ops.model.web import Web

NOT_WANTED = Missing("no site is declared, and none lies there")


class Package(NamedTuple):
    """A package as dpkg and apt see it: versions are "" for none; `held` is `apt-mark hold`'s."""

    installed: str
    candidate: str
    held: bool = False


class UnitState(NamedTuple):
    """A systemd unit, in systemd's own words (`systemctl show`).

    `load` is "not-found" for a unit that does not exist and "masked" for one that may not start; `file` is
    "enabled", "disabled", "masked-runtime" …; `stale` says that its files changed since systemd read them;
    `restarts` is how often systemd has started it again by itself.
    """

    load: str
    active: str
    sub: str
    file: str
    stale: bool
    result: str = ""
    restarts: int = 0


class Address(NamedTuple):
    """An address of one of the host's interfaces, without its prefix length."""

    interface: str
    address: str


class Heard(NamedTuple):
    """An address and port on which a program listens ("" where only root is told which)."""

    address: str
    port: int
    program: str


class Folder(NamedTuple):
    """A folder's owner, group and permission bits."""

    owner: str
    group: str
    mode: int


class Beside(NamedTuple):
    """A container beside the service: its state, and the mark of what Keywright made it from ("" when
    somebody else made it)."""

    made: str
    state: str


class UfwRule(NamedTuple):
    """One rule of ufw: the words that add it, without its comment."""

    words: str
    comment: str


class Ufw(NamedTuple):
    """ufw: whether it is on, its rules in order, and what becomes of all else that comes in."""

    active: bool
    rules: tuple[UfwRule, ...]
    incoming: str


class Machine(NamedTuple):
    """A Linux host as it was seen at one moment.

    `system` is os-release's ID and `like` its ID_LIKE, `called` its name for people; `init` the name of
    process 1; `root` whether we may do everything there (else `why_not_root`), `account` who logged in, and
    `sudo` whether root is had by sudo. `came_from` is the address that our ssh comes from, "" here. `heard`
    is who listens there. `clock` is the host's time (seconds since 1970); `free` the free bytes of the file
    system of the data. `insight` is RedisInsight's container, `insight_image` its image's id; `published`
    what Docker publishes: container, address, port. `broken` is what
    `dpkg --audit` complains of, "" when nothing. `writable` are those of the kernel's files that can be
    changed from there: in a container they are its host's. `web` is nginx, asked for only where a site of
    RedisInsight is declared or lies there.
    """

    called: str
    system: str
    like: tuple[str, ...]
    init: str
    root: bool
    packages: Mapping[str, Package]
    units: Mapping[str, UnitState]
    addresses: tuple[Address, ...]
    ssh_ports: tuple[int, ...]
    came_from: str
    clock: float
    free: int | Missing
    folders: Mapping[str, Folder | Missing]
    kernel: Mapping[str, str | Missing]
    ufw: Ufw | Missing
    docker: str | Missing
    insight: Beside | Missing
    insight_image: str | Missing
    published: tuple[tuple[str, str, int], ...] = ()
    broken: str = ""
    why_not_root: str = ""
    container: str = ""
    account: str = ""
    sudo: bool = False
    writable: frozenset[str] = frozenset()
    heard: tuple[Heard, ...] = ()
    web: Web | Missing = NOT_WANTED

    def address_of(self, interface: str) -> tuple[str, ...]:
        """The addresses of an interface, IPv4 first; () when there is none."""
        found = [each.address for each in self.addresses if each.interface == interface]
        return tuple(sorted(found, key=lambda each: ":" in each))
