"""What every target offers, as three small protocols and one noun that holds them together."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from keywright.endpoint import Endpoint
from keywright.secret import Secret
from keywright.wire import Reply, Wire, Word
from keywright_ops.model.absence import Missing
from keywright_ops.model.host import File, Process
from keywright_ops.targets.handshake import Presented

if TYPE_CHECKING:
    from keywright_ops.model.container import ContainerFacts, Housing  # Docker's alone
    from keywright_ops.model.copies import Lying, Packed  # `status` copies nothing
    from keywright_ops.model.machine import Machine  # a Linux host's alone


class Completed(NamedTuple):
    """How a program ended, and what it printed."""

    code: int
    output: str
    errors: str


class Transport(Protocol):
    """Reaches files and programs of the target's host. Raises ApplyError with what went wrong."""

    def read(self, path: str) -> bytes | Missing:
        """The file's bytes; Missing when it is not there or not readable."""
        ...

    def file(self, path: str) -> File | Missing:
        """Digest, mode and owner; Missing(NOT_THERE) only when the file does not exist."""
        ...

    def files(self, paths: Sequence[str]) -> dict[str, File | Missing]:
        """The same for many files at once."""
        ...

    def mode(self, path: str) -> int | Missing:
        """The permission bits alone (no need to read the file for them)."""
        ...

    def names(self, folder: str) -> tuple[str, ...] | Missing:
        """The names in a folder, sorted; () when the folder does not exist."""
        ...

    def write(self, path: str, content: bytes, mode: int) -> None:
        """Replace the file atomically and durably; missing folders are made with mode 0700."""
        ...

    def remove(self, path: str) -> None:
        """Remove a file; one that is not there is fine."""
        ...

    def copy(self, source: str, destination: str) -> None:
        """Copy a file or a folder with all in it; the copy belongs to its owner alone."""
        ...

    def move(self, source: str, destination: str) -> None:
        """Rename within the file system; an existing destination is an error."""
        ...

    def run(self, argv: Sequence[str], stdin: str | Secret = "") -> Completed:
        """Run a program to its end."""
        ...

    def listening(self, port: int) -> tuple[str, ...] | Missing:
        """The local addresses on which this TCP port is open, from the kernel's own list."""
        ...

    def bind_problem(self, host: str, port: int) -> str:
        """Why nothing can listen there now (ports.TAKEN, or another reason); "" when it can."""
        ...


class Supervisor(Protocol):
    """Keeps the one server of the environment running."""

    def find(self) -> Process | Missing:
        """The running server, told by its configuration file; never somebody else's."""
        ...

    def start(self, program: str = "", service: str = "") -> None:
        """Start the server and return at once; it outlives this process.

        `program` is another one than the environment's own, for taking back a change of it; `service`
        another of a compose file than the server's.
        """
        ...

    def recreate(self, service: str = "") -> None:
        """Make what the server lives in anew and start it; its data stays."""
        ...

    def stop(self) -> None:
        """See to it that the server ends and that nobody starts it again; none running is fine."""
        ...

    def signal(self, process: Process, name: str) -> None:
        """Send TERM, CONT or KILL to this very process; raises Refused when it is not it any more."""
        ...

    def listens_on(self, process: Process) -> tuple[tuple[str, int], ...] | Missing:
        """The addresses and ports on which this very process listens."""
        ...

    def last_words(self) -> tuple[str, ...]:
        """The last lines that the server logged."""
        ...


class Redis(Protocol):
    """Talks to the environment's server. Raises Unreachable, ReplyError, ProtocolError."""

    def ask(self, login: str, commands: Sequence[Sequence[Word]]) -> list[Reply]:
        """Send commands in one round trip as `login`: a user's name, "nobody" or "stranger"."""
        ...

    def connect(
        self, login: str, change: Callable[[Endpoint], Endpoint], *, raw: bool = False
    ) -> Wire:
        """A connection of the caller's own, logged in; `change` is made to the endpoint first."""
        ...

    def present(self, port: int, name: str, authority: str) -> Presented | Missing:
        """What the server presents on its TLS port to a client that knows it by `name`, and trusts
        the `authority` (PEM)."""
        ...

    def speaks_plainly(self, port: int) -> bool | Missing:
        """Whether the server answers on that port without TLS."""
        ...


class Container(Protocol):
    """Looks at the container that the server lives in. Raises Unreachable without an engine."""

    def housing(self) -> "Housing":
        """What Docker tells of the server's container and what belongs to it, in one question."""
        ...

    def glance(self) -> "Housing":
        """The same, but a look of the last moment will do."""
        ...

    def others(self, names: tuple[str, ...]) -> "tuple[ContainerFacts, ...]":
        """Containers of these names, whoever's they are."""
        ...

    def volumes(self, name: str) -> tuple[str, ...]:
        """The volumes whose name ends so."""
        ...

    def users(self, volume: str) -> tuple[str, ...]:
        """The containers, running or not, that have this volume."""
        ...

    def publisher(self, port: int) -> str:
        """The container that holds this port of the host; "" for none."""
        ...

    def machine(self) -> tuple[int, int]:
        """The processors and the bytes of memory that the engine has; (0, 0) when it does not tell."""
        ...

    def compose(self) -> tuple[str, ...]:
        """How Compose is called here. Raises Unreachable without one."""
        ...

    def inside(self, *argv: str) -> Completed:
        """Run a program in the server's container."""
        ...

    def usage(self) -> str:
        """What the server's container uses now: processor time twice, memory (parse_usage reads it)."""
        ...

    def beside(self, *argv: str) -> Completed:
        """Run a program in a container of its own on the same network, which lives for that alone."""
        ...

    def processes(self) -> str:
        """The processes of the server's container: id, user id and arguments, a line each."""
        ...


class Host(Protocol):
    """Looks at the Linux host that the server's service runs on."""

    def look(self) -> "Machine | Missing":
        """Everything that the host tells, now; Missing when it does not answer to the end."""
        ...

    def glance(self) -> "Machine | Missing":
        """The same, but the last look will do."""
        ...

    def holder(self, port: int) -> str:
        """Say who listens on a TCP port there: the program and its process."""
        ...

    def offered(self, package: str, version: str = "") -> tuple[str, ...] | Missing:
        """The versions of a package that apt could install there, by its lists where they hold
        `version`, else by the archives; Missing with apt's own complaint."""
        ...

    def lets_in(self) -> bool | Missing:
        """Whether a new connection of ours is let in; here there is none to be made."""
        ...

    def knock(self, port: int) -> str | Missing:
        """What becomes of a connection from this machine to a port of the host ("open", "refused", "no
        answer"); Missing where this machine is the host itself, or does not know its address."""
        ...

    def answers_inside(self, address: str, port: int) -> bool:
        """Whether a connection from the host itself to this address of its opens."""
        ...

    def seen_from(self, container: str, address: str, port: int) -> str | Missing:
        """What a server answers to PING, without a password, from inside a container of the host."""
        ...

    def size(self, folder: str) -> int | Missing:
        """How many bytes lie in a folder of the host."""
        ...

    def load_copy(
        self,
        program: str,
        account: str,
        folder: str,
        options: tuple[str, ...],
        canary: str,
        limit: float,
    ) -> str:
        """Copy a folder, load the copy with a server that nobody reaches, and remove both.

        Returns what facts/loaded.py reads: the server's INFO and the canary, or its last words. Ends within
        `limit` seconds for the loading.
        """
        ...

    def visit(self, site: str, secure: bool, path: str, password: Secret | None) -> str | Missing:
        """What nginx answers to a visitor of the site (head and body), asked at the host's loopback."""
        ...

    def insight_health(self, port: int) -> str | Missing:
        """What RedisInsight says of itself at the host's loopback."""
        ...


class Data(Protocol):
    """The data of the environment's server as it lies: a folder here, or a container's volume."""

    def look(self) -> "Lying | Missing":
        """Where it lies, how many files and bytes; nothing there is no files."""
        ...

    def pack(self) -> "Iterator[Packed]":
        """Every file with its bytes, one after the other; call it only while no server runs.

        A file's pieces are read before the next file is asked for. Raises ApplyError for what is no
        plain file.
        """
        ...

    def remove(self) -> None:
        """Remove it, all or (interrupted) the rest of it at the next call; nothing there is fine."""
        ...


class Abilities(NamedTuple):
    """What can be done on a target, as data."""

    files: bool = True
    control: bool = True
    config: bool = True
    scratch: bool = True


class Target(NamedTuple):
    """One environment, ready to be asked and changed; `container` where it lives in one, `host` where
    it is a service of a Linux host."""

    transport: Transport
    supervisor: Supervisor
    redis: Redis
    can: Abilities = Abilities()
    container: Container | None = None
    data: Data | None = None  # given only where data is to be copied or removed
    host: Host | None = None
