"""What must not stand in any file of the project."""

import re

from tests.house.tree import ROOT, texts

HERE = "tests/house/test_tree.py"  # names what it looks for

UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK|TBD)\b")
SECRETS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/]{20}"
    r"|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{30,}|\bxox[abp]-[0-9A-Za-z-]{10,}"
)
REGISTRIES = re.compile(
    r"pypi\.org|pythonhosted\.org|npmjs\.(org|com)|deb\.debian\.org|index-url|find-links|"
    r"(hub|registry)[-.]\w*\.?docker\.(com|io)|\bghcr\.io|\bquay\.io"
)
# Where this checkout stands, and the places that only a maintainer's machine has.
PLACES = re.compile(
    re.escape(f"{ROOT}/") + r"|/work/(?!dir)|\.pyenv|/opt/(pypi|wheels)|\.\./shared"
)


def sightings(pattern: re.Pattern[str], but: frozenset[str] = frozenset()) -> list[str]:
    """Every line of the tree that holds the pattern, as file:line: text."""
    return [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in texts()
        if name != HERE and name not in but
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_nothing_is_left_to_do():
    """What is not done stands in an issue, not in a comment."""
    assert sightings(UNFINISHED, but=frozenset({"pyproject.toml"})) == []


def test_no_secret():
    """No private key and no token stands in the tree."""
    assert sightings(SECRETS) == []


def test_no_registry_address():
    """Packages are named; where they come from is the business of the machine."""
    assert sightings(REGISTRIES) == []


def test_no_place_of_one_machine():
    """The project runs from any folder of any machine."""
    assert sightings(PLACES) == []


def test_every_file_ends_in_a_newline():
    """A text file's last line is a line."""
    empty_or_whole = (name for name, text in texts() if text and not text.endswith("\n"))
    assert [name for name in empty_or_whole if not name.startswith("tests/golden/")] == []
