"""What is declared anew becomes so: live, by a restart, or taken back where the server refuses it."""

import json
from pathlib import Path

import pytest
from tests.embedded.stranger import Person
from tests.embedded.test_not_its_own import VALKEY

REDIS_7 = "/usr/bin/redis-server"


LIVE = {
    'maxmemory = "64mb"': ("maxmemory", "67108864"),
    'maxmemory_policy = "volatile-ttl"': ("maxmemory-policy", "volatile-ttl"),
    'save = ["900 1", "60 1000"]': ("save", "900 1 60 1000"),
    "slowlog_max_len = 500": ("slowlog-max-len", "500"),
    "settings.hz = 20": ("hz", "20"),
    'settings.notify-keyspace-events = "Ex"': ("notify-keyspace-events", "xE"),
    'appendfsync = "always"': ("appendfsync", "always"),
    "settings.maxclients = 500": ("maxclients", "500"),
}


def test_live(neighbour: Person) -> None:
    """Law: what can change live changes without a restart: same process, and the file agrees."""
    before = neighbour.identity()
    for lines in (tuple(LIVE)[:1], tuple(LIVE), tuple(LIVE)[:-2]):
        neighbour.declare(*lines)
        said = neighbour.say("up")
        assert said.code == 0, said
        for line in lines:
            setting, value = LIVE[line]
            assert neighbour.ask("CONFIG", "GET", setting) == [setting, value]
        assert neighbour.identity() == before
        assert neighbour.say("diff", "--strict").code == 0
    neighbour.declare()
    assert neighbour.say("up").code == 0
    assert neighbour.identity() == before


def test_appendonly_off_and_on_again(settled: Person) -> None:
    """Law: yes → no → yes with a restart in between loses no key, and asks before it could."""
    settled.declare("appendonly = false", 'save = ["900 1"]')
    settled.ask("SET", "kept", "1")
    before = settled.identity()
    assert settled.say("up").code == 0
    assert settled.identity() == before
    assert settled.say("restart").code == 0
    assert settled.ask("GET", "kept") == "1"
    settled.declare()
    said = settled.say("up")
    assert said.code == 0, said
    assert settled.say("restart").code == 0
    assert settled.ask("GET", "kept") == "1"
    assert settled.ask("CONFIG", "GET", "appendonly") == ["appendonly", "yes"]


def test_databases_grow_and_shrink(settled: Person) -> None:
    """Law: more databases need a restart; fewer than are used are refused, running or not."""
    settled.declare("databases = 32")
    said = settled.say("up")
    assert said.code == 0, said
    settled.fill(3, database=20)
    assert settled.say("check").code == 0
    settled.declare("databases = 8")
    said = settled.say("up")
    assert (said.code, "there is no db20, which holds keys" in said.err) == (4, True)
    assert settled.say("down").code == 0
    said = settled.say("up")
    assert (said.code, "there is no db20" in said.err) == (4, True)
    assert settled.pids() == []
    settled.declare("databases = 32")
    assert settled.say("up").code == 0
    assert settled.info()["db20"].startswith("keys=3")
    settled.declare("databases = 21")
    assert settled.say("up").code == 0
    assert settled.info()["db20"].startswith("keys=3")


@pytest.mark.parametrize("name", ["appenddirname", "appendfilename", "dbfilename", "dir"])
def test_data_is_not_renamed(neighbour: Person, name: str) -> None:
    """Law: a setting under which the server would begin empty is refused, whatever it is called."""
    neighbour.declare(f'settings.{name} = "other"')
    said = neighbour.say("up")
    assert (said.code, f"settings.{name}" in said.err) == (2, True)


@pytest.mark.parametrize("line", ['settings.hz = "banana"', 'settings.maxclients = "-5"'])
def test_refused_by_the_running_server(neighbour: Person, line: str) -> None:
    """Law: a value that the server refuses is told in its words, and everything stands as before."""
    before = neighbour.identity()
    neighbour.declare(line, 'maxmemory = "100mb"')
    said = neighbour.say("up")
    assert said.code in (1, 2)
    assert neighbour.identity() == before
    neighbour.declare()
    assert "nothing to do" in neighbour.say("up").out


def test_refused_at_the_start(stranger: Person) -> None:
    """Law: a first start that the server refuses shows its last words and leaves nothing running."""
    stranger.declare('settings.lfu-log-factor = "-3"')
    said = stranger.say("up")
    assert said.code in (1, 2)
    if said.code == 1:
        assert "lfu-log-factor" in said.err
    assert stranger.pids() == []
    stranger.declare()
    assert stranger.say("up").code == 0


def test_refused_at_a_restart(settled: Person) -> None:
    """Law: when a restart with a new setting fails the old server comes back with the old file."""
    settled.ask("SET", "kept", "1")
    settled.declare("settings.io-threads = 2000")
    said = settled.say("up")
    assert said.code in (1, 2)
    assert settled.ask("GET", "kept") == "1"
    settled.declare()
    assert "nothing to do" in settled.say("up").out


def test_older_server_cannot_read_newer_data(settled: Person) -> None:
    """Law: Valkey 9's data under Redis 7 fails, with the server's last words, and all is taken back."""
    settled.fill(100)
    settled.declare(f'server = "{REDIS_7}"')
    said = settled.say("up")
    assert said.code == 1
    assert "last words" in said.err
    assert "taken back" in said.err
    assert "not everything" not in said.err
    server = json.loads(settled.say("status", "--json").out)
    assert (server["server"]["name"], server["keys"]) == ("valkey", 100)
    settled.declare()
    assert "nothing to do" in settled.say("up").out


def test_shrinking_below_used_memory(settled: Person) -> None:
    """Law: a limit below what is in use asks first (4 without a terminal); --yes goes on."""
    settled.fill(3000, 1000)
    before = settled.identity()
    settled.declare('maxmemory = "2mb"')
    said = settled.say("up")
    assert said.code == 4
    assert "keys will be evicted" in said.err
    assert "--yes" in said.err
    assert settled.info()["maxmemory"] == str(512 * 2**20)
    assert settled.say("up", "--yes").code == 0
    assert settled.identity() == before
    assert int(str(settled.ask("DBSIZE"))) < 3000


def test_server_program_that_is_not_there(stranger: Person) -> None:
    """Law: a program that cannot be run is refused before anything is made."""
    for program in ("/nowhere/redis-server", "no-such-server", "/etc/passwd", "/tmp"):
        stranger.declare(f'server = "{program}"')
        said = stranger.say("up")
        assert said.code == 2, said
        assert "env.local.server" in said.err
    assert list(stranger.home.rglob("redis.conf")) == []


@pytest.mark.parametrize("program", ["/usr/bin/true", "/usr/bin/sleep", "/bin/sh"])
def test_server_program_that_is_no_server(stranger: Person, program: str) -> None:
    """Law: a program that is no server fails within seconds, and everything is taken back."""
    stranger.declare(f'server = "{program}"')
    said = stranger.say("up")
    assert said.code == 1
    assert "'start the server' failed" in said.err
    stranger.declare()
    assert stranger.say("up").code == 0


def test_link_to_a_server(stranger: Person) -> None:
    """Law: a server named by a link is the same server the next time."""
    folder = stranger.root / "bin with space"
    folder.mkdir()
    link = folder / "my-cache"
    link.symlink_to(VALKEY)
    stranger.declare(f'server = "{link}"')
    assert stranger.say("up").code == 0
    before = stranger.identity()
    assert "nothing to do" in stranger.say("up").out
    assert stranger.identity() == before
    assert stranger.say("check").code == 0


def test_gone_program_is_chosen_anew(settled: Person) -> None:
    """Law: a kept program that has gone (a venv was removed) does not stand in the way."""
    assert settled.say("down").code == 0
    path = settled.state / "choices.json"
    kept = json.loads(path.read_text()) | {"program": "/gone/valkey-server"}
    path.write_text(json.dumps(kept))
    assert settled.say("up").code == 0
    path.write_text("{")
    said = settled.say("up")
    assert (said.code, "is damaged" in said.err) == (2, True)


def test_tls_without_tls(stranger: Person) -> None:
    """Law: a server built without TLS is said not to serve it, and nothing is left running."""
    for name in ("cert", "key", "ca"):
        (stranger.project / f"{name}.pem").write_text("nothing")
    lines = [f'tls.{n}_file = "{stranger.project}/{f}.pem"' for n, f in
             (("cert", "cert"), ("key", "key"), ("ca_cert", "ca"))]  # fmt: skip
    stranger.declare(*lines)
    said = stranger.say("up")
    assert said.code in (1, 2)
    assert stranger.pids() == []
    assert Path(stranger.project / "key.pem").read_text() == "nothing"
