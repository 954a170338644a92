"""Files out of a tar stream, as `docker cp CONTAINER:/data -` gives it, without writing any to disk."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from keywright.errors import ApplyError
from keywright_ops.model.copies import Packed

if TYPE_CHECKING:
    from typing import IO

PIECE = 1 << 20  # bytes that are read at once
END = 1024  # zeros that end an archive


def unpack(stream: "IO[bytes]") -> Iterator[Packed]:
    """Return the plain files of a tar stream, without the folder that they all stand in.

    A file's pieces must be read before the next file is asked for. Raises ApplyError for a stream
    that is cut off, and for what is neither a file nor a folder.
    """
    import tarfile  # 9 ms: only where data is copied out of a container

    whole = _Whole(stream)
    try:
        with tarfile.open(fileobj=cast("IO[bytes]", whole), mode="r|") as archive:
            for member in archive:
                if member.isdir():
                    continue
                content = archive.extractfile(member) if member.isreg() else None
                if content is None:
                    raise ApplyError(f"{member.name} is not a plain file: the copy were not whole")
                yield Packed(member.name.partition("/")[2], _pieces(content))
    except (tarfile.TarError, EOFError) as error:
        raise ApplyError(f"the data could not be read to its end: {error}") from None
    if not whole.ended():
        raise ApplyError("the data could not be read to its end: the stream was cut off")


class _Whole:
    """Watches for the end of an archive (1024 zeros), without which tarfile takes a part for the whole."""

    def __init__(self, stream: "IO[bytes]") -> None:
        self._stream = stream
        self._tail = b""

    def read(self, size: int) -> bytes:
        """Read on, and remember how it ended."""
        found = self._stream.read(size)
        self._tail = (self._tail + found)[-END:]
        return found

    def ended(self) -> bool:
        """Whether the stream, read to its last byte, ends as an archive does."""
        while self.read(PIECE):
            continue
        return self._tail == bytes(END)


def _pieces(content: "IO[bytes]") -> Iterator[bytes]:
    from tarfile import TarError

    try:
        while piece := content.read(PIECE):
            yield piece
    except TarError as error:
        raise ApplyError(f"the data could not be read to its end: {error}") from None
