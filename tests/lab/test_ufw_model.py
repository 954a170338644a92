"""The model of ufw in tests/unit/steps/ufw.py, held to the real ufw command by command.

Everything happens in a network and mount namespace of the test's own, with copies of /etc/ufw.
"""

import subprocess
from pathlib import Path

import pytest
from tests.lab.test_artefacts_ufw import folder
from tests.unit.steps.ufw import UfwModel

from keywright_ops.facts.ufw import parse_ufw
from keywright_ops.model.absence import Missing

pytestmark = pytest.mark.lab
__all__ = ["folder"]

COMMANDS = (
    "allow 22/tcp",
    "deny 6379",
    "allow from 10.0.0.0/24 to any port 6379 proto tcp",
    "allow from 2001:db8::/48 to any port 6379 proto tcp",
    "limit 2222/tcp",
    "allow 80,443/tcp",
    "allow OpenSSH",
    "allow in on eth0 to any port 6379",
    "deny out 25",
    "deny log 6400",
    "prepend allow from 203.0.113.7/32 to any port 22 proto tcp comment why",
    "prepend allow from 2001:db8::1/128 to any port 22 proto tcp",
    "prepend allow in on docker0 to any port 6379 proto tcp comment bridge",
    "prepend allow in on docker0 to any port 6379 proto tcp comment again",
    "prepend allow 22/tcp",
    "deny 6379 comment again",
    "delete allow from 2001:db8::/48 to any port 6379 proto tcp",
    "delete allow 22/tcp",
    "delete allow 9999/tcp",
    "deny 6379/tcp",
    "prepend allow 22/tcp",
)
STAGE = r"""
set -eu
ip link set lo up
mkdir -p "$HOME/ufw" && cp -a /etc/ufw/. "$HOME/ufw/" && cp /etc/default/ufw "$HOME/default"
mount --bind "$HOME/ufw" /etc/ufw && mount --bind "$HOME/default" /etc/default/ufw
for words; do ufw $words >/dev/null; ufw show added; echo @@; done
ufw status verbose
"""


def test_the_model_does_what_ufw_does(folder: Path) -> None:
    """After each command `ufw show added` lists the model's rules, in its order, with its comments."""
    own = ["unshare", "--net", "--mount", "--propagation", "private"]
    done = subprocess.run(
        [*own, "sh", "-c", STAGE, "sh", *COMMANDS],
        env={"HOME": str(folder), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert 0 == done.returncode, done.stderr
    *shown, status = done.stdout.split("@@\n")
    model = UfwModel()
    for command, text in zip(COMMANDS, shown, strict=True):
        model.run(("ufw", *command.split()))
        real = parse_ufw(status, text)
        assert not isinstance(real, Missing)
        assert (command, model.shown().rules) == (command, real.rules)
