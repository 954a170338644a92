"""One lock per environment: whoever changes it holds it; a killed holder releases it by dying."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from keywright.errors import ApplyError, Refused


@contextmanager
def lock(path: str, purpose: str) -> Iterator[None]:
    """Hold the environment's lock while the block runs. Raises Refused, naming the holder."""
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ApplyError(
            f"cannot lock {path}: {error.strerror}",
            "does the folder belong to another user (was Keywright once run with sudo)?",
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
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{purpose}, process {os.getpid()}\n".encode(), 0)
        yield
        os.ftruncate(handle, 0)
    finally:
        os.close(handle)
