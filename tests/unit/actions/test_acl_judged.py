"""On Redis 6.2, which has no ACL DRYRUN, a user's rights are read from its rules."""

import pytest

from keywright_ops.actions.acl import judge
from keywright_ops.facts.acl import parse_acl_list

# As 6.2 answers ACL CAT: whole commands, no subcommands.
CATEGORIES = {
    "read": frozenset({"get", "scan"}), "write": frozenset({"set", "del"}),
    "dangerous": frozenset({"config", "keys", "info", "client"}),
    "connection": frozenset({"ping", "auth", "hello", "client"}),
}  # fmt: skip
ALL = CATEGORIES | {"all": frozenset().union(*CATEGORIES.values())}


@pytest.mark.parametrize(
    ("rules", "words", "may"),
    [
        ("+@all", ("config", "get", "x"), True),
        ("+@all -@dangerous", ("config", "get", "x"), False),
        ("+@all -@dangerous", ("set", "a", "1"), True),
        ("-@all +ping +info", ("INFO",), True),
        ("-@all +ping +info", ("GET", "a"), False),
        ("-@all +client|list", ("client", "list"), True),
        ("-@all +client|list", ("client", "kill"), False),
    ],
)
def test_judged_by_the_rules(rules: str, words: tuple[str, ...], may: bool) -> None:
    """Law: the command's right is told as the server has it, and that it was judged is said."""
    user = parse_acl_list([f"user u on #{'0' * 64} ~* &* {rules}"])["u"]
    verdict = judge(user, ALL, words)
    assert (verdict.may, verdict.judged, bool(verdict.why)) == (may, True, not may)
