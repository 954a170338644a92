"""Real servers for the application library: each engine, one server for a file of tests."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.app.faces import driven
from tests.engines.conftest import engine as engine
from tests.engines.servers import ENGINES, Engine, Server, running
from tests.ports import free_port

from keywright.endpoint import Endpoint
from keywright.talkers.blocking import BlockingTalker
from keywright.talkers.multiplexed import MultiplexedTalker


def start(engine: Engine, folder: Path, port: int, *lines: str) -> Any:
    """A bare server without passwords, on loopback and on a unix socket; use it with `with`."""
    text = (
        f'port {port}\nbind 127.0.0.1\nunixsocket {folder}/s\nsave ""\ndir "{folder}"\n'
        f'aclfile "{folder}/users.acl"\n' + "".join(f"{line}\n" for line in lines)
    )
    (folder / "redis.conf").write_text(text)
    (folder / "users.acl").touch()
    return running(engine, folder, port)


@pytest.fixture(scope="module")
def server(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of each engine in turn."""
    with start(engine, tmp_path_factory.mktemp(engine.name), free_port()) as one:
        yield one


@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of one engine, for laws that do not depend on it."""
    usable = next(each for each in ENGINES if each.program)
    with start(usable, tmp_path_factory.mktemp("debian"), free_port()) as one:
        yield one


@pytest.fixture
def endpoint(server: Server) -> Endpoint:
    """Where the server of this test answers, empty."""
    return emptied(server)


def emptied(server: Server) -> Endpoint:
    """The server's endpoint, after FLUSHALL."""
    with server.line() as line:
        line.ask("FLUSHALL")
    return Endpoint(port=server.port, timeout=2.0)


Make = Callable[..., Any]


@pytest.fixture(params=["threads", "asyncio"])
def talker(request: pytest.FixtureRequest) -> Iterator[Make]:
    """Make talkers of either kind."""
    made: list[Any] = []

    def make(endpoint: Endpoint, **named: Any) -> Any:
        if request.param == "threads":
            made.append(BlockingTalker(endpoint, **named))
        else:
            made.append(driven(MultiplexedTalker(endpoint, **named)))
        return made[-1]

    yield make
    for each in made:
        each.close()
