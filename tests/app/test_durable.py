"""Acknowledged saves and the death of the server: none is lost where every write is synced."""

import threading
import time
from pathlib import Path

import pytest
from tests.app.conftest import start
from tests.engines.servers import ENGINES
from tests.ports import free_port

from keywright.endpoint import Endpoint
from keywright.errors import KeywrightError, Unreachable
from keywright.sessions import SessionStore
from keywright.talkers.blocking import BlockingTalker

SYNCED = ("appendonly yes", "appendfsync always")


@pytest.mark.parametrize("engine", [each for each in ENGINES if each.program], ids=lambda e: e.name)
def test_no_acknowledged_save_is_lost(engine: object, tmp_path: Path) -> None:
    """Four threads save; the server is killed under them; what was acknowledged is there afterwards, and
    what was raised is one of our errors."""
    port = free_port()
    store = SessionStore(talker=BlockingTalker(Endpoint(port=port, timeout=1.0), patience=0), ttl=600,
                         prefix="esabcfg:")  # fmt: skip
    acknowledged: dict[str, int] = {}
    raised: list[BaseException] = []

    def save() -> None:
        session = store.create({"n": 0}, user="ada")
        for n in range(1, 100_000):
            session["n"] = n
            try:
                store.save(session)
            except BaseException as error:  # noqa: BLE001 - looked at below
                raised.append(error)
                return
            acknowledged[session.id] = n

    with start(engine, tmp_path, port, *SYNCED) as server:  # type: ignore[arg-type]
        threads = [threading.Thread(target=save) for _ in range(4)]
        for each in threads:
            each.start()
        time.sleep(0.5)
        server.process.kill()
        for each in threads:
            each.join()
    assert all(isinstance(each, KeywrightError) for each in raised) and len(raised) == 4, raised
    assert {Unreachable} <= {kind for each in raised for kind in type(each).__mro__}
    with start(engine, tmp_path, port, *SYNCED):  # type: ignore[arg-type]
        assert len(acknowledged) == 4 == store.count("ada")
        for name, n in acknowledged.items():
            found = store.load(name)
            assert found is not None and found["n"] in (n, n + 1)  # the next may have been written
    store.close()
