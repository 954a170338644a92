"""The guide's commands on the embedded server, without TLS and with nothing but TLS."""

import os
from collections.abc import Iterator

import pytest
from tests.embedded.stranger import Person
from tests.guide.embedded import EmbeddedWay
from tests.guide.walk import ROWS, Row, Way, fill
from tests.ports import free_port

REDIS_7 = "/usr/bin/redis-server"

pytestmark = [
    pytest.mark.skipif(
        not os.path.exists("/usr/bin/redis-cli"), reason="no redis-cli to compare with"
    ),
    pytest.mark.xdist_group("guide"),
]


@pytest.fixture(scope="module", params=["embedded", "tls"])
def way(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    """The server, up and filled as the guide has it."""
    person = Person(tmp_path_factory.mktemp(request.param) / "p")
    options = ["-p", str(person.port)]
    if request.param == "tls":
        port = free_port()
        person.declare(
            f'server = "{REDIS_7}"', "tls.enabled = true", f"tls.port = {port}", "port = 0"
        )
        options = ["-h", "localhost", "-p", str(port), "--tls", "--cacert"]
    said = person.say("up")
    assert said.code == 0, said
    if request.param == "tls":
        options.append(f"{person.state}/tls/ca.crt")
    found = EmbeddedWay(person, *options)
    fill(found)
    yield found
    person.leave()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.guide} = {row.ours}"[:60])
def test_both_see_the_same(way: Way, row: Row) -> None:
    """What the guide's command shows or does, Keywright's does."""
    row.holds(way)
