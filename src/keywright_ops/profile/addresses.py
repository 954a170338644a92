"""What kind of address this is; ipaddress is imported only for addresses that need it."""

LOOPBACK = ("127.0.0.1", "::1", "localhost")
EVERYWHERE = ("0.0.0.0", "::", "*")  # noqa: S104 - compared, not bound


def bare(address: str) -> str:
    """Return an address without redis.conf's leading minus and without brackets."""
    return address.removeprefix("-").strip("[]")


def is_loopback(address: str) -> bool:
    """Say whether only its own host reaches this address."""
    address = bare(address)
    return address in LOOPBACK or address.startswith("127.")


def is_everywhere(address: str) -> bool:
    """Say whether it stands for every address of the host ("*" also as "-::*")."""
    return bare(address) in EVERYWHERE or bare(address) == "::*"


def is_public(address: str) -> bool:
    """Say whether the whole internet can route to this address."""
    if is_loopback(address) or is_everywhere(address):
        return False
    from ipaddress import ip_address  # slow to load, and rarely needed

    return ip_address(bare(address)).is_global
