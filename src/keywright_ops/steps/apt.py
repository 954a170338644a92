"""How apt is called: it asks nobody anything, and waits for whoever else installs something."""

APT = (
    *("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"),
    *("-o", "DPkg::Lock::Timeout=120"),  # seconds: unattended-upgrades may be at work
    *("-o", "Dpkg::Options::=--force-confold"),  # our redis.conf stays
)
