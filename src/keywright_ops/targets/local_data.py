"""The data of a server on this machine: a folder, read file by file, and removed by renaming it first."""

import os
from collections.abc import Iterator
from errno import errorcode
from stat import S_ISREG
from typing import TYPE_CHECKING

from keywright.errors import ApplyError
from keywright_ops.model.absence import Missing
from keywright_ops.model.copies import Lying, Packed
from keywright_ops.targets.local import HINTS, sync_folder

if TYPE_CHECKING:
    from typing import BinaryIO

PIECE = 1 << 20  # bytes that are read at once
REMOVED = ".removed"  # what the folder is called while it is being removed


class LocalData:
    """The data folder `folder`; `folder`.removed is what an interrupted removal left."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def look(self) -> Lying | Missing:
        """Where it lies, how many files and bytes."""
        try:
            sizes = [os.lstat(path).st_size for path in _files(self.folder)]
        except OSError as error:
            return Missing(f"{self.folder}: {error.strerror}")
        return Lying(self.folder, len(sizes), sum(sizes), os.path.lexists(self.folder + REMOVED))

    def pack(self) -> Iterator[Packed]:
        """Every file with its bytes, sorted by name."""
        for path in _files(self.folder):
            try:
                yield Packed(os.path.relpath(path, self.folder), _read(path))
            except OSError as error:
                raise _failed("read", path, error) from None

    def remove(self) -> None:
        """Rename the folder away, so that no server ever finds half of it, then remove it."""
        import shutil

        away = self.folder + REMOVED
        try:
            if os.path.lexists(away):
                shutil.rmtree(away)
            if os.path.lexists(self.folder):
                os.rename(self.folder, away)
                sync_folder(os.path.dirname(self.folder))
                shutil.rmtree(away)
        except OSError as error:
            raise _failed("remove", self.folder, error) from None


def _files(folder: str) -> list[str]:
    """Every name below the folder that is no folder, sorted; [] when the folder is not there."""

    def fail(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            raise error

    found = []
    for above, folders, names in os.walk(folder, onerror=fail):
        links = [name for name in folders if os.path.islink(f"{above}/{name}")]
        found += [f"{above}/{name}" for name in (*names, *links)]
    return sorted(found)


def _read(path: str) -> Iterator[bytes]:
    if not S_ISREG(os.lstat(path).st_mode):
        raise ApplyError(
            f"{path} is not a plain file, so no copy of the data can be whole",
            "move it away, then run the same command again",
        )
    stream = open(path, "rb")  # noqa: SIM115 - closed at its end
    return _pieces(stream)


def _pieces(stream: "BinaryIO") -> Iterator[bytes]:
    with stream:
        while piece := stream.read(PIECE):
            yield piece


def _failed(verb: str, path: str, error: OSError) -> ApplyError:
    hint = HINTS.get(errorcode.get(error.errno or 0, ""), "")
    return ApplyError(f"cannot {verb} {path}: {error.strerror}", hint)
