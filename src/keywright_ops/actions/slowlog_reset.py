"""slowlog reset: how many entries there are, and forgetting them."""

from keywright_ops.actions.reach import Reached
from keywright_ops.actions.slowlog import SLOW, questions, refusal
from keywright_ops.actions.soft import ask_softly
from keywright_ops.model.absence import Missing

SENDS = ("SLOWLOG LEN", "SLOWLOG RESET", "COMMANDLOG LEN", "COMMANDLOG RESET")


def count_entries(reached: Reached, kind: str) -> int:
    """Return how many entries the log holds."""
    words = questions(kind)[1]
    length = ask_softly(reached, [words])[0]
    if isinstance(length, Missing):
        raise refusal(reached, kind, words)
    return int(length)


def empty_log(reached: Reached, kind: str) -> None:
    """Forget the entries of one kind."""
    reached.call(*(("SLOWLOG", "RESET") if kind == SLOW else ("COMMANDLOG", "RESET", kind)))
