"""What a row of the table of fields is, and the types of value that rows name."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from keywright_ops.profile import docker_words, host_words, names, values, words

LOCAL, DEV, PROD, SYSTEMD = "local", "docker-dev", "docker-prod", "systemd"
AZURE, AWS = "azure", "aws"
# The image of each engine. A tag that is pinned: with another one the data may need another reader.
IMAGES = {"redis": "redis:8.2", "valkey": "valkey/valkey:9.1"}


class Type(NamedTuple):
    """A type of value: its name for people, how it is read, and how it is written back as TOML."""

    name: str
    parse: Callable[[object], Any]
    show: Callable[[Any], object] = lambda value: value


class Field(NamedTuple):
    """One key of keywright.toml.

    `defaults` holds, for each kind of environment that has this key, the value as one would write
    it in the file; a kind that is not there does not take the key. `{app}`, `{prefix}`, `{env}`,
    `{suffix}` and `{dot}` stand for the application's name, its prefix, the environment's name, and
    "-prod" and ".prod" for the environment prod (nothing for dev); `{engine}` and
    `{image}` for the engine and its image, `{port}` for the port inside Docker. `unit` is the unit of
    the value ("" where there is none), `becomes` what the key turns into, `source` the section of the
    guide, or the reason.
    """

    path: str
    type: Type
    defaults: Mapping[str, object]
    unit: str
    meaning: str
    example: str
    source: str
    becomes: str = ""


def show_list(value: tuple[str, ...]) -> list[str]:
    """Write a tuple as TOML's list."""
    return list(value)


def parse_seconds(value: object) -> int:
    """Read a duration of whole seconds, at least one."""
    microseconds = values.parse_duration(value)
    if microseconds == 0 or microseconds % 10**6:
        raise values.NotThat("whole seconds are needed, at least one", 'write "1h", "30s" or 30')
    return microseconds // 10**6


def parse_timeout(value: object) -> float:
    """Read a duration above nothing as seconds with a fraction."""
    microseconds = values.parse_duration(value)
    if microseconds < 1000:
        raise values.NotThat("a timeout of at least 1ms is needed", 'write "5s"')
    return microseconds / 10**6


def parse_port_or_auto(value: object) -> int | str:
    """Read a port, or "auto" for the first free one."""
    if value == "auto" and isinstance(value, str):
        return "auto"
    if isinstance(value, str):
        raise values.NotThat(f"{values.called(value)} is not a port", 'write 6379 or "auto"')
    return words.whole(0, 65535)(value)


SIZE = Type("size (redis.conf)", values.parse_redis_size, values.format_redis_size)
MEMORY = Type("size (redis.conf) or percentage", values.parse_memory, values.format_memory)
DOCKER_SIZE = Type("size (docker)", values.parse_docker_size, values.format_docker_size)
LOG_SIZE = Type("size (docker log)", values.parse_docker_log_size, values.format_docker_log_size)
MICROSECONDS = Type(
    "duration",
    lambda value: values.parse_duration(value, bare="us"),
    values.format_duration,
)
SECONDS = Type("duration", parse_seconds, lambda seconds: values.format_duration(seconds * 10**6))
TIMEOUT = Type(
    "duration", parse_timeout, lambda seconds: values.format_duration(round(seconds * 10**6))
)
SAVE = Type("save points", values.parse_save, values.format_save)
FLAG = Type("true or false", words.parse_flag)
PORT = Type("port", words.whole(0, 65535))
REAL_PORT = Type("port", words.whole(1, 65535))
PORT_OR_AUTO = Type('port or "auto"', parse_port_or_auto)
BIND = Type("addresses", words.parse_bind, show_list)
NETWORKS = Type("networks (CIDR)", words.parse_networks, show_list)
NAMES = Type("host names and addresses", names.parse_names, show_list)
PUBLISH = Type("address:port", words.parse_publish)
CPUS = Type("number", words.parse_cpus)
TEXT = Type("text", words.parse_text)
PATH = Type("absolute path", words.parse_path)
REAL_PATH = Type("absolute path", words.parse_real_path)
FOLDER = Type("path", words.parse_relative_path)
FILE_NAME = Type("file name", words.parse_file_name)
PROJECT = Type("compose project", docker_words.parse_project)
DOCKER_NAME = Type("docker name", docker_words.parse_docker_name)
SERVICE = Type("host name", docker_words.parse_service)
HOST = Type("host name or address", words.parse_host)
SSH_HOST = Type("ssh://user@host", docker_words.parse_ssh_host)
INTERFACES = Type("interface names", host_words.parse_interfaces, show_list)
VERSION = Type("version", host_words.parse_version)
IMAGE = Type("image", docker_words.parse_image)
VARIABLE = Type("variable name", words.parse_variable)
PREFIX = Type("key prefix", words.parse_prefix)
KEY = Type("key or prefix", words.parse_key)
APP = Type("name", words.parse_app)


def number(low: int, high: int) -> Type:
    """Return the type of whole numbers in a range."""
    return Type(f"number {low}…{high}", words.whole(low, high))


def one_of(*choices: str) -> Type:
    """Return the type of one of these words."""
    return Type(" | ".join(f'"{each}"' for each in choices), words.choice(*choices))


def servers(value: object) -> dict[str, object]:
    """Give every kind that runs a server of its own the same default."""
    return dict.fromkeys((LOCAL, DEV, PROD, SYSTEMD), value)


def docker(value: object) -> dict[str, object]:
    """Give both Docker kinds the same default."""
    return dict.fromkeys((DEV, PROD), value)


def every(value: object) -> dict[str, object]:
    """Give every kind the same default."""
    return dict.fromkeys((LOCAL, DEV, PROD, SYSTEMD, AZURE, AWS), value)
