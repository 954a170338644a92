"""No secret of a command is shown."""

import pytest

from keywright.secret import MASK
from keywright_ops.facts.masking import masked, without_values

SECRET = "geheim"


@pytest.mark.parametrize(
    "line",
    [
        "AUTH geheim", "auth u geheim", "HELLO 3 AUTH u geheim", "HELLO 3 SETNAME n AUTH u geheim",
        "ACL SETUSER u on >geheim ~*", "ACL SETUSER u <geheim", "ACL SETUSER u #geheim !geheim",
        "CONFIG SET requirepass geheim", "CONFIG SET maxmemory 1 masterauth geheim",
        "SENTINEL SET m auth-pass geheim",
        "CONFIG SET tls-key-file-pass geheim", "MIGRATE h 1 k 0 9 AUTH geheim", "AUTH u geheim geheim",
        "MIGRATE h 1 k 0 9 COPY REPLACE AUTH2 u geheim", "MIGRATE h 1 k 0 9 AUTH geheim KEYS a AUTH b",
    ],
)  # fmt: skip
def test_secrets_are_masked(line: str) -> None:
    """The secret is gone, and everything else is there."""
    words = line.split()
    shown = masked(words)
    assert SECRET not in " ".join(shown)
    assert MASK in shown
    expected = [each for each in words if SECRET not in each]
    assert expected == [each for each in shown if each != MASK]
    assert SECRET not in " ".join(without_values(words))


@pytest.mark.parametrize(
    "line", ["AUTH", "ACL", "ACL SETUSER", "CONFIG SET", "MIGRATE", "HELLO 3 AUTH", "GET auth x"]
)
def test_what_has_none(line: str) -> None:
    """A command cut short, or one that only sounds like it, is shown as it is."""
    assert line.split() == masked(line.split())


def test_values() -> None:
    """Values that are written are hidden, names and keys stay."""
    assert ["SET", "k", "…"] == without_values(["SET", "k", "v", "EX", "5"])
    assert ["hset", "h", "…"] == without_values(["hset", "h", "f", "v"])
    assert ["GET", "k"] == without_values(["GET", "k"])
    assert ["DEL", "a", "b"] == without_values(["DEL", "a", "b"])
    assert ["SET", "k"] == without_values(["SET", "k"])
    assert [] == without_values([])
