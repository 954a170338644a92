"""What breaks, and what the talkers make of it: only documented errors, never another's reply."""

import asyncio
import os
import signal
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from tests.app.conftest import Make, emptied, start
from tests.app.proxy import Proxy
from tests.engines.servers import ENGINES, Server
from tests.ports import free_port

from keywright.endpoint import Endpoint
from keywright.errors import (
    Busy,
    ConnectionLost,
    OutcomeUnknown,
    ProtocolError,
    ReplyError,
    TimedOut,
    Unreachable,
)
from keywright.flows import one
from keywright.talkers.blocking import BlockingTalker
from keywright.talkers.multiplexed import MultiplexedTalker


@pytest.fixture
def place(debian: Server) -> Endpoint:
    """An empty server's endpoint."""
    return emptied(debian)


def through(proxy: Proxy, **named: Any) -> Endpoint:
    """The proxy's endpoint, with a short time-out."""
    return Endpoint(port=proxy.port, **{"timeout": 1.0, **named})


def test_a_reply_cut_in_the_middle(talker: Make, debian: Server, place: Endpoint) -> None:
    """What may be repeated is, on a new connection; what may not is OutcomeUnknown."""
    with debian.line() as line:
        line.ask("SET", "a", "x" * 3000)
    cuts = [1]

    def half(data: bytes) -> bytes | None:
        if len(data) > 1000 and cuts:
            cuts.pop()
            proxy_cut.append(data[: len(data) // 2])
            threading.Timer(0.05, proxy.cut).start()
            return data[: len(data) // 2]
        return data

    proxy_cut: list[bytes] = []
    proxy = Proxy(debian.port, half)
    held = talker(through(proxy))
    assert held.run(one("GET", "a")) == b"x" * 3000
    assert proxy_cut and proxy.connections >= 2
    cuts.append(1)
    with pytest.raises(OutcomeUnknown):
        held.run(one("GETSET", "a", "y" * 3000, repeatable=False))
    assert held.run(one("GET", "a")) == b"y" * 3000
    proxy.close()


def test_rubbish_is_a_protocol_error(talker: Make, debian: Server) -> None:
    """A peer that speaks something else is named, and the connection is not used again."""
    proxy = Proxy(debian.port, lambda _: b"HTTP/1.1 400 Bad Request\r\n\r\n")
    held = talker(through(proxy))
    with pytest.raises(ProtocolError, match="does not speak the Redis protocol"):
        held.run(one("PING"))
    proxy.rule = None
    assert held.run(one("PING")) == b"PONG"
    proxy.close()


def test_a_reply_too_many(talker: Make, debian: Server, place: Endpoint) -> None:
    """A reply that nobody waits for ends the connection before it is taken for another's."""
    proxy = Proxy(debian.port, lambda data: data + b"$5\r\nother\r\n")
    held = talker(through(proxy))
    try:
        held.run(one("SET", "a", "1"))
    except (ProtocolError, ConnectionLost):
        pass
    proxy.rule = None
    time.sleep(1.1)  # an idle connection is looked at again
    assert held.run(one("GET", "a")) == b"1"
    proxy.close()


def test_silence_is_a_time_out(talker: Make, debian: Server, place: Endpoint) -> None:
    """A stopped server is told within the time-out; its late replies reach nobody."""
    held = talker(place._replace(timeout=0.4))
    held.run(one("SET", "a", "1"))
    os.kill(debian.process.pid, signal.SIGSTOP)
    try:
        begun = time.monotonic()
        with pytest.raises(TimedOut, match="did not answer within 0.4 s"):
            held.run(one("GET", "a"))
        assert time.monotonic() - begun < 2
        with pytest.raises((TimedOut, OutcomeUnknown)):
            held.run(one("SET", "b", "2", repeatable=False))
    finally:
        os.kill(debian.process.pid, signal.SIGCONT)
    assert held.run(one("GET", "a")) == b"1"
    assert held.run(one("ECHO", "x")) == b"x"


def test_nobody_there(talker: Make) -> None:
    """A port without a listener is one sentence, after the patience of a restart."""
    held = talker(Endpoint(port=free_port()), patience=0.2)
    for _ in range(2):
        with pytest.raises(Unreachable, match="nobody listens on"):
            held.run(one("PING"))


def test_killed_and_started_again(talker: Make, tmp_path: Path) -> None:
    """A server that is killed and started again is spoken to again; acknowledged saves with AOF stay."""
    engine = next(each for each in ENGINES if each.program)
    port = free_port()
    lines = ("appendonly yes", "appendfsync always")
    with start(engine, tmp_path, port, *lines) as server:
        held = talker(Endpoint(port=port), patience=3.0)
        held.run(one("SET", "a", "1"))
        server.process.kill()
        server.process.wait()
        again = threading.Timer(0.3, lambda: bring(engine.program, tmp_path))
        again.start()
        assert held.run(one("GET", "a")) == b"1"
        again.join()
    STARTED.pop().kill()


STARTED: list[Any] = []


def bring(program: str | None, folder: Path) -> None:
    """Start the server of a folder once more."""
    import subprocess

    with (folder / "again.txt").open("wb") as out:
        STARTED.append(
            subprocess.Popen([str(program), str(folder / "redis.conf")], stdout=out, stderr=out)
        )


def test_clients_killed(talker: Make, debian: Server, place: Endpoint) -> None:
    """CLIENT KILL between two commands is not noticed by whoever asks next."""
    held = talker(place)
    for n in range(5):
        assert held.run(one("SET", "a", n)) == b"OK"
        with debian.line() as line:
            line.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        time.sleep(0.01)
        assert held.run(one("GET", "a")) == b"%d" % n


def test_idle_for_too_long(talker: Make, debian: Server, place: Endpoint) -> None:
    """A connection that the server closed while it was idle costs nobody an OutcomeUnknown."""
    held = talker(place)
    held.run(one("PING"))
    with debian.line() as line:
        line.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    getattr(held, "pause", time.sleep)(1.2)
    assert held.run(one("INCR", "n", repeatable=False)) == 1


def test_large_values(talker: Make, debian: Server, place: Endpoint) -> None:
    """Values of megabytes go and come whole."""
    held = talker(place)
    value = os.urandom(8 << 20)
    assert held.run(one("SET", "big", value)) == b"OK"
    assert held.run(one("GET", "big")) == value


def test_threads_share_few_connections(place: Endpoint, debian: Server) -> None:
    """Sixteen threads over four connections: everybody gets what is theirs."""
    held = BlockingTalker(place, connections=4)
    wrong: list[object] = []

    def work(mine: int) -> None:
        for n in range(100):
            said = held.run(one("ECHO", f"{mine}:{n}"))
            if said != f"{mine}:{n}".encode():
                wrong.append(said)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(16)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert wrong == []
    with debian.line() as line:
        assert line.ask("CLIENT", "LIST").count("cmd=echo") <= 4
    held.close()


def test_no_connection_left(place: Endpoint, debian: Server) -> None:
    """When all connections are in use for longer than the time-out, Busy says so."""
    held = BlockingTalker(place._replace(timeout=0.5), connections=1)
    held.run(one("PING"))
    os.kill(debian.process.pid, signal.SIGSTOP)
    try:
        slow = threading.Thread(target=_quietly, args=(held,))
        slow.start()
        time.sleep(0.1)
        with pytest.raises((Busy, TimedOut)):
            held.run(one("PING"))
        slow.join()
    finally:
        os.kill(debian.process.pid, signal.SIGCONT)
    assert held.run(one("PING")) == b"PONG"
    held.close()


def _quietly(held: BlockingTalker) -> None:
    try:
        held.run(one("PING"))
    except TimedOut:
        pass


def test_a_fork_has_connections_of_its_own(place: Endpoint) -> None:
    """Parent and child speak at once after a fork, and neither hears the other's replies."""
    held = BlockingTalker(place)
    held.run(one("SET", "who", "parent"))
    child = os.fork()
    if child == 0:
        well = all(held.run(one("ECHO", f"c{n}")) == f"c{n}".encode() for n in range(200))
        os._exit(0 if well else 1)
    assert all(held.run(one("ECHO", f"p{n}")) == f"p{n}".encode() for n in range(200))
    assert os.waitpid(child, 0)[1] == 0
    held.close()


# --- asyncio alone --------------------------------------------------------------------------------


def test_one_store_in_many_loops(place: Endpoint) -> None:
    """The same talker in one loop after another, and in two threads' loops at once."""
    held = MultiplexedTalker(place)

    async def speak(name: str) -> None:
        for n in range(50):
            assert await held.run(one("ECHO", f"{name}{n}")) == f"{name}{n}".encode()
        await held.aclose()

    for n in range(3):
        asyncio.run(speak(f"turn {n} "))
    failed: list[BaseException] = []

    def thread(name: str) -> None:
        try:
            asyncio.run(speak(name))
        except BaseException as error:  # noqa: BLE001 - shown below
            failed.append(error)

    threads = [threading.Thread(target=thread, args=(f"thread {n} ",)) for n in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert failed == []


def test_cancelled_tasks_shift_no_reply(place: Endpoint) -> None:
    """Tasks that are cancelled while they wait leave the others' replies where they belong."""

    async def main() -> None:
        held = MultiplexedTalker(place)
        await held.run(one("PING"))

        async def ask(n: int) -> bytes:
            value: bytes = await held.run(one("ECHO", str(n)))
            return value

        for _ in range(20):
            tasks = [asyncio.create_task(ask(n)) for n in range(100)]
            await asyncio.sleep(0)
            for each in tasks[::3]:
                each.cancel()
            said = await asyncio.gather(*tasks, return_exceptions=True)
            for n, reply in enumerate(said):
                assert isinstance(reply, asyncio.CancelledError) or reply == str(n).encode()
        await held.aclose()

    asyncio.run(main())


def test_more_tasks_than_may_wait(place: Endpoint, debian: Server) -> None:
    """Beyond `most` tasks queue up and are all served; a server that stands still is Busy or TimedOut."""

    async def main() -> None:
        held = MultiplexedTalker(place._replace(timeout=0.5), most=8)
        asks = [held.run(one("ECHO", str(n))) for n in range(500)]
        assert [str(n).encode() for n in range(500)] == await asyncio.gather(*asks)
        os.kill(debian.process.pid, signal.SIGSTOP)
        try:
            asks = [held.run(one("ECHO", str(n))) for n in range(100)]
            said = await asyncio.gather(*asks, return_exceptions=True)
        finally:
            os.kill(debian.process.pid, signal.SIGCONT)
        assert {TimedOut, Busy} >= {type(each) for each in said}
        assert await held.run(one("PING")) == b"PONG"
        await held.aclose()

    asyncio.run(main())


def test_large_values_do_not_hold_up_small_ones(place: Endpoint, debian: Server) -> None:
    """A value of megabytes goes over a line of its own."""

    async def main() -> None:
        held = MultiplexedTalker(place)
        await held.run(one("PING"))
        big = asyncio.create_task(held.run(one("SET", "big", b"x" * (16 << 20))))
        for _ in range(20):
            await held.run(one("PING"))
        assert await big == b"OK"
        with debian.line() as line:
            assert line.ask("CLIENT", "LIST").count("\n") == 3
        await held.aclose()

    asyncio.run(main())


def test_chaos(place: Endpoint, debian: Server) -> None:
    """Connections are killed all the time: no answer is another's, no acknowledged write is lost."""

    async def main() -> None:
        held = MultiplexedTalker(place)
        stop = asyncio.Event()
        acknowledged: dict[str, int] = {}

        async def work(name: str) -> None:
            n = 0
            while not stop.is_set():
                n += 1
                assert await held.run(one("SET", name, n)) == b"OK"
                acknowledged[name] = n
                assert await held.run(one("GET", name)) == b"%d" % n

        async def kill() -> None:
            for _ in range(30):
                await asyncio.sleep(0.02)
                await asyncio.to_thread(_kill_all, debian)
            stop.set()

        await asyncio.gather(kill(), *(work(f"w{n}") for n in range(30)))
        for name, n in acknowledged.items():
            assert await held.run(one("GET", name)) == b"%d" % n
        assert min(acknowledged.values()) > 10
        await held.aclose()

    asyncio.run(main())


def _kill_all(server: Server) -> None:
    with server.line() as line:
        line.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


def test_a_listener_that_never_accepts(talker: Make) -> None:
    """A connection that leads nowhere ends with the connect time-out."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        place = Endpoint(port=deaf.getsockname()[1], timeout=0.3, connect_timeout=0.3)
        held = talker(place)
        with pytest.raises(Unreachable):
            held.run(one("PING"))


def test_a_slow_network(debian: Server, place: Endpoint) -> None:
    """Through a slow line: right answers in few trips, and a time-out when it is too slow."""
    held_up = [0.02]
    trips = [0]

    def slow(data: bytes) -> bytes:
        trips[0] += 1
        time.sleep(held_up[0])
        return data

    proxy = Proxy(debian.port, slow)

    async def main() -> None:
        held = MultiplexedTalker(through(proxy, timeout=0.5))
        await held.run(one("PING"))
        before = trips[0]
        said = await asyncio.gather(*(held.run(one("ECHO", str(n))) for n in range(100)))
        assert [str(n).encode() for n in range(100)] == said
        assert trips[0] - before <= 10
        held_up[0] = 1.2
        with pytest.raises(TimedOut):
            await held.run(one("GET", "a"))
        held_up[0] = 0.0
        assert await held.run(one("ECHO", "x")) == b"x"
        await held.aclose()

    asyncio.run(main())
    held = BlockingTalker(through(proxy, timeout=0.5))
    held_up[0] = 0.02
    assert held.run(one("ECHO", "y")) == b"y"
    held_up[0] = 1.2
    with pytest.raises(TimedOut):
        held.run(one("GET", "a"))
    held.close()
    proxy.close()


def test_a_server_that_does_not_get_ready(talker: Make, debian: Server, place: Endpoint) -> None:
    """One that loads for longer than the patience is told as what it says, and asked well afterwards."""
    proxy = Proxy(debian.port, lambda _: b"-LOADING Redis is loading the dataset in memory\r\n")
    held = talker(through(proxy), patience=0.3)
    for most in (12, 2):  # whoever comes after the patience asks once
        before = proxy.connections
        with pytest.raises(ReplyError, match="LOADING"):
            held.run(one("GET", "a"))
        assert proxy.connections - before <= most
    proxy.rule = None
    assert held.run(one("SET", "a", "1")) == b"OK"
    proxy.close()


def test_a_replica_is_not_waited_for_for_ever(talker: Make, tmp_path: Path) -> None:
    """Where nobody can say who the master is, a write to a replica ends as the server's refusal."""
    engine = next(each for each in ENGINES if each.program)
    port = free_port()
    with start(engine, tmp_path, port, "replicaof 127.0.0.1 1"):
        held = talker(Endpoint(port=port), patience=0.3)
        for _ in range(2):
            with pytest.raises(ReplyError, match="READONLY"):
                held.run(one("SET", "a", "1"))
        assert held.run(one("GET", "a")) is None
