"""`keywright up` on `local`, cold to proven, against starting the same server by hand.

By hand: the same program with the same redis.conf in a folder of its own, until its first PONG. The
restart proof of a fresh environment is counted apart: it is a second start that nobody asked for by
hand. Interleaved, median of 7, each run in an empty home.
"""

import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from measure import Figure, interleaved, milliseconds, report, wheel_environment

ROUNDS = 7
TIMES_BY_HAND, PLUS_MS, CHECK_MS = 4, 300, 1000


class Bench:
    """One wheel, and a fresh home for every run."""

    def __init__(self, folder: Path) -> None:
        self.place = wheel_environment(folder)
        self.folder = folder
        self.count = 0
        self.restarts: list[float] = []  # milliseconds that the restart proofs took
        self.server: dict[str, Any] = {}

    def keywright(self, home: Path, *words: str) -> tuple[float, str]:
        """Run a command in that home; milliseconds and what it printed."""
        environment = {"PATH": f"{self.place}:/usr/bin:/bin", "HOME": str(home)}
        argv = [str(self.place / "keywright"), *words]
        begun = time.perf_counter()
        done = subprocess.run(
            argv, env=environment, cwd=home, capture_output=True, text=True, check=False
        )
        elapsed = (time.perf_counter() - begun) * 1000
        if done.returncode:
            sys.exit(f"{' '.join(argv)} failed ({done.returncode})\n{done.stderr}")
        return elapsed, done.stdout

    def fresh(self) -> Path:
        """An empty home."""
        self.count += 1
        home = self.folder / f"home{self.count}"
        home.mkdir()
        return home

    def up(self) -> float:
        """`keywright up` in an empty home, then down; milliseconds without the restart proof."""
        home = self.fresh()
        elapsed, text = self.keywright(home, "up", "--json")
        told = json.loads(text)
        restart = told["timing"]["restart_proof"] * 1000
        self.restarts.append(restart)
        if not self.server:
            self.server = told["server"]
            shutil.copytree(Path(self.server["config_file"]).parent, self.folder / "pattern")
        self.keywright(home, "down", "--yes")
        return elapsed - restart

    def by_hand(self) -> float:
        """Start the same server with the same configuration elsewhere; milliseconds to its PONG."""
        home = self.fresh()
        port = free_port()
        conf = (self.folder / "pattern/redis.conf").read_text()
        conf = conf.replace(str(Path(self.server["config_file"]).parent), str(home))
        conf = re.sub(r"(?m)^port \d+", f"port {port}", conf)
        conf = re.sub(r"(?m)^aclfile .*\n", "", conf)  # by hand nobody logs in to see a PONG
        (home / "data").mkdir()
        (home / "redis.conf").write_text(conf)
        begun = time.perf_counter()
        process = subprocess.Popen(
            [self.server["executable"], str(home / "redis.conf")],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=home,
        )  # fmt: skip
        try:
            wait_for_pong(port)
            return (time.perf_counter() - begun) * 1000
        finally:
            process.terminate()
            process.wait()

    def check(self) -> float:
        """`keywright check` on a running environment; the median of ROUNDS (milliseconds)."""
        home = self.fresh()
        self.keywright(home, "up")
        try:
            return median(self.keywright(home, "check")[0] for _ in range(ROUNDS))
        finally:
            self.keywright(home, "down", "--yes")


def free_port() -> int:
    """A port that nobody holds at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def wait_for_pong(port: int) -> None:
    """Ask every millisecond, at most 10 s."""
    limit = time.monotonic() + 10
    while time.monotonic() < limit:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as line:
                line.sendall(b"PING\r\n")
                if line.recv(64).startswith(b"+PONG"):
                    return
        except OSError:
            pass
        time.sleep(0.001)
    sys.exit("the server that was started by hand gave no PONG within 10 s")


def main() -> int:
    """Measure and print; 1 when a figure is over its limit."""
    with tempfile.TemporaryDirectory(prefix="keywright-bench-") as name:
        bench = Bench(Path(name))
        bench.up()  # learns which server and which redis.conf; not counted
        bench.restarts.clear()
        times = interleaved(ROUNDS, {"up": bench.up, "by hand": bench.by_hand})
        checked = bench.check()
        restart = median(bench.restarts)
        interpreter = milliseconds([bench.place / "python", "-c", "pass"], {}, bench.folder)
    hand, up = times["by hand"], times["up"]
    limit = TIMES_BY_HAND * hand + PLUS_MS
    beside = f"by hand {hand:.0f} ms; the limit is {TIMES_BY_HAND} times that and {PLUS_MS} ms"
    return report(
        f"up on `local` ({bench.server['name']} {bench.server['version']}, median of {ROUNDS})",
        [
            Figure("keywright up, cold to proven", up, "ms", round(limit), beside),
            Figure("the restart proof, counted apart", restart, "ms", None, "a second start"),
            Figure("keywright check", checked, "ms", CHECK_MS, f"interpreter {interpreter:.0f} ms"),
        ],
    )


if __name__ == "__main__":
    sys.exit(main())
