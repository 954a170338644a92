"""A developer's own .env and a real `up`: it is added to, never replaced, and docker reads our lines."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.lab.images import INSIGHT_IMAGE, OFFICIAL_IMAGE
from tests.lab.person import DockerPerson

pytestmark = pytest.mark.lab

SETTINGS = f"""\
app = "shop"
[env.dev]
image = "{OFFICIAL_IMAGE}"
maxmemory = "64mb"
[env.dev.insight]
image = "{INSIGHT_IMAGE}"
"""
THEIRS = b"SECRET_KEY=their-own\r\nREDIS_HOST=elsewhere\r\nDEBUG=1"
Somebody = Callable[..., DockerPerson]


def own(person: DockerPerson, content: bytes) -> Path:
    """The developer's file, before Keywright."""
    path = person.project / "src" / "backend" / ".env"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    path.chmod(0o644)
    return path


def test_up_adds_to_a_file_that_is_there(somebody: Somebody) -> None:
    """Every octet stays; the file is closed to others; what stands elsewhere is named, and that git
    would take it; docker hands our values to a container; a second `up` changes nothing."""
    person = somebody(SETTINGS)
    path = own(person, THEIRS)
    subprocess.run(["git", "-C", person.project, "init", "-q"], check=True)
    said = person.say("up", "-e", "dev")
    assert said.code == 0, said
    content = path.read_bytes()
    assert content.startswith(THEIRS)
    assert 0o640 == path.stat().st_mode & 0o777
    assert "src/backend/.env, line 2" in said.err
    assert "does not ignore" in " ".join(said.err.split())
    assert "their-own" not in said.text
    run = ("docker", "run", "--rm", "--env-file", str(path), "--entrypoint", "env", OFFICIAL_IMAGE)
    seen = dict(line.partition("=")[::2] for line in person.run(*run).out.splitlines())
    assert ("redis", "their-own") == (seen["REDIS_HOST"], seen["SECRET_KEY"].rstrip("\r"))
    again = person.say("up", "-e", "dev")
    assert (0, True) == (again.code, "nothing to do" in again.out), again
    assert content == path.read_bytes()
    assert "does not ignore" not in again.err  # told when it was written, and by `check`
    assert "does not ignore" in " ".join(person.say("check", "-e", "dev").err.split())


def test_what_the_developer_adds_later_is_kept(somebody: Somebody) -> None:
    """A line of theirs in a file that was ours alone makes it theirs; drift in ours is mended."""
    person = somebody(SETTINGS)
    assert 0 == person.say("up", "-e", "dev").code
    path = person.project / "src" / "backend" / ".env"
    path.write_text(path.read_text() + "SECRET_KEY=later\n")
    assert 0 == person.say("up", "-e", "dev").code
    assert "SECRET_KEY=later\n" in path.read_text()
    edited = path.read_text().replace("REDIS_PORT=6379", "REDIS_PORT=1")
    path.write_text(edited)
    assert 1 == person.say("check", "-e", "dev").code
    assert 0 == person.say("up", "-e", "dev").code
    assert 0 == person.say("check", "-e", "dev").code
    assert "SECRET_KEY=later\n" in path.read_text()
