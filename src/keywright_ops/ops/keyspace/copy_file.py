"""The file that keeps keys before they go: DUMP payloads with their times, its owner's alone (0600).

    keywright keys 1
    <JSON: app, environment, database, taken, reason>
    records: lengths of name and payload (4 bytes each), end (8 bytes: Unix ms, -1 none), CRC-32 of what
    follows (4 bytes), name, payload; the length 2**32-1 says that only the time was changed

A record is on the disk before its key is touched, so a file that was cut (a full disk, a crash) has lost
nothing: what is torn at its end was not deleted yet.
"""

import json
import os
import struct
import time
from binascii import crc32
from collections.abc import Iterable, Iterator
from typing import IO, Any, NamedTuple

from keywright.errors import ApplyError, InputError, Refused
from keywright_ops.targets.local import make_folders

MAGIC = b"keywright keys 1\n"
FOLDER, ENDING = "keys", ".keys"
KEEP, DAYS = 10, 7  # the newest, and all that are younger, are kept
LIMIT = 1 << 30  # bytes of a copy unless told otherwise
SPARE = 64 << 20  # bytes that stay free on the disk
_HEAD = struct.Struct(">IIqI")
_TIME_ONLY = (1 << 32) - 1


class Record(NamedTuple):
    """One key as it was: `ends` is Unix milliseconds (-1: never), `payload` None when only that changed."""

    name: bytes
    ends: int
    payload: bytes | None


class CopyFile:
    """A file that is being written. Raises ApplyError when it cannot be, Refused when it grows too large."""

    def __init__(self, home: str, header: dict[str, Any], limit: int) -> None:
        folder = f"{home}/{FOLDER}"
        now = time.time()  # to the microsecond: two copies of one second have their order too
        moment = f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime(now))}.{int(now % 1 * 1e6):06d}Z"
        self.path = f"{folder}/{moment}-{os.urandom(2).hex()}{ENDING}"
        self.size, self.records, self._limit = 0, 0, limit
        try:
            make_folders(folder)
            _prune(folder)
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            self._stream: IO[bytes] = open(handle, "wb")  # noqa: SIM115 - closed by close
            self._stream.write(MAGIC + json.dumps(header).encode() + b"\n")
        except OSError as error:
            raise _failed(self.path, error) from None

    def add(self, records: Iterable[Record]) -> None:
        """Write records, and return when they are on the disk."""
        pieces = []
        for name, ends, payload in records:
            body = name + (payload or b"")
            length = _TIME_ONLY if payload is None else len(payload)
            pieces.append(_HEAD.pack(len(name), length, ends, crc32(body)) + body)
        packed = b"".join(pieces)
        if self.size + len(packed) > self._limit:
            raise Refused(
                f"the copy would grow beyond {self._limit:,} bytes",
                "--copy-limit 5gb allows more, --no-copy keeps none",
            )
        try:
            self._stream.write(packed)
            self._stream.flush()
            getattr(os, "fdatasync", os.fsync)(self._stream.fileno())  # macOS has one alone
        except OSError as error:
            raise _failed(self.path, error) from None
        self.size += len(packed)
        self.records += len(pieces)

    def close(self) -> None:
        """Close it; one that holds nothing is removed."""
        try:
            self._stream.close()
        except OSError as error:
            raise _failed(self.path, error) from None
        if not self.records:
            os.unlink(self.path)
            self.path = ""


def refuse_without_room(home: str, size: int) -> None:
    """Raise Refused when the disk has not so many bytes free, and some to spare."""
    folder = home
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    disk = os.statvfs(folder)
    free = disk.f_bavail * disk.f_frsize
    if free < size + SPARE:
        raise Refused(
            f"a copy needs about {size >> 20} MiB in {home}, and {free >> 20} are free",
            "free some space on that disk, or --no-copy keeps none",
        )


def find_copy(home: str, name: str) -> str:
    """Return the path of a copy: a path, a file's name in the folder, or `last`. Raises InputError."""
    folder = f"{home}/{FOLDER}"
    names = _names(folder)
    if name == "last":
        if not names:
            raise InputError("no copy of keys is kept", f"they lie in {folder}")
        return f"{folder}/{names[-1]}"
    path = f"{folder}/{name}" if name in names else name
    if not os.path.isfile(path):
        kept = f"kept are {', '.join(names[-3:])}" if names else f"they lie in {folder}"
        raise InputError(f"there is no copy {name}", kept)
    return path


def load_copy(path: str) -> tuple[dict[str, Any], Iterator[Record]]:
    """Return what a copy's header says, and its whole records. Raises InputError for another file."""
    stream: IO[bytes] | None = None
    try:
        stream = open(path, "rb")  # noqa: SIM115 - closed by the iterator
        if stream.read(len(MAGIC)) != MAGIC:
            raise InputError(f"{path} is no copy of keys", "`keywright keys --undo last`")
        header: dict[str, Any] = json.loads(stream.readline(1 << 16))
        whole, stream = stream, None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise InputError(f"{path} is torn at its beginning") from None
    finally:
        if stream is not None:
            stream.close()
    return header, _records(whole)


def _records(stream: IO[bytes]) -> Iterator[Record]:
    count = 0
    with stream:
        while head := stream.read(_HEAD.size):
            if len(head) < _HEAD.size:
                raise _torn(stream.name, count)
            long, length, ends, check = _HEAD.unpack(head)
            timed = length == _TIME_ONLY
            body = stream.read(long + (0 if timed else length))
            if crc32(body) != check or len(body) < long:
                raise _torn(stream.name, count)
            count += 1
            yield Record(body[:long], ends, None if timed else body[long:])


def _names(folder: str) -> list[str]:
    """The copies' names, oldest first."""
    try:
        return sorted(name for name in os.listdir(folder) if name.endswith(ENDING))
    except OSError:
        return []


def _prune(folder: str) -> None:
    """Let those go that are neither young nor among the newest, with the one to come."""
    for name in _names(folder)[: -(KEEP - 1)]:
        if time.time() - os.stat(f"{folder}/{name}").st_mtime > DAYS * 86400:
            os.unlink(f"{folder}/{name}")


def _torn(path: str, count: int) -> ApplyError:
    """What to say of a copy whose rest cannot be read; whoever wrote it last had not deleted that yet."""
    return ApplyError(
        f"{path} is torn after {count:,} keys",
        "what stands before that is brought back; a crash tears only what was not deleted yet",
    )


def _failed(path: str, error: OSError) -> ApplyError:
    return ApplyError(
        f"the copy {path} cannot be written: {error.strerror}",
        "what was not copied was not deleted; free some space, or --no-copy keeps none",
    )
