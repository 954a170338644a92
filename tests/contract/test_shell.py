"""The laws of the shell that a Linux host is asked through, held by every shell that a host may have."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree, which
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from keywright.errors import ApplyError, Unreachable
from keywright.secret import Secret
from keywright_ops.targets.host_files import HostFiles
from keywright_ops.targets.shell import Answer, Shell

# Each once: sh is another name of one of them on most systems.
SHELLS = list(
    {
        os.path.realpath(which(argv[0]) or argv[0]): argv
        for argv in (("bash",), ("dash",), ("busybox", "sh"), ("sh",))
    }.values()
)
HUSH = f"{os.getpid()}-" + "hush-hush-4711-Ω"  # other workers of pytest have their own
FEW = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
needs_proc = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="no /proc here")


@pytest.fixture(params=SHELLS, ids=" ".join)
def shell(request: pytest.FixtureRequest) -> Iterator[Shell]:
    """One open shell of each kind."""
    if which(request.param[0]) is None:
        pytest.skip(f"{request.param[0]} is not installed")
    with Shell(request.param) as opened:
        yield opened


def hold(shell: Shell) -> Path:
    """The folder of what goes in and comes out."""
    return Path(os.fsdecode(shell.script('printf %s "$KEYWRIGHT_HOLD"').output))


WORD = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12) | st.binary(
    max_size=12
).map(lambda raw: os.fsdecode(raw.replace(b"\0", b"")))


@FEW
@given(st.lists(WORD, max_size=5))
@example(["-n", "--", "-e", "", " "])
@example(["it's", '"$(id)"', "`id`", "a\nb\n", "\\", "$HOME", "*", "~", "!!"])
@example(["@SCRIPT@", "@WORDS@", "@INPUT@", "@TOKEN@", "@GONE@", "EOF"])
@example(["表🔑", "\udcff", "\r\n", "\x1b[0m"])
def test_words_arrive_as_they_are(shell: Shell, words: list[str]) -> None:
    """Quotes, newlines, leading dashes, any octets: a script's words are exactly what was given."""
    answer = shell.script(r"""[ "$#" = 0 ] || printf '%s\0' "$@" """, *words)
    assert Answer(0, b"".join(os.fsencode(word) + b"\0" for word in words), b"") == answer


@FEW
@given(st.binary(max_size=300))
@example(b"\0\xff\r\n" * 40)
@example(b"@TOKEN@\n\n")
def test_input_and_output_are_octets(shell: Shell, octets: bytes) -> None:
    """What goes in comes out, on either stream, whatever it is."""
    answer = shell.script("cat; printf x >&2", stdin=octets)
    assert Answer(0, octets, b"x") == answer


def test_ten_megabytes_pass_both_ways(shell: Shell) -> None:
    """Large input and large output neither block nor change; bash reads its script octet by octet."""
    octets = os.urandom(1000) * (500 if shell._argv == ("bash",) else 10_000)
    assert octets == shell.script("cat", stdin=octets).output
    answer = shell.script("head -c 10000000 /dev/zero >&2; printf end")
    assert (b"end", 10_000_000) == (answer.output, len(answer.errors))


def test_a_program_is_run_and_not_a_word_of_the_shell(shell: Shell) -> None:
    """Names that shells know themselves are programs; one that is not there is 127, and a refusal."""
    assert "a\\tb\n" == shell.run(("echo", "a\\tb")).output
    assert 127 == shell.run(("exit", "3")).code
    assert 127 == shell.run(("no-such-program-anywhere",)).code
    with pytest.raises(ApplyError, match=r"^cannot run no-such-program-anywhere: .*not found$"):
        HostFiles(shell, ()).run(("no-such-program-anywhere",))
    with pytest.raises(ApplyError, match="zero octet"):
        shell.run(("echo", "a\0b"))


def test_codes_and_signals_are_told(shell: Shell) -> None:
    """A script's exit code is its own; a program that a signal ended has 128 more."""
    assert [0, 1, 7, 255] == [shell.script(f"exit {code}").code for code in (0, 1, 7, 255)]
    assert 137 == shell.run(("sh", "-c", "kill -9 $$")).code


def test_what_a_script_does_to_its_shell_is_forgotten(shell: Shell) -> None:
    """Folder, variables, traps and options of one script are not the next one's; nor is its input."""
    shell.script('cd /; left=here; set -eu; set -f; trap "echo trap" EXIT; exec >/dev/null')
    answer = shell.script(
        'cat; printf "%s" "${left-nothing}"; [ "$PWD" = / ] || printf " elsewhere"'
    )
    assert (0, b"nothing elsewhere") == answer[:2]
    assert b"" == shell.script("cat").output


def test_output_that_looks_like_the_shells_own_is_output(shell: Shell) -> None:
    """Not even the token, which nobody else knows, ends an answer early."""
    token = shell._token
    text = f"{token} 0 3 0\nabc{token} 0 0 0\n"
    answer = shell.script('printf %s "$1"; printf %s "$1" >&2', text)
    assert Answer(0, text.encode(), text.encode()) == answer
    assert b"next" == shell.script("printf next").output


# --- secrets ------------------------------------------------------------------------------------


class Watch(threading.Thread):
    """Looks at the arguments and environments of all processes, again and again, for a text."""

    def __init__(self, text: str) -> None:
        super().__init__(daemon=True)
        self.text, self.found, self.looks, self.end = text.encode(), set[str](), 0, False

    def run(self) -> None:
        while not self.end:
            self.look()

    def look(self) -> None:
        """Look once."""
        for name in os.listdir("/proc"):
            for what in ("cmdline", "environ") if name.isdigit() else ():
                try:
                    with open(f"/proc/{name}/{what}", "rb") as file:
                        if self.text in file.read():
                            self.found.add(what)
                except OSError:
                    pass  # it has ended, or is another's
        self.looks += 1


@needs_proc
def test_what_is_secret_is_never_an_argument(shell: Shell, tmp_path: Path) -> None:
    """While programs run with a secret on their input no process has it as argument or variable."""
    shell.script("true")
    watch = Watch(HUSH)
    watch.start()
    for _ in range(2):
        done = shell.run(("sh", "-c", "sleep 0.1; cat"), Secret(HUSH))
        assert HUSH == done.output
        HostFiles(shell, ()).write(f"{tmp_path}/file", HUSH.encode(), 0o600)
    watch.end = True
    watch.join()
    assert (set(), True) == (watch.found, watch.looks > 2)


@needs_proc
def test_the_watch_would_have_seen_it() -> None:
    """An argument is seen by the watch of the test above."""
    watch = Watch(HUSH)
    with Shell(("sh",)) as shell:
        watch.start()
        shell.run(("sh", "-c", "sleep 0.3", HUSH))
    watch.end = True
    watch.join()
    assert {"cmdline"} == watch.found


def test_what_it_keeps_is_its_accounts_alone(shell: Shell) -> None:
    """While a program runs, its input lies in no file any more, and no other account reads the rest."""
    folder = hold(shell)
    seen: dict[str, Any] = {}

    def look() -> None:
        time.sleep(0.15)
        seen["modes"] = {each.name: each.stat().st_mode & 0o777 for each in folder.iterdir()}
        seen["folder"] = folder.stat().st_mode & 0o777
        seen["texts"] = b"".join(each.read_bytes() for each in folder.iterdir())

    other = threading.Thread(target=look)
    other.start()
    shell.script("sleep 0.4; cat >/dev/null; printf out", stdin=Secret(HUSH))
    other.join()
    assert {"o": 0o600, "e": 0o600} == seen["modes"]
    assert (0o700, b"") == (seen["folder"], seen["texts"])


def test_nothing_is_left_when_it_is_closed(shell: Shell) -> None:
    """The folder goes with the shell; closing twice is fine."""
    folder = hold(shell)
    process = shell._process
    assert process is not None
    assert folder.is_dir()
    shell.close()
    shell.close()
    assert (False, True) == (folder.exists(), process.poll() is not None)


# --- losing it ----------------------------------------------------------------------------------


def test_a_shell_that_is_killed_is_unreachable_and_another_is_started(shell: Shell) -> None:
    """The script that was under way is lost, and said so; the next one has a shell of its own."""
    for _ in range(2):
        before = hold(shell)
        with pytest.raises(Unreachable, match=r"^the shell ended: it gave no reason$"):
            shell.script("kill -9 $$; sleep 0.1")
        rmtree(before)  # a shell that is killed so leaves it, without any input
    assert b"again" == shell.script("printf again").output


def test_a_program_that_takes_too_long_is_ended_with_all_it_began(shell: Shell) -> None:
    """After the limit neither the program nor the folder is there; the next script works."""
    folder = hold(shell)
    begun = time.monotonic()
    with pytest.raises(ApplyError, match=r"^it was not done within 0 s$"):
        shell.run(("sh", "-c", "sleep 4711 & wait", HUSH), timeout=0.3)
    assert time.monotonic() - begun < 4
    left = Watch(HUSH)
    if os.path.isdir("/proc/self"):
        left.look()
    assert (set(), False) == (left.found, folder.exists())
    assert b"next" == shell.script("printf next").output


def test_two_who_ask_at_once_get_their_own_answers(shell: Shell) -> None:
    """One answer is waited for at a time, whoever asks."""
    found: dict[int, bytes] = {}

    def ask(number: int) -> None:
        found[number] = shell.script('sleep 0.0"$1"; printf %s "$1"', str(number)).output

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert {number: str(number).encode() for number in range(6)} == found


def test_each_loss_has_its_own_reason(tmp_path: Path) -> None:
    """What an earlier shell complained of is not said of the next one."""
    (tmp_path / "n").write_text("0")
    begin = 'read n < "$0"; echo "words $n" >&2; echo "$((n + 1))" > "$0"; exec sh'
    said: list[str] = []

    def explain(text: str) -> tuple[str, str]:
        said.append(text)
        return "lost", "hint"

    with Shell(("sh", "-c", begin, str(tmp_path / "n")), explain) as shell:
        for _ in range(2):
            before = hold(shell)
            with pytest.raises(Unreachable, match="lost") as caught:
                shell.script("kill -9 $$")
            rmtree(before)
            assert "hint" == caught.value.hint
    assert ["words 0\n", "words 1\n"] == said


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (("no-such-shell-anywhere",), "no-such-shell-anywhere cannot be started: No such file"),
        (("sh", "-c", "echo first >&2; echo no way >&2; exit 1"), "the shell ended: no way"),
        (("true",), "the shell ended: it gave no reason"),
        (("sh", "-c", "yes | head -n 300; exec cat"), "the shell ended: it gave no reason"),
    ],
)
def test_what_is_no_shell_is_unreachable(argv: tuple[str, ...], sentence: str) -> None:
    """A program that cannot be started, ends at once, or only talks: one sentence, its last words."""
    with Shell(argv) as shell, pytest.raises(Unreachable) as caught:
        shell.script("true")
    assert str(caught.value).startswith(sentence)


def test_what_a_login_prints_is_passed_over() -> None:
    """A greeting before the shell answers is nobody's output; why root is not had is told."""
    with Shell(("sh", "-c", "echo welcome; echo; echo to this host; exec sh")) as shell:
        assert b"mine" == shell.script("printf mine").output
        assert ("", os.geteuid() == 0) == (shell.why_not_root, shell.root)
    with Shell(("env", "KEYWRIGHT_WHY=sudo: a password is required", "sh")) as shell:
        assert "sudo: a password is required" == shell.why_not_root
