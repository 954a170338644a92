"""Steps that make a Linux host ready for its server: package, folders, kernel, unit.

Rule: while a package is installed or replaced its service is masked, so that no server ever runs with
the distribution's settings, which know no password.
"""

from keywright_ops.model.absence import Missing
from keywright_ops.model.artefact import WholeFile
from keywright_ops.model.facts import Facts
from keywright_ops.model.machine import Folder, Machine, Package, UnitState
from keywright_ops.model.plan import Kernel, Plan, Unit
from keywright_ops.model.step import RELOAD_UNITS, InOrder, RunCommand, Step
from keywright_ops.render.kernel import SYSCTL_FILE, THP_UNIT, setting_file
from keywright_ops.steps.apt import APT
from keywright_ops.steps.carry import retire_dump
from keywright_ops.steps.files import write_id
from keywright_ops.steps.firewall import tend_firewall
from keywright_ops.steps.insight import open_presets, tend_insight
from keywright_ops.steps.nginx import SITE_FILES, tend_site

NO_UNIT = UnitState("not-found", "inactive", "dead", "", False)
LATEST = "latest"
MODES = ("vm.overcommit_memory",)  # its numbers are names: 2 is not more than 1
LATER = frozenset(map(write_id, SITE_FILES))  # written once nginx is there
STARTING = ("enabled", "alias", "static")  # what systemd calls a unit that starts with the machine


def unit_state(machine: Machine, name: str) -> UnitState:
    """Return how systemd sees the unit of that full name (with .service)."""
    return machine.units.get(name, NO_UNIT)


def wanted_version(unit: Unit, machine: Machine) -> str:
    """Return the version to install, or LATEST for apt's own choice; "" when what is there may stay.

    What apt would choose is known for certain only after it has asked for its newest lists.
    """
    package = machine.packages.get(unit.package, Package("", ""))
    if unit.version in ("", LATEST):
        newer = unit.version == LATEST and package.candidate not in ("", package.installed)
        return LATEST if newer or not package.installed else ""
    return "" if package.installed == unit.version else unit.version


def is_upgrade(plan: Plan, machine: Machine) -> bool:
    """Whether another version replaces one that is installed."""
    unit = plan.unit
    assert unit is not None
    package = machine.packages.get(unit.package)
    return bool(package and package.installed and wanted_version(unit, machine))


def install(plan: Plan, machine: Machine, stored: tuple[str, ...]) -> list[Step]:
    """Return the steps that install the package, or another version of it; [] when it is there.

    `stored` are the names in the data's folder: before a version is replaced they are copied. No server
    may run then.
    """
    unit = plan.unit
    assert unit is not None
    service = f"{unit.name}.service"
    unmask = RunCommand(("systemctl", "unmask", "--runtime", service))
    version = wanted_version(unit, machine)
    if not version:
        masked = unit_state(machine, service).file == "masked-runtime"
        return [Step("unmask", f"let {unit.name} start again", unmask)] if masked else []
    pin = "" if version == LATEST else f"={version}"
    packages = (f"{unit.package}{pin}", f"{unit.tools}{pin}")
    before = machine.packages.get(unit.package)
    old = before.installed if before else ""
    undo = RunCommand((*APT, "remove", unit.package))
    verb = "install"
    options: tuple[str, ...] = ("--no-install-recommends",)
    if old:
        verb = "replace"
        options = (*options, "--allow-downgrades")
        undo = RunCommand(
            (*APT, "install", *options, f"{unit.package}={old}", f"{unit.tools}={old}")
        )
    called = unit.package if version == LATEST else f"{unit.package} {version}"
    mask = RunCommand(("systemctl", "mask", "--runtime", service))
    mend = RunCommand(("dpkg", "--configure", "-a"))
    return [
        *(copy_data(plan, old, stored) if old else []),
        Step("apt-update", "ask apt for its newest lists", RunCommand((*APT[:4], "update"))),
        Step("mask", f"keep {unit.name} from starting meanwhile", mask, undo=unmask),
        *(
            [Step("mend-dpkg", "finish what dpkg was interrupted in", mend)]
            if machine.broken
            else []
        ),
        Step(
            "install-package",
            f"{verb} {called}{f' (was {old})' if old else ''}",
            RunCommand((*APT, "install", *options, *packages)),
            undo=undo,
        ),
        Step("unmask", f"let {unit.name} start again", unmask),
    ]


# A copy that was interrupted is begun anew; a whole one gets its name last.
COPY_DATA = """
rm -rf -- "$2.new" && cp -a --reflink=auto -T -- "$1" "$2.new" && sync -f "$2.new" &&
    rm -rf -- "$2" && mv -T -- "$2.new" "$2"
"""


def copy_data(plan: Plan, version: str, stored: tuple[str, ...]) -> list[Step]:
    """Return the steps that copy stopped data and have the copy read by the server's own checkers."""
    assert plan.unit is not None
    kept = [name for name in stored if name == "dump.rdb" or name.endswith(".manifest")]
    if not kept:
        return []
    place = f"{plan.unit.backup_directory}/before-replacing-{version.replace(':', '_')}"
    words = ("sh", "-c", COPY_DATA, "sh", plan.persistence.directory, place)
    steps = [Step("copy-data", f"copy the data to {place}", RunCommand(words))]
    for name in kept:
        checker = "rdb" if name == "dump.rdb" else "aof"
        argv = (f"{plan.engine.name}-check-{checker}", f"{place}/{name}")
        steps.append(Step(f"check-{name}", f"check the copy: {name} is whole", RunCommand(argv)))
    return steps


def make_folders(plan: Plan, machine: Machine) -> list[Step]:
    """Return the steps that give the data's and the backups' folders to the server's account alone."""
    assert plan.unit is not None
    account = plan.unit.account
    steps = []
    for path in (plan.persistence.directory, plan.unit.backup_directory):
        seen = machine.folders.get(path)
        if isinstance(seen, Folder) and seen == Folder(account, account, 0o750):
            continue
        made = ("install", "-d", "-o", account, "-g", account, "-m", "0750", path)
        verb = "make" if seen is None else "close"
        steps.append(Step(f"folder-{path}", f"{verb} {path} ({account}, 0750)", RunCommand(made)))
    return steps


def tune_kernel(plan: Plan, machine: Machine, written: frozenset[str]) -> list[Step]:
    """Return the steps that make the kernel follow its files; [] where it cannot be changed from there, as in
    a container: its kernel is another's.

    `written` are the paths of the files that are written before these steps.
    """
    if plan.kernel is None or not kernel_is_ours(plan.kernel, machine):
        return []
    steps = []
    from_file = [
        name
        for name, value in plan.kernel.settings
        if _less(name, machine.kernel.get(setting_file(name)), value)
    ]
    if from_file:
        title = f"set {', '.join(from_file)} in the kernel"
        steps.append(Step("sysctl", title, RunCommand(("sysctl", "-q", "-p", SYSCTL_FILE))))
    thp = unit_state(machine, THP_UNIT.rpartition("/")[2])
    if THP_UNIT in written or thp.active != "active" or thp.file != "enabled":
        name = THP_UNIT.rpartition("/")[2]
        enable = RunCommand(("systemctl", "enable", name))
        doing = InOrder((RunCommand(RELOAD_UNITS), enable))
        undo = RunCommand(("systemctl", "disable", "--now", name))
        steps.append(Step("thp-enable", f"enable {name}", doing, undo=undo))
        now = RunCommand(("systemctl", "restart", name))
        steps.append(Step("thp-now", "keep huge pages from the server's memory", now))
    return steps


def kernel_is_ours(kernel: Kernel, machine: Machine) -> bool:
    """Whether the declared settings can be changed on that host."""
    return all(setting_file(name) in machine.writable for name, _ in kernel.settings)


def _less(name: str, seen: str | Missing | None, value: str) -> bool:
    if not isinstance(seen, str):
        return False  # the kernel does not have it, or does not show it: the proof says so
    if seen.isdigit() and value.isdigit() and name not in MODES:
        return int(seen) < int(value)
    return seen != value


def reload_units(plan: Plan, machine: Machine, written: frozenset[str]) -> list[Step]:
    """Return the step after which systemd knows the drop-in; [] when it knows it already."""
    assert plan.unit is not None
    if (
        plan.unit.drop_in not in written
        and not unit_state(machine, f"{plan.unit.name}.service").stale
    ):
        return []
    again = RunCommand(RELOAD_UNITS)
    return [Step("daemon-reload", "let systemd read its files again", again, undo=again)]


def enable(plan: Plan, machine: Machine) -> list[Step]:
    """Return the step after which the service starts with the machine; [] when it does."""
    assert plan.unit is not None
    name = f"{plan.unit.name}.service"
    if unit_state(machine, name).file in STARTING:
        return []
    return [
        Step(
            "enable",
            f"start {plan.unit.name} with the machine",
            RunCommand(("systemctl", "enable", "-q", name)),
            undo=RunCommand(("systemctl", "disable", "-q", name)),
        )
    ]


def disable(plan: Plan, machine: Machine) -> list[Step]:
    """Return the step after which a boot does not start the service; [] when none does."""
    assert plan.unit is not None
    name = f"{plan.unit.name}.service"
    if unit_state(machine, name).file != "enabled":
        return []
    return [
        Step(
            "disable",
            f"let {plan.unit.name} stay down at a boot",
            RunCommand(("systemctl", "disable", "-q", name)),
            undo=RunCommand(("systemctl", "enable", "-q", name)),
        )
    ]


def unheard(plan: Plan, machine: Machine, facts: Facts) -> list[str]:
    """Return the declared addresses that the host has and its running server does not listen on.

    One that was not there when it started (`bind -…`) is never taken up later.
    """
    if isinstance(facts.listening, Missing) or "0.0.0.0" in facts.listening:  # noqa: S104
        return []
    there = {each.address for each in machine.addresses}
    wanted = [str(each).removeprefix("-") for each in plan.listen.bind]
    return [each for each in wanted if each in there and each not in facts.listening]


def prepare(
    plan: Plan, machine: Machine, files: tuple[WholeFile, ...], writes: list[Step]
) -> list[Step]:
    """Return what stands before the server's own steps, once its package is there.

    `writes` are the steps that write some of the `files`; the site's wait until nginx is there.
    """
    writes = [step for step in writes if step.id not in LATER]
    ids = {step.id for step in writes}
    written = frozenset(each.path for each in files if write_id(each.path) in ids)
    return [
        *make_folders(plan, machine),
        *open_presets(plan, machine),
        *writes,
        *tune_kernel(plan, machine, written),
        *reload_units(plan, machine, written),
        *tend_firewall(plan, machine),
    ]


def finish(
    plan: Plan,
    facts: Facts,
    machine: Machine,
    before: list[Step],
    files: tuple[WholeFile, ...] = (),
) -> list[Step]:
    """Return what comes after the server's own steps, in the round that leaves it running.

    `before` are the steps of the same round, `files` those of the plan.
    """
    tail = [*enable(plan, machine), *retire_dump(plan, facts)]
    insight = tend_insight(plan, machine, before)
    return [*tail, *insight, *tend_site(plan, machine, files, facts)]
