"""A wire whose connection is a program's input and output: as good as a socket, and gone with it.

The relays: a plain copying program (as `ssh -W` is), and the script that runs inside a container,
under bash and under busybox. Held to real servers; `docker exec` itself is the lab's.
"""

import gc
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.engines.servers import ENGINES, Engine, Server, running
from tests.engines.test_rendered import make_certificates
from tests.ports import free_port

from keywright.endpoint import Endpoint, Tls
from keywright.errors import ConnectionLost, ProtocolError, ReplyError, Unreachable
from keywright.secret import Secret
from keywright.wire import Wire
from keywright_ops.targets.relay import container_relay, port_relay

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc tells what is left running")

COPY = """
import os, socket, sys, threading
link = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
def up():
    while data := os.read(0, 65536):
        link.sendall(data)
    os._exit(0)
threading.Thread(target=up, daemon=True).start()
while data := link.recv(65536):
    os.write(1, data)
"""
Relay = Callable[[int], tuple[str, ...]]


def copying(port: int) -> tuple[str, ...]:
    """A program of its own that copies."""
    return (sys.executable, "-c", COPY, str(port))


@pytest.fixture(params=["a program", "bash", "busybox"])
def relay(request: pytest.FixtureRequest, tmp_path: Path) -> Relay:
    """Each way; under busybox nothing else is on PATH, as in an image of Alpine."""
    if request.param == "a program":
        return copying
    if request.param == "bash":
        return port_relay
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.skip("busybox is not installed")
    for name in ("sh", "nc", "dd"):
        (tmp_path / name).symlink_to(busybox)
    return lambda port: ("env", f"PATH={tmp_path}", *port_relay(port))


def left(port: int) -> list[str]:
    """The processes, zombies too, that a relay to this port started and that are still there."""
    ours = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes().split(b"\0")
            stat = (path / "stat").read_text()
        except OSError:
            continue
        parent = int(stat.rpartition(")")[2].split()[1])
        zombie = stat.rpartition(")")[2].split()[0] == "Z" and parent == os.getpid()
        if zombie or (str(port).encode() in words and b"redis" not in words[0]):
            ours.append(f"{path.name}: {stat[:60]}")
    return ours


def gone(port: int, within: float = 3.0) -> list[str]:
    """What is left after at most so many seconds."""
    limit = time.monotonic() + within
    while (rest := left(port)) and time.monotonic() < limit:
        time.sleep(0.02)
    return rest


def test_a_relay_carries_any_bytes_both_ways(open_server: Server, relay: Relay) -> None:
    """Large values and many commands come through as they are, and nothing stays running."""
    port = open_server.port
    value = bytes(range(256)) * 4096
    with Wire(Endpoint(port=1, relay=relay(port)), "through") as wire:
        assert "OK" == wire.call("SET", "relay", value)
        assert value.decode("utf-8", "surrogateescape") == wire.call("GET", "relay")
        assert ["PONG"] * 500 == wire.batch([("PING",)] * 500)
        assert "name=through" in wire.call("CLIENT", "LIST")
        assert left(port)
    assert [] == gone(port)


def test_a_refused_login_is_the_servers_own_word(open_server: Server, relay: Relay) -> None:
    """The relay got there: what the server says of a wrong password is a ReplyError, and it ends."""
    endpoint = Endpoint(relay=relay(open_server.port), username="nobody", password=Secret("x"))
    with pytest.raises(ReplyError) as caught:
        Wire(endpoint)
    assert "WRONGPASS" == caught.value.code
    assert [] == gone(open_server.port)


@pytest.mark.parametrize("direct", [True, False], ids=["direct", "relay"])
def test_what_a_server_says_before_it_hangs_up_is_told(open_server: Server, direct: bool) -> None:
    """Law: "max number of clients", "protected mode": the reason, and not that it closed the connection."""
    way = () if direct else copying(open_server.port)
    with Wire(Endpoint(port=open_server.port)) as holder:
        holder.call("CONFIG", "SET", "maxclients", "1")
        login = Endpoint(port=open_server.port, relay=way, username="default", password=Secret("x"))
        with pytest.raises(ReplyError, match="max number of clients reached"):
            Wire(login, "some name")


def test_a_relay_ends_when_the_server_hangs_up(open_server: Server, relay: Relay) -> None:
    """The line breaks on the server's side: ConnectionLost at once, and no process is left."""
    wire = Wire(Endpoint(host="shop-redis", port=7, relay=relay(open_server.port)))
    wire.call("PING")
    begun = time.monotonic()
    with pytest.raises(ConnectionLost, match="shop-redis:7"):
        wire.batch([("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no"), ("PING",)])
    assert time.monotonic() - begun < 3
    assert [] == gone(open_server.port)


def test_a_port_where_nobody_listens_is_unreachable(relay: Relay) -> None:
    """The sentence has the address as the person knows it, and the relay's own last words."""
    port = free_port()
    with pytest.raises(
        Unreachable, match=r"^cannot reach shop-redis:6379: .* said: .*efused"
    ) as caught:
        Wire(Endpoint(host="shop-redis", relay=relay(port))).call("PING")
    assert not isinstance(caught.value, ConnectionLost)
    assert caught.value.hint
    assert [] == gone(port)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("sh", "-c", "echo first >&2; echo 'Error: No such container: x' >&2; exit 1"), "x$"),
        (("sh", "-c", "printf '\\033[31mred\\007' >&2"), r"said:  \[31mred $"),
        (("true",), "true ended without a word"),
        (("/no/such/program",), "'/no/such/program', which leads to the server, is not there"),
        (("/",), "'/', which leads to the server, cannot be started"),
    ],
)
def test_a_relay_that_ends_at_once_is_unreachable(argv: tuple[str, ...], said: str) -> None:
    """Its last line is told, without control characters; a program that is not there is named."""
    with pytest.raises(Unreachable, match=said) as caught:
        Wire(Endpoint(host="shop", relay=argv)).call("PING")
    assert caught.value.hint
    assert not caught.value.args[0].endswith(".")


def test_a_relay_that_says_nothing_is_waited_for_no_longer_than_the_time_out() -> None:
    """The time-out of the endpoint holds, also for a program that ignores SIGTERM and the end of
    its input; that one is killed."""
    stubborn = ("sh", "-c", "trap '' TERM; while :; do sleep 0.1; done")
    begun = time.monotonic()
    with pytest.raises(ConnectionLost, match=r"did not answer within 0.3 s"):
        Wire(Endpoint(relay=stubborn, timeout=0.3)).call("PING")
    assert 0.3 <= time.monotonic() - begun < 2.5


def test_a_relay_that_talks_too_much_does_not_stop(open_server: Server) -> None:
    """A megabyte on standard error neither blocks the relay nor reaches a sentence whole."""
    loud = f"yes noise | head -c 1000000 >&2; exec {sys.executable} -c '{COPY}' {open_server.port}"
    with Wire(Endpoint(relay=("sh", "-c", loud))) as wire:
        assert "PONG" == wire.call("PING")
    with pytest.raises(Unreachable) as caught:
        Wire(Endpoint(relay=("sh", "-c", "yes noise | tr -d '\\n' | head -c 1000000 >&2"))).call(
            "PING"
        )
    assert len(str(caught.value)) < 300


def test_rubbish_is_not_the_redis_protocol() -> None:
    """A program that prints a greeting is told from a server."""
    with pytest.raises(ProtocolError, match="does not speak the Redis protocol"):
        Wire(Endpoint(relay=("sh", "-c", "echo hello; sleep 5"))).call("PING")


def test_a_forgotten_wire_takes_its_relay_along(open_server: Server, relay: Relay) -> None:
    """A wire that nobody closed ends its program when it is forgotten."""
    wire = Wire(Endpoint(relay=relay(open_server.port)))
    assert "PONG" == wire.call("PING")
    del wire
    gc.collect()
    assert [] == gone(open_server.port)


def test_a_killed_owner_takes_the_relay_along(open_server: Server, relay: Relay) -> None:
    """SIGKILL of the process that owns the wire: the relay reads the end of its input and ends."""
    owner = (
        "import sys, time; from keywright.endpoint import Endpoint; from keywright.wire import Wire\n"
        "wire = Wire(Endpoint(relay=tuple(sys.argv[1:]))); print(wire.call('PING'), flush=True)\n"
        "time.sleep(60)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", owner, *relay(open_server.port)],
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": os.pathsep.join(sys.path), "PATH": os.environ["PATH"]},
    )
    assert child.stdout is not None
    assert "PONG\n" == child.stdout.readline()
    child.kill()
    child.wait()
    child.stdout.close()
    assert [] == gone(open_server.port)


def test_tls_goes_through_a_relay_and_the_name_is_checked(tmp_path: Path) -> None:
    """The certificate is checked against the host of the endpoint, whatever leads there."""
    engine: Engine = ENGINES[0]
    if engine.program is None:
        pytest.skip("no server with TLS is installed")
    port = free_port()
    context = make_certificates(tmp_path)
    (tmp_path / "redis.conf").write_text(
        f'port 0\ntls-port {port}\nbind 127.0.0.1\nsave ""\ndir "{tmp_path}"\n'
        f"tls-cert-file {tmp_path}/server.crt\ntls-key-file {tmp_path}/server.key\n"
        f"tls-ca-cert-file {tmp_path}/ca.crt\ntls-auth-clients no\n"
    )
    tls = Tls(ca_certs=f"{tmp_path}/ca.crt")
    with running(engine, tmp_path, port, context):
        with Wire(Endpoint(host="localhost", relay=copying(port), tls=tls)) as wire:
            assert "PONG" == wire.call("PING")
        with pytest.raises(Unreachable, match="certificate"):
            Wire(Endpoint(host="another.example", relay=copying(port), tls=tls))
        with pytest.raises(Unreachable, match=r"cannot reach localhost:6379: sh said: gone"):
            Wire(Endpoint(host="localhost", relay=("sh", "-c", "echo gone >&2"), tls=tls))
        assert [] == gone(port)


def test_the_script_refuses_to_end_processes_of_others() -> None:
    """`kill 0` would end a whole group: started outside a group of its own the script does nothing."""
    script = " ".join(f"'{word}'" for word in port_relay(1)[3:])
    done = subprocess.run(
        ["sh", "-c", f"sh -c \"$0\" {script}; echo alive", port_relay(1)[2]],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    assert ("alive\n", "not in a process group of its own\n") == (done.stdout, done.stderr)


def test_the_argv_is_what_a_person_could_type() -> None:
    """docker exec -i NAME sh -c SCRIPT sh PORT."""
    argv = container_relay("/usr/bin/docker", "shop-redis", 6379)
    assert ("/usr/bin/docker", "exec", "-i", "shop-redis", "sh", "-c") == argv[:6]
    assert ("sh", "6379") == argv[-2:]
