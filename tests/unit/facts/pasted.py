"""The captured answers of real servers: `pasted("INFO")` gives every entry of that command."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[2] / "facts"


def pasted(command: str) -> list[Any]:
    """Return the entries whose command begins so, as pytest parameters named by server version."""
    import pytest

    found = [
        pytest.param(entry["output"], entry["fact"], id=f"{path.stem} {entry['command'][:24]}")
        for path in sorted(FOLDER.glob("*.json"))
        for entry in json.loads(path.read_text())
        if entry["command"].startswith(command)
    ]
    assert found, f"nothing captured for {command}"
    return found
