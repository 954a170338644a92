"""One change as data: what must hold before it, what to do, when it is done, how it is undone."""

from enum import IntEnum
from typing import NamedTuple

from keywright.secret import Secret
from keywright_ops.model.copies import Held, Layout
from keywright_ops.model.login import ADMIN


class Danger(IntEnum):
    """What a step can cost; anything above DISTURBS is asked about first.

    CLIENTS_FOLLOW: nothing is lost, but clients that are not told cannot connect any more.
    """

    SAFE = 0
    DISTURBS = 1
    CLIENTS_FOLLOW = 2
    LOSES_DATA = 3


# --- conditions ---------------------------------------------------------------------------------


class FieldIs(NamedTuple):
    """A field of a question has this value: question is "info" or "config"."""

    question: str
    field: str
    value: str


class FileIs(NamedTuple):
    """The file has this sha256; None means that it must not exist."""

    path: str
    digest: str | None


class Answers(NamedTuple):
    """The environment's own server answers its administrator and has loaded its data."""


class Speaks(NamedTuple):
    """A server answers, be it that it does not know Keywright's administrator."""


class ProcessGone(NamedTuple):
    """This very process (pid and start time) no longer runs."""

    pid: int
    start: str


class NothingRuns(NamedTuple):
    """No server of this environment runs."""


class Said(NamedTuple):
    """The server logged a line with this text (lower case) since it was started or asked to end."""

    text: str


class Accepts(NamedTuple):
    """The live server accepts all of these passwords (sha256, hex) of the user."""

    user: str
    hashes: frozenset[str]


class SessionsGone(NamedTuple):
    """None of these connections (their ids on this server) is open any more."""

    ids: frozenset[int]


class Presents(NamedTuple):
    """The server presents the certificate with this fingerprint (sha256, hex) at a handshake."""

    fingerprint: str


class SnapshotFailed(NamedTuple):
    """No snapshot is being written, and the last one could not be."""


class LineComesBack(NamedTuple):
    """The Linux host lets a new connection of ours in."""


Condition = (
    FieldIs
    | FileIs
    | Answers
    | Speaks
    | ProcessGone
    | NothingRuns
    | Said
    | Accepts
    | SessionsGone
    | Presents
    | SnapshotFailed
    | LineComesBack
)


class Until(NamedTuple):
    """When a step is done: all conditions hold, asked every `pace` seconds for at most `limit`.

    Waiting is hopeless, and the step has failed, as soon as one of `unless` holds, or when for
    `silence` seconds on end nothing could be asked at all.
    """

    conditions: tuple[Condition, ...]
    limit: float = 10.0
    pace: float = 0.002
    unless: tuple[Condition, ...] = ()
    silence: float = 15.0


# --- the closed set of doings -------------------------------------------------------------------


class WriteFile(NamedTuple):
    """Replace a file atomically (temporary file, fsync, rename) with this content and mode."""

    path: str
    content: str | Secret
    mode: int


class RemoveFile(NamedTuple):
    """Remove a file; one that is not there is fine."""

    path: str


class Copy(NamedTuple):
    """Copy a file or folder on the target; a file gets this mode, or belongs to its owner alone."""

    source: str
    destination: str
    mode: int | None = None


class Move(NamedTuple):
    """Rename a file or folder within its file system; the destination must not exist."""

    source: str
    destination: str


class RunCommand(NamedTuple):
    """Run a program; `stdin` may hold what must not stand in argv. `typed` is what a person would type
    in the stead of a script, "" for argv itself."""

    argv: tuple[str, ...]
    stdin: str | Secret = ""
    typed: str = ""


class RedisCommand(NamedTuple):
    """Send one command as this ACL user; a word may be a Secret.

    `slow` says that it may block the server longer than an answer is waited for: `until` tells then.
    """

    as_user: str
    argv: tuple[str | Secret, ...]
    slow: bool = False


LOAD_USERS = RedisCommand(ADMIN, ("ACL", "LOAD"))  # read the ACL file again; open sessions stay
RELOAD_CERTIFICATE = (
    "CONFIG",
    "SET",
    "tls-cert-file",
)  # how the command begins that reads it again


# How a command begins that lets a service read its files again, if it runs.
READ_AGAIN = ("systemctl", "try-reload-or-restart")
RELOAD_UNITS = ("systemctl", "daemon-reload")


class Control(NamedTuple):
    """Ask the supervisor: start, stop or recreate (the container, from its file).

    `program` is what to start instead of the plan's; `service` another service of a compose file than
    the server's.
    """

    action: str
    program: str = ""
    service: str = ""


class Signal(NamedTuple):
    """Send a signal to this very process; refused when pid and start no longer agree."""

    pid: int
    start: str
    signal: str


class KeepSecret(NamedTuple):
    """Write the drafted secrets of these names into the vault."""

    names: tuple[str, ...]


class KeepCopy(NamedTuple):
    """Keep a copy of the data in the store: taken, read back, loaded by `program`, then made good.

    `program` is a server's path, or an image. `held` is what the server said before it was stopped;
    None when none ran: then what loads is what there is. Call it only while no server runs.
    """

    reason: str
    program: str
    layout: Layout
    held: Held | None
    settings: tuple[tuple[str, str], ...] = ()


class RemoveData(NamedTuple):
    """Remove the environment's data, all or the rest of it; it cannot be undone."""


class TurnSecret(NamedTuple):
    """Turn the rotation of these secrets to a phase (model/turn.py) in the vault; `hold` is kept with
    the first turn and says to wait where both passwords hold."""

    names: tuple[str, ...]
    phase: str
    hold: bool = False


class InOrder(NamedTuple):
    """Several doings, one after the other: for an undo that takes more than one."""

    doings: "tuple[Do, ...]"


Do = (
    WriteFile
    | RemoveFile
    | Copy
    | Move
    | RunCommand
    | RedisCommand
    | Control
    | Signal
    | KeepSecret
    | KeepCopy
    | RemoveData
    | TurnSecret
    | InOrder
)


class Step(NamedTuple):
    """One change. `expect` must hold before (else the world moved), `until` after.

    `undo` is what takes the change back, None where there is nothing to take back; `undone` says when
    that has taken effect.
    """

    id: str
    title: str
    do: Do
    expect: tuple[Condition, ...] = ()
    until: Until | None = None
    undo: Do | None = None
    danger: Danger = Danger.SAFE
    undone: Until | None = None


def reads_files_again(do: Do | None) -> bool:
    """Whether it makes a server read a file again: undone last, when the old file stands there."""
    if isinstance(do, RunCommand):
        return do.argv[:2] in (READ_AGAIN, RELOAD_UNITS)
    reload = isinstance(do, RedisCommand) and do.argv[:3] == RELOAD_CERTIFICATE
    return reload or do == LOAD_USERS
