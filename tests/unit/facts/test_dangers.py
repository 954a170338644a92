"""Which commands are asked about, and why."""

import pytest

from keywright_ops.facts.dangers import DANGERS, HARMLESS, IMPOSSIBLE, danger, impossible


@pytest.mark.parametrize(
    "line",
    """flushall | FLUSHDB ASYNC | shutdown | DEBUG RELOAD | config set maxmemory 1 | CONFIG REWRITE |
    CONFIG RESETSTAT | KEYS * | MONITOR | REPLICAOF h 1 | SLAVEOF h 1 | ACL SETUSER u | acl deluser u |
    CLIENT KILL TYPE normal | SCRIPT FLUSH | FUNCTION FLUSH | SWAPDB 0 1 | MIGRATE h 1 k 0 1 | SAVE |
    CLUSTER RESET | MODULE LOAD x | FAILOVER | CLIENT PAUSE 100""".replace("\n", " ").split("|"),
)
def test_what_is_asked(line: str) -> None:
    """Each has a reason of its own, one sentence, that fits after `COMMAND in ENVIRONMENT:`."""
    found = danger(line.split())
    assert found is not None
    assert found.reason[0].islower()
    assert not found.reason.endswith(".")
    assert 10 < len(found.reason) < 90


@pytest.mark.parametrize(
    "line",
    """GET k | DEL k | INFO | CONFIG GET maxmemory | CONFIG | CLIENT LIST | ACL LIST | ACL WHOAMI |
    DEBUG OBJECT k | SHUTDOWN ABORT | SCRIPT LOAD x | SORT k | LASTSAVE | ROLE | BGSAVE |
    CLUSTER INFO | SET FLUSHALL 1""".replace("\n", " ").split("|"),
)
def test_what_is_not_asked(line: str) -> None:
    """What only looks, or touches one key, is not asked about: a question too many is not read."""
    assert danger(line.split()) is None


def test_words_that_change_it() -> None:
    """What follows the name may make it worse, or better."""
    said = {
        line: danger(line.split()) for line in ("SHUTDOWN", "SHUTDOWN NOSAVE", "REPLICAOF NO ONE")
    }
    assert {"SHUTDOWN": False, "SHUTDOWN NOSAVE": True, "REPLICAOF NO ONE": False} == {
        line: found is not None and found.loses for line, found in said.items()
    }


def test_keys_of_a_small_server() -> None:
    """KEYS alone depends on how many keys there are."""
    depends = [name for name, each in DANGERS.items() if each.from_keys]
    assert ["KEYS"] == depends


def test_what_cannot_be_sent() -> None:
    """What our connection could not follow is named before it is sent."""
    assert impossible(["psync", "?", "-1"]) == IMPOSSIBLE["PSYNC"]
    assert impossible(["client", "reply", "off"]) is not None
    assert impossible(["client", "reply", "on"]) is None
    assert impossible(["GET", "SYNC"]) is None


def test_the_table_is_written_as_it_is_asked() -> None:
    """Every entry is one or two words in capitals, so that it can be found."""
    for name in (*DANGERS, *HARMLESS):
        assert name == name.upper()
        assert len(name.split()) in (1, 2)
