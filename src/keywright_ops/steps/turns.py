"""Steps of a rotation: the turns of its phases in the vault, and the end of the old sessions.

What a phase means for files and server is not here: the ordinary diff finds it out.
"""

from collections.abc import Iterable, Mapping

from keywright_ops.model.absence import Missing
from keywright_ops.model.facts import AclUser, Client, Facts
from keywright_ops.model.login import ADMIN
from keywright_ops.model.step import (
    Accepts,
    Danger,
    RedisCommand,
    SessionsGone,
    Step,
    TurnSecret,
    Until,
)
from keywright_ops.model.turn import BACK, BOTH, DONE, DROPPED, NAMED, ONLY

TITLES = {
    BOTH: "keep a new password for {names} in the vault, beside the old one",
    NAMED: "let the vault name the new password of {names}",
    ONLY: "let the old password of {names} end ({open})",
    DONE: "forget the old password of {names}",
    DROPPED: "forget the new password of {names}",
}
BACKWARDS = {
    NAMED: "let both passwords of {names} hold again",
    BOTH: "let the vault name the old password of {names} again",
}


def turn(
    names: tuple[str, ...],
    phase: str,
    users: Mapping[str, AclUser],
    facts: Facts,
    back: bool = False,
    hold: bool = False,
) -> Step:
    """Return the step that turns these secrets to the phase; `users` are declared before it.

    It is taken only when the live server accepts what is declared until then: so the password that
    the vault and the artefacts name afterwards is valid at every moment.
    """
    titles = TITLES | BACKWARDS if back else TITLES
    # the way back heals what it finds, and the named password stays the one it is
    settled = () if phase in (DROPPED, DONE) or (back and phase == NAMED) else names
    return Step(
        id=f"turn-{phase}",
        title=titles[phase].format(names=", ".join(names), open=_open(names, facts)),
        do=TurnSecret(names, phase, hold),
        expect=tuple(Accepts(name, users[name].hashes) for name in settled),
        undo=None if back or phase == DONE else TurnSecret(names, before(phase)),
    )


def before(phase: str) -> str:
    """Return the phase in which a turn to this one is taken back."""
    return DROPPED if phase == BOTH else next(old for new, old in BACK.items() if new == phase)


def sessions(names: Iterable[str], facts: Facts) -> dict[str, list[Client]]:
    """Return the open connections of each of these users."""
    clients = () if isinstance(facts.clients, Missing) else facts.clients
    return {name: [each for each in clients if each.user == name] for name in names}


def end_sessions(names: Iterable[str], facts: Facts) -> list[Step]:
    """Return the steps that end every connection of these users: one that logged in with the old
    password would live on, since a server asks for it only once."""
    return [
        Step(
            id=f"end-sessions-{name}",
            title=_told(name, clients),
            do=RedisCommand(ADMIN, ("CLIENT", "KILL", "USER", name, "SKIPME", "yes")),
            until=Until((SessionsGone(frozenset(each.id for each in clients)),)),
            danger=Danger.DISTURBS if clients else Danger.SAFE,
        )
        for name, clients in sessions(names, facts).items()
    ]


def _open(names: Iterable[str], facts: Facts) -> str:
    """How many connections will be ended."""
    if isinstance(facts.clients, Missing):
        return f"its connections could not be counted: {facts.clients.why}"
    count = sum(map(len, sessions(names, facts).values()))
    return f"{count or 'no'} open connection{'s' if count != 1 else ''} will be ended"


def _told(name: str, clients: list[Client]) -> str:
    """How many there are, and from where: who must learn the new password."""
    if not clients:
        return f"end the connections of {name} (none is open)"
    places = dict.fromkeys(each.name or each.address.rpartition(":")[0] for each in clients)
    shown = ", ".join([*list(places)[:3], *(["…"] if len(places) > 3 else [])])
    count = f"{len(clients)} open connection{'s' if len(clients) > 1 else ''}"
    return f"end the {count} of {name} ({shown}), who must come back with the new password"
