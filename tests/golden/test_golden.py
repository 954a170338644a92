"""The exact files of every environment, as a person would read them; rewritten by update.py."""

from pathlib import Path

import pytest
from tests.golden.update import ENVIRONMENTS, HERE, rendered


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_artefact_equals_its_golden_file(environment: str) -> None:
    """What is rendered for an environment is, byte for byte and name for name, what is kept here.

    After a wanted change: `python -m tests.golden.update`, and read the difference.
    """
    folder = HERE / environment
    kept = {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    assert kept == rendered(environment)


def test_every_golden_folder_is_an_environment() -> None:
    """No golden folder is left behind by an environment that is gone."""
    folders = {path.name for path in Path(HERE).iterdir() if path.is_dir()}
    assert folders - {"__pycache__"} == set(ENVIRONMENTS)
