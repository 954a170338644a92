"""How much data a server holds, and whether it keeps it when it ends."""

from keywright_ops.facts.info import keyspace_counts
from keywright_ops.model.absence import Missing
from keywright_ops.model.facts import Facts


def keys_held(facts: Facts) -> int:
    """Return how many keys the server holds, over all databases (INFO keyspace)."""
    if isinstance(facts.info, Missing):
        return 0
    return sum(counts["keys"] for _, counts in keyspace_counts(facts.info))


def used_beyond(facts: Facts, databases: int) -> tuple[str, ...]:
    """Return the databases in use (db20 …) that a server with only so many would not have."""
    if isinstance(facts.info, Missing):
        return ()
    numbers = [number for number, _ in keyspace_counts(facts.info)]
    return tuple(f"db{number}" for number in numbers if number >= databases)


def keeps_data(facts: Facts) -> bool:
    """Whether the server writes what it holds when it is stopped: append-only file or save points.

    Asked of the server itself, else of the redis.conf that it was started with.
    """
    for config in (facts.config, facts.disk_config):
        if not isinstance(config, Missing):
            return config.get("appendonly", "no") == "yes" or config.get("save", "always") != ""
    return False
