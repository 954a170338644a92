"""What a command says that it sends is what it sends, and the page of rights is what servers permit.

`python -m tests.embedded.test_rights` draws the page's table anew.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.embedded.stranger import Person
from tests.guide.rights import COMMANDS, PAGE, put, sends, table
from tests.house.tree import ROOT

from keywright.endpoint import Endpoint
from keywright.secret import Secret
from keywright.wire import Wire

# How each command is said when its questions are counted; {} for nothing more.
WORDS: Mapping[str, tuple[str, ...]] = {
    "info": (),
    "memory": (),
    "stats": ("--interval", "0.1"),
    "clients": (),
    "clients kill": ("--user", "appuser", "--yes"),
    "slowlog": (),
    "slowlog reset": ("--yes",),
    "latency": ("--samples", "2"),
    "commandstats": (),
    "top": ("--count", "1", "--interval", "0.2"),
    "monitor": ("--for", "300ms"),
}
LOGIN = {"AUTH", "HELLO", "CLIENT SETNAME", "SELECT"}


def admin(person: Person) -> Wire:
    """The test's own connection."""
    place = Endpoint(port=person.port, username="admin", password=Secret(person.secrets["admin"]))
    return Wire(place)


def categories(wire: Wire) -> dict[str, frozenset[str]]:
    """ACL CAT of the server, by category, with every command as "all"."""
    found = {name: frozenset(wire.call("ACL", "CAT", name)) for name in wire.call("ACL", "CAT")}
    return found | {"all": frozenset().union(*found.values())}


def counted(wire: Wire) -> dict[str, int]:
    """Calls by command, from INFO commandstats."""
    lines = wire.call("INFO", "commandstats").splitlines()
    rows = (line.removeprefix("cmdstat_").split(":calls=") for line in lines if "cmdstat_" in line)
    return {name.upper().replace("|", " "): int(rest.split(",")[0]) for name, rest in rows}


@pytest.mark.parametrize("command", WORDS)
def test_a_command_sends_what_it_says(neighbour: Person, command: str) -> None:
    """The server counts no command that the action does not name, but those of logging in."""
    with admin(neighbour) as wire:
        before = counted(wire)
        said = neighbour.say(*command.split(), *WORDS[command])
        assert said.code == 0, said
        after = counted(wire)
    sent = {name for name, calls in after.items() if calls > before.get(name, 0)} - LOGIN
    assert sent - {"INFO"} <= set(sends(command))


def test_the_page_says_what_the_server_permits(neighbour: Person) -> None:
    """The table of docs/reference/rights.md is the one that the embedded server gives."""
    with admin(neighbour) as wire:
        made = table(categories(wire))
    text = (ROOT / PAGE).read_text()
    assert text == put(text, made), "python -m tests.embedded.test_rights draws it anew"


def test_every_command_that_asks_is_on_the_page() -> None:
    """Every module that names what it sends belongs to a command of the page."""
    source = ROOT / "src" / "keywright_ops"
    named = {
        ".".join(path.relative_to(source).with_suffix("").parts)
        for path in source.rglob("*.py")
        if "\nSENDS = (" in path.read_text()
    }
    assert named == {name for names in COMMANDS.values() for name in names}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        someone = Person(Path(folder) / "p")
        try:
            assert someone.say("up").code == 0
            with admin(someone) as line:
                page = ROOT / PAGE
                page.write_text(put(page.read_text(), table(categories(line))))
        finally:
            someone.leave()
