"""The complete redis.conf of a plan, setting by setting, in canonical values (as CONFIG GET says).

Settings stand in groups in the order of a reader's questions: where, how much, what survives, who.
"""

from keywright_ops.model.absence import Discovered
from keywright_ops.model.plan import Directive, Listen, Memory, Persistence, Tls
from keywright_ops.profile.declared import Values

# Where the configuration is mounted in Docker, beside the image's own directories.
DOCKER_CONFIG = "/usr/local/etc/redis"
NETWORK, PROCESS, MEMORY, PERSISTENCE, USERS, SLOWLOG, OTHER = (
    "network", "process", "memory", "persistence", "users", "slow log", "further settings",
)  # fmt: skip


def yes(flag: bool) -> str:
    """Say yes or no, as redis.conf does."""
    return "yes" if flag else "no"


def config_directory(values: Values, home: str) -> str:
    """Return the folder of redis.conf and users.acl, as the server sees it."""
    if values.kind == "systemd":
        return values.text("unit.config_directory")
    return DOCKER_CONFIG if values.kind.startswith("docker-") else home


def decide_directives(
    values: Values, listen: Listen, memory: Memory, persistence: Persistence, home: str
) -> tuple[Directive, ...]:
    """Decide every line of redis.conf; a managed server has none that we could write."""
    if values.kind in ("azure", "aws"):
        return ()
    aclfile = f"{config_directory(values, home)}/users.acl"
    microseconds = str(values.number("slowlog_log_slower_than"))
    return (
        *network(listen),
        *process(values, home),
        Directive("maxmemory", (str(memory.maxmemory),), MEMORY, "bytes"),
        Directive("maxmemory-policy", (memory.policy,), MEMORY),
        *survival(persistence),
        Directive("aclfile", (aclfile,), USERS, "every user and password stands there"),
        Directive("slowlog-log-slower-than", (microseconds,), SLOWLOG, "microseconds"),
        Directive("slowlog-max-len", (str(values.number("slowlog_max_len")),), SLOWLOG),
        *(Directive(name, words, OTHER) for name, words in values.settings().items()),
    )


def network(listen: Listen) -> tuple[Directive, ...]:
    """Return where the server answers."""
    return (
        Directive("bind", bind_words(listen.bind), NETWORK),
        Directive("port", (str(listen.port),), NETWORK),
        Directive("protected-mode", (yes(listen.protected_mode),), NETWORK),
        *(tls_directives(listen.tls) if listen.tls else ()),
    )


def bind_words(bind: tuple[str | Discovered, ...]) -> tuple[str, ...]:
    """Return the addresses that are known: what the host has not told yet stays out."""
    return tuple(each for each in bind if isinstance(each, str))


def tls_directives(tls: Tls) -> tuple[Directive, ...]:
    """Return the settings of TLS."""
    return (
        Directive("tls-port", (str(tls.port),), NETWORK),
        Directive("tls-cert-file", (tls.cert_file,), NETWORK),
        Directive("tls-key-file", (tls.key_file,), NETWORK),
        Directive("tls-ca-cert-file", (tls.ca_cert_file,), NETWORK),
        Directive("tls-auth-clients", (yes(tls.auth_clients),), NETWORK),
    )


def process(values: Values, home: str) -> tuple[Directive, ...]:
    """Return how the program runs: always in the foreground of what supervises it."""
    supervised = "systemd" if values.kind == "systemd" else "no"
    pidfile = {"local": f"{home}/server.pid"}
    # Docker and the journal take standard output: an empty logfile.
    logfile = f"{home}/server.log" if values.kind == "local" else ""
    if values.kind == "systemd":
        logfile = values.text("unit.log_file")
        pidfile["systemd"] = f"/run/{values.engine()}/{values.engine()}-server.pid"  # the unit's
    own: tuple[Directive, ...] = ()
    if values.kind == "local":
        # `ps` then shows the path of redis.conf, by which Keywright knows its own process.
        own = (Directive("set-proc-title", ("no",), PROCESS, "ps shows this file's path"),)
    return (
        Directive("daemonize", ("no",), PROCESS),
        Directive("supervised", (supervised,), PROCESS),
        Directive("pidfile", (pidfile.get(values.kind, ""),), PROCESS),
        Directive("logfile", (logfile,), PROCESS),
        *own,
        Directive("databases", (str(values.number("databases")),), PROCESS),
    )


def survival(persistence: Persistence) -> tuple[Directive, ...]:
    """Return what survives a restart."""
    save = tuple(
        str(number) for point in persistence.save for number in (point.seconds, point.changes)
    )
    return (
        Directive("dir", (persistence.directory,), PERSISTENCE),
        Directive("appendonly", (yes(persistence.appendonly),), PERSISTENCE),
        Directive("appendfsync", (persistence.appendfsync,), PERSISTENCE),
        Directive("save", save or ("",), PERSISTENCE, "seconds and changes, pair by pair"),
    )
