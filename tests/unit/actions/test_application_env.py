"""The application's .env may be the developer's own: nothing of theirs is lost, nothing is told."""

import os
import subprocess
from pathlib import Path

import pytest
from tests.unit.steps.states import facts_of

from keywright.errors import InputError
from keywright_ops.actions.application_env import dotenv_warnings, git_warnings
from keywright_ops.actions.declared import declare
from keywright_ops.actions.environment import Opened, open_environment
from keywright_ops.model.artefact import WholeFile
from keywright_ops.model.step import FileIs
from keywright_ops.render.dotenv_lines import begin_mark
from keywright_ops.steps.files import digest, write

NAMED = "src/backend/.env"
PASSWORD = "a-password-of-theirs"  # noqa: S105 - nobody's


def opened(folder: Path, environment: str = "dev") -> Opened:
    """Open a Docker environment of a project that lies in a folder; no engine is asked."""
    file = folder / "keywright.toml"
    file.write_text('app = "shop"\n')
    environ = {"HOME": str(folder / "home"), "REDIS_PASSWORD": PASSWORD}
    (folder / "home").mkdir(exist_ok=True)
    return open_environment(str(file), environment, environ)


def put(folder: Path, content: bytes, mode: int = 0o644) -> Path:
    """The developer writes a .env."""
    path = folder / NAMED
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)
    return path


def declared(folder: Path, environment: str = "dev") -> WholeFile:
    """What Keywright would have there."""
    everything = declare(opened(folder, environment)).files
    return next(each for each in everything if each.path.endswith("env"))


def settle(folder: Path, environment: str = "dev") -> WholeFile:
    """Write it, as a step does."""
    file = declared(folder, environment)
    octets = file.text().encode("utf-8", "surrogateescape")
    opened(folder).target.transport.write(file.path, octets, file.mode)
    return file


@pytest.mark.parametrize(
    "content",
    [b"A=1\r\nB=2", b"", b"\n", b"\xff\xfeA", b"# only a note\n", b"caf\xe9=\xc3\xa9\n", b"A='x\n"],
)
def test_no_octet_of_theirs_is_lost(tmp_path: Path, content: bytes) -> None:
    """What stood in the file stands at its beginning, and a second time nothing changes."""
    path = put(tmp_path, content)
    settle(tmp_path)
    once = path.read_bytes()
    assert once.startswith(content)
    assert PASSWORD.encode() in once
    settle(tmp_path)
    assert once == path.read_bytes()


@pytest.mark.parametrize(
    ("before", "expected"), [(0o644, 0o640), (0o600, 0o600), (0o666, 0o660), (0o640, 0o640)]
)
def test_others_cannot_read_the_password(tmp_path: Path, before: int, expected: int) -> None:
    """The file is closed to others as soon as a password stands in it; its group stays."""
    path = put(tmp_path, b"A=1\n", before)
    settle(tmp_path)
    assert expected == path.stat().st_mode & 0o777


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a file to another group")
def test_owner_and_group_stay(tmp_path: Path) -> None:
    """A file that root writes for somebody stays theirs."""
    path = put(tmp_path, b"A=1\n", 0o640)
    os.chown(path, 1234, 4321)
    settle(tmp_path)
    assert (1234, 4321, 0o640) == (
        path.stat().st_uid,
        path.stat().st_gid,
        path.stat().st_mode & 0o777,
    )


def test_a_link_is_followed(tmp_path: Path) -> None:
    """A .env that is a link stays one; what it points to gets the lines."""
    real = tmp_path / "real.env"
    real.write_bytes(b"A=1\n")
    link = tmp_path / NAMED
    link.parent.mkdir(parents=True)
    link.symlink_to(real)
    settle(tmp_path)
    assert link.is_symlink()
    assert real.read_bytes().startswith(b"A=1\n\n" + begin_mark("dev").encode())


def test_a_file_of_ours_is_written_whole(tmp_path: Path) -> None:
    """Without a file, or with one that Keywright wrote, the whole file is ours, and closed."""
    first = settle(tmp_path)
    path = tmp_path / NAMED
    assert ("", 0o600) == (first.made_from, path.stat().st_mode & 0o777)
    path.write_text(path.read_text().replace("REDIS_PORT=6379", "REDIS_PORT=1"))
    assert first == declared(tmp_path)


def test_a_variable_that_is_added_to_our_file_is_kept(tmp_path: Path) -> None:
    """The developer's line makes the file theirs."""
    settle(tmp_path)
    path = tmp_path / NAMED
    path.write_text(path.read_text() + "SECRET_KEY=1\n")
    before = path.read_bytes()
    settle(tmp_path)
    assert path.read_bytes().startswith(before)


def test_one_file_speaks_of_one_environment(tmp_path: Path) -> None:
    """Two environments that name one file do not pile up: the last `up` is what it says."""
    path = put(tmp_path, b"A=1\n")
    settle(tmp_path, "dev")
    settle(tmp_path, "prod")
    assert begin_mark("prod") in path.read_text()
    assert begin_mark("dev") not in path.read_text()


def test_an_edit_in_between_stops_the_step(tmp_path: Path) -> None:
    """The step is bound to the very content that was read: a line added meanwhile is never lost."""
    put(tmp_path, b"A=1\n")
    everything = declare(opened(tmp_path))
    file = next(each for each in everything.files if each.made_from)
    step = write(file, facts_of(everything))
    assert (FileIs(file.path, digest("A=1\n")),) == step.expect


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    """A file in UTF-16, as PowerShell writes it, is named and left alone."""
    path = put(tmp_path, "A=1\n".encode("utf-16"))
    with pytest.raises(InputError, match="not text") as caught:
        declare(opened(tmp_path))
    assert "save it as UTF-8" == caught.value.hint
    assert "A=1\n".encode("utf-16") == path.read_bytes()


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    """What cannot be read is never written."""
    (tmp_path / NAMED).mkdir(parents=True)
    with pytest.raises(InputError, match=r"\.env cannot be read"):
        declare(opened(tmp_path))


def warned(folder: Path) -> list[tuple[str, str]]:
    """The warnings of a file, each as the place and the first words."""
    return [(each.path, each.text) for each in dotenv_warnings(opened(folder))]


def test_the_same_variables_elsewhere_are_named(tmp_path: Path) -> None:
    """A variable of ours outside the marks is named with its line; never its value."""
    path = put(
        tmp_path, b"A=1\nREDIS_HOST=old-secret\nREDIS_PORT=6379\nREDIS_URL=redis://old-secret\n"
    )
    settle(tmp_path)
    with path.open("a") as stream:
        stream.write("REDIS_PASSWORD=old-secret\n")
    last = len(path.read_text().splitlines())
    found = warned(tmp_path)
    places = [f"{NAMED}, line 2", f"{NAMED}, line 4", f"{NAMED}, line {last}"]
    assert places == [place for place, _ in found]
    assert ["REDIS_HOST", "REDIS_URL", "REDIS_PASSWORD"] == [text.split()[0] for _, text in found]
    assert ["later", "planned", "planned"] == [
        next(word for word in ("later", "planned") if word in text) for _, text in found
    ]
    assert "old-secret" not in str(found)
    assert PASSWORD not in str(found)


def test_a_clean_file_gives_no_warning(tmp_path: Path) -> None:
    """Neither a file of ours nor a well-kept one of theirs is worth a word."""
    settle(tmp_path)
    assert [] == warned(tmp_path)
    put(tmp_path, b"DEBUG=1\r\nNAME='x y'\r\n")
    settle(tmp_path)
    assert [] == warned(tmp_path)


def test_lines_that_a_program_cannot_see_are_told(tmp_path: Path) -> None:
    """A quotation mark that is never closed hides what follows from systemd: that is said."""
    put(tmp_path, b'A="never closed\n')
    settle(tmp_path)
    assert any("systemd does not read" in text for _, text in warned(tmp_path))


def test_octets_that_programs_refuse_are_told(tmp_path: Path) -> None:
    """A line that is no UTF-8 is named: some programs refuse the whole file for it."""
    put(tmp_path, b"A=1\nB=caf\xe9\n")
    settle(tmp_path)
    assert any(text.startswith("line 2 of") for _, text in warned(tmp_path))


# --- git ----------------------------------------------------------------------------------------


def git(folder: Path, *words: str) -> None:
    """Run git as a developer of the project."""
    subprocess.run(
        ["git", "-c", "user.name=x", "-c", "user.email=x@y", "-C", str(folder), *words],
        check=True,
        capture_output=True,
    )


def test_git_is_asked_where_there_is_a_work_tree(tmp_path: Path) -> None:
    """A .env that git would take along is named; one that is ignored, or without git, is not."""
    settle(tmp_path)
    assert () == git_warnings(opened(tmp_path))
    git(tmp_path, "init", "-q")
    (warning,) = git_warnings(opened(tmp_path))
    assert (NAMED, True) == (warning.path, "does not ignore" in warning.text)
    (tmp_path / ".gitignore").write_text(".env\n")
    assert () == git_warnings(opened(tmp_path))


def test_a_tracked_file_is_told_even_when_ignored(tmp_path: Path) -> None:
    """What git has once, it keeps, whatever .gitignore says."""
    settle(tmp_path)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-f", NAMED)
    (tmp_path / ".gitignore").write_text(".env\n")
    (warning,) = git_warnings(opened(tmp_path))
    assert "git keeps this file" in warning.text


def test_the_folders_with_secrets_are_ignored_by_git(tmp_path: Path) -> None:
    """`git add .` takes no password along: neither the server's files nor RedisInsight's."""
    everything = declare(opened(tmp_path))
    for file in everything.files:
        if not file.path.startswith(str(tmp_path / "home")):
            opened(tmp_path).target.transport.write(file.path, file.text().encode(), file.mode)
    (tmp_path / NAMED).unlink()
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "deployment")
    done = subprocess.run(
        ["git", "-C", tmp_path, "ls-files"], check=True, capture_output=True, text=True
    )
    assert ["deployment/docker/docker-compose.yml"] == done.stdout.split()
