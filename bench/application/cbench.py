"""redis-benchmark, the C program that comes with the server, as the limit of what a client can do."""

import subprocess
from collections.abc import Sequence

from driving import Sample
from lab import KEYS, PREFIX, TTL
from rounds import Run


def runs(program: str, port: int) -> dict[str, Run]:
    """GETEX with a hundred requests under way: on one connection, and on a hundred."""
    return {
        "redis-benchmark -c 1 -P 100": _run(program, port, 1, 100),
        "redis-benchmark -c 100": _run(program, port, 100, 1),
    }


def _run(program: str, port: int, connections: int, pipeline: int) -> Run:
    head = [program, "-p", str(port), "-c", str(connections), "-P", str(pipeline), "--csv"]
    words = ["GETEX", f"{PREFIX}__rand_int__", "EX", str(TTL)]

    def run(numbers: Sequence[int]) -> Sample:
        argv = [*head, "-n", str(len(numbers)), "-r", str(KEYS), *words]
        told = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
        return Sample(
            float(told.splitlines()[-1].split('","')[1]), 0.0
        )  # its processor time is not ours

    return run
