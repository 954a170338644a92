"""The listing tells the truth: packages, rooms, sizes and names."""

from tests.house.tree import PROJECT, PURE_ROOMS, ROOT, SRC, functions, sources

LINES_IN_A_FILE = 300
LINES_IN_A_FUNCTION = 60  # hard; 35 is the aim
NAMELESS = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers", "tools"}


def test_packages_are_the_folders():
    """The packages that the build ships are exactly the folders that hold Python files."""
    folders = {".".join(path.parent.relative_to(SRC).parts) for path in sources()}
    assert sorted(PROJECT["tool"]["setuptools"]["packages"]) == sorted(folders)


def test_every_folder_is_a_package():
    """Every folder with Python files says in its __init__ what it is for."""
    folders = {path.parent for path in sources()}
    missing = [str(f.relative_to(ROOT)) for f in folders if not (f / "__init__.py").exists()]
    assert missing == []


def test_the_waterline_names_every_pure_room():
    """The waterline's contract covers every pure room that has a file."""
    waterline = next(
        each
        for each in PROJECT["tool"]["importlinter"]["contracts"]
        if each["name"].startswith("waterline")
    )
    expected = {
        f"keywright_ops.{room}" for room in PURE_ROOMS if (SRC / "keywright_ops" / room).is_dir()
    }
    assert set(waterline["source_modules"]) == expected


def test_files_are_short():
    """A file that outgrew its screenfuls holds two subjects."""
    lengths = {str(p.relative_to(ROOT)): len(p.read_text().splitlines()) for p in sources()}
    assert {name: n for name, n in lengths.items() if n > LINES_IN_A_FILE} == {}


def test_functions_are_short():
    """A function is read at one glance."""
    long = {
        f"{path.relative_to(ROOT)}:{name}": lines
        for path in sources()
        for name, lines in functions(path)
        if lines > LINES_IN_A_FUNCTION
    }
    assert long == {}


def test_no_file_is_named_after_nothing():
    """A file is named after what it holds; utils and its kin name nothing."""
    assert [str(p.relative_to(ROOT)) for p in sources() if p.stem in NAMELESS] == []


def test_both_packages_carry_types():
    """Both packages are marked as typed, and the mark is shipped."""
    marks = {name: (SRC / name / "py.typed").is_file() for name in ("keywright", "keywright_ops")}
    assert marks == {"keywright": True, "keywright_ops": True}
    data = PROJECT["tool"]["setuptools"]["package-data"]
    assert all("py.typed" in data[name] for name in marks)
