"""A Linux host made ready: never a server without passwords, never data without a copy, nothing twice."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.steps.machines import FRESH, NEWER, RUNS, VERSION, as_declared, plan_of

from keywright_ops.model.absence import Missing
from keywright_ops.model.artefact import WholeFile
from keywright_ops.model.machine import Folder, Machine, Package, UnitState
from keywright_ops.model.plan import Plan
from keywright_ops.model.step import RunCommand, Step, WriteFile
from keywright_ops.render.kernel import KERNEL_FILES, SYSCTL_FILE, THP_UNIT
from keywright_ops.steps.files import write_id
from keywright_ops.steps.machine import (
    COPY_DATA,
    disable,
    enable,
    install,
    is_upgrade,
    make_folders,
    prepare,
    reload_units,
    tune_kernel,
    wanted_version,
)

PLAN = plan_of('firewall = "none"')
SERVICE = "redis-server.service"
VERSIONS = st.sampled_from(["", VERSION, NEWER])
WISHES = st.sampled_from(["", "latest", VERSION, NEWER])
STORED = st.lists(
    st.sampled_from(
        ["dump.rdb", "appendonlydir", "appendonlydir/appendonly.aof.manifest", "temp-1.rdb"]
    ),
    unique=True,
)


def ids(steps: list[Step]) -> list[str]:
    """The steps by name."""
    return [step.id for step in steps]


def argv(steps: list[Step], name: str) -> tuple[str, ...]:
    """The command of the step of that name."""
    (found,) = (step.do for step in steps if step.id == name)
    assert isinstance(found, RunCommand)
    return found.argv


def wish(version: str) -> Plan:
    """The plan of that version of the package."""
    return plan_of(f'firewall = "none"\nunit.version = "{version}"')


def holding(installed: str, candidate: str, **sick: Any) -> Machine:
    """A host with that version, whose apt would install that candidate."""
    packages = {name: Package(installed, candidate) for name in FRESH.packages}
    return FRESH._replace(packages=packages, **sick)


# --- the package --------------------------------------------------------------------------------


@given(VERSIONS, VERSIONS, WISHES, STORED, st.booleans())
def test_nothing_starts_while_the_package_comes(
    installed: str, candidate: str, version: str, stored: list[str], broken: bool
) -> None:
    """Installed or replaced, it is masked before and let go after; every copy stands before that and is
    checked before anything is replaced; a half-done dpkg is mended while it is masked."""
    plan, machine = wish(version), holding(installed, candidate, broken="x" if broken else "")
    steps = install(plan, machine, tuple(stored))
    found = ids(steps)
    assert bool(steps) == bool(wanted_version(plan.unit, machine))  # type: ignore[arg-type]
    assert is_upgrade(plan, machine) == bool(installed and steps)
    if not steps:
        return
    at = found.index("install-package")
    assert found.index("mask") < at < found.index("unmask") == len(found) - 1
    assert ("systemctl", "mask", "--runtime", SERVICE) == argv(steps, "mask")
    assert steps[found.index("mask")].undo == steps[-1].do
    assert broken == ("mend-dpkg" in found)
    if broken:
        assert found.index("mask") < found.index("mend-dpkg") < at
    copied = "copy-data" in found
    kept = {each for each in stored if each == "dump.rdb" or each.endswith(".manifest")}
    assert (bool(installed) and bool(kept)) == copied
    if copied:
        checked = {name.removeprefix("check-") for name in found if name.startswith("check-")}
        assert kept == checked
        assert 0 == found.index("copy-data")
        assert max(found.index(f"check-{name}") for name in kept) < found.index("mask")
    else:
        assert [] == [name for name in found if name.startswith("check-")]


@given(VERSIONS, VERSIONS, WISHES)
def test_installed_as_wished_there_is_nothing_to_install(
    installed: str, candidate: str, version: str
) -> None:
    """What apt then has done is what was wished: asked again, nothing is wanted."""
    plan, machine = wish(version), holding(installed, candidate)
    assert plan.unit is not None
    wanted = wanted_version(plan.unit, machine)
    became = (candidate or NEWER) if wanted == "latest" else wanted or installed
    after = holding(became, candidate or became)
    assert "" == wanted_version(plan.unit, after)
    assert [] == install(plan, after, ())


@pytest.mark.parametrize(
    ("version", "installed", "candidate", "packages"),
    [
        ("", "", VERSION, ("redis-server", "redis-tools")),
        ("", VERSION, NEWER, ()),
        ("latest", VERSION, NEWER, ("redis-server", "redis-tools")),
        ("latest", VERSION, "", ()),
        (NEWER, VERSION, VERSION, (f"redis-server={NEWER}", f"redis-tools={NEWER}")),
        (VERSION, NEWER, NEWER, (f"redis-server={VERSION}", f"redis-tools={VERSION}")),
    ],
)
def test_server_and_tools_come_together(
    pure: Any, version: str, installed: str, candidate: str, packages: tuple[str, ...]
) -> None:
    """Both packages in one call of apt, pinned where a version is declared; an older one may be had back."""
    steps = pure(install, wish(version), holding(installed, candidate), ())
    if not packages:
        assert [] == steps
        return
    words = argv(steps, "install-package")
    assert packages == words[-2:]
    assert bool(installed) == ("--allow-downgrades" in words)
    undo = next(step.undo for step in steps if step.id == "install-package")
    assert isinstance(undo, RunCommand)
    back = (f"redis-server={installed}", f"redis-tools={installed}")
    assert (back if installed else ("remove", "redis-server")) == undo.argv[-2:]


def test_a_service_that_was_left_masked_is_let_go(pure: Any) -> None:
    """After a killed install nothing else is to do: it may start again. A person's own mask stays."""
    left = RUNS._replace(load="masked", active="inactive", file="masked-runtime")
    machine = as_declared(PLAN, units={SERVICE: left})
    assert ["unmask"] == ids(pure(install, PLAN, machine, ("dump.rdb",)))
    assert [] == install(PLAN, as_declared(PLAN, units={SERVICE: left._replace(file="masked")}), ())


def test_the_copy_is_named_by_the_version_it_was_written_under(pure: Any) -> None:
    """Its path has no colon, and the server's own checkers read it there."""
    steps = pure(install, wish(NEWER), holding(VERSION, NEWER), ("dump.rdb", "a/x.manifest"))
    place = f"/var/backups/redis/before-replacing-{VERSION.replace(':', '_')}"
    assert place == argv(steps, "copy-data")[-1]
    assert ("redis-check-rdb", f"{place}/dump.rdb") == argv(steps, "check-dump.rdb")
    assert ("redis-check-aof", f"{place}/a/x.manifest") == argv(steps, "check-a/x.manifest")


# --- folders, kernel, unit ----------------------------------------------------------------------

FOLDERS = st.sampled_from(
    [
        None,
        Folder("redis", "redis", 0o750),
        Folder("redis", "redis", 0o755),
        Folder("root", "root", 0o750),
    ]
)


@given(FOLDERS, FOLDERS)
def test_folders_become_the_accounts_alone(data: Folder | None, backups: Folder | None) -> None:
    """A folder that is not the account's, or is open, is closed; one that is well is left."""
    paths = {"/var/lib/redis": data, "/var/backups/redis": backups}
    machine = FRESH._replace(folders={path: each for path, each in paths.items() if each})
    wrong = [path for path, each in paths.items() if each != Folder("redis", "redis", 0o750)]
    steps = make_folders(PLAN, machine)
    assert [f"folder-{path}" for path in wrong] == ids(steps)
    for path in wrong:
        made = ("install", "-d", "-o", "redis", "-g", "redis", "-m", "0750", path)
        assert made == argv(steps, f"folder-{path}")
    well = dict.fromkeys(paths, Folder("redis", "redis", 0o750))
    assert [] == make_folders(PLAN, FRESH._replace(folders=well))


@given(
    st.sampled_from(["0", "1", "2", None]),
    st.sampled_from(["128", "4096", "9000", "odd", None]),
    st.sampled_from([RUNS, RUNS._replace(file="disabled"), RUNS._replace(active="failed"), None]),
)
def test_the_kernel_is_set_where_it_is_less(
    overcommit: str | None, queue: str | None, unit: UnitState | None
) -> None:
    """A longer queue is kept, another way of overcommitting is not; what the kernel lacks is not set."""
    values = dict(zip(KERNEL_FILES, (overcommit, queue, "never"), strict=True))
    kernel = {path: Missing("gone") if value is None else value for path, value in values.items()}
    name = THP_UNIT.rpartition("/")[2]
    machine = as_declared(PLAN, kernel=kernel, units={name: unit} if unit else {})
    steps = tune_kernel(PLAN, machine, frozenset())
    lacking = overcommit in ("0", "2") or queue in ("128", "odd")
    assert lacking == ("sysctl" in ids(steps))
    assert (unit != RUNS) == ("thp-enable" in ids(steps)) == ("thp-now" in ids(steps))
    assert ids(tune_kernel(PLAN, machine, frozenset({THP_UNIT})))[-2:] == ["thp-enable", "thp-now"]
    if lacking:
        assert SYSCTL_FILE == argv(steps, "sysctl")[-1]
    assert [] == tune_kernel(PLAN, machine._replace(writable=frozenset()), frozenset({THP_UNIT}))
    assert [] == tune_kernel(plan_of("kernel.tune = false"), machine, frozenset())


@pytest.mark.parametrize(
    ("file", "on", "off"),
    [
        ("enabled", [], ["disable"]),
        ("disabled", ["enable"], []),
        ("static", [], []),
        ("", ["enable"], []),
    ],
)
def test_the_service_starts_with_the_machine_or_not(
    pure: Any, file: str, on: list[str], off: list[str]
) -> None:
    """enable and disable are done where they are not so already, and undo each other."""
    machine = as_declared(PLAN, units={SERVICE: RUNS._replace(file=file)})
    assert (on, off) == (ids(pure(enable, PLAN, machine)), ids(pure(disable, PLAN, machine)))
    one = enable(PLAN, as_declared(PLAN, units={SERVICE: RUNS._replace(file="disabled")}))[0]
    other = disable(PLAN, as_declared(PLAN))[0]
    assert (one.do, one.undo) == (other.undo, other.do)


def test_systemd_reads_its_files_again_when_they_changed(pure: Any) -> None:
    """After the drop-in was written, or when systemd itself says that it is behind."""
    assert PLAN.unit is not None
    well, behind = as_declared(PLAN), as_declared(PLAN, units={SERVICE: RUNS._replace(stale=True)})
    drop_in = frozenset({PLAN.unit.drop_in})
    found = [
        ids(pure(reload_units, PLAN, machine, written))
        for machine, written in ((well, frozenset()), (well, drop_in), (behind, frozenset()))
    ]
    assert [[], ["daemon-reload"], ["daemon-reload"]] == found


def test_what_is_prepared_stands_in_order(pure: Any) -> None:
    """Folders before files, files before who reads them, the firewall last; as declared: nothing."""
    plan = plan_of()
    assert plan.unit is not None
    files = tuple(WholeFile(path, "x") for path in (plan.unit.drop_in, SYSCTL_FILE, THP_UNIT))
    writes = [Step(write_id(each.path), "", WriteFile(each.path, "x", 0o644)) for each in files]
    found = ids(pure(prepare, plan, FRESH, files, writes))
    order = [
        "folder-/var/lib/redis",
        *ids(writes),
        "sysctl",
        "thp-enable",
        "thp-now",
        "daemon-reload",
    ]
    order.append("ufw-redis-deny-6379")
    assert order == sorted(order, key=found.index)
    assert [] == pure(prepare, PLAN, as_declared(PLAN), files, [])


def test_a_copy_is_whole_or_has_not_its_name(tmp_path: Path) -> None:
    """Half a copy is begun anew, an older one replaced at the end; without a source it stays."""
    data, place = tmp_path / "data", tmp_path / "copy"
    (data / "in").mkdir(parents=True)
    (data / "in" / "dump.rdb").write_bytes(b"new")
    (tmp_path / "copy.new").mkdir()
    (tmp_path / "copy.new" / "half").touch()
    place.mkdir()
    (place / "old").touch()
    copy = ["sh", "-c", COPY_DATA, "sh", str(data), str(place)]
    assert 0 == subprocess.run(copy).returncode
    assert ["in", "in/dump.rdb"] == sorted(str(e.relative_to(place)) for e in place.rglob("*"))
    assert not (tmp_path / "copy.new").exists()
    copy[-2] = str(tmp_path / "nowhere")
    assert 0 != subprocess.run(copy, stderr=subprocess.DEVNULL).returncode
    assert b"new" == (place / "in" / "dump.rdb").read_bytes()
