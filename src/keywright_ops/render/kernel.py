"""Plan → the files that keep a Linux kernel's settings: one for sysctl, one unit for huge pages."""

from keywright_ops.model.plan import Plan

SYSCTL_FILE = "/etc/sysctl.d/60-keywright-redis.conf"
THP_UNIT = "/etc/systemd/system/keywright-thp.service"
THP_FILE = "/sys/kernel/mm/transparent_hugepage/enabled"
# What is looked at on the host, before and after.
KERNEL_FILES = ("/proc/sys/vm/overcommit_memory", "/proc/sys/net/core/somaxconn", THP_FILE)
WHY = {
    "vm.overcommit_memory": "a snapshot's fork may ask for as much memory as the server has",
    "net.core.somaxconn": "the longest queue of clients that wait to be let in (tcp-backlog)",
}


def setting_file(name: str) -> str:
    """Return the kernel's file of a setting: vm.overcommit_memory is /proc/sys/vm/overcommit_memory."""
    return f"/proc/sys/{name.replace('.', '/')}"


def render_sysctl(plan: Plan) -> str:
    """Return the sysctl.d file as text. Raises ValueError for a plan without kernel settings."""
    if plan.kernel is None:
        raise ValueError(f"environment {plan.environment} sets nothing in the kernel")
    lines = [
        f"# For {plan.environment} of {plan.app}. Written by Keywright from keywright.toml; a change made",
        "# here is overwritten.",
    ]
    for name, value in plan.kernel.settings:
        lines += ["", f"# {WHY[name]}", f"{name} = {value}"]
    return "\n".join(lines) + "\n"


def render_thp_unit(plan: Plan) -> str:
    """Return the unit that keeps huge pages from the server's memory, as text."""
    if plan.kernel is None or plan.unit is None:
        raise ValueError(f"environment {plan.environment} sets nothing in the kernel")
    wish = plan.kernel.transparent_huge_pages
    return f"""\
# For {plan.environment} of {plan.app}. Written by Keywright; a change made here is overwritten.
[Unit]
Description=Transparent huge pages: {wish}
# With them a snapshot's fork copies 2 MiB for every byte that changes.
ConditionPathIsReadWrite={THP_FILE}
Before={plan.unit.name}.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'echo {wish} > {THP_FILE}'

[Install]
WantedBy=multi-user.target
"""
