"""The waterline's guard: an audit hook that watches one call at a time.

An import contract cannot see `open()` and patching `builtins.open` misses `Path.read_text`; the
interpreter's own audit events miss neither. The hook is installed once and stays silent until
`pure` arms it, in the calling thread only. It cannot see the clock and the environment: ruff's
banned-api holds those.
"""

import sys
import threading
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

# Audit events that mean the world was touched; a name that ends in "." stands for all under it.
WORLDLY = (
    "open", "socket.", "subprocess.", "shutil.", "tempfile.", "glob.", "pty.", "ftplib.", "http.",
    "os.chdir", "os.chmod", "os.chown", "os.exec", "os.fork", "os.forkpty", "os.kill", "os.link",
    "os.listdir", "os.listxattr", "os.mkdir", "os.posix_spawn", "os.putenv", "os.remove",
    "os.rename", "os.rmdir", "os.scandir", "os.spawn", "os.symlink", "os.system", "os.truncate",
    "os.unsetenv", "os.utime", "os.walk", "signal.pthread_kill", "syslog.", "urllib.",
)  # fmt: skip

_armed = threading.local()


class Impure(AssertionError):
    """A call into a pure room touched the world."""


def _importing() -> bool:
    """Whether the interpreter is loading a module: a late import reads a file on its own behalf."""
    frame = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False


def _watch(event: str, details: tuple[Any, ...]) -> None:
    sightings = getattr(_armed, "sightings", None)
    if sightings is None:
        return
    worldly = any(event.startswith(w) if w.endswith(".") else event == w for w in WORLDLY)
    if worldly and not _importing():
        sightings.append(f"{event}{details!r}")


sys.addaudithook(_watch)


def pure(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call it and return what it returns; Impure when it touched disk, network or a process."""
    _armed.sightings = sightings = []
    try:
        result = call(*args, **kwargs)
    finally:
        _armed.sightings = None
    if sightings:
        raise Impure(f"{call.__module__}.{call.__qualname__} touched the world: {sightings}")
    return result
