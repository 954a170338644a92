"""Rotations and live changes under 1,000 commands a second in Docker: no command of a client fails.

The client is redis-py with its own defaults, a program of its own, its password asked from the
application's .env at every connect; to prod it goes over the container's network as another container
does, to dev through the published port.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.embedded.stranger import SRC, libraries
from tests.lab import images as made
from tests.lab.docked import Docked
from tests.lab.loading_client import RATE
from tests.lab.person import DockerPerson

from keywright.errors import KeywrightError

pytestmark = pytest.mark.lab
Somebody = Callable[..., DockerPerson]
CLIENT = Path(__file__).with_name("loading_client.py")
KINDS = {"redis-7.0": made.OFFICIAL_IMAGE, "valkey-9.1": made.OFFICIAL_VALKEY_IMAGE}
BEFORE = 0.3  # seconds of load before and after each change
SHARE = 0.8  # of what is meant, on a busy machine


class Came(NamedTuple):
    """What one phase of the load came to; `slowest` and `seconds` in seconds."""

    done: int
    failed: list[str]
    seconds: float
    slowest: float


class Load:
    """The client, until the block ends."""

    def __init__(self, docked: Docked, user: str = "default") -> None:
        person = docked.person
        host, port = docked.address(), 6379
        if docked.environment == "dev":
            (published,) = docked.inspect()["NetworkSettings"]["Ports"]["6379/tcp"]
            host, port = published["HostIp"], int(published["HostPort"])
        vault = person.state_of(docked.environment) / "vault.json"
        argv = (dotenv(docked), host, port, user, vault)
        root = str(SRC.parent)
        self.child = subprocess.Popen(
            (*person.prefix, sys.executable, str(CLIENT), *(str(word) for word in argv)),
            env=person.environ | {"PYTHONPATH": ":".join((root, str(SRC), *libraries()))},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def answer(self, line: str = "") -> str:
        """Send it a line and read one."""
        assert self.child.stdin is not None and self.child.stdout is not None
        self.child.stdin.write(line)
        self.child.stdin.flush()
        return self.child.stdout.readline()

    def __enter__(self) -> "Load":
        if self.answer() != "loaded\n":
            self.child.kill()
            raise AssertionError(self.child.communicate()[1])
        return self

    def __exit__(self, *_: object) -> None:
        _, errors = self.child.communicate(timeout=30)
        assert self.child.returncode == 0, errors

    @contextmanager
    def expect_no_failure(self, what: str) -> Iterator[None]:
        """What happens in the block fails no command, and the client sends on as it was meant to."""
        self.answer("\n")  # what was before is another phase
        time.sleep(BEFORE)
        yield
        time.sleep(BEFORE)
        came = Came(*json.loads(self.answer("\n")))
        assert [] == came.failed[:3], f"{what}: {len(came.failed)} of {came.done} failed"
        assert came.done >= SHARE * RATE * came.seconds, f"{what}: {came}"


def dotenv(docked: Docked) -> Path:
    """The .env of the application that `up` wrote."""
    found = docked.person.project.rglob(".env*")
    (one,) = [each for each in found if each.is_file()]
    return one


def expect_dead(docked: Docked, rotate: tuple[str, ...], *users: str) -> None:
    """Rotate; what was open before, as any of these users, is closed afterwards."""
    wires = [docked.person.wire_to(docked.container, user) for user in users]
    for wire in wires:
        assert "PONG" == wire.call("PING")
    said = docked.person.say("password", "rotate", "-e", docked.environment, *rotate)
    assert 0 == said.code, said
    for wire in wires:
        with pytest.raises(KeywrightError):
            wire.call("PING")
        wire.close()


@pytest.fixture(scope="module", params=KINDS)
def prod(request: pytest.FixtureRequest, residents: Somebody) -> Docked:
    """A production environment with an image."""
    fixed = (f'image = "{KINDS[request.param]}"', "insight.enabled = false")
    docked = Docked(residents(), f"load-{request.param[0]}", "prod", *fixed)
    docked.well("up")
    return docked


def test_rotations(prod: Docked) -> None:
    """Law: of default, of the application's user, of all: not one command fails, and old sessions die."""
    before = prod.identity()
    with Load(prod) as load:
        with load.expect_no_failure("rotate"):
            expect_dead(prod, (), "default")
        with load.expect_no_failure("rotate --all"):
            expect_dead(prod, ("--all",), "default", "appuser", "viewer", "admin", "health")
    with Load(prod, "appuser") as load, load.expect_no_failure("rotate appuser"):
        expect_dead(prod, ("appuser",), "appuser")
    assert before == prod.identity()


CHANGES: dict[str, tuple[str, ...]] = {
    "maxmemory": ('maxmemory = "1200mb"',),
    "policy": ('maxmemory_policy = "volatile-lru"',),
    "save points": ('save = ["900 1", "60 100"]',),
    "appendonly off": ("appendonly = false",),
    "appendonly on": ("appendonly = true",),
    "a user's rights": ("viewer_reads_values = true",),
    "limits": ('container.memory = "2G"', "container.cpus = 0.75"),
    "restart policy": ('container.restart = "unless-stopped"',),
    "as it was": (),
}


def test_live_changes(prod: Docked) -> None:
    """Law: whatever needs no other container is done without one failed command."""
    before = prod.identity()
    with Load(prod) as load:
        for what, lines in CHANGES.items():
            prod.declare(*lines)
            with load.expect_no_failure(what):
                assert prod.well("up")["steps"], what
    assert before == prod.identity()


def test_through_a_published_port(somebody: Somebody) -> None:
    """Law: an application beside Docker, which comes through the published port, notices as little."""
    fixed = (f'image = "{made.OFFICIAL_IMAGE}"', "insight.enabled = false")
    docked = Docked(somebody(), "load-dev", "dev", *fixed)
    docked.well("up")
    with Load(docked) as load:
        with load.expect_no_failure(
            "rotate, from the guide's default password to one of the vault"
        ):
            expect_dead(docked, ())
        with load.expect_no_failure("rotate"):
            expect_dead(docked, (), "default")
        docked.declare('maxmemory = "600mb"')
        with load.expect_no_failure("maxmemory"):
            docked.well("up")
