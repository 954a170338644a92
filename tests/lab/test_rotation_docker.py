"""Passwords rotated in Docker, by the command line on a real engine: every artefact follows."""

from collections.abc import Callable

import pytest
from tests.lab.images import OFFICIAL_IMAGE
from tests.lab.person import DockerPerson

from keywright.errors import KeywrightError
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
