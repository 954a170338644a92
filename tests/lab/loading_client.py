"""Applications under load, a program of its own where the server is: see tests/embedded/load.py.

It sends redis-py commands from several threads, RATE a second together, its password asked from a .env
(or from the vault, for a user that no .env names) at every connect. Arguments: .env, host, port, user,
vault. It prints "loaded" when it sends, and at each line of its input what that phase came to, as JSON;
it ends with its input.
"""

import json
import sys
import threading
import time
from pathlib import Path

import redis
from redis.retry import Retry
from tests.embedded.load import FromFile

RATE, THREADS = 1000, 4  # commands a second of all threads together


class Phase:
    """What was sent since the last phase ended."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.begin()

    def begin(self) -> None:
        """Count from nothing."""
        self.begun, self.done, self.failed, self.slowest = time.monotonic(), 0, list[str](), 0.0

    def add(self, failure: str, seconds: float) -> None:
        """Count one command."""
        with self.lock:
            self.done += not failure
            self.failed += [failure] if failure else []
            self.slowest = max(self.slowest, seconds)

    def end(self) -> str:
        """Tell what it came to, and begin the next one."""
        with self.lock:
            seconds = time.monotonic() - self.begun
            told = json.dumps([self.done, self.failed, seconds, self.slowest])
            self.begin()
        return told


class Sender(threading.Thread):
    """One thread: sends on its beat, and catches up what a slow command has held up."""

    def __init__(self, number: int, client: "redis.Redis", phase: Phase, over: threading.Event):
        super().__init__()
        self.number, self.client, self.phase, self.over = number, client, phase, over

    def run(self) -> None:
        """Send until it is over."""
        due = time.monotonic() + self.number / RATE
        while not self.over.is_set():
            time.sleep(max(0.0, due - time.monotonic()))
            due += THREADS / RATE
            begun, failure = time.monotonic(), ""
            try:
                self.client.set(f"mine:load:{self.number}", begun)
            except redis.RedisError as error:
                failure = f"{type(error).__name__}: {error}"
            self.phase.add(failure, time.monotonic() - begun)


def main() -> None:
    """Load until the input ends."""
    dotenv, host, port, user, vault = sys.argv[1:]
    client = redis.Redis(
        host=host, port=int(port), credential_provider=FromFile(Path(dotenv), user, Path(vault))
    )
    assert isinstance(client.get_retry(), Retry), "redis-py retries by itself"
    client.ping()
    phase, over = Phase(), threading.Event()
    senders = [Sender(number, client, phase, over) for number in range(THREADS)]
    for sender in senders:
        sender.start()
    print("loaded", flush=True)
    for _ in sys.stdin:
        print(phase.end(), flush=True)
    over.set()
    for sender in senders:
        sender.join()


if __name__ == "__main__":
    main()
