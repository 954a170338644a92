"""What README and the pages show of Docker is what this test runs: each block marked `lab: docker`.

The blocks of a page run in order in a project of their own, against a real Docker Engine. Its
keywright.toml differs from a reader's in the images alone: they are the lab's.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.lab import images as made
from tests.lab.docker_engine import Engine
from tests.lab.person import DockerPerson
from tests.lab.played import PersonStage, pages_for, play, shown

pytestmark = pytest.mark.lab
NAMES = pages_for("docker")
MUST = (
    "README.md",
    "docs/environments/dev.md",
    "docs/environments/prod.md",
    "docs/environments/taking-over.md",
    "docs/troubleshooting/docker.md",
)

# Keys with dots, so that a page can add further lines: `echo 'env.prod.… = …' >> keywright.toml`.
TOML = f"""\
env.dev.image = "{made.OFFICIAL_IMAGE}"
env.dev.insight.image = "{made.INSIGHT_IMAGE}"
env.prod.image = "{made.OFFICIAL_IMAGE}"
env.prod.insight.image = "{made.INSIGHT_IMAGE}"
"""
# What the guide's compose file names; here it is the stand-in that starts as the official one does.
GUIDES_IMAGE = "redis:7-alpine"


@pytest.fixture(params=["v2", "1.29"])
def stage(request: pytest.FixtureRequest, images: Engine, tmp_path: Path) -> Iterator[PersonStage]:
    """An empty project with either generation of Compose; what pages make goes with it."""
    images.docker("tag", made.OFFICIAL_IMAGE, GUIDES_IMAGE)
    person = DockerPerson(tmp_path / "person", images, TOML, compose=request.param)
    yield PersonStage(tmp_path, person)
    _remove_all(images)


def _remove_all(engine: Engine) -> None:
    """Every container, volume and network of the pages' application `esab`."""
    for kind, name, force in (
        ("container", "{{.Names}}", ("-f", "-v")),
        ("volume", "{{.Name}}", ()),
        ("network", "{{.Name}}", ()),
    ):
        every = ("-a",) if kind == "container" else ()
        listed = engine.docker(kind, "ls", *every, "--format", name).stdout.split()
        for each in listed:
            if each.startswith("esab-"):
                engine.docker(kind, "rm", *force, each)


@pytest.mark.parametrize("name", NAMES)
def test_a_page_does_what_it_says(name: str, stage: PersonStage) -> None:
    """Every command of the page, in order, prints what the page shows."""
    play(name, "docker", stage)


def test_the_pages_that_need_docker_are_among_them() -> None:
    """A page whose marks were lost would be run by nobody."""
    assert set(MUST) <= set(NAMES)


def test_readme_shows_what_a_person_needs() -> None:
    """up, status, check, diff, rotate, tls, down and down --volumes are shown and run."""
    commands = shown("README.md", "docker")
    for words in ("up -e dev", "up -e prod", "status", "check", "diff", "password rotate", "tls",
                  "down -e dev", "--volumes"):  # fmt: skip
        assert any(words in command for command in commands), words
