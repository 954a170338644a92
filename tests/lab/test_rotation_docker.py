"""Passwords rotated in Docker, by the command line on a real engine: every artefact follows."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.embedded.stranger import await_true
from tests.lab.docked import Docked
from tests.lab.images import INSIGHT_IMAGE, OFFICIAL_IMAGE
from tests.lab.person import DockerPerson

from keywright.errors import KeywrightError, ReplyError
from keywright.secret import Secret
from keywright.settings import Settings

pytestmark = pytest.mark.lab
Somebody = Callable[..., DockerPerson]
TOML = f"""\
app = "rotated"
[env.{{env}}]
image = "{OFFICIAL_IMAGE}"
insight.enabled = false
"""


@pytest.mark.parametrize("env", ["dev", "prod"])
def test_rotated(somebody: Somebody, env: str) -> None:
    """Law: all passwords change in the same container, which stays healthy: .env and health.secret name
    the new ones, the old ones are dead with their sessions, and nothing is in `docker inspect`. The guide's
    default password of `dev` goes into the vault without more ado."""
    person = somebody(TOML.format(env=env))
    name = {"dev": "rotated-redis", "prod": "rotated-redis-prod"}[env]
    said = person.say("up", "-e", env)
    assert said.code == 0, said
    made = person.inspect(name)
    before = person.secrets
    with person.wire_to(name, "appuser") as session:
        said = person.say("password", "rotate", "--all", "-e", env)
        assert said.code == 0, said
        with pytest.raises(KeywrightError):
            session.call("PING")
    after = person.secrets
    assert all(before.get(user) != after[user] for user in after)
    with person.wire_to(name, "default") as wire:
        assert wire.call("PING") == "PONG"
    now = person.inspect(name)
    assert (made["Id"], made["State"]["Pid"]) == (now["Id"], now["State"]["Pid"])
    assert not [user for user, secret in after.items() if secret in str(now)]
    (health,) = person.project.glob("deployment/docker/*/health.secret")
    assert health.read_text().strip() == after["health"]
    done = person.engine.docker(
        "exec", name, *now["Config"]["Healthcheck"]["Test"][1:], check=False
    )
    assert done.returncode == 0, done
    envs = [path for path in person.project.rglob(".env*") if path.is_file()]
    assert any(Settings.from_file(str(each)).password == Secret(after["default"]) for each in envs)
    said = person.say("up", "-e", env)
    assert said.code == 0, said
    assert "nothing to do" in said.out


# --- interrupted, held, undone ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def prod(residents: Somebody) -> Docked:
    """A production environment with RedisInsight beside it, whose health is asked every second."""
    lines = (f'image = "{OFFICIAL_IMAGE}"', f'insight.image = "{INSIGHT_IMAGE}"')
    docked = Docked(residents(), "turned", "prod", *lines, 'container.health_interval = "1s"')
    docked.well("up")
    return docked


def rotate(docked: Docked, *words: str) -> None:
    """Rotate; it must end well."""
    said = docked.person.say("password", "rotate", "-e", docked.environment, *words)
    assert 0 == said.code, said


def unfinished(docked: Docked) -> dict[str, Any]:
    """The rotations that the vault knows of."""
    vault = docked.person.state_of(docked.environment) / "vault.json"
    found: dict[str, Any] = json.loads(vault.read_text()).get("turns", {})
    return found


def kill_in(docked: Docked, phase: str) -> None:
    """Rotate all passwords, and SIGKILL Keywright as soon as its vault says this phase."""
    environment = docked.environment
    child = docked.person.start("password", "rotate", "--all", "-e", environment)
    deadline = time.monotonic() + 60
    while phase not in {each["phase"] for each in unfinished(docked).values()}:
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < deadline, f"no phase {phase}"
    child.kill()
    child.communicate()


def accepted(docked: Docked, user: str, password: str) -> bool:
    """Whether the server takes this password."""
    try:
        with docked.person.wire_as(docked.container, user, password) as wire:
            return bool("PONG" == wire.call("PING"))
    except ReplyError:
        return False


def expect_valid(docked: Docked) -> None:
    """What .env, the vault, the health check's file and RedisInsight's preset name is valid."""
    (dotenv,) = [each for each in docked.person.project.rglob(".env*") if each.is_file()]
    settings = Settings.from_file(str(dotenv))
    assert settings.password is not None
    assert accepted(docked, settings.username or "default", settings.password.reveal())
    assert accepted(docked, "admin", docked.person.secrets["admin"])
    health = (docked.configuration / "health.secret").read_text().strip()
    assert accepted(docked, "health", health)
    assert accepted(docked, "viewer", preset(docked))


def preset(docked: Docked) -> str:
    """The password that RedisInsight is given."""
    (path,) = docked.folder.rglob("*databases*.json")
    (database,) = json.loads(path.read_text())
    assert "viewer" == database["username"]
    return str(database["password"])


@pytest.mark.parametrize("phase", ["both", "named", "only"])
@pytest.mark.parametrize("way", ["up", "undo"])
def test_interrupted(prod: Docked, phase: str, way: str) -> None:
    """Law: killed in any phase, what every file names is valid; `up` finishes it, --undo takes it back."""
    before, container = users(prod), prod.identity()
    with prod.person.wire_to(prod.container, "default") as session:
        kill_in(prod, phase)
        expect_valid(prod)
        if way == "up":
            prod.well("up")
            with pytest.raises(KeywrightError):
                session.call("PING")
        else:
            rotate(prod, "--undo")
            if phase != "only":  # else the sessions may have ended already
                assert "PONG" == session.call("PING")
    assert {} == unfinished(prod)
    after = users(prod)
    if way == "up":
        assert not [name for name in before if before[name] == after[name]]
        assert not [name for name in before if accepted(prod, name, before[name])]
    else:
        assert before == after
    expect_valid(prod)
    assert after["viewer"] == preset(prod)
    assert container == prod.identity()
    assert [] == prod.well("up")["steps"]


def users(docked: Docked) -> dict[str, str]:
    """The passwords that are valid and named now."""
    return {name: word for name, word in docked.person.secrets.items() if " " not in name}


def test_held(prod: Docked) -> None:
    """Law: held, both are valid, and `up` leaves it so; --finish ends the old one, --undo the new one."""
    for way in ("--finish", "--undo"):
        old = users(prod)["default"]
        rotate(prod, "--hold")
        new = users(prod)["default"]
        prod.well("up")
        assert (True, True) == (accepted(prod, "default", old), accepted(prod, "default", new))
        expect_valid(prod)
        rotate(prod, way)
        finished = way == "--finish"
        assert (not finished) is accepted(prod, "default", old)
        assert finished is accepted(prod, "default", new)
        expect_valid(prod)


def test_always_healthy(prod: Docked) -> None:
    """Law: while the health check's own password is rotated no check of Docker fails."""
    seen = set[str]()
    child = prod.person.start("password", "rotate", "health", "-e", "prod")
    ended = 0.0
    while not ended or time.monotonic() < ended + 2.5:  # two checks more
        health = prod.inspect()["State"]["Health"]
        seen |= {f"{health['Status']} {each['ExitCode']}" for each in health["Log"]}
        if not ended and child.poll() is not None:
            ended = time.monotonic()
        time.sleep(0.1)
    assert 0 == child.returncode, child.communicate()
    child.communicate()
    assert {"healthy 0"} == seen


def test_found_with_requirepass(somebody: Somebody) -> None:
    """Law: the guide's own command line, adopted, then rotated: keys and password stay, then the old one
    is dead."""
    old = "a-password-of-their-own"
    docked = Docked(
        somebody(), "found", "prod", f'image = "{OFFICIAL_IMAGE}"', "insight.enabled = false"
    )
    docker = docked.person.engine.docker
    docker("network", "create", "found-network")
    docker(
        *("run", "-d", "--name", docked.container, "--network", "found-network"),
        *("--network-alias", "redis", "--restart", "always", "-v", "found-redis-data-prod:/data"),
        *(OFFICIAL_IMAGE, "redis-server", "--requirepass", old, "--appendonly", "yes"),
    )
    await_true(lambda: accepted(docked, "default", old), "it answers")
    with docked.person.wire_as(docked.container, "default", old) as wire:
        wire.call("SET", "mine:kept", "here")
    docked.person.environ["REDIS_PASSWORD"] = old
    said = docked.say("up", "--adopt", "--yes")
    assert 0 == said.code, said
    assert "here" == docked.ask("GET", "mine:kept")
    assert accepted(docked, "default", old)
    rotate(docked, "--to-vault")
    assert not accepted(docked, "default", old)
    assert accepted(docked, "default", users(docked)["default"])
    assert "here" == docked.ask("GET", "mine:kept")
