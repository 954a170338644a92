"""The fences bite: what they forbid is reported when somebody does it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.house.tree import ROOT, SRC

PLANTED = {
    "street": ("keywright_ops/model/planted.py", "import keywright_ops.plan.resolve"),
    "street, an undeclared room": ("keywright_ops/attic/__init__.py", ""),
    "waterline": ("keywright_ops/plan/planted.py", "import subprocess"),
    "light": ("keywright/planted.py", "import keywright_ops.model.plan"),
}
IMPURE = {
    "clock": "import time\n\nNOW = time.time()\n",
    "today": "from datetime import datetime\n\nNOW = datetime.now()\n",
    "environment": "import os\n\nHOME = os.environ['HOME']\n",
    "getenv": "from os import getenv\n\nHOME = getenv('HOME')\n",
    "chance": "from random import choice\n\nONE = choice([1])\n",
    "file": "TEXT = open('x').read()\n",
    "path": "from pathlib import Path\n\nTEXT = Path('x').read_text()\n",
}


def lint_imports(tree: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on a copy of the tree."""
    code = (
        "import sys; sys.path.insert(0, 'src'); from importlinter.cli import lint_imports; "
        "sys.exit(lint_imports(no_cache=True))"
    )
    return subprocess.run([sys.executable, "-c", code], cwd=tree, capture_output=True, text=True)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the source tree with its configuration."""
    shutil.copytree(SRC, tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg*"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_contracts_are_kept(copy: Path):
    """Imports go down the street, the pure rooms stay dry, the library stays light."""
    run = lint_imports(copy)
    assert (run.returncode, "0 broken" in run.stdout) == (0, True), run.stdout + run.stderr


@pytest.mark.parametrize("law", PLANTED)
def test_a_planted_violation_is_reported(copy: Path, law: str):
    """A contract that cannot be broken would hold nothing."""
    name, line = PLANTED[law]
    path = copy / "src" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'"""Planted."""\n{line}\n')
    run = lint_imports(copy)
    assert run.returncode != 0
    broken = [text for text in run.stdout.splitlines() if text.rstrip().endswith("BROKEN")]
    wanted = law.partition(",")[0]
    if "attic" in name:
        assert "attic" in run.stdout + run.stderr
    else:
        assert wanted in [text.partition(":")[0] for text in broken]


@pytest.mark.parametrize("sin", IMPURE)
def test_a_pure_room_has_no_clock_environment_or_file(copy: Path, sin: str):
    """What an import contract cannot see, ruff's banned names do, in the pure rooms only."""
    found = {}
    for room in ("plan", "cli"):
        path = copy / "src" / "keywright_ops" / room / "planted.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'"""Planted."""\n\n{IMPURE[sin]}')
        run = subprocess.run(
            [sys.executable, "-m", "ruff", "check", "-q", "-n", "--select", "TID251,PTH123", path],
            cwd=copy,
        )
        found[room] = run.returncode != 0
    assert found == {"plan": True, "cli": False}
