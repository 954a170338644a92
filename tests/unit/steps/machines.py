"""Linux hosts as they may be seen, to be made sick in one place at a time; and what is declared for them."""

from typing import Any

from keywright_ops.actions.linux_target import host_facts
from keywright_ops.model.absence import NOT_THERE, Missing
from keywright_ops.model.machine import Address, Beside, Folder, Machine, Package, Ufw, UnitState
from keywright_ops.model.plan import Plan
from keywright_ops.plan.resolve import resolve
from keywright_ops.profile.load import load_profile
from keywright_ops.render.insight import FOLDER as PRESETS
from keywright_ops.render.kernel import KERNEL_FILES
from keywright_ops.steps.insight import made_from

VERSION = "5:7.0.15-1~deb12u7"
NEWER = "5:7.0.15-1~deb12u10"
RUNS = UnitState("loaded", "active", "running", "enabled", False, "success")
ADDRESSES = (
    Address("lo", "127.0.0.1"),
    Address("lo", "::1"),
    Address("docker0", "172.17.0.1"),
    Address("eth0", "203.0.113.80"),
    Address("eth1", "10.0.0.5"),
    Address("eth1", "fd00::5"),
)
FRESH = Machine(
    called="Debian GNU/Linux 12 (bookworm)",
    system="debian",
    like=(),
    init="systemd",
    root=True,
    packages={"redis-server": Package("", VERSION), "redis-tools": Package("", VERSION)},
    units={"docker.service": RUNS},
    addresses=ADDRESSES,
    ssh_ports=(22,),
    came_from="203.0.113.7",
    clock=1795542055.0,
    free=2**34,
    folders={},
    kernel=dict(zip(KERNEL_FILES, ("0", "4096", "always [madvise] never"), strict=True)),
    writable=frozenset(KERNEL_FILES),
    ufw=Ufw(False, (), "deny"),
    docker="20.10.24+dfsg1",
    insight=Missing(NOT_THERE),
    insight_image="sha256:1",
)


def plan_of(toml: str = "", machine: Machine = FRESH) -> Plan:
    """The plan of a Linux host with these lines in its table, after that host was asked."""
    profile = load_profile(f'app = "shop"\n[env.linux]\n{toml}', "keywright.toml")
    return resolve(profile, "linux", host_facts(machine), {}, "/state/linux", "/project")


def as_declared(plan: Plan, **sick: Any) -> Machine:
    """A host that is as the plan says, but for its firewall and for what is named."""
    assert plan.unit is not None
    account = plan.unit.account
    closed = Folder(account, account, 0o750)
    well = FRESH._replace(
        packages={name: Package(VERSION, VERSION) for name in FRESH.packages},
        units={
            f"{plan.unit.name}.service": RUNS,
            "docker.service": RUNS,
            "keywright-thp.service": RUNS,
        },
        folders={
            plan.unit.config_directory: Folder(account, account, 0o2770),
            plan.persistence.directory: closed,
            plan.unit.backup_directory: closed,
            PRESETS: Folder("root", "node", 0o2750),
        },
        kernel={**FRESH.kernel, KERNEL_FILES[0]: "1"},
        insight=Beside(made_from(plan), "running") if plan.insight else Missing(NOT_THERE),
    )
    return well._replace(**sick)
