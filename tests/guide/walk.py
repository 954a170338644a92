"""The configuration guide, command by command: beside each what one says to Keywright, and a check that both
saw the same. docs/operating.md prints this list; the walks run it in every environment.

A `Way` is how an environment's server is reached both ways: by redis-cli as the guide writes it there, and by
Keywright.
"""

import json
import re
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from tests.embedded.stranger import Said

from keywright_ops.facts.canonical import canonical

SESSION = "session:abc-123"
VALUE = '{"user": "ada", "cart": ["tea"]}'
KEYS = {  # name: (value, seconds to live; 0 for ever)
    SESSION: (VALUE, 3600),
    "session:def-456": ('{"user": "bob"}', 1800),
    "user:1": ("Ada", 0),
    "user:2": ("Bob", 0),
    "esabcfg:lock:invoices": ("7", 30),
}
COMMANDS = "KEYS|SMEMBERS|HGETALL"
WARNED = COMMANDS.lower().replace("|", " ")
POLICY = "maxmemory-policy"


class Way(Protocol):
    """One environment, reached as the guide does and as Keywright does."""

    def cli(self, *words: str) -> str:
        """What redis-cli prints for one command, in a pipe."""
        ...

    def program(self, *words: str) -> "subprocess.Popen[str]":
        """redis-cli with these words, running."""
        ...

    def say(self, *words: str) -> Said:
        """What `keywright WORDS` answers here."""
        ...

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """`keywright WORDS`, running."""
        ...


class Row(NamedTuple):
    """`guide` as it stands there (without the way in), `ours` after `keywright `, and what holds of both."""

    heading: str
    guide: str
    ours: str
    holds: Callable[[Way], None]


def fill(way: Way) -> None:
    """Give the server the guide's keys, something slow, and calls of the commands that it warns of."""
    for name, (value, seconds) in KEYS.items():
        way.cli("SET", name, value, *(("EX", str(seconds)) if seconds else ()))
    way.cli("HSET", "user:1:seen", "page", "3")
    way.cli("SADD", "tags", "tea")
    way.cli("KEYS", "user:*")
    way.cli("HGETALL", "user:1:seen")
    way.cli("EVAL", "local n = 0; for i = 1, 4e6 do n = n + i end; return n", "0")  # beyond 10 ms


def asked(way: Way, *words: str) -> Any:
    """The report of a command that looks, as JSON."""
    said = way.say(*words, "--json")
    assert said.code == 0, (words, said)
    return json.loads(said.out)


def fields(text: str) -> dict[str, str]:
    """INFO as redis-cli prints it."""
    lines = (line.strip() for line in text.splitlines())
    return dict(line.split(":", 1) for line in lines if ":" in line and not line.startswith("#"))


def pairs(text: str) -> dict[str, str]:
    """CONFIG GET as redis-cli prints it in a pipe: a name, a value, line by line."""
    lines = text.splitlines()
    return dict(zip(lines[::2], lines[1::2], strict=False))


def rows_of(text: str) -> list[dict[str, str]]:
    """CLIENT LIST as redis-cli prints it."""
    lines = [line.split() for line in text.splitlines() if line.startswith("id=")]
    return [dict(word.partition("=")[::2] for word in words) for words in lines]


# --- what holds -----------------------------------------------------------------------------------


def same_reply(*command: str) -> Callable[[Way], None]:
    """`keywright redis` prints what redis-cli prints."""

    def holds(way: Way) -> None:
        said = way.say("redis", *command)
        assert (said.code, said.out) == (0, way.cli(*command)), command

    return holds


def same_names(way: Way) -> None:
    """The names that KEYS finds are those that SCAN finds."""
    expected = sorted(way.cli("KEYS", "session:*").split())
    found = asked(way, "keys", "session:*", "--limit", "0")
    assert expected == sorted(each["name"] for each in found["keys"])
    assert len(expected) == 2


def same_scan(way: Way) -> None:
    """One SCAN of 100 sees so few keys whole; ours goes on to the end by itself."""
    _, *names = way.cli("SCAN", "0", "MATCH", "session:*", "COUNT", "100").split()
    piped = way.say("keys", "session:*")
    assert sorted(names) == sorted(piped.out.split())


def same_value(way: Way) -> None:
    """The value is the same, octet by octet, and shown decoded without --raw."""
    assert way.cli("GET", SESSION).rstrip("\n") == VALUE
    assert way.say("key", "show", SESSION, "--raw").out.rstrip("\n") == VALUE
    assert '"user": "ada"' in way.say("key", "show", SESSION).out


def same_ttl(way: Way) -> None:
    """The seconds that are left, to the second or two in between."""
    expected = int(way.cli("TTL", SESSION))
    found = asked(way, "key", "show", SESSION)["ttl"]
    assert abs(expected - found) <= 5


def same_type(way: Way) -> None:
    """The type has the same name."""
    assert way.cli("TYPE", SESSION).strip() == asked(way, "key", "show", SESSION)["type"]


def same_size(way: Way) -> None:
    """MEMORY USAGE gives the same bytes."""
    expected = int(way.cli("MEMORY", "USAGE", SESSION))
    assert expected == asked(way, "key", "show", SESSION)["memory"]


def same_info(section: str, *steady: str) -> Callable[[Way], None]:
    """INFO has the same fields, and those that do not move have the same values."""

    def holds(way: Way) -> None:
        expected, found = fields(way.cli("INFO", section)), asked(way, "info", section)["fields"]
        assert set(expected) == set(found)
        assert {name: expected[name] for name in steady} == {name: found[name] for name in steady}

    return holds


def same_memory(way: Way) -> None:
    """Limit and policy are the same, and what is used differs by what asking costs."""
    expected, found = fields(way.cli("INFO", "memory")), asked(way, "memory")
    assert int(expected["maxmemory"]) == found["maxmemory"]
    assert expected["maxmemory_policy"] == found["policy"]
    assert abs(int(expected["used_memory"]) - found["used"]) < 2_000_000


def same_memory_line(way: Way) -> None:
    """The one line that the guide greps."""
    line = next(x for x in way.cli("INFO", "memory").splitlines() if "used_memory_human" in x)
    assert line.partition(":")[0] in way.say("info", "memory").out


def same_clients(way: Way) -> None:
    """A connection that stays is seen by both, by its id and name."""
    with way.program("MONITOR") as standing:
        try:
            await_monitor(way)
            listed = rows_of(way.cli("CLIENT", "LIST"))
            expected = {row["id"] for row in listed if row.get("cmd") == "monitor"}
            found = asked(way, "clients")["clients"]
            assert expected
            assert expected <= {str(each["id"]) for each in found}
        finally:
            standing.kill()


def await_monitor(way: Way) -> None:
    """Wait until the server has a monitor."""
    for _ in range(100):
        if any(row.get("cmd") == "monitor" for row in rows_of(way.cli("CLIENT", "LIST"))):
            return
        time.sleep(0.1)
    raise AssertionError("redis-cli MONITOR did not begin")


def same_slowlog(way: Way) -> None:
    """The slow EVAL stands in both, with the same microseconds."""
    text = way.cli("SLOWLOG", "GET", "100")
    found = asked(way, "slowlog", "--each", "--limit", "100")["entries"]
    slow = [each for each in found if each["words"][0].upper() == "EVAL"]
    assert slow
    assert all(re.search(rf"^{each['amount']}$", text, re.MULTILINE) for each in slow)


def same_stats(way: Way) -> None:
    """What counts since the start is the same in both; ours adds what happens in a second."""
    expected = fields(way.cli("INFO", "stats"))
    found = asked(way, "stats", "--interval", "0.2")
    assert int(expected["evicted_keys"]) == found["total"]["evicted"]
    assert int(expected["rejected_connections"]) == found["total"]["rejected"]


def same_count(way: Way) -> None:
    """DBSIZE is the number that INFO keyspace gives; what expires in between may be one less."""
    expected = int(way.cli("DBSIZE"))
    found = asked(way, "info", "keyspace")["fields"]["db0"]
    assert abs(int(re.search(r"keys=(\d+)", found)[1]) - expected) <= 1  # type: ignore[index]


def same_setting(name: str) -> Callable[[Way], None]:
    """The value that CONFIG GET gives is the effective one of three that ours shows."""

    def holds(way: Way) -> None:
        expected = canonical(name, pairs(way.cli("CONFIG", "GET", name))[name])
        found = {each["name"]: each for each in asked(way, "config", "get", name)["settings"]}
        assert expected == found[name]["live"]

    return holds


def same_commandstats(way: Way) -> None:
    """The calls of the commands that the guide warns of."""
    text = way.cli("INFO", "commandstats")
    found = asked(way, "commandstats", *WARNED.split())["commands"]
    for each in found:
        calls = re.search(rf"cmdstat_{each['name'].lower()}:calls=(\d+)", text)
        assert calls is not None
        assert int(calls[1]) == each["calls"]
    assert {"KEYS", "HGETALL"} <= {each["name"] for each in found}


def same_latency(way: Way) -> None:
    """Both measure the round trip from where they run: fractions of a second, many times."""
    child = way.program("--latency", "--raw")
    try:
        words = child.communicate(timeout=20)[0].split()
    except subprocess.TimeoutExpired:
        child.kill()
        words = child.communicate()[0].split()
    found = asked(way, "latency", "--samples", "20")["round_trip"]
    assert 0 < found["p50"] < 1_000_000
    assert float(words[-2]) < 1000  # milliseconds, on the average


def same_endless(way: Way) -> None:
    """The keys without an end that the guide's loop prints, one TTL each."""
    names = way.cli("--scan", "--pattern", "*").split()
    expected = {name for name in names if way.cli("TTL", name).strip() == "-1"}
    assert expected == set(way.say("keys", "--no-ttl").out.split())
    assert {"user:1", "user:2"} <= expected


def same_users(way: Way) -> None:
    """The users are the same, and no hash of a password is printed."""
    expected = {line.split()[1] for line in way.cli("ACL", "LIST").splitlines()}
    found = asked(way, "acl", "list")["users"]
    assert expected == {each["name"] for each in found}
    assert not re.search(r"[0-9a-f]{64}", json.dumps(found))


def same_lastsave(way: Way) -> None:
    """LASTSAVE is when the last snapshot was written."""
    assert int(way.cli("LASTSAVE")) == asked(way, "persist", "status")["saving"]["last_save"]


def same_monitor(way: Way) -> None:
    """A command that is sent meanwhile is seen by both."""
    theirs = way.program("MONITOR")
    ours = way.start("monitor", "--for", "4s", "--yes", "--values")
    shown: list[str] = []
    reader = threading.Thread(target=lambda: shown.extend(theirs.stdout or ()), daemon=True)
    reader.start()
    try:
        await_monitor(way)
        for _ in range(8):
            way.cli("SET", "user:3", "Cleo")
            time.sleep(0.4)
        out, err = ours.communicate(timeout=60)
    finally:
        theirs.kill()
        ours.kill()
    assert any("user:3" in line for line in shown)
    assert "user:3" in out, (out, err)


def same_ping(way: Way) -> None:
    """PONG; ours also says which server it is and how full, and fails (3) when it does not answer."""
    assert way.cli("PING").strip() == "PONG"
    assert asked(way, "status")["answers"] is True


# --- what changes -----------------------------------------------------------------------------------


def expires(way: Way) -> None:
    """After ours, redis-cli sees the time; after redis-cli's PERSIST, ours sees none."""
    assert way.say("key", "expire", SESSION, "1h").code == 0
    assert 3590 <= int(way.cli("TTL", SESSION)) <= 3600
    way.cli("EXPIRE", SESSION, "1800")
    assert 1790 <= asked(way, "key", "show", SESSION)["ttl"] <= 1800


def persists(way: Way) -> None:
    """After ours there is no end: TTL says -1."""
    assert way.say("key", "persist", SESSION).code == 0
    assert way.cli("TTL", SESSION).strip() == "-1"
    way.cli("EXPIRE", SESSION, "3600")


def saves(way: Way) -> None:
    """After ours LASTSAVE has moved on, and the snapshot is well."""
    before = int(way.cli("LASTSAVE"))
    time.sleep(1.1)  # LASTSAVE counts whole seconds
    said = way.say("persist", "now")
    assert said.code == 0, said
    assert int(way.cli("LASTSAVE")) > before
    assert fields(way.cli("INFO", "persistence"))["rdb_last_bgsave_status"] == "ok"


def sets_policy(way: Way) -> None:
    """The policy that is declared is live, in redis.conf, and stays: nothing is to be done."""
    declared = pairs(way.cli("CONFIG", "GET", "maxmemory-policy"))["maxmemory-policy"]
    found = asked(way, "config", "get", "maxmemory-policy")["settings"][0]
    assert [declared] * 3 == [found["live"], found["disk"], found["declared"]]


def flushes(way: Way) -> None:
    """After ours nothing is left, and what was there lies in a copy."""
    assert int(way.cli("DBSIZE")) > 0
    said = way.say("flush", "--yes")
    assert said.code == 0, said
    assert way.cli("DBSIZE").strip() == "0"


DEVELOPMENT, MONITORING = "Common development tasks", "Monitoring"
INSIGHT, OPERATIONS, TROUBLE = "RedisInsight's commands", "Common operations", "Troubleshooting"

ROWS: Sequence[Row] = (
    Row(DEVELOPMENT, "PING", "status", same_ping),
    Row(DEVELOPMENT, 'KEYS "session:*"', "keys 'session:*'", same_names),
    Row(DEVELOPMENT, f'GET "{SESSION}"', f"key show {SESSION}", same_value),
    Row(DEVELOPMENT, f'TTL "{SESSION}"', f"key show {SESSION}", same_ttl),
    Row(DEVELOPMENT, "MONITOR", "monitor", same_monitor),
    Row(MONITORING, "INFO memory", "memory", same_memory),
    Row(MONITORING, "CLIENT LIST", "clients", same_clients),
    Row(MONITORING, "SLOWLOG GET 10", "slowlog", same_slowlog),
    Row(MONITORING, "INFO stats", "stats", same_stats),
    Row(MONITORING, "ACL LIST", "acl list", same_users),
    Row(
        INSIGHT, "INFO memory", "info memory", same_info("memory", "maxmemory", "maxmemory_policy")
    ),
    Row(INSIGHT, "INFO stats", "info stats", same_info("stats", "evicted_keys")),
    Row(INSIGHT, "INFO clients", "info clients", same_info("clients", "blocked_clients")),
    Row(INSIGHT, "INFO keyspace", "info keyspace", same_info("keyspace")),
    Row(INSIGHT, f"MEMORY USAGE {SESSION}", f"key show {SESSION}", same_size),
    Row(OPERATIONS, "DBSIZE", "info keyspace", same_count),
    Row(OPERATIONS, 'SCAN 0 MATCH "session:*" COUNT 100', "keys 'session:*'", same_scan),
    Row(OPERATIONS, f'TYPE "{SESSION}"', f"key show {SESSION}", same_type),
    Row(OPERATIONS, f'GET "{SESSION}"', f"redis GET {SESSION}", same_reply("GET", SESSION)),
    Row(OPERATIONS, "CONFIG GET maxmemory", "config get maxmemory", same_setting("maxmemory")),
    Row(OPERATIONS, f'EXPIRE "{SESSION}" 3600', f"key expire {SESSION} 1h", expires),
    Row(OPERATIONS, f'PERSIST "{SESSION}"', f"key persist {SESSION}", persists),
    Row(OPERATIONS, "LASTSAVE", "persist status", same_lastsave),
    Row(OPERATIONS, "BGSAVE", "persist now", saves),
    Row(TROUBLE, "INFO memory | grep used_memory_human", "info memory", same_memory_line),
    Row(
        TROUBLE,
        "CONFIG GET maxmemory-policy",
        "config get maxmemory-policy",
        same_setting("maxmemory-policy"),
    ),
    Row(TROUBLE, "CONFIG SET maxmemory-policy allkeys-lru; CONFIG REWRITE", "up", sets_policy),
    Row(TROUBLE, "--scan | while read key; do … TTL", "keys --no-ttl", same_endless),
    Row(TROUBLE, "--latency", "latency", same_latency),
    Row(
        TROUBLE,
        f'INFO commandstats | grep -E "{COMMANDS}"',
        "commandstats keys smembers hgetall",
        same_commandstats,
    ),
    Row(TROUBLE, "CONFIG GET appendonly", "config get appendonly", same_setting("appendonly")),
    Row(TROUBLE, "CONFIG GET save", "config get save", same_setting("save")),
    Row(TROUBLE, "INFO stats | grep evicted_keys", "stats", same_stats),
    Row(OPERATIONS, "FLUSHALL", "flush", flushes),
)  # the last one empties the server


def table(heading: str) -> str:
    """One heading's rows as docs/operating.md prints them."""
    lines = ["| the guide | Keywright | both saw |", "|---|---|---|"]
    for row in ROWS:
        if row.heading == heading:
            law = " ".join((row.holds.__doc__ or _law(row)).split())
            lines.append(f"| `{_cell(row.guide)}` | `keywright {_cell(row.ours)}` | {law} |")
    return "\n".join(lines)


def _law(row: Row) -> str:
    made = {"same_info": same_info, "same_setting": same_setting, "same_reply": same_reply}
    name = row.holds.__qualname__.partition(".")[0]
    return made[name].__doc__ or ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


HEADINGS: Mapping[str, None] = dict.fromkeys(row.heading for row in ROWS)
