"""A renewal that is killed at any boundary: the next `up` finishes it, and no pair on disk is ever torn
but where another key was asked for."""

import json
import os
import signal
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.embedded.stranger import Person
from tests.embedded.test_tls import Encrypted, pytestmark

from keywright_ops.actions.tls import renew
from keywright_ops.actions.up import Ask
from keywright_ops.apply import apply
from keywright_ops.model.step import Step

__all__ = ["pytestmark"]


def killed_renewal(person: Person, boundary: int, wish: tuple[bool, bool]) -> str:
    """Renew in a process that kills itself at this boundary; return its name, "" when it ended before."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        _renew_and_die(person, boundary, wish, write)
    os.close(write)
    with os.fdopen(read) as pipe:
        name = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return name
    assert os.waitstatus_to_exitcode(status) == 0, name
    return ""


def _renew_and_die(person: Person, boundary: int, wish: tuple[bool, bool], pipe: int) -> None:
    """In the child: never returns."""
    count = -1

    def pass_by(name: str) -> None:
        nonlocal count
        count += 1
        if count == boundary:
            os.write(pipe, name.encode())
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(10)

    def watch(event: str, step: Step) -> None:
        pass_by(f"{event} {step.id}")

    real: Callable[..., None] = apply._do

    def do(doing: Any, shop: Any) -> None:
        real(doing, shop)
        pass_by(f"after the effect of {type(doing).__name__}")

    apply._do = do
    try:
        file = str(person.project / "keywright.toml")
        ask = Ask(file, None, person.environ, watch, lambda outcome: None, lambda steps: True)
        renew(ask, *wish)
    except BaseException as error:  # noqa: BLE001 - a forked child must never return
        os.write(pipe, f"{type(error).__name__}: {error}".encode())
        os._exit(1)
    os._exit(0)


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
            name = killed_renewal(one.person, boundary, wish)
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
