"""The repository as the house tests see it: its files, its rooms, its pyproject.toml."""

import ast
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

# Above the waterline: values in, values out.
PURE_ROOMS = ("model", "profile", "plan", "render", "facts", "steps", "checks")


def tracked() -> tuple[Path, ...]:
    """Every file that belongs to the project (new ones included, ignored ones not)."""
    run = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True
    )
    if run.returncode == 0:
        names = [name for name in run.stdout.decode().split("\0") if name]
        return tuple(path for name in names if (path := ROOT / name).is_file())
    # An unpacked archive has no git: walk, without what tools make.
    made = {".venv", "build", "dist", "__pycache__", ".git"}
    return tuple(
        path
        for path in ROOT.rglob("*")
        if path.is_file() and not any(p in made or p.endswith("_cache") for p in path.parts)
    )


def texts() -> Iterator[tuple[str, str]]:
    """(path from the root, text) of every tracked text file."""
    for path in tracked():
        data = path.read_bytes()
        if b"\0" not in data:
            yield str(path.relative_to(ROOT)), data.decode()


def sources() -> tuple[Path, ...]:
    """Every Python file of the two packages."""
    return tuple(sorted(SRC.rglob("*.py")))


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """(name, lines) of every function in the file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1
