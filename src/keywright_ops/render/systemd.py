"""Plan → the drop-in for Debian's hardened unit of Redis or Valkey; each line with its reason."""

from keywright_ops.model.plan import Plan
from keywright_ops.render.waits import start_seconds, stop_seconds

LOOPBACK = ("127.0.0.1", "::1", "localhost")
# What Debian's units of both servers let them write; {} is the server's name.
DEBIAN_WRITABLE = ("/var/lib/{}", "/var/log/{}", "/var/run/{}", "/run/{}", "/etc/{}")
DEBIAN_NOFILE = 65535
RESERVED_DESCRIPTORS = 32  # what the server keeps for itself beside its clients


def render_drop_in(plan: Plan) -> str:
    """Return the drop-in as text; it goes to the path that the plan's unit names.

    Raises ValueError for a plan without a unit.
    """
    if plan.unit is None:
        raise ValueError(f"environment {plan.environment} has no systemd unit")
    unit = _unit_lines(plan)
    service = _service_lines(plan)
    return (
        f"# Drop-in for {plan.unit.name}: the environment `{plan.environment}` of {plan.app}.\n"
        "# Written by Keywright from keywright.toml; a change made here is overwritten.\n\n"
        "[Unit]\n" + _block(unit) + "\n[Service]\n" + _block(service)
    )


def unit_path(path: str) -> str:
    """Return a path as systemd reads it back: `%` begins a specifier there, a space ends a word."""
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"' if any(char in escaped for char in " \t\"'\\") else escaped


def _unit_lines(plan: Plan) -> list[tuple[str, str]]:
    lines = []
    if any(_bare(str(address)) not in LOOPBACK for address in plan.listen.bind):
        lines.append(
            (
                "After=docker.service",
                "docker0's address exists only once Docker runs. An order, not a need.",
            )
        )
    lines.append(
        (
            "StartLimitIntervalSec=0",
            "Five quick failures would otherwise leave the server down for good.",
        )
    )
    return lines


def _service_lines(plan: Plan) -> list[tuple[str, str]]:
    start = start_seconds(plan)
    clients = plan.directive("maxclients")
    needed = int(clients.value) + RESERVED_DESCRIPTORS if clients else 0
    lines = [
        (
            f"TimeoutStartSec={'infinity' if start is None else start}",
            "The server is ready only when its data is loaded; systemd's 90 s kill a big one.",
        ),
        (
            f"TimeoutStopSec={stop_seconds(plan)}",
            "Debian sets 0, which is for ever: a save that cannot end would hang every stop.",
        ),
        ("Restart=always", "Also after a clean exit that nobody asked systemd for."),
        ("RestartSec=2", "Time for what was missing (an address, disk space) to appear."),
        (
            f"LimitNOFILE={max(DEBIAN_NOFILE, needed)}",
            f"One descriptor per client, and {RESERVED_DESCRIPTORS} for the server itself.",
        ),
    ]
    assert plan.unit is not None
    writable = tuple(f"{each.format(plan.engine.name)}/" for each in DEBIAN_WRITABLE)
    for directory, what in (
        (plan.persistence.directory, "the data is"),
        (plan.unit.backup_directory, "copies of it may be written"),
    ):
        if directory and not f"{directory}/".startswith(writable):
            lines.append(
                (
                    f"ReadWritePaths={unit_path(f'-{directory}')}",
                    f"The unit sees a read-only disk (ProtectSystem=strict); {what} here.",
                )
            )
    return lines


def _bare(address: str) -> str:
    return address.removeprefix("-")


def _block(lines: list[tuple[str, str]]) -> str:
    return "".join(
        "".join(f"# {line}\n" for line in why.splitlines()) + text + "\n" for text, why in lines
    )
