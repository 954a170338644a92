"""redis: one command as a person would type it into redis-cli, guarded where it can do harm."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from keywright.errors import ConnectionLost, InputError, KeywrightError, Refused, ReplyError
from keywright_ops.actions.reach import Reached
from keywright_ops.facts.command_line import streams, waits
from keywright_ops.facts.dangers import Danger, danger, impossible
from keywright_ops.facts.info import keyspace_counts, parse_info
from keywright_ops.facts.masking import masked
from keywright_ops.facts.replies import NOTHING, Problem, Reply, Status
from keywright_ops.ops.denied import named
from keywright_ops.ops.line import Line

SENDS = ("DBSIZE", "INFO")  # besides what is typed: how many keys a flush or KEYS would meet
PATIENCE = 60.0  # seconds for an answer: SAVE, a script or SORT may work for a while


class Question(NamedTuple):
    """What a person is asked before a dangerous command; `keys` it meets, None where that is not said."""

    command: str
    environment: str
    danger: Danger
    keys: int | None

    def sentence(self) -> str:
        """One sentence: what it does, here."""
        count = "1 key" if self.keys == 1 else f"{self.keys or 0:,} keys"
        met = "" if self.keys is None else f" ({count})"
        return f"{self.command} in {self.environment}: {self.danger.reason}{met}"


Confirm = Callable[[Question], bool]


def question(reached: Reached, words: Sequence[str]) -> Question | None:
    """Return what is to be asked before this command; None when nothing is."""
    found = danger(words)
    if found is None:
        return None
    keys = _keys(reached, words[0].upper(), found)
    if keys is not None and keys < found.from_keys:
        return None
    return Question(named(words), reached.plan.environment, found, keys)


def _keys(reached: Reached, name: str, found: Danger) -> int | None:
    """How many keys it meets, where that matters and the server tells."""
    if name == "FLUSHALL":
        told = reached.ask([("INFO", "keyspace")])[0]
        if isinstance(told, ReplyError):
            return None
        return sum(counts["keys"] for _, counts in keyspace_counts(parse_info(told)))
    if name == "FLUSHDB" or found.from_keys:
        told = reached.ask([("DBSIZE",)])[0]
        return None if isinstance(told, ReplyError) else int(told)
    return None


BEFORE = "--yes before the command"


def allow(reached: Reached, words: Sequence[str], confirm: Confirm, yes: str = BEFORE) -> None:
    """Ask where the command is dangerous; `yes` is how one says so beforehand.

    Raises Refused with the reason when the answer is no, and InputError for
    what cannot be sent from here at all."""
    never = impossible(words)
    if never is not None:
        raise InputError(
            f"{named(words)} cannot be sent from here: {never[0]}", f"instead: {never[1]}"
        )
    asked = question(reached, words)
    if asked is None or confirm(asked):
        return
    instead = f"instead: {asked.danger.instead}; " if asked.danger.instead else ""
    raise Refused(asked.sentence(), f"{instead}{yes}, when that is meant")


def redis(reached: Reached, words: Sequence[str | bytes], confirm: Confirm) -> Iterator[Reply]:
    """Send one command and yield its reply; of SUBSCRIBE and MONITOR all that come, until it is closed.

    Raises Refused for a dangerous command that is not confirmed.
    """
    plain = [_text(each) for each in words]
    allow(reached, plain, confirm)
    with Line(reached.wire()) as line:
        if not streams(plain):
            try:
                yield line.ask(words, None if waits(plain) else PATIENCE)
            except ConnectionLost:
                if plain[0].upper() != "SHUTDOWN":  # that one is answered by the end
                    raise
            return
        from keywright_ops.facts.monitored import masked_line  # MONITOR alone needs it

        line.send(words)
        while (reply := line.read(None)) is not NOTHING:
            yield Status(masked_line(reply)) if isinstance(reply, Status) else reply
            if isinstance(reply, Problem):
                return


def explained(
    reached: Reached, reply: Problem, words: Sequence[str | bytes]
) -> KeywrightError | None:
    """Return what is to be said of an error beyond its own words; None when nothing is known."""
    raw = ReplyError(_text(reply))
    told = reached.explain(raw, masked([_text(each) for each in words]))
    assert isinstance(told, KeywrightError)
    return told if told is not raw or told.hint else None


def _text(word: str | bytes) -> str:
    return word if isinstance(word, str) else word.decode("utf-8", "surrogateescape")
