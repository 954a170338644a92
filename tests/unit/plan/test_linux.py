"""What is decided about a Linux host, before it was asked and after."""

from typing import Any

import pytest
from tests.unit.steps.machines import ADDRESSES, FRESH, plan_of

from keywright.errors import ProfileError
from keywright_ops.model.absence import Discovered, Missing
from keywright_ops.model.machine import Address, Machine
from keywright_ops.model.plan import Kernel, Plan
from keywright_ops.plan.resolve import resolve
from keywright_ops.profile.load import load_profile
from keywright_ops.render.kernel import THP_FILE, render_sysctl, render_thp_unit


def before(toml: str = "", name: str = "linux") -> Plan:
    """The plan before the host was asked."""
    profile = load_profile(f'app = "shop"\n[env.{name}]\n{toml}', "keywright.toml")
    return resolve(profile, name, None, {}, "/state")


def bind(toml: str, machine: Machine = FRESH) -> tuple[str, ...]:
    """The addresses that the server answers at."""
    return tuple(map(str, plan_of(toml, machine).listen.bind))


# --- where it listens ---------------------------------------------------------------------------

LOOPBACK = ("127.0.0.1", "-::1")
NO_BRIDGE = FRESH._replace(addresses=tuple(a for a in ADDRESSES if a.interface != "docker0"))


@pytest.mark.parametrize(
    ("toml", "machine", "expected"),
    [
        ("", FRESH, (*LOOPBACK, "-172.17.0.1")),
        ("", NO_BRIDGE, LOOPBACK),
        ('interfaces = ["eth1"]', FRESH, (*LOOPBACK, "-172.17.0.1", "-10.0.0.5", "-fd00::5")),
        ('interfaces = ["eth1"]', NO_BRIDGE, (*LOOPBACK, "-10.0.0.5", "-fd00::5")),
        ('bind = ["127.0.0.1"]', FRESH, ("127.0.0.1",)),
        (
            'bind = ["127.0.0.1", "10.0.0.5"]\ninterfaces = ["eth1"]',
            FRESH,
            ("127.0.0.1", "10.0.0.5", "-fd00::5"),
        ),
        (
            'bind = ["127.0.0.1", "-10.0.0.5"]\ninterfaces = ["eth1"]',
            FRESH,
            ("127.0.0.1", "-10.0.0.5", "-fd00::5"),
        ),
    ],
)
def test_where_the_server_answers(toml: str, machine: Machine, expected: tuple[str, ...]) -> None:
    """Loopback, the bridge where there is one, both families of the interfaces named; none twice."""
    assert expected == bind(toml, machine)


def test_before_the_host_was_asked_its_addresses_wait() -> None:
    """Both stand there as what must be asked."""
    found = [
        each for each in before('interfaces = ["eth1"]').listen.bind if isinstance(each, Discovered)
    ]
    assert ["the address of docker0", "the address of eth1"] == [each.why for each in found]


def test_an_interface_without_an_address_is_refused() -> None:
    """The path in the file, the interface, and those that there are."""
    with pytest.raises(
        ProfileError, match=r"^env\.linux\.interfaces: eth9 has no address"
    ) as caught:
        plan_of('interfaces = ["eth9"]')
    assert "lo, docker0, eth0, eth1" in caught.value.hint
    only_lo = FRESH._replace(addresses=(Address("lo", "127.0.0.1"),))
    with pytest.raises(ProfileError):
        plan_of('interfaces = ["eth1"]', only_lo)


# --- the kernel ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("toml", "queue"),
    [
        ("", "4096"),
        ("settings.tcp-backlog = 511", "4096"),
        ("settings.tcp-backlog = 65000", "65000"),
    ],
)
def test_the_queue_of_clients_holds_the_backlog(toml: str, queue: str) -> None:
    """Never shorter than the server's own, and never below what many clients at once need."""
    expected = (("vm.overcommit_memory", "1"), ("net.core.somaxconn", queue))
    assert Kernel(expected, "madvise") == plan_of(toml).kernel


def test_only_a_linux_host_has_a_kernel_of_ours() -> None:
    """None in Docker, locally, or where the file says so; then there is nothing to render."""
    for name in ("local", "dev", "prod"):
        assert before("", name).kernel is None
    plan = plan_of("kernel.tune = false")
    assert plan.kernel is None
    for render in (render_sysctl, render_thp_unit):
        with pytest.raises(ValueError, match="sets nothing in the kernel"):
            render(plan)


def test_the_kernels_files_say_each_setting_with_its_reason(pure: Any) -> None:
    """sysctl.d has one line a setting below its why; the unit runs before the server, and only if it can."""
    plan = plan_of("settings.tcp-backlog = 5000")
    lines = pure(render_sysctl, plan).split("\n")
    settings = [line for line in lines if line and not line.startswith("#")]
    assert ["vm.overcommit_memory = 1", "net.core.somaxconn = 5000"] == settings
    assert [True, True] == [lines[lines.index(each) - 1].startswith("# ") for each in settings]
    unit = pure(render_thp_unit, plan)
    assert f"ExecStart=/bin/sh -c 'echo madvise > {THP_FILE}'" in unit
    assert "Before=redis-server.service\n" in unit
    assert f"ConditionPathIsReadWrite={THP_FILE}\n" in unit


# --- what stands beside it ----------------------------------------------------------------------


def test_redisinsight_needs_an_engine() -> None:
    """Before the host was asked it is planned, with Docker as well, without it is not."""
    without = FRESH._replace(docker=Missing("no Docker Engine answers"))
    assert [True, True, False] == [
        plan.insight is not None for plan in (before(), plan_of(), plan_of("", without))
    ]
    insight = plan_of().insight
    assert insight is not None
    assert ("172.17.0.1", 6379) == (insight.redis_host, insight.redis_port)


def test_the_unit_is_named_by_its_engine() -> None:
    """Service, package, tools, folders and account of Redis or of Valkey."""
    for engine in ("redis", "valkey"):
        unit = plan_of(f'engine = "{engine}"').unit
        assert unit is not None
        expected = (f"{engine}-server", f"/etc/{engine}", engine, f"{engine}-tools")
        assert expected == (unit.name, unit.config_directory, unit.account, unit.tools)
        assert f"/etc/{engine}/{engine}.conf" == unit.conf


def test_the_port_of_ssh_is_the_real_sshds() -> None:
    """The first of several; on a host without sshd it stays open; `firewall = "none"` is kept by nobody."""
    ports = ((22,), (2222, 22), ())
    found = [plan_of("", FRESH._replace(ssh_ports=each)).firewall for each in ports]
    assert [22, 2222] == [each.ssh_port for each in found[:2] if each]
    assert found[2] is not None
    assert isinstance(found[2].ssh_port, Discovered)
    none = plan_of('firewall = "none"').firewall
    assert none is not None
    assert none.kept is False
