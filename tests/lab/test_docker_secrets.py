"""No password, and no hash of one, where anybody sees it who may look at Docker, at files or at processes."""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import NamedTuple

import pytest
from tests.embedded.stranger import Said, processes
from tests.lab import images as made
from tests.lab.person import DockerPerson

pytestmark = pytest.mark.lab
Somebody = Callable[..., DockerPerson]
PASSWORD = "a b\"c'd#e$f\\g%h@ü"
TOML = f"""\
app = "hush"
[env.prod]
image = "{made.OFFICIAL_8_IMAGE}"
insight.image = "{made.INSIGHT_IMAGE}"
insight.port = 8105
"""


class Hushed(NamedTuple):
    """An environment that was brought up while somebody watched every process."""

    person: DockerPerson
    said: list[Said]
    seen: str


@pytest.fixture(scope="module")
def hushed(residents: Somebody) -> Iterator[Hushed]:
    """up, up again, status, check, diff, down and up, with a password that every quoting knows to fear."""
    person = residents(TOML)
    person.environ["REDIS_PASSWORD"] = PASSWORD
    with Watching() as watching:
        said = [person.say("up", "-e", "prod"), person.say("up", "-e", "prod", "--json")]
        for words in (("status", "--json"), ("check", "--json"), ("diff",), ("down",), ("up",)):
            said.append(person.say(words[0], "-e", "prod", *words[1:]))
    assert {0} == {each.code for each in said}, said
    yield Hushed(person, said, watching.text)
    person.leave()


class Watching:
    """Collects the arguments and environments of every process of the machine, all the time."""

    def __init__(self) -> None:
        self._found: set[str] = set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> "Watching":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.is_set():
            for _, argv in processes():
                self._found.add(" ".join(argv))
            time.sleep(0.005)

    @property
    def text(self) -> str:
        """Every command line that was seen."""
        return "\n".join(self._found)


def secret_words(person: DockerPerson) -> dict[str, str]:
    """Everything that must not be seen: passwords, their hashes, and how they are quoted."""
    passwords = {**person.secrets, "given": PASSWORD}
    found = {}
    for name, password in passwords.items():
        found[name] = password
        found[f"{name} hash"] = sha256(password.encode()).hexdigest()
        found[f"{name} json"] = json.dumps(password)[1:-1]
        found[f"{name} dollars"] = password.replace("$", "$$")
    return found


def shown(words: dict[str, str], text: str) -> list[str]:
    """The names of the secrets that stand in a text."""
    return sorted(name for name, word in words.items() if word in text)


def test_the_given_password_is_the_servers(hushed: Hushed) -> None:
    """The password works as it was given; otherwise this file would look for the wrong words."""
    person = hushed.person
    assert "default" not in person.secrets, "a password that the shell gives is not kept"
    beside = ("run", "--rm", "-i", "--network", "hush-network", "-e", "REDISCLI_AUTH")
    done = person.engine.run(
        [*("/usr/bin/docker", *beside), made.REDIS_IMAGE, "redis-cli", "-h", "redis", "ping"],
        more={"REDISCLI_AUTH": PASSWORD},
    )
    assert "PONG\n" == done.stdout, done


def test_docker_shows_no_secret(hushed: Hushed) -> None:
    """Neither inspect of anything, nor logs, nor the layers of an image."""
    person, engine = hushed.person, hushed.person.engine
    words = secret_words(person)
    assert len(words) >= 4 * 5
    names = [name for each in person.things().values() for name in each]
    assert {} == {n: shown(words, engine.docker("inspect", n).stdout) for n in names if shown(
        words, engine.docker("inspect", n).stdout)}  # fmt: skip
    for name in person.things()["container"]:
        for question in (("logs", name), ("top", name, "-eo", "pid,args")):
            done = engine.docker(*question)
            assert [] == shown(words, done.stdout + done.stderr), question
        environment = engine.docker(
            "exec", name, "sh", "-c", "cat /proc/*/environ | tr '\\0' '\\n'"
        )
        assert [] == shown(words, environment.stdout)
    for image in engine.docker("images", "-q").stdout.split():
        assert [] == shown(words, engine.docker("history", "--no-trunc", image).stdout), image


def test_no_process_had_a_secret_among_its_arguments(hushed: Hushed) -> None:
    """Not for an instant, while everything was done (docker, Compose, the health check, the relay)."""
    assert "health.sh" in hushed.seen or "docker" in hushed.seen
    assert [] == shown(secret_words(hushed.person), hushed.seen)


def test_keywright_says_no_secret(hushed: Hushed) -> None:
    """Neither what it printed nor what its journal holds."""
    words = secret_words(hushed.person)
    assert [] == shown(words, "\n".join(each.text for each in hushed.said))
    journal = (hushed.person.state_of("prod") / "journal.jsonl").read_text()
    assert journal
    assert [] == shown(words, journal)


ALLOWED = ("users.acl", "health.secret", "databases.json", ".env", "vault.json")


def test_files_with_secrets_are_few_and_closed(hushed: Hushed) -> None:
    """Passwords stand in files that name them, which nobody else may read; in none that Compose reads."""
    words = secret_words(hushed.person)
    holding = [
        path
        for path in sorted(hushed.person.root.rglob("*"))
        if path.is_file() and not path.is_symlink() and "bin" not in path.parts
        if shown(words, path.read_bytes().decode("utf-8", "replace"))
    ]
    named = {path.name for path in holding if "undo" not in path.parts}
    assert named <= set(ALLOWED), named
    assert {"users.acl", "health.secret", "databases.json", "vault.json"} <= named
    [dotenv] = hushed.person.project.rglob("src/backend/.env")  # it holds the password, escaped
    for path in (*holding, dotenv):
        assert not os.stat(path).st_mode & 0o007, path
