"""A shell on a host, kept open: every script and program there runs through this one channel.

Rule 1: what is secret goes through the shell's input and into files in a folder of its own, which only its
account can read and which goes with the shell; nothing of it is ever an argument.
Rule 2: a program's output goes to that folder and not to the channel, so that a connection that is lost
does not end apt in the middle by a broken pipe.
"""

import os
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from shlex import quote
from signal import SIGKILL, SIGTERM
from typing import NamedTuple

from keywright.errors import ApplyError, Unreachable
from keywright.secret import Secret
from keywright_ops.targets.target import Completed

PATIENCE = 1.0  # seconds for a shell to end by itself, and again after SIGTERM
NOISE = 200  # lines that a login may print before the shell answers

# Root by the shortest way: as we are, or by sudo where it asks for no password; else as we are, and why.
BECOME_ROOT = r"""
KEYWRIGHT_FROM=${SSH_CONNECTION%% *}; export KEYWRIGHT_FROM
[ "$(id -u)" = 0 ] && exec sh
if KEYWRIGHT_WHY=$(LC_ALL=C sudo -n true 2>&1); then
    exec sudo -n env KEYWRIGHT_FROM="$KEYWRIGHT_FROM" sh
fi
export KEYWRIGHT_WHY; exec sh
"""
# $KEYWRIGHT_HOLD is the folder of what goes in and comes out; in memory where there is /run.
PREAMBLE = r"""
umask 077
KEYWRIGHT_HOLD=$(mktemp -d /run/keywright.XXXXXX 2>/dev/null) ||
    KEYWRIGHT_HOLD=$(mktemp -d "${TMPDIR:-/tmp}/keywright.XXXXXX") || exit 97
trap 'rm -rf "$KEYWRIGHT_HOLD"' EXIT
trap 'exit 1' HUP TERM INT PIPE
printf '\n%s %s %s\n' @TOKEN@ "$(id -u)" "$(printf %s "$KEYWRIGHT_WHY" | head -n 1)"
"""
REQUEST = r"""
( @GONE@set -- @WORDS@
@SCRIPT@
) <@INPUT@ >"$KEYWRIGHT_HOLD/o" 2>"$KEYWRIGHT_HOLD/e"
printf '%s %s %s %s\n' @TOKEN@ "$?" "$(wc -c <"$KEYWRIGHT_HOLD/o")" "$(wc -c <"$KEYWRIGHT_HOLD/e")"
cat "$KEYWRIGHT_HOLD/o" "$KEYWRIGHT_HOLD/e"
"""
INPUT = """base64 -d >"$KEYWRIGHT_HOLD/i" <<'@TOKEN@'
@TEXT@
@TOKEN@
"""
GONE = 'rm -f "$KEYWRIGHT_HOLD/i"; '  # it is open already: whatever is killed from here on leaves no secret


class Answer(NamedTuple):
    """How a script ended, and what it wrote."""

    code: int
    output: bytes
    errors: bytes


Explain = Callable[[str], tuple[str, str]]


def unexplained(said: str) -> tuple[str, str]:
    """Return the sentence and the hint for a shell that ended, from its last words."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return f"the shell ended: {lines[-1] if lines else 'it gave no reason'}", ""


class Shell:
    """One shell that is started by `argv` when it is first needed, and ended by `close`.

    `explain` turns what the program said on its standard error into a sentence and a hint. One
    answer is waited for at a time. Use it as a context manager, or close it.
    """

    def __init__(self, argv: Sequence[str], explain: Explain = unexplained) -> None:
        self._argv = tuple(argv)
        self._explain = explain
        self._token = f"keywright-{os.urandom(16).hex()}"
        self._process: subprocess.Popen[bytes] | None = None
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the shell
        self._turn = threading.RLock()
        self._root = False
        self._why_not_root = ""

    def __enter__(self) -> "Shell":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def root(self) -> bool:
        """Whether it may do everything there."""
        self._running()
        return self._root

    @property
    def why_not_root(self) -> str:
        """What stands between us and root there; "" when nothing does."""
        self._running()
        return self._why_not_root

    def run(
        self, argv: Sequence[str], stdin: bytes | str | Secret = b"", timeout: float | None = None
    ) -> Completed:
        """Run a program there to its end. Raises Unreachable when the shell is lost."""
        answer = self.script('exec "$@"', *argv, stdin=stdin, timeout=timeout)
        output, errors = (
            each.decode("utf-8", "surrogateescape") for each in (answer.output, answer.errors)
        )
        return Completed(answer.code, output, errors)

    def script(
        self,
        text: str,
        *words: str,
        stdin: bytes | str | Secret = b"",
        timeout: float | None = None,
    ) -> Answer:
        """Run a script there in a subshell, with `words` as "$@".

        Raises Unreachable when the shell is lost, ApplyError after `timeout` seconds (the shell is then
        ended; the next call starts another).
        """
        with self._turn:
            process = self._running()
            request = self._request(text, words, _octets(stdin))
            watch = _Watchdog(process, timeout)
            try:
                assert process.stdin is not None
                process.stdin.write(request)
                process.stdin.flush()
                return self._answer(process)
            except (OSError, ValueError):
                self._lost(watch.fired, timeout)
                raise
            finally:
                watch.stop()

    def _request(self, text: str, words: Sequence[str], stdin: bytes) -> bytes:
        if any("\0" in word for word in words):
            raise ApplyError("no argument of a program can hold a zero octet")
        parts = ""
        if stdin:
            from base64 import encodebytes

            parts = INPUT.replace("@TEXT@", encodebytes(stdin).decode().strip())
        source = '"$KEYWRIGHT_HOLD/i"' if stdin else "/dev/null"
        parts += REQUEST.replace("@INPUT@", source).replace("@GONE@", GONE if stdin else "")
        parts = parts.replace("@SCRIPT@", text.strip("\n"))
        parts = parts.replace("@TOKEN@", self._token)
        # last, since a word may look like one of the places above
        parts = parts.replace("@WORDS@", " ".join(map(quote, words)), 1)
        return parts.encode("utf-8", "surrogateescape")

    def _answer(self, process: "subprocess.Popen[bytes]") -> Answer:
        assert process.stdout is not None
        head = process.stdout.readline().decode("ascii", "replace").split()
        if len(head) != 4 or head[0] != self._token:
            raise ValueError("the shell ended, or something else wrote into its output")
        code, wrote, complained = map(int, head[1:])
        output, errors = process.stdout.read(wrote), process.stdout.read(complained)
        if len(output) + len(errors) != wrote + complained:
            raise ValueError("the connection ended in the middle of an answer")
        return Answer(code, output, errors)

    def _running(self) -> "subprocess.Popen[bytes]":
        """The shell, started when it is needed first."""
        with self._turn:
            if self._process is not None:
                return self._process
            self._said.seek(0)
            self._said.truncate()  # what an earlier shell said is not this one's reason
            try:
                self._process = subprocess.Popen(
                    self._argv,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=self._said,
                    start_new_session=True,  # Ctrl-C is ours to answer
                )
            except OSError as error:
                raise Unreachable(
                    f"{self._argv[0]} cannot be started: {error.strerror}", "is it installed?"
                ) from None
            self._greet(self._process)
            return self._process

    def _greet(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(PREAMBLE.replace("@TOKEN@", self._token).encode())
            process.stdin.flush()
            for _ in range(NOISE):
                line = process.stdout.readline()
                if not line:
                    break
                words = line.decode("utf-8", "replace").split(None, 2)
                if words and words[0] == self._token:
                    self._root = words[1] == "0"
                    self._why_not_root = words[2].strip() if len(words) > 2 else ""
                    return
        except OSError:
            pass  # it ended at once: its last words say why
        self._lost(False, None)

    def _lost(self, slow: bool, timeout: float | None) -> None:
        """End what is left of the shell and say why it ended. Raises Unreachable or ApplyError."""
        process = self._process
        assert process is not None
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            pass
        self._end()
        if slow:
            raise ApplyError(f"it was not done within {timeout:.0f} s", "the program was ended")
        self._said.seek(0)
        raise Unreachable(*self._explain(self._said.read().decode("utf-8", "replace")))

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except OSError:
                    pass  # what was not written yet cannot be written any more
        for signal in (None, SIGTERM, SIGKILL):
            if signal is not None:
                process.send_signal(signal)
            try:
                process.wait(PATIENCE)
                return
            except subprocess.TimeoutExpired:
                continue

    def close(self) -> None:
        """End the shell and wait for it; closing twice is fine."""
        with self._turn:
            self._end()
            self._said.close()


class _Watchdog:
    """Kills a program after so many seconds, unless it is stopped before."""

    def __init__(self, process: "subprocess.Popen[bytes]", seconds: float | None) -> None:
        self.fired = False
        self._process = process
        self._timer = threading.Timer(seconds, self._kill) if seconds is not None else None
        if self._timer is not None:
            self._timer.daemon = True
            self._timer.start()

    def _kill(self) -> None:
        """With all that it began: first so that the shell removes its folder, then whatever is left."""
        self.fired = True
        for signal in (SIGTERM, SIGKILL):
            try:
                os.killpg(self._process.pid, signal)
            except OSError:
                return  # all have ended, or are root's
            try:
                self._process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                pass

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


def _octets(stdin: bytes | str | Secret) -> bytes:
    text = stdin.reveal() if isinstance(stdin, Secret) else stdin
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")


def local_shell() -> Shell:
    """Return a shell on this machine, as root where that needs no password."""
    return Shell(("sh", "-c", BECOME_ROOT))
