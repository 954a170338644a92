"""TLS in Docker, by the command line on a real engine: made, proven, renewed while a client is connected."""

import json
import ssl
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from tests.lab.docker_engine import DOCKER
from tests.lab.images import OFFICIAL_IMAGE
from tests.lab.person import DockerPerson

from keywright.endpoint import Endpoint, Tls
from keywright.secret import Secret
from keywright.wire import Wire
from keywright_ops.targets.relay import container_relay

pytestmark = pytest.mark.lab
Somebody = Callable[..., DockerPerson]
ON, BOTH = "tls.enabled = true\n", "tls.enabled = true\nport = 6379\n"


def text(app: str, lines: str = "") -> str:
    """keywright.toml of an application of its own: its volume outlives the test."""
    head = f'app = "{app}"\n[env.prod]\nimage = "{OFFICIAL_IMAGE}"\ninsight.enabled = false\n'
    return head + lines


def verdicts(person: DockerPerson, *words: str) -> dict[str, str]:
    """What came of each proof."""
    said = person.say(*words, "-e", "prod", "--json")
    assert said.out, said
    return {
        each["id"]: f"{each['verdict']}: {each['evidence']}"
        for each in json.loads(said.out)["proofs"]
    }


def bad(found: dict[str, str]) -> dict[str, str]:
    """The proofs that did not pass."""
    return {name: each for name, each in found.items() if not each.startswith("passed")}


def client(person: DockerPerson, name: str, ca: Path) -> Wire:
    """A client that checks chain and name, through a relay in the container."""
    relay = ("env", f"DOCKER_HOST={person.engine.socket}", *container_relay(DOCKER, name, 6380))
    password = Secret(person.secrets["admin"])
    return Wire(
        Endpoint(
            host="redis", relay=relay, username="admin", password=password, timeout=30,
            tls=Tls(ca_certs=str(ca)),
        )
    )  # fmt: skip


@pytest.mark.parametrize("inside", [True, False], ids=["on the host", "away from it"])
def test_up_with_tls(somebody: Somebody, inside: bool) -> None:
    """Law: with TLS every proof passes, on the engine's host and away from it; the health check speaks
    it; a client that trusts ca.crt finds the service by its name; a second `up` does nothing."""
    app = f"tls-{'here' if inside else 'away'}"
    person, name = somebody(text(app, ON), inside=inside), f"{app}-redis-prod"
    assert bad(verdicts(person, "up")) == {}
    folder = person.project / "deployment/docker"
    with client(person, name, folder / "ca-prod.crt") as wire:
        assert wire.call("PING") == "PONG"
    assert (folder / "ca-prod.crt").stat().st_mode & 0o777 == 0o644
    key = folder / "redis-prod/tls/server.key"
    assert key.stat().st_mode & 0o007 == 0
    assert "PRIVATE" not in json.dumps(person.inspect(name))
    assert "nothing to do" in person.say("up", "-e", "prod").out


def test_switched_on_and_renewed(somebody: Somebody) -> None:
    """Law: TLS is opened beside the plain port in the same container, renewed under a held connection,
    and the plain port closed when asked; no key is lost."""
    person, name = somebody(text("tls-live")), "tls-live-redis-prod"
    assert bad(verdicts(person, "up")) == {}
    with person.wire_to(name) as wire:
        wire.call("SET", "esabcfg:kept", "1")
        made = person.inspect(name)["Id"]
        person.declare_all(text("tls-live", BOTH))
        assert bad(verdicts(person, "up")) == {}
        assert wire.call("PING") == "PONG"
        assert made == person.inspect(name)["Id"]
    ca = person.project / "deployment/docker/ca-prod.crt"
    with client(person, name, ca) as held:
        before = (person.project / "deployment/docker/redis-prod/tls/server.crt").read_text()
        said = person.say("tls", "renew", "-e", "prod")
        assert said.code == 0, said
        assert "✓ the right certificate is served" in said.out
        after = (person.project / "deployment/docker/redis-prod/tls/server.crt").read_text()
        assert before != after
        assert held.call("GET", "esabcfg:kept") == "1"
        shown = json.loads(person.say("tls", "show", "-e", "prod", "--json").out)
        der = ssl.PEM_cert_to_DER_cert(after)
        assert shown["presented"]["fingerprint"] == sha256(der).hexdigest()
    person.declare_all(text("tls-live", ON))
    said = person.say("up", "-e", "prod")
    assert (said.code, "clients must follow" in said.err) == (4, True)
    assert bad(verdicts(person, "up", "--yes")) == {}
    with client(person, name, ca) as wire:
        assert wire.call("GET", "esabcfg:kept") == "1"
