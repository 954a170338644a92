"""CLIENT LIST as real servers print it."""

import pytest

from keywright_ops.facts.chosen_clients import (
    GROUPS,
    ORDERS,
    Choice,
    group_clients,
    sort_clients,
)
from keywright_ops.facts.clients import parse_client_list, parse_connections
from keywright_ops.facts.spans import parse_span
from keywright_ops.model.facts import Client

# pasted from Redis 7.0.15 and Valkey 9.1
TEXT = """\
id=5 addr=127.0.0.1:33468 laddr=127.0.0.1:6379 fd=8 name=keywright age=12 idle=0 flags=N db=0 sub=0 \
psub=0 ssub=0 multi=-1 qbuf=26 qbuf-free=20448 argv-mem=10 multi-mem=0 rbs=16384 rbp=16384 obl=0 oll=0 \
omem=0 tot-mem=37786 events=r cmd=client|list user=admin redir=-1 resp=2
id=9 addr=[::1]:50111 laddr=[::1]:6379 fd=9 name= age=3 idle=3 flags=N capa= db=0 sub=0 psub=0 ssub=0 \
multi=-1 watch=0 qbuf=0 user=default redir=-1 resp=3 lib-name=redis-py lib-ver=8.1.0 tot-cmds=4
"""


def test_pasted() -> None:
    """The fields that are needed, whatever stands between them."""
    expected = (
        Client(5, "admin", "127.0.0.1:33468", "keywright", 12),
        Client(9, "default", "[::1]:50111", "", 3),
    )
    assert expected == parse_client_list(TEXT)


def test_what_is_no_client() -> None:
    """An empty answer and a broken line are no connections."""
    assert () == parse_client_list("")
    assert () == parse_client_list("garbage\n\nname=x age=1")


# pasted from Redis 6.2, a replica, a monitor and a unix socket whose path has a space
KINDS = """\
id=7 addr=10.0.0.8:6379 laddr=10.0.0.7:6379 fd=9 name= age=90 idle=0 flags=S db=0 sub=0 psub=0 multi=-1 \
qbuf=0 qbuf-free=0 argv-mem=0 obl=0 oll=2 omem=41024 tot-mem=61466 events=r cmd=replconf user=default redir=-1
id=8 addr=127.0.0.1:5001 laddr=127.0.0.1:6379 fd=10 name=watch age=5 idle=5 flags=O db=3 sub=0 psub=0 \
qbuf=0 qbuf-free=20474 obl=0 oll=0 omem=0 tot-mem=61466 events=r cmd=monitor user=viewer redir=-1
id=9 addr=/run/my redis/s.sock:0 laddr=/run/my redis/s.sock:0 fd=11 name=web age=5 idle=70 flags=U db=0 \
sub=2 psub=1 multi=-1 qbuf=0 qbuf-free=0 obl=10 oll=0 omem=0 tot-mem=100 cmd=NULL user=default
"""


def test_all_that_is_told() -> None:
    """Every field that a person may look for, on each kind of connection."""
    replica, monitor, web = parse_connections(KINDS)
    assert (replica.replica, monitor.replica, web.replica) == (True, False, False)
    assert (replica.output, replica.memory, replica.command) == (41024, 61466, "REPLCONF")
    assert (monitor.database, monitor.query, monitor.user) == (3, 20474, "viewer")
    assert (web.address, web.host) == ("/run/my redis/s.sock:0", "/run/my redis/s.sock")
    assert (web.subscriptions, web.output, web.command, web.idle) == (3, 10, "", 70)
    assert parse_connections(TEXT)[0].command == "CLIENT LIST"
    assert parse_connections(TEXT)[1].host == "[::1]"
    assert parse_connections(TEXT)[1].library == "redis-py 8.1.0"


def test_chosen() -> None:
    """All that is given must apply; an address is a host, or with its port; idle is at least so long."""
    everyone = parse_connections(KINDS)

    def ids(**given: object) -> list[int]:
        choice = Choice(**{name: frozenset(each) if isinstance(each, list) else each
                           for name, each in given.items()})  # type: ignore[arg-type]  # fmt: skip
        return [each.id for each in everyone if choice.means(each)]

    assert Choice().empty
    assert ids() == [7, 8, 9]
    assert not Choice(names=frozenset([""])).empty
    assert ids(names=[""]) == [7]
    assert ids(addresses=["10.0.0.8"]) == ids(addresses=["10.0.0.8:6379"]) == [7]
    assert ids(addresses=["10.0.0"]) == []
    assert ids(users=["default"], idle=1) == [9]
    assert ids(idle=70) == [9]
    assert ids(ids=[8, 9], names=["web"]) == [9]
    assert not Choice(idle=0).empty


def test_grouped_and_sorted() -> None:
    """Groups are the largest first and lose nobody; an order is total."""
    everyone = parse_connections(KINDS)
    groups = group_clients(everyone, "user")
    assert [(each.key, each.connections, each.idle) for each in groups] == [
        ("default", 2, 1), ("viewer", 1, 0),
    ]  # fmt: skip
    assert groups[0].memory == 61566
    assert groups[0].longest_idle == 70
    for by in GROUPS:
        assert sum(each.connections for each in group_clients(everyone, by)) == 3
    assert [each.id for each in sort_clients(everyone, "idle")] == [9, 8, 7]
    assert [each.id for each in sort_clients(everyone, "memory")] == [7, 8, 9]
    for by in ORDERS:
        assert {each.id for each in sort_clients(everyone, by)} == {7, 8, 9}


def test_spans() -> None:
    """Times as people type them."""
    typed = ("90", "90s", "10m", "1h", "2D", " 5 m")
    assert [parse_span(each) for each in typed] == [90, 90, 600, 3600, 172800, 300]
    for wrong in ("", "h", "-1", "1.5h", "1 week", "٣"):
        with pytest.raises(ValueError, match="is no time"):
            parse_span(wrong)
