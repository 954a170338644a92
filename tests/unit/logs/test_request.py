"""What was typed is what is asked; what cannot be meant is a sentence with what could be."""

import pytest
from tests.purity import pure

from keywright.errors import InputError
from keywright_ops.logs.request import Request, asked, parse_priorities
from keywright_ops.logs.source import Wish
from keywright_ops.logs.topics import TOPICS, never
from keywright_ops.logs.zones import UTC

NOW = 1795860592.0


def ask(**typed: object):
    """Ask it, purely."""
    return pure(asked, Request(**typed), NOW, UTC, NOW - 50)  # type: ignore[arg-type]


def test_nothing_typed_asks_for_everything():
    """No filter, no bound."""
    found = ask()
    assert (Wish(), False, NOW - 50) == (found.wish, found.question.filters, found.booted)


def test_everything_typed_is_asked():
    """Each option in its place."""
    found = ask(
        since="1h", until="now", tail="7", level="notice", greps=["a b", "c"], excludes=["d"],
        topics=["memory"], fold=False, boot=True, priority="warning..err",
    )  # fmt: skip
    assert Wish(NOW - 3600, NOW, 7, True, (3, 4)) == found.wish
    assert found.question.levels == {"notice", "warning"}
    grep, topic = found.question.wanted
    assert [b"a b", b"c"] == [each.literal for each in grep.alternatives]
    assert (False, True) == (grep.fold, topic.fold)
    assert found.question.unwanted is not None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("err", (0, 3)), ("warning", (0, 4)), ("info", (0, 6)), ("warning..err", (3, 4)),
        ("err..warning", (3, 4)), ("3", (0, 3)), ("0..7", (0, 7)), ("error", (0, 3)), ("DEBUG", (0, 7)),
    ],
)  # fmt: skip
def test_priorities_are_journalctls(text: str, expected: tuple[int, int]):
    """A word or a number, alone with all that is graver, or a range in either order."""
    assert expected == parse_priorities(text)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"level": "warnings"}, "there is no level 'warnings'"),
        ({"level": "info"}, "the servers have no level 'info'"),
        ({"priority": "8"}, "there is no priority '8'"),
        ({"priority": "warning.."}, "there is no priority ''"),
        ({"tail": "-5"}, "--tail '-5' is no number of lines"),
        ({"tail": "²"}, "--tail '²' is no number of lines"),
        ({"topics": ["sadness"]}, "there is no topic 'sadness'"),
        ({"since": "1h", "until": "2h"}, "nothing lies between"),
        ({"since": "1h", "until": "1h"}, "nothing lies between"),
    ],
)
def test_what_cannot_be_meant_is_a_sentence(typed: dict[str, object], sentence: str):
    """With a hint."""
    with pytest.raises(InputError) as told:
        ask(**typed)
    assert sentence in str(told.value) and told.value.hint


def test_what_no_server_writes_names_the_command_that_tells_it():
    """Failed logins, slow commands, keys, JSON, a level info."""
    cases = {
        "NOAUTH": "acl log", r"connection\|auth": "acl log", "latency": "slowlog",
        "session:abc-123": "monitor", "get foo": "monitor",
        "^{": "--json", "info": "notice", "error": "--level warning",
    }  # fmt: skip
    for pattern, word in cases.items():
        told = " ".join(never([pattern], []))
        assert word in told, pattern
    assert never(["Ready to accept"], []) == []
    assert "acl log" in " ".join(never([], ["security"]))
    assert all(isinstance(never([], [name]), list) for name in TOPICS)
