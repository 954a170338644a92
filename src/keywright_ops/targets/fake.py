"""A world in memory that behaves as a real target does, for exhaustive orders and kills in `apply`.

It passes the contract suite of the real target, and loses data exactly where a real server would: what
is only in memory goes with the process, `appendonly yes` without an append-only file starts empty though
a dump lies there, and a rewrite that was not finished leaves nothing that could be loaded.
It has no clock: a TTL is read and forgotten, a rewrite ends when INFO is asked the second time.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256

from keywright.endpoint import Endpoint
from keywright.errors import ApplyError, Refused, ReplyError, Unreachable
from keywright.secret import Secret
from keywright.wire import Reply, Wire, Word
from keywright_ops.model.absence import NOT_THERE, Missing
from keywright_ops.model.host import File, Process
from keywright_ops.model.login import user_of
from keywright_ops.targets.fake_server import FakeServer, ServerEnded
from keywright_ops.targets.handshake import Presented
from keywright_ops.targets.target import Completed


class World:
    """One machine: files (content and mode by path), the programs on it, at most one server."""

    def __init__(self, programs: Sequence[str]) -> None:
        self.files: dict[str, tuple[bytes, int]] = {}
        self.programs = frozenset(programs)
        self.server: FakeServer | None = None
        self.log: list[str] = []
        self.started = 0

    def power_cut(self) -> None:
        """End the server as SIGKILL or a power cut does: what it wrote to files stays, no more."""
        self.server = None

    def terminate(self) -> None:
        """End the server as SIGTERM does: it saves first where save points say so."""
        if self.server is not None:
            self.server.shut_down()
        self.server = None


class FakeTransport:
    """Reaches the files of a world."""

    def __init__(self, world: World) -> None:
        self.world = world

    def read(self, path: str) -> bytes | Missing:
        """The file's bytes; Missing when it is not there, or is a folder."""
        if path in self.world.files:
            return self.world.files[path][0]
        return Missing(f"{path}: Is a directory") if self._below(path) else Missing(NOT_THERE)

    def file(self, path: str) -> File | Missing:
        """Digest, mode and owner; Missing(NOT_THERE) only when the file does not exist."""
        content = self.read(path)
        if isinstance(content, Missing):
            return content
        return File(sha256(content).hexdigest(), self.world.files[path][1], "1000")

    def files(self, paths: Sequence[str]) -> dict[str, File | Missing]:
        """The same for many files."""
        return {path: self.file(path) for path in paths}

    def mode(self, path: str) -> int | Missing:
        """The permission bits alone."""
        found = self.file(path)
        return found if isinstance(found, Missing) else found.mode

    def names(self, folder: str) -> tuple[str, ...] | Missing:
        """The names in a folder, sorted; () when the folder does not exist."""
        below = {path[len(folder) + 1 :].partition("/")[0] for path in self._below(folder)}
        return tuple(sorted(below))

    def write(self, path: str, content: bytes, mode: int) -> None:
        """Replace the file; its folders need no making here."""
        if self._below(path):
            raise ApplyError(f"cannot write {path}: Is a directory")
        self.world.files[path] = (content, mode)

    def remove(self, path: str) -> None:
        """Remove a file; one that is not there is fine."""
        if self._below(path):
            raise ApplyError(f"cannot remove {path}: Is a directory")
        self.world.files.pop(path, None)

    def copy(self, source: str, destination: str) -> None:
        """Copy a file or a folder with all in it; the copy belongs to its owner alone."""
        found = self._tree(source)
        if not found:
            raise ApplyError(f"cannot copy {source}: {NOT_THERE}")
        for path in found:
            content = self.world.files[path][0]
            self.world.files[destination + path[len(source) :]] = (content, 0o600)

    def move(self, source: str, destination: str) -> None:
        """Rename; an existing destination is an error."""
        if self._tree(destination):
            raise ApplyError(f"cannot move {source}: {destination} exists already")
        found = self._tree(source)
        if not found:
            raise ApplyError(f"cannot move {source}: No such file or directory")
        for path in found:
            self.world.files[destination + path[len(source) :]] = self.world.files.pop(path)
        if self.world.server is not None:
            self.world.server.moved(source, destination)

    def run(self, argv: Sequence[str], stdin: str | Secret = "") -> Completed:
        """There are no programs to run but the server: `cat` stands for all that read their input."""
        if argv[0] not in ("cat", "false"):
            raise ApplyError(f"cannot run {argv[0]}: No such file or directory")
        text = stdin.reveal() if isinstance(stdin, Secret) else stdin
        return Completed(0, text, "") if argv[0] == "cat" else Completed(1, "", "")

    def listening(self, port: int) -> tuple[str, ...] | Missing:
        """The addresses of the running server, when the port is its own."""
        server = self.world.server
        if server is None or server.config["port"] != str(port):
            return ()
        return tuple(each.removeprefix("-") for each in server.config["bind"].split())

    def bind_problem(self, host: str, port: int) -> str:
        """Nobody else lives in a fake world."""
        return ""

    def _below(self, folder: str) -> list[str]:
        return [path for path in self.world.files if path.startswith(f"{folder}/")]

    def _tree(self, path: str) -> list[str]:
        return [path] if path in self.world.files else self._below(path)


class FakeSupervisor:
    """Keeps the world's one server."""

    def __init__(self, world: World, program: str, home: str) -> None:
        self.world = world
        self.program = program
        self.conf = f"{home}/redis.conf"

    def find(self) -> Process | Missing:
        """The running server."""
        server = self.world.server
        if server is None:
            return Missing("no server of this environment runs")
        return Process(server.pid, str(server.pid), server.program, (server.program, self.conf))

    def recreate(self, service: str = "") -> None:
        """Start it: there is nothing else that could be made anew."""
        self.start()

    def stop(self) -> None:
        """Ask it to end; none running is fine."""
        if self.world.server is not None:
            self.world.terminate()

    def start(self, program: str = "", service: str = "") -> None:
        """Start the server; one that cannot start says so in its log and is gone at once."""
        program = program or self.program
        if program not in self.world.programs:
            raise ApplyError(f"cannot start {program}: No such file or directory")
        if self.world.server is not None:
            self.world.log.append("1:M * # Could not create server TCP listening socket: in use")
            return
        self.world.started += 1
        try:
            server = FakeServer(self.world.files, program, self.conf, 1000 + self.world.started)
        except ServerEnded as end:
            self.world.log.append(f"1:M * # {end}")
        else:
            self.world.server = server

    def signal(self, process: Process, name: str) -> None:
        """Send TERM or KILL to this very process; raises Refused when it is not it any more."""
        server = self.world.server
        if server is None or (server.pid, str(server.pid)) != (process.pid, process.start):
            raise Refused(f"process {process.pid} is not this environment's server any more")
        if name == "TERM":
            self.world.terminate()
        else:
            self.world.power_cut()

    def listens_on(self, process: Process) -> tuple[tuple[str, int], ...] | Missing:
        """The addresses and ports on which this very process listens."""
        server = self.world.server
        if server is None:
            return ()
        return tuple(
            (word.removeprefix("-"), int(server.config["port"]))
            for word in server.config["bind"].split()
        )

    def last_words(self) -> tuple[str, ...]:
        """The last lines that the server logged."""
        return tuple(self.world.log[-8:])


class FakeDoor:
    """Talks to the world's server where `locate` says that it answers."""

    def __init__(
        self, world: World, locate: Callable[[], Endpoint], secrets: dict[str, Secret]
    ) -> None:
        self.world = world
        self._locate = locate
        self._secrets = secrets

    def ask(self, login: str, commands: Sequence[Sequence[Word]]) -> list[Reply]:
        """Send commands as `login`; errors stand in the list as ReplyError."""
        endpoint, server = self._locate(), self.world.server
        if server is None or server.config["port"] != str(endpoint.port):
            raise Unreachable(f"nobody listens on {endpoint.address}")
        if login == "nobody":
            user = None
        else:
            stranger = login == "stranger"
            secret = None if stranger else self._secrets[login]
            name = "default" if stranger else user_of(login)
            user = server.log_in(name, secret)
        return [self._answer(server, user, words) for words in commands]

    def connect(
        self, login: str, change: Callable[[Endpoint], Endpoint], *, raw: bool = False
    ) -> Wire:
        """The world has no wires."""
        raise Unreachable("the fake world has no wires")

    def present(self, port: int, name: str, authority: str) -> Presented | Missing:
        """The world knows no TLS."""
        return Missing("no TLS in this world")

    def speaks_plainly(self, port: int) -> bool | Missing:
        """The world knows nothing else."""
        return True

    @staticmethod
    def _answer(server: FakeServer, user: str | None, words: Sequence[Word]) -> Reply:
        try:
            return server.answer(user, [_plain(word) for word in words])
        except ReplyError as refusal:
            return refusal


def _plain(word: Word) -> str:
    if isinstance(word, Secret):
        return word.reveal()
    return word.decode() if isinstance(word, bytes) else str(word)
