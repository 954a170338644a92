"""A Linux host over ssh: the first `up` against apt's own time in it, and one that changes nothing.

On the lab's host (root, Debian's packages): tests/lab/linux_host.py. apt's time is that of its two steps,
read from the lines that `up` prints as they end; what is left is Keywright's, the proofs included. The
second `up` is judged by what the host's sshd counted; its time stands against `ssh host true`.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from measure import ROOT, Figure, interleaved, milliseconds, report

sys.path.insert(0, str(ROOT))
from tests.lab import docker_engine  # noqa: E402 - the lab's engine, host and person
from tests.lab.images import INSIGHT_IMAGE  # noqa: E402
from tests.lab.linux_host import LinuxHost  # noqa: E402
from tests.lab.linux_person import LinuxPerson  # noqa: E402

COLD_ROUNDS, ROUNDS = 3, 7
QUARTER, CHANNELS, LOGINS = 0.25, 6, 1
LINES = (
    f'insight.image = "{INSIGHT_IMAGE}"',
    'purpose = "cache"',
    'admin_from = ["172.17.0.1/32"]',
)
APT = ("ask apt for its newest lists", "install redis-server")


def cold(engine: docker_engine.Engine, folder: Path, number: int) -> tuple[float, float]:
    """A bare host brought to proven: seconds in apt, and seconds outside."""
    with LinuxHost(engine, f"bench-{number}") as host:
        host.load_image(INSIGHT_IMAGE)
        person = LinuxPerson(folder / f"cold-{number}", host)
        person.declare_linux(*LINES)
        begun = last = time.perf_counter()
        apt = 0.0
        child = person.start("up", "-e", "linux", stderr=subprocess.STDOUT)
        assert child.stdout is not None
        said = []
        for line in child.stdout:
            now = time.perf_counter()
            apt += now - last if any(each in line and "✓" in line for each in APT) else 0.0
            last = now
            said.append(line)
        if child.wait():
            sys.exit("".join(said))
        return apt, time.perf_counter() - begun - apt


def warm(engine: docker_engine.Engine, folder: Path) -> list[Figure]:
    """`up` where nothing changes: logins, channels, time."""
    with LinuxHost(engine, "bench-warm", installed=True) as host:
        host.load_image(INSIGHT_IMAGE)
        person = LinuxPerson(folder / "warm", host)
        person.declare_linux(*LINES)
        if person.say("up", "-e", "linux", "--yes").code:
            sys.exit("the first `up` failed")
        logins, channels = host.connections(), host.channels()
        if person.say("up", "-e", "linux").code:
            sys.exit("the second `up` failed")
        logins, channels = host.connections() - logins, host.channels() - channels

        def timed(*argv: str) -> float:
            return milliseconds((*person.prefix, *argv), person.environ, person.project)

        times = interleaved(
            ROUNDS,
            {
                "up": lambda: timed(*person.program, "up", "-e", "linux", "--quiet"),
                "status": lambda: timed(*person.program, "status", "-e", "linux"),
                "ssh": lambda: timed("ssh", f"ops@{host.address}", "true"),
            },
        )
    beside = f"`ssh host true` {times['ssh']:.0f} ms: {times['up'] / times['ssh']:.1f} times that"
    return [
        Figure("logins of an up that changes nothing", logins, "", LOGINS, "counted by its sshd"),
        Figure(
            "channels of an up that changes nothing", channels, "", CHANNELS, "counted by its sshd"
        ),
        Figure("keywright up, nothing changes", times["up"], "ms", None, beside),
        Figure("keywright status", times["status"], "ms", None, "over ssh"),
    ]


def main() -> int:
    """Measure and print; 1 when a figure is over its limit, 2 where no engine can run."""
    reason = docker_engine.why_not()
    if reason:
        print(f"bench-linux: {reason}", file=sys.stderr)
        return 2
    with (
        tempfile.TemporaryDirectory(prefix="keywright-bench-") as name,
        docker_engine.Engine() as engine,
    ):
        engine.add_images()
        runs = [cold(engine, Path(name), number) for number in range(COLD_ROUNDS)]
        figures = warm(engine, Path(name))
    apt, outside = median(run[0] for run in runs), median(run[1] for run in runs)
    beside = (
        f"apt {apt:.1f} s, Keywright {outside:.1f} s; apt reads an archive on the host's own disk"
    )
    figures.insert(0, Figure("first up: outside apt / in apt", outside / apt, "×", QUARTER, beside))
    return report("a Linux host over ssh", figures)


if __name__ == "__main__":
    sys.exit(main())
