"""What a shell may complete: the environments of the file, and the beginnings of keys on a server near by.

Rule: whoever presses Tab waits for no answer, and reads no error: a bounded look, and silence.
"""

import shlex
from collections.abc import Iterator, Mapping
from itertools import pairwise

from keywright.errors import KeywrightError
from keywright_ops.actions.place import find_place
from keywright_ops.actions.reach import reach_server
from keywright_ops.ops.keyspace.names import names_begun

SENDS = ("SCAN",)
PATIENCE = 0.3  # seconds that looking for keys may take
MOST = 50  # words that are offered
SEPARATOR = ":"
# bash expands the words that it is offered (compgen -W): a key named `$(reboot)` must never be among them
HARMLESS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_-./@")


def environment_names(file: str | None, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of the environments: the built-in ones and the file's. Raises InputError."""
    return tuple(find_place(file, environ).profile.environments)


def key_words(line: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return how the last word of a command line may go on, to the next colon of the keys that begin so.

    The environment is the line's own `-e`. () for hosts behind ssh, which take too long to reach.
    """
    words = _words(line)
    prefix = "" if line.endswith(" ") or not words else words[-1]
    environment = next((b for a, b in pairwise(words) if a in ("-e", "--env")), None)
    try:
        found = sorted(set(_beginnings(environment, prefix, environ)))
    except KeywrightError:
        return ()
    return tuple(found[:MOST])


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:  # a quote is open still
        return line.split()


def _beginnings(environment: str | None, prefix: str, environ: Mapping[str, str]) -> Iterator[str]:
    with reach_server(None, environment, environ) as reached:
        unit = reached.plan.unit
        if unit is not None and unit.host:
            return
        for page in names_begun(reached.ask, prefix, seconds=PATIENCE):
            for name in page:
                head, colon, _ = name[len(prefix) :].partition(SEPARATOR)
                if HARMLESS.issuperset(name):
                    yield prefix + head + colon
