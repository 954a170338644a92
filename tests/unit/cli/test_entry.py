"""The entry of the command line: what it refuses, what it lists, what completes it."""

import shutil
import subprocess
import sys

import pytest

from keywright_ops.cli.main import COMMANDS, main


def test_windows_is_refused_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On Windows every command ends with exit code 2 and says what to use instead."""
    monkeypatch.setattr(sys, "platform", "win32")
    assert main(["up"]) == 2
    assert "Windows is not supported: use WSL" in capsys.readouterr().err


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """--help names each command with its line, within 80 columns."""
    assert main(["--help"]) == 0
    printed = capsys.readouterr().out
    for name, (_, _, line) in COMMANDS.items():
        assert f"  {name:<11} {line}" in printed
    assert max(map(len, printed.splitlines())) <= 80


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_json(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A command's --help says what it does and offers --json, within 80 columns."""
    assert main([name, "--help"]) == 0
    printed = capsys.readouterr().out
    assert COMMANDS[name][2].split("`")[0][:30] in " ".join(printed.split())
    assert "--json" in printed
    assert max(map(len, printed.splitlines())) <= 80


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_every_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The script for each shell names every command; bash itself accepts its own."""
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert [name for name in COMMANDS if name not in script] == []
    if shell == "bash" and shutil.which("bash"):
        done = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["upp"], 2, "did you mean `keywright up`?"),
        (["up", "--bogus"], 2, "unrecognized arguments: --bogus"),
        (["-e"], 2, "which command?"),
        (["env", "check"], 2, "env check needs a file"),
        (["render", "nothing-like-it", "-e", "prod"], 2, "has no artefact"),
    ],
)
def test_wrong_words_get_a_sentence(
    words: list[str], code: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever mistypes reads one sentence and a hint, and the exit code is 2."""
    assert main(words) == code
    printed = capsys.readouterr().err
    assert sentence in printed
    assert "hint:" in printed or sentence.startswith("which")


def test_a_mistake_of_ours_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unexpected exception shows its kind and place, no traceback and no value; exit code 1."""

    def broken(*_: object) -> None:
        raise ValueError("the password is hunter2")

    monkeypatch.setattr("keywright_ops.actions.explain.explain_key", broken)
    monkeypatch.setattr("keywright_ops.cli.explain.explain_key", broken)
    assert main(["explain", "env.local"]) == 1
    printed = capsys.readouterr().err
    assert "this is a mistake in Keywright: ValueError in test_entry.py, line" in printed
    assert "hunter2" not in printed
    assert "Traceback" not in printed


def test_what_is_said_comes_in_order() -> None:
    """Standard error is not held back until the end, whether Python buffers or not."""
    program = (
        "import sys; from keywright_ops.cli.streams import steady_streams; steady_streams();"
        "print('warning', file=sys.stderr); print('result', flush=True)"
    )
    for buffering in ("", "1"):
        environ = {"PYTHONPATH": "src", "PYTHONUNBUFFERED": buffering}
        done = subprocess.run(
            [sys.executable, "-c", program],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environ,
        )
        assert done.stdout == "warning\nresult\n"
