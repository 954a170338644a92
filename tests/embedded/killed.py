"""A machine of its own for `keywright up` on the real engine, and a way to kill it at any boundary."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from keywright.endpoint import Endpoint
from keywright.errors import KeywrightError
from keywright.secret import Secret
from keywright.wire import Wire
from keywright_ops.actions.place import find_place
from keywright_ops.actions.up import Ask, up
from keywright_ops.apply import apply
from keywright_ops.model.proof import Outcome
from keywright_ops.model.step import Step

SOURCE = str(Path(__file__).parents[2] / "src")


class Machine(NamedTuple):
    """A home directory and a project folder below `root`, which has a short path."""

    root: Path

    @property
    def toml(self) -> Path:
        """The project's keywright.toml."""
        return self.root / "project" / "keywright.toml"

    @property
    def environ(self) -> dict[str, str]:
        """What a person's shell would have set."""
        return {"HOME": str(self.root), "PATH": os.environ["PATH"], "PYTHONPATH": SOURCE}

    @property
    def home(self) -> Path:
        """The folder of the environment `local`."""
        return Path(find_place(str(self.toml), self.environ).home("local"))

    def declare(self, text: str) -> None:
        """Write keywright.toml."""
        self.toml.parent.mkdir(parents=True, exist_ok=True)
        self.toml.write_text(f'app = "killed"\n[env.local]\n{text}')

    def keywright(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run the command as a person does, in a process of its own."""
        return subprocess.run(
            (sys.executable, "-m", "keywright_ops", *words),
            cwd=self.toml.parent,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def up(self, why: str = "") -> dict[str, Any]:
        """`keywright up` must end well with every proof passed; its report."""
        done = self.keywright("up", "--json", "--yes")
        assert done.returncode == 0, f"{why}\n{done.stdout}\n{done.stderr}\n{self.last_log()}"
        report: dict[str, Any] = json.loads(done.stdout)
        failed = [each for each in report["proofs"] if each["verdict"] != "passed"]
        assert not failed, f"{why}\n{failed}\n{self.last_log()}"
        return report

    def last_log(self) -> str:
        """The end of what the server and the journal say, for whoever must find out."""
        found = [self.home / "server.log", self.home / "journal.jsonl"]
        return "\n".join(path.read_text()[-2500:] for path in found if path.exists())

    def vault(self) -> dict[str, str]:
        """The secrets that are kept; {} before the vault is written."""
        path = self.home / "vault.json"
        return json.loads(path.read_text())["secrets"] if path.exists() else {}

    def servers(self) -> list[int]:
        """The processes whose command line names this machine's folder."""
        found = []
        for name in os.listdir("/proc"):
            try:
                command = Path(f"/proc/{name}/cmdline").read_bytes() if name.isdigit() else b""
            except OSError:
                continue
            if f"{self.home}/redis.conf".encode() in command.split(b"\0"):
                found.append(int(name))
        return found

    def end_servers(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Signal every server of this machine and wait until none is left."""
        for pid in self.servers():
            os.kill(pid, how)
        deadline = time.monotonic() + 10
        while self.servers():
            assert time.monotonic() < deadline, "a server does not end"
            time.sleep(0.002)

    def call(self, port: int, *words: str) -> Any:
        """Send one command as the administrator."""
        secret = Secret(self.vault()["admin"])
        with Wire(Endpoint(host="127.0.0.1", port=port, username="admin", password=secret)) as wire:
            return wire.call(*words)

    def start_by_hand(self, program: str, port: int) -> None:
        """Start the server as it was configured, without Keywright, and wait until it answers."""
        conf = str(self.home / "redis.conf")
        subprocess.Popen(
            (program, conf), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True, cwd=self.home,
        )  # fmt: skip
        deadline = time.monotonic() + 10
        while True:
            try:
                assert self.call(port, "PING") == "PONG"
                return
            except KeywrightError:
                assert time.monotonic() < deadline, "the server does not come up"
                time.sleep(0.002)


def killed_up(machine: Machine, boundary: int, deed: Callable[[Ask], object] = up) -> str:
    """Run the real `up`, or another deed, in a process that kills itself with SIGKILL at this boundary.

    Boundaries are counted over everything that is told (begin, doing, done of each step, each proof)
    and the moment after each effect, before the journal says "done"; for other deeds than `up` also
    before everything that makes a file last or go. Returns the boundary's name,
    or "" when `up` ended before it.
    """
    return killed_deed(machine.environ, machine.toml, boundary, deed, every_write=deed is not up)


def killed_deed(
    environ: Mapping[str, str],
    toml: Path,
    boundary: int,
    deed: Callable[[Ask], object],
    every_write: bool = False,
) -> str:
    """The same for whoever has this environment and this file; `every_write` counts those moments too."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        _run_and_die(environ, toml, boundary, write, deed, every_write)
    os.close(write)
    with os.fdopen(read) as pipe:
        name = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return name
    assert os.waitstatus_to_exitcode(status) == 0, name
    return ""


def _run_and_die(
    environ: Mapping[str, str],
    toml: Path,
    boundary: int,
    pipe: int,
    deed: Callable[[Ask], object],
    every_write: bool,
) -> None:
    """In the child: never returns."""
    count = -1

    def pass_by(name: str) -> None:
        nonlocal count
        count += 1
        if count == boundary:
            os.write(pipe, name.encode())
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(10)

    def watch(event: str, step: Step) -> None:
        pass_by(f"{event} {step.id}")

    def proved(outcome: Outcome) -> None:
        pass_by(f"proved {outcome.proof.id}")

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*words: Any, **more: Any) -> Any:
            pass_by(f"before {real.__name__}")
            return real(*words, **more)

        return call

    if every_write:  # what a copy consists of: every moment at which something becomes lasting
        os.fsync, os.rename = counted(os.fsync), counted(os.rename)
        os.unlink, os.rmdir = counted(os.unlink), counted(os.rmdir)
    real: Callable[..., None] = apply._do

    def do(doing: Any, shop: Any) -> None:
        real(doing, shop)
        pass_by(f"after the effect of {type(doing).__name__}")

    apply._do = do
    try:
        known = dict(environ)
        os.environ.clear()
        os.environ.update(known)
        deed(Ask(str(toml), None, environ, watch, proved, lambda steps: True))
    except BaseException as error:  # noqa: BLE001 - a forked child must never return
        os.write(pipe, f"{type(error).__name__}: {error}".encode())
        os._exit(1)
    os._exit(0)
