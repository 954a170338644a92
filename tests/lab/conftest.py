"""What tests of the lab share: one Docker Engine per session, with its images made on demand."""

from collections.abc import Iterator

import pytest
from tests.lab import docker_engine


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
