"""What a Linux kernel must be told so that a server can save, and be reached by many clients at once."""

from keywright_ops.model.plan import Kernel
from keywright_ops.profile.declared import Values

BACKLOG = 511  # the server's own default of tcp-backlog
LEAST_QUEUE = 4096  # what Linux itself allows since 5.4: less would be a step back
HUGE_PAGES = "madvise"  # only for programs that ask for them; the server does not


def decide_kernel(values: Values) -> Kernel | None:
    """Decide the kernel's settings of a Linux host; None where Keywright is not to touch them."""
    if values.kind != "systemd" or not values.flag("kernel.tune"):
        return None
    declared = values.settings().get("tcp-backlog", (str(BACKLOG),))[0]
    backlog = int(declared) if declared.isdigit() else BACKLOG
    return Kernel(
        settings=(
            ("vm.overcommit_memory", "1"),
            ("net.core.somaxconn", str(max(LEAST_QUEUE, backlog))),
        ),
        transparent_huge_pages=HUGE_PAGES,
    )
