"""A program whose standard input and output are the connection, as OpenSSH's ProxyCommand.

Rule: the program lives as long as its connection and no longer. It is told to end by the end of its
input, then by a signal, and it is always waited for, so that no zombie is left; when this process is
killed, the kernel closes the connection and the program reads the end of its input.
"""

import socket
import subprocess
from collections.abc import Sequence
from tempfile import TemporaryFile

from keywright.errors import Unreachable

PATIENCE = 1.0  # seconds for a program to end by itself, and again after SIGTERM
LONGEST = 200  # characters of what it said that go into a sentence


class Relay:
    """A running program; `link` is our end of the connection.

    Raises Unreachable when the program cannot be started.
    """

    def __init__(self, argv: Sequence[str]) -> None:
        self._argv = argv
        self.link, theirs = socket.socketpair()
        # A file, not a pipe: a program that says more than a pipe holds would stop.
        self._said = TemporaryFile()  # noqa: SIM115 - it lives as long as the program
        try:
            # A session of its own: Ctrl-C at the terminal is for us to answer, not for it.
            self._process = subprocess.Popen(
                argv,
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=self._said,
                start_new_session=True,
            )
        except OSError as error:
            self.link.close()
            self._said.close()
            why = "is not there" if isinstance(error, FileNotFoundError) else "cannot be started"
            raise Unreachable(
                f"the program {argv[0]!r}, which leads to the server, {why}",
                f"is it installed, and on PATH? ({error.strerror})",
            ) from None
        finally:
            theirs.close()

    def last_words(self) -> str:
        """Return the last line that the program wrote to its standard error, "" for none.

        Meant for a connection that is over: waits for the program's end, at most PATIENCE seconds.
        """
        if self._said.closed:
            return ""
        self._wait()
        self._said.seek(0, 2)
        self._said.seek(max(0, self._said.tell() - 4096))
        lines = self._said.read().decode("utf-8", "replace").split("\n")
        said = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return "".join(letter if letter.isprintable() else " " for letter in said)[:LONGEST]

    def close(self) -> None:
        """End the connection and the program, and wait for it; closing twice is fine."""
        if self._said.closed:
            return
        try:
            self.link.shutdown(socket.SHUT_RDWR)  # its input ends even if a fork of us holds a copy
        except OSError:
            pass  # the program ended first, or TLS took the socket over and closed it
        self.link.close()
        if self._process.poll() is None:
            self._process.terminate()
            if not self._wait():
                self._process.kill()
                self._process.wait()
        self._said.close()

    def _wait(self) -> bool:
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            return False
        return True

    def __del__(self) -> None:
        if hasattr(self, "_process"):
            self.close()
