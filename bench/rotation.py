"""`keywright password rotate` under load: no command of a client that reads .env anew may fail.

Four threads of redis-py send about 1,000 commands a second, their password from the environment's
app.env (as `appuser` from the vault), while the default user's and appuser's passwords are rotated.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import ROOT, Figure, report, wheel_environment

sys.path.insert(0, str(ROOT))
from tests.embedded.load import Counted, Load  # noqa: E402 - the tests' own load

SECONDS = 1.0  # of load before and after each rotation


def rotated(place: Path, home: Path, user: str) -> tuple[Counted, float]:
    """Rotate one user's password under load; what the load came to, and milliseconds."""
    environment = {"PATH": f"{place}:/usr/bin:/bin", "HOME": str(home)}
    argv = [str(place / "keywright"), "password", "rotate", user, "--json"]
    up = [str(place / "keywright"), "up", "--json"]
    done = subprocess.run(up, env=environment, cwd=home, capture_output=True, check=False)
    told = json.loads(done.stdout)
    state, port = Path(told["state"]), int(told["address"].rpartition(":")[2])
    with Load(state, port, user) as load:
        time.sleep(SECONDS)
        begun = time.perf_counter()
        done = subprocess.run(argv, env=environment, cwd=home, capture_output=True, check=False)
        elapsed = (time.perf_counter() - begun) * 1000
        time.sleep(SECONDS)
    if done.returncode:
        sys.exit(f"{' '.join(argv)} failed ({done.returncode})\n{done.stderr.decode()}")
    return load.counted, elapsed


def main() -> int:
    """Measure and print; 1 when a command failed."""
    figures = []
    with tempfile.TemporaryDirectory(prefix="keywright-bench-") as name:
        place = wheel_environment(Path(name))
        home = Path(name) / "home"
        home.mkdir()
        try:
            for user in ("default", "appuser"):
                counted, elapsed = rotated(place, home, user)
                beside = (
                    f"of {counted.done}, {counted.done / counted.seconds:.0f} a second; the slowest "
                    f"took {counted.slowest * 1000:.0f} ms; the rotation {elapsed:.0f} ms"
                )
                failed = float(len(counted.failed))
                figures.append(Figure(f"failed commands, {user} rotated", failed, "", 0, beside))
        finally:
            environment = {"PATH": f"{place}:/usr/bin:/bin", "HOME": str(home)}
            subprocess.run(
                [str(place / "keywright"), "down", "--yes"], env=environment, cwd=home,
                capture_output=True, check=False,
            )  # fmt: skip
    return report("password rotate under load (redis-py, 4 threads)", figures)


if __name__ == "__main__":
    sys.exit(main())
