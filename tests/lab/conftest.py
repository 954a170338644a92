"""What tests of the lab share: one Docker Engine per session, with its images made on demand."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.lab import docker_engine
from tests.lab.linux_host import LinuxHost
from tests.lab.person import DockerPerson, Outside, outside

Somebody = Callable[..., DockerPerson]


@pytest.fixture(scope="session")
def engine() -> Iterator[docker_engine.Engine]:
    """A Docker Engine of this session alone; the test is skipped where none can run."""
    reason = docker_engine.why_not()
    if reason:
        pytest.skip(reason)
    with docker_engine.Engine() as running:
        yield running


@pytest.fixture(scope="session")
def redis_image(engine: docker_engine.Engine) -> str:
    """Debian's Redis 7.0: no entrypoint, account `redis`."""
    return engine.add_redis()


@pytest.fixture(scope="session")
def official_image(engine: docker_engine.Engine) -> str:
    """An image that starts as Docker's official one: its entrypoint, uid 999."""
    return engine.add_official_like()


@pytest.fixture(scope="session")
def valkey_image(engine: docker_engine.Engine) -> str:
    """Valkey 9.1 under an account of its own."""
    return engine.add_valkey()


@pytest.fixture(scope="session")
def images(engine: docker_engine.Engine) -> docker_engine.Engine:
    """The engine with every image of the lab."""
    engine.add_images()
    return engine


@pytest.fixture
def somebody(images: docker_engine.Engine, tmp_path: Path) -> Iterator[Somebody]:
    """Make persons with Docker: `somebody(text, inside=False, compose="1.29")`; they clean up."""
    with people(images, tmp_path) as make:
        yield make


@pytest.fixture(scope="module")
def residents(
    images: docker_engine.Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Somebody]:
    """The same, for environments that all tests of a module look at."""
    with people(images, tmp_path_factory.mktemp("residents")) as make:
        yield make


@pytest.fixture(scope="module")
def hosts(engine: docker_engine.Engine) -> Iterator[Callable[..., LinuxHost]]:
    """Start Linux hosts that live as long as the tests of a module: `hosts("name", installed=True)`."""
    with ExitStack() as stack:

        def start(name: str, **options: Any) -> LinuxHost:
            return stack.enter_context(LinuxHost(engine, name, **options))

        yield start


@contextmanager
def people(engine: docker_engine.Engine, folder: Path) -> Iterator[Somebody]:
    """Make persons, each in a folder of their own; at the end they clean up."""
    there: list[DockerPerson] = []

    def make(text: str = "", **options: Any) -> DockerPerson:
        person = DockerPerson(folder / f"person{len(there)}", engine, text, **options)
        there.append(person)
        return person

    try:
        yield make
    finally:
        for person in there:
            person.leave()


@pytest.fixture(scope="session")
def neighbour(engine: docker_engine.Engine) -> Iterator[Outside]:
    """Another machine on the network of the engine's host."""
    with outside(engine) as there:
        yield there
