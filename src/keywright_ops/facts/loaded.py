"""Reads what a scratch server says of the data it loaded, and what the data's own server said before."""

from collections.abc import Iterable, Mapping

from keywright_ops.facts.info import keyspace_counts, parse_info
from keywright_ops.facts.server import parse_server
from keywright_ops.model.absence import Missing
from keywright_ops.model.copies import Held, Loaded

# What a container's script prints before each part of its answer.
INFO, CANARY, LOG = "==keywright info==", "==keywright canary==", "==keywright log=="
# Log lines that warn of something else than of the data.
BESIDE = (
    *("WARNING", "Warning", "overcommit", "TCP backlog", "oO0Oo", "just started"),
    *("Configuration loaded", "Server initialized"),
)


def parse_databases(info: Mapping[str, str]) -> tuple[tuple[str, int], ...]:
    """Return the keys of each database that holds any, in the server's order (INFO keyspace)."""
    return tuple((f"db{number}", counts["keys"]) for number, counts in keyspace_counts(info))


def parse_held(info: Mapping[str, str]) -> Held:
    """Return what a server holds, and how many of those keys a load may lose without counting them."""
    counts = ["subexpiry", "keys_with_volatile_items"]  # Redis 7.4, Valkey 9: fields that expire
    if "rdb_last_load_keys_expired" not in info:  # before Redis 7.0
        counts.append("expires")
    gone = sum(each.get(name, 0) for _, each in keyspace_counts(info) for name in counts)
    return Held(parse_databases(info), gone)


def parse_loaded(info: Mapping[str, str], canary: str) -> Loaded:
    """Return what a scratch server found, from one INFO after it had loaded."""
    server = parse_server(info)
    # dropped while a snapshot was read, and dropped since: an append-only file is replayed whole
    expired = _number(info, "rdb_last_load_keys_expired") + _number(info, "expired_keys")
    return Loaded(
        databases=parse_databases(info),
        expired=expired,
        functions=_number(info, "number_of_functions"),
        canary=canary,
        server=server.name,
        version=server.version,
    )


def parse_scratch(text: str) -> Loaded | Missing:
    """Read what a container's script printed: INFO and the canary, or the server's last log lines."""
    _, found, after = text.partition(f"{INFO}\n")
    if found:
        info, _, canary = after.partition(f"{CANARY}\n")
        return parse_loaded(parse_info(info), canary.partition("\n")[0].rstrip("\r"))
    _, found, log = text.partition(f"{LOG}\n")
    why = telling(log.splitlines()) if found else ""
    return Missing(f"the copy does not load: {why or 'the server gave no reason'}")


def telling(lines: Iterable[str]) -> str:
    """Return the log line that says why data does not load; "" when none does.

    A server warns of its host at first, and its very last line only says that it ends.
    """
    words = [
        line.strip() for line in lines if " # " in line or line.startswith(("***", "sh: ", "cp: "))
    ]
    own = [line for line in words if not any(each in line for each in BESIDE)]
    why = [line for line in own if "Fatal error" not in line and "xiting" not in line] or own
    return why[-1].rpartition(" # ")[2].removeprefix("sh: ") if why else ""


def shortfall(held: Held, loaded: Loaded) -> str:
    """Say what a copy lacks of what the server held; "" when all is accounted for.

    A key whose time ran out meanwhile is accounted for.
    """
    lacking = held.keys - loaded.keys - loaded.expired
    if 0 <= lacking <= held.uncounted:
        return ""
    return f"the server held {held.keys} keys, its copy holds {loaded.keys}" + (
        f" and {loaded.expired} that expired" if loaded.expired else ""
    )


def _number(fields: Mapping[str, str], name: str) -> int:
    text = fields.get(name, "")
    return int(text) if text.isascii() and text.isdigit() else 0
