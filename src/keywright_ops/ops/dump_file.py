"""Opens a dump (RDB file) where it lies, or one that gzip compressed, for facts/rdb to read.

The file is mapped into memory, not read: of a dump of many gigabytes only what is looked at is loaded.
Servers write a new dump beside the old one and rename it, so what is open stays whole meanwhile.
"""

import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from stat import S_ISREG
from typing import BinaryIO, NamedTuple

from keywright.errors import InputError

GZIP = b"\x1f\x8b"
CHUNK = 1 << 20  # bytes


class DumpFile(NamedTuple):
    """An open dump: its bytes, how many they are, and when the file was last changed."""

    data: mmap.mmap
    size: int
    changed: float  # seconds since 1970


@contextmanager
def load_dump(path: str) -> Iterator[DumpFile]:
    """Open a dump for as long as it is read; InputError when there is none to be read."""
    try:
        with open(path, "rb") as file:
            status = os.fstat(file.fileno())
            if not S_ISREG(status.st_mode):
                raise InputError(f"{path} is no file", "copy the dump to a file first")
            compressed = file.read(len(GZIP)) == GZIP
            with _unpacked(path, file) if compressed else file as plain:
                size = os.fstat(plain.fileno()).st_size
                if not size:
                    raise InputError(f"{path} is empty", "is this a dump (dump.rdb)?")
                with mmap.mmap(plain.fileno(), 0, access=mmap.ACCESS_READ) as data:
                    yield DumpFile(data, size, status.st_mtime)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None


def _unpacked(path: str, file: BinaryIO) -> BinaryIO:
    """Unpack a compressed dump into a file that has no name and goes when it is closed."""
    import gzip
    import tempfile
    import zlib

    file.seek(0)
    plain = tempfile.TemporaryFile()  # noqa: SIM115 - closed by who asked
    try:
        with gzip.GzipFile(fileobj=file) as packed:
            while chunk := packed.read(CHUNK):
                plain.write(chunk)
        plain.flush()
    except (EOFError, zlib.error, gzip.BadGzipFile):
        plain.close()
        raise InputError(
            f"{path} is cut off or damaged: gzip cannot unpack it", "copy it again"
        ) from None
    except OSError as error:
        plain.close()
        place = tempfile.gettempdir()
        raise InputError(
            f"{path} cannot be unpacked in {place}: {error.strerror or error}",
            "set TMPDIR to a folder with more room, or unpack it yourself",
        ) from None
    return plain
