"""CLIENT LIST as real servers print it."""

from keywright_ops.facts.clients import parse_client_list
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
