"""users.acl: every user of the plan, no plaintext, and nothing that the file cannot hold."""

from hashlib import sha256

import pytest
from tests.unit.render.plans import SECRETS, built_in

from keywright.errors import InputError
from keywright.secret import Secret
from keywright_ops.facts.acl import parse_acl_list
from keywright_ops.model.plan import User
from keywright_ops.render.acl import declared_users, render_acl

PLAN = built_in("prod")


def with_user(**changes):
    """The plan with one user, changed."""
    user = User("one", True, ("~a:*", "+get"), "one", "")._replace(**changes)
    return PLAN._replace(users=(user,))


def test_one_line_per_user_and_nothing_else(pure):
    """The file is exactly one line per user, in the plan's order, without comments."""
    lines = pure(render_acl, PLAN, SECRETS).split("\n")
    assert [f"user {user.name}" for user in PLAN.users] + [""] == [
        " ".join(line.split()[:2]) for line in lines
    ]


def test_no_plaintext(pure):
    """No password stands in the file, only its SHA-256."""
    text = pure(render_acl, PLAN, SECRETS)
    for name, secret in SECRETS.items():
        assert secret.reveal() not in text
        assert f"user {name} on #{sha256(secret.reveal().encode()).hexdigest()} " in text


def test_a_user_that_is_off_needs_no_password(pure):
    """A disabled user is written off; with a secret it keeps it for the day it is turned on."""
    assert pure(render_acl, with_user(enabled=False), {}) == "user one off ~a:* +get\n"
    one = sha256(b"1").hexdigest()
    expected = f"user one off #{one} ~a:* +get\n"
    assert expected == pure(render_acl, with_user(enabled=False), {"one": Secret("1")})


@pytest.mark.parametrize("secrets", [{}, {"one": Secret("")}])
def test_an_enabled_user_needs_a_password(pure, secrets):
    """A user that is on without a password is refused: nobody could be it, or everybody."""
    with pytest.raises(InputError, match="no password"):
        pure(render_acl, with_user(), secrets)


@pytest.mark.parametrize(
    "changes",
    [
        {"rules": ("~a b*",)},
        {"rules": ("~a\nuser two on nopass ~* +@all",)},
        {"rules": ("~a\tb",)},
        {"rules": ("",)},
        {"rules": ("(~a +get)\n",)},
        {"name": "two words"},
        {"name": "x\ny"},
        {"name": ""},
    ],
)
def test_what_the_file_cannot_hold_is_refused(pure, changes):
    """There is no quoting in an ACL file: a blank or a line break in a word is an error."""
    with pytest.raises(InputError, match="cannot hold blanks"):
        pure(render_acl, with_user(**changes), {"one": Secret("1")})


def test_a_selector_may_hold_blanks(pure):
    """`(~x +get)` is one rule with a blank in it, which the server joins again."""
    text = pure(render_acl, with_user(rules=("-@all", "(~x +get)")), {"one": Secret("1")})
    assert parse_acl_list([text])["one"].commands == ("-@all", "(~x +get)")


def test_half_a_character_is_refused_without_telling(pure):
    """A password that is no text is refused, and the error does not carry it."""
    with pytest.raises(InputError, match="half a character") as caught:
        pure(render_acl, with_user(), {"one": Secret("hidden\ud800")})
    assert caught.value.__cause__ is None
    assert "hidden" not in repr(caught.value)


def test_declared_users_are_the_files(pure):
    """What is compared with the live users is what the file says."""
    declared = pure(declared_users, PLAN, SECRETS)
    assert declared == parse_acl_list(render_acl(PLAN, SECRETS).split("\n"))
    assert set(declared) == {user.name for user in PLAN.users}
    assert declared["appuser"].keys == ("~esabcfg:*",)
