"""What a holder knows of its lock: token, number, until when. No clock: the time is an argument.

Rule: the end is counted from before the command left, so a holder never believes in a lock longer than
the server does.
"""

from typing import NamedTuple

from keywright.errors import LockError, LockLost, LockTimeout, SettingsError
from keywright.settings import Settings
from keywright.talkers.choice import Source, settings_of

AS_MADE = -1.0  # stands for a waiting time that is left out
FIRST_POLL, LONGEST_POLL = 0.01, 0.25  # seconds between two tries, each with jitter


class Terms(NamedTuple):
    """Where a lock stands, and for how long it is taken (seconds; wait None: as long as it takes)."""

    name: str
    key: str
    fence_key: str
    ttl: float
    wait: float | None

    @property
    def ttl_ms(self) -> int:
        """The time to live in milliseconds."""
        return max(1, int(self.ttl * 1000))


def terms_for(
    name: str,
    source: Source,
    ttl: float | None,
    wait: float | None,
    prefix: str | None,
    cluster: bool,
) -> Terms:
    """Fill in from the settings what is None. Raises SettingsError for what makes no sense."""
    if not name:
        raise SettingsError(
            "a lock has no name", "name what may be done by one alone: 'nightly-report'"
        )
    if ttl is None or prefix is None:
        settings = settings_of(source) or Settings.from_env()
        ttl = float(settings.lock_ttl) if ttl is None else ttl
        prefix = settings.lock_prefix if prefix is None else prefix
    if ttl < 0.01:
        raise SettingsError(f"a lock's ttl is at least 0.01 seconds, not {ttl:g}")
    if wait is not None and wait < 0:
        raise SettingsError("a lock's wait is not negative", "0 tries once, None waits for ever")
    if cluster and ("{" in prefix + name or "}" in prefix + name):
        raise SettingsError("in Cluster a lock's prefix and name have no { or }")
    key = f"{prefix}{{{name}}}" if cluster else prefix + name
    return Terms(name, key, key + ":fence", ttl, wait)


class Holding:
    """One holder's state. `process` is the id of the process that took it: a fork's child holds nothing."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.token = ""
        self.fencing = 0
        self.until = 0.0
        self.process = 0
        self.taking = False
        self.lost = ""  # why, once it is

    def begin(self, now: float, process: int, new_token: str) -> None:
        """Begin to take it. A token whose fate is not known is asked with again."""
        if self.taking or self.holds(now, process):
            raise LockError(
                f"the lock {self.terms.name} is held or being taken through this object already",
                "make one object for each holder: threads and tasks do not share one",
            )
        if self.fencing or not self.token or self.process != process:
            self.token = new_token
        self.taking, self.fencing, self.lost, self.process = True, 0, "", process

    def taken(self, number: int, sent: float, ttl: float) -> None:
        """The server gave it, at a command that left at `sent`."""
        self.fencing, self.until = number, sent + ttl

    def holds(self, now: float, process: int) -> bool:
        """Whether it is held, as far as can be known without asking."""
        return bool(self.fencing) and not self.lost and now < self.until and process == self.process

    def lose(self, why: str) -> bool:
        """It is lost; False when it was not held anyway, or that was known."""
        if not self.fencing or self.lost:
            return False
        self.lost = why
        return True

    def end(self) -> None:
        """It is over: the next one begins with a token of its own."""
        self.token, self.fencing, self.until, self.lost = "", 0, 0.0, ""

    def expect(self, process: int) -> str:
        """Return the token. Raises LockError when nothing was taken, LockLost when another process did."""
        if not self.fencing:
            raise LockError(f"the lock {self.terms.name} is not held", "take it first")
        if process != self.process:
            raise LockLost(
                f"the lock {self.terms.name} is held by the process that this one was forked from",
                "take it in the process that works under it",
            )
        return self.token

    def gone(self) -> LockLost:
        """What to say of a lock that was held and is not any more."""
        return LockLost(
            f"the lock {self.terms.name} was lost: {self.lost or ENDED}",
            "what was done since may have met another holder; write with the fencing number",
        )

    def still_held(self, waited: float) -> LockTimeout:
        """What to say when somebody else held it all the time."""
        return LockTimeout(
            f"the lock {self.terms.name} was held by another for all of {waited:g} s",
            "wait longer, or look at how long its holder works",
        )


ENDED = "its time ended, or the server does not know it any more"


def pause(attempt: int, left_ms: int, remaining: float, chance: float) -> float:
    """Seconds until the next try: longer each time, never past the other's end or one's own patience.

    `chance` is between 0 and 1.
    """
    step = float(min(LONGEST_POLL, FIRST_POLL * 2 ** min(attempt, 10)))
    step *= 0.5 + chance / 2
    return max(0.001, min(step, left_ms / 1000 + 0.001, remaining))
