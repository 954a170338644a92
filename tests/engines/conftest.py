"""The three engines as fixtures; one that is absent is skipped, in CI the bundled ones fail."""

import os
from collections.abc import Iterator

import pytest
from tests.engines.servers import ENGINES, Engine, Server, running
from tests.ports import free_port


@pytest.fixture(scope="module", params=ENGINES, ids=lambda each: each.name)
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine in turn."""
    chosen: Engine = request.param
    if chosen.program is None:
        reason = f"{chosen.name} is not installed"
        if chosen.bundled and os.environ.get("CI"):
            pytest.fail(f"{reason}, and it comes with the tests' own requirements")
        pytest.skip(reason)
    return chosen


@pytest.fixture(scope="module")
def open_server(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A bare server without passwords, on loopback; one per engine and module."""
    folder = tmp_path_factory.mktemp(engine.name)
    port = free_port()
    text = f'port {port}\nbind 127.0.0.1\nsave ""\ndir "{folder}"\naclfile "{folder}/users.acl"\n'
    (folder / "redis.conf").write_text(text)
    (folder / "users.acl").touch()
    with running(engine, folder, port) as server:
        yield server
