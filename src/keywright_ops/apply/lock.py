"""One lock per environment: whoever changes it holds it; a killed holder releases it by dying."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from errno import errorcode

from keywright.errors import ApplyError, Refused
from keywright_ops.targets.local import HINTS, make_folders


@contextmanager
def lock(path: str, purpose: str) -> Iterator[None]:
    """Hold the environment's lock while the block runs. Raises Refused, naming the holder."""
    try:
        make_folders(os.path.dirname(path))
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ApplyError(
            f"cannot lock {path}: {error.strerror}", HINTS.get(errorcode[error.errno or 0], "")
        ) from None
    try:
        try:
            # the kernel drops this lock when its holder ends, however it ends
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(handle, 200).decode("utf-8", "replace").strip()
            raise Refused(
                f"another Keywright is changing this environment ({holder or 'unknown'})",
                "wait until it has ended, then run the same command again",
            ) from None
        _sign(handle, f"{purpose}, process {os.getpid()}\n")
        yield
        _sign(handle, "")
    finally:
        os.close(handle)


def _sign(handle: int, text: str) -> None:
    """Say who holds it; on a full disk nobody can, and the lock holds all the same."""
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, text.encode(), 0)
    except OSError:
        return
