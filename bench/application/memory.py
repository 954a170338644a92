"""Whether memory grows: loads and saves in a fresh process, its resident set early and late.

As a program: `memory.py PORT EARLY LATE`; prints both (KiB), blocking and asyncio together.
"""

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path


def growth(port: int, early: int, late: int) -> float:
    """How many MiB the resident set grew between so many operations and so many."""
    argv = [sys.executable, __file__, str(port), str(early), str(late)]
    told = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()
    return (int(told[1]) - int(told[0])) / 1024


def resident() -> int:
    """This process's resident set (KiB)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    raise SystemExit("this system does not tell the resident set")


async def main(port: int, early: int, late: int) -> None:
    """Half by threads' way, half by tasks; a third of them saves."""
    from driving import by_tasks, in_a_row
    from lab import ORDER
    from ours import async_ours, ours

    way, async_way = ours(port, "json"), await async_ours(port, "json")
    order = cycle(ORDER)

    def numbers(count: int) -> Sequence[int]:
        return list(islice(order, count))

    async def operations(count: int) -> None:
        for _ in range(count // 6000):
            in_a_row(way.load, numbers(2000))
            in_a_row(way.save, numbers(1000))
            await by_tasks(async_way.load, numbers(2000), 100)
            await by_tasks(async_way.save, numbers(1000), 100)

    await operations(early)
    first = resident()
    await operations(late - early)
    print(first, resident())


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:4])))
