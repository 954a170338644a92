"""Pipes that close, full disks behind `>`, closed descriptors, poor locales: the work is finished."""

import os
import subprocess

import pytest
from tests.embedded.stranger import Person, on_terminal


def shell(person: Person, line: str, **environ: str) -> "subprocess.CompletedProcess[bytes]":
    """Run a line of shell with `kw` as the program."""
    words = " ".join(f"'{word}'" for word in person.program)
    done = subprocess.run(
        ["bash", "-c", f"kw() {{ {words} \"$@\"; }}; {line}"],
        cwd=person.project, env=person.environ | environ, capture_output=True, timeout=60,
    )  # fmt: skip
    assert b"Traceback" not in done.stdout + done.stderr, done
    assert b"Exception ignored" not in done.stderr, done
    return done


@pytest.mark.parametrize(
    "line",
    [
        "kw up | true; exit ${PIPESTATUS[0]}",
        "kw up | head -1; exit ${PIPESTATUS[0]}",
        "kw up >&-",
        "kw up 2>&-",
        "kw up <&-",
        "kw up <&- >&- 2>&-",
        "kw up 2>&1 >/dev/null | true; exit ${PIPESTATUS[0]}",
    ],
)
def test_up_is_finished(stranger: Person, line: str) -> None:
    """Law: whoever stops listening does not stop the change: exit 0, and all is done and proven."""
    assert shell(stranger, line).returncode == 0
    assert "nothing to do" in stranger.say("up").out


@pytest.mark.parametrize(
    "verb", ["up", "status", "check", "env", "info", "render", "diff", "--help"]
)
def test_output_into_a_full_disk(neighbour: Person, verb: str) -> None:
    """Law: what could not be written is an error (1), for nobody may take it for written."""
    done = shell(neighbour, f"kw {verb} > /dev/full")
    assert done.returncode == 1, done
    assert b"cannot write the output: No space left on device" in done.stderr


def test_half_read_info(neighbour: Person) -> None:
    """Law: `keywright info | head` is no error."""
    assert shell(neighbour, "kw info | head -2; exit ${PIPESTATUS[0]}").returncode == 0


@pytest.mark.parametrize(
    "environ",
    [
        {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "latin-1"},
        {"PYTHONIOENCODING": "cp1252"},
    ],
)
def test_poor_locale(neighbour: Person, environ: dict[str, str]) -> None:
    """Law: a stream that cannot say ✓ says +, and a failed proof is never taken for an unknown one."""
    for verb in ("up", "status", "compare"):
        done = shell(neighbour, f"kw {verb}", **environ)
        assert done.returncode == 0, done
    text = shell(neighbour, "kw check", **environ).stdout
    assert b"  + every declared setting is live" in text
    text.decode(environ.get("PYTHONIOENCODING", "ascii"))


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colour(neighbour: Person, environ: dict[str, str]) -> None:
    """Law: NO_COLOR and TERM=dumb get no escape sequence even on a terminal."""
    before = dict(neighbour.environ)
    neighbour.environ |= {"TERM": "xterm"}
    _, screen = on_terminal(neighbour, "check", answers={})
    assert "\033[" in screen
    neighbour.environ |= environ
    _, screen = on_terminal(neighbour, "check", answers={})
    assert "\033[" not in screen
    neighbour.environ = before


def test_eighty_columns(neighbour: Person) -> None:
    """Law: no line of check and status is wider than 80 columns (a path may be)."""
    for verb in ("check", "status", "diff"):
        for line in neighbour.say(verb).out.splitlines():
            assert len(line) <= 80 or "/" in line, line


def test_wrong_words(neighbour: Person) -> None:
    """Law: a wrong word is exit 2 with the nearest right one."""
    for words in (["upp"], ["up", "--jsn"], ["-e", "nowhere", "up"], [], ["check", "x"]):
        said = neighbour.say(*words)
        assert said.code == 2, words
    assert "did you mean `keywright up`" in neighbour.say("upp").err
    assert os.path.exists(neighbour.state)
