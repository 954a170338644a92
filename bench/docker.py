"""`keywright up` on `prod` in Docker when nothing changes, against `docker inspect` of the same containers.

On the lab's own engine (root, Debian's packages): tests/lab/docker_engine.py. `up` and `inspect` run in
turn, median of 21. Beside it, shown and not judged: `status`, `check`, and `up` from nothing to proven
against `docker compose up -d` of the very same file and the first answer, by hand.
"""

import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from measure import ROOT, Figure, interleaved, milliseconds, report, wheel_environment

sys.path.insert(0, str(ROOT))
from tests.lab import docker_engine  # noqa: E402 - the lab's engine, images and person
from tests.lab.images import INSIGHT_IMAGE, OFFICIAL_IMAGE  # noqa: E402
from tests.lab.person import DockerPerson  # noqa: E402

ROUNDS, COLD_ROUNDS = 21, 3
TIMES_INSPECT, PLUS_MS = 2, 500
APP = "bench"
CONTAINERS = (f"{APP}-redis-prod", f"{APP}-redisinsight-prod")
VOLUMES = (f"{APP}-redis-data-prod", f"{APP}-redisinsight-data-prod")
TOML = f"""\
app = "{APP}"
[env.prod]
image = "{OFFICIAL_IMAGE}"
insight.image = "{INSIGHT_IMAGE}"
"""


class Bench:
    """Somebody on the engine's host, with the wheel installed."""

    def __init__(self, place: Path, folder: Path, engine: docker_engine.Engine) -> None:
        self.person = DockerPerson(folder / "person", engine, TOML)
        self.person.environ.pop("PYTHONPATH")
        self.program = str(place / "keywright")

    def timed(self, *argv: str) -> float:
        """Run a program of this person to its end; milliseconds."""
        words = (*self.person.prefix, *argv)
        return milliseconds(words, self.person.environ, self.person.project)

    def keywright(self, verb: str, *words: str) -> float:
        """Run a command on `prod`; milliseconds."""
        return self.timed(self.program, verb, "-e", "prod", *words)

    def inspect(self) -> float:
        """Ask Docker about the same containers, as a person would; milliseconds."""
        return self.timed("docker", "inspect", *CONTAINERS)

    def remove(self) -> None:
        """Take the containers and every volume away: the next start is a fresh one."""
        docker = self.person.engine.docker
        docker("rm", "-f", "-v", *CONTAINERS, check=False)
        things = self.person.things()
        if things["volume"]:
            docker("volume", "rm", *things["volume"])
        if things["network"]:
            docker("network", "rm", *things["network"])

    def fresh(self) -> None:
        """Forget what was proven too."""
        import shutil

        self.remove()
        shutil.rmtree(self.person.home / ".local", ignore_errors=True)
        shutil.rmtree(self.person.project / "deployment", ignore_errors=True)

    def cold(self) -> float:
        """`keywright up` from nothing to proven; milliseconds."""
        self.fresh()
        return self.keywright("up", "--quiet")

    def by_hand(self) -> float:
        """Network, volumes, `docker compose up -d` of that file, PING until answered; milliseconds."""
        self.remove()
        (folder,) = self.person.project.rglob("docker-compose.prod.yml")
        argv = ("docker", "compose", "-p", f"{APP}-prod", "-f", str(folder), "up", "-d")
        begun = time.perf_counter()
        self.timed("docker", "network", "create", f"{APP}-network")
        for volume in VOLUMES:
            self.timed("docker", "volume", "create", volume)
        self.timed(*argv)
        ping = ("docker", "exec", CONTAINERS[0], "redis-cli", "ping")
        while "NOAUTH" not in self.person.run(*ping).text:
            if time.perf_counter() - begun > 30:
                sys.exit("the server that was started by hand gave no answer within 30 s")
        return (time.perf_counter() - begun) * 1000


def figures(bench: Bench) -> list[Figure]:
    """Everything that is measured."""
    cold, hand = [], []
    for _ in range(COLD_ROUNDS):
        cold.append(bench.cold())
        hand.append(bench.by_hand())
    bench.keywright("up", "--quiet", "--yes")
    times = interleaved(
        ROUNDS,
        {
            "up": lambda: bench.keywright("up", "--quiet"),
            "inspect": bench.inspect,
            "status": lambda: bench.keywright("status"),
        },
    )
    checks = [bench.keywright("check") for _ in range(3)]
    inspect, up = times["inspect"], times["up"]
    limit = round(TIMES_INSPECT * inspect + PLUS_MS)
    beside = (
        f"docker inspect {inspect:.0f} ms: {up / inspect:.1f} times that; the limit is "
        f"{TIMES_INSPECT} times that and {PLUS_MS} ms"
    )
    by_hand = f"docker compose up -d by hand to the first answer {median(hand):.0f} ms"
    beside_check = "with a neighbour, and a copy loaded in a container of its own"
    return [
        Figure("keywright up, nothing changes", up, "ms", limit, beside),
        Figure("keywright status", times["status"], "ms", None, "with processor and memory use"),
        Figure("keywright check", median(checks), "ms", None, beside_check),
        Figure("keywright up, cold to proven", median(cold), "ms", None, by_hand),
    ]


def main() -> int:
    """Measure and print; 1 when the figure is over its limit, 2 where no engine can run."""
    reason = docker_engine.why_not()
    if reason:
        print(f"bench-docker: {reason}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="keywright-bench-") as name:
        place = wheel_environment(Path(name))
        with docker_engine.Engine() as engine:
            engine.add_images()
            begun = os.getloadavg()[0]
            found = figures(Bench(place, Path(name), engine))
    ended = os.getloadavg()[0]
    cpus = os.cpu_count()
    title = (
        f"`prod` in Docker (median of {ROUNDS}; load average {begun:.1f} before, {ended:.1f} after"
    )
    return report(f"{title}, {cpus} processors)", found)


if __name__ == "__main__":
    sys.exit(main())
