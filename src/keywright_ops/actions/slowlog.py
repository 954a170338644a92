"""slowlog: the calls that took long (or, on Valkey 8.1 and newer, were large)."""

from collections.abc import Sequence
from typing import NamedTuple

from keywright.errors import InputError, ReplyError
from keywright_ops.actions.reach import Reached
from keywright_ops.actions.soft import ask_softly
from keywright_ops.facts.slowlog import Logged, Shape, group_by_shape, parse_slowlog
from keywright_ops.model.absence import Missing

SENDS = ("SLOWLOG GET", "SLOWLOG LEN", "COMMANDLOG GET", "COMMANDLOG LEN", "CONFIG GET", "TIME")
SLOW, LARGE_REQUEST, LARGE_REPLY = KINDS = ("slow", "large-request", "large-reply")
MOST = 1000  # entries that are read: each can hold 32 arguments of 128 bytes

# the settings of each kind: its threshold and how many entries are kept
SETTINGS = {
    SLOW: ("slowlog-log-slower-than", "slowlog-max-len"),
    LARGE_REQUEST: ("commandlog-request-larger-than", "commandlog-large-request-max-len"),
    LARGE_REPLY: ("commandlog-reply-larger-than", "commandlog-large-reply-max-len"),
}
HIGH = {SLOW: 1_000_000, LARGE_REQUEST: 64 << 20, LARGE_REPLY: 64 << 20}


class SlowlogReport(NamedTuple):
    """The newest entries of one `kind`, and their shapes; `length` is how many the server holds.

    `threshold` is microseconds or bytes, `most` how many are kept; Missing where CONFIG GET is not allowed.
    `now` is the server's clock (seconds since 1970). `notes` say what the threshold leaves out.
    """

    kind: str
    entries: Sequence[Logged]
    shapes: Sequence[Shape]
    length: int
    threshold: int | Missing
    most: int | Missing
    now: int
    notes: Sequence[str]


def slowlog(reached: Reached, kind: str) -> SlowlogReport:
    """Read the log; raises InputError for a kind that this server does not keep."""
    threshold_name, most_name = SETTINGS[kind]
    get, length = questions(kind)
    log, held, time, *settings = ask_softly(
        reached,
        [get, length, ("TIME",), ("CONFIG", "GET", threshold_name), ("CONFIG", "GET", most_name)],
    )
    if isinstance(log, Missing):
        raise refusal(reached, kind, get)
    threshold, most = (_setting(reply) for reply in settings)
    entries = parse_slowlog(log)
    newest = max((each.when for each in entries), default=0)
    held = len(entries) if isinstance(held, Missing) else int(held)
    notes = _notes(kind, threshold, most, held)
    now = newest if isinstance(time, Missing) else int(time[0])
    return SlowlogReport(kind, entries, group_by_shape(entries), held, threshold, most, now, notes)


def questions(kind: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what asks for the entries of a kind, and what for their number."""
    if kind == SLOW:
        return ("SLOWLOG", "GET", str(MOST)), ("SLOWLOG", "LEN")
    return ("COMMANDLOG", "GET", str(MOST), kind), ("COMMANDLOG", "LEN", kind)


def refusal(reached: Reached, kind: str, words: tuple[str, ...]) -> Exception:
    """Return what to raise for a log that may not be read, or that this server does not keep."""
    reply = reached.ask([words])[0]
    assert isinstance(reply, ReplyError)
    if kind != SLOW and reply.code == "ERR" and reached.opened is not None:
        return InputError(
            f"this server keeps no log of {kind.replace('-', ' ')} calls",
            f"--kind {kind} needs COMMANDLOG, which Valkey has from 8.1 on",
        )
    return reached.explain(reply, words)


def _setting(reply: object) -> int | Missing:
    if isinstance(reply, Missing):
        return reply
    value = reply[1] if isinstance(reply, list) and len(reply) > 1 else ""
    return (
        int(value)
        if str(value).lstrip("-").isdigit()
        else Missing("this version has no such setting")
    )


def _notes(kind: str, threshold: int | Missing, most: int | Missing, held: int) -> list[str]:
    """What the threshold leaves out, and what has been dropped."""
    found = []
    name, most_name = SETTINGS[kind]
    if isinstance(threshold, Missing):
        found.append(f"the threshold is not known: {threshold.why}")
    elif threshold < 0:
        found.append(f"nothing is logged: {name} is {threshold}, which turns the log off")
    elif threshold == 0:
        found.append(
            f"every call is logged: {name} is 0, so the slow ones are pushed out by the rest"
        )
    elif threshold > HIGH[kind]:
        found.append(f"{name} is so high that an empty log says nothing")
    if not isinstance(most, Missing) and held >= most > 0:
        found.append(f"the log is full ({most_name} {most}): older entries are gone")
    if most == 0:
        found.append(f"nothing is kept: {most_name} is 0")
    if held > MOST:
        found.append(f"the newest {MOST} of {held} entries were read")
    return found
