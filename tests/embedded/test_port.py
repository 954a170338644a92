"""A declared port that is taken is an error that names the holder, and never another port."""

import json
import os
import socket
import subprocess
from pathlib import Path

import pytest
from tests.embedded.stranger import Person, await_true, end
from tests.embedded.test_not_its_own import AS_NOBODY, VALKEY, root_only
from tests.ports import bindable, free_port


def taken(port: int) -> socket.socket:
    """A plain socket that listens and says nothing."""
    return socket.create_server(("127.0.0.1", port))


def test_plain_socket(stranger: Person) -> None:
    """Law: the error names port, program and process, says what to do, and nothing was changed."""
    with taken(stranger.port):
        said = stranger.say("up")
    assert said.code == 1
    assert f"port {stranger.port} on 127.0.0.1 is taken by " in said.err
    assert f"(process {os.getpid()}, user " in said.err
    assert "env.local.port = " in said.err
    left = [path.name for path in stranger.state.iterdir()]
    assert left == ["lock"]


def test_dry_run_on_a_taken_port_changes_nothing(stranger: Person) -> None:
    """Law: a dry run leaves no trace at all."""
    assert stranger.say("up", "--dry-run").code == 0
    assert stranger.say("diff").code == 0
    assert list(stranger.home.rglob("*")) == []


@root_only
def test_server_of_another_user(stranger: Person) -> None:
    """Law: the other user is named."""
    argv = [*AS_NOBODY, str(VALKEY), "--port", str(stranger.port), "--save", ""]
    other = subprocess.Popen(argv, cwd="/", stdout=subprocess.DEVNULL)
    try:
        await_true(lambda: not bindable("127.0.0.1", stranger.port), "it listens")
        said = stranger.say("up")
        assert said.code == 1
        assert f"is taken by valkey-server (process {other.pid}, user nobody)" in said.err
    finally:
        end(other.pid)
        other.wait()


def test_another_environment_of_keywright(settled: Person) -> None:
    """Law: the holder is named as an environment of Keywright, not only as a process."""
    settled.declare(more=f'[env.other]\nlike = "local"\nport = {settled.port}\n')
    said = settled.say("up", "-e", "other")
    assert said.code == 1
    assert "is taken by Keywright's environment local" in said.err
    assert str(settled.pids()[0]) in said.err
    assert "env.other.port" in said.err
    assert settled.say("status").code == 0


def test_auto_is_chosen_once_and_kept(stranger: Person) -> None:
    """Law: `auto` takes the first free port and keeps it; taken later, it is an error, not another."""
    stranger.declare('port = "auto"')
    said = stranger.say("up", "--json")
    assert said.code == 0, said
    address = json.loads(said.out)["address"]
    port = int(address.rpartition(":")[2])
    kept = json.loads((stranger.state / "choices.json").read_text())
    assert kept["port"] == str(port)
    assert stranger.say("down").code == 0
    with taken(port):
        said = stranger.say("up")
        assert said.code == 1
        assert f"port {port} on 127.0.0.1 is taken" in said.err
        assert stranger.pids() == []
    said = stranger.say("up", "--json")
    assert (said.code, json.loads(said.out)["address"]) == (0, address)


def test_auto_passes_over_a_taken_port(stranger: Person) -> None:
    """Law: a port that somebody holds now is not chosen."""
    from keywright_ops.plan.listen import PORT_CANDIDATES

    free = [port for port in PORT_CANDIDATES if bindable("127.0.0.1", port)]
    if len(free) < 2:
        pytest.skip("hardly any of the candidates is free on this machine")
    stranger.declare('port = "auto"')
    with taken(free[0]):
        assert stranger.say("up").code == 0
        assert json.loads((stranger.state / "choices.json").read_text())["port"] != str(free[0])


def test_port_change_moves_the_server(settled: Person) -> None:
    """Law: another declared port is where the server answers then; the old one is free again."""
    old, settled.port = settled.port, free_port()
    settled.ask("SET", "kept", "1", port=old)
    settled.declare()
    said = settled.say("up")
    assert (said.code, "clients must follow" in said.err) == (4, True)
    said = settled.say("up", "--yes")
    assert said.code == 0, said
    assert f"port {old} → {settled.port}" in said.out
    assert settled.ask("GET", "kept") == "1"
    assert bindable("127.0.0.1", old)


def test_port_change_to_a_taken_one_is_refused_before_the_stop(settled: Person) -> None:
    """Law: when the new port is taken the running server is not stopped for nothing."""
    before = settled.identity()
    other = free_port()
    settled.declare(f"port = {other}")
    with taken(other):
        said = settled.say("up")
    assert said.code == 1
    assert f"port {other} on 127.0.0.1 is taken" in said.err
    assert settled.identity() == before
    settled.declare()
    assert "nothing to do" in settled.say("up").out


@pytest.mark.parametrize("bind", ['["192.0.2.1"]', '["127.0.0.1", "192.0.2.1"]'])
def test_address_of_somebody_else(stranger: Person, bind: str) -> None:
    """Law: an address that this host does not have is said to be that, not a taken port."""
    stranger.declare(f"bind = {bind}")
    said = stranger.say("up")
    assert said.code == 1
    assert "192.0.2.1" in said.err
    assert "is taken" not in said.err
    assert stranger.pids() == []


def test_ipv6_only(stranger: Person) -> None:
    """Law: a server that listens on IPv6 only is proven there."""
    stranger.declare('bind = ["::1"]')
    said = stranger.say("up")
    assert said.code == 0, said
    assert "::1" in said.out


def test_left_nothing(stranger: Person) -> None:
    """Law: after a refused `up` the next one on a free port works, with the same secrets or none."""
    with taken(stranger.port):
        assert stranger.say("up").code == 1
    assert stranger.secrets == {}
    assert stranger.say("up").code == 0
    assert isinstance(Path(stranger.state / "vault.json").stat().st_mode & 0o077, int)
