"""Hosts that Keywright does not know: refused before anything is changed, or taken for what they are like."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.lab.docker_engine import Engine
from tests.lab.linux_host import LinuxHost
from tests.lab.linux_person import LinuxPerson, Resident

pytestmark = pytest.mark.lab

REFUSED = 2
# As these systems have it; only the lines that say who they are.
FEDORA = 'NAME="Fedora Linux"\nID=fedora\nVERSION_ID=41\nPRETTY_NAME="Fedora Linux 41 (Server Edition)"\n'
MINT = 'NAME="Linux Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\nPRETTY_NAME="Linux Mint 22"\n'
SSHD = ("sh", "-c", "mkdir -p /run/sshd && exec /usr/sbin/sshd -D")


@pytest.fixture(scope="module")
def host(engine: Engine) -> Iterator[LinuxHost]:
    """A host that may say of itself what it likes."""
    with LinuxHost(engine, "stranger") as running:
        yield running


@pytest.fixture(scope="module")
def without_systemd(engine: Engine) -> Iterator[LinuxHost]:
    """The same system, but sshd is its first process."""
    with LinuxHost(engine, "no-systemd", first=SSHD) as running:
        yield running


def call_it(host: LinuxHost, release: str) -> None:
    """Let the host say that it is another system."""
    host.run("rm", "-f", "/etc/os-release")  # a link into /usr/lib
    host.write("/etc/os-release", release)


@pytest.mark.parametrize("engine_name", ["redis", "valkey"])
def test_fedora_is_refused(host: LinuxHost, tmp_path: Path, engine_name: str) -> None:
    """Another family has other packages and places: one sentence, a way out, nothing changed."""
    person = LinuxPerson(tmp_path / "person", host)
    person.declare_linux(f'engine = "{engine_name}"')
    call_it(host, FEDORA)
    host.mark()
    said = person.say("up", "-e", "linux", "--yes")
    assert said.code == REFUSED
    assert (
        "is Fedora Linux 41 (Server Edition); Keywright installs on Debian and Ubuntu" in said.err
    )
    assert "keywright render -e linux" in said.err
    assert host.touched() == []
    assert not person.secrets


def test_what_is_like_debian_is_taken_for_it(host: LinuxHost, tmp_path: Path) -> None:
    """ID_LIKE names a family that is known: the steps are planned as on Debian."""
    person = LinuxPerson(tmp_path / "person", host)
    person.declare_linux("insight.enabled = false")
    call_it(host, MINT)
    host.mark()
    said = person.say("up", "-e", "linux", "--dry-run")
    assert said.code == 0, said
    assert "install redis-server" in said.out
    assert host.touched() == []


def test_without_systemd_it_is_refused_over_ssh(without_systemd: LinuxHost, tmp_path: Path) -> None:
    """The first process is named, and what needs no systemd; nothing is changed."""
    person = LinuxPerson(tmp_path / "person", without_systemd)
    without_systemd.mark()
    said = person.say("up", "-e", "linux", "--yes")
    assert said.code == REFUSED
    assert f"{without_systemd.address} is not run by systemd: its first process is sshd" in said.err
    assert "keywright up -e prod" in said.err
    assert without_systemd.touched() == []
    assert not person.secrets


def test_without_systemd_it_is_refused_on_the_machine_itself(
    without_systemd: LinuxHost, tmp_path: Path
) -> None:
    """The same in a container where somebody runs Keywright by hand."""
    person = Resident(tmp_path / "person", without_systemd, 'engine = "valkey"')
    without_systemd.mark()
    said = person.say("up", "-e", "linux", "--yes")
    assert said.code == REFUSED
    assert "this machine is not run by systemd: its first process is sshd" in said.err
    assert without_systemd.touched() == []
