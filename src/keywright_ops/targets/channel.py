"""A program whose output is read as it comes, here or over ssh, and which never outlives its reader.

Rule: its standard input is a pipe that we hold. When that ends (`close`, or the end of this process in
whatever way), the program and all that it began end, on the other host too.
"""

import os
import select
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from signal import SIGKILL, SIGTERM

from keywright.errors import KeywrightError, Unreachable
from keywright_ops.targets.shell import unexplained

PATIENCE = 2.0  # seconds for a program to end by itself, and again after SIGTERM
BLOCK = 256 * 1024  # bytes of one read
PIPE = 1 << 20  # bytes that the kernel keeps of what was not read yet
LOST = 255  # ssh's own exit code
F_SETPIPE_SZ = 1031  # Linux; macOS makes a pipe as large as it is needed

# `"$@"` is the program. Over ssh and under our own Popen the group is nobody else's.
GUARD = r"""
exec 3<&0 </dev/null
( while read -r _ <&3; do :; done; kill 0 ) >/dev/null 2>&1 &
KEYWRIGHT_WATCH=$!
"$@" 3<&-
KEYWRIGHT_CODE=$?
kill "$KEYWRIGHT_WATCH" 2>/dev/null
exit "$KEYWRIGHT_CODE"
"""
# As root by the shortest way, else as we are: the same rule as the shell's (shell.BECOME_ROOT).
AS_ROOT = r"""
if [ "$(id -u)" != 0 ] && sudo -n true 2>/dev/null; then exec sudo -n sh -c "$@"; fi
exec sh -c "$@"
"""


def guarded(argv: Sequence[str]) -> tuple[str, ...]:
    """Return the line that runs a program, and ends it with its standard input."""
    return ("sh", "-c", GUARD, "sh", *argv)


def guarded_as_root(argv: Sequence[str]) -> tuple[str, ...]:
    """Return the same, as root where that asks for no password."""
    return ("sh", "-c", AS_ROOT, "sh", GUARD, "sh", *argv)


class Channel:
    """One running program; `argv` is a guarded line. Use it as a context manager, or close it.

    `code` is its exit code once it has ended, and `said` what it wrote on standard error. `explain` makes a
    sentence and a hint of what ssh says when the connection is lost; None where there is no ssh.
    """

    def __init__(
        self, argv: Sequence[str], explain: Callable[[str], tuple[str, str]] | None = None
    ) -> None:
        self._explain = explain
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the channel
        try:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                start_new_session=True,  # a group of its own, and Ctrl-C is ours to answer
            )
        except OSError as error:
            self._said.close()
            raise Unreachable(
                f"{argv[0]} cannot be started: {error.strerror}", "is it installed?"
            ) from None
        assert self._process.stdout is not None
        self._output = self._process.stdout.fileno()
        _widen(self._output)

    def __enter__(self) -> "Channel":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def code(self) -> int:
        """How the program ended; it is waited for."""
        return self._process.wait()

    @property
    def said(self) -> str:
        """What it wrote on standard error."""
        self._said.seek(0)
        return self._said.read().decode("utf-8", "replace")

    def chunks(self, idle: float | None = None) -> Iterator[bytes]:
        """Give the output in chunks of whole lines, to the program's end; b"" after `idle` seconds of
        silence.

        Raises Unreachable when the connection is lost.
        """
        rest = b""
        while True:
            if idle is not None and not select.select((self._output,), (), (), idle)[0]:
                yield b""
                continue
            block = os.read(self._output, BLOCK)
            if not block:
                break
            cut = block.rfind(b"\n") + 1
            if cut:
                yield rest + block[:cut]
                rest = block[cut:]
            else:
                rest += block
        if rest:
            yield rest + b"\n"
        if self._explain is not None and self.code == LOST:
            raise self._lost(self._explain)

    def _lost(self, explain: Callable[[str], tuple[str, str]]) -> KeywrightError:
        said = self.said
        return Unreachable(*(explain(said) if said.strip() else unexplained(said)))

    def close(self) -> None:
        """End the program, if it runs still, and wait for it; closing twice is fine."""
        process = self._process
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
        for signal in (None, SIGTERM, SIGKILL):
            if signal is not None:
                _signal_group(process.pid, signal)
            try:
                process.wait(PATIENCE)
                break
            except subprocess.TimeoutExpired:
                continue
        self._said.close()


def _signal_group(pid: int, signal: int) -> None:
    try:
        os.killpg(pid, signal)
    except OSError:
        return  # all have ended, or are root's


def _widen(pipe: int) -> None:
    """Let the program write further while we look at what it wrote."""
    import sys

    if sys.platform == "linux":
        import fcntl

        try:
            fcntl.fcntl(pipe, F_SETPIPE_SZ, PIPE)
        except OSError:
            return  # the user has many such pipes already: then it is slower
