"""Values that are words: names, addresses, networks, paths, choices, and plain numbers.

Pure, as values.py. What a value may not hold matters more here than what it may: these words end
in redis.conf, in YAML, in argv and in unit files, so line breaks and control characters stop here.
"""

from collections.abc import Callable

from keywright_ops.profile.values import NotThat, called

LOWER = "abcdefghijklmnopqrstuvwxyz"
DIGITS = "0123456789"
# Addresses that need no parser: importing ipaddress costs more than loading a profile.
PLAIN_ADDRESSES = ("127.0.0.1", "::1", "0.0.0.0", "::")  # noqa: S104 - compared, not bound


def parse_text(value: object) -> str:
    """Read one line of text; it may be empty."""
    if not isinstance(value, str):
        raise NotThat(f"text in quotes is needed, not {called(value)}")
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in value):
        raise NotThat("text may not hold line breaks or control characters")
    if len(value) > 1024:
        raise NotThat("text of more than 1024 characters is a slip")
    return value


def parse_flag(value: object) -> bool:
    """Read true or false; "yes" and "no" are redis.conf's words for them."""
    if isinstance(value, bool):
        return value
    if value in ("yes", "no") and isinstance(value, str):
        return value == "yes"
    raise NotThat(f"true or false is needed, not {called(value)}", "write true or false")


def whole(low: int, high: int) -> Callable[[object], int]:
    """Return a parser of whole numbers from `low` to `high`."""

    def parse(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise NotThat(f"a whole number is needed, not {called(value)}")
        if not low <= value <= high:
            raise NotThat(f"a number from {low} to {high} is needed, not {called(value)}")
        return value

    return parse


def parse_cpus(value: object) -> float:
    """Read a number of processors, 0.01 … 1024 as docker counts them; 0 is no limit."""
    hint = "write cpus = 0.5, or leave it out for no limit"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise NotThat(f"a number of processors is needed, not {called(value)}", hint)
    if not (value == 0 or 0.01 <= value <= 1024):
        raise NotThat(
            f"a number of processors from 0.01 to 1024 is needed, not {called(value)}", hint
        )
    return float(value)


def choice(*words: str) -> Callable[[object], str]:
    """Return a parser of one of these words."""

    def parse(value: object) -> str:
        if isinstance(value, str) and value in words:
            return value
        likely = nearest(value, words) if isinstance(value, str) else ""
        hint = (
            f"did you mean {likely!r}?"
            if likely
            else f"write one of: {', '.join(map(repr, words))}"
        )
        raise NotThat(f"{called(value)} is none of {', '.join(words)}", hint)

    return parse


def nearest(word: str, words: tuple[str, ...]) -> str:
    """Return the word that was probably meant, or ""."""
    # difflib is imported only for a file that is wrong; it costs more than the whole loader.
    from difflib import get_close_matches

    found = get_close_matches(word.lower()[:64], words, n=1, cutoff=0.6)
    return found[0] if found else ""


def spelled(word: str, first: str, rest: str, longest: int) -> bool:
    """Say whether a word begins with one of `first`, goes on with `rest`, and is not too long."""
    return 0 < len(word) <= longest and word[0] in first and all(each in rest for each in word[1:])


def parse_app(value: object) -> str:
    """Read the application's name: it becomes part of container, network and volume names."""
    hint = 'write a name such as "esab": lower-case letters, digits, - and _, at most 40'
    text = parse_text(value)
    if not spelled(text, LOWER + DIGITS, LOWER + DIGITS + "-_", 40):
        raise NotThat(f"{called(text)} is not a name that docker takes everywhere", hint)
    return text


def parse_prefix(value: object, longest: int = 64) -> str:
    """Read the prefix of the application's keys; ACL rules, which are split at spaces, hold it.

    `longest` is in bytes.
    """
    hint = 'write a prefix such as "esabcfg:"'
    text = parse_text(value)
    if not text:
        raise NotThat("an empty prefix would give the application every key", hint)
    if any(letter.isspace() for letter in text) or not text.isprintable():
        raise NotThat("a prefix may not hold spaces: an ACL rule is split at them", hint)
    if '"' in text or "'" in text or "#" in text or "$" in text or len(text.encode()) > longest:
        raise NotThat(
            f"a prefix of at most {longest} bytes without quotes, # and $ is needed", hint
        )
    return text


def parse_key(value: object) -> str:
    """Read a key or a longer prefix: the prefix of all keys with something behind it."""
    return parse_prefix(value, 128)


def parse_variable(value: object) -> str:
    """Read the name of an environment variable, or "" for none.

    The value is never repeated in the message: a person may have written the password itself here.
    """
    letters = LOWER + LOWER.upper() + "_"
    if isinstance(value, str) and (value == "" or spelled(value, letters, letters + DIGITS, 128)):
        return value
    hint = 'write the variable\'s name, such as "REDIS_PASSWORD"; never the password itself'
    raise NotThat("the name of a variable is needed", hint)


def parse_path(value: object) -> str:
    """Read an absolute path, or ""."""
    text = parse_text(value)
    if text and (not text.startswith("/") or ".." in text.split("/")):
        raise NotThat(f"{called(text)} is not an absolute path", "write a path that begins with /")
    return text


def parse_real_path(value: object) -> str:
    """Read an absolute path that must be there."""
    if value == "" and isinstance(value, str):
        raise NotThat("a path is needed", "write a path that begins with /")
    return parse_path(value)


def parse_relative_path(value: object) -> str:
    """Read a path, absolute or relative to the project; never empty, never climbing out of it."""
    text = parse_text(value)
    if not text or ".." in text.split("/") or text.strip() != text:
        raise NotThat(
            f"{called(text)} is not a path inside the project",
            'write one such as "deployment/docker"',
        )
    return text


def parse_file_name(value: object) -> str:
    """Read the bare name of a file."""
    text = parse_text(value)
    letters = LOWER + LOWER.upper() + DIGITS
    if not spelled(text, letters, letters + "._-", 128):
        raise NotThat(
            f"{called(text)} is not the name of a file", 'write one such as "docker-compose.yml"'
        )
    return text


def parse_host(value: object) -> str:
    """Read a host name or address for the application to connect to; "" leaves it to Keywright."""
    text = parse_text(value)
    letters = LOWER + LOWER.upper() + DIGITS
    if text and not spelled(text, letters + ":", letters + ".:-_", 253):
        hint = "write the bare name: no scheme, no port, no user"
        raise NotThat(f"{called(text)} is not a host name", hint)
    return text


def is_address(text: str) -> bool:
    """Say whether this is an IP address, four or six."""
    if text in PLAIN_ADDRESSES:
        return True
    from ipaddress import ip_address  # only for addresses beyond the usual four: it is slow to load

    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def parse_bind(value: object) -> tuple[str, ...]:
    """Read the addresses to listen on; a leading "-" lets a start succeed without that address."""
    hint = 'write addresses, such as bind = ["127.0.0.1", "-::1"]'
    if isinstance(value, str):
        value = value.split()
    if not isinstance(value, list):
        raise NotThat(f"a list of addresses is needed, not {called(value)}", hint)
    if not value:
        raise NotThat("without an address the server would answer nobody", hint)
    words = tuple(parse_text(each) for each in value)
    for word in words:
        address = word.removeprefix("-")
        if address not in ("*", "::*") and not is_address(address):
            raise NotThat(f"{called(word)} is not an IP address", hint)
    if len({word.removeprefix("-") for word in words}) < len(words):
        raise NotThat("an address stands there twice", hint)
    if len(words) > 16:
        raise NotThat("a server binds at most 16 addresses", hint)
    return words


def parse_publish(value: object) -> str:
    """Read HOST_ADDRESS:PORT; a bare port is on loopback, "" publishes nothing."""
    hint = 'write publish = "127.0.0.1:6379", or "" for the docker network alone'
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    text = parse_text(value).strip()
    if not text:
        return ""
    address, _, port = text.rpartition(":")
    address = address.removeprefix("[").removesuffix("]") or "127.0.0.1"
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 1 <= int(port) <= 65535):
        raise NotThat(f"{called(text)} does not end in a port from 1 to 65535", hint)
    if not is_address(address):
        raise NotThat(f"{called(text)} does not begin with an IP address", hint)
    return f"[{address}]:{int(port)}" if ":" in address else f"{address}:{int(port)}"


def parse_networks(value: object) -> tuple[str, ...]:
    """Read networks in CIDR notation; a bare address is a network of one."""
    hint = 'write networks, such as ["10.0.0.0/24"]'
    if not isinstance(value, list):
        raise NotThat(f"a list of networks is needed, not {called(value)}", hint)
    if not value:
        return ()
    from ipaddress import ip_network  # only where a network is declared: it is slow to load

    networks = []
    for each in value:
        try:
            networks.append(str(ip_network(parse_text(each))))
        except ValueError as problem:
            why = "has host bits set" if "host bits" in str(problem) else "is not a network"
            raise NotThat(f"{called(each)} {why}", hint) from None
    return tuple(networks)
