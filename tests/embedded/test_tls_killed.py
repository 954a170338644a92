"""A renewal that is killed at any boundary: the next `up` finishes it, and no pair on disk is ever torn
but where another key was asked for."""

import json
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.embedded.killed import killed_deed
from tests.embedded.stranger import Person
from tests.embedded.test_tls import Encrypted, pytestmark

from keywright_ops.actions.tls import renew

__all__ = ["pytestmark"]


def fits_on_disk(folder: Path) -> bool:
    """Whether a server that was started now could load certificate and key."""
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.crt", folder / "server.key")
    except ssl.SSLError:
        return False
    return True


@pytest.mark.parametrize("wish", [(False, False), (True, False), (False, True)])
def test_killed_anywhere(person: Callable[..., Person], wish: tuple[bool, bool]) -> None:
    """Law: whatever was killed, `up` ends with every proof passed, the process still the same; what is
    served is what lies there, and without another key the pair on disk fits at every moment."""
    one = Encrypted(person())
    one.declare()
    assert one.person.say("up").code == 0
    with one.wire() as held:
        for boundary in range(100):
            toml = one.person.project / "keywright.toml"
            name = killed_deed(one.person.environ, toml, boundary, lambda ask: renew(ask, *wish))
            if wish != (False, True):
                assert fits_on_disk(one.folder), name
            said = one.person.say("up", "--json", "--yes")
            assert said.code == 0, (name, said)
            wrong = [each for each in json.loads(said.out)["proofs"] if each["verdict"] != "passed"]
            assert wrong == [], name
            assert one.served() == one.on_disk(), name
            assert held.call("PING") == "PONG", name
            if not name:
                break
    assert boundary > 4
