"""Writes what real servers answer, well and sick, into json files: `python -m tests.facts.capture`.

Each entry is {command, output, fact}: the fact is what a person reads in the output, written by
hand below, so that a parser is never held to itself. The program's path is made up.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

HERE = Path(__file__).resolve().parent
ONE, TWO = (sha256(word).hexdigest() for word in (b"one", b"two"))
USERS = (
    ("app", "on", ">one", ">two", "~app:*", "%R~shared:*", "resetchannels", "&app:*", "+@all",
     "-@dangerous", "+info", "+client|list"),
    ("odd", "off", "nopass", "~a[b-c]\\*?", "-@all", "+get", "(~x +set)", "(%W~y* +@write -set)"),
    ("nobody",),
)  # fmt: skip
USER_FACTS: dict[str, dict[str, Any]] = {
    "default": {
        "enabled": True, "nopass": True, "hashes": [], "keys": ["~*"], "channels": ["&*"],
    },
    "app": {
        "enabled": True, "nopass": False, "hashes": sorted([ONE, TWO]),
        "keys": ["~app:*", "%R~shared:*"], "channels": ["&app:*"],
    },
    "odd": {
        "enabled": False, "nopass": True, "hashes": [], "keys": ["~a[b-c]\\*?"], "channels": [],
    },
    "nobody": {"enabled": False, "nopass": False, "hashes": [], "keys": [], "channels": []},
}  # fmt: skip
# What CONFIG REWRITE puts into the file when told so, and the canonical value it must be read as.
SETTINGS = {
    "maxmemory": ("100mb", "104857600"),
    "save": ("900 1 300 10", "900 1 300 10"),
    "masterauth": ('it\'s "q" \\ # \t é\x01', 'it\'s "q" \\ # \t é\x01'),
    "client-output-buffer-limit": (
        "pubsub 64mb 16mb 90",
        "normal 0 0 0 replica 268435456 67108864 60 pubsub 67108864 16777216 90",
    ),
    "notify-keyspace-events": ("KEA", "$EKdeghlstxz"),
    "maxmemory-policy": ("allkeys-lru", "allkeys-lru"),
    "proto-max-bulk-len": ("1gb", "1073741824"),
}
VERSIONS = {"redis-server": "7.0.15", "redis-8.2": "8.2.3", "valkey-9.1": "9.1.2"}


def main() -> None:
    """Capture all three engines and this machine's /proc."""
    from tests.engines.servers import ENGINES

    for engine in ENGINES:
        with started(engine) as (server, line, folder):
            name = "valkey" if engine.name.startswith("valkey") else "redis"
            version = VERSIONS[engine.name]
            entries = [*users(line), *rewritten(line, folder)]
            entries += [info(line, engine, server, name, version, sick=False)]
            sicken(line)
            entries += [info(line, engine, server, name, version, sick=True)]
            entries += kernel(server) if name == "redis" and version == "7.0.15" else []
        text = json.dumps(entries, indent=1, ensure_ascii=True) + "\n"
        (HERE / f"{name}-{version}.json").write_text(text)
        print(name, version, len(entries), "entries")


@contextmanager
def started(engine: Any) -> Iterator[tuple[Any, Any, Path]]:
    """Start a bare server of the engine."""
    from tests.engines.servers import running
    from tests.ports import free_port

    with TemporaryDirectory() as place:
        folder, port = Path(place), free_port()
        text = f'port {port}\nbind 127.0.0.1 -::1\ndir "{folder}"\nlogfile "{folder}/server.log"\n'
        (folder / "redis.conf").write_text(text)
        with running(engine, folder, port) as server, server.line() as line:
            yield server, line, folder


def users(line: Any) -> list[dict[str, Any]]:
    """ACL LIST with the users above."""
    for words in USERS:
        assert line.ask("ACL", "SETUSER", *words) == "OK"
    return [{"command": "ACL LIST", "output": line.ask("ACL", "LIST"), "fact": USER_FACTS}]


def rewritten(line: Any, folder: Path) -> list[dict[str, Any]]:
    """The file that the server itself writes."""
    for name, (value, _) in SETTINGS.items():
        assert line.ask("CONFIG", "SET", name, value) == "OK"
    assert line.ask("CONFIG", "REWRITE") == "OK"
    text = (folder / "redis.conf").read_text()
    fact = {name: value for name, (_, value) in SETTINGS.items()}
    return [{"command": "cat redis.conf", "output": text, "fact": fact}]


def info(
    line: Any, engine: Any, server: Any, name: str, version: str, *, sick: bool
) -> dict[str, Any]:
    """INFO, with what a person reads in it."""
    output = line.ask("INFO")
    program = f"/opt/{name}/bin/{name}-server"  # where it was found here is nobody's business
    text = output.replace(engine.program, program)
    uptime = text.partition("uptime_in_seconds:")[2].partition("\r")[0]
    fact = {
        "server": [
            name, version, server.process.pid, str(server.folder / "redis.conf"), program,
            int(uptime),
        ],
        "fields": {
            "role": "slave" if sick else "master",
            "rdb_last_bgsave_status": "err" if sick else "ok",
            "loading": "0",
            "tcp_port": str(server.port),
        },
    }  # fmt: skip
    fact["fields"].update({"master_link_status": "down"} if sick else {})
    command = "INFO (a replica without its primary, snapshots failing)" if sick else "INFO"
    return {"command": command, "output": text, "fact": fact}


def sicken(line: Any) -> None:
    """Let a snapshot fail and the primary be away."""
    folder = Path(line.pairs("CONFIG", "GET", "dir")["dir"])
    (folder / "dump.rdb").unlink(missing_ok=True)
    (folder / "dump.rdb").mkdir()  # rename(2) over a folder fails, for root too
    line.ask("BGSAVE")
    for _ in range(200):
        if "rdb_last_bgsave_status:err" in line.ask("INFO", "persistence"):
            break
        time.sleep(0.02)
    line.ask("REPLICAOF", "127.0.0.1", "1")


def kernel(server: Any) -> list[dict[str, Any]]:
    """This machine's /proc, of the server's own process and port."""
    stat = Path(f"/proc/{server.process.pid}/stat").read_text()
    start = stat.split(")")[-1].split()[19]
    entries = [{"command": "cat /proc/<pid>/stat", "output": stat, "fact": start}]
    for table, addresses in (("tcp", ["127.0.0.1"]), ("tcp6", ["::1"])):
        text = Path(f"/proc/net/{table}").read_text()
        own = [row for row in text.split("\n") if f":{server.port:04X} " in row or "sl " in row]
        fact = {"port": server.port, "addresses": addresses}
        entries.append(
            {"command": f"cat /proc/net/{table}", "output": "\n".join(own) + "\n", "fact": fact}
        )
    return entries


if __name__ == "__main__":
    sys.path[:0] = [str(HERE.parents[1]), str(HERE.parents[1] / "src")]
    main()
