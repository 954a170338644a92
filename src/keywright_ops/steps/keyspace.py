"""How much data a server holds, and whether it keeps it when it ends."""

from keywright_ops.model.absence import Missing
from keywright_ops.model.facts import Facts


def keys_held(facts: Facts) -> int:
    """Return how many keys the server holds, over all databases (INFO keyspace)."""
    if isinstance(facts.info, Missing):
        return 0
    total = 0
    for name, value in facts.info.items():
        if name.startswith("db") and value.startswith("keys="):
            total += int(value[len("keys=") :].partition(",")[0])
    return total


def used_beyond(facts: Facts, databases: int) -> tuple[str, ...]:
    """Return the databases in use (db20 …) that a server with only so many would not have."""
    if isinstance(facts.info, Missing):
        return ()
    names = [name for name, value in facts.info.items() if value.startswith("keys=")]
    return tuple(name for name in names if name.startswith("db") and int(name[2:]) >= databases)


def keeps_data(facts: Facts) -> bool:
    """Whether the server writes what it holds when it is stopped: append-only file or save points.

    Asked of the server itself, else of the redis.conf that it was started with.
    """
    for config in (facts.config, facts.disk_config):
        if not isinstance(config, Missing):
            return config.get("appendonly", "no") == "yes" or config.get("save", "always") != ""
    return False
