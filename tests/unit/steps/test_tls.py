"""Which certificate is served, which doors are open: the steps, and who must follow."""

from typing import Any

import pytest
from tests.unit.steps.states import HOME, HOST, declared_of, facts_of

from keywright_ops.model.absence import Missing
from keywright_ops.model.facts import Certificate, Facts, Server
from keywright_ops.model.plan import Plan
from keywright_ops.model.step import Danger, Presents, RedisCommand, Until, reads_files_again
from keywright_ops.plan.resolve import resolve
from keywright_ops.profile.load import load_profile
from keywright_ops.steps.conditions import holds, questions
from keywright_ops.steps.declared import Declared
from keywright_ops.steps.diff import diff

OLD = Certificate("old", "1", "redis", "shop", 0, 2**31, ("localhost",), b"", "k", "authority")
NEW = OLD._replace(fingerprint="new", serial="2")
STRANGE = NEW._replace(fingerprint="strange", signer_id="another authority")
AOF = "appendonly=true\n"
SIX = Server("redis", "6.2.14", 42, "", "/programs/valkey-server", 1)


def plan_of(text: str) -> Plan:
    """A local environment of exactly these lines."""
    profile = load_profile(f"app='shop'\n[env.local]\n{AOF}{text}\n", "keywright.toml")
    return resolve(profile, "local", HOST, {}, HOME)


def declared(text: str, certificate: Certificate | Missing = NEW) -> Declared:
    """What these lines declare, with that certificate."""
    return declared_of(plan_of(text))._replace(certificate=certificate)


def running(text: str, **sick: Any) -> Facts:
    """A server that runs as these lines say."""
    facts = facts_of(declared(text))
    assert isinstance(facts.config, dict)
    off = {"tls-port": "0", "tls-cert-file": "", "tls-key-file": "", "tls-ca-cert-file": ""}
    return facts._replace(config=off | facts.config, **{"certificate": OLD} | sick)


ON, PLAIN = "tls.enabled=true", "port=6379"
BOTH = f"{ON}\n{PLAIN}"


def test_as_declared(pure: Any) -> None:
    """The declared certificate is served: nothing to do."""
    assert () == pure(diff, declared(ON, OLD), running(ON))


def test_another_certificate_is_served_by_one_command(pure: Any) -> None:
    """Certificate, key and authority in one CONFIG SET; done when a handshake brings it; undone last."""
    (step,) = pure(diff, declared(ON), running(ON))
    folder = f"{HOME}/tls"
    words = ("tls-cert-file", f"{folder}/server.crt", "tls-key-file", f"{folder}/server.key")
    words = (*words, "tls-ca-cert-file", f"{folder}/ca.crt")
    assert RedisCommand("admin", ("CONFIG", "SET", *words)) == step.do
    assert Until((Presents("new"),)) == step.until
    assert (Danger.SAFE, True) == (step.danger, reads_files_again(step.undo))


def test_another_authority_is_asked_about() -> None:
    """What another authority signed: clients must know that one first."""
    (step,) = diff(declared(ON, STRANGE), running(ON))
    assert (Danger.CLIENTS_FOLLOW, True) == (step.danger, "clients must follow" in step.title)
    assert f"{HOME}/tls/ca.crt" in step.title


def test_what_is_not_known_is_not_changed() -> None:
    """A certificate that cannot be read, or a handshake that was not possible, is no difference."""
    assert () == diff(declared(ON, Missing("not readable")), running(ON))
    assert () == diff(declared(ON), running(ON, certificate=Missing("no handshake")))


def test_older_servers_are_restarted() -> None:
    """Redis 6.2 reads a certificate only when it starts."""
    (step,) = diff(declared(ON), running(ON, server=SIX))
    assert (Danger.DISTURBS, True) == (step.danger, "only when it starts" in step.title)


def test_files_of_another_name_are_one_command_too() -> None:
    """From a person's certificate to Keywright's: never one of the three alone."""
    mine = "tls.cert_file='/c/a.crt'\ntls.key_file='/c/a.key'\ntls.ca_cert_file='/c/ca.crt'"
    steps = diff(declared(ON), running(mine))
    assert ["reload-certificate", "write-redis.conf"] == [each.id for each in steps]


def test_tls_beside_the_open_port_is_opened_live() -> None:
    """Nobody's door closes: one command, no restart; Redis 6.2 is restarted."""
    steps = diff(declared(BOTH), running(PLAIN, certificate=Missing("no TLS")))
    live = [each.id for each in steps]
    assert ["open-tls", "write-redis.conf"] == [each for each in live if "auth" not in each]
    assert {Danger.SAFE} == {each.danger for each in steps}
    old = diff(declared(BOTH), running(PLAIN, server=SIX))
    assert ("stop", Danger.DISTURBS) == (old[-1].id, old[-1].danger)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (PLAIN, ON, "6379 without TLS closes, 6380 with TLS answers (port = 6379 beside TLS"),
        (BOTH, ON, "6379 without TLS closes, 6380 with TLS answers"),
        (PLAIN, "port=6399", "6379 without TLS closes, 6399 without TLS answers"),
        (ON, PLAIN, "6380 with TLS closes, 6379 without TLS answers"),
        (ON, f"{ON}\ntls.port=6390", "6380 with TLS closes, 6390 with TLS answers"),
        (BOTH, PLAIN, "6380 with TLS closes, 6379 without TLS answers"),
    ],
)
def test_a_door_that_closes_is_asked_about(before: str, after: str, words: str) -> None:
    """The stop names what closes and what answers then, and how to have both meanwhile."""
    stop = diff(declared(after), running(before))[-1]
    assert ("stop", Danger.CLIENTS_FOLLOW) == (stop.id, stop.danger)
    assert f"clients must follow: {words}" in stop.title
    assert (before == PLAIN and after == ON) == ("beside TLS" in stop.title)


def test_what_loses_data_stays_the_worse() -> None:
    """A stop that costs keys and clients is said to lose data."""
    profile = "app='shop'\n[env.local]\nappendonly=false\nsave=[]\n"
    plan = resolve(load_profile(f"{profile}{ON}\n", "k"), "local", HOST, {}, HOME)
    before = resolve(load_profile(f"{profile}{PLAIN}\n", "k"), "local", HOST, {}, HOME)
    stop = diff(declared_of(plan), facts_of(declared_of(before))._replace(stored=()))[-1]
    assert (Danger.LOSES_DATA, True) == (stop.danger, "clients must follow" in stop.title)


def test_the_condition(pure: Any) -> None:
    """Presents: yes, no, or Missing with the reason."""
    facts = running(ON)
    assert (True, False) == tuple(pure(holds, Presents(each), facts) for each in ("old", "new"))
    why = Missing("no handshake")
    assert why == holds(Presents("old"), facts._replace(certificate=why))
    assert frozenset({"certificate"}) == questions((Presents("old"),))
