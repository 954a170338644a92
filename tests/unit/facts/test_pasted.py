"""Every parser reads from real output what a person reads in it."""

import pytest
from tests.unit.facts.pasted import pasted

from keywright_ops.facts.acl import parse_acl_list
from keywright_ops.facts.info import parse_info
from keywright_ops.facts.process import parse_proc_net_tcp, parse_proc_stat_start
from keywright_ops.facts.redis_conf import parse_redis_conf
from keywright_ops.facts.server import parse_server


@pytest.mark.parametrize(("output", "fact"), pasted("INFO"))
def test_info_names_server_and_state(pure, output, fact):
    """INFO of a well and a sick server gives its name, own version, process and state."""
    info = pure(parse_info, output)
    assert fact["fields"] == {name: info[name] for name in fact["fields"]}
    assert tuple(fact["server"]) == pure(parse_server, info)


@pytest.mark.parametrize(("output", "fact"), pasted("ACL LIST"))
def test_acl_list_names_users(pure, output, fact):
    """ACL LIST gives every user's state, hashes, key patterns and channels."""
    users = pure(parse_acl_list, output)
    read = {
        name: {
            "enabled": user.enabled,
            "nopass": user.nopass,
            "hashes": sorted(user.hashes),
            "keys": list(user.keys),
            "channels": list(user.channels),
        }
        for name, user in users.items()
    }
    assert fact == read


@pytest.mark.parametrize(("output", "fact"), pasted("ACL LIST"))
def test_selectors_stay_whole(pure, output, fact):
    """A selector is one word, so that a user with one is never taken for a user without."""
    odd = pure(parse_acl_list, output)["odd"]
    expected = (
        "-@all",
        "+get",
        "(~x resetchannels -@all +set)",
        "(%W~y* resetchannels -@all +@write -set)",
    )
    assert expected == odd.commands


@pytest.mark.parametrize(("output", "fact"), pasted("cat redis.conf"))
def test_a_rewritten_file_is_read(pure, output, fact):
    """The file that CONFIG REWRITE wrote gives the canonical values, under the names we use."""
    read = pure(parse_redis_conf, output)
    assert fact == {name: read[name] for name in fact}
    assert read["user"].count("\n") == 3


@pytest.mark.parametrize(("output", "fact"), pasted("cat /proc/<pid>/stat"))
def test_start_time(pure, output, fact):
    """The start time is field 22, whatever the program is called."""
    assert fact == pure(parse_proc_stat_start, output)
    assert fact == pure(parse_proc_stat_start, output.replace("redis-server", "a) R (b c) Z"))


@pytest.mark.parametrize(("output", "fact"), pasted("cat /proc/net/tcp"))
def test_listening_addresses(pure, output, fact):
    """Only listening sockets of that very port count, not its connections."""
    assert tuple(fact["addresses"]) == pure(parse_proc_net_tcp, output, fact["port"])
    assert pure(parse_proc_net_tcp, output, fact["port"] + 1) == ()
