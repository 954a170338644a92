"""ufw.sh under the real ufw: who reaches the server then, and who does not.

Everything happens in a network and mount namespace of the test's own, with copies of /etc/ufw: the
machine's own firewall is neither read nor changed. Three neighbours stand around the host: `lan`
(10.0.0.5, in allow_from), `wan` (198.51.100.9, nobody) and `bridge` (172.18.0.2, a container).
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.render.plans import built_in, guarded

from keywright_ops.render.firewall import render_ufw

pytestmark = pytest.mark.lab

NEEDS = ("ufw", "unshare", "nsenter", "iptables", "ip")

# Runs inside the namespaces: builds the neighbours, runs the scripts, asks from each neighbour.
STAGE = r"""
set -eu
ip link set lo up
mkdir -p "$HOME/ufw" && cp -a /etc/ufw/. "$HOME/ufw/" && cp /etc/default/ufw "$HOME/default"
mount --bind "$HOME/ufw" /etc/ufw && mount --bind "$HOME/default" /etc/default/ufw
neighbour() {  # NAME HOST-ADDRESS ITS-ADDRESS
    unshare --net sleep 120 & pid=$!
    while [ "$(readlink /proc/$pid/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
    ip link add "$1" type veth peer name eth0 netns "$pid"
    ip addr add "$2/24" dev "$1" && ip link set "$1" up
    nsenter --net --target "$pid" sh -c "ip addr add $3/24 dev eth0 && ip link set eth0 up"
    echo "$pid" > "$HOME/pid.$1"
}
neighbour lan 10.0.0.1 10.0.0.5
neighbour wan 198.51.100.1 198.51.100.9
neighbour docker0 172.18.0.1 172.18.0.2
neighbour admin 203.0.113.1 203.0.113.7
python3 -c '
import socket, time
doors = []
for port in (6379, 2222, 9999):
    door = socket.socket(); door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    door.bind(("0.0.0.0", port)); door.listen(50); doors.append(door)
time.sleep(120)
' & listener=$!
for name in "$@"; do sh -eu "$name"; done > "$HOME/said" 2>&1
ufw status numbered > "$HOME/status"
ask() {  # NEIGHBOUR ADDRESS PORT
    if nsenter --net --target "$(cat "$HOME/pid.$1")" timeout 0.6 \
        python3 -c "import socket; socket.create_connection(('$2', $3), 0.5)" 2>/dev/null
    then echo "$1 $3 open"; else echo "$1 $3 closed"; fi
}
sleep 0.3
for port in 6379 2222 9999; do
    ask lan 10.0.0.1 $port; ask wan 198.51.100.1 $port
    ask docker0 172.18.0.1 $port; ask admin 203.0.113.1 $port
done
kill $listener $(cat "$HOME"/pid.*)
"""


def stage(folder: Path, *scripts: str) -> tuple[dict[str, str], str]:
    """Run scripts one after the other on the stage; return who reaches what, and ufw's status."""
    names = []
    for at, text in enumerate(scripts):
        path = folder / f"script{at}.sh"
        path.write_text(text)
        names.append(str(path))
    done = subprocess.run(
        [
            "unshare",
            "--net",
            "--mount",
            "--propagation",
            "private",
            "sh",
            "-c",
            STAGE,
            "sh",
            *names,
        ],
        env={"HOME": str(folder), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        capture_output=True,
        text=True,
        timeout=100,
    )
    said = folder / "said"
    assert done.returncode == 0, done.stderr + (said.read_text() if said.exists() else "")
    found = dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())
    return found, (folder / "status").read_text()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for the stage, where the stage can run."""
    missing = [
        tool for tool in NEEDS if shutil.which(tool, path="/usr/sbin:/usr/bin:/sbin:/bin") is None
    ]
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("network namespaces need root on Linux")
    if missing:
        pytest.skip(f"{', '.join(missing)} missing: apt-get install -y ufw iptables iproute2")
    return tmp_path


EXPECTED = {
    "lan 6379": "open",
    "wan 6379": "closed",
    "docker0 6379": "open",
    "admin 6379": "closed",
    "lan 2222": "closed",
    "wan 2222": "closed",
    "docker0 2222": "closed",
    "admin 2222": "open",
    "lan 9999": "closed",
    "wan 9999": "closed",
    "docker0 9999": "closed",
    "admin 9999": "closed",
}


def test_only_who_is_declared_gets_in(folder: Path) -> None:
    """After ufw.sh the declared network and the bridge reach Redis, administrators reach SSH, and
    nobody else reaches anything."""
    found, status = stage(folder, render_ufw(guarded()))
    assert found == EXPECTED, json.dumps(found, indent=1) + status


def test_a_second_run_changes_nothing(folder: Path) -> None:
    """Run twice, ufw has the same rules in the same order, none of them doubled."""
    once, twice = folder / "once", folder / "twice"
    once.mkdir()
    twice.mkdir()
    script = render_ufw(guarded())
    assert stage(once, script)[1] == stage(twice, script, script)[1]


def test_an_older_refusal_does_not_stand_in_the_way(folder: Path) -> None:
    """Where the guide's `ufw deny 6379` is already in force, what is let in goes above it."""
    guide = "ufw deny 6379\nufw allow 22/tcp\nufw --force enable\n"
    found, status = stage(folder, guide, render_ufw(guarded()))
    assert found == EXPECTED, status


def test_without_administrators_nothing_is_switched_on(folder: Path) -> None:
    """With nobody to let in by SSH, the script leaves ufw off: nobody is locked out."""
    found, status = stage(folder, render_ufw(built_in("linux")))
    assert status == "Status: inactive\n"
    assert set(found.values()) == {"open"}
