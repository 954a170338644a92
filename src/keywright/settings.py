"""The application's settings: its environment read by the one table FIELDS.

REDIS_URL wins over the parts (REDIS_HOST, REDIS_PORT, REDIS_DB, REDIS_USERNAME, REDIS_PASSWORD,
REDIS_SSL and the pool's numbers). What the URL leaves out is taken from the parts; where both say
something else, the URL counts and `contradictions` says so. That does not raise: a deployment that
runs must not stop for it; `keywright env check` and the health page show it.
"""

import os
from collections.abc import Mapping
from typing import NamedTuple

from keywright.errors import SettingsError
from keywright.fields import BY_NAME, FIELDS, Field, settings_table
from keywright.secret import MASK, Secret
from keywright.suspicions import kept_comment, kept_quotes, near_names
from keywright.url import PORT, Address, Node, format_url, read_url
from keywright.values import COMMENT_HINT, QUOTES_HINT, Value, read_value

__all__ = ["FIELDS", "Field", "Settings", "settings_table"]

# The URL's options and the variables that say the same.
_OPTION_FIELDS = {
    "ssl_cert_reqs": "REDIS_SSL_CERT_REQS",
    "ssl_ca_certs": "REDIS_SSL_CA_CERTS",
    "socket_timeout": "REDIS_SOCKET_TIMEOUT",
    "socket_connect_timeout": "REDIS_SOCKET_CONNECT_TIMEOUT",
    "max_connections": "REDIS_POOL_MAX_CONNECTIONS",
}


class Settings(NamedTuple):
    """What the environment says, with defaults filled in and the URL taken apart.

    `address` is where to connect: host, port, database, username, password and ssl repeat it
    (host and port are empty and 0 for a unix socket, the first sentinel's with Sentinel).
    Timeouts and times to live are seconds. `contradictions` and `warnings` are sentences for a
    person, without any secret.
    """

    enabled: bool
    address: Address
    host: str
    port: int
    database: int
    username: str
    password: Secret | None
    ssl: bool
    ssl_cert_reqs: str
    ssl_ca_certs: str
    pool_max_connections: int
    socket_timeout: float
    socket_connect_timeout: float
    cache_prefix: str
    cache_ttl: int
    cache_ttl_short: int
    cache_ttl_long: int
    lock_prefix: str
    lock_ttl: int
    healthcheck_on_start: bool
    healthcheck_key: str
    contradictions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def url(self) -> Secret:
        """The address as one connection URL."""
        return Secret(format_url(self.address))

    @classmethod
    def from_env(cls, mapping: Mapping[str, str] | None = None) -> "Settings":
        """Read the variables of FIELDS from `mapping` (os.environ when None is given).

        An empty variable counts as unset. Raises SettingsError, with the variable's name, for a
        value of the wrong kind and for a left-over placeholder such as <REDIS_PASSWORD>.
        """
        given = os.environ if mapping is None else mapping
        texts = {field.name: given[field.name] for field in FIELDS if given.get(field.name)}
        contradictions: list[str] = []
        url = texts.get("REDIS_URL", "").strip()
        try:
            values = {name: read_value(BY_NAME[name], text) for name, text in texts.items()}
            address = _from_url(url, values, contradictions) if url else _from_parts(values)
        except SettingsError as error:
            # A password that stands in the wrong variable as well is not shown there either.
            raise SettingsError(masked(str(error), texts), error.hint) from None
        contradictions = [masked(each, texts) for each in contradictions]
        warnings = [*_doubts(texts, values, address), *contradictions]
        warnings += [f"{name} is not read: {meant} was probably meant"
                     for name, meant in near_names(given)]  # fmt: skip
        return _settings(values, address, tuple(contradictions), tuple(warnings))

    @classmethod
    def from_file(
        cls, path: str, dialect: str = "dotenv", environment: Mapping[str, str] | None = None
    ) -> "Settings":
        """Read a .env file as the program of `dialect` reads it (see keywright.dotenv.DIALECTS).

        `environment` (nothing when None) supplies what `${VAR}` names, and its variables win over
        the file's, as load_dotenv has it. Raises SettingsError for a file that cannot be read.
        """
        from keywright.dotenv import load_file  # only for applications that read a file

        around = environment or {}
        return cls.from_env({**load_file(path, dialect, around), **around})


def _from_parts(values: Mapping[str, Value]) -> Address:
    host, port = values.get("REDIS_HOST", "localhost"), values.get("REDIS_PORT", PORT)
    username, password = values.get("REDIS_USERNAME", ""), values.get("REDIS_PASSWORD")
    database = values.get("REDIS_DB", 0)
    assert isinstance(host, str) and isinstance(port, int) and isinstance(username, str)
    assert isinstance(database, int) and (password is None or isinstance(password, Secret))
    scheme = "rediss" if values.get("REDIS_SSL") else "redis"
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    return Address(scheme, (Node(bare, port),), database, username, password)


def _from_url(url: str, values: dict[str, Value], contradictions: list[str]) -> Address:
    """Take the URL apart, fill from the parts what it leaves out, note where they differ."""
    try:
        address, stated = read_url(url)
    except SettingsError as error:
        raise SettingsError(f"REDIS_URL: {error}", error.hint) from None
    parts = _from_parts(values)
    address = _filled(address, parts, stated, values)

    def differs(name: str, theirs: object, ours: object, show: bool = True) -> None:
        if name in values and theirs != ours:
            said = f" ({ours} against {theirs})" if show else ""
            contradictions.append(f"REDIS_URL and {name} differ{said}; REDIS_URL counts")

    hosts = [node.host.lower() for node in address.nodes]
    if "REDIS_HOST" in values and parts.nodes[0].host.lower() not in hosts:
        differs("REDIS_HOST", parts.nodes[0].host, ",".join(hosts) or "a unix socket")
    ports = [node.port for node in address.nodes]
    if parts.nodes[0].port not in ports:
        shown = ",".join(str(each) for each in ports) or "a unix socket"
        differs("REDIS_PORT", parts.nodes[0].port, shown)
    differs("REDIS_DB", parts.database, address.database)
    mine, theirs = address.username or "default", parts.username or "default"
    differs("REDIS_USERNAME", theirs, mine)
    differs("REDIS_PASSWORD", parts.password, address.password, show=False)
    if "REDIS_SSL" in values and parts.tls != address.tls:
        now = "with TLS" if address.tls else "without TLS"
        contradictions.append(f"REDIS_URL and REDIS_SSL differ; REDIS_URL counts: {now}")
    for option, text in address.options:
        name = _OPTION_FIELDS[option]
        value = read_value(BY_NAME[name], text)
        differs(name, values.get(name), value)
        values[name] = value
    return address


def _filled(
    address: Address, parts: Address, stated: frozenset[str], values: Mapping[str, Value]
) -> Address:
    """Fill what the URL does not state from the variables beside it."""
    if "username" not in stated:
        address = address._replace(username=parts.username)
    if "password" not in stated:
        address = address._replace(password=parts.password)
    if "database" not in stated:
        address = address._replace(database=parts.database)
    if address.scheme in ("redis", "rediss"):
        (node,), (other,) = address.nodes, parts.nodes
        host = node.host if "host" in stated else other.host
        port = node.port if "port" in stated or "REDIS_PORT" not in values else other.port
        address = address._replace(nodes=(Node(host, port),))
    return address


def _doubts(texts: Mapping[str, str], values: Mapping[str, Value], address: Address) -> list[str]:
    """What is allowed but probably not meant."""
    doubts = []
    password = texts.get("REDIS_PASSWORD", "")
    if kept_comment(password):
        doubts.append(f"REDIS_PASSWORD holds ' #', which may be a comment: {COMMENT_HINT}")
    if kept_quotes(password):
        doubts.append(f"REDIS_PASSWORD stands in quotation marks, which are kept: {QUOTES_HINT}")
    if password != password.strip():
        doubts.append("REDIS_PASSWORD begins or ends with white space, which is kept")
    if address.tls and values.get("REDIS_SSL_CERT_REQS") == "none":
        doubts.append("REDIS_SSL_CERT_REQS=none: anybody in between can read and change the data")
    if values.get("REDIS_SSL_CA_CERTS") and not address.tls:
        doubts.append("REDIS_SSL_CA_CERTS is set but the connection is without TLS")
    return doubts


def _settings(
    values: Mapping[str, Value],
    address: Address,
    contradictions: tuple[str, ...],
    warnings: tuple[str, ...],
) -> Settings:
    """Put every row of FIELDS into its attribute, defaults included."""
    prefix = values.get("CACHE_PREFIX", BY_NAME["CACHE_PREFIX"].default)
    node = address.nodes[0] if address.nodes else Node("", 0)
    found: dict[str, object] = {}
    for field in FIELDS:
        default = field.default.replace("<CACHE_PREFIX>", str(prefix))
        if field.name in values:
            found[field.attribute] = values[field.name]
        elif default and field.kind in ("switch", "whole", "seconds"):
            found[field.attribute] = read_value(field, default)
        else:
            found[field.attribute] = default
    found.pop("url")
    found |= {
        "host": node.host, "port": node.port, "database": address.database,
        "username": address.username, "password": address.password, "ssl": address.tls,
    }  # fmt: skip
    return Settings(
        address=address,
        contradictions=contradictions,
        warnings=warnings,
        **found,  # type: ignore[arg-type]  # the table's kinds are the attributes' types: a test
    )


def masked(sentence: str, texts: Mapping[str, str]) -> str:
    """Hide the password of `texts` in a sentence, if somebody put it into another variable too."""
    password = texts.get("REDIS_PASSWORD", "").strip()
    return sentence.replace(password, MASK) if len(password) > 3 else sentence
