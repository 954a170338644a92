"""Facts: one immutable snapshot of an environment; what could not be asked is `Missing(why)`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from keywright_ops.model.absence import Missing
from keywright_ops.model.container import Housing, Usage
from keywright_ops.model.host import File, Process

if TYPE_CHECKING:
    from keywright_ops.model.machine import Machine  # a Linux host's alone


class Server(NamedTuple):
    """Which server answers: `name` is redis or valkey, `version` its own (never Valkey's 7.2.4)."""

    name: str
    version: str
    pid: int
    config_file: str
    executable: str
    uptime: int


class AclUser(NamedTuple):
    """One user as ACL LIST tells it. `hashes` are sha256 hex; `commands` the +/- rules in order."""

    name: str
    enabled: bool
    nopass: bool
    hashes: frozenset[str]
    keys: tuple[str, ...]
    channels: tuple[str, ...]
    commands: tuple[str, ...]


class Client(NamedTuple):
    """One connection of CLIENT LIST: `age` in seconds; ids grow and are never used again."""

    id: int
    user: str
    address: str
    name: str
    age: int


class Certificate(NamedTuple):
    """An X.509 certificate. Times are seconds since 1970 (UTC), ids and fingerprint (sha256) hex.

    `names` are the host names and addresses it is valid for, `key` the bytes of its public key;
    `key_id` names that key, `signer_id` the key that signed. `doubt` says why a client would refuse
    it at a handshake ("" when it would not, or when nobody asked).
    """

    fingerprint: str
    serial: str
    subject: str
    issuer: str
    not_before: int
    not_after: int
    names: tuple[str, ...]
    key: bytes
    key_id: str = ""
    signer_id: str = ""
    doubt: str = ""


class Facts(NamedTuple):
    """What was seen of an environment at one moment.

    `disk_config` is redis.conf as it stands on disk, `config` what the server says of itself, both
    canonical. `listening` are the addresses whose port is open, `stored` the names in the data
    directory, and `appendonlydir/NAME` for what lies in that folder; `log` the
    last lines that the server wrote; `housing` what Docker tells, for an environment that lives there;
    `certificate` what it presents at a handshake; `usage` what its container uses at the moment;
    `machine` the Linux host, for a service there; `line` whether it lets a new connection of ours in.
    """

    process: Process | Missing
    server: Server | Missing
    info: Mapping[str, str] | Missing
    config: Mapping[str, str] | Missing
    users: Mapping[str, AclUser] | Missing
    categories: Mapping[str, frozenset[str]] | Missing
    files: Mapping[str, File | Missing]
    disk_config: Mapping[str, str] | Missing
    listening: tuple[str, ...] | Missing
    stored: tuple[str, ...] | Missing = Missing("not asked")
    log: tuple[str, ...] | Missing = Missing("not asked")
    housing: Housing | Missing = Missing("not asked")
    clients: tuple[Client, ...] | Missing = Missing("not asked")
    certificate: Certificate | Missing = Missing("not asked")
    usage: Usage | Missing = Missing("not asked")
    machine: "Machine | Missing" = Missing("not asked")
    line: bool | Missing = Missing("not asked")
