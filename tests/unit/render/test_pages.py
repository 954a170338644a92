"""The pages of docs/environments name what is rendered: all of it, with its mode, nothing else."""

import re
from pathlib import Path

import pytest
from tests.unit.render.plans import built_in, guarded, secrets_of

from keywright_ops.model.artefact import WholeFile
from keywright_ops.render.artefacts import render

PAGES = Path(__file__).resolve().parents[3] / "docs" / "environments"


@pytest.mark.parametrize("name", ["local", "dev", "prod", "linux", "azure", "aws"])
def test_a_page_lists_exactly_the_files_of_its_environment(name: str) -> None:
    """The table of a page is what render gives, `linux` with everything switched on."""
    plan = guarded() if name == "linux" else built_in(name)
    files = [each for each in render(plan, secrets_of(plan)) if isinstance(each, WholeFile)]
    text = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `([^`]+)` \| (0[0-7]{3}) \|", text, re.MULTILINE)
    assert sorted(listed) == sorted((each.path, f"{each.mode:04o}") for each in files)
