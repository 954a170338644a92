"""compare: environments side by side, computed from their plans."""

from collections.abc import Mapping, Sequence

from keywright_ops.actions.environment import open_plan
from keywright_ops.actions.place import find_place
from keywright_ops.plan.comparison import Table, compare

GUIDE = ("dev", "prod", "linux")  # the columns of the guide's own tables


def compare_environments(
    file: str | None, names: Sequence[str], environ: Mapping[str, str]
) -> tuple[Table, Table]:
    """Return the two tables for these environments (default: the guide's three)."""
    wanted = names or [n for n in GUIDE if n in find_place(file, environ).profile.environments]
    return compare([open_plan(file, name, environ)[1] for name in wanted])
