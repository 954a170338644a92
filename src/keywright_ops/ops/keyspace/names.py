"""Names of keys that begin so, of a bounded part of the keyspace: for whoever is typing."""

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from math import inf

from keywright.errors import ReplyError
from keywright.wire import Reply, Word
from keywright_ops.facts.glob import escape_glob

PAGE = 500  # keys that one SCAN looks at: 6 ms of the server at most

Ask = Callable[[Sequence[Sequence[Word]]], list[Reply]]


def names_begun(
    ask: Ask, begun: str, *, rounds: int = 0, seconds: float = inf
) -> Iterator[list[str]]:
    """Yield pages of names that begin so, of at most so many SCANs (0: all), begun within so many seconds.

    Nothing more comes where the server does not let us ask. Bytes that are not UTF-8 stand as
    surrogates. Raises Unreachable.
    """
    cursor, end = "0", time.monotonic() + seconds
    for _ in range(rounds) if rounds else count():
        reply = ask([("SCAN", cursor, "MATCH", escape_glob(begun) + "*", "COUNT", PAGE)])[0]
        if isinstance(reply, ReplyError):
            return
        cursor, names = reply
        yield names
        if cursor == "0" or time.monotonic() > end:
            return
