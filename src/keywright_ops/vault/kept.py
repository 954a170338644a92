"""What a vault holds, as data: read from its JSON, written to it, and turned from phase to phase.

Nothing here reads or writes a file; dates come from whoever calls.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from keywright.errors import ApplyError
from keywright.secret import Secret
from keywright_ops.model.turn import BACK, BOTH, DONE, DROPPED, ON, Turn

SCHEMA = 1


class Kept(NamedTuple):
    """Secrets by name, the UTC date since when each holds, unfinished rotations, and the sha256 (hex)
    of passwords that were rotated away with the date of that."""

    secrets: Mapping[str, Secret] = {}
    since: Mapping[str, str] = {}
    turns: Mapping[str, Turn] = {}
    retired: Mapping[str, Mapping[str, str]] = {}


def load_kept(content: bytes) -> Kept:
    """Read a vault's JSON. Raises ValueError, KeyError, AttributeError or TypeError when it is none."""
    found = json.loads(content)
    return Kept(
        {name: Secret("" + text) for name, text in found["secrets"].items()},
        {name: "" + date for name, date in found.get("since", {}).items()},
        {name: _turn(each) for name, each in found.get("turns", {}).items()},
        {name: dict(each.items()) for name, each in found.get("retired", {}).items()},
    )


def _turn(found: Mapping[str, Any]) -> Turn:
    before = found["before"]
    if found["phase"] not in ON:
        raise ValueError("there is no such phase")
    return Turn(
        found["phase"],
        Secret("" + found["other"]),
        bool(found["held"]),
        "" + found["begun"],
        None if before is None else Secret("" + before),
    )


def render_kept(kept: Kept) -> str:
    """Return the vault as text: it holds every secret in the clear."""
    plain: dict[str, Any] = {
        "schema": SCHEMA,
        "secrets": {name: secret.reveal() for name, secret in sorted(kept.secrets.items())},
        "since": dict(sorted(kept.since.items())),
    }
    if kept.turns:
        plain["turns"] = {name: _plain(turn) for name, turn in sorted(kept.turns.items())}
    if kept.retired:
        plain["retired"] = kept.retired
    return json.dumps(plain, indent=1)


def _plain(turn: Turn) -> dict[str, Any]:
    before = None if turn.before is None else turn.before.reveal()
    return turn._asdict() | {"other": turn.other.reveal(), "before": before}


def turned(
    kept: Kept,
    names: Iterable[str],
    phase: str,
    today: str,
    new: Mapping[str, tuple[Secret, Secret]],
    hold: bool,
) -> Kept:
    """Return the vault with these secrets turned to the phase; `new` are old and new ones by name.

    Raises ApplyError when a secret is in no phase from which that one can be reached.
    """
    for name in names:
        turn = kept.turns.get(name)
        if turn is not None and turn.phase == phase:
            continue
        if turn is None and phase == BOTH and name in new:
            kept = _begun(kept, name, new[name], today, hold)
        elif turn is not None and phase in (ON[turn.phase], BACK[turn.phase]):
            kept = _moved(kept, name, turn, phase, today)
        elif turn is not None or phase != DROPPED:  # what is dropped already needs no dropping
            raise ApplyError(
                f"the rotation of {name} is not where it was a moment ago",
                "is somebody else rotating it? `keywright password status` tells",
            )
    return kept


def _begun(kept: Kept, name: str, pair: tuple[Secret, Secret], today: str, hold: bool) -> Kept:
    old, new = pair
    turn = Turn(BOTH, new, hold, today, kept.secrets.get(name))
    return kept._replace(secrets={**kept.secrets, name: old}, turns={**kept.turns, name: turn})


def _moved(kept: Kept, name: str, turn: Turn, phase: str, today: str) -> Kept:
    secrets, turns = dict(kept.secrets), dict(kept.turns)
    named = kept.secrets[name]
    if phase == DONE:
        del turns[name]
        dates = {**kept.retired.get(name, {}), sha256(turn.other): today}
        dates.pop(sha256(named), None)  # an old one may come back by hand
        return kept._replace(
            turns=turns,
            since={**kept.since, name: today},
            retired={**kept.retired, name: dates},
        )
    if phase == DROPPED:
        del turns[name]
        del secrets[name]
        if turn.before is not None:
            secrets[name] = turn.before
        return kept._replace(secrets=secrets, turns=turns)
    if BOTH in (turn.phase, phase):  # to or from `named`: the two change places
        secrets[name], turn = turn.other, turn._replace(other=named)
    turns[name] = turn._replace(phase=phase)
    return kept._replace(secrets=secrets, turns=turns)


def sha256(secret: Secret) -> str:
    """Return the hash by which servers know a password."""
    from hashlib import sha256 as digest  # loads OpenSSL: 3 ms that `status` need not pay

    return digest(secret.reveal().encode("utf-8", "surrogateescape")).hexdigest()
