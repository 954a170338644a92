"""One snapshot file of a server that goes on running, to be copied into the store.

The server replaces it by renaming: once opened it stays the file that it was.
"""

import os
from collections.abc import Iterator
from typing import NoReturn

from keywright.errors import ApplyError
from keywright_ops.model.absence import Missing
from keywright_ops.model.copies import Lying, Packed
from keywright_ops.targets.target import Target

PIECE = 1 << 20  # bytes that are read at once
LARGEST = 2**30  # bytes of a file on another host, which travels in one piece


class SnapshotFile:
    """The file `path` of the target's server, `size` bytes, as data that can be copied."""

    def __init__(self, target: Target, path: str, size: int, container: str = "") -> None:
        self._target, self.path, self._size = target, path, size
        self._container = container

    def look(self) -> Lying | Missing:
        """Where it lies and its size."""
        if self._target.host is not None and self._size > LARGEST:
            return Missing(f"{self.path} has more than {LARGEST // 2**20} MiB, too much to fetch")
        return Lying(self.path, 1, self._size)

    def pack(self) -> Iterator[Packed]:
        """The one file, under its own name."""
        name = os.path.basename(self.path)
        if self._target.container is not None:
            yield from self._out_of_container(name)
        elif self._target.host is not None:
            content = self._target.transport.read(self.path)
            if isinstance(content, Missing):
                raise ApplyError(f"cannot read {self.path}: {content.why}")
            yield Packed(name, iter((content,)))
        else:
            yield Packed(name, self._pieces())

    def _pieces(self) -> Iterator[bytes]:
        try:
            with open(self.path, "rb") as stream:
                while piece := stream.read(PIECE):
                    yield piece
        except OSError as error:
            raise ApplyError(f"cannot read {self.path}: {error.strerror}") from None

    def _out_of_container(self, name: str) -> Iterator[Packed]:
        import subprocess

        from keywright_ops.targets.docker import told
        from keywright_ops.targets.tar_stream import unpack

        argv = ("docker", "cp", f"{self._container}:{self.path}", "-")
        with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as copying:
            assert copying.stdout is not None and copying.stderr is not None
            for packed in unpack(copying.stdout):
                yield Packed(name, packed.pieces)
            said = copying.stderr.read().decode("utf-8", "replace")
            if copying.wait() != 0:
                raise ApplyError(f"{self.path} cannot be read: {told(said)}")

    def remove(self) -> NoReturn:
        """A running server's file is never removed."""
        raise ApplyError(f"{self.path} is a running server's own")
