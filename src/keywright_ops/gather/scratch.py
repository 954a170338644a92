"""Proves that the data on disk loads: a copy of it, in a scratch server that only this process can reach.

Rule 1: only copies are opened; a server that loads an append-only file also opens it for writing.
Rule 2: the scratch server listens on a unix socket in a 0700 folder and on no port, and ends with us.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

from keywright.endpoint import Endpoint
from keywright.errors import KeywrightError, ReplyError
from keywright.wire import Wire
from keywright_ops.facts.info import parse_info
from keywright_ops.model.absence import Missing
from keywright_ops.model.facts import Facts, Process
from keywright_ops.model.login import ADMIN
from keywright_ops.model.plan import Directive, Plan
from keywright_ops.model.proof import FAILED, PASSED, UNKNOWN, Outcome, Proof
from keywright_ops.targets.target import Target

LARGEST = 256 * 2**20  # bytes of data on disk that a check copies and loads without being asked to
PATIENCE = 30.0  # seconds for the scratch server to load that
LONGEST_FOLDER = 80  # bytes, so that the socket's path in it stays below 108
# Settings without which a server reads other data than was written.
LAYOUT = ("databases",)
SET_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG, linux/prctl.h
LONGEST_POSTPONED = 5.0  # seconds; the server itself postpones an AOF write for 2 at most
ATTEMPTS = 3  # copies, when a rewrite exchanges the files under our hands


def load_copy(proof: Proof, target: Target, plan: Plan, facts: Facts, canary: str) -> Outcome:
    """Write a canary (append-only file), copy the files, load the copy, look for it there."""
    directory = plan.persistence.directory
    size = _size(directory)
    if size > LARGEST:
        hint = "too much to load in a check; `keywright check --restart` proves it by a restart"
        return Outcome(proof, UNKNOWN, f"{size // 2**20} MiB on disk: {hint}")
    if isinstance(facts.process, Missing):
        return Outcome(proof, UNKNOWN, facts.process.why)
    token = canary.rpartition(":")[2]
    appendonly = plan.persistence.appendonly
    if appendonly:
        reply = target.redis.ask(ADMIN, [("SET", canary, token, "EX", "60")])[0]
        if isinstance(reply, ReplyError):
            return Outcome(proof, UNKNOWN, f"no canary could be written: {reply}")
        _await_written(target)
    elif not os.path.exists(f"{directory}/dump.rdb"):
        return Outcome(proof, UNKNOWN, "no snapshot has been taken yet")
    try:
        folder = _folder()
    except OSError as error:
        return Outcome(proof, UNKNOWN, f"no folder for a copy: {error.strerror}")
    try:
        if not _copy(target, directory, f"{folder}/data"):
            return Outcome(proof, UNKNOWN, "the files were being rewritten all the time")
        found = _load(_program(facts.process), folder, plan, canary)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if isinstance(found, Missing):
        return Outcome(proof, FAILED, found.why)
    value, keys = found
    if appendonly and value != token:
        return Outcome(proof, FAILED, f"{keys} keys loaded, but the canary is not among them")
    canary_too = ", the canary too" if appendonly else ""
    return Outcome(proof, PASSED, f"copy of {size} bytes: {keys} keys{canary_too}")


def _folder() -> str:
    """Make a folder of our own with a short path: a unix socket's may have 108 bytes at most."""
    usual = tempfile.gettempdir()
    short = usual if len(os.fsencode(usual)) <= LONGEST_FOLDER else "/tmp"  # noqa: S108 - mkdtemp
    return tempfile.mkdtemp(prefix="keywright-", dir=short)


def _program(process: Process) -> str:
    """The program as it was called: Debian's redis-server is a link to redis-check-rdb."""
    called = process.command[0]
    return called if os.path.isabs(called) else shutil.which(called) or process.executable


def _size(directory: str) -> int:
    total = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            try:
                total += os.path.getsize(os.path.join(folder, name))
            except OSError:
                continue
    return total


def _copy(target: Target, source: str, destination: str) -> bool:
    """Copy the data while no rewrite exchanges it: the count of rewrites is the same before and after."""
    for _ in range(ATTEMPTS):
        before = _rewrites(target)
        try:
            shutil.copytree(source, destination, copy_function=shutil.copyfile)
        except (OSError, shutil.Error):
            before = ()  # a file went away under our hands
        if before and before == _rewrites(target):
            return True
        shutil.rmtree(destination, ignore_errors=True)
        time.sleep(0.1)
    return False


def _await_written(target: Target) -> None:
    """Wait until what was answered is in the file: while an fsync runs, a write waits up to 2 s."""
    deadline = time.monotonic() + LONGEST_POSTPONED
    while time.monotonic() < deadline:
        info = parse_info(target.redis.ask(ADMIN, [("INFO", "persistence")])[0])
        if info.get("aof_buffer_length", "0") == "0":
            return
        time.sleep(0.01)


def _rewrites(target: Target) -> tuple[str, ...]:
    info = parse_info(target.redis.ask(ADMIN, [("INFO", "persistence")])[0])
    if info.get("aof_rewrite_in_progress") == "1":
        return ()
    return (info.get("aof_rewrites", ""), info.get("rdb_last_save_time", ""))


def _load(program: str, folder: str, plan: Plan, canary: str) -> tuple[str, int] | Missing:
    """Start the scratch server on the copy; return the canary's value and the number of keys."""
    socket_path = f"{folder}/s"
    arguments = (
        *("--port", "0", "--unixsocket", socket_path, "--unixsocketperm", "700"),
        *("--dir", f"{folder}/data", "--save", "", "--daemonize", "no"),
        *("--appendonly", "yes" if plan.persistence.appendonly else "no"),
        *(word for each in plan.directives if each.name in LAYOUT for word in _option(each)),
    )
    with open(f"{folder}/log", "wb") as log:
        server = subprocess.Popen(
            (program, *arguments),
            stdout=log,
            stderr=log,
            preexec_fn=_ending_with_us(),  # noqa: PLW1509 - a command has one thread
        )
    try:
        return _ask(server, socket_path, canary) or _failed(f"{folder}/log")
    finally:
        server.kill()
        server.wait()


def _ending_with_us() -> Callable[[], object] | None:
    """What the child does before it becomes the server: ask Linux to end it when we are killed."""
    if not sys.platform.startswith("linux"):
        return None
    import ctypes  # 10 ms: loaded before the fork, and only by a check that copies data

    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(SET_DEATH_SIGNAL, signal.SIGKILL)


def _option(directive: Directive) -> tuple[str, str]:
    return f"--{directive.name}", directive.value


def _ask(server: "subprocess.Popen[bytes]", path: str, canary: str) -> tuple[str, int] | None:
    deadline = time.monotonic() + PATIENCE
    while server.poll() is None and time.monotonic() < deadline:
        try:
            with Wire(Endpoint(unix_path=path)) as wire:
                info = parse_info(wire.call("INFO"))
                if info.get("loading") == "0":
                    return str(wire.call("GET", canary)), int(wire.call("DBSIZE"))
        except KeywrightError:
            pass
        time.sleep(0.002)
    return None


def _failed(log: str) -> Missing:
    with open(log, encoding="utf-8", errors="replace") as stream:
        lines = [line.strip() for line in stream if " # " in line]
    return Missing(f"the copy does not load: {lines[-1] if lines else 'the server gave no reason'}")
