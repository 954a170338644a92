"""Applications under load: redis-py clients that read their password from the environment's app.env."""

import threading
import time
from pathlib import Path
from typing import NamedTuple

import redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import AuthenticationError, ConnectionError, TimeoutError
from redis.retry import Retry

from keywright.settings import Settings


class FromFile(redis.CredentialProvider):
    """Asks the .env anew at every connect, as `user` or as the one that it names."""

    def __init__(self, path: Path, user: str, vault: Path) -> None:
        self.path, self.user, self.vault = path, user, vault

    def get_credentials(self) -> tuple[str, str]:
        """User and password as they stand in the file now."""
        import json

        if self.user != "default":
            return self.user, json.loads(self.vault.read_text())["secrets"][self.user]
        settings = Settings.from_file(str(self.path))
        assert settings.password is not None
        return settings.username or "default", settings.password.reveal()


class Counted(NamedTuple):
    """What the load came to: commands done, failures (their texts), seconds."""

    done: int
    failed: tuple[str, ...]
    seconds: float
    slowest: float


class Load:
    """Threads that together send about `rate` commands a second until the block ends."""

    def __init__(
        self, state: Path, port: int, user: str, rate: int = 1000, threads: int = 4
    ) -> None:
        provider = FromFile(state / "app.env", user, state / "vault.json")
        self.client = redis.Redis(
            port=port,
            credential_provider=provider,
            retry=Retry(ExponentialBackoff(base=0.005, cap=0.1), 5),
            retry_on_error=[ConnectionError, TimeoutError, AuthenticationError],
        )
        self._over = threading.Event()
        self._pause = threads / rate
        self._counts = [0] * threads
        self._failures: list[str] = []
        self._slowest = 0.0
        self._threads = [
            threading.Thread(target=self._send, args=(number,)) for number in range(threads)
        ]

    def _send(self, number: int) -> None:
        due = time.monotonic()
        while not self._over.is_set():
            begun = time.monotonic()
            try:
                self.client.set(f"{PREFIX}load:{number}", self._counts[number])
                self._counts[number] += 1
            except redis.RedisError as error:
                self._failures.append(f"{type(error).__name__}: {error}")
            self._slowest = max(self._slowest, time.monotonic() - begun)
            due += self._pause
            time.sleep(max(0.0, due - time.monotonic()))

    def __enter__(self) -> "Load":
        self._begun = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
        self.seconds = time.monotonic() - self._begun
        self.client.close()

    @property
    def counted(self) -> Counted:
        """The figures, when the block has ended."""
        return Counted(sum(self._counts), tuple(self._failures), self.seconds, self._slowest)


PREFIX = "esabcfg:"  # the built-in prefix: appuser may write below it only
