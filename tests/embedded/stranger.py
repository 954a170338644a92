"""A stranger at the command line: a home and a project of their own, and the real program in a subprocess.

Whatever is said, three things are held every time: no traceback, no secret of the vault, and after an
error a sentence that begins with `keywright:`.
"""

import json
import os
import pty
import select
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.ports import free_port

from keywright.endpoint import Endpoint
from keywright.secret import Secret
from keywright.wire import Wire

SRC = Path(__file__).resolve().parents[2] / "src"
PROGRAM = (sys.executable, "-m", "keywright_ops")
PATIENCE = 60  # seconds for one command; none of them needs more than a few


class Said(NamedTuple):
    """What a command answered: its exit code and both streams."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Both streams, for whoever looks for a word."""
        return self.out + self.err


class Person:
    """Somebody with a home and a project in `root`; `settings` are lines of [env.local]."""

    patience: float = PATIENCE

    def __init__(self, root: Path, *settings: str, top: str = "", more: str = "") -> None:
        self.root, self.home, self.project = root, root / "home", root / "project"
        self.home.mkdir(parents=True)
        self.project.mkdir()
        self.port = free_port()
        self.environ = {
            "HOME": str(self.home),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join((str(SRC), *libraries())),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LANG": "C.UTF-8",
        }
        self.prefix: tuple[
            str, ...
        ] = ()  # how the program is started: `setpriv …` for another user
        self.program: tuple[str, ...] = PROGRAM
        self.declare(*settings, top=top, more=more)

    def declare(self, *settings: str, top: str = "", more: str = "") -> None:
        """Write keywright.toml anew; the port stays this person's own unless a line names one."""
        port = () if any(line.startswith("port") for line in settings) else (f"port = {self.port}",)
        text = "\n".join((top, "[env.local]", *port, *settings, more))
        (self.project / "keywright.toml").write_text(text)

    def start(self, *words: str, **more: object) -> "subprocess.Popen[str]":
        """Start the program and leave it running."""
        options = {"cwd": self.project, "env": self.environ, "stdin": subprocess.DEVNULL}
        options |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen((*self.prefix, *self.program, *words), **(options | more))  # type: ignore[call-overload,no-any-return]

    def say(self, *words: str, **more: object) -> Said:
        """Run one command to its end, and hold what holds for all of them."""
        environ = self.environ | more.pop("environ", {})  # type: ignore[operator]
        typed = more.pop("typed", None)
        if typed is not None:
            more["stdin"] = subprocess.PIPE
        child = self.start(*words, **({"env": environ} | more))
        try:
            out, err = child.communicate(typed, timeout=self.patience)  # type: ignore[arg-type]
        except subprocess.TimeoutExpired:
            child.kill()
            raise
        said = Said(child.returncode, out or "", err or "")
        self.judge(words, said)
        return said

    def run(self, *argv: str) -> Said:
        """Run any program where this person is, with their environment, in the project's folder."""
        done = subprocess.run(
            (*self.prefix, *argv),
            cwd=self.project,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=self.patience,
            stdin=subprocess.DEVNULL,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def say_in_removed(self, folder: Path, *words: str) -> Said:
        """Run one command in a working directory that is removed before it looks."""
        argv = " ".join(shlex.quote(word) for word in (*self.program, *words))
        done = subprocess.run(
            ["sh", "-c", f'rmdir "$PWD"; exec {argv}'],
            cwd=folder, env=self.environ, capture_output=True, text=True, timeout=PATIENCE,
        )  # fmt: skip
        said = Said(done.returncode, done.stdout, done.stderr)
        self.judge(words, said)
        return said

    def judge(self, words: Sequence[str], said: Said) -> None:
        """No traceback, no secret, and an error is a sentence."""
        assert "Traceback" not in said.text, f"{words}: {said.text}"
        assert said.code in (0, 1, 2, 3, 4), f"{words}: {said}"
        if "--reveal" not in words:
            leaked = [name for name, secret in self.secrets.items() if str(secret) in said.text]
            assert not leaked, f"{words} printed the secret of {leaked}"

    @property
    def state(self) -> Path:
        """The folder of the environment `local`, once there is one."""
        return self.state_of("local")

    def state_of(self, environment: str) -> Path:
        """The folder of one environment."""
        root = self.environ.get("XDG_STATE_HOME", f"{self.environ['HOME']}/.local/state")
        found = list(Path(root).glob(f"keywright/*/{environment}"))
        assert len(found) == 1, found
        return found[0]

    @property
    def secrets(self) -> dict[str, str]:
        """Every secret of every vault of this person."""
        found: dict[str, str] = {}
        root = Path(
            self.environ.get("XDG_STATE_HOME", f"{self.environ.get('HOME', '')}/.local/state")
        )
        for path in root.glob("keywright/*/*/vault.json"):
            try:
                kept = json.loads(path.read_text())
                found |= kept["secrets"]
                found |= {
                    f"{name} other": turn["other"] for name, turn in kept.get("turns", {}).items()
                }
            except (OSError, ValueError, TypeError):
                continue
        return found

    def wire(self, user: str = "admin", port: int = 0) -> Wire:
        """A connection to the server, logged in."""
        password = Secret(self.secrets[user])
        return Wire(Endpoint(port=port or self.port, username=user, password=password, timeout=30))

    def ask(self, *words: str, user: str = "admin", port: int = 0) -> object:
        """Ask the server one thing."""
        with self.wire(user, port) as wire:
            return wire.call(*words)

    def fill(self, count: int, size: int = 10, database: int = 0) -> None:
        """Write so many keys of so many bytes."""
        with self.wire() as wire:
            wire.call("SELECT", database)
            for first in range(0, count, 1000):
                keys = range(first, min(first + 1000, count))
                wire.batch([("SET", f"esabcfg:fill:{key}", "x" * size) for key in keys])

    def info(self, port: int = 0) -> dict[str, str]:
        """The server's INFO everything."""
        text = str(self.ask("INFO", "everything", port=port))
        return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)

    def identity(self) -> tuple[str, str]:
        """Which server process answers: the same before and after means that nothing restarted."""
        info = self.info()
        return info["process_id"], info["run_id"]

    def pids(self) -> list[int]:
        """Every server whose configuration lies under this person's root or state."""
        mine = (f"{self.root}/", f"{self.environ.get('XDG_STATE_HOME', self.root)}/")
        return [pid for pid, argv in processes() if argv[1:2] and argv[1].startswith(mine)]

    def leave(self) -> None:
        """End every server of this person, by its own pid."""
        for pid in self.pids():
            end(pid)


def libraries() -> list[str]:
    """Where the packages lie that the program needs, for an interpreter outside the venv."""
    return [folder for folder in sys.path if folder.endswith("site-packages")]


def processes() -> Iterator[tuple[int, list[str]]]:
    """Every process of this machine with its argv (a zombie has none)."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                raw = Path(f"/proc/{name}/cmdline").read_bytes()
            except OSError:
                continue
            yield int(name), raw.decode("utf-8", "surrogateescape").split("\0")[:-1]


def alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def children(pid: int) -> list[int]:
    """The processes whose parent this one is."""
    found = []
    for other, _ in processes():
        try:
            stat = Path(f"/proc/{other}/stat").read_text()
        except OSError:
            continue
        if stat.rpartition(")")[2].split()[1] == str(pid):
            found.append(other)
    return found


def end(pid: int) -> None:
    """End a process that a test started, and wait until it is gone."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    await_true(lambda: not alive(pid), f"process {pid} ends")


def await_true(question: Callable[[], object], what: str, limit: float = 10.0) -> None:
    """Ask again and again until it is so."""
    deadline = time.monotonic() + limit
    while not question():
        assert time.monotonic() < deadline, f"within {limit} s it was not so: {what}"
        time.sleep(0.01)


def on_terminal(person: Person, *words: str, answers: Mapping[str, str]) -> tuple[int, str]:
    """Run a command on a terminal of its own and type an answer when its question appears."""
    code, screen = 0, ""
    leader, follower = pty.openpty()
    child = person.start(*words, stdin=follower, stdout=follower, stderr=follower, text=False)
    os.close(follower)
    waiting = dict(answers)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if select.select([leader], [], [], 0.05)[0]:
            try:
                screen += os.read(leader, 65536).decode("utf-8", "replace")
            except OSError:  # the other side has gone
                break
        for question in [each for each in waiting if each in screen]:
            os.write(leader, f"{waiting.pop(question)}\n".encode())
    os.close(leader)
    code = child.wait(PATIENCE)
    person.judge(words, Said(code, screen, ""))
    return code, screen
