"""The server at a glance: what is shown is what the server says, on every engine, as whom it may."""

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import hiredis
import pytest
from tests.embedded.stranger import Person, await_true, on_terminal
from tests.embedded.test_engines import ENGINES

from keywright.endpoint import Endpoint
from keywright.secret import Secret
from keywright.wire import Wire

BUSY = "local x = 0 for i = 1, 3000000 do x = x + i end return x"  # tens of milliseconds


everywhere = pytest.mark.parametrize("one", ENGINES, indirect=True)
anywhere = pytest.mark.parametrize("one", ["valkey-9.1"], indirect=True)  # the engine is no matter


@pytest.fixture(scope="module")
def one(rooms: Callable[[], Path], request: pytest.FixtureRequest) -> Iterator[Person]:
    """A person whose server runs on this engine; `off` is an environment that does not run."""
    program, _, _ = ENGINES[request.param]
    if not os.access(program, os.X_OK):
        pytest.skip(f"{program} is not here")
    more = f'[env.off]\nkind = "local"\nserver = "{program}"\n'
    one = Person(rooms() / "p", f'server = "{program}"', more=more)
    one.engine = request.param  # type: ignore[attr-defined]
    said = one.say("up")
    assert said.code == 0, said
    yield one
    one.leave()


def seen(one: Person, *words: str) -> dict[str, Any]:
    """What a command says as JSON."""
    said = one.say(*words, "--json")
    assert said.code == 0, said
    report: dict[str, Any] = json.loads(said.out)
    return report


def named(one: Person, name: str, user: str = "admin") -> Wire:
    """A connection of an application's, by that name."""
    password = Secret(one.secrets[user])
    return Wire(Endpoint(port=one.port, username=user, password=password), name)


def old(one: Person) -> bool:
    """Whether this is Redis 6.2."""
    return str(one.engine) == "redis-6.2"  # type: ignore[attr-defined]


# --- info ------------------------------------------------------------------------------------------


@everywhere
def test_info_is_what_the_server_says(one: Person) -> None:
    """Every field of INFO stands on its own line as the server writes it, under its heading."""
    one.ask("FLUSHALL")
    one.fill(7)
    told = str(one.ask("INFO"))
    said = one.say("info")
    lines = said.out.splitlines()
    for line in told.splitlines():
        if line.startswith("# "):
            assert line in lines
        elif line:
            name = line.partition(":")[0]
            assert any(each.startswith(f"{name}:") for each in lines), name
    assert "db0:keys=7,expires=0" in said.out
    assert "database 0: 7 keys, none of them expires" in said.out


@everywhere
def test_info_of_several_sections(one: Person) -> None:
    """Several sections at once, also of servers whose INFO takes one; a mistake names what there is."""
    one.fill(2, database=3)
    found = seen(one, "info", "keyspace", "memory")
    assert set(found["sections"]) == {"Keyspace", "Memory"}
    assert "used_memory" in found["sections"]["Memory"]
    assert {each["database"]: each["keys"] for each in found["databases"]}[3] == 2
    assert seen(one, "info", "memory")["databases"] is None
    said = one.say("info", "memory", "nonsense")
    assert (said.code, "no INFO section 'nonsense'" in said.err) == (2, True)


# --- memory ----------------------------------------------------------------------------------------


@everywhere
def test_memory_agrees_with_the_servers_own_doctor(one: Person) -> None:
    """The kinds are the whole; a peak is found exactly when MEMORY DOCTOR finds it."""
    one.fill(400, 40_000, database=5)
    full = seen(one, "memory")
    assert full["maxmemory"] == int(one.info()["maxmemory"]) > 0
    assert full["policy"] == one.info()["maxmemory_policy"]
    assert full["limits"]["machine"] == int(one.info()["total_system_memory"])
    assert full["kinds"]["data"] > 15_000_000
    assert sum(full["kinds"].values()) == pytest.approx(full["used"], rel=0.1)
    judged = {each["name"]: each["over"] for each in full["doctor"]}
    assert judged["peak"] == ("Peak memory" in str(one.ask("MEMORY", "DOCTOR"))) is False
    with one.wire() as wire:
        wire.batch([("SELECT", 5), ("FLUSHDB", "SYNC") if not old(one) else ("FLUSHDB",)])
    one.fill(130, 40_000, database=5)
    emptied = {each["name"]: each["over"] for each in seen(one, "memory")["doctor"]}
    assert emptied["peak"] == ("Peak memory" in str(one.ask("MEMORY", "DOCTOR"))) is True
    shown = one.say("memory").out
    assert "! peak " in shown
    assert "maxmemory" in shown
    assert "█" in shown


@anywhere
def test_memory_as_viewer(one: Person) -> None:
    """A viewer sees all of it."""
    found = seen(one, "memory", "--as", "viewer")
    assert found["missing"] == ""
    assert found["kinds"]["empty_server"] > 0


# --- stats -----------------------------------------------------------------------------------------


@everywhere
def test_stats_counts_what_happens(one: Person) -> None:
    """What was sent meanwhile is what is told: commands, the ratio of hits, the busiest command."""
    with one.wire() as wire:
        wire.call("SET", "there", "1")
        ended = threading.Event()
        sent = 0

        def send() -> None:
            nonlocal sent
            while not ended.is_set():
                wire.batch([("GET", "there")] * 30 + [("GET", "gone")] * 10)
                sent += 40

        thread = threading.Thread(target=send)
        thread.start()
        try:
            found = seen(one, "stats", "--interval", "0.5")
        finally:
            ended.set()
            thread.join()
    assert 0 < found["per_second"]["commands"] * found["seconds"] <= sent
    assert found["per_second"]["hits"] > 0
    assert found["hit_ratio"] == pytest.approx(0.75, abs=0.05)
    assert found["busiest"][0]["name"] == "GET"
    assert found["total"]["commands"] > 0
    assert found["reset"] is False


@anywhere
def test_stats_of_an_idle_server_are_nought(one: Person) -> None:
    """What Keywright itself asks is not counted; nothing read is no ratio."""
    with one.wire():  # somebody who is connected and silent
        found = seen(one, "stats", "--interval", "0.1", "--as", "viewer")
    assert found["per_second"]["commands"] == 0
    assert found["per_second"]["output"] == pytest.approx(0, abs=200)
    assert found["hit_ratio"] is None
    assert found["busiest"] == []
    assert one.say("stats", "--interval", "0").code == 2


# --- clients ---------------------------------------------------------------------------------------


@everywhere
def test_clients_are_those_of_the_server(one: Person) -> None:
    """Who is connected: listed, chosen, grouped; the one that asks is marked."""
    with ExitStack() as stack:
        for name in ("web", "web", "job"):
            stack.enter_context(named(one, name, "appuser"))
        found = seen(one, "clients", "--user", "appuser")
        assert [each["name"] for each in found["clients"]] == ["web", "web", "job"]
        assert found["all"] == 4
        listed = one.say("clients")
        assert listed.out.count("appuser") == 3
        assert "* this question's own connection" in listed.out
        assert all(len(line) <= 80 for line in listed.out.splitlines())


@anywhere
def test_clients_chosen_and_grouped(one: Person) -> None:
    """By name, address or user; by how long they are idle; some of them only; for a viewer too."""
    with ExitStack() as stack:
        for name in ("web", "web", "job"):
            stack.enter_context(named(one, name, "appuser"))
        groups = seen(one, "clients", "--group", "name", "--as", "viewer")["groups"]
        assert {each["key"]: each["connections"] for each in groups}["web"] == 2
        assert seen(one, "clients", "--idle-over", "1h")["clients"] == []
        assert len(seen(one, "clients", "--sort", "memory", "--limit", "2")["clients"]) == 2
    assert one.say("clients", "--yes").code == 2
    assert one.say("clients", "--idle-over", "soon").code == 2


def follower(one: Person) -> socket.socket:
    """A connection that follows the server as a replica does."""
    link = socket.create_connection(("127.0.0.1", one.port), timeout=10)
    link.sendall(hiredis.pack_command(("AUTH", "admin", one.secrets["admin"])))
    assert link.recv(100) == b"+OK\r\n"
    link.sendall(hiredis.pack_command(("PSYNC", "?", "-1")))
    await_true(
        lambda: any("S" in each["flags"] for each in seen(one, "clients")["clients"]),
        "the replica is one",
    )
    return link


@everywhere
def test_kill_ends_those_who_are_meant_and_nobody_else(one: Person) -> None:
    """Exactly those; never the one that asks; a replica only when asked."""
    with ExitStack() as stack:
        web = [stack.enter_context(named(one, "web")) for _ in range(2)]
        job = stack.enter_context(named(one, "job"))
        found = seen(one, "clients", "kill", "--name", "web", "--yes")
        assert (found["ended"], len(found["clients"])) == (2, 2)
        assert all(each.hung_up() for each in web)
        assert job.call("PING") == "PONG"
        link = stack.enter_context(follower(one))
        found = seen(one, "clients", "kill", "--user", "admin", "--yes")
        assert [each["name"] for each in found["clients"]] == ["job"]
        assert {each["name"] for each in found["spared"]} == {"", "keywright"}
        found = seen(one, "clients", "kill", "--user", "admin", "--replicas", "--yes")
        assert (found["ended"], [each["name"] for each in found["spared"]]) == (1, ["keywright"])
        link.settimeout(10)
        while link.recv(65536):
            pass  # it reads to the end: it was hung up on


@anywhere
def test_kill_shows_first_and_asks(one: Person) -> None:
    """Whom it means is shown; without a terminal it is refused, on one it asks, and no is no."""
    with named(one, "web", "appuser") as web:
        said = one.say("clients", "kill", "--name", "web", "--dry-run")
        assert (said.code, said.out.count("web")) == (0, 1)
        said = one.say("clients", "kill", "--name", "web")
        assert (said.code, "--yes" in said.err, said.out.count("web")) == (4, True, 1)
        code, screen = on_terminal(
            one, "clients", "kill", "--name", "web", answers={"Type yes": "no"}
        )
        assert (code, "nothing was done" in screen) == (4, True)
        assert web.call("PING") == "PONG"
        code, screen = on_terminal(
            one, "clients", "kill", "--name", "web", answers={"Type yes": "yes"}
        )
        assert (code, "1 ended" in screen) == (0, True)
        assert web.hung_up()


@anywhere
def test_kill_needs_to_know_whom(one: Person) -> None:
    """Without a choice it is a mistake, over several environments too; a viewer may not, and is told."""
    said = one.say("clients", "kill", "--yes")
    assert (said.code, "which connections" in said.err) == (2, True)
    assert one.say("clients", "kill", "--id", "1", "--yes", "-e", "local,off").code == 2
    with named(one, "web", "appuser") as web:
        said = one.say("clients", "kill", "--name", "web", "--yes", "--as", "viewer")
        assert (said.code, "user viewer may not use CLIENT KILL" in said.err) == (1, True)
        assert web.call("PING") == "PONG"
    assert "nobody is connected" in one.say("clients", "kill", "--name", "web", "--yes").out


# --- slowlog ---------------------------------------------------------------------------------------


@pytest.fixture
def logged(one: Person) -> Iterator[Person]:
    """Their server logs every call for as long as these few take."""
    with named(one, "web") as wire:
        wire.call("SLOWLOG", "RESET")
        wire.call("CONFIG", "SET", "slowlog-log-slower-than", "0")
        for number in range(3):
            wire.call("SET", f"session:{number}:cart", "a value")
        wire.call("GET", b"bin\x1b[31m\xff:7")
        wire.call("ACL", "SETUSER", "helga", "on", ">geheim-geheim")
        wire.call("ACL", "DELUSER", "helga")
        wire.call("EVAL", BUSY, "0")
        wire.call("CONFIG", "SET", "slowlog-log-slower-than", "10000")
    yield one
    one.ask("CONFIG", "SET", "slowlog-log-slower-than", "10000")


@everywhere
def test_slowlog_is_what_the_server_logged(logged: Person) -> None:
    """Each call as SLOWLOG GET has it, the newest first, and grouped by shape, the most time first."""
    one = logged
    found = seen(one, "slowlog", "--limit", "100")
    own: Any = one.ask("SLOWLOG", "GET", "100")
    assert [each["id"] for each in found["entries"]] == [each[0] for each in own]
    assert [each["amount"] for each in found["entries"]] == [each[2] for each in own]
    shapes = {each["shape"]: each for each in found["shapes"]}
    assert shapes["SET session:*:cart"]["calls"] == 3
    assert shapes["SET session:*:cart"]["who"] == ["web"]
    assert found["shapes"][0]["shape"].startswith("EVAL local")
    assert found["threshold"] == 10000
    assert "geheim" not in json.dumps(found)
    shown = one.say("slowlog", "--each", "--limit", "100")
    assert "geheim" not in shown.out
    assert "bin\\x1b[31m\\xff:7" in shown.out
    assert "\x1b" not in shown.out
    assert "longer than 10.0 ms each" in one.say("slowlog").out


@anywhere
def test_slowlog_as_viewer(logged: Person) -> None:
    """A viewer sees the log; why the threshold stays unknown is said."""
    found = seen(logged, "slowlog", "--as", "viewer")
    assert found["threshold"] is None
    assert "may not use CONFIG GET" in found["notes"][0]
    assert found["shapes"]
    said = logged.say("slowlog", "reset", "--yes", "--as", "viewer")
    assert (said.code, "may not use SLOWLOG RESET" in said.err) == (1, True)


@anywhere
def test_slowlog_reset_asks(logged: Person) -> None:
    """Nothing is forgotten unseen."""
    held = logged.ask("SLOWLOG", "LEN")
    assert f"would forget {held} entries" in logged.say("slowlog", "reset", "--dry-run").out
    assert logged.say("slowlog", "reset").code == 4
    assert logged.ask("SLOWLOG", "LEN") == held
    assert seen(logged, "slowlog", "reset", "--yes")["entries"] == held
    assert logged.ask("SLOWLOG", "LEN") == 0
    assert "0 calls in the slow log" in logged.say("slowlog").out


@anywhere
def test_a_threshold_that_hides_everything_is_said(one: Person) -> None:
    """-1 turns the log off, 0 floods it, an hour shows nothing: an empty log alone would be no answer."""
    for value, word in (
        ("-1", "turns the log off"),
        ("0", "every call"),
        ("3600000000", "so high"),
    ):
        one.ask("CONFIG", "SET", "slowlog-log-slower-than", value)
        assert any(word in note for note in seen(one, "slowlog")["notes"]), value
    one.ask("CONFIG", "SET", "slowlog-log-slower-than", "10000")


@everywhere
def test_large_requests_and_replies(one: Person) -> None:
    """Valkey keeps them from 8.1 on; another server says so."""
    if one.engine != "valkey-9.1":  # type: ignore[attr-defined]
        said = one.say("slowlog", "--kind", "large-reply")
        assert (said.code, "Valkey has from 8.1 on" in said.err) == (2, True)
        return
    one.ask("CONFIG", "SET", "commandlog-reply-larger-than", "100000")
    with named(one, "web") as wire:
        wire.call("SET", "large:17", "x" * 200_000)
        wire.call("GET", "large:17")
    found = seen(one, "slowlog", "--kind", "large-reply")
    assert (found["unit"], found["threshold"]) == ("bytes", 100_000)
    assert found["shapes"][0]["shape"] == "GET large:*"
    assert found["shapes"][0]["worst"] > 200_000
    said = one.say("slowlog", "--kind", "large-reply", "--as", "viewer")
    assert (said.code, "may not use COMMANDLOG GET" in said.err) == (1, True)


# --- latency, commandstats ---------------------------------------------------------------------------


@everywhere
def test_latency_from_here_and_in_the_server(one: Person) -> None:
    """The round trip's figures are in order; commands have percentiles from 7.0 on, and 6.2 says why not."""
    one.ask("EVAL", BUSY, "0")
    found = seen(one, "latency", "--samples", "20")
    trip = found["round_trip"]
    assert trip["samples"] == 20
    assert 0 < trip["least"] <= trip["p50"] <= trip["p99"] <= trip["most"]
    if old(one):
        assert found["commands"] == []
        assert "has no LATENCY HISTOGRAM" in found["missing"]
    else:
        assert found["commands"][0]["name"] == "EVAL"
        assert found["commands"][0]["p99"] > 1000
        seen_by_viewer = one.say("latency", "--samples", "5", "--as", "viewer").out
        assert "EVAL" in seen_by_viewer
        assert "user viewer may not use LATENCY HISTOGRAM" in " ".join(seen_by_viewer.split())


@everywhere
def test_latency_says_whether_stalls_are_recorded(one: Person) -> None:
    """At threshold 0 what turns it on; above it the event, its history and what it is."""
    assert seen(one, "latency", "--samples", "1")["next"].startswith("keywright config set latency")
    one.ask("CONFIG", "SET", "latency-monitor-threshold", "1")
    try:
        one.ask("EVAL", BUSY, "0")
        found = seen(one, "latency", "--samples", "1", "--as", "viewer")
        assert seen(one, "latency", "--samples", "1")["next"] == ""
    finally:
        one.ask("CONFIG", "SET", "latency-monitor-threshold", "0")
        one.ask("LATENCY", "RESET")
    event = next(each for each in found["events"] if each["name"] == "command")
    assert event["longest"] >= event["last"] >= 1
    assert [event["when"], event["last"]] in event["history"]
    assert "slow command" in event["meaning"]


@everywhere
def test_commandstats_is_the_guides_grep(one: Person) -> None:
    """KEYS, SMEMBERS, HGETALL by their names, as the server counts them; a viewer may."""
    one.ask("SADD", "a:set", "1")
    one.ask("SMEMBERS", "a:set")
    one.ask("KEYS", "none*")
    with one.wire() as wire:
        wire.batch([("HGETALL", "a:set")])  # fails: it is no hash
    found = seen(one, "commandstats", "KEYS|SMEMBERS|HGETALL", "--as", "viewer")
    own = one.info()
    for each in found["commands"]:
        told = own[f"cmdstat_{each['name'].lower()}"]
        assert told.startswith(f"calls={each['calls']},usec={each['usec']},")
    by_name = {each["name"]: each for each in found["commands"]}
    assert set(by_name) == {"KEYS", "SMEMBERS", "HGETALL"}
    assert by_name["HGETALL"]["failed"] >= 1
    assert ("99" in by_name["KEYS"]["percentiles"]) is not old(one)
    heavy = {each["name"] for each in seen(one, "commandstats", "--heavy")["commands"]}
    assert {"KEYS", "SMEMBERS", "HGETALL"} <= heavy
    assert "PING" not in heavy
    shown = one.say("commandstats", "--sort", "calls", "--limit", "3").out
    assert ("p99" in shown) is not old(one)
    assert "3 of" in shown


@anywhere
def test_several_environments(one: Person) -> None:
    """One that does not run keeps none from being shown, in every command."""
    for words in (("memory",), ("clients",), ("slowlog",), ("commandstats",), ("info", "keyspace")):
        said = one.say(*words, "-e", "local,off", "--json")
        running, off = json.loads(said.out)["environments"]
        assert (said.code, running["environment"], off["environment"]) == (3, "local", "off")
        assert "error" in off
        assert "error" not in running


def test_intrinsic_asks_no_server(stranger: Person) -> None:
    """The machine's own stalls are measured where Keywright runs, and that is said; no server is needed."""
    said = stranger.say("latency", "--intrinsic", "0.2")
    assert (said.code, "where Keywright runs" in said.out) == (0, True)
    found = seen(stranger, "latency", "--intrinsic", "0.2")
    assert found["schema"] == "keywright/latency-intrinsic/1"
    assert 0 <= found["lost"] <= 1e6
    assert stranger.say("latency", "--intrinsic", "0").code == 2
