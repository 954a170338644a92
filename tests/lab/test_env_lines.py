"""The programs themselves read Keywright's lines from a developer's own .env; no root, no engine."""

import pytest
from tests.lab.test_env_dialects import PROGRAMS, dialects
from tests.unit.render.plans import SECRETS, built_in

from keywright.dotenv import read
from keywright_ops.render.dotenv import render_marked
from keywright_ops.render.dotenv_lines import put_lines

# What stands in a developer's file, with every variable of ours under another value.
THEIRS = {
    "plain": "SECRET_KEY=1\nREDIS_HOST=old\nREDIS_PORT=1\nREDIS_PASSWORD=old\nCACHE_TTL=1\n",
    "no final newline": "REDIS_DB=7\nREDIS_HOST=old",
    "carriage returns": "SECRET_KEY=1\r\nREDIS_HOST=old\r\nREDIS_PASSWORD=old\r\n",
    "quotes": "A='x y'\nREDIS_PASSWORD='old one'\nREDIS_HOST=\"old\"\n# it's a note\n",
    "a backslash at the end": "REDIS_HOST=old\nA=x\\\n",
    "empty": "",
    "lines of ours before and after": "",
}
ENDS = {"lines of ours before and after": "SECRET_KEY=2\nDEBUG=no\n"}
BLOCK = render_marked(built_in("dev"), SECRETS)


@dialects
@pytest.mark.parametrize("kind", THEIRS)
def test_every_program_reads_our_lines(dialect: str, kind: str) -> None:
    """The later line of a name counts in each of them, so ours at the end do."""
    text = put_lines(THEIRS[kind], BLOCK) + ENDS.get(kind, "")
    found = PROGRAMS[dialect][0](text.encode())
    assert found is not None, "the program refused the whole file"
    expected = read(BLOCK, dialect).values()
    assert expected == {name: found.get(name) for name in expected}


@dialects
def test_the_later_line_counts(dialect: str) -> None:
    """The law beneath: a name that stands twice has its second value."""
    found = PROGRAMS[dialect][0](b"A=first\nB=x\nA=second\n")
    assert {"A": "second", "B": "x"} == found
