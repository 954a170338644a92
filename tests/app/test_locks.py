"""Locks on every engine: one holder at a time, holders that die or sleep, numbers that only grow."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from tests.app.conftest import emptied, start
from tests.app.faces import driven
from tests.app.test_sessions import asked
from tests.engines.servers import ENGINES, Server
from tests.house.tree import SRC
from tests.ports import free_port

from keywright.endpoint import Endpoint
from keywright.errors import InputError, LockLost, LockTimeout
from keywright.locks import AsyncLock, Lock
from keywright.talkers.blocking import BlockingTalker
from keywright.talkers.memory import MemoryTalker
from keywright.talkers.multiplexed import MultiplexedTalker

PREFIX = "esabcfg:lock:"


@pytest.fixture(params=["threads", "asyncio"])
def make(request: pytest.FixtureRequest, endpoint: Endpoint) -> Any:
    """Make locks of either kind, called the same way."""
    loop = asyncio.new_event_loop()
    blocking, shared = BlockingTalker(endpoint), MultiplexedTalker(endpoint)

    def lock(name: str = "a", **named: Any) -> Any:
        named = {"ttl": 0.3, "wait": 0, "renew": False, "prefix": PREFIX, **named}
        if request.param == "threads":
            return Lock(name, talker=blocking, **named)
        held = driven(AsyncLock(name, talker=shared, **named))
        held.loop.close()
        held.loop = loop
        return held

    yield lock
    loop.run_until_complete(shared.aclose())
    loop.close()
    blocking.close()


def pause(lock: Any, seconds: float) -> None:
    """Wait; an event loop goes on meanwhile."""
    getattr(lock, "pause", time.sleep)(seconds)


def test_one_holder(make: Any) -> None:
    """The second is refused at once, and gets it when the first gave it back, with a higher number."""
    first, second = make(), make()
    number = first.acquire()
    assert first.held and number == first.fencing == 1
    with pytest.raises(LockTimeout, match="held the lock"):
        second.acquire()
    with pytest.raises(LockTimeout, match="by this very object"):
        first.acquire()
    first.release()
    assert not first.held
    assert second.acquire() == 2
    with pytest.raises(LockLost):
        first.release()
    second.release()
    with pytest.raises(LockLost):
        second.extend()


def test_its_time_ends(make: Any) -> None:
    """Not renewed, it is somebody else's after its time; the first is told, and cannot undo that."""
    first, second = make(), make(wait=2)
    first.acquire()
    assert second.acquire() == 2
    assert not first.held
    with pytest.raises(LockLost):
        first.extend()
    second.extend(5)
    with pytest.raises(LockLost):
        first.release()
    assert second.held
    second.release()


def test_it_is_renewed(make: Any) -> None:
    """With `renew` it outlasts its time many times over, and then nobody renews it any more."""
    first, second = make(renew=True), make()
    first.acquire()
    pause(first, 1.0)
    assert first.held
    with pytest.raises(LockTimeout):
        second.acquire()
    first.release()
    second.acquire()


def test_a_lost_lock_is_told(make: Any, server: Server) -> None:
    """Removed on the server, the renewal finds out and says so; so does the end of `with`."""
    told: list[int] = []
    lock = make(renew=True, on_lost=lambda: told.append(1))
    lock.acquire()
    with server.line() as line:
        line.ask("DEL", f"{PREFIX}a")
    pause(lock, 0.5)
    assert told == [1] and not lock.held
    with pytest.raises(LockLost):
        lock.release()


def test_each_is_one_command(make: Any, server: Server) -> None:
    """acquire, extend and release are one script each."""
    lock = make(ttl=5)
    lock.acquire()
    lock.extend()
    lock.release()
    for act in (lock.acquire, lock.extend, lock.release):
        asked(server)
        act()
        assert asked(server)["evalsha"] == 1


def test_with(endpoint: Endpoint) -> None:
    """`with` takes it and gives it back, also after an error of the work, which is what is raised."""
    talker = BlockingTalker(endpoint)
    with Lock("w", talker=talker, ttl=5, prefix=PREFIX) as lock:
        assert lock.held
    with pytest.raises(ZeroDivisionError), Lock("w", talker=talker, ttl=5, prefix=PREFIX) as lock:
        _ = 1 / 0
    assert not lock.held

    async def later() -> None:
        shared = MultiplexedTalker(endpoint)
        async with AsyncLock("w", talker=shared, ttl=5, prefix=PREFIX, wait=0) as lock:
            assert lock.held and lock.fencing == 3
        await shared.aclose()

    asyncio.run(later())
    talker.close()


def test_contenders(endpoint: Endpoint) -> None:
    """Twenty threads and forty tasks want it: never two at once, and the numbers grow one by one."""
    inside, wrong, numbers = [0], [], []

    def held(number: int) -> None:
        inside[0] += 1
        if inside[0] != 1:
            wrong.append(number)
        numbers.append(number)

    def work() -> None:
        lock = Lock("c", talker=talker, ttl=10, prefix=PREFIX, renew=False)
        with lock:
            held(lock.fencing)
            time.sleep(0.001)
            inside[0] -= 1

    async def task(shared: MultiplexedTalker) -> None:
        async with AsyncLock("c", talker=shared, ttl=10, prefix=PREFIX, renew=False) as lock:
            held(lock.fencing)
            await asyncio.sleep(0.001)
            inside[0] -= 1

    async def tasks() -> None:
        shared = MultiplexedTalker(endpoint)
        await asyncio.gather(*(task(shared) for _ in range(40)))
        await shared.aclose()

    talker = BlockingTalker(endpoint)
    threads = [threading.Thread(target=work) for _ in range(20)]
    for each in threads:
        each.start()
    asyncio.run(tasks())
    for each in threads:
        each.join()
    assert wrong == []
    assert list(range(1, 61)) == numbers
    talker.close()


HOLDER = """
import sys, time
from keywright.endpoint import Endpoint
from keywright.errors import KeywrightError
from keywright.locks import Lock
from keywright.talkers.blocking import BlockingTalker
talker = BlockingTalker(Endpoint(port=int(sys.argv[1])))
lock = Lock("p", talker=talker, ttl=float(sys.argv[2]), prefix="esabcfg:lock:")
print(lock.acquire(), flush=True)
sys.stdin.readline()
try:
    lock.release()
    print("released", flush=True)
except KeywrightError as error:
    print(type(error).__name__, flush=True)
"""


def holder(endpoint: Endpoint, ttl: float) -> Any:
    """A process that takes the lock, renews it, and gives it back when it is told to."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(endpoint.port), str(ttl)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(SRC)},
    )  # fmt: skip
    assert child.stdout is not None and child.stdout.readline().strip().isdigit()
    return child


def test_a_holder_that_is_killed(endpoint: Endpoint) -> None:
    """While it lives nobody else gets the lock; killed, its time ends and the next one does."""
    child = holder(endpoint, 0.5)
    mine = Lock("p", talker=BlockingTalker(endpoint), ttl=5, prefix=PREFIX)
    with pytest.raises(LockTimeout):
        mine.acquire(1.2)
    child.kill()
    child.wait()
    assert mine.acquire(3) == 2
    mine.release()


def test_a_holder_that_is_paused(endpoint: Endpoint) -> None:
    """Stopped beyond its time and woken again, it is told LockLost; its number is lower than the next."""
    child = holder(endpoint, 0.4)
    os.kill(child.pid, signal.SIGSTOP)
    mine = Lock("p", talker=BlockingTalker(endpoint), ttl=5, prefix=PREFIX)
    assert mine.acquire(3) == 2
    os.kill(child.pid, signal.SIGCONT)
    said, _ = child.communicate("\n", timeout=10)
    assert said.strip() == "LockLost"
    assert mine.held
    mine.release()


def test_a_server_that_forgot(tmp_path: Path) -> None:
    """Killed without persistence and started again, the server has no lock: the holder is told."""
    engine = next(each for each in ENGINES if each.program)
    port, told = free_port(), threading.Event()
    talker = BlockingTalker(Endpoint(port=port, timeout=1.0), patience=2.0)
    with start(engine, tmp_path, port) as server:
        lock = Lock("f", talker=talker, ttl=1.5, prefix=PREFIX, on_lost=told.set)
        lock.acquire()
        server.process.kill()
        server.process.wait()
    with start(engine, tmp_path, port):
        assert told.wait(5)
        with pytest.raises(LockLost):
            lock.release()


def test_inside_the_process(debian: Server) -> None:
    """Without Redis a lock holds between the threads of the process."""
    emptied(debian)
    talker = MemoryTalker()
    with Lock("m", talker=talker, ttl=5, prefix=PREFIX) as lock:
        assert lock.fencing == 1
        with pytest.raises(LockTimeout):
            Lock("m", talker=talker, ttl=5, prefix=PREFIX, wait=0).acquire()


@pytest.mark.parametrize(("name", "ttl"), [("", 1), ("a", 0), ("a", -1)])
def test_what_makes_no_sense(name: str, ttl: float) -> None:
    """A lock without a name or a time is one sentence."""
    with pytest.raises(InputError):
        Lock(name, talker=MemoryTalker(), ttl=ttl, prefix=PREFIX)
