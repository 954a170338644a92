"""Questions whose refusal is an answer: what user, version or service do not allow is Missing."""

from collections.abc import Sequence
from typing import Any

from keywright.errors import KeywrightError, ReplyError
from keywright.wire import Word
from keywright_ops.actions.reach import Reached
from keywright_ops.model.absence import Missing


def ask_softly(reached: Reached, commands: Sequence[Sequence[Word]]) -> list[Any]:
    """Send commands in one round trip; for a refusal its reason stands in the list, as Missing.

    Raises KeywrightError for what is no refusal: a server that is away, or that loads its data.
    """
    replies = []
    for words, reply in zip(commands, reached.ask(commands), strict=True):
        if not isinstance(reply, ReplyError):
            replies.append(reply)
            continue
        error = reached.explain(reply, words)
        if isinstance(error, KeywrightError) and error is not reply:
            replies.append(Missing(str(error)))
        elif reply.code == "ERR":  # a subcommand or an option that this version does not know
            replies.append(Missing(str(reply)))
        else:
            raise error
    return replies
