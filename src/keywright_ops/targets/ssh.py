"""A tunnel: the ssh program, started, watched until its local port is open, and ended."""

import subprocess
import tempfile
import time
from collections.abc import Sequence

from keywright.errors import Unreachable
from keywright_ops.facts.ssh import parse_ssh_failure
from keywright_ops.model.absence import Missing
from keywright_ops.model.engine_host import EngineHost
from keywright_ops.targets.target import Transport

PACE = 0.05  # seconds between looks at ssh and its port
NO_SSH = "ssh is not installed here", "sudo apt-get install openssh-client"


class Tunnel:
    """One ssh with a forwarded port; use it as a context manager.

    ssh asks for passwords and unknown host keys on the terminal itself; without one it fails.
    """

    def __init__(self, argv: Sequence[str], host: EngineHost, port: int) -> None:
        self._argv = argv
        self._host = host
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed on the way out

    def __enter__(self) -> "Tunnel":
        try:
            self._process = subprocess.Popen(
                self._argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
            )
        except OSError:
            raise Unreachable(*NO_SSH) from None
        return self

    def __exit__(self, *_: object) -> None:
        process = self._process
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)
        self._errors.close()

    def wait_open(self, transport: Transport) -> None:
        """Wait until ssh listens on the local port. Raises Unreachable when it ends instead.

        A person may be typing a passphrase, so there is no limit; ssh's own is on the connection.
        """
        while not self._open(transport):
            self._refuse_ended()
            time.sleep(PACE)
        self._refuse_ended()

    def wait_end(self) -> None:
        """Wait until ssh ends, which is always too early. Raises Unreachable."""
        while True:
            self._refuse_ended()
            time.sleep(PACE)

    def _open(self, transport: Transport) -> bool:
        found = transport.listening(self._port)
        return not isinstance(found, Missing) and "127.0.0.1" in found

    def _refuse_ended(self) -> None:
        assert self._process is not None
        if self._process.poll() is None:
            return
        self._errors.seek(0)
        said = self._errors.read().decode("utf-8", "replace")
        raise Unreachable(*parse_ssh_failure(said, self._host))
