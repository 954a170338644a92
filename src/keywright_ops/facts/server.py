"""Tells which server answered."""

from collections.abc import Mapping

from keywright_ops.model.facts import Server


def parse_server(info: Mapping[str, str]) -> Server:
    valkey = info.get("server_name") == "valkey" or "valkey_version" in info
    return Server(
        "valkey" if valkey else "redis",
        info.get("valkey_version" if valkey else "redis_version", ""),
        int(info.get("process_id", "0")),
        info.get("config_file", ""),
        info.get("executable", ""),
        int(info.get("uptime_in_seconds", "0")),
    )
