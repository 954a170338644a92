"""A real Docker Engine and a real systemd (pid 1 of a container) read .env files with passwords.

Needs root, dockerd, debootstrap and Debian's packages; builds what it needs (about a minute) under
a temporary folder, with its own engine, socket and data directory, without any network, and stops
what it started by its own process id.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.keywright.passwords import passwords

from keywright.dotenv import quote_for, read

pytestmark = pytest.mark.lab

NEEDED = ("dockerd", "docker", "debootstrap", "tar")
PACKAGES = "systemd,systemd-sysv,dbus"
UNIT = """\
[Service]
Type=oneshot
EnvironmentFile=/root/app.env
ExecStart=/bin/sh -c 'exec env -0 > /root/seen'
"""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A short path, since a unix socket's may have 107 octets at most."""
    if os.geteuid() != 0:
        pytest.skip("not root: an engine and debootstrap need it")
    missing = [each for each in NEEDED if not shutil.which(each)]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} (apt-get install docker.io debootstrap)")
    path = Path(tempfile.mkdtemp(prefix="kw-", dir="/var/tmp"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def docker(folder: Path) -> Iterator[list[str]]:
    """An engine of its own; the beginning of every docker command line."""
    socket = folder / "sock"
    with (folder / "log").open("wb") as log:
        engine = subprocess.Popen(
            ["dockerd", "--data-root", folder / "data", "--exec-root", folder / "exec"]
            + ["-H", f"unix://{socket}", "--pidfile", folder / "pid"]
            + ["--bridge", "none", "--iptables=false"],
            stdout=log,
            stderr=log,
        )
    command = ["docker", "-H", f"unix://{socket}"]
    limit = time.monotonic() + 30
    while subprocess.run([*command, "version"], check=False, capture_output=True).returncode:
        if engine.poll() is not None or time.monotonic() > limit:
            engine.kill()
            said = (folder / "log").read_text(errors="replace").splitlines()[-1:]
            pytest.skip(f"dockerd does not start here: {said}")
        time.sleep(0.2)
    yield command
    engine.send_signal(signal.SIGTERM)
    engine.wait(60)


@pytest.fixture(scope="module")
def image(folder: Path, docker: list[str]) -> str:
    """A Debian with systemd, made without a registry."""
    root = folder / "root"
    made = subprocess.run(
        ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", root],
        check=False,
        capture_output=True,
        text=True,
    )
    if made.returncode:
        pytest.skip(f"debootstrap cannot build a Debian here: {made.stdout.splitlines()[-1:]}")
    packed = subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE)
    subprocess.run(
        [*docker, "import", "--change", 'CMD ["/sbin/init"]', "-", "kw-env:lab"],
        stdin=packed.stdout,
        check=True,
        capture_output=True,
    )
    shutil.rmtree(root)
    assert packed.wait(60) == 0
    return "kw-env:lab"


@pytest.fixture(scope="module")
def host(docker: list[str], image: str) -> Iterator[list[str]]:
    """A container whose pid 1 is systemd; the beginning of every command in it."""
    options = ["--cap-add", "ALL", "--cap-drop", "SYS_RESOURCE", "--network", "none"]
    options += ["--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"]
    options += ["--cgroupns=host", "--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp"]
    options += ["-v", "/sys/fs/cgroup:/sys/fs/cgroup:rw", "-e", "container=docker", "-t"]
    run = [*docker, "run", "-d", "--name", "kw-env-host", *options, image]
    subprocess.run(run, check=True, capture_output=True)
    inside = [*docker, "exec", "-i", "kw-env-host"]
    limit = time.monotonic() + 60
    asked = [*inside, "systemctl", "is-system-running"]
    while True:
        said = subprocess.run(asked, check=False, capture_output=True, text=True).stdout.strip()
        if said in ("running", "degraded"):
            break
        if time.monotonic() > limit:
            pytest.fail(f"systemd is {said or 'silent'} after a minute")
        time.sleep(0.5)
    _write(inside, "/etc/systemd/system/kw-env.service", UNIT)
    subprocess.run([*inside, "systemctl", "daemon-reload"], check=True, capture_output=True)
    yield inside
    subprocess.run([*docker, "rm", "-f", "kw-env-host"], check=True, capture_output=True)


def _write(inside: list[str], path: str, text: str) -> None:
    subprocess.run([*inside, "tee", path], input=text.encode(), check=True, capture_output=True)


def _file(dialect: str, values: list[str]) -> tuple[str, dict[str, str]]:
    expected = {f"P{at}": value for at, value in enumerate(values)}
    text = "".join(f"{name}={quote_for((dialect,), v).text}\n" for name, v in expected.items())
    assert expected == read(text, dialect).values()
    return text, expected


def _seen(output: bytes) -> dict[str, str]:
    pairs = [each.decode().partition("=") for each in output.split(b"\0") if each]
    return {name: value for name, _, value in pairs if name[0] == "P" and name[1:].isdigit()}


many = st.lists(passwords, min_size=50, max_size=200)
few = settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))


def test_a_container_gets_every_password(folder: Path, docker: list[str], image: str) -> None:
    """`docker run --env-file` hands any passwords to the process in the container."""

    @few
    @given(many)
    def survive(values: list[str]) -> None:
        text, expected = _file("docker", values)
        path = folder / "app.env"
        path.write_bytes(text.encode())
        run = [*docker, "run", "--rm", "--network", "none", "--env-file", path, image]
        done = subprocess.run([*run, "/usr/bin/env", "-0"], check=True, capture_output=True)
        assert expected == _seen(done.stdout)

    survive()


def test_a_service_gets_every_password(host: list[str]) -> None:
    """A unit's `EnvironmentFile=` hands any passwords to its process."""

    @few
    @given(many)
    def survive(values: list[str]) -> None:
        text, expected = _file("systemd", values)
        _write(host, "/root/app.env", text)
        subprocess.run([*host, "systemctl", "start", "kw-env"], check=True, capture_output=True)
        done = subprocess.run([*host, "cat", "/root/seen"], check=True, capture_output=True)
        assert expected == _seen(done.stdout)

    survive()
