"""Names of a Linux host in keywright.toml: interfaces and versions; nothing else is taken for one."""

from typing import Any

import pytest

from keywright.errors import ProfileError
from keywright_ops.profile.host_words import parse_interfaces, parse_version
from keywright_ops.profile.load import load_profile
from keywright_ops.profile.values import NotThat


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["eth1"], ("eth1",)),
        (["enp0s31f6", "br-0a1b2c3d4e5f", "vlan.100", "wg_0"], None),
        (["eth1@if7", "eth1"], ("eth1",)),
        (["eth1", "eth1", "eth2"], ("eth1", "eth2")),
        ([], ()),
    ],
)
def test_interfaces_are_named_as_ip_link_names_them(
    pure: Any, names: list[str], expected: tuple[str, ...] | None
) -> None:
    """Each once, in order, without what it is tied to."""
    assert (tuple(names) if expected is None else expected) == pure(parse_interfaces, names)


@pytest.mark.parametrize(
    "wrong",
    ["eth1", 5, None, {}, [1], [""], ["a b"], ["-x"], ["eth1;id"], ["eth1\n"], ["x" * 16], ["é0"],
     ["../x"], ["lo"], ["docker0"], ["$(id)"], ["@if7"], ["10.0.0.5/24"], [["eth1"]]],
)  # fmt: skip
def test_what_is_no_interface_is_refused(wrong: object) -> None:
    """One sentence, and the right thing in it or its hint; nothing that a shell could take for more."""
    with pytest.raises(NotThat) as caught:
        parse_interfaces(wrong)
    told = bool(caught.value.hint) or str(caught.value).startswith("text ")
    assert (False, True) == ("\n" in str(caught.value), told)


@pytest.mark.parametrize(
    "version",
    ["", "latest", "5:7.0.15-1~deb12u7", "8.0.2-1+b1", "6:8.2.0~rc1-1rl1~bookworm1", "1:2.0"],
)
def test_versions_are_those_of_packages(pure: Any, version: str) -> None:
    """As `apt-cache policy` shows them, "latest", or nothing."""
    assert version == pure(parse_version, version)


@pytest.mark.parametrize(
    "wrong", [5, None, [], True, "-t", "7.0 8.0", "7.0;id", "=7", "7.0\n", "x" * 130, "7/bookworm"]
)
def test_what_is_no_version_is_refused(wrong: object) -> None:
    """No option of apt, no other release, no blank reaches its command line."""
    with pytest.raises(NotThat) as caught:
        parse_version(wrong)
    told = bool(caught.value.hint) or str(caught.value).startswith("text ")
    assert (False, True) == ("\n" in str(caught.value), told)


def test_the_file_is_refused_with_the_path_in_it() -> None:
    """The error begins with the path in the file, and says what to write instead."""
    for line, path, hint in (
        ('interfaces = ["a b"]', "env.linux.interfaces: ", "ip link"),
        ('unit.version = "7 8"', "env.linux.unit.version: ", "apt-cache policy"),
    ):
        with pytest.raises(ProfileError) as caught:
            load_profile(f"[env.linux]\n{line}\n", "keywright.toml")
        assert (True, True) == (str(caught.value).startswith(path), hint in caught.value.hint)
