"""shell: a conversation with a server that outlives a restart of it, knows where it is, and asks."""

from collections.abc import Generator, Sequence
from contextlib import suppress
from threading import Lock

from keywright.errors import ConnectionLost, KeywrightError, OutcomeUnknown
from keywright_ops.actions.reach import Reached
from keywright_ops.actions.redis import PATIENCE, Confirm, allow
from keywright_ops.facts.command_docs import Doc, parse_command_docs
from keywright_ops.facts.command_line import streams, waits
from keywright_ops.facts.dangers import danger, impossible
from keywright_ops.facts.monitored import masked_line
from keywright_ops.facts.replies import NOTHING, Problem, Reply, Status
from keywright_ops.ops.keyspace.names import names_begun
from keywright_ops.ops.line import Line

# Besides what is typed: for completion, and before what is dangerous.
SENDS = ("COMMAND DOCS", "COMMAND", "SCAN", "DBSIZE", "INFO")
MOST_NAMES = 50  # key names offered at once
ROUNDS = 10  # SCANs for one completion


class Conversation:
    """One connection, opened when it is needed and again when the server went.

    `user`, `database` and `in_transaction` are as the server has them. `notices` collects sentences for
    the person; whoever shows them empties it.
    """

    def __init__(self, reached: Reached) -> None:
        self.reached = reached
        self.user = reached.login
        self.in_transaction = False
        self.notices: list[str] = []
        self._line: Line | None = None
        self._asking = Lock()

    @property
    def database(self) -> int:
        """The numbered database."""
        return self.reached.database

    def open(self) -> None:
        """Connect now. Raises Unreachable, ReplyError."""
        if self._line is None:
            self._line = Line(self.reached.wire())

    def send(self, words: Sequence[str], confirm: Confirm) -> Generator[Reply, None, None]:
        """Send one command and yield its reply; of SUBSCRIBE and MONITOR what comes, until it is closed.

        Raises Refused for a dangerous command that is not confirmed, OutcomeUnknown when the connection
        broke under it. Closing it in the middle (Ctrl-C) ends the connection: the next command has another.
        """
        if danger(words) is not None or impossible(words) is not None:
            with self._asking:
                allow(self.reached, words, confirm, "`keywright shell --yes`")
        line = self._ready(words)
        done = False
        try:
            if streams(words):
                line.send(words)
                while (reply := line.read(None)) is not NOTHING:
                    done = isinstance(reply, Problem)
                    yield Status(masked_line(reply)) if isinstance(reply, Status) else reply
                    if done:
                        return
            reply = line.ask(words, None if waits(words) else PATIENCE)
            done = True
            self._follow(words, reply)
        except ConnectionLost as lost:
            self._forget()
            if words[0].upper() == "SHUTDOWN":
                self.notices.append("the server has ended")
                return
            raise OutcomeUnknown(
                f"{lost} while {words[0].upper()} was under way: whether it was done is not known",
                "look, and send it again where that does no harm; the next command connects anew",
            ) from None
        finally:
            if not done:
                self._forget()
        yield reply

    def _ready(self, words: Sequence[str]) -> Line:
        """Return a connection that is open, anew where the server closed the last one."""
        if self._line is not None and self._line.hung_up():
            begun = self.in_transaction
            self._forget()
            self.open()
            self.notices.append("the server closed the connection (a restart?); connected anew")
            if begun:
                raise OutcomeUnknown(
                    f"the transaction that was begun is gone, and {words[0].upper()} was not sent",
                    "begin it again with MULTI",
                )
        self.open()
        assert self._line is not None
        return self._line

    def _forget(self) -> None:
        """Drop the connection, and with it what only it knew."""
        if self._line is not None:
            self._line.close()
            self._line = None
        self.in_transaction = False
        self.user = self.reached.login

    def _follow(self, words: Sequence[str], reply: Reply) -> None:
        """Keep track of what a command made of the connection."""
        name = words[0].upper()
        if name in ("EXEC", "DISCARD"):
            self.in_transaction = self.in_transaction and _keeps_transaction(reply)
        if isinstance(reply, Problem) or (isinstance(reply, Status) and reply == b"QUEUED"):
            return
        if name == "MULTI":
            self.in_transaction = True
        elif name == "SELECT" and words[1].isdecimal():
            with self._asking:  # what is asked beside is asked there too
                self.reached.database = int(words[1])
                self.reached.close()
        elif name in ("AUTH", "HELLO"):
            upper = [each.upper() for each in words]
            at = upper.index("AUTH") + 1 if "AUTH" in upper else 0
            if at:
                self.user = words[at] if name == "HELLO" or len(words) > 2 else "default"
        elif name in ("RESET", "QUIT"):  # it would be nobody from now on
            self._forget()

    def docs(self) -> dict[str, Doc]:
        """Return what the server says of its commands; {} when it does not let us ask.

        May be called from another thread.
        """
        with self._asking:
            docs, commands = self.reached.ask([("COMMAND", "DOCS"), ("COMMAND",)])
        return parse_command_docs(docs, commands)

    def names(self, begun: str) -> tuple[str, ...]:
        """Return key names that begin so, of a bounded part of the keys; none when it cannot ask.

        Bytes that are not UTF-8 stand as surrogates.
        """
        found: dict[str, None] = {}
        with self._asking, suppress(KeywrightError):
            for page in names_begun(self.reached.ask, begun, rounds=ROUNDS):
                found.update(dict.fromkeys(page))
                if len(found) >= MOST_NAMES:
                    break
        return tuple(sorted(found)[:MOST_NAMES])

    def close(self) -> None:
        """Hang up."""
        self._forget()


def _keeps_transaction(reply: Reply) -> bool:
    """Whether EXEC or DISCARD was refused without ending what was begun (a wrong number of words)."""
    return isinstance(reply, Problem) and reply.find(b"wrong number") >= 0
