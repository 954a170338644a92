"""The supervisor for an embedded server: a child that outlives us and is found again by its command line.

Rule 1: a process is ours only if it runs our redis.conf (`PROGRAM …/redis.conf`; `set-proc-title no`
keeps that visible) under our own user. The pid file is a short cut, never the proof.
Rule 2: a signal goes to pid + start time, because pids are reused.
"""

import os
import signal as signals
import time
from typing import TYPE_CHECKING

from keywright.errors import ApplyError, Refused
from keywright_ops.facts.process import parse_proc_stat_start, parse_ps
from keywright_ops.model.absence import Missing
from keywright_ops.model.facts import Process

if TYPE_CHECKING:
    import subprocess

NOT_RUNNING = Missing("no server of this environment runs")
LOG_TAIL = 8192  # bytes of the log that are read for its last lines


class ChildSupervisor:
    """Runs `program home/redis.conf`; its log is home/server.log."""

    def __init__(self, program: str, home: str) -> None:
        self.program = program
        self.home = home
        self.conf = f"{home}/redis.conf"
        # kept, so that a server that ends at once is reaped and not taken for a running one
        self._child: subprocess.Popen[bytes] | None = None

    def find(self) -> Process | Missing:
        """The running server: first where the pid file points, else among all processes."""
        self._reap()
        pid = self._noted_pid()
        if pid is not None:
            process = self._look(pid)
            if process is not None:
                return process
        for pid in _pids():
            process = self._look(pid)
            if process is not None:
                return process
        return NOT_RUNNING

    def start(self, program: str = "") -> None:
        """Start the server in a session of its own; what it prints goes to its log."""
        program = program or self.program
        import subprocess  # 8 ms: not on the way of `status`

        os.makedirs(f"{self.home}/data", mode=0o700, exist_ok=True)
        try:
            handle = os.open(
                f"{self.home}/server.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600
            )
            with os.fdopen(handle, "ab") as log:
                self._child = subprocess.Popen(
                    (program, self.conf),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    cwd=self.home,
                )
        except OSError as error:
            raise ApplyError(
                f"cannot start {program}: {error.strerror}",
                "does that program exist, and may you run it?",
            ) from None
        self._await_command(self._child)

    def _await_command(self, child: "subprocess.Popen[bytes]") -> None:
        """Wait until the kernel shows the new command line: for an instant after exec it is empty."""
        deadline = time.monotonic() + 1.0
        while child.poll() is None and time.monotonic() < deadline:
            if self._look(child.pid) is not None:
                return
            time.sleep(0.0005)

    def signal(self, process: Process, name: str) -> None:
        """Send TERM or KILL to this very process; raises Refused when it is not it any more."""
        found = self._look(process.pid)
        if found is None or found.start != process.start:
            raise Refused(f"process {process.pid} is not this environment's server any more")
        try:
            os.kill(process.pid, getattr(signals, f"SIG{name}"))
        except ProcessLookupError:
            return
        except PermissionError:
            raise Refused(f"process {process.pid} belongs to another user") from None

    def last_words(self) -> tuple[str, ...]:
        """The last lines that the server logged, newest last."""
        try:
            with open(f"{self.home}/server.log", "rb") as log:
                log.seek(0, os.SEEK_END)
                log.seek(max(0, log.tell() - LOG_TAIL))
                lines = log.read().decode("utf-8", "replace").splitlines()
        except OSError:
            return ()
        return tuple(line for line in lines if line.strip())[-8:]

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
        """The process if it is ours: its command names our redis.conf."""
        process = _proc(pid) if os.path.isdir("/proc/self") else _ps(pid)
        if process is None or self.conf not in process.command[1:2]:
            return None
        return process


def _pids() -> list[int]:
    if os.path.isdir("/proc/self"):
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    import subprocess

    done = subprocess.run(("ps", "-axo", "pid="), capture_output=True, text=True, check=False)
    return [int(word) for word in done.stdout.split()]


def _proc(pid: int) -> Process | None:
    """Linux: /proc tells. A process that has ended but is not reaped (state Z) is gone."""
    try:
        if os.stat(f"/proc/{pid}").st_uid != os.getuid():
            return None
        with open(f"/proc/{pid}/cmdline", "rb") as stream:
            command = stream.read().decode("utf-8", "surrogateescape").split("\0")[:-1]
        if len(command) < 2:
            return None
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as text:
            start = parse_proc_stat_start(text.read())
        executable = os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return None
    if start is None:
        return None
    return Process(pid, start, executable, tuple(command))


def _ps(pid: int) -> Process | None:
    """macOS: ps tells; its command is one text, so paths with spaces are matched as a whole."""
    import subprocess

    done = subprocess.run(
        ("ps", "-o", "lstart=,command=", "-p", str(pid)),
        capture_output=True,
        text=True,
        check=False,
    )
    return parse_ps(done.stdout, pid) if done.returncode == 0 else None
