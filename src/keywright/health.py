"""Whether the application's Redis is well: at the start, for a load balancer, and for a person.

Live means that this process answers; that never asks Redis, since a restart of the application does not
mend a server. Ready means that a value written under the health key was read back within the time.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from secrets import token_hex
from typing import Any, NamedTuple

from keywright.endpoint import Endpoint
from keywright.errors import KeywrightError, ReplyError, TimedOut, Unreachable
from keywright.explain import explained
from keywright.flows import Batch, Flow
from keywright.places import endpoint_of
from keywright.settings import Settings
from keywright.talkers.choice import Source, settings_of

LIVES = 60  # seconds that the value under the health key lives
FULL = 0.9  # of maxmemory, from which a server that evicts nothing is nearly full
MEDIA = "application/health+json"


class Problem(NamedTuple):
    """What is wrong, in one sentence, and what to do. `fails` says whether it makes the check fail."""

    sentence: str
    hint: str
    fails: bool = True


class HealthReport(NamedTuple):
    """What one check found. `took` is seconds; `server` is its name and version, "" when it did not say."""

    ready: bool
    took: float
    problems: tuple[Problem, ...] = ()
    server: str = ""
    role: str = ""
    live: bool = True

    @property
    def status(self) -> str:
        """pass, warn (ready, and something should be looked at) or fail."""
        if not self.ready:
            return "fail"
        return "warn" if self.problems else "pass"


class Health:
    """Asks the server within `timeout` seconds, whatever happens to it or to the name service.

    `source` is Settings, a URL or an Endpoint (None: the environment); `client` a redis-py-like client;
    `key` the key that is written and read (REDIS_HEALTHCHECK_KEY when None).
    """

    def __init__(
        self,
        source: Source = None,
        *,
        client: Any = None,
        timeout: float = 1.0,
        key: str | None = None,
    ) -> None:
        settings = settings_of(source)
        self.key = key or (settings or Settings.from_env()).healthcheck_key
        self.timeout = timeout
        self.on_start = settings is None or settings.healthcheck_on_start
        self._client = client
        self._off = settings is not None and not settings.enabled and client is None
        place = (
            source if isinstance(source, Endpoint) else endpoint_of(settings or Settings.from_env())
        )
        self._place = place._replace(timeout=timeout, connect_timeout=timeout)
        self._talker: Any = None
        self._guard = threading.Lock()
        self._asking: _Asking | None = None

    def check(self) -> HealthReport:
        """Ask now: one round trip, never longer than `timeout`. Raises nothing.

        The question runs in a thread of its own: a name service that hangs cannot be interrupted. Who
        asks meanwhile waits for the same answer, so that no threads pile up.
        """
        if self._off:
            return OFF
        begun = time.monotonic()
        with self._guard:
            asking = self._asking
            if asking is None or asking.done.is_set():
                asking = self._asking = _Asking(self._asked, begun)
                asking.start()
        asking.done.wait(self.timeout)
        return asking.found or _late(self._place, begun)

    def check_on_start(self) -> HealthReport | None:
        """Ask when the application starts, if REDIS_HEALTHCHECK_ON_START says so (None: it does not).

        Raises Unreachable, with the first problem and its hint, when the server is not ready.
        """
        if not self.on_start:
            return None
        report = self.check()
        if not report.ready:
            first = report.problems[0]
            raise Unreachable(f"Redis is not ready: {first.sentence}", first.hint)
        return report

    def _asked(self, begun: float) -> HealthReport:
        try:
            if self._talker is None:
                self._talker = self._made()
            parts = self._talker.run(_conversation(self.key, token_hex(4)))
        except (KeywrightError, OSError) as error:
            return failed(error, self._place, begun)
        return judged(parts, self._place, begun)

    def _made(self) -> Any:
        if self._client is not None:
            from keywright.talkers.client import ClientTalker

            return ClientTalker(self._client)
        from keywright.talkers.blocking import BlockingTalker

        return BlockingTalker(self._place, connections=1, name="keywright:health", patience=0)


class _Asking(threading.Thread):
    """One question in a thread of its own, which may be left behind; `found` once it is `done`."""

    def __init__(self, ask: Callable[[float], HealthReport], begun: float) -> None:
        super().__init__(name="keywright-health", daemon=True)
        self._ask, self._begun = ask, begun
        self.done = threading.Event()
        self.found: HealthReport | None = None

    def run(self) -> None:
        """Ask, and tell everybody who waits."""
        try:
            self.found = self._ask(self._begun)
        finally:
            self.done.set()


class AsyncHealth(Health):
    """Health for asyncio: `check` and `check_on_start` are awaited."""

    async def check(self) -> HealthReport:  # type: ignore[override]
        """Ask now: one round trip, never longer than `timeout`. Raises nothing."""
        if self._off:
            return OFF
        begun = time.monotonic()
        try:
            async with asyncio.timeout(self.timeout):
                if self._talker is None:
                    self._talker = self._made()
                parts = await self._talker.run(_conversation(self.key, token_hex(4)))
        except TimeoutError:
            return _late(self._place, begun)
        except (KeywrightError, OSError) as error:
            return failed(error, self._place, begun)
        return judged(parts, self._place, begun)

    async def check_on_start(self) -> HealthReport | None:  # type: ignore[override]
        """Ask when the application starts, as Health does. Raises Unreachable."""
        if not self.on_start:
            return None
        report = await self.check()
        if not report.ready:
            first = report.problems[0]
            raise Unreachable(f"Redis is not ready: {first.sentence}", first.hint)
        return report

    async def aclose(self) -> None:
        """Close the connection of this event loop."""
        if self._talker is not None:
            await self._talker.aclose()

    def _made(self) -> Any:
        if self._client is not None:
            from keywright.talkers.client_async import AsyncClientTalker

            return AsyncClientTalker(self._client)
        from keywright.talkers.multiplexed import MultiplexedTalker

        return MultiplexedTalker(self._place, name="keywright:health", patience=0)


def _conversation(key: str, value: str) -> Flow[list[Any]]:
    """Write and read the health key, and ask who answers: one round trip.

    INFO is dangerous by the ACL's own words, and an application's user may not send it; HELLO it may.
    """
    replies = yield Batch((("SET", key, value, "EX", LIVES), ("GET", key), ("HELLO",), ("INFO",)))
    return replies


def judged(replies: list[Any], place: Endpoint, begun: float) -> HealthReport:
    """Make a report of what the server said."""
    wrote, read, hello, info = replies
    took = time.monotonic() - begun
    problems = []
    for reply in (wrote, read):
        if isinstance(reply, ReplyError):
            said = explained(reply, place)
            problems.append(Problem(str(said), said.hint))
            break
    else:
        if read is None:  # another process's value is as good: all of them write the same key
            problems.append(
                Problem(
                    "the health key was written, and then it was not there",
                    "does something in between read from a replica, or are keys evicted at once?",
                )
            )
    about = _about(hello)
    facts = _facts(info) if isinstance(info, bytes) else {}
    problems += _doubts(facts)
    name = about.get("server") or ("valkey" if "valkey_version" in facts else "redis")
    version = about.get("version") or facts.get("redis_version", "")
    role = about.get("role") or facts.get("role", "")
    return HealthReport(
        not any(each.fails for each in problems), took, tuple(problems),
        f"{name} {version}" if version else "", role,
    )  # fmt: skip


def _doubts(facts: dict[str, str]) -> list[Problem]:
    """What INFO shows that should be looked at though the server answers."""
    found = []
    if facts.get("rdb_last_bgsave_status") == "err" or facts.get("aof_last_write_status") == "err":
        found.append(
            Problem("the server cannot write its data to disk", "is the disk full?", fails=False)
        )
    most, used = int(facts.get("maxmemory") or 0), int(facts.get("used_memory") or 0)
    if most and used > most * FULL and facts.get("maxmemory_policy") == "noeviction":
        share = round(100 * used / most)
        found.append(
            Problem(f"its memory is {share} % full, and it evicts nothing",
                    "raise maxmemory, or shorten what is kept", fails=False)
        )  # fmt: skip
    if facts.get("role") == "slave" and facts.get("master_link_status") == "down":
        found.append(Problem("a replica without its master", "look at the master", fails=False))
    return found


def _about(hello: Any) -> dict[str, str]:
    """HELLO's reply by name, a list or (with RESP3) a mapping; nothing when it was refused."""
    if isinstance(hello, dict):
        rows = list(hello.items())
    else:
        rows = list(zip(hello[::2], hello[1::2], strict=False)) if isinstance(hello, list) else []
    return {_text(name): _text(value) for name, value in rows if not isinstance(value, list)}


def _text(word: Any) -> str:
    return word.decode("utf-8", "replace") if isinstance(word, bytes) else str(word)


def _facts(info: bytes) -> dict[str, str]:
    rows = info.decode("utf-8", "replace").splitlines()
    return {name: value for name, _, value in (row.partition(":") for row in rows)}


def failed(error: Exception, place: Endpoint, begun: float) -> HealthReport:
    """Make a report of a server that did not answer, or refused the login."""
    known = explained(error, place) if isinstance(error, ReplyError) else error
    problem = Problem(str(known), getattr(known, "hint", ""))
    return HealthReport(False, time.monotonic() - begun, (problem,))


def _late(place: Endpoint, begun: float) -> HealthReport:
    return failed(
        TimedOut(
            f"{place.address} did not answer within {place.timeout:g} s",
            "is the server or the name service busy, stopped, or behind a firewall that drops?",
        ),
        place, begun,
    )  # fmt: skip


OFF = HealthReport(
    True, 0.0,
    (Problem("ENABLE_REDIS_CACHING is false: everything is kept in this process", "", fails=False),),
)  # fmt: skip


def health_response(
    report: HealthReport, *, authorised: bool = False
) -> tuple[int, dict[str, Any]]:
    """The answer to a load balancer: 200 when ready, else 503, and a body of health+json's shape.

    Whoever is not `authorised` learns the status alone: sentences and versions help an attacker.
    """
    body: dict[str, Any] = {"status": report.status}
    if authorised:
        body["checks"] = {
            "redis:responseTime": [
                {
                    "componentType": "datastore",
                    "status": report.status,
                    "observedValue": round(report.took * 1000, 1),
                    "observedUnit": "ms",
                    "server": report.server,
                    "role": report.role,
                    "output": [
                        f"{each.sentence}; {each.hint}".rstrip("; ") for each in report.problems
                    ],
                }
            ]
        }
    return (200 if report.ready else 503), body


def live_response() -> tuple[int, dict[str, Any]]:
    """The answer to "does the process live": always 200; it asks nobody."""
    return 200, {"status": "pass"}
