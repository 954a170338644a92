"""The keys' commands on the other engines: Redis 6.2, 7.0 and 8.2."""

import json
import os
from collections.abc import Callable

import pytest
from tests.embedded.stranger import Person
from tests.embedded.test_engines import ENGINES


@pytest.mark.parametrize("engine", ["redis-6.2", "redis-7.0", "redis-8.2"])
def test_a_walk_through_the_keys(person: Callable[..., Person], engine: str):
    """List, show, set, expire, copy, rename, delete and bring back, the same on each."""
    program = ENGINES[engine][0]
    if not os.access(program, os.X_OK):
        pytest.skip(f"{program} is not here")
    one = person(f'server = "{program}"')
    assert one.say("up").code == 0
    one.fill(1000)
    assert one.say("key", "set", "session:abc-123", '{"user_id":42}', "--ttl", "1h").code == 0
    assert json.loads(one.say("keys", "--no-ttl", "--json").out)["found"] == 1000
    assert one.say("keys", "--ttl", "<2h", "--sort", "idle").out == "session:abc-123\n"
    assert '"user_id": 42' in one.say("key", "show", "session:abc-123").out
    assert one.say("key", "copy", "session:abc-123", "other").code == 0
    assert one.say("key", "persist", "other").code == 0
    assert one.say("key", "rename", "other", "third").code == 0
    assert one.say("keys", "esabcfg:*", "--expire", "1d", "--yes").code == 0
    assert one.say("keys", "--no-ttl").out == "third\n"
    assert one.say("keys", "esabcfg:*", "--delete", "--yes").code == 0
    assert one.ask("DBSIZE") == 2
    assert json.loads(one.say("keys", "--undo", "last", "--json").out)["done"] == 1000
    assert "1 session of 1 user" in one.say("sessions").out
    assert "no values" in one.say("key", "show", "third", "--as", "viewer").err


def test_what_is_written_over_is_kept(settled: Person):
    """--undo --replace writes over newer values, which go to a copy first: the way back has a way back."""
    settled.ask("SET", "cart", "old")
    assert settled.say("key", "delete", "cart", "--yes").code == 0
    settled.ask("SET", "cart", "new")
    told = json.loads(settled.say("keys", "--undo", "last", "--replace", "--json").out)
    assert (told["done"], settled.ask("GET", "cart")) == (1, "old")
    assert settled.say("keys", "--undo", told["kept"], "--replace").code == 0
    assert settled.ask("GET", "cart") == "new"
    assert settled.say("keys", "cart", "--undo", "last").code == 2  # it takes no choice of keys


def test_a_place_that_is_none_is_refused(settled: Person):
    """--from takes what the page before told, and nothing else: one sentence, exit 2."""
    settled.ask("RPUSH", "queue", "a", "b")
    settled.ask("SADD", "tags", "a")
    for key in ("queue", "tags"):
        said = settled.say("key", "show", key, "--from", "abc")
        assert (said.code, "is no place" in said.err) == (2, True), said
