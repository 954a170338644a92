"""The supervisor for an embedded server: a child that outlives us and is found again by its command line.

Rule 1: a process is ours only if it is a server that runs our redis.conf (`PROGRAM …/redis.conf`;
`set-proc-title no` keeps that visible) under our own user; an editor that has the same file open is
not. The pid file is a short cut, never the proof.
Rule 2: a signal goes to pid + start time, because pids are reused.
"""

import os
import time
from typing import TYPE_CHECKING

from keywright.errors import ApplyError, Refused
from keywright_ops.model.absence import Missing
from keywright_ops.model.host import Process
from keywright_ops.targets import proc, ps

if TYPE_CHECKING:
    import subprocess
    from typing import BinaryIO

HAS_PROC = os.path.isdir("/proc/self")  # Linux; elsewhere ps tells
NOT_RUNNING = Missing("no server of this environment runs")
SERVERS = ("redis", "valkey", "keydb")  # how the executables of servers are called
LOG_TAIL = 8192  # bytes of the log that are read for its last lines


class ChildSupervisor:
    """Runs `program home/redis.conf`; its log is home/server.log."""

    def __init__(self, program: str, home: str) -> None:
        self.program = program
        self.home = home
        self.conf = f"{home}/redis.conf"
        # kept, so that a server that ends at once is reaped and not taken for a running one
        self._child: subprocess.Popen[bytes] | None = None
        self._log_begins = 0  # bytes of the log that are older than our start

    def find(self) -> Process | Missing:
        """The running server: first where the pid file points, else among all processes."""
        self._reap()
        pid = self._noted_pid()
        if pid is not None:
            process = self._look(pid)
            if process is not None:
                return process
        for pid in proc.pids() if HAS_PROC else ps.pids(self.conf):
            process = self._look(pid)
            if process is not None:
                return process
        return NOT_RUNNING

    def recreate(self, service: str = "") -> None:
        """Start it: a process has nothing else that could be made anew."""
        self.start(service=service)

    def stop(self) -> None:
        """Ask it to end; none running is fine."""
        process = self.find()
        if not isinstance(process, Missing):
            self.signal(process, "TERM")

    def start(self, program: str = "", service: str = "") -> None:
        """Start the server (or another program in its place) in a session of its own.

        What it prints goes to its log; its files are its owner's alone. There is one service only.
        """
        del service
        import subprocess  # 8 ms: not on the way of `status`

        program = program or self.program
        self._make_data_folder()
        try:
            with self._open_log() as log:
                self._log_begins = log.tell()
                self._child = subprocess.Popen(
                    (program, self.conf),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    cwd=self.home,
                    umask=0o077,
                )
        except OSError as error:
            raise ApplyError(
                f"cannot start {program}: {error.strerror}",
                "does that program exist, and may you run it?",
            ) from None
        self._await_command(self._child)

    def _make_data_folder(self) -> None:
        try:
            os.makedirs(f"{self.home}/data", mode=0o700, exist_ok=True)
        except FileExistsError:
            raise ApplyError(
                f"{self.home}/data is not a folder", "move it away, then run the same command again"
            ) from None
        except OSError as error:
            raise ApplyError(f"cannot make {self.home}/data: {error.strerror}") from None

    def _open_log(self) -> "BinaryIO":
        path = f"{self.home}/server.log"
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as error:
            raise ApplyError(f"cannot write {path}: {error.strerror}") from None
        log = os.fdopen(handle, "ab")
        log.seek(0, os.SEEK_END)
        return log

    def _await_command(self, child: "subprocess.Popen[bytes]") -> None:
        """Wait until the kernel shows the new command line: for an instant after exec it is empty."""
        deadline = time.monotonic() + 1.0
        while child.poll() is None and time.monotonic() < deadline:
            if self._look(child.pid) is not None:
                return
            time.sleep(0.0005)

    def signal(self, process: Process, name: str) -> None:
        """Send TERM, CONT or KILL to this very process; raises Refused when it is not it any more."""
        found = self._look(process.pid)
        if found is None or found.start != process.start:
            raise Refused(f"process {process.pid} is not this environment's server any more")
        self._log_begins = self._log_size()
        try:
            import signal as signals  # 1 ms that finding a server has no use for

            os.kill(process.pid, getattr(signals, f"SIG{name}"))
        except ProcessLookupError:
            return
        except PermissionError:
            raise Refused(f"process {process.pid} belongs to another user") from None

    def last_words(self) -> tuple[str, ...]:
        """The last lines that the server logged since we started or signalled it, newest last."""
        try:
            with open(f"{self.home}/server.log", "rb") as log:
                log.seek(0, os.SEEK_END)
                log.seek(max(self._log_begins, log.tell() - LOG_TAIL))
                lines = log.read().decode("utf-8", "replace").splitlines()
        except OSError:
            return ()
        return tuple(line for line in lines if line.strip())[-8:]

    def listens_on(self, process: Process) -> tuple[tuple[str, int], ...] | Missing:
        """Where this very process listens, so that nobody else is ever told a password."""
        if not HAS_PROC:
            return Missing("this system does not tell which process listens where")
        return proc.listens_on(process.pid)

    def _log_size(self) -> int:
        try:
            return os.path.getsize(f"{self.home}/server.log")
        except OSError:
            return 0

    def _reap(self) -> None:
        if self._child is not None:
            self._child.poll()

    def _noted_pid(self) -> int | None:
        try:
            with open(f"{self.home}/server.pid", encoding="ascii") as stream:
                return int(stream.read())
        except (OSError, ValueError):
            return None

    def _look(self, pid: int) -> Process | None:
        """The process if it is ours; for a child that writes a snapshot or the log: its parent."""
        found = self._match(pid)
        if found is None:
            return None
        process, parent = found
        above = self._match(parent)
        return process if above is None else above[0]

    def _match(self, pid: int) -> tuple[Process, int] | None:
        """A server program whose first argument is our redis.conf, and its parent's id."""
        if not HAS_PROC:
            process = ps.process(pid)
            return (process, 0) if process and self.conf in process.command[1:2] else None
        found = proc.process(pid)
        if found is None or found[0].command[1] != self.conf or not self._serves(found[0]):
            return None
        return found

    def _serves(self, process: Process) -> bool:
        """Whether it is a server, and not somebody's editor: called as one, and being one.

        The executable alone does not tell: Debian's redis-server is a link to redis-check-rdb.
        """
        called = os.path.basename(process.command[0])
        if called != os.path.basename(self.program) and not called.endswith("-server"):
            return False
        kind = os.path.basename(process.executable)
        # (the kernel adds " (deleted)" when the program was replaced meanwhile)
        return kind.startswith(SERVERS) or process.executable == os.path.realpath(self.program)
