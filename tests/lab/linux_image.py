"""The image of a Linux host: Debian with systemd, sshd, ufw, nginx and Docker, without Redis.

Redis comes from a package archive inside the image (/srv/apt), so that `apt-get install` is the real one and
needs no network. Valkey, which Debian 12 has in its backports only, lies in /srv/apt-backports, and apt knows
it once a test says so. /srv/apt-newer holds the servers with a raised version, for upgrades. Making the image
takes two minutes; it is kept in CACHE under a name that a changed recipe changes. KEYWRIGHT_LAB_SUITE=trixie
makes and takes a Debian 13 instead.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from tests.lab.docker_engine import Engine
from tests.lab.images import CACHE, LEFT_OUT

SUITE = os.environ.get("KEYWRIGHT_LAB_SUITE", "bookworm")
HOST_IMAGE = f"keywright-lab/linux-host:{SUITE}"
INSTALLED_IMAGE = "keywright-lab/linux-host:redis"
ARCHIVE, BACKPORTS, NEWER = "/srv/apt", "/srv/apt-backports", "/srv/apt-newer"
RAISED = "+lab1"  # what is added to the version of the newer packages

PACKAGES = (
    *("systemd", "systemd-sysv", "dbus", "ufw", "iptables", "iproute2", "sudo", "python3"),
    *("nginx-light", "apache2-utils", "curl", "procps", "openssh-server", "openssl"),
    *("ca-certificates", "docker.io", "util-linux"),
    *(("docker-cli",) if SUITE != "bookworm" else ()),  # a package of its own since Debian 13
)
OFFERED = ("redis-server", "redis-tools")  # with all that they need
BACKPORTED = ("valkey-server", "valkey-tools")  # Debian's own; they need what Redis needs

# Run inside, once: accounts, an sshd that logs every channel, and apt that knows the archive alone.
SETTLE = f"""
set -eu
apt-get update -qq
apt-get install -y -qq --no-install-recommends --download-only {" ".join(OFFERED)} >/dev/null
mkdir -p {ARCHIVE} {BACKPORTS} {NEWER}
mv /var/cache/apt/archives/*.deb {ARCHIVE}/
sed 's/{SUITE}/{SUITE}-backports/' /etc/apt/sources.list > /etc/apt/sources.list.d/backports.list
apt-get update -qq
apt-get install -y -qq --no-install-recommends --download-only {" ".join(BACKPORTED)} >/dev/null
mv /var/cache/apt/archives/valkey-*.deb {BACKPORTS}/
rm -f /var/cache/apt/archives/*.deb
useradd -m -s /bin/bash ops
useradd -m -s /bin/bash nosudo
echo 'ops ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/ops
chmod 440 /etc/sudoers.d/ops
cat > /etc/ssh/sshd_config.d/lab.conf <<'EOF'
LogLevel VERBOSE
PasswordAuthentication no
UseDNS no
EOF
rm -f /etc/apt/sources.list.d/*
echo 'deb [trusted=yes] file:{ARCHIVE} ./' > /etc/apt/sources.list
rm -rf /var/lib/apt/lists/*
rm -f /usr/sbin/policy-rc.d
systemctl set-default multi-user.target >/dev/null 2>&1
systemctl mask apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer fstrim.timer >/dev/null 2>&1
systemctl disable nginx >/dev/null 2>&1
"""


# The package as it is, and its service as after a boot on which nobody started it.
INSTALL = f"""
printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d
apt-get update -qq
apt-get install -y -qq --no-install-recommends {" ".join(OFFERED)} >/dev/null
systemctl disable redis-server >/dev/null 2>&1
rm /usr/sbin/policy-rc.d
"""


def add_host_image(engine: Engine) -> str:
    """Give an engine the image of the host; the first time it is made."""
    if engine.docker("image", "inspect", HOST_IMAGE, check=False).returncode:
        engine.docker("import", "--change", 'CMD ["/sbin/init"]', str(archive()), HOST_IMAGE)
    return HOST_IMAGE


def add_installed_image(engine: Engine) -> str:
    """Give an engine the image of the host with redis-server installed; made once per engine."""
    if engine.docker("image", "inspect", INSTALLED_IMAGE, check=False).returncode:
        image = add_host_image(engine)
        name = f"keywright-lab-installing-{os.getpid()}"
        engine.docker("run", "-d", "--name", name, image, "sleep", "600")
        try:
            engine.docker("exec", name, "sh", "-euc", INSTALL)
            engine.docker("commit", "--change", 'CMD ["/sbin/init"]', name, INSTALLED_IMAGE)
        finally:
            engine.docker("rm", "-f", "-v", name, check=False)
    return INSTALLED_IMAGE


def archive() -> Path:
    """Return the root of the host as a tar file."""
    recipe = repr((PACKAGES, OFFERED, BACKPORTED, SETTLE, RAISED, LEFT_OUT))
    name = "linux-host" if SUITE == "bookworm" else f"linux-{SUITE}-host"
    path = CACHE / f"{name}-{sha256(recipe.encode()).hexdigest()[:16]}.tar"
    if path.exists():
        return path
    CACHE.mkdir(parents=True, exist_ok=True)
    root = CACHE / f"{name}.{os.getpid()}"
    try:
        _build(root)
        half = path.with_suffix(f".{os.getpid()}")
        left_out = [f"--exclude=./{folder}/*" for folder in LEFT_OUT if folder != "var/lib/apt"]
        subprocess.run(["tar", "-C", str(root), *left_out, "-cf", str(half), "."], check=True)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    for old in CACHE.glob(f"{name}-*.tar"):
        old.unlink()
    half.rename(path)
    return path


def _build(root: Path) -> None:
    packages = f"--include={','.join(PACKAGES)}"
    _run("debootstrap", "--variant=minbase", packages, SUITE, str(root))
    _run("chroot", str(root), "sh", "-c", SETTLE)
    offered, backports, newer = (root / each[1:] for each in (ARCHIVE, BACKPORTS, NEWER))
    for deb in sorted((*offered.glob("redis-*.deb"), *backports.glob("*.deb"))):
        _raise_version(deb, newer)
    for folder in (offered, backports, newer):
        (folder / "Packages").write_text("\n".join(_index(folder)))


def _raise_version(deb: Path, folder: Path) -> None:
    """Pack a package again under a newer version; what it depends on of the same source is raised too."""
    unpacked = folder / "unpacked"
    _run("dpkg-deb", "-R", str(deb), str(unpacked))
    control = unpacked / "DEBIAN" / "control"
    text = control.read_text()
    version = next(
        line.split(" ", 1)[1] for line in text.splitlines() if line.startswith("Version:")
    )
    control.write_text(text.replace(version, version + RAISED))
    _run("dpkg-deb", "-b", "--root-owner-group", str(unpacked), str(folder))
    shutil.rmtree(unpacked)


def _index(folder: Path) -> Iterator[str]:
    """One paragraph of the index for each package."""
    for deb in sorted(folder.glob("*.deb")):
        fields = subprocess.run(
            ["dpkg-deb", "-f", str(deb)], check=True, capture_output=True, text=True
        ).stdout
        digest = sha256(deb.read_bytes()).hexdigest()
        yield f"{fields}Filename: ./{deb.name}\nSize: {deb.stat().st_size}\nSHA256: {digest}\n"


def _run(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise RuntimeError(f"{argv[:3]}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
