"""Asks the server's disk: how large a file is, and how much is free where it lies."""

import os

from keywright.errors import KeywrightError
from keywright_ops.model.absence import Missing
from keywright_ops.targets.target import Completed, Target


def file_size(target: Target, path: str) -> int | Missing:
    """Return how many bytes a file of the server's has, or a folder's files have together."""
    if target.container is None and target.host is None:
        return _size_here(path)
    # `du -sk` would count blocks; the sizes are what is copied
    script = 'find "$1" -type f -exec cat {} + 2>/dev/null | wc -c' if path.endswith("/") else SIZE
    done = _run(target, script, path)
    if isinstance(done, Missing):
        return done
    text = done.output.strip()
    return int(text) if done.code == 0 and text.isdigit() else Missing(f"{path} cannot be seen")


SIZE = '[ -e "$1" ] && { stat -L -c %s -- "$1" 2>/dev/null || wc -c <"$1"; }'


def free_space(target: Target, folder: str) -> int | Missing:
    """Return how many bytes are free on the disk of a folder."""
    if target.container is None and target.host is None:
        return _free_here(folder)
    done = _run(target, 'LC_ALL=C df -Pk -- "$1" | tail -n 1', folder)
    if isinstance(done, Missing):
        return done
    words = done.output.split()
    known = done.code == 0 and len(words) >= 4 and words[3].isdigit()
    return int(words[3]) * 1024 if known else Missing(f"{folder} cannot be seen")


def _run(target: Target, script: str, path: str) -> Completed | Missing:
    argv = ("sh", "-c", script, "sh", path)
    try:
        return target.container.inside(*argv) if target.container else target.transport.run(argv)
    except KeywrightError as error:
        return Missing(str(error))


def _size_here(path: str) -> int | Missing:
    """The same on this machine, without a program."""
    try:
        if not path.endswith("/"):
            return os.stat(path).st_size
        return sum(each.stat().st_size for each in os.scandir(path) if each.is_file())
    except OSError as error:
        return Missing(f"{path}: {error.strerror}")


def _free_here(folder: str) -> int | Missing:
    try:
        found = os.statvfs(folder)
    except OSError as error:
        return Missing(f"{folder}: {error.strerror}")
    return found.f_bavail * found.f_frsize
