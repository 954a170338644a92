"""What a health check found: a word for a load balancer, sentences for a person. Asks nobody."""

from typing import Any, NamedTuple

from keywright.endpoint import Endpoint
from keywright.errors import ReplyError, TimedOut
from keywright.explain import explained

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


def judged(replies: list[Any], place: Endpoint, took: float) -> HealthReport:
    """Make a report of what the server said."""
    wrote, read, hello, info = replies
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


def failed(error: Exception, place: Endpoint, took: float) -> HealthReport:
    """Make a report of a server that did not answer, or refused the login."""
    known = explained(error, place) if isinstance(error, ReplyError) else error
    problem = Problem(str(known), getattr(known, "hint", ""))
    return HealthReport(False, took, (problem,))


def late(place: Endpoint, took: float) -> HealthReport:
    """Make a report of a check that was not done in time."""
    return failed(
        TimedOut(
            f"{place.address} did not answer within {place.timeout:g} s",
            "is the server or the name service busy, stopped, or behind a firewall that drops?",
        ),
        place, took,
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
