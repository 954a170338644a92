"""docs/operating.md is the list that the tests walk, and names only commands that there are."""

import re

from tests.guide.walk import HEADINGS, ROWS, table
from tests.house.tree import ROOT

from keywright_ops.cli.main import COMMANDS

PAGE = (ROOT / "docs/operating.md").read_text()


def test_the_page_is_the_list_that_is_walked() -> None:
    """Each heading's table is the one that the rows make, word for word."""
    for heading in HEADINGS:
        between = PAGE.split(f"<!-- walk: {heading} -->\n")[1].split("\n<!-- end -->")[0]
        assert table(heading) == between, heading


def test_every_command_on_the_page_exists() -> None:
    """A command that the page names is one of the program's."""
    named = set(re.findall(r"`keywright ([a-z]+)", PAGE))
    assert named <= set(COMMANDS)
    assert len(named) > 15


def test_every_row_is_one_of_its_own() -> None:
    """No row stands twice."""
    assert len({(row.heading, row.guide, row.ours) for row in ROWS}) == len(ROWS)
