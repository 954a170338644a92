"""A tar stream, as `docker cp` gives it, becomes the same files as a folder does."""

import io
import tarfile

import pytest

from keywright.errors import ApplyError
from keywright_ops.targets.tar_stream import unpack

FILES = {"dump.rdb": b"REDIS" * 500_000, "appendonlydir/a.aof": b"", "with blank": b"x"}


def stream(cut: int | None = None, link: bool = False) -> io.BytesIO:
    """A tar stream of a folder `data`; `cut` keeps only so many bytes."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w|") as archive:
        for name in ("data", "data/appendonlydir"):
            folder = tarfile.TarInfo(name)
            folder.type = tarfile.DIRTYPE
            archive.addfile(folder)
        for name, content in FILES.items():
            member = tarfile.TarInfo(f"data/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        if link:
            member = tarfile.TarInfo("data/link")
            member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(member)
    return io.BytesIO(whole.getvalue()[:cut])


def read(archive: io.BytesIO) -> dict[str, bytes]:
    """Everything that comes out of it."""
    return {each.name: b"".join(each.pieces) for each in unpack(archive)}


def test_every_file_by_its_name_below_the_folder() -> None:
    """Folders are left out, contents come in pieces and whole."""
    assert FILES == read(stream())


@pytest.mark.parametrize("cut", [0, 1, 512, 700, 1024, 1536, 5000, 2_000_000, 2_502_144])
def test_a_stream_that_is_cut_off_is_an_error(cut: int) -> None:
    """Half a copy is none, wherever the stream ends."""
    with pytest.raises(ApplyError, match="to its end"):
        read(stream(cut))


def test_a_link_is_an_error() -> None:
    """What is neither a file nor a folder cannot be copied."""
    with pytest.raises(ApplyError, match="link is not a plain file"):
        read(stream(link=True))
