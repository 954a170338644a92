"""ACL rules, applied in their order, and rights compared by what they permit."""

import pytest

from keywright_ops.facts.acl import parse_acl_list, permitted, same_rights

CATEGORIES = {
    "read": frozenset({"get", "config|get"}),
    "slow": frozenset({"config", "config|get", "config|set"}),
    "fast": frozenset({"get", "auth"}),
    "all": frozenset({"get", "auth", "config", "config|get", "config|set", "vadd"}),
}
ONE = "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"  # sha256 of "1"


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ("", {"auth"}),
        ("+GET", {"auth", "get"}),
        ("+config", {"auth", "config|get", "config|set"}),
        ("+config -config|set", {"auth", "config|get"}),
        ("+@slow -@read", {"auth", "config|set"}),
        ("allcommands -get", {"auth", "config|get", "config|set", "vadd"}),
        ("+vadd nocommands +get", {"auth", "get"}),
        ("+unknown", {"auth", "+unknown"}),
        ("+unknown -@all", {"auth"}),
        ("-unknown +@all -get", CATEGORIES["all"] - {"get", "config"}),
        ("skip-sanitize-payload -@all", {"auth", "skip-sanitize-payload"}),
        ("+ -", {"auth", "+", "-"}),
    ],
)
def test_rules_apply_in_their_order(pure, rules, expected):
    """Categories and commands add and take; a container is its subcommands; odd words stay."""
    assert frozenset(expected) == pure(permitted, rules.split(), CATEGORIES)


def test_selectors_are_rights_of_their_own(pure):
    """Taking all commands leaves a selector, as on the server; clearselectors takes it."""
    kept = pure(parse_acl_list, ["user u (~x +get) -@all"])["u"]
    assert frozenset({"auth", "(~x +get)"}) == pure(permitted, kept.commands, CATEGORIES)
    cleared = pure(parse_acl_list, ["user u +get (~x +get) clearselectors"])["u"]
    assert cleared.commands == ("+get",)


def test_without_all_the_union_is_taken(pure):
    """Where the server told no "all", every listed command is every command."""
    told = {name: each for name, each in CATEGORIES.items() if name != "all"}
    expected = frozenset({"get", "auth", "config|get", "config|set"})
    assert expected == pure(permitted, ["+@all"], told)


@pytest.mark.parametrize(
    ("rules", "enabled", "nopass", "hashes", "keys", "channels"),
    [
        ("on >1", True, False, {ONE}, (), ()),
        (f"on #{ONE.upper()} <1", True, False, set(), (), ()),
        (f"on >1 >2 !{ONE} resetpass", True, False, set(), (), ()),
        ("on >1 nopass", True, True, set(), (), ()),
        ("on nopass >1", True, False, {ONE}, (), ()),
        ("on nopass ~a &b +get reset", False, False, set(), (), ()),
        ("~a %RW~b ~a %R~c", False, False, set(), ("~a", "~b", "%R~c"), ()),
        ("~a allkeys ~b", False, False, set(), ("~*",), ()),
        ("allkeys resetkeys ~b", False, False, set(), ("~b",), ()),
        ("&a allchannels", False, False, set(), (), ("&*",)),
        ("allchannels resetchannels &b", False, False, set(), (), ("&b",)),
    ],
)
def test_a_users_words(pure, rules, enabled, nopass, hashes, keys, channels):
    """Each word does to the user what it does on the server, in its order."""
    user = pure(parse_acl_list, [f"user u {rules}\n"])["u"]
    expected = ("u", enabled, nopass, frozenset(hashes), keys, channels)
    assert expected == user[:6]


def test_other_lines_are_nobody(pure):
    """A comment (Redis 8.8 has them), a blank line and a lone word are no users."""
    assert pure(parse_acl_list, ["# user a on", "", "user", "user a on"]).keys() == {"a"}


def test_rights_do_not_speak_of_passwords(pure):
    """Two users with other hashes have the same rights; one without any password has not."""
    users = pure(
        parse_acl_list, ["user a on >1 +get", "user b on >2 +get", "user c on nopass +get"]
    )
    assert pure(same_rights, users["a"], users["b"], CATEGORIES) is True
    assert pure(same_rights, users["a"], users["c"], CATEGORIES) is False
