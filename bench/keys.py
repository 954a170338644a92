"""Keys without an end among 200,000: `keywright keys --no-ttl` against the guide's loop and redis-py.

The guide's loop starts a redis-cli for every key, so it is run on 400 keys and its time per key is taken
times the number of keys; redis-py's `scan_iter` with a TTL each is run on 20,000. All on one
server, in turn, whole processes, start included.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import ROOT, Figure, interleaved, milliseconds, report

sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "src"))

from tests.embedded.stranger import Person  # noqa: E402 - the path was put there just now

KEYS, LOOPED, ITERATED, ROUNDS = 200_000, 400, 20_000, 3

# The guide's own lines, with the password in the environment where it belongs.
LOOP = """
redis-cli -p {port} --user admin --scan --pattern "loop:*" | while read key; do
  ttl=$(redis-cli -p {port} --user admin TTL "$key")
  if [ "$ttl" == "-1" ]; then
    echo "No TTL: $key"
  fi
done
"""
ITERATE = """
import os, redis
client = redis.Redis(port={port}, username="admin", password=os.environ["REDISCLI_AUTH"])
for key in client.scan_iter("iter:*", count=1000):
    if client.ttl(key) == -1:
        print(key)
"""


def main() -> int:
    """Measure and print; 1 when a figure is over its limit."""
    with tempfile.TemporaryDirectory(prefix="keywright-bench-") as name:
        one = Person(Path(name) / "p")
        try:
            if (said := one.say("up")).code:
                sys.exit(said.text)
            return report(f"keys without an end among {KEYS:,}", measure(one))
        finally:
            one.leave()


def fill(one: Person) -> None:
    """Every tenth key has no end."""
    with one.wire() as wire:
        for begins, count in (
            ("key", KEYS - LOOPED - ITERATED),
            ("loop", LOOPED),
            ("iter", ITERATED),
        ):
            for first in range(0, count, 1000):
                wire.batch([
                    ("SET", f"{begins}:{n}", "x" * 32, *(("EX", 86400) if n % 10 else ()))
                    for n in range(first, min(first + 1000, count))
                ])  # fmt: skip


def measure(one: Person) -> list[Figure]:
    """Run the three in turn."""
    fill(one)
    environment = one.environ | {"REDISCLI_AUTH": one.secrets["admin"]}
    loop = ["bash", "-c", LOOP.format(port=one.port)]
    iterate = [sys.executable, "-c", ITERATE.format(port=one.port)]
    ours = [sys.executable, "-m", "keywright_ops", "keys", "--no-ttl"]
    found = subprocess.run(
        ours, cwd=one.project, env=environment, capture_output=True, text=True, check=False
    )
    assert len(found.stdout.splitlines()) == KEYS // 10, found
    times = interleaved(
        ROUNDS,
        {
            "loop": lambda: milliseconds(loop, environment, one.project),
            "iterate": lambda: milliseconds(iterate, environment, one.project),
            "ours": lambda: milliseconds(ours, environment, one.project),
        },
    )
    looped, iterated = times["loop"] * KEYS / LOOPED, times["iterate"] * KEYS / ITERATED
    mine = times["ours"]
    stall = one_page(one)
    return [
        Figure("keys --no-ttl ÷ a thousandth of the guide's loop", mine / (looped / 1000), "×", 2,
               f"{mine:.0f} ms; the loop {looped / 1000:.0f} s: {looped / mine:,.0f} times faster"),
        Figure("keys --no-ttl ÷ a tenth of redis-py's scan_iter", mine / (iterated / 10), "×", 1,
               f"redis-py {iterated:.0f} ms: {iterated / mine:.1f} times faster"),
        Figure("one page's SCAN, on average", stall, "ms", 5, f"{stall:.2f} ms that others wait"),
    ]  # fmt: skip


def one_page(one: Person) -> float:
    """Milliseconds of an average SCAN call: how long one page stops the others."""
    one.ask("CONFIG", "RESETSTAT")
    one.say("keys", "--no-ttl", "--quiet")
    fields = dict(part.split("=") for part in one.info()["cmdstat_scan"].split(","))
    return float(fields["usec_per_call"]) / 1000


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main())
