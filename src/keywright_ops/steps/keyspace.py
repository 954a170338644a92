"""How much data a server holds, read from INFO keyspace."""

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


def keys_known(facts: Facts) -> int | None:
    """Return how many keys the server holds; None when it did not say."""
    return None if isinstance(facts.info, Missing) else keys_held(facts)
