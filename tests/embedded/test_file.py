"""keywright.toml, the working directory and HOME in every wrong state: a sentence, exit 2, no trace."""

import os
import shutil
from pathlib import Path

import pytest
from tests.embedded.stranger import Person
from tests.embedded.test_not_its_own import root_only


def spoil(path: Path, how: str) -> None:
    """Put something else where keywright.toml is."""
    path.unlink()
    match how:
        case "folder":
            path.mkdir()
        case "binary":
            path.write_bytes(bytes(range(256)) * 4)
        case "huge":
            path.write_bytes(b"# padding\n" * 1_000_000)
        case "device":
            path.symlink_to("/dev/zero")
        case "pipe":
            os.mkfifo(path)
        case "dangling":
            path.symlink_to("nowhere")
        case "latin":
            path.write_bytes("app = 'caf\xe9'\n".encode("latin-1"))


@pytest.mark.parametrize("how", ["folder", "binary", "huge", "device", "pipe", "dangling", "latin"])
def test_wrong_kind_of_file(stranger: Person, how: str) -> None:
    """Law: whatever stands there, the sentence names the file, and nothing is made."""
    spoil(stranger.project / "keywright.toml", how)
    for words in (["up"], ["status"], ["diff"]):
        said = stranger.say(*words)
        assert said.code == 2
        assert said.err.startswith("keywright: ")
        assert "keywright.toml" in said.err
    assert list(stranger.home.iterdir()) == []


@pytest.mark.parametrize("text", [b"", b"\xef\xbb\xbf", b'\xef\xbb\xbfapp = "esab"\r\n', b"\n\n"])
def test_empty_and_bom(stranger: Person, text: bytes) -> None:
    """Law: an empty file and a byte order mark are a profile with the defaults."""
    (stranger.project / "keywright.toml").write_bytes(text)
    said = stranger.say("diff")
    assert said.code == 0, said
    assert "start the server" in said.out


@root_only
def test_unreadable_file(stranger: Person) -> None:
    """Law: a file that may not be read is said to be that."""
    path = stranger.project / "keywright.toml"
    path.chmod(0o000)
    stranger.prefix = ("setpriv", "--inh-caps=-all", "--bounding-set=-all", "--")
    said = stranger.say("up")
    assert (said.code, "cannot be read: Permission denied" in said.err) == (2, True)


def test_folder_removed_under_us(stranger: Person) -> None:
    """Law: in a working directory that is gone there is a sentence; --file still works from there."""
    gone = stranger.root / "gone"
    gone.mkdir()
    file = str(stranger.project / "keywright.toml")
    said = stranger.say_in_removed(gone, "status")
    assert (said.code, "does not exist any more" in said.err) == (2, True)
    gone.mkdir()
    said = stranger.say_in_removed(gone, "-f", file, "status")
    assert said.code == 3


def test_no_home(stranger: Person) -> None:
    """Law: without HOME and XDG_STATE_HOME the hint names both; with one of them it works."""
    for home in (None, "", "relative"):
        environ = {name: value for name, value in stranger.environ.items() if name != "HOME"}
        if home is not None:
            environ["HOME"] = home
        said = stranger.say("up", env=environ)
        assert said.code == 2
        assert "XDG_STATE_HOME" in said.err
    environ = {n: v for n, v in stranger.environ.items() if n != "HOME"}
    stranger.environ = environ | {"XDG_STATE_HOME": str(stranger.root / "state")}
    assert stranger.say("up").code == 0
    assert stranger.say("status").code == 0


def test_home_is_a_file(stranger: Person) -> None:
    """Law: a file where a folder of ours must be is named."""
    shutil.rmtree(stranger.home)
    stranger.home.write_text("")
    said = stranger.say("up")
    assert said.code in (1, 2)
    assert str(stranger.home) in said.err
    assert "hint:" in said.err


def test_home_not_writable(stranger: Person) -> None:
    """Law: a home that may not be written is an error of one sentence with a hint."""
    stranger.home.chmod(0o500)
    if os.geteuid() == 0:
        stranger.prefix = ("setpriv", "--inh-caps=-all", "--bounding-set=-all", "--")
    said = stranger.say("up")
    assert (said.code, "Permission denied" in said.err, "hint:" in said.err) == (1, True, True)
    assert stranger.say("status").code == 3
