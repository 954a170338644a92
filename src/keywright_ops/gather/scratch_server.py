"""Loads a copy of data with a server of this machine that only this process can reach, and counts it.

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
from keywright.errors import KeywrightError
from keywright.wire import Wire
from keywright_ops.facts.info import parse_info
from keywright_ops.facts.loaded import parse_loaded, telling
from keywright_ops.model.absence import Missing
from keywright_ops.model.copies import Layout, Loaded
from keywright_ops.model.host import Process

LONGEST_FOLDER = 80  # bytes, so that the socket's path in it stays below 108
SET_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG, linux/prctl.h
PATIENCE = 30.0  # seconds for the scratch server to load, besides those for the data's size
PACE = 10 * 2**20  # bytes a second that the slowest disk and processor load


def program_of(process: Process) -> str:
    """The program as it was called: Debian's redis-server is a link to redis-check-rdb."""
    called = process.command[0]
    return called if os.path.isabs(called) else shutil.which(called) or process.executable


def load_with_program(
    program: str, data: str, layout: Layout, canary: str = ""
) -> Loaded | Missing:
    """Start `program` on the folder `data`, which it may change; return what it loaded.

    Missing says why it did not load: the server's own line. `canary` is a key whose value is asked.
    """
    try:
        room = short_folder()
    except OSError as error:
        return Missing(f"no folder for a scratch server: {error.strerror}")
    try:
        return _serve(program, data, layout, canary, room)
    except OSError as error:
        return Missing(f"cannot start {program}: {error.strerror}")
    finally:
        shutil.rmtree(room, ignore_errors=True)


def load_second_copy(program: str, data: str, layout: Layout) -> Loaded | Missing:
    """Load a copy without touching it: copy it once more beside itself, load that, remove that."""
    second = f"{os.path.dirname(data)}/second"
    try:
        shutil.copytree(data, second, copy_function=shutil.copyfile)
        return load_with_program(program, second, layout)
    except (OSError, shutil.Error) as error:
        return Missing(f"no second copy could be made to load: {error}")
    finally:
        shutil.rmtree(second, ignore_errors=True)


def short_folder() -> str:
    """Make a folder of our own with a short path: a unix socket's may have 108 bytes at most."""
    usual = tempfile.gettempdir()
    short = usual if len(os.fsencode(usual)) <= LONGEST_FOLDER else "/tmp"  # noqa: S108 - mkdtemp
    return tempfile.mkdtemp(prefix="keywright-", dir=short)


def patience(data: str) -> float:
    """How many seconds loading this folder may take."""
    return PATIENCE + folder_size(data) / PACE


def folder_size(folder: str) -> int:
    """Bytes of all files below a folder; what goes away meanwhile counts nothing."""
    total = 0
    for above, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.path.getsize(os.path.join(above, name))
            except OSError:
                continue
    return total


def arguments(data: str, socket_path: str, layout: Layout) -> tuple[str, ...]:
    """Return what a scratch server is told: its own files, nobody to hear, nothing to write."""
    return (
        *("--port", "0", "--unixsocket", socket_path, "--unixsocketperm", "700"),
        *("--dir", data, "--save", "", "--daemonize", "no"),
        *("--appendonly", "yes" if layout.appendonly else "no"),
        *(word for name, value in layout.settings for word in (f"--{name}", value)),
    )


def _serve(program: str, data: str, layout: Layout, canary: str, room: str) -> Loaded | Missing:
    path = f"{room}/s"
    with open(f"{room}/log", "wb") as log:
        server = subprocess.Popen(
            (program, *arguments(data, path, layout)),
            stdout=log,
            stderr=log,
            preexec_fn=_ending_with_us(),  # noqa: PLW1509 - a command has one thread
        )
    try:
        found = _ask(server, path, canary, patience(data))
    finally:
        server.kill()
        server.wait()
    if found is not None:
        return found
    with open(f"{room}/log", encoding="utf-8", errors="replace") as stream:
        why = telling(stream)
    return Missing(f"the copy does not load: {why or 'the server gave no reason'}")


def _ending_with_us() -> Callable[[], object] | None:
    """What the child does before it becomes the server: ask Linux to end it when we are killed."""
    if not sys.platform.startswith("linux"):
        return None
    import ctypes  # 10 ms: loaded before the fork, and only where data is loaded

    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(SET_DEATH_SIGNAL, signal.SIGKILL)


def _ask(server: "subprocess.Popen[bytes]", path: str, canary: str, limit: float) -> Loaded | None:
    deadline = time.monotonic() + limit
    while server.poll() is None and time.monotonic() < deadline:
        try:
            with Wire(Endpoint(unix_path=path)) as wire:
                while server.poll() is None and time.monotonic() < deadline:
                    info = parse_info(wire.call("INFO"))
                    if info.get("loading") == "0":
                        return parse_loaded(info, str(wire.call("GET", canary)) if canary else "")
                    time.sleep(0.01)
        except KeywrightError:
            pass
        time.sleep(0.002)
    return None
