"""Every proof can fail: the server is really made wrong, and exactly that is seen."""

import json
import os
import shutil

import pytest
from tests.embedded.stranger import Person


def failing(person: Person) -> dict[str, str]:
    """The proofs that fail now, with their evidence."""
    said = person.say("check", "--json")
    proofs = json.loads(said.out)["proofs"]
    failed = {each["id"]: each["evidence"] for each in proofs if each["verdict"] == "failed"}
    assert said.code == (1 if failed else 0)
    return failed


WRONG = {
    "nopass": (("ACL", "SETUSER", "default", "nopass"), {"users", "no-password", "wrong-password"}),
    "other-password": (("ACL", "SETUSER", "default", "resetpass", ">x"), {"users", "password"}),
    "second-password": (("ACL", "SETUSER", "default", ">x"), {"users"}),
    "default-off": (("ACL", "SETUSER", "default", "off"), {"users", "password"}),
    "app-all-keys": (("ACL", "SETUSER", "appuser", "~*"), {"users", "app-prefix"}),
    "app-config": (("ACL", "SETUSER", "appuser", "+config"), {"users", "app-config"}),
    "app-flush": (("ACL", "SETUSER", "appuser", "+flushall"), {"users", "app-flush"}),
    "app-no-write": (("ACL", "SETUSER", "appuser", "-set"), {"users", "app-writes"}),
    "app-off": (("ACL", "SETUSER", "appuser", "off"),
                {"users", "app-writes", "app-prefix", "app-config"}),
    "viewer-writes": (("ACL", "SETUSER", "viewer", "+set", "~*"), {"users", "viewer-writes"}),
    "viewer-reads": (("ACL", "SETUSER", "viewer", "+get", "~*"), {"users", "viewer-values"}),
    "health-reads": (("ACL", "SETUSER", "health", "+get", "~*"), {"users", "health-reads"}),
    "extra-user": (("ACL", "SETUSER", "eve", "on", ">pw", "~*", "+@all"), {"users"}),
    "missing-user": (("ACL", "DELUSER", "health"), {"users", "health-reads"}),
    "everywhere": (("CONFIG", "SET", "bind", "*"), {"settings", "listens"}),
    "one-more-address": (("CONFIG", "SET", "bind", "127.0.0.1 127.0.0.2"), {"settings", "listens"}),
    "appendonly-off": (("CONFIG", "SET", "appendonly", "no"), {"settings", "copy"}),
    "memory": (("CONFIG", "SET", "maxmemory", "1gb"), {"settings"}),
    "save": (("CONFIG", "SET", "save", "60 1"), {"settings"}),
    "policy": (("CONFIG", "SET", "maxmemory-policy", "noeviction"), {"settings"}),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_server(neighbour: Person, wrong: str) -> None:
    """Law: the check fails in exactly the proofs that this breaks; after up all hold again."""
    command, expected = WRONG[wrong]
    neighbour.ask(*command)
    assert set(failing(neighbour)) == expected
    assert neighbour.say("up", "--yes", "--quiet").code == 0  # it proves that all is well again


@pytest.mark.parametrize("how", ["middle", "cut-then-more", "manifest", "gone"])
def test_append_only_file_damaged(settled: Person, how: str) -> None:
    """Law: data on disk that does not load fails the copy proof while the server still runs well."""
    settled.fill(200)
    folder = settled.state / "data" / "appendonlydir"
    [log] = folder.glob("*.incr.aof")
    if how == "middle":
        with open(log, "r+b") as stream:
            stream.seek(3000)
            stream.write(b"\xff" * 30)
    elif how == "cut-then-more":
        os.truncate(log, log.stat().st_size - 7)
    elif how == "manifest":
        next(folder.glob("*.manifest")).write_text("nonsense\n")
    else:
        log.unlink()
    failed = failing(settled)
    assert set(failed) == {"copy"}
    assert failed["copy"]


def test_admin_locked_out(settled: Person) -> None:
    """Law: a server that refuses Keywright's admin is a failed proof, not an unknown one."""
    settled.ask("ACL", "SETUSER", "admin", "resetpass", ">another")
    assert {"users"} == set(failing(settled))  # asked as the default user, who may do all
    settled.ask("ACL", "SETUSER", "default", "resetpass", ">another", user="default")
    failed = failing(settled)
    assert {"settings", "users"} <= set(failed)
    assert "WRONGPASS" in failed["users"]
    assert settled.say("up").code == 0
    assert failing(settled) == {}


def test_restart_proof_fails_when_nothing_is_kept(settled: Person) -> None:
    """Law: data that does not survive a restart fails `check --restart`."""
    folder = settled.state / "data" / "appendonlydir"
    shutil.rmtree(folder)  # the running server goes on writing to what it has open
    said = settled.say("check", "--restart", "--yes", "--json")
    failed = {each["id"] for each in json.loads(said.out)["proofs"] if each["verdict"] == "failed"}
    assert (said.code, failed) == (1, {"restart"})
