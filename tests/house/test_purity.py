"""The waterline holds at run time: calls into the pure rooms touch nothing of the world."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.purity import Impure, pure


def _late_import() -> str:
    import wave  # a module that nothing else has loaded: its import reads a file

    return wave.__name__


WORLDLY = {
    "open": lambda: open(__file__).close(),
    "read_text": lambda: Path(__file__).read_text(),
    "listdir": lambda: os.listdir("."),
    "scandir": lambda: list(os.scandir(".")),
    "socket": lambda: socket.create_server(("127.0.0.1", 0)).close(),
    "process": lambda: subprocess.run([sys.executable, "-c", "pass"]),
    "system": lambda: os.system("true"),
    "swallowed": lambda: [_try_open()],
}


def _try_open() -> None:
    try:
        open("/nowhere/at/all").close()
    except Exception:  # noqa: BLE001, S110 - the guard must not depend on what the call lets out
        pass


@pytest.mark.parametrize("deed", WORLDLY)
def test_the_guard_catches_it(deed: str):
    """Disk, network and processes are caught, swallowed errors or not."""
    with pytest.raises(Impure):
        pure(WORLDLY[deed])


def test_the_guard_lets_thinking_through():
    """Thinking, and a late import, is no deed; what a pure call raises comes out as it is."""
    assert pure(sorted, [2, 1]) == [1, 2]
    sys.modules.pop("wave", None)
    assert pure(_late_import) == "wave"
    with pytest.raises(ZeroDivisionError):
        pure(lambda: 1 // 0)
    Path(__file__).read_text()  # disarmed afterwards


PROFILE = """
app = "shop"

[env.dev]
maxmemory = "300mb"
"""
SECRETS = ("default", "appuser", "viewer", "admin", "health")
ENVIRONMENTS = ("local", "dev", "prod", "linux", "azure", "aws")


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_from_the_file_to_the_artefacts_nothing_is_touched(environment: str):
    """Loading, resolving and rendering any environment touches neither disk nor network."""
    load = pytest.importorskip("keywright_ops.profile.load")
    resolve = pytest.importorskip("keywright_ops.plan.resolve").resolve
    artefacts = pytest.importorskip("keywright_ops.render.artefacts")
    from keywright.secret import Secret
    from keywright_ops.model.absence import Missing
    from keywright_ops.model.host import HostFacts

    host = HostFacts("/usr/bin/valkey-server", 6379, "172.17.0.1", 22)
    assert not isinstance(host.program, Missing)
    profile = pure(load.load_profile, PROFILE, "keywright.toml")
    plan = pure(resolve, profile, environment, host, {}, "/state")
    assert plan.environment == environment
    secrets = {name: Secret(f"{name}-password") for name in SECRETS}
    made = pure(artefacts.render, plan, secrets)
    assert len(made) > 0
