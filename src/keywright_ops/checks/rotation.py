"""What each phase of a rotation promises, as proofs."""

from collections.abc import Mapping

from keywright_ops.model.login import other
from keywright_ops.model.proof import Attempt, FilesEqual, Proof, SessionsEnded, UsersEqual
from keywright_ops.model.turn import BOTH, DROPPED, NAMED, ONLY

SERVER = "the server"
HOST = "this host"


def phase_proofs(
    names: tuple[str, ...],
    phase: str,
    ended: Mapping[str, frozenset[int]],
    whole: bool = True,
) -> tuple[Proof, ...]:
    """Return the proofs of these users in this phase; `ended` are the ids of their ended sessions.

    `whole`: all users and files are Keywright's, and proven too.
    """
    found: list[Proof] = []
    for name in names:
        if phase == DROPPED:
            found.append(_login(f"{name}: the old password works", name, "PONG"))
            continue
        named, beside = ("old", "new") if phase == BOTH else ("new", "old")
        found.append(_login(f"{name}: the {named} password works", name, "PONG"))
        if phase in (BOTH, NAMED):
            found.append(_login(f"{name}: the {beside} one works too", other(name), "PONG"))
        else:
            found.append(_login(f"{name}: the old one is refused", other(name), "WRONGPASS"))
        if name in ended:
            title = f"{name}: no old connection"
            found.append(Proof("sessions-ended", title, SERVER, SessionsEnded(name, ended[name])))
    if not whole or (phase == ONLY and not ended):
        return tuple(found)  # the rest is read again when the sessions have ended
    return (
        *found,
        Proof("files", "every file is as declared", HOST, FilesEqual()),
        Proof("users", "users are exactly the declared", SERVER, UsersEqual()),
    )


def _login(title: str, login: str, expected: str) -> Proof:
    first, _, second = login.partition(" ")
    return Proof(
        f"login-{second or 'named'}-{first}", title, HOST, Attempt(login, ("PING",), expected)
    )
