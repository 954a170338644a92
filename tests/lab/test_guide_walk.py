"""The guide's commands in Docker and on a Linux host, each beside Keywright's, on the real thing.

docs/operating.md prints the list; tests/guide walks it on the embedded server, with TLS too.
"""

import os
import subprocess
from collections.abc import Callable

import pytest
from tests.embedded.stranger import Said
from tests.guide.cli import Cli
from tests.guide.walk import ROWS, Row, Way, fill
from tests.lab import images as made
from tests.lab.docked import Docked
from tests.lab.docker_engine import DOCKER
from tests.lab.linux_host import LinuxHost
from tests.lab.linux_person import LinuxPerson
from tests.lab.person import DockerPerson

pytestmark = pytest.mark.lab


class ContainerWay(Cli):
    """`docker exec … redis-cli` in a container, or on a host that is one, beside `keywright -e ENV`."""

    def __init__(
        self, person: DockerPerson | LinuxPerson, environment: str, container: str
    ) -> None:
        self.person, self.environment = person, environment
        cli = ("redis-cli", "--no-auth-warning", "--user", "admin", "-a", person.secrets["admin"])
        environ = os.environ | {"DOCKER_HOST": person.environ["DOCKER_HOST"]}
        super().__init__((DOCKER, "exec", "-i", container, *cli), environ)

    def say(self, *words: str) -> Said:
        """What `keywright WORDS` answers of this environment."""
        return self.person.say("-e", self.environment, *words)

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """`keywright WORDS`, running."""
        return self.person.start("-e", self.environment, *words)


@pytest.fixture(scope="module")
def in_docker(residents: Callable[..., DockerPerson]) -> Way:
    """A production environment in a container."""
    image, insight = f'image = "{made.OFFICIAL_IMAGE}"', f'insight.image = "{made.INSIGHT_IMAGE}"'
    docked = Docked(residents(), "walk", "prod", image, insight, "insight.port = 8177")
    docked.well("up")
    way = ContainerWay(docked.person, "prod", docked.container)
    fill(way)
    return way


@pytest.fixture(scope="module")
def on_linux(hosts: Callable[..., LinuxHost], tmp_path_factory: pytest.TempPathFactory) -> Way:
    """A systemd host over ssh."""
    host = hosts("keywright-lab-walk", installed=True)
    person = LinuxPerson(tmp_path_factory.mktemp("walk") / "person", host)
    person.environ["DOCKER_HOST"] = host.engine.socket
    person.bring_up()
    way = ContainerWay(person, "linux", host.name)
    fill(way)
    return way


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.guide} = {row.ours}"[:60])
def test_in_docker_both_see_the_same(in_docker: Way, row: Row) -> None:
    """What the guide's command shows or does in the container, Keywright's does."""
    row.holds(in_docker)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.guide} = {row.ours}"[:60])
def test_on_linux_both_see_the_same(on_linux: Way, row: Row) -> None:
    """What the guide's command shows or does on the host, Keywright's does over ssh."""
    row.holds(on_linux)
