"""How much data is kept, and what survives a restart."""

from keywright_ops.model.plan import Memory, Persistence
from keywright_ops.profile.declared import Values
from keywright_ops.profile.values import Share

# Where the official images keep data: their WORKDIR and VOLUME.
DOCKER_DATA = "/data"


def decide_memory(values: Values) -> Memory:
    """Decide maxmemory in bytes, and the policy; a managed server decides both itself."""
    if values.kind in ("azure", "aws"):
        return Memory(0, "")
    return Memory(in_bytes(values), values.text("maxmemory_policy"))


def in_bytes(values: Values) -> int:
    """Return maxmemory in bytes; a share is one of the container's limit, rounded down."""
    declared = values.memory()
    if not isinstance(declared, Share):
        return declared
    limit = values.number("container.memory") if values.takes("container.memory") else 0
    return declared.hundredths * limit // 100_00


def decide_persistence(values: Values, home: str) -> Persistence:
    """Decide what survives a restart, and where it lives as the server sees the path."""
    if values.kind in ("azure", "aws"):
        return Persistence(False, "", (), "")
    return Persistence(
        appendonly=values.flag("appendonly"),
        appendfsync=values.text("appendfsync"),
        save=values.save(),
        directory=data_directory(values, home),
    )


def data_directory(values: Values, home: str) -> str:
    """Return the folder of the data."""
    if values.kind == "systemd":
        return values.text("unit.data_directory")
    return DOCKER_DATA if values.kind.startswith("docker-") else f"{home}/data"
