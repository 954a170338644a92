"""What README and the pages show of a Linux host is what this test runs: each block marked `lab: linux`.

The blocks of a page run in order, over ssh, against a Debian of the lab with redis-server installed. Its
keywright.toml differs from a reader's in the host, our own address and RedisInsight's image alone.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.lab.docker_engine import Engine
from tests.lab.images import INSIGHT_IMAGE
from tests.lab.linux_host import LinuxHost
from tests.lab.linux_person import LinuxPerson
from tests.lab.played import PersonStage, pages_for, play, shown

pytestmark = pytest.mark.lab
NAMES = pages_for("linux")
MUST = ("README.md", "docs/environments/linux.md")
# Keys with dots, so that a page can add further lines: `echo 'env.linux.… = …' >> keywright.toml`.
TOML = """\
env.linux.host = "{host}"
env.linux.admin_from = ["172.17.0.1/32"]
env.linux.insight.image = "{image}"
"""


@pytest.fixture
def stage(images: Engine, tmp_path: Path) -> Iterator[PersonStage]:
    """A project whose host was never set up; the host goes with the page."""
    with LinuxHost(images, "keywright-lab-readme", installed=True) as host:
        host.load_image(INSIGHT_IMAGE)
        person = LinuxPerson(tmp_path / "person", host)
        text = TOML.format(host=person.url, image=INSIGHT_IMAGE)
        (person.project / "keywright.toml").write_text(text)
        yield PersonStage(tmp_path, person)


@pytest.mark.parametrize("name", NAMES)
def test_a_page_does_what_it_says(name: str, stage: PersonStage) -> None:
    """Every command of the page, in order, prints what the page shows."""
    play(name, "linux", stage)


def test_the_pages_that_need_a_host_are_among_them() -> None:
    """A page whose marks were lost would be run by nobody."""
    assert set(MUST) <= set(NAMES)


def test_they_show_what_a_person_needs() -> None:
    """What a person says in the host's life is shown and run."""
    commands = [command for name in MUST for command in shown(name, "linux")]
    for words in ("--dry-run", "up -e linux", "status", "check", "diff", "tunnel", "password rotate",
                  "restart", "down -e linux"):  # fmt: skip
        assert any(words in command for command in commands), words
