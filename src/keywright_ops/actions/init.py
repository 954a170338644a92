"""init: write a commented keywright.toml that says exactly what holds without it."""

import os

from keywright.errors import InputError
from keywright_ops.actions.place import FILE
from keywright_ops.profile.pages import render_init
from keywright_ops.targets.local import LocalTransport


def init(path: str | None) -> str:
    """Write the file (default: keywright.toml here) and return its path; never over another file."""
    target = os.path.abspath(path or FILE)
    if os.path.lexists(target):
        raise InputError(
            f"{target} is there already",
            "edit it; `keywright explain env.local` says what it means",
        )
    LocalTransport().write(target, render_init().encode(), 0o644)
    return target
