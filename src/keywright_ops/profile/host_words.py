"""Values of a Linux host that are read as names: network interfaces, versions of packages. Pure."""

from keywright_ops.profile.values import NotThat, called
from keywright_ops.profile.words import DIGITS, LOWER, parse_text, spelled

LETTERS = LOWER + LOWER.upper() + DIGITS
LONGEST_INTERFACE = 15  # IFNAMSIZ in linux/if.h, less the final zero


def parse_interfaces(value: object) -> tuple[str, ...]:
    """Read the names of network interfaces, as `ip link` shows them."""
    hint = 'write names as `ip link` shows them, such as ["eth1"]'
    if not isinstance(value, list):
        raise NotThat(f"a list of interfaces is needed, not {called(value)}", hint)
    # `ip link` shows eth1@if7 for the eth1 that is tied to interface 7 elsewhere
    names = tuple(parse_text(each).partition("@")[0] for each in value)
    for name in names:
        if not spelled(name, LETTERS, LETTERS + "_.-", LONGEST_INTERFACE):
            raise NotThat(f"{called(name)} is not the name of an interface", hint)
        if name == "lo" or name.startswith("docker0"):
            raise NotThat(f"{name} is listened on already", "name those of private networks")
    return tuple(dict.fromkeys(names))


def parse_version(value: object) -> str:
    """Read the version of a Debian package, "latest", or "" for whatever is installed."""
    text = parse_text(value)
    if text and not spelled(text, LETTERS, LETTERS + ".+-~:", 128):
        hint = 'write one as `apt-cache policy` shows it, or "latest"'
        raise NotThat(f"{called(text)} is not a package's version", hint)
    return text
