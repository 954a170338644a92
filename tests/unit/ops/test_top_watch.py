"""What a look takes from a server's answers."""

from collections.abc import Sequence

from keywright.wire import Reply, Word
from keywright_ops.ops.top.watch import CLIENTS, SLOW, Watch


def ask(commands: Sequence[Sequence[Word]]) -> list[Reply]:
    """A server whose slow log holds a password, as those that redact nothing have it."""
    told: dict[str, Reply] = {
        "INFO": "redis_version:6.2.0\r\n",
        "CLIENT": "id=7 addr=10.0.0.9:1 name=web user=appuser idle=3 tot-mem=100 cmd=client|list\n",
        "SLOWLOG": [[1, 0, 9, ["CONFIG", "SET", "requirepass", "hunter2"], "10.0.0.9:1", ""]],
    }
    return [told[str(words[0])] for words in commands]


def test_no_secret_of_the_slow_log_is_shown():
    """The words of a slow command are masked before anything shows them."""
    watch = Watch(ask)
    watch.look(SLOW)
    seen = watch.look(SLOW)
    assert seen is not None
    assert [each.words[:3] for each in seen.slow] == [("CONFIG", "SET", "requirepass")]
    assert "hunter2" not in str(seen.slow)


def test_clients_are_read_as_everywhere():
    """The table's rows are the connections that `clients` reads."""
    watch = Watch(ask)
    watch.look(CLIENTS)
    seen = watch.look(CLIENTS)
    assert seen is not None
    assert [(each.id, each.name, each.command, each.idle) for each in seen.clients] == [
        (7, "web", "CLIENT LIST", 3)
    ]
