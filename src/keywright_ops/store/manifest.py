"""A copy's manifest as text: written last and renamed into place, it is what makes a copy good."""

import json
from typing import Any

from keywright_ops.model.absence import Missing
from keywright_ops.model.copies import CopiedFile, Manifest

SCHEMA = 1
NAME = "manifest.json"


def manifest_text(manifest: Manifest) -> str:
    """Return the manifest as it is kept."""
    fields = manifest._asdict() | {
        "settings": dict(manifest.settings),
        "databases": dict(manifest.databases),
        "files": [
            {"name": each.name, "size": each.size, "sha256": each.digest} for each in manifest.files
        ],
    }
    return json.dumps({"schema": SCHEMA, "keys": manifest.keys} | fields, indent=1) + "\n"


def load_manifest(content: bytes) -> Manifest | Missing:
    """Read a manifest; Missing when it is none, or of a schema that this version does not know."""
    try:
        found = json.loads(content)
        if found["schema"] != SCHEMA:
            return Missing(f"{NAME} has schema {found['schema']}, known is {SCHEMA}")
        return _manifest(found)
    except (ValueError, KeyError, TypeError, AttributeError):
        return Missing(f"{NAME} is damaged")


def _manifest(found: dict[str, Any]) -> Manifest:
    files = tuple(
        CopiedFile("" + each["name"], int(each["size"]), "" + each["sha256"])
        for each in found["files"]
    )
    databases = {str(name): int(keys) for name, keys in found["databases"].items()}
    settings = {str(name): str(value) for name, value in found["settings"].items()}
    texts = ("environment", "taken", "reason", "engine", "version", "verified")
    return Manifest(
        **{name: "" + found[name] for name in texts},
        appendonly=bool(found["appendonly"]),
        functions=int(found["functions"]),
        settings=settings,
        databases=databases,
        files=files,
    )
