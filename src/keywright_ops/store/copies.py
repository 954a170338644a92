"""Takes, lists, verifies and prunes copies of one environment's data.

Rule 1: a copy is good only with its manifest, which is written last; without it nobody lists it.
Rule 2: everything is its owner's alone (0600, 0700) and on the disk (fsync) before the manifest is.
Rule 3: whoever changes the store holds the environment's lock.
"""

import os
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from keywright.errors import ApplyError, Refused
from keywright_ops.model.absence import Missing
from keywright_ops.model.copies import CopiedFile, Kept, Manifest, Packed
from keywright_ops.store.manifest import NAME, load_manifest, manifest_text
from keywright_ops.targets.local import HINTS, make_folders, sync_folder

if TYPE_CHECKING:
    from typing import BinaryIO

PIECE = 1 << 20  # bytes that are read and hashed at once
SPARE = 16 << 20  # bytes that stay free on the disk beside what is copied
KEEP = 3  # copies of one reason that are kept


class Store:
    """The copies of one environment, in `folder`; it need not exist yet."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def refuse_without_room(self, size: int) -> None:
        """Raise Refused when the disk has not so many bytes free, and some to spare."""
        free = _free(self.folder)
        if free < size + SPARE:
            raise Refused(
                f"a copy needs {_mib(size + SPARE)} MiB in {self.folder}, and {_mib(free)} are free",
                "free some space on that disk, then run the same command again",
            )

    def take(self, files: Iterable[Packed]) -> tuple[str, tuple[CopiedFile, ...]]:
        """Write the files into a new folder, durably; return it and what was written, hashed.

        It is no good copy before `commit`. What an earlier run left unfinished is removed first. Raises
        ApplyError, and leaves nothing, when it cannot be written.
        """
        self._sweep()
        folder = f"{self.folder}/{_moment()}-{os.urandom(3).hex()}"
        try:
            make_folders(f"{folder}/data")
            written = tuple(_write(f"{folder}/data", file) for file in files)
            _sync_tree(f"{folder}/data")
            sync_folder(folder)
            sync_folder(self.folder)
        except OSError as error:
            self.drop(folder)
            raise _failed("keep a copy in", folder, error) from None
        except BaseException:
            self.drop(folder)
            raise
        return folder, written

    def commit(self, folder: str, manifest: Manifest) -> Kept:
        """Make the copy good: write its manifest, durably and at once. Raises ApplyError."""
        path = f"{folder}/{NAME}"
        try:
            with open(_new(f"{path}.new"), "w", encoding="utf-8") as stream:
                stream.write(manifest_text(manifest))
                stream.flush()
                os.fsync(stream.fileno())
            os.rename(f"{path}.new", path)
            sync_folder(folder)
        except OSError as error:
            self.drop(folder)
            raise _failed("keep a copy in", folder, error) from None
        return Kept(folder, manifest)

    def kept(self) -> tuple[Kept, ...]:
        """Return the good copies, oldest first; what has no readable manifest is none."""
        found = []
        for folder in self._folders():
            manifest = _manifest(folder)
            if not isinstance(manifest, Missing):
                found.append(Kept(folder, manifest))
        return tuple(found)

    def find(self, name: str = "") -> Kept | Missing:
        """Return the copy whose folder is called so or ends so; without a name the newest one."""
        found = [each for each in self.kept() if os.path.basename(each.folder).endswith(name)]
        return found[-1] if found else Missing(f"no copy in {self.folder} is called {name or '…'}")

    def prune(self, reason: str, keep: int = KEEP) -> tuple[str, ...]:
        """Remove all but the newest copies of this reason; return the folders that went.

        Copies without a key are not counted, and go with the oldest: they never push out a full one.
        """
        mine = [each for each in self.kept() if each.manifest.reason == reason]
        full = [each for each in mine if each.manifest.keys or each.manifest.functions]
        safe = {each.folder for each in (*full[-keep:], *mine[-1:])}
        gone = tuple(each.folder for each in mine if each.folder not in safe)
        for folder in gone:
            self.drop(folder)
        return gone

    def drop(self, folder: str) -> None:
        """Remove one copy: its manifest first, so that half of one never looks good."""
        import shutil

        try:
            os.unlink(f"{folder}/{NAME}")
            sync_folder(folder)
        except OSError:
            pass  # it never had one
        shutil.rmtree(folder, ignore_errors=True)

    def _sweep(self) -> None:
        """Remove what was never finished; a manifest that cannot be read is somebody's, and stays."""
        for folder in self._folders():
            if not os.path.lexists(f"{folder}/{NAME}"):
                self.drop(folder)

    def _folders(self) -> list[str]:
        try:
            names = sorted(os.listdir(self.folder))
        except OSError:
            return []
        return [f"{self.folder}/{name}" for name in names if not name.startswith(".")]


def verify(folder: str, files: Iterable[CopiedFile]) -> str:
    """Read every file back; return the first thing that is not as it was written, "" when all is."""
    expected = {each.name: each for each in files}
    for name in _names(f"{folder}/data"):
        if name not in expected:
            return f"{name} lies there and is not of the copy"
    for each in expected.values():
        try:
            size, digest = _digest(f"{folder}/data/{each.name}")
        except OSError as error:
            return f"{each.name} cannot be read back: {error.strerror}"
        if (size, digest) != (each.size, each.digest):
            return f"{each.name} reads back otherwise than it was written"
    return ""


def _moment() -> str:
    """The time (UTC) to the microsecond, so that names stand in the order in which copies were taken."""
    seconds, rest = divmod(time.time_ns() // 1000, 10**6)
    return f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime(seconds))}.{rest:06d}Z"


def _write(folder: str, file: Packed) -> CopiedFile:
    from hashlib import sha256  # loads OpenSSL: 3 ms

    parts = file.name.split("/")
    if not all(parts) or any(part in (".", "..") for part in parts):
        raise ApplyError(f"the data holds a file with a strange name: {file.name!r}")
    path = f"{folder}/{file.name}"
    make_folders(os.path.dirname(path))
    digest, size = sha256(), 0
    with open(_new(path), "wb") as stream:
        for piece in file.pieces:
            stream.write(piece)
            digest.update(piece)
            size += len(piece)
        stream.flush()
        os.fsync(stream.fileno())
        _forget_cache(stream.fileno())
    return CopiedFile(file.name, size, digest.hexdigest())


def _new(path: str) -> int:
    """Open a new file that is its owner's alone."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def digest_of(path: str) -> str:
    """The sha256 (hex) of a file of the store."""
    return _digest(path)[1]


def _digest(path: str) -> tuple[int, str]:
    from hashlib import sha256

    digest, size = sha256(), 0
    with open(path, "rb") as stream:
        for piece in pieces(stream):
            digest.update(piece)
            size += len(piece)
    return size, digest.hexdigest()


def pieces(stream: "BinaryIO") -> Iterator[bytes]:
    """Read a stream to its end, PIECE bytes at a time."""
    while piece := stream.read(PIECE):
        yield piece


def _forget_cache(handle: int) -> None:
    """Ask the kernel to drop its cache of the file: what is read back then comes from the disk."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)


def _names(folder: str) -> list[str]:
    found = []
    for above, _, names in os.walk(folder):
        found += [os.path.relpath(os.path.join(above, name), folder) for name in names]
    return found


def _sync_tree(folder: str) -> None:
    for above, _, _ in os.walk(folder):
        sync_folder(above)


def _manifest(folder: str) -> Manifest | Missing:
    try:
        with open(f"{folder}/{NAME}", "rb") as stream:
            return load_manifest(stream.read())
    except OSError as error:
        return Missing(error.strerror or str(error))


def _free(folder: str) -> int:
    """Free bytes of the disk that the folder is, or will be, on."""
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def _mib(size: int) -> int:
    return -(-size // 2**20)


def _failed(verb: str, path: str, error: OSError) -> ApplyError:
    from errno import errorcode

    hint = HINTS.get(errorcode.get(error.errno or 0, ""), "")
    return ApplyError(f"cannot {verb} {path}: {error.strerror}", hint)
