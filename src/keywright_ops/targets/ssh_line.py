"""One ssh connection to a host: the shell's channel, and tunnels to its ports beside it.

The first ssh is the master of a shared connection (ControlMaster) whose socket lies in a folder of our own;
whatever else goes to the host goes through it: one TCP connection, one login.
"""

import os
import shutil
import sys
import tempfile
from shlex import quote

from keywright_ops.facts.ssh import parse_ssh_failure
from keywright_ops.model.engine_host import EngineHost
from keywright_ops.targets.shell import BECOME_ROOT, Shell

OPTIONS = (
    *("-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=3"),
    *("-o", "ForwardAgent=no", "-o", "ForwardX11=no"),
)
LONGEST_SOCKET = 80  # a unix socket's name has at most 104 characters on macOS, and ssh adds 17


class SshLine:
    """A connection to `host`; `key` is the file of the private key, "" for ssh's own choice."""

    def __init__(self, host: EngineHost, key: str = "") -> None:
        self.host = host
        self._key = key
        folder = os.environ.get("XDG_RUNTIME_DIR", "")
        if not os.path.isdir(folder) or len(folder) > LONGEST_SOCKET - 30:
            folder = tempfile.gettempdir()
        if len(folder) > LONGEST_SOCKET - 30:
            folder = "/tmp"  # noqa: S108 - mkdtemp makes a folder of our own in it
        self._folder = tempfile.mkdtemp(prefix="keywright-", dir=folder)
        self._socket = f"{self._folder}/ssh"

    def shell(self) -> Shell:
        """Return the shell there; its ssh is the master of the connection."""
        command = f"sh -c {quote(BECOME_ROOT)}"
        shared = ("-o", "ControlMaster=yes", "-o", f"ControlPath={self._socket}")
        argv = (*self._argv(*shared, "-o", "ControlPersist=no"), "--", command)
        return Shell(argv, self.explain)

    def relay_argv(self, address: str, port: int) -> tuple[str, ...]:
        """Return the program whose input and output are a connection to a port as the host sees it."""
        where = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        return (*self._argv("-S", self._socket, "-o", "ControlMaster=no"), "-W", where)

    def channel_argv(self, *command: str) -> tuple[str, ...]:
        """Return the line that runs a program through the one connection, on a channel of its own."""
        shared = ("-S", self._socket, "-o", "ControlMaster=no")
        return (*self._argv(*shared), "--", " ".join(map(quote, command)))

    def fresh_argv(self, *command: str) -> tuple[str, ...]:
        """Return the line that runs a command over a connection of its own, and asks nobody anything."""
        alone = ("-o", "ControlMaster=no", "-o", "ControlPath=none", "-o", "BatchMode=yes")
        return (*self._argv(*alone), "--", *command)

    def explain(self, said: str) -> tuple[str, str]:
        """Return the sentence and the hint for what ssh printed before it ended."""
        sentence, hint = parse_ssh_failure(said, self.host)
        return sentence, hint.replace("with --key FILE", "in keywright.toml: ssh_key = FILE")

    def _argv(self, *options: str) -> tuple[str, ...]:
        named = ("-i", self._key) if self._key else ()
        port = ("-p", str(self.host.port)) if self.host.port else ()
        # without a terminal nobody could answer
        batch = () if sys.stdin and sys.stdin.isatty() else ("-o", "BatchMode=yes")
        return ("ssh", "-T", *OPTIONS, *batch, *options, *named, *port, self.host.destination)

    def close(self) -> None:
        """Remove the folder of the connection's socket."""
        shutil.rmtree(self._folder, ignore_errors=True)
