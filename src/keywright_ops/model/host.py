"""What one host tells: a program that runs, a file, and what the plan needs to know before it is made.

Apart from the other facts, because the way to a server needs these alone.
"""

from typing import TYPE_CHECKING, NamedTuple

from keywright_ops.model.absence import Missing

if TYPE_CHECKING:
    from keywright_ops.model.machine import Machine  # a Linux host's alone


class Process(NamedTuple):
    """A running program, told apart from every other: the pid alone is not enough, it is reused.

    `start` is the kernel's start time as text, `command` its argv; `suspended` says that it was
    stopped by a signal (SIGSTOP) and answers nobody until it is let go on (SIGCONT).
    """

    pid: int
    start: str
    executable: str
    command: tuple[str, ...]
    suspended: bool = False


class File(NamedTuple):
    """A file's sha256 (hex), permission bits and owner's name."""

    digest: str
    mode: int
    owner: str


class HostFacts(NamedTuple):
    """What the host tells before there is a plan.

    `program` is the server that was found, `free_port` the first free one of the candidates for
    `port = "auto"`, `bridge` the address of docker0 (Missing(NOT_THERE) on a host without it), `machine`
    all that a Linux host tells.
    """

    program: str | Missing
    free_port: int | Missing
    bridge: str | Missing
    ssh_port: int | Missing
    machine: "Machine | Missing" = Missing("not asked")
