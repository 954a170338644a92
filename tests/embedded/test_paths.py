"""Odd names everywhere: home, project, app, prefix. What can be named works or is refused; nothing breaks."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.embedded.stranger import Person

ODD = ["a b  'c' \"d\" #e", "$HOME `id` %s ;&*?", "back\\slash\\", "ünïcödé ✓ 💾", "-dash",
       "tab\tnew\nline", "a" * 200]  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_odd_folders(rooms: Callable[[], Path], name: str) -> None:
    """Law: a home and a project of any name get a proven server, found again, restarted, stopped."""
    one = Person(rooms() / name)
    try:
        for words in (["up"], ["check"], ["restart"], ["diff", "--strict"]):
            said = one.say(*words)
            assert said.code == 0, (words, said)
        assert one.say("env", "--write", ".env").code == 0
        assert one.say("down").code == 0
        assert one.pids() == []
    finally:
        one.leave()


def test_bytes_that_are_no_text(rooms: Callable[[], Path]) -> None:
    """Law: a home whose name is no UTF-8 works as well, or is refused with a sentence."""
    root = Path(os.fsdecode(bytes(rooms()) + b"/caf\xe9"))
    one = Person(root)
    try:
        said = one.say("up")
        assert said.code in (0, 2), said
        if said.code == 0:
            assert one.say("check").code == 0
            assert one.say("down").code == 0
    finally:
        one.leave()


def test_very_deep(rooms: Callable[[], Path]) -> None:
    """Law: a path far beyond the length of a unix socket's is no hindrance."""
    one = Person(rooms() / "/".join(["d" * 100] * 9))
    try:
        said = one.say("up")
        assert said.code == 0, said
        assert one.say("check").code == 0
    finally:
        one.leave()


@pytest.mark.parametrize(
    "top",
    [
        'app = "x"',
        'app = "my-app_2.0"',
        'prefix = ""',
        'prefix = "a*b:"',
        'prefix = "with space:"',
        'prefix = "é:"',
        "prefix = '\"quoted\":'",
        'prefix = "{tag}:"',
        'prefix = "[a-z]:"',
        'prefix = "~x:"',
        'app = "UPPER"',
    ],
)
def test_odd_app_and_prefix(person: Callable[..., Person], top: str) -> None:
    """Law: whatever name and prefix the profile accepts, the server is proven with it."""
    one = person(top=top)
    said = one.say("up")
    assert said.code in (0, 2), said
    if said.code == 2:
        assert "keywright: " in said.err
        assert top.partition(" ")[0] in said.err
        return
    assert "nothing to do" in one.say("up").out
