"""`keywright up` of a Docker environment killed with SIGKILL: the next plain `up` makes it good.

A choice of boundaries, each where something outside has just changed; `make soak` takes all of them.
"""

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.lab import images as made
from tests.lab.docked import Docked
from tests.lab.killed_up import NOT_MET
from tests.lab.person import DockerPerson

pytestmark = pytest.mark.lab
Somebody = Callable[..., DockerPerson]
PROGRAM = str(Path(__file__).with_name("killed_up.py"))
SOAK = bool(os.environ.get("KEYWRIGHT_SOAK"))
FIXED = (f'image = "{made.OFFICIAL_IMAGE}"', "insight.enabled = false")
# what happens to the container between the kill and the next `up`, in turn
AFTERMATHS: tuple[tuple[str, ...], ...] = ((), ("kill",), (), ("restart", "-t", "60"))

AOF_OFF = ("appendonly = false",)
AOF_ON = ("appendonly = true",)
# from which declaration to which, and where it is killed
CHANGES: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "restart": ((), ("databases = 32",), ("effect stop",)),
    "anew": (
        (),
        ('container.log_max_size = "10m"',),
        ("done stop", "effect write-docker-compose.prod.yml", "effect start"),
    ),
    "append-only off": (AOF_ON, AOF_OFF, ("effect appendonly-aside", "effect appendonly-off")),
    "append-only on": (AOF_OFF, AOF_ON, ("effect appendonly-on", "doing write-redis.conf")),
}
FRESH = ("effect write-redis.conf", "effect start")
EVERYWHERE = 100  # more boundaries than a first `up` has


def killed(docked: Docked, boundary: str) -> str:
    """Run `up` until it kills itself; the boundary's name, "" where it was not met."""
    person = docked.person
    said = person.run(*person.program[:1], PROGRAM, docked.environment, boundary)
    assert said.code in (-9, 137, NOT_MET), said
    return said.out.strip() if said.code != NOT_MET else ""


def boundaries(chosen: tuple[str, ...]) -> Iterator[str]:
    """The chosen ones, or all by number."""
    return map(str, itertools.count()) if SOAK else iter(chosen)


@pytest.mark.parametrize("boundary", map(str, range(EVERYWHERE)) if SOAK else FRESH)
def test_a_fresh_environment(somebody: Somebody, boundary: str) -> None:
    """Law: killed in the first `up`, the next one ends well, with the passwords that were kept."""
    docked = Docked(somebody(), "fresh", "prod", *FIXED)
    name = killed(docked, boundary)
    assert SOAK or boundary == name
    kept = docked.person.secrets
    docked.well("up")
    assert kept.items() <= docked.person.secrets.items()
    assert [] == docked.steps()


@pytest.fixture(scope="module")
def prod(residents: Somebody) -> Docked:
    """An environment with keys in it."""
    docked = Docked(residents(), "killed", "prod", *FIXED)
    docked.well("up")
    docked.fill()
    return docked


@pytest.mark.parametrize("what", CHANGES)
def test_a_change(prod: Docked, what: str) -> None:
    """Law: killed anywhere, and the container ended by whatever hand, the next `up` ends well with every
    key; and where the files that are loaded changed, so does a restart."""
    before, after, chosen = CHANGES[what]
    for boundary, aftermath in zip(boundaries(chosen), itertools.cycle(AFTERMATHS)):
        prod.declare(*before)
        if prod.steps():
            prod.well("up")
        prod.declare(*after)
        name = killed(prod, boundary)
        assert name or SOAK, f"{boundary} was not met"
        if name and aftermath:
            prod.person.run("docker", *aftermath, prod.container)
        prod.well("up")
        prod.expect_data()
        if not name:
            break
    if what.startswith("append-only"):
        assert 0 == prod.say("restart").code
        prod.expect_data()
