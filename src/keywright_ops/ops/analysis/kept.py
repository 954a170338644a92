"""What an interrupted pass leaves behind, so that it can go on: the cursor and the sums so far.

A cursor means something to the very server process that gave it alone: another one keeps its keys in
another order, and going on there would miss some.
"""

import json
import os
from typing import Any, NamedTuple

from keywright.errors import InputError
from keywright_ops.ops.analysis.tally import Tally

FILE = "analysis.json"
VERSION = 1


class Asked(NamedTuple):
    """What was asked for: a pass goes on only with the same. `run_id` is the server process."""

    run_id: str
    database: int
    pattern: str
    delimiter: str
    depth: int
    encodings: bool


class Begun(NamedTuple):
    """Where a pass stands: its cursor, its sums, the keys there were at its beginning, seconds so far."""

    cursor: bytes
    sums: dict[str, Any]
    total: int
    seconds: float


def path_of(home: str) -> str:
    """Return where an environment's unfinished pass is kept."""
    return f"{home}/{FILE}"


def keep(home: str, asked: Asked, begun: Begun) -> None:
    """Keep a pass that is not finished; key names are in it, so it is its owner's alone (0600)."""
    content = {
        "version": VERSION,
        "asked": asked._asdict(),
        "cursor": begun.cursor.decode(),
        "total": begun.total,
        "seconds": round(begun.seconds, 3),
        "sums": begun.sums,
    }
    os.makedirs(home, mode=0o700, exist_ok=True)
    path = path_of(home)
    handle = os.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(handle, "w", encoding="utf-8") as stream:
        json.dump(content, stream)
    os.replace(f"{path}.new", path)


def forget(home: str) -> None:
    """Remove what is kept; nothing kept is fine."""
    try:
        os.remove(path_of(home))
    except FileNotFoundError:
        pass


def take_up(home: str, asked: Asked) -> Begun:
    """Return where the pass stands. Raises InputError when there is none, or none that can go on."""
    again = "leave out --resume: it then begins anew"
    try:
        with open(path_of(home), encoding="utf-8") as stream:
            found = json.load(stream)
        then = Asked(**found["asked"])
        begun = Begun(found["cursor"].encode(), found["sums"], found["total"], found["seconds"])
        Tally(then.delimiter.encode("latin-1"), then.depth, 1).revive(begun.sums)
        known = found["version"] == VERSION
    except FileNotFoundError:
        raise InputError("no analysis was interrupted here", again) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        known = False
    if not known:
        raise InputError(f"{path_of(home)} is damaged, or of another version", again)
    if then.run_id != asked.run_id:
        raise InputError(
            "the server that was being analysed was restarted, or is another one: its order of keys is "
            "another too",
            again,
        )
    differing = [
        f"{name} {getattr(then, name)!r}"
        for name in ("database", "pattern", "delimiter", "depth", "encodings")
        if getattr(then, name) != getattr(asked, name)
    ]
    if differing:
        raise InputError(f"the interrupted analysis had another {' and '.join(differing)}", again)
    return begun
