"""The drop-in, judged by systemd's own verifier over Debian's unit."""

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.unit.render.plans import HOST, built_in

from keywright_ops.model.plan import Directive, Memory, Plan
from keywright_ops.render.systemd import render_drop_in, unit_path
from keywright_ops.render.waits import start_seconds, stop_seconds

DEBIAN_UNIT = Path("/lib/systemd/system/redis-server.service")

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


def verify(drop_in: str, folder: Path) -> str:
    """Return what systemd-analyze says of Debian's unit with this drop-in; "" is nothing."""
    folder.mkdir(exist_ok=True)
    unit = folder / "redis-server.service"
    pasted = Path(__file__).with_name("redis-server.service")  # Debian 12's, word for word
    text = (DEBIAN_UNIT if DEBIAN_UNIT.exists() else pasted).read_text(encoding="utf-8")
    unit.write_text(text.replace("ExecStart=/usr/bin/redis-server", "ExecStart=/bin/true"))
    (folder / "redis-server.service.d").mkdir(exist_ok=True)
    (folder / "redis-server.service.d" / "keywright.conf").write_text(drop_in)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)],
        capture_output=True,
        text=True,
        env={"SYSTEMD_UNIT_PATH": f"{folder}:/lib/systemd/system", "PATH": "/usr/bin:/bin"},
    )
    said = [line for line in done.stderr.splitlines() if str(folder) in line or "keywright" in line]
    return "\n".join(said) + ("" if done.returncode == 0 else f"exit {done.returncode}")


def plans() -> dict[str, Plan]:
    """The built-in plan, with and without its host's facts, and one with everything unusual."""
    plan = built_in("linux")
    odd = plan._replace(
        memory=Memory(0, "noeviction"),
        persistence=plan.persistence._replace(directory="/srv/100% ours/redis data"),
        directives=(*plan.directives, Directive("maxclients", ("100000",), "clients")),
    )
    return {"open": plan, "known": built_in("linux", HOST), "odd": odd}


@needs_systemd
@pytest.mark.parametrize("name", ["open", "known", "odd"])
def test_systemd_accepts_every_line(name: str, tmp_path: Path) -> None:
    """`systemd-analyze verify` has nothing to say about Debian's unit with the drop-in."""
    assert verify(render_drop_in(plans()[name]), tmp_path) == ""


@needs_systemd
def test_the_verifier_would_have_spoken(tmp_path: Path) -> None:
    """The judge of the test above does complain of an unknown key and of a bad value."""
    broken = render_drop_in(built_in("linux")) + "TimeoutStoppSec=1\nLimitNOFILE=many\n"
    said = verify(broken, tmp_path)
    assert "Unknown key 'TimeoutStoppSec'" in said
    assert "Failed to parse resource value" in said


def test_every_setting_has_its_reason_above_it() -> None:
    """No line of the drop-in stands without a comment directly before it."""
    lines = render_drop_in(built_in("linux")).splitlines()
    settings = [at for at, line in enumerate(lines) if "=" in line and not line.startswith("#")]
    assert [lines[at] for at in settings if not lines[at - 1].startswith("#")] == []
    assert len(settings) == 8


def test_a_stop_is_always_bounded_and_grows_with_the_data() -> None:
    """A stop has an end whatever the size; a start has one where maxmemory has one."""
    small, large = built_in("linux"), built_in("linux")._replace(memory=Memory(2**36, "noeviction"))
    unlimited = small._replace(memory=Memory(0, "noeviction"))
    assert (start_seconds(small), stop_seconds(small)) == (346, 124)
    assert (start_seconds(large), stop_seconds(large)) == (90 + 2**14, 900)
    assert (start_seconds(unlimited), stop_seconds(unlimited)) == (None, 900)


def test_docker_is_waited_for_only_where_its_address_is_used() -> None:
    """The order after docker.service stands there with the bridge's address, known or not, and not
    on a server that listens on loopback alone; and Docker is never required."""
    loopback = built_in("linux")
    loopback = loopback._replace(listen=loopback.listen._replace(bind=("127.0.0.1", "-::1")))
    texts = [
        render_drop_in(each) for each in (built_in("linux"), built_in("linux", HOST), loopback)
    ]
    assert ["After=docker.service" in text for text in texts] == [True, True, False]
    assert [text for text in texts if "Requires=" in text or "Wants=" in text] == []


def test_a_data_directory_elsewhere_is_made_writable() -> None:
    """Debian's unit sees a read-only disk: a directory outside its own list is added, escaped.

    The minus lets the service start where the folder is not there yet.
    """
    assert "/var/lib/redis\n" not in render_drop_in(built_in("linux"))
    assert "ReadWritePaths=-/var/backups/redis\n" in render_drop_in(built_in("linux"))
    assert 'ReadWritePaths="-/srv/100%% ours/redis data"\n' in render_drop_in(plans()["odd"])
    assert unit_path("/srv/redis") == "/srv/redis"


def test_descriptors_follow_the_clients() -> None:
    """LimitNOFILE is never below Debian's 65535, and holds maxclients and the server's own 32."""
    assert "LimitNOFILE=65535\n" in render_drop_in(built_in("linux"))
    assert "LimitNOFILE=100032\n" in render_drop_in(plans()["odd"])
