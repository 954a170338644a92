"""explain: what a key of keywright.toml means, what it is here, and why."""

from collections.abc import Mapping

from keywright_ops.actions.place import find_place
from keywright_ops.profile.explain import Explanation, explain


def explain_key(file: str | None, path: str, environ: Mapping[str, str]) -> tuple[Explanation, ...]:
    """Explain one key, or every key of a table; ProfileError names the nearest that exists."""
    return explain(find_place(file, environ).profile, path)
