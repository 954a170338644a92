"""The plan of a host with Valkey, held against Debian's unit of it (8.0 and 8.1 have the same)."""

from collections.abc import Callable
from pathlib import Path

import pytest

from keywright_ops.model.plan import Plan
from keywright_ops.plan.resolve import resolve
from keywright_ops.profile.load import load_profile
from keywright_ops.render.systemd import render_drop_in

Pure = Callable[..., object]
UNITS = Path(__file__).parent


def plan_of(engine: str, *lines: str) -> Plan:
    """The plan of `linux` with this engine."""
    text = "\n".join(("[env.linux]", f'engine = "{engine}"', *lines))
    return resolve(load_profile(text, "k.toml"), "linux", None, {}, "/h")


def settings(engine: str) -> dict[str, list[str]]:
    """Debian's unit, pasted: each setting with all its values."""
    found: dict[str, list[str]] = {}
    for line in (UNITS / f"{engine}-server.service").read_text(encoding="utf-8").splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize("engine", ["redis", "valkey"])
def test_the_plans_places_are_the_units(engine: str) -> None:
    """Name, file, account, pidfile and folders are those that the distribution's unit has."""
    plan, unit = plan_of(engine), settings(engine)
    assert plan.unit is not None
    program, conf, *_ = unit["ExecStart"][0].split()
    pidfile = plan.directive("pidfile")
    assert plan.unit.name == plan.unit.package == program.rpartition("/")[2]
    assert plan.unit.conf == conf
    assert [plan.unit.account] == unit["User"]
    assert pidfile is not None and [pidfile.value] == unit["PIDFile"]
    assert f"-{plan.persistence.directory}" in unit["ReadWritePaths"]
    assert (
        f"-{plan.unit.config_directory}" in unit["ReadWriteDirectories"]
    )  # CONFIG REWRITE, ACL SAVE
    assert plan.unit.drop_in == f"/etc/systemd/system/{engine}-server.service.d/keywright.conf"


@pytest.mark.parametrize("engine", ["redis", "valkey"])
def test_only_what_the_unit_does_not_open_is_opened(pure: Pure, engine: str) -> None:
    """The drop-in opens the folder of copies; the data's own only where it lies somewhere else."""
    usual = str(pure(render_drop_in, plan_of(engine)))
    moved = plan_of(engine, 'unit.data_directory = "/srv/data"', 'unit.account = "other"')
    assert [line for line in usual.splitlines() if line.startswith("ReadWritePaths=")] == [
        f"ReadWritePaths=-/var/backups/{engine}"
    ]
    assert "ReadWritePaths=-/srv/data\n" in str(pure(render_drop_in, moved))


def test_another_servers_folder_is_opened() -> None:
    """Valkey's unit does not let it write where Redis' data is."""
    text = render_drop_in(plan_of("valkey", 'unit.data_directory = "/var/lib/redis"'))
    assert "ReadWritePaths=-/var/lib/redis\n" in text
