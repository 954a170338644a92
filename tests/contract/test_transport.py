"""The laws of a Transport: files, folders, programs, listening ports."""

from hashlib import sha256

import pytest
from tests.contract.rig import Rig

from keywright.errors import ApplyError
from keywright.secret import Secret
from keywright_ops.model.absence import NOT_THERE, Missing


def test_what_is_written_is_read_with_its_mode(rig: Rig) -> None:
    """write makes missing folders; read and file tell exactly what was written, mode included."""
    path = f"{rig.home}/a/b/file"
    for content, mode in ((b"one\xff", 0o600), (b"", 0o640)):
        rig.transport.write(path, content, mode)
        assert content == rig.transport.read(path)
        found = rig.transport.file(path)
        assert (sha256(content).hexdigest(), mode) == (found.digest, found.mode)
        assert mode == rig.transport.mode(path)
    assert ("file",) == rig.transport.names(f"{rig.home}/a/b")
    assert ("b",) == rig.transport.names(f"{rig.home}/a")


def test_only_what_does_not_exist_is_not_there(rig: Rig) -> None:
    """A missing file is Missing(NOT_THERE); a folder is Missing with another reason; no folder is ()."""
    rig.transport.write(f"{rig.home}/folder/file", b"x", 0o600)
    assert Missing(NOT_THERE) == rig.transport.read(f"{rig.home}/none")
    assert Missing(NOT_THERE) == rig.transport.file(f"{rig.home}/none")
    assert Missing(NOT_THERE) == rig.transport.mode(f"{rig.home}/none")
    for answer in (
        rig.transport.read(f"{rig.home}/folder"),
        rig.transport.file(f"{rig.home}/folder"),
    ):
        assert isinstance(answer, Missing)
        assert answer.why != NOT_THERE
    assert () == rig.transport.names(f"{rig.home}/none")


def test_names_are_sorted_and_hold_files_and_folders(rig: Rig) -> None:
    """names tells what lies directly in a folder, in order."""
    for name in ("b", "a", "c/deep"):
        rig.transport.write(f"{rig.home}/{name}", b"x", 0o600)
    assert ("a", "b", "c") == rig.transport.names(rig.home)


@pytest.mark.parametrize("name", ["-n", "a b", "it's", '$("x")', "é表", "\u2028line", "*", "a\\b"])
def test_any_name_is_a_name(rig: Rig, name: str) -> None:
    """Dashes, blanks, quotes, what a shell would take for its own: written, told, copied, removed."""
    path = f"{rig.home}/folder/{name}"
    rig.transport.write(path, b"x", 0o640)
    assert (name,) == rig.transport.names(f"{rig.home}/folder")
    assert (b"x", 0o640) == (rig.transport.read(path), rig.transport.mode(path))
    rig.transport.copy(path, f"{rig.home}/copy/{name}")
    rig.transport.move(f"{rig.home}/copy/{name}", f"{rig.home}/copy/moved {name}")
    assert (f"moved {name}",) == rig.transport.names(f"{rig.home}/copy")
    rig.transport.remove(path)
    assert Missing(NOT_THERE) == rig.transport.file(path)


def test_remove_is_content_when_nothing_is_there(rig: Rig) -> None:
    """remove takes a file away; a second time is fine."""
    rig.transport.write(f"{rig.home}/file", b"x", 0o600)
    rig.transport.remove(f"{rig.home}/file")
    rig.transport.remove(f"{rig.home}/file")
    assert Missing(NOT_THERE) == rig.transport.read(f"{rig.home}/file")


def test_a_copy_is_whole_and_belongs_to_its_owner(rig: Rig) -> None:
    """copy takes a file or a folder with all in it, mode 0600, into folders that did not exist."""
    rig.transport.write(f"{rig.home}/from/a", b"1", 0o644)
    rig.transport.write(f"{rig.home}/from/in/b", b"2", 0o644)
    rig.transport.copy(f"{rig.home}/from/a", f"{rig.home}/to/place/a")
    rig.transport.copy(f"{rig.home}/from", f"{rig.home}/whole")
    assert (b"1", 0o600) == (
        rig.transport.read(f"{rig.home}/to/place/a"),
        rig.transport.file(f"{rig.home}/to/place/a").mode,
    )
    assert b"2" == rig.transport.read(f"{rig.home}/whole/in/b")
    assert b"1" == rig.transport.read(f"{rig.home}/from/a")
    with pytest.raises(ApplyError):
        rig.transport.copy(f"{rig.home}/none", f"{rig.home}/other")


def test_a_move_never_overwrites(rig: Rig) -> None:
    """move renames a file or folder; an existing destination or a missing source is an error."""
    rig.transport.write(f"{rig.home}/folder/file", b"1", 0o600)
    rig.transport.move(f"{rig.home}/folder", f"{rig.home}/moved")
    assert (b"1", ("moved",)) == (
        rig.transport.read(f"{rig.home}/moved/file"),
        rig.transport.names(rig.home),
    )
    rig.transport.write(f"{rig.home}/folder/file", b"2", 0o600)
    for source in ("folder", "folder/file", "none"):
        with pytest.raises(ApplyError):
            rig.transport.move(f"{rig.home}/{source}", f"{rig.home}/moved")
    assert b"1" == rig.transport.read(f"{rig.home}/moved/file")


def test_a_program_is_run_to_its_end_with_its_input(rig: Rig) -> None:
    """run returns code and output; stdin may be a Secret; a program that is not there is an ApplyError."""
    done = rig.transport.run(("cat",), Secret("hush"))
    assert (0, "hush", "") == (done.code, done.output, done.errors)
    assert 1 == rig.transport.run(("false",)).code
    with pytest.raises(ApplyError):
        rig.transport.run(("no-such-program-anywhere",))


def test_listening_tells_the_addresses_of_an_open_port(rig: Rig) -> None:
    """listening is () before the server is up, its addresses while it runs."""
    assert () == rig.transport.listening(rig.port)
    rig.up(bind="127.0.0.1 127.0.0.2")
    assert {"127.0.0.1", "127.0.0.2"} == set(rig.transport.listening(rig.port))
