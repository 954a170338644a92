"""How a person is told what a change needs of a Linux host."""

from keywright_ops.cli.show import DIM, WIDTH, coloured, show_pairs, wrapped
from keywright_ops.steps.foreseen import Needs


def show_needs(needs: Needs) -> None:
    """Where, as whom, and what becomes of it; nothing where nothing changes."""
    rows = []
    if needs.installs:
        rows.append(("installs", " ".join(needs.installs)))
    if needs.writes:
        first, *more = wrapped(" ".join(needs.writes), "", WIDTH - 14)
        rows += [("writes", first), *(("", line) for line in more)]
    if needs.rules:
        rows.append(("firewall", f"{needs.rules} rules of ufw change"))
    if needs.restarts or needs.starts:
        rows.append(("service", "is stopped and started" if needs.restarts else "is started"))
    if not rows:
        return
    root = f"root {needs.root}" if needs.root == "by sudo" else needs.root or "without root"
    who = f"as {needs.account}, {root}" if root != needs.account else f"as {root}"
    print(coloured(f"on {needs.host} ({needs.system}), {who}, this", DIM))
    show_pairs(rows)
    print(flush=True)
