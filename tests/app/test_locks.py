"""Locks on real servers: one holder at a time, whoever dies, sleeps or is cut off."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from tests.app.conftest import emptied, start
from tests.app.faces import driven
from tests.engines.servers import ENGINES, Server
from tests.ports import free_port

from keywright.endpoint import Endpoint
from keywright.errors import LockError, LockLost, LockTimeout, SettingsError
from keywright.locks import AsyncLock, Lock
from keywright.settings import Settings
from keywright.talkers.blocking import BlockingTalker
from keywright.talkers.memory import MemoryTalker
from keywright.talkers.multiplexed import MultiplexedTalker

Make = Callable[..., Any]
TTL = 0.3  # seconds
KEY = "esabcfg:lock:job"


class Face:
    """Makes locks of one kind, and waits so that its renewals go on."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.loop = asyncio.new_event_loop()
        self.talkers: list[Any] = []

    def __call__(self, endpoint: Endpoint, name: str = "job", **named: Any) -> Any:
        named.setdefault("ttl", TTL)
        if self.kind == "threads":
            talker = BlockingTalker(endpoint)
            self.talkers.append(talker)
            return Lock(name, talker=talker, **named)
        shared = MultiplexedTalker(endpoint)
        self.talkers.append(shared)
        lock = driven(AsyncLock(name, talker=shared, **named))
        lock.loop.close()
        lock.loop = self.loop
        return lock

    def pause(self, seconds: float) -> None:
        """Let time pass."""
        if self.kind == "threads":
            time.sleep(seconds)
        else:
            self.loop.run_until_complete(asyncio.sleep(seconds))

    def close(self) -> None:
        """Close every connection."""
        for each in self.talkers:
            if self.kind == "threads":
                each.close()
            else:
                self.loop.run_until_complete(each.aclose())
        self.loop.close()


@pytest.fixture(params=["threads", "asyncio"])
def lock(request: pytest.FixtureRequest) -> Iterator[Face]:
    """Make locks of either kind."""
    face = Face(request.param)
    yield face
    face.close()


@pytest.fixture
def place(debian: Server) -> Endpoint:
    """An empty server's endpoint."""
    return emptied(debian)


def test_one_holder_and_growing_numbers(lock: Face, endpoint: Endpoint, server: Server) -> None:
    """On every engine: the second waits in vain, then follows with a greater number; keys have ends."""
    first, second = lock(endpoint), lock(endpoint)
    number = first.acquire()
    assert first.held and first.fencing == number > 0
    with pytest.raises(LockTimeout, match="the lock job was held by another for all of 0 s"):
        second.acquire(wait=0)
    assert not second.held
    first.extend(5)
    with server.line() as line:
        assert 4000 < line.ask("PTTL", KEY) <= 5000
        assert line.ask("PTTL", KEY + ":fence") > 0
    first.release()
    assert not first.held
    assert second.acquire(wait=0) > number
    second.release()
    with server.line() as line:
        assert line.ask("EXISTS", KEY) == 0


def test_one_command_a_call(lock: Face, endpoint: Endpoint, server: Server) -> None:
    """Take, extend and release are one EVALSHA each, once the server knows the scripts."""
    held = lock(endpoint, renew=False)
    held.acquire(), held.extend(), held.release()
    with server.line() as line:
        line.ask("CONFIG", "RESETSTAT")
        held.acquire(), held.extend(), held.release()
        said = line.ask("INFO", "commandstats")
    assert "cmdstat_evalsha:calls=3," in said
    assert "cmdstat_eval:" not in said


def test_a_call_sent_twice_is_one(place: Endpoint) -> None:
    """A token that asks again gets its number again, and a release again is told well again."""
    from keywright.locks import scripts

    for talker in (BlockingTalker(place), MemoryTalker()):
        number = talker.run(scripts.take("a", "a:fence", "me", 1000))
        assert talker.run(scripts.take("a", "a:fence", "me", 1000)) == number > 0
        assert -1000 <= talker.run(scripts.take("a", "a:fence", "you", 1000)) < 0
        assert talker.run(scripts.extend("a", "me", 1000)) is True
        assert talker.run(scripts.extend("a", "you", 1000)) is False
        assert talker.run(scripts.release("a", "a:fence", "you")) is False
        assert talker.run(scripts.release("a", "a:fence", "me")) is True
        assert talker.run(scripts.release("a", "a:fence", "me")) is True
        assert talker.run(scripts.extend("a", "me", 1000)) is False
        assert talker.run(scripts.take("a", "a:fence", "you", 1000)) > number
        talker.close()


def test_renewals_keep_it(lock: Face, place: Endpoint) -> None:
    """A lock is held over several of its times, and no longer than that when it is not renewed."""
    held, other = lock(place), lock(place)
    held.acquire()
    lock.pause(3 * TTL)
    assert held.held
    with pytest.raises(LockTimeout):
        other.acquire(wait=0)
    held.release()
    short = lock(place, renew=False)
    number = short.acquire()
    assert other.acquire(wait=5 * TTL) > number
    assert not short.held
    with pytest.raises(LockLost, match="the lock job was lost"):
        short.extend()
    with pytest.raises(LockLost):
        short.release()
    other.release()


def test_who_lost_it_is_told(lock: Face, place: Endpoint, debian: Server) -> None:
    """A lock that somebody removed: the renewal sees it and calls on_lost, once."""
    told: list[str] = []
    held = lock(place, on_lost=lambda: told.append("job"))
    held.acquire()
    with debian.line() as line:
        line.ask("DEL", KEY)
    lock.pause(TTL)
    assert told == ["job"]
    assert not held.held
    with pytest.raises(LockLost):
        held.release()
    held.acquire(wait=0)  # and may be taken anew
    held.release()


def test_an_on_lost_that_fails_stops_nothing(place: Endpoint, debian: Server) -> None:
    """An error in somebody's on_lost is logged; the other locks of the process are still renewed."""
    talker = BlockingTalker(place)
    with Lock("other", talker=talker, ttl=TTL) as other:
        lost = Lock("job", talker=talker, ttl=TTL, on_lost=lambda: 1 // 0)
        lost.acquire()
        with debian.line() as line:
            line.ask("DEL", KEY)
        time.sleep(3 * TTL)
        assert other.held and not lost.held
    talker.close()


def test_through_a_client_of_somebody(place: Endpoint) -> None:
    """A redis-py client serves as well, and renewals go through it too."""
    client = redis.Redis(port=place.port)
    with Lock("job", client=client, ttl=TTL, prefix="esabcfg:lock:") as lock:
        time.sleep(2 * TTL)
        assert lock.held
        with pytest.raises(LockTimeout):
            Lock("job", place, ttl=TTL).acquire(wait=0)
    client.close()


def test_a_connection_cut_in_between(lock: Face, place: Endpoint, debian: Server) -> None:
    """CLIENT KILL of every connection: the lock stays, and the renewals go on."""
    held = lock(place)
    held.acquire()
    with debian.line() as line:
        line.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        lock.pause(2 * TTL)
        assert held.held
        line.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    held.release()


def test_a_server_that_forgot(lock: Face, tmp_path: Path) -> None:
    """Killed without persistence: the loss is told, and the number still grows."""
    usable = next(each for each in ENGINES if each.program)
    port = free_port()
    with start(usable, tmp_path, port) as server:
        held = lock(Endpoint(port=port, timeout=1.0), renew=False, ttl=5)
        number = held.acquire()
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
    with start(usable, tmp_path, port):
        with pytest.raises(LockLost):
            held.extend()
        assert lock(Endpoint(port=port)).acquire(wait=0) > number


CHILD = """
import sys, time
from keywright.endpoint import Endpoint
from keywright.errors import LockLost
from keywright.locks import Lock
lock = Lock("job", Endpoint(port=int(sys.argv[1])), ttl=0.3, on_lost=lambda: None)
print(lock.acquire(), flush=True)
sys.stdin.readline()
said = []
for call in (lock.extend, lock.release):
    try:
        call()
        said.append("kept")
    except LockLost:
        said.append("lost")
print(lock.held, *said, flush=True)
"""


def holder(port: int) -> tuple[subprocess.Popen[str], int]:
    """Another process that holds the lock and renews it, and its number."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(port)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert child.stdout is not None
    return child, int(child.stdout.readline())


def test_a_holder_that_was_killed(lock: Face, place: Endpoint) -> None:
    """SIGKILL: another follows after the ttl at the latest, with a greater number."""
    child, number = holder(place.port)
    mine = lock(place)
    with pytest.raises(LockTimeout):
        mine.acquire(wait=2 * TTL)
    child.kill()
    child.wait()
    begun = time.monotonic()
    assert mine.acquire(wait=5) > number
    assert time.monotonic() - begun < TTL + 0.5
    mine.release()


def test_a_holder_that_was_stopped(lock: Face, place: Endpoint) -> None:
    """SIGSTOP past its time: another follows, and who wakes is told that it lost it."""
    child, number = holder(place.port)
    child.send_signal(signal.SIGSTOP)
    mine = lock(place)
    assert mine.acquire(wait=5) > number
    child.send_signal(signal.SIGCONT)
    said, _ = child.communicate("\n", timeout=10)
    assert said.split() == ["False", "lost", "lost"]
    assert mine.held
    mine.release()


def test_many_contend(place: Endpoint) -> None:
    """Threads and tasks together: never two inside, numbers only grow, and each has its turn."""
    inside: list[int] = []
    numbers: list[int] = []
    wrong: list[str] = []

    def work(number: int) -> None:
        inside.append(number)
        if len(inside) != 1:
            wrong.append(f"{inside}")
        numbers.append(number)

    def thread() -> None:
        for _ in range(5):
            with Lock("job", place, ttl=5, wait=20) as lock:
                work(lock.fencing)
                time.sleep(0.002)
                inside.pop()

    async def task(talker: MultiplexedTalker) -> None:
        for _ in range(5):
            async with AsyncLock("job", talker=talker, ttl=5, wait=20) as lock:
                work(lock.fencing)
                await asyncio.sleep(0.002)
                inside.pop()

    async def tasks() -> None:
        talker = MultiplexedTalker(place)
        await asyncio.gather(*(task(talker) for _ in range(4)))
        await talker.aclose()

    threads = [threading.Thread(target=thread) for _ in range(4)]
    for each in threads:
        each.start()
    asyncio.run(tasks())
    for each in threads:
        each.join()
    assert wrong == []
    assert len(numbers) == 40 and numbers == sorted(set(numbers))


def test_a_cancelled_task_gives_back(place: Endpoint) -> None:
    """A task that is cancelled while it takes the lock leaves it to others."""

    async def main() -> None:
        talker = MultiplexedTalker(place)
        other = AsyncLock("job", talker=talker, ttl=30)
        await other.acquire(), await other.release()  # connected
        task = asyncio.ensure_future(AsyncLock("job", talker=talker, ttl=30).acquire())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await other.acquire(wait=1)
        await other.release()
        await talker.aclose()

    asyncio.run(main())


def test_one_object_is_one_holder(lock: Face, place: Endpoint) -> None:
    """Taking it twice through one object, or releasing what was not taken, is a mistake that is told."""
    held = lock(place)
    with pytest.raises(LockError, match="is not held"):
        held.release()
    held.acquire()
    with pytest.raises(LockError, match="already"):
        held.acquire()
    held.release()


def test_a_forks_child_holds_nothing(place: Endpoint) -> None:
    """What the parent holds, its child does not."""
    held = Lock("job", place, ttl=5)
    held.acquire()
    child = os.fork()
    if not child:
        try:
            held.release()
        except LockLost:
            os._exit(0 if not held.held else 2)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert held.held
    held.release()


def _late() -> None:
    time.sleep(0.1)
    raise KeyError


def test_what_happens_inside_counts(place: Endpoint) -> None:
    """An error of the body is not hidden by the loss of the lock; without one the loss is raised."""
    with pytest.raises(KeyError), Lock("job", place, ttl=0.05, renew=False):
        _late()
    with pytest.raises(LockLost), Lock("job", place, ttl=0.05, renew=False):
        time.sleep(0.1)


def test_inside_the_process() -> None:
    """With caching off, threads and tasks of the process exclude each other."""
    off = Settings.from_env({"ENABLE_REDIS_CACHING": "false"})

    async def main() -> None:
        with pytest.raises(LockTimeout):
            await AsyncLock("job", off).acquire(wait=0)

    with Lock("job", off, ttl=1):
        with pytest.raises(LockTimeout):
            Lock("job", off).acquire(wait=0.02)
        asyncio.run(main())
    Lock("job", off, renew=False).acquire(wait=0)


def test_what_makes_no_sense() -> None:
    """No name, no time and a negative patience are refused before anything is asked."""
    for name, named in (("", {}), ("a", {"ttl": 0}), ("a", {"wait": -1})):
        with pytest.raises(SettingsError):
            Lock(name, Endpoint(), **named)
