"""The laws of a Redis: logins, settings, users, and what survives the end of the process."""

import pytest
from tests.contract.rig import RULES, Rig

from keywright.errors import ReplyError, Unreachable
from keywright_ops.facts.acl import parse_acl_list


def code(reply: object) -> str:
    """The first word of an error; the reply itself otherwise."""
    return reply.code if isinstance(reply, ReplyError) else str(reply)


def survives(rig: Rig, signal: str, **settings: str) -> dict[str, str | None]:
    """End the server, start it again, and return what is left of the keys a and b."""
    rig.end(signal)
    rig.up(**settings)
    return {key: rig.call("GET", key) for key in ("a", "b") if rig.call("GET", key) is not None}


def test_every_login_is_answered_as_the_server_answers_it(rig: Rig) -> None:
    """Passwords, no password, a wrong one, rights on commands and on keys: the first word tells."""
    rig.up()
    assert "PONG" == rig.call("PING", login="default")
    assert "NOAUTH" == code(rig.call("PING", login="nobody"))
    with pytest.raises(ReplyError, match="WRONGPASS"):
        rig.call("PING", login="stranger")
    assert "OK" == rig.call("SET", "app:a", "1", "EX", "60", login="appuser")
    assert "1" == rig.call("GET", "app:a", login="appuser")
    assert ["NOPERM", "NOPERM", "NOPERM"] == [
        code(rig.call("GET", "other", login="appuser")),
        code(rig.call("CONFIG", "GET", "port", login="appuser")),
        code(rig.call("GET", "app:a", login="health")),
    ]
    assert "permissions" in rig.call("ACL", "DRYRUN", "appuser", "FLUSHALL")
    assert "permissions" in rig.call("ACL", "DRYRUN", "appuser", "SET", "other", "1")
    assert "OK" == rig.call("ACL", "DRYRUN", "default", "FLUSHALL")
    assert "ERR" == code(rig.call("ACL", "DRYRUN", "nobody-known", "PING"))
    assert "ERR" == code(rig.call("NO-SUCH-COMMAND"))


def test_replies_come_in_the_order_of_their_commands(rig: Rig) -> None:
    """One batch: errors stand in their places as values, the rest is answered all the same."""
    rig.up()
    replies = rig.redis.ask("admin", [("SET", "a", "1"), ("NO-SUCH-COMMAND",), ("GET", "a")])
    assert ["OK", "ERR", "1"] == [code(reply) for reply in replies]


def test_settings_are_set_live_or_refused(rig: Rig) -> None:
    """CONFIG SET changes what CONFIG GET answers; unknown and immutable settings are errors."""
    rig.up(maxmemory="100mb")
    assert ["maxmemory", str(100 * 2**20)] == rig.call("CONFIG", "GET", "maxmemory")
    assert "OK" == rig.call("CONFIG", "SET", "maxmemory", str(200 * 2**20))
    assert ["maxmemory", str(200 * 2**20)] == rig.call("CONFIG", "GET", "maxmemory")
    assert "OK" == rig.call("CONFIG", "SET", "save", "900 1 300 10")
    assert ["save", "900 1 300 10"] == rig.call("CONFIG", "GET", "save")
    for words in (("no-such-setting", "1"), ("databases", "3"), ("aclfile", "/x")):
        assert "ERR" == code(rig.call("CONFIG", "SET", *words))
    everything = rig.call("CONFIG", "GET", "*")
    for name in ("port", "bind", "dir", "appendonly", "save", "maxmemory", "aclfile"):
        assert everything[everything.index(name) + 1] == rig.call("CONFIG", "GET", name)[1]


def test_the_acl_file_is_read_again_only_when_asked(rig: Rig) -> None:
    """ACL LIST tells the loaded users; ACL LOAD takes the file; a broken file changes nothing."""
    rig.up()
    assert RULES.keys() == parse_acl_list(rig.call("ACL", "LIST")).keys()
    rig.write_users({name: RULES[name] for name in ("default", "admin")})
    assert RULES.keys() == parse_acl_list(rig.call("ACL", "LIST")).keys()
    assert "OK" == rig.call("ACL", "LOAD")
    assert {"default", "admin"} == parse_acl_list(rig.call("ACL", "LIST")).keys()
    rig.transport.write(f"{rig.home}/users.acl", b"this is no user\n", 0o600)
    assert "ERR" == code(rig.call("ACL", "LOAD"))
    assert {"default", "admin"} == parse_acl_list(rig.call("ACL", "LIST")).keys()


def test_categories_are_lists_of_commands(rig: Rig) -> None:
    """ACL CAT names the categories, ACL CAT x its commands; an unknown one is an error."""
    rig.up()
    assert {"read", "write", "dangerous"} <= set(rig.call("ACL", "CAT"))
    assert "get" in rig.call("ACL", "CAT", "read")
    assert "config|get" in rig.call("ACL", "CAT", "dangerous")
    assert "ERR" == code(rig.call("ACL", "CAT", "no-such-category"))


def test_info_tells_process_memory_and_keys(rig: Rig) -> None:
    """INFO names the process, the program, what is loaded, and the keys of every database."""
    process = rig.up()
    assert not any(name.startswith("db") for name in rig.info())
    rig.call("SET", "a", "1")
    info = rig.info()
    assert str(process.pid) == info["process_id"]
    assert f"{rig.home}/redis.conf" == info["config_file"]
    assert ("0", "0", "0") == (
        info["loading"],
        info["aof_enabled"],
        info["aof_rewrite_in_progress"],
    )
    assert info["db0"].startswith("keys=1,")
    assert 1 == rig.call("DBSIZE")
    assert int(info["used_memory"]) > 100_000


def test_without_persistence_everything_goes_with_the_process(rig: Rig) -> None:
    """No append-only file, no save points: SIGTERM loses all."""
    rig.up()
    rig.call("SET", "a", "1")
    assert {} == survives(rig, "TERM")


def test_save_points_make_sigterm_save_but_not_sigkill(rig: Rig) -> None:
    """With save points SIGTERM writes the dump; SIGKILL leaves what the last SAVE wrote."""
    rig.up(save="3600 1")
    rig.call("SET", "a", "1")
    assert {"a": "1"} == survives(rig, "TERM", save="3600 1")
    rig.call("SET", "b", "1")
    assert {"a": "1"} == survives(rig, "KILL", save="3600 1")
    rig.call("SET", "b", "2")
    rig.call("SAVE")
    assert {"a": "1", "b": "2"} == survives(rig, "KILL", save="3600 1")


def test_the_append_only_file_survives_even_sigkill(rig: Rig) -> None:
    """appendonly yes, appendfsync always: every answered write is there again.

    (With everysec a write may wait for up to 2 s while an earlier one is being synced.)
    """
    rig.up(appendonly="yes", appendfsync="always")
    rig.call("SET", "a", "1")
    rig.call("SET", "b", "1")
    assert {"a": "1", "b": "1"} == survives(rig, "KILL", appendonly="yes", appendfsync="always")


def test_appendonly_yes_with_only_a_dump_starts_empty(rig: Rig) -> None:
    """The trap: the dump is not read, though it lies there."""
    rig.up()
    rig.call("SET", "a", "1")
    rig.call("SAVE")
    assert "dump.rdb" in rig.transport.names(f"{rig.home}/data")
    assert {} == survives(rig, "TERM", appendonly="yes")


def test_switched_on_live_the_data_is_kept_once_the_rewrite_has_ended(rig: Rig) -> None:
    """CONFIG SET appendonly yes, wait, then a start with it finds old and new keys."""
    rig.up(appendfsync="always")
    rig.call("SET", "a", "1")
    assert "OK" == rig.call("CONFIG", "SET", "appendonly", "yes")
    assert "1" == rig.info()["aof_enabled"]
    rig.wait(lambda: rig.info()["aof_rewrite_in_progress"] == "0")
    rig.call("SET", "b", "1")
    names = rig.transport.names(f"{rig.home}/data/appendonlydir")
    assert any(name.endswith(".manifest") for name in names)
    assert {"a": "1", "b": "1"} == survives(rig, "KILL", appendonly="yes", appendfsync="always")


def test_a_rewrite_that_did_not_end_leaves_no_manifest(rig: Rig) -> None:
    """Killed in its first rewrite, the server leaves the folder but nothing that can be loaded."""
    rig.up(save="3600 1")
    rig.call("SET", "a", "1")
    rig.call("SAVE")
    rig.call(
        "CONFIG", "SET", "rdb-key-save-delay", "10000000"
    )  # microseconds; the fake knows no delay
    rig.call("CONFIG", "SET", "appendonly", "yes")
    rig.end("KILL")
    assert "appendonlydir" in rig.transport.names(f"{rig.home}/data")
    names = rig.transport.names(f"{rig.home}/data/appendonlydir")
    assert not any(name.endswith(".manifest") for name in names)
    rig.up(appendonly="yes")
    assert rig.call("GET", "a") is None


def test_an_old_append_only_file_is_taken_for_the_truth(rig: Rig) -> None:
    """Switched off live, its files stay; a start with appendonly yes loads them, however old."""
    rig.up(appendonly="yes")
    rig.call("SET", "a", "1")
    rig.call("CONFIG", "SET", "appendonly", "no")
    rig.call("SET", "b", "1")
    rig.call("SAVE")
    assert {"a": "1"} == survives(rig, "TERM", appendonly="yes")


def test_a_start_with_appendonly_no_loads_the_dump_alone(rig: Rig) -> None:
    """An append-only file is not looked at then, however new."""
    rig.up(appendonly="yes")
    rig.call("SET", "a", "1")
    rig.call("SAVE")
    rig.call("SET", "b", "1")
    assert {"a": "1"} == survives(rig, "KILL")


def test_a_smaller_maxmemory_costs_keys(rig: Rig) -> None:
    """allkeys-lru: keys are evicted at once; noeviction: they stay and writes are refused."""
    rig.up(maxmemory_policy="allkeys-lru", appendonly="yes")
    for number in range(20):
        rig.call("SET", f"key:{number}", "1")
    rig.call("CONFIG", "SET", "maxmemory", "1")
    rig.wait(lambda: rig.call("DBSIZE") == 0)
    rig.call("CONFIG", "SET", "maxmemory", "0")
    rig.call("CONFIG", "SET", "maxmemory-policy", "noeviction")
    rig.call("SET", "a", "1")
    rig.call("CONFIG", "SET", "maxmemory", "1")
    assert (1, "OOM") == (rig.call("DBSIZE"), code(rig.call("SET", "b", "1")))


def test_another_port_on_disk_is_where_it_is_asked(rig: Rig) -> None:
    """The door follows redis.conf: a port that nobody listens on is Unreachable."""
    rig.up(appendfsync="always")
    rig.configure(port="1")
    with pytest.raises(Unreachable):
        rig.call("PING", login="default")


def test_an_append_only_file_that_is_moved_goes_on_being_written(rig: Rig) -> None:
    """Renamed while it is written, it holds later writes too; off and on again makes a new, whole one."""
    rig.up(appendonly="yes")
    rig.call("SET", "a", "1")
    data = f"{rig.home}/data"
    rig.transport.move(f"{data}/appendonlydir", f"{data}/aside")
    rig.call("SET", "b", "1")
    assert "appendonlydir" not in rig.transport.names(data)
    written = f"{data}/aside/appendonly.aof.1.incr.aof"
    rig.wait(lambda: b"b" in rig.transport.read(written).split(b"SET")[-1])
    assert "OK" == rig.call("CONFIG", "SET", "appendonly", "no")
    assert "appendonlydir" not in rig.transport.names(data)
    assert "OK" == rig.call("CONFIG", "SET", "appendonly", "yes")
    rig.wait(lambda: rig.info()["aof_rewrite_in_progress"] == "0")
    assert {"a": "1", "b": "1"} == survives(rig, "KILL", appendonly="yes")
