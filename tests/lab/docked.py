"""One Docker environment with data in it, changed through the real command line; and a client that writes."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from tests.embedded.stranger import SRC, Said, libraries
from tests.lab.person import DockerPerson

CLIENT = str(Path(__file__).with_name("writing_client.py"))
KEYS = 500  # keys that lie in the environment before anything is changed


class Identity(NamedTuple):
    """Which container it is, since when its server runs, and which server."""

    container: str
    started: str
    run: str


class Docked:
    """An environment of a person; `fixed` are lines of its table that no change touches."""

    def __init__(self, person: DockerPerson, app: str, environment: str, *fixed: str) -> None:
        self.person, self.app, self.environment = person, app, environment
        self.fixed = fixed
        self.container = f"{app}-redis{'' if environment == 'dev' else f'-{environment}'}"
        self.folder = person.project / "deployment" / "docker"
        suffix = "" if environment == "dev" else f"-{environment}"
        self.configuration = self.folder / f"redis{suffix}"
        self.compose_file = self.folder / f"docker-compose{suffix.replace('-', '.')}.yml"
        self.declare()

    def declare(self, *lines: str, top: str = "") -> None:
        """Write keywright.toml anew: a line replaces the fixed one of the same key."""
        keys = {line.partition("=")[0].strip() for line in lines}
        kept = [line for line in self.fixed if line.partition("=")[0].strip() not in keys]
        table = (f"[env.{self.environment}]", *kept, *lines)
        self.person.declare_all(
            "\n".join((f'app = "{self.app}"', 'prefix = "mine:"', top, *table, ""))
        )

    def say(self, verb: str, *words: str) -> Said:
        """A command of Keywright on this environment."""
        return self.person.say(verb, "-e", self.environment, *words)

    def well(self, verb: str, *words: str) -> dict[str, Any]:
        """A command that must end well, every proof passed; its report."""
        said = self.say(verb, "--json", *words)
        assert 0 == said.code, said.text
        report: dict[str, Any] = json.loads(said.out)
        failed = [each for each in report.get("proofs", ()) if each["verdict"] != "passed"]
        assert not failed, failed
        return report

    def steps(self) -> list[dict[str, Any]]:
        """What `diff` says `up` would do."""
        found: list[dict[str, Any]] = self.well("diff")["steps"]
        return found

    def inspect(self) -> dict[str, Any]:
        """What the engine says of the server's container."""
        return self.person.inspect(self.container)

    @property
    def port(self) -> int:
        """The port without TLS that redis.conf names; 6380 where there is none."""
        text = (self.configuration / "redis.conf").read_text().splitlines()
        return next(int(line.split()[1]) for line in text if line.startswith("port "))

    def ask(self, *words: str) -> Any:
        """Send the server one command as the administrator."""
        return self.batch(words)[0]

    def batch(self, *commands: tuple[object, ...]) -> list[Any]:
        """Send the server commands as the administrator."""
        with self.person.wire_to(self.container) as wire:
            return wire.batch(list(commands))

    def identity(self) -> Identity:
        """The same before and after means that nothing was restarted or made anew."""
        found = self.inspect()
        info = str(self.ask("INFO", "server"))
        run = next(line for line in info.splitlines() if line.startswith("run_id:"))
        return Identity(found["Id"], found["State"]["StartedAt"], run)

    def fill(self) -> None:
        """Write strings, a hash, a list, a key that expires, and one in another database."""
        commands: list[tuple[object, ...]] = [
            ("SET", f"mine:key:{each}", f"value {each}") for each in range(KEYS)
        ]
        commands += [
            ("HSET", "a-hash", "field", "content", "other", "more"),
            ("DEL", "a-list"),
            ("RPUSH", "a-list", "one", "two", "three"),
            ("SET", "expires", "later", "EX", 86400),
            ("SELECT", 3),
            ("SET", "elsewhere", "here"),
        ]
        self.batch(*commands)

    def expect_data(self) -> None:
        """Everything that `fill` wrote is there, value for value."""
        gets = [("GET", f"mine:key:{each}") for each in range(KEYS)]
        others = [
            ("HGET", "a-hash", "field"), ("LRANGE", "a-list", 0, -1), ("GET", "expires"),
            ("SELECT", 3), ("GET", "elsewhere"), ("DBSIZE",),
        ]  # fmt: skip
        replies = self.batch(*gets, *others)
        assert [f"value {each}" for each in range(KEYS)] == replies[:KEYS]
        assert ["content", ["one", "two", "three"], "later", "OK", "here", 1] == replies[KEYS:]

    def files(self) -> dict[str, bytes]:
        """Every artefact of the project with its content."""
        found = (path for path in self.person.project.rglob("*") if path.is_file())
        return {str(path): path.read_bytes() for path in found if path.name != "keywright.toml"}

    def address(self) -> str:
        """Where the server is on its network."""
        networks = self.inspect()["NetworkSettings"]["Networks"]
        return next(str(each["IPAddress"]) for each in networks.values() if each["IPAddress"])

    def writer(self, host: str = "", port: int = 6379) -> "Writer":
        """A client that writes from now on, as the application's user."""
        return Writer(self, host or self.address(), port)


class Written(NamedTuple):
    """What a writing client saw: numbers that the server acknowledged, and failures."""

    acknowledged: list[int]
    failed: list[str]
    connections: int


class Writer:
    """redis-py with its own defaults, which pushes number after number until the block ends."""

    def __init__(self, docked: Docked, host: str, port: int) -> None:
        self.docked = docked
        self.key = f"mine:written:{time.monotonic_ns()}"
        person = docked.person
        self.child = subprocess.Popen(
            (*person.prefix, sys.executable, CLIENT, host, str(port), self.key),
            env=person.environ | {"PYTHONPATH": ":".join((str(SRC), *libraries()))},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.child.stdin is not None and self.child.stdout is not None
        self.child.stdin.write(person.secrets["appuser"] + "\n")
        self.child.stdin.flush()
        self.seen: Written | None = None
        if self.child.stdout.readline() != "writing\n":  # the first number is acknowledged
            self.child.kill()
            raise AssertionError(self.child.communicate()[1])

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *_: object) -> None:
        out, errors = self.child.communicate(timeout=60)
        assert self.child.returncode == 0, errors
        self.seen = Written(*json.loads(out))

    @property
    def told(self) -> Written:
        """What it saw, once it has ended."""
        assert self.seen is not None
        return self.seen

    def expect_no_failure(self, sessions: int = 1) -> None:
        """Not one command failed, in at most so many connections; and everything is there."""
        assert not self.told.failed, self.told.failed[:3]
        assert self.told.connections <= sessions
        self.expect_all_there()

    def expect_all_there(self) -> None:
        """Every number that was acknowledged is in the list."""
        assert len(self.told.acknowledged) > 20, self.told.failed[:3]
        there = {int(each) for each in self.docked.ask("LRANGE", self.key, "0", "-1")}
        assert set() == set(self.told.acknowledged) - there
