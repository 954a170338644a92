"""Tells which server answers, from the fields of INFO."""

from collections.abc import Mapping

from keywright_ops.model.facts import Server


def parse_server(info: Mapping[str, str]) -> Server:
    """Return name, version, process and files of the server that gave this INFO.

    Valkey reports a redis_version (7.2.4) for old clients' sake; its own stands in valkey_version.
    Where that is missing, redis_version is taken.
    What INFO does not hold (a managed service hides much) is "" or 0.
    """
    own = info.get("valkey_version", "")
    valkey = bool(own) or info.get("server_name") == "valkey"
    return Server(
        name="valkey" if valkey else "redis",
        version=own or info.get("redis_version", ""),
        pid=_number(info, "process_id"),
        config_file=info.get("config_file", ""),
        executable=info.get("executable", ""),
        uptime=_number(info, "uptime_in_seconds"),
    )


def _number(info: Mapping[str, str], field: str) -> int:
    text = info.get(field, "")
    return int(text) if text.isascii() and text.isdigit() else 0
