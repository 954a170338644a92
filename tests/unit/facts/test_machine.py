"""A Linux host's answers: captured of real hosts, pasted of real programs, broken at every place."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keywright_ops.facts import machine as read
from keywright_ops.facts.machine import HEAD, parse_machine, sections
from keywright_ops.facts.ufw import parse_ufw
from keywright_ops.model.absence import NOT_THERE, Missing
from keywright_ops.model.machine import (
    Address,
    Beside,
    Folder,
    Heard,
    Machine,
    Package,
    Ufw,
    UfwRule,
    UnitState,
)
from keywright_ops.targets.linux_host import SCRIPT

HOSTS = {path.stem: path.read_text() for path in (Path(__file__).parent / "hosts").glob("*.txt")}
RUNNING, WITHOUT_ROOT = HOSTS["debian12-running"], HOSTS["debian12-without-root"]
ASKED = re.findall(r"^at (\w+)", SCRIPT, re.MULTILINE)
LATER = {"heard", "writable"}  # asked for since these hosts were captured


def seen(text: str) -> Machine:
    """The host that the text tells of."""
    machine = parse_machine(text)
    assert isinstance(machine, Machine), machine
    return machine


# --- whole hosts --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", HOSTS)
def test_the_captured_hosts_answer_the_script_that_is_asked(name: str) -> None:
    """Their sections are the script's, in its order, but for those that it asks for since."""
    assert [each for each in ASKED if each not in LATER] == list(sections(HOSTS[name]))


def test_a_host_that_runs_is_read_whole(pure: Any) -> None:
    """Everything that Debian 12 told of itself to root."""
    host = pure(parse_machine, RUNNING)
    version = "5:7.0.15-1~deb12u7+lab1"
    running = UnitState("loaded", "active", "running", "enabled", False, "success")
    assert ("Debian GNU/Linux 12 (bookworm)", "debian", ()) == host[:3]
    assert ("systemd", True, "172.17.0.1", "docker") == (
        host.init,
        host.root,
        host.came_from,
        host.container,
    )
    assert Package(version, version) == host.packages["redis-server"]
    assert ("docker-ce" in host.packages, "nginx-light" in host.packages) == (False, True)
    assert running == host.units["redis-server.service"]
    assert "not-found" == host.units["keywright-ufw-rollback.timer"].load
    assert ("172.18.0.1",) == host.address_of("docker0")
    assert ((22,), 81262364 * 1024, 1795542055.0) == (host.ssh_ports, host.free, host.clock)
    assert Folder("redis", "redis", 0o2770) == host.folders["/etc/redis"]
    assert "0" == host.kernel["/proc/sys/vm/overcommit_memory"]
    assert ("20.10.24+dfsg1", Beside("42381717306132ea", "running")) == (host.docker, host.insight)
    assert (("redisinsight", "127.0.0.1", 6380),) == host.published
    assert isinstance(host.ufw, Ufw)
    assert (True, "deny", 3) == (host.ufw.active, host.ufw.incoming, len(host.ufw.rules))
    assert "" == host.broken


def test_without_root_what_cannot_be_seen_is_missing(pure: Any) -> None:
    """No Docker, no ufw, no port of sshd; what everybody may see is there."""
    host = pure(parse_machine, WITHOUT_ROOT, "sudo: a password is required")
    assert (False, "sudo: a password is required") == (host.root, host.why_not_root)
    found = (host.docker, host.insight, host.insight_image, host.ufw)
    assert [True] * 4 == [isinstance(each, Missing) for each in found]
    assert host.insight != Missing(NOT_THERE)
    assert ((), "active") == (host.ssh_ports, host.units["redis-server.service"].active)


@pytest.mark.parametrize("text", HOSTS.values(), ids=HOSTS)
def test_a_host_that_is_cut_off_anywhere_is_missing(text: str) -> None:
    """Only after the last heading the answer counts; an earlier end is an answer that did not come."""
    end = text.index(f"{HEAD}kernel")
    for at in range(0, end, 7):
        assert isinstance(parse_machine(text[:at]), Missing)
    assert isinstance(parse_machine(text[: end + len(HEAD) + 6]), Machine)


@pytest.mark.parametrize("name", [each for each in ASKED if each not in LATER])
def test_a_section_that_is_not_there_is_no_crash(name: str) -> None:
    """Without one of its sections, or with an empty one, the host is read or Missing."""
    head, _, rest = RUNNING.partition(f"{HEAD}{name}\n")
    left = rest[rest.index(f"\n{HEAD}") :] if f"\n{HEAD}" in rest else ""
    assert isinstance(parse_machine(head + left), Missing)
    assert isinstance(parse_machine(f"{head}{HEAD}{name}\n{left}"), Machine)


LINES = st.sampled_from([line for text in HOSTS.values() for line in text.split("\n") if line])
NOISE = st.text(st.characters(codec="utf-8"), max_size=30) | LINES


@given(st.integers(0, 130), NOISE, st.integers(0, 8))
@example(20, "port x", 0)
@example(27, "/x\t9", 2)
def test_any_noise_in_an_answer_is_no_crash(at: int, noise: str, gone: int) -> None:
    """Whatever line stands in the answer, and however many are lost, it is read or Missing."""
    lines = RUNNING.split("\n")
    lines[at : at + gone] = [noise]
    assert isinstance(parse_machine("\n".join(lines)), Machine | Missing)


# --- packages: dpkg 1.21, apt 2.6 ---------------------------------------------------------------

LISTED = (
    "docker.io\t20.10\tinstalled\tinstall\n"
    "nginx\t1.22.1-9\tconfig-files\tdeinstall\n"
    "nginx-light\t\tnot-installed\tinstall\n"
    "redis-server\t5:7.0.15-1~deb12u7\tinstalled\thold\n"
    "redis-tools\t5:7.0.15-1~deb12u7\thalf-configured\tinstall\n"
    "ufw\t0.36.2-1\tinstalled\tinstall\n"
)
# The first package is pinned to 5:7.*, the second one forbidden (priority -1).
POLICY = """\
redis-server:
  Installed: 5:7.0.15-1~deb12u7
  Candidate: 5:7.0.15-1~deb12u7
  Version table:
     5:8.0.0-1 500
        500 file:/srv/apt-newer ./ Packages
 *** 5:7.0.15-1~deb12u7 1001
        500 file:/srv/apt ./ Packages
        100 /var/lib/dpkg/status
redis-tools:
  Installed: 5:7.0.15-1~deb12u7
  Candidate: (none)
  Version table:
 *** 5:7.0.15-1~deb12u7 -1
        500 file:/srv/apt ./ Packages
        100 /var/lib/dpkg/status
"""


def test_packages_are_what_dpkg_and_apt_say(pure: Any) -> None:
    """A hold is seen, a pin decides, no candidate is ""; half configured or removed is not installed."""
    version = "5:7.0.15-1~deb12u7"
    expected = {
        "docker.io": Package("20.10", ""),
        "redis-server": Package(version, version, held=True),
        "redis-tools": Package("", ""),
        "ufw": Package("0.36.2-1", ""),
    }
    assert expected == pure(read.parse_packages, LISTED, POLICY)
    assert {} == pure(read.parse_packages, "", "")


# --- addresses, ports ---------------------------------------------------------------------------

IP = r"""1: lo    inet 127.0.0.1/8 scope host lo\       valid_lft forever preferred_lft forever
1: lo    inet6 ::1/128 scope host \       valid_lft forever preferred_lft forever
2: eth0    inet 203.0.113.80/24 brd 203.0.113.255 scope global dynamic eth0\       valid_lft 84s
2: eth0    inet6 2001:db8::5/64 scope global dynamic mngtmpaddr \       valid_lft 2591sec preferred_lft 604sec
2: eth0    inet6 fe80::5054:ff:fe12:3456/64 scope link \       valid_lft forever preferred_lft forever
4: wg0    inet 10.8.0.2 peer 10.8.0.1/32 scope global wg0\       valid_lft forever preferred_lft forever
5: eth1@if7    inet 10.0.0.5/16 brd 10.0.255.255 scope global eth1\       valid_lft forever
"""


def test_addresses_are_those_that_can_be_listened_on(pure: Any) -> None:
    """Both families, a tunnel's own end, no link-local address; the name without what it is tied to."""
    expected = (
        Address("lo", "127.0.0.1"),
        Address("lo", "::1"),
        Address("eth0", "203.0.113.80"),
        Address("eth0", "2001:db8::5"),
        Address("wg0", "10.8.0.2"),
        Address("eth1", "10.0.0.5"),
    )
    assert expected == pure(read.parse_addresses, IP)
    both = seen(RUNNING)._replace(addresses=expected[::-1])
    assert ("203.0.113.80", "2001:db8::5") == both.address_of("eth0")


# docker 20.10 and, as the last line, 28
PUBLISHED = """\
none\t6379/tcp
all\t0.0.0.0:6379->6379/tcp, :::6379->6379/tcp
odd\t0.0.0.0:6379->6379/udp, 0.0.0.0:7000->80/tcp, 127.0.0.1:6380->5540/tcp, ::1:6381->6379/tcp
range\t0.0.0.0:8000-8002->8000-8002/tcp, :::8000-8002->8000-8002/tcp, 9000-9005/tcp
newer\t[::]:6390->6379/tcp
"""


def test_published_ports_are_read_one_by_one(pure: Any) -> None:
    """A range is each of its ports, IPv6 is without brackets; what is only exposed, or UDP, is not there."""
    expected = (
        ("all", "0.0.0.0", 6379),
        ("all", "::", 6379),
        ("odd", "0.0.0.0", 7000),
        ("odd", "127.0.0.1", 6380),
        ("odd", "::1", 6381),
        *(("range", address, port) for address in ("0.0.0.0", "::") for port in (8000, 8001, 8002)),
        ("newer", "::", 6390),
    )
    assert expected == pure(read.parse_published, PUBLISHED)
    assert () == pure(read.parse_published, "odd\t0.0.0.0:1-99999999999->1/tcp, x:²->2/tcp\n")


# iproute2 6.1, as root; the last line as another user
SOCKETS = """\
LISTEN 0      511    127.0.0.1:6379 0.0.0.0:* users:(("redis-server",pid=27079,fd=6))
LISTEN 0      511        [::1]:6379    [::]:* users:(("redis-server",pid=27079,fd=7))
LISTEN 0      4096   127.0.0.53%lo:53   0.0.0.0:* users:(("systemd-resolve",pid=600,fd=14))
LISTEN 0      511         *:80               *:* users:(("nginx",pid=9,fd=6),("nginx",pid=8,fd=6))
LISTEN 0      5      0.0.0.0:7991 0.0.0.0:*
"""


def test_who_listens_is_told_by_ss(pure: Any) -> None:
    """Address, port and program; only root is told the program."""
    expected = (
        Heard("127.0.0.1", 6379, "redis-server"),
        Heard("::1", 6379, "redis-server"),
        Heard("127.0.0.53", 53, "systemd-resolve"),
        Heard("*", 80, "nginx"),
        Heard("0.0.0.0", 7991, ""),
    )
    assert expected == pure(read.parse_heard, SOCKETS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (SOCKETS.split("\n")[0] + "\n@@\n", "redis-server (process 27079)"),
        (SOCKETS.split("\n")[3] + "\n@@\n", "nginx (process 9)"),
        (SOCKETS.split("\n")[0] + "\n@@\nshop-redis\n", "the container shop-redis"),
        (SOCKETS.split("\n")[4] + "\n@@\n", "another program"),
        ("", "another program"),
    ],
)
def test_the_holder_of_a_port(pure: Any, text: str, expected: str) -> None:
    """The first program of ss, or the container that publishes the port; else nobody knows."""
    assert expected == pure(read.parse_holder, text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("203.0.113.7\n", "203.0.113.7"),
        ("2001:db8::7\n", "2001:db8::7"),
        ("fe80::1%eth0\n", "fe80::1%eth0"),
        ("UNKNOWN\n", ""),  # sshd behind a pipe
        ("\n", ""),
    ],
)
def test_where_ssh_came_from_is_an_address_or_nothing(pure: Any, text: str, expected: str) -> None:
    """Nothing else is compared with networks later."""
    assert expected == pure(read.parse_source, text)


# --- small answers ------------------------------------------------------------------------------


def test_units_are_told_block_by_block(pure: Any) -> None:
    """Masked, not found, stale and failed ones; how often systemd started it again; "" is none."""
    text = (
        "Result=success\nNRestarts=0\nId=a.service\nLoadState=masked\nActiveState=inactive\n"
        "SubState=dead\nUnitFileState=masked-runtime\nNeedDaemonReload=no\n\n"
        "Result=exit-code\nNRestarts=5\nId=b.service\nLoadState=loaded\nActiveState=failed\n"
        "SubState=failed\nUnitFileState=enabled\nNeedDaemonReload=yes\n\n"
        "Id=c.timer\nLoadState=not-found\nActiveState=inactive\nSubState=dead\nUnitFileState=\n"
    )
    expected = {
        "a.service": UnitState("masked", "inactive", "dead", "masked-runtime", False, "success"),
        "b.service": UnitState("loaded", "failed", "failed", "enabled", True, "exit-code", 5),
        "c.timer": UnitState("not-found", "inactive", "dead", "", False),
    }
    assert expected == pure(read.parse_units, text)
    assert {} == pure(read.parse_units, "")


def test_space_folders_kernel_and_container(pure: Any) -> None:
    """What coreutils and docker print, and what they print when there is nothing."""
    df = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/sda1 100 60 40 60% /a b\n"
    assert 40 * 1024 == pure(read.parse_free, df)
    assert isinstance(pure(read.parse_free, ""), Missing)
    folders = "redis redis 750 /var/lib/redis\nroot UNKNOWN 2775 /srv/with blank\n"
    expected = {
        "/var/lib/redis": Folder("redis", "redis", 0o750),
        "/srv/with blank": Folder("root", "UNKNOWN", 0o2775),
    }
    assert expected == pure(read.parse_folders, folders)
    kernel = pure(read.parse_kernel, "/proc/a\t1\n/proc/b\t\n")
    assert {"/proc/a": "1", "/proc/b": Missing(NOT_THERE)} == kernel
    assert Beside("", "exited") == pure(read.parse_beside, "|exited\n", "20.10")
    assert Beside("", "running") == pure(read.parse_beside, "<no value>|running\n", "20.10")
    assert Missing(NOT_THERE) == pure(read.parse_beside, "\n", "20.10")
    assert Missing(NOT_THERE) != pure(read.parse_beside, "", "")


# --- ufw 0.36.2 ---------------------------------------------------------------------------------

ADDED = """\
Added user rules (see 'ufw status' for running firewall):
ufw allow in on docker0 to any port 6379 proto tcp comment 'keywright: y'
ufw allow from 10.9.0.0/24 to any port 6379 proto tcp comment 'keywright: x'
ufw allow 22/tcp
ufw deny 6379 comment 'the old guide'
ufw limit 2222/tcp
ufw allow 8000:8010/tcp
ufw allow 80,443/tcp
ufw allow OpenSSH
ufw reject from 198.51.100.9
ufw deny log 6400
ufw deny out 25
ufw route allow in on eth0 out on eth1
ufw allow 53/udp comment 'say "hi" $x'
ufw allow from 10.1.0.0/16 to 10.0.0.1 port 6379 proto tcp
ufw allow from 10.0.0.0/24 to any app OpenSSH
ufw allow from 2001:db8:9::/48 to any port 6379 proto tcp comment 'keywright: x'
"""
VERBOSE = """\
Status: active
Logging: on (low)
Default: deny (incoming), allow (outgoing), disabled (routed)
New profiles: skip

To                         Action      From
--                         ------      ----
22/tcp                     ALLOW IN    Anywhere
"""


def test_rules_are_read_in_order_with_their_comments(pure: Any) -> None:
    """Every form of a rule as ufw writes it: the words that add it, and its comment apart."""
    ufw = pure(parse_ufw, VERBOSE, ADDED)
    assert (True, "deny", 16) == (ufw.active, ufw.incoming, len(ufw.rules))
    again = [
        f"ufw {rule.words}" + (f" comment '{rule.comment}'" if rule.comment else "")
        for rule in ufw.rules
    ]
    assert ADDED.rstrip("\n").split("\n")[1:] == again
    assert UfwRule("allow 53/udp", 'say "hi" $x') == ufw.rules[12]


def test_ufw_that_is_off_still_shows_its_rules(pure: Any) -> None:
    """Inactive: off, with the rules that were added; none is (None); without root or ufw: Missing."""
    off = pure(parse_ufw, "Status: inactive\n", ADDED)
    assert (False, 16) == (off.active, len(off.rules))
    assert () == pure(parse_ufw, "Status: inactive\n", ADDED.split("\n")[0] + "\n(None)\n").rules
    for nothing in ("", "ERROR: You need to be root to run this script\n", "Status:"):
        assert isinstance(pure(parse_ufw, nothing, ""), Missing)
