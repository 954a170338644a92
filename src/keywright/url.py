"""Connection URLs: text to Address and back, with errors that never show any part of a password.

    redis://[username][:password]@host[:port][/database]
    rediss://…                                  the same, with TLS
    unix://[username][:password]@/path/to/socket[?db=N]
    redis+sentinel://…@host[:26379],host[:26379]/name-of-the-master[/database]     (rediss+sentinel)

Username, password, host and path are percent-encoded (RFC 3986); redis-py reads what is written
here for the first three schemes in the same way, which a property test holds.
"""

from typing import NoReturn

from keywright.address import OPTIONS, PORT, SCHEMES, SENTINEL_PORT, Address, Node
from keywright.errors import SettingsError
from keywright.percent import decode, encode
from keywright.secret import MASK, Secret

__all__ = ["OPTIONS", "PORT", "SCHEMES", "Address", "Node", "format_url", "parse_url", "read_url"]

_ALIASES = {
    "sentinel": "redis+sentinel",
    "redis-sentinel": "redis+sentinel",
    "redis+tls": "rediss",
    "rediss-sentinel": "rediss+sentinel",
    "redis+unix": "unix",
    "redis-socket": "unix",
    "valkey": "redis",
    "valkeys": "rediss",
    "http": "redis",
    "https": "rediss",
}
_SHAPE = "a connection URL looks like redis://username:password@host:6379/0"


def parse_url(text: str) -> Address:
    """Read a connection URL.

    Raises SettingsError, which shows no part of the URL, when it is not one: unknown scheme,
    characters that must be percent-encoded, a port that is no number from 1 to 65535, a database
    that is no number, `/N` and `?db=N` that differ, an option that is not known.
    """
    return read_url(text)[0]


def read_url(text: str) -> tuple[Address, frozenset[str]]:
    """Read a URL like `parse_url`; also say which of host, port, database, username and password
    the URL itself states (the others are defaults, and a setting beside the URL may fill them)."""
    scheme, rest = _scheme(text)
    if any(each.isspace() or ord(each) < 32 or ord(each) == 127 for each in rest):
        _fail(
            "has a space or control character in it",
            "percent-encode it (a space is %20); an inline comment after the value is kept by "
            "`docker run --env-file` and by systemd, so put comments on their own lines",
        )
    if "#" in rest:
        _fail("has a # in it", "write # as %23 when it belongs to the password")
    rest, _, query = rest.partition("?")
    authority, slash, path = rest.partition("/")
    if "@" not in authority and ("@" in query or ("@" in path and scheme != "unix")):
        _fail(
            "has a / or ? before the @, so the password is not readable",
            "percent-encode the password: / is %2F, ? is %3F, # is %23, @ is %40, : is %3A",
        )
    userinfo, at, hosts = authority.rpartition("@")
    username, _, password = userinfo.partition(":")
    stated = {name for name, given in (("username", at), ("password", password)) if given}
    options, named = _query(query)
    address = Address(
        scheme,
        username=_decode(username, "username"),
        password=_secret(_decode(password, "password")),
        sentinel_username=named.pop("sentinel_username", ""),
        sentinel_password=_secret(named.pop("sentinel_password", "")),
        options=options,
    )
    if not address.sentinel and (address.sentinel_username or address.sentinel_password):
        _fail("has sentinel_ options without a +sentinel scheme", _SHAPE)
    if scheme == "unix":
        if hosts:
            _fail(
                "of a unix socket has a host in it",
                "a socket's path takes three slashes: unix:///run/redis/redis.sock",
            )
        address = address._replace(path=_socket(_decode(slash + path, "path")))
        database = ""
    else:
        address, database = _place(address, hosts, path, stated)
    number = _database(database, named.get("db"))
    if number is not None:
        stated.add("database")
    return address._replace(database=number or 0), frozenset(stated)


def format_url(address: Address, *, reveal: bool = True) -> str:
    """Write an address as a URL that `parse_url` reads back to the same address.

    With `reveal=False` passwords are shown as ••••••. Raises SettingsError when the address cannot
    be written: unknown scheme, no host, a port out of range, text that is not valid unicode.
    """
    if address.scheme not in SCHEMES:
        _fail("has an unknown scheme", f"use one of {', '.join(SCHEMES)}")
    _check(address)
    login = _encode(address.username) + _password(address.password, reveal)
    options = list(address.options)
    if address.scheme == "unix":
        where = _encode(_socket(address.path), keep=b"/")
        if address.database:
            options.insert(0, ("db", str(address.database)))
    else:
        where = ",".join(_node(node) for node in address.nodes)
        where += f"/{_encode(address.master)}" if address.sentinel else ""
        where += f"/{address.database}"
    pairs = [f"{name}={_encode(value)}" for name, value in options]
    if address.sentinel_username:
        pairs.append(f"sentinel_username={_encode(address.sentinel_username)}")
    if address.sentinel_password:
        word = _password(address.sentinel_password, reveal)
        pairs.append(f"sentinel_password={word.removeprefix(':')}")
    question = "?" + "&".join(pairs) if pairs else ""
    return f"{address.scheme}://{login + '@' if login else ''}{where}{question}"


def _fail(what: str, hint: str) -> NoReturn:
    raise SettingsError(f"the connection URL {what}", hint)


def _scheme(text: str) -> tuple[str, str]:
    scheme, sep, rest = text.partition("://")
    scheme = scheme.lower()
    if scheme in SCHEMES and sep:
        return scheme, rest
    if text[:1] in ("'", '"'):
        _fail(
            "begins with a quotation mark",
            "`docker run --env-file` keeps quotes: write the value bare in that file",
        )
    if sep and scheme in _ALIASES:
        _fail(f"begins with {scheme}://", f"write {_ALIASES[scheme]}://")
    _fail(
        "begins with none of " + ", ".join(f"{each}://" for each in SCHEMES),
        _SHAPE,
    )


def _place(address: Address, hosts: str, path: str, stated: set[str]) -> tuple[Address, str]:
    """Read hosts and path of a URL with hosts; return the address and the database's text."""
    if not address.sentinel:
        if "," in hosts:
            _fail("names several hosts", "several hosts are sentinels: write redis+sentinel://")
        node = _read_node(hosts, PORT, stated)
        return address._replace(nodes=(node,)), path.rstrip("/")
    if not hosts:
        _fail("names no sentinel", "redis+sentinel://host:26379,host:26379/mymaster/0")
    nodes = tuple(_read_node(each, SENTINEL_PORT, stated) for each in hosts.split(","))
    master, _, database = path.partition("/")
    if not master:
        _fail(
            "does not name the master that the sentinels watch",
            "put it after the hosts: redis+sentinel://host:26379/mymaster/0",
        )
    found = address._replace(nodes=nodes, master=_decode(master, "name of the master"))
    return found, database.rstrip("/")


def _read_node(text: str, port: int, stated: set[str]) -> Node:
    if text.startswith("["):
        host, closed, tail = text[1:].partition("]")
        host = _decode(host, "host")
        plain = host.partition("%")[0]
        if not closed or ":" not in plain or set(plain.lower()) - set("0123456789abcdef:."):
            _fail("has square brackets that hold no IPv6 address", "redis://[::1]:6379/0")
        if tail and not tail.startswith(":"):
            _fail("has text between an IPv6 address and its port", "redis://[::1]:6379/0")
        digits = tail[1:]
    else:
        host, _, digits = text.partition(":")
        if ":" in digits:
            _fail(
                "has more than one : in its host",
                "an IPv6 address stands in square brackets, redis://[::1]:6379/0; "
                "a password stands before an @",
            )
        host = _decode(host, "host")
    if host:
        stated.add("host")
    if digits:
        stated.add("port")
        port = _number(digits, 1, 65535, "port")
    return Node(host or "localhost", port)


def _number(text: str, low: int, high: int, what: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 10 and low <= int(text) <= high:
        return int(text)
    _fail(
        f"has a {what} that is not a whole number from {low} to {high}",
        f"{_SHAPE}; a password with : / ? # or @ in it must be percent-encoded",
    )


def _database(path: str, query: str | None) -> int | None:
    numbers = [_number(each, 0, 2**31 - 1, "database") for each in (path, query or "") if each]
    if len(set(numbers)) > 1:
        _fail(
            f"names database {numbers[0]} in its path and {numbers[1]} in ?db=",
            "keep one of the two",
        )
    return numbers[0] if numbers else None


def _query(text: str) -> tuple[tuple[tuple[str, str], ...], dict[str, str]]:
    """Read what follows `?`: the OPTIONS in order, and db and the sentinels' credentials apart."""
    options: list[tuple[str, str]] = []
    named: dict[str, str] = {}
    for pair in filter(None, text.split("&")):
        name, _, value = pair.partition("=")
        value = _decode(value.replace("+", " "), "option")
        if name in named or name in dict(options):
            _fail(f"has the option {name} twice", "keep one of the two")
        if name in OPTIONS:
            options.append((name, value))
        elif name in ("db", "sentinel_username", "sentinel_password"):
            named[name] = value
        else:
            _fail(
                "has an option after ? that is not known",
                f"known are db, {', '.join(OPTIONS)}, sentinel_username and sentinel_password",
            )
    return tuple(options), named


def _socket(path: str) -> str:
    if not path.startswith("/") or path == "/":
        _fail("of a unix socket has no absolute path", "unix:///run/redis/redis.sock")
    return path


def _check(address: Address) -> None:
    """Refuse what the scheme's URL has no place for, so that nothing is lost in writing."""
    if address.scheme == "unix":
        wrong = bool(address.nodes)
    else:
        wrong = bool(address.path) or not address.nodes
        wrong = wrong or (len(address.nodes) > 1 and not address.sentinel)
    if wrong:
        _fail("needs one host, several sentinels, or one socket", _SHAPE)
    if address.sentinel != bool(address.master):
        _fail("names a master just when it has sentinels", "redis+sentinel://host:26379/mymaster")
    if not address.sentinel and (address.sentinel_username or address.sentinel_password):
        _fail("has sentinel_ options without a +sentinel scheme", _SHAPE)
    if any(not node.host or not 1 <= node.port <= 65535 for node in address.nodes):
        _fail("needs a host and a port from 1 to 65535", _SHAPE)
    if not 0 <= address.database < 2**31 or {name for name, _ in address.options} - {*OPTIONS}:
        _fail("has a database or an option that none can have", _SHAPE)


def _node(node: Node) -> str:
    host = f"[{_encode(node.host, keep=b':')}]" if ":" in node.host else _encode(node.host)
    return f"{host}:{node.port}"


def _password(password: Secret | None, reveal: bool) -> str:
    if not password:
        return ""
    return ":" + (_encode(password.reveal()) if reveal else MASK)


def _secret(text: str) -> Secret | None:
    return Secret(text) if text else None


def _encode(text: str, keep: bytes = b"") -> str:
    try:
        return encode(text, keep)
    except UnicodeEncodeError:
        pass  # the cause would show the text; raise without it
    _fail("cannot hold text that is not valid unicode", "choose another password or name")


def _decode(text: str, what: str) -> str:
    try:
        return decode(text)
    except ValueError:
        pass  # the cause would show the text; raise without it
    _fail(f"has a % in its {what} that encodes nothing", "write % itself as %25")
