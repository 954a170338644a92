"""The files that rotation made of one log, and how each is read: plain, gzip, bzip2, xz."""

import os
import re
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

from keywright.errors import ApplyError, InputError
from keywright_ops.logs.source import CHUNK

if TYPE_CHECKING:
    from gzip import GzipFile

COMPRESSED = (".gz", ".bz2", ".xz")
# logrotate's own ways: log.1, log.2.gz, log-20260101, log-2026-01-01.gz, and with `extension .log`
SUFFIX = re.compile(r"(?:\.\d+|-\d{8}(?:-?\d+)?|-\d{4}-\d\d-\d\d)(?:\.(?:gz|bz2|xz|zst))?")


def family(path: str) -> list[str]:
    """Return the log and what rotation left of it, the log itself first."""
    folder, name = os.path.split(path)
    stem, extension = os.path.splitext(name)
    try:
        names = os.listdir(folder or ".")
    except OSError:
        names = [name]
    found = [path] if os.path.exists(path) else []
    for each in sorted(names):
        rest = each[len(name) :] if each.startswith(name) else ""
        dated = each[len(stem) :].replace(extension, "", 1) if each.startswith(stem) else ""
        if SUFFIX.fullmatch(rest) or (extension and dated != rest and SUFFIX.fullmatch(dated)):
            found.append(os.path.join(folder, each))
    return found


def compressed(path: str) -> bool:
    """Whether a file is read through a decompressor."""
    return path.endswith((*COMPRESSED, ".zst"))


def unpacked(path: str) -> Iterator[bytes]:
    """Give a compressed file's content in chunks of whole lines."""
    try:
        with _opened(path) as stream:
            rest = b""
            while block := stream.read(CHUNK):
                cut = block.rfind(b"\n") + 1
                if cut == 0:
                    rest += block
                    continue
                yield rest + block[:cut]
                rest = block[cut:]
            if rest:
                yield rest + b"\n"
    except EOFError:
        raise ApplyError(f"{path} ends in its middle: it was not packed to its end") from None
    except OSError as error:
        raise cannot_read(path, error) from None


def _opened(path: str) -> "IO[bytes] | GzipFile":
    if path.endswith(".gz"):
        import gzip

        return gzip.open(path, "rb")
    if path.endswith(".bz2"):
        import bz2

        return bz2.open(path, "rb")
    if path.endswith(".xz"):
        import lzma

        return lzma.open(path, "rb")
    raise InputError(f"{path} is packed with zstd, which Python cannot read", f"unzstd {path}")


def cannot_read(path: str, error: OSError) -> InputError | ApplyError:
    """Return what to raise for a log that cannot be read."""
    if isinstance(error, PermissionError):
        return InputError(
            f"{path} may not be read by you",
            "sudo does; or join the group that may: `ls -l` shows it (Debian's is adm)",
        )
    if isinstance(error, FileNotFoundError):
        return InputError(f"there is no {path}", "has the server run yet? `keywright status` tells")
    return ApplyError(f"{path} cannot be read: {error.strerror or error}")
