"""The plan: one environment's profile with every decision made.

Sizes are bytes, durations seconds unless the name says otherwise. What only the host can tell is
`Discovered`. A plan holds no secret: users name the secret that the vault keeps for them.
"""

from typing import NamedTuple

from keywright_ops.model.absence import Discovered

KINDS = ("local", "docker-dev", "docker-prod", "systemd", "azure", "aws")


class SavePoint(NamedTuple):
    """`save SECONDS CHANGES`: snapshot after so long if at least so many keys changed."""

    seconds: int
    changes: int


class Engine(NamedTuple):
    """Which server runs: for `local` the program's path, in Docker the image and its `name`,
    "redis" or "valkey"."""

    program: str | Discovered = ""
    image: str = ""
    name: str = ""


class Tls(NamedTuple):
    """Where TLS listens and with which files (paths as the server sees them).

    `own` says that Keywright's authority makes the certificate, for `names` (host names, addresses).
    `here` is where certificate, key and authority lie for Keywright itself.
    """

    port: int
    cert_file: str
    key_file: str
    ca_cert_file: str
    auth_clients: bool = False
    own: bool = False
    names: tuple[str, ...] = ()
    here: tuple[str, str, str] = ("", "", "")


class Listen(NamedTuple):
    """Where the server answers. `port` is 0 when only TLS listens."""

    port: int
    bind: tuple[str | Discovered, ...]
    protected_mode: bool
    tls: Tls | None = None


class Memory(NamedTuple):
    """`maxmemory` in bytes (0 is no limit) and what is evicted when it is reached."""

    maxmemory: int
    policy: str


class Persistence(NamedTuple):
    """What survives a restart: the append-only file, snapshots, both or nothing."""

    appendonly: bool
    appendfsync: str
    save: tuple[SavePoint, ...]
    directory: str

    @property
    def promised(self) -> bool:
        """Whether data written before a restart must be there after it."""
        return self.appendonly or bool(self.save)


class User(NamedTuple):
    """One ACL user: `rules` in Redis' own syntax, without passwords; `secret` names it in the vault."""

    name: str
    enabled: bool
    rules: tuple[str, ...]
    secret: str
    purpose: str


class Directive(NamedTuple):
    """One redis.conf setting as words; joined by spaces they are what CONFIG GET answers.

    `words` are canonical (bytes for sizes, yes/no, microseconds as the server counts them); an
    empty value is `("",)`. `group` is the heading it stands under, `why` a comment or "".
    """

    name: str
    words: tuple[str, ...]
    group: str
    why: str = ""

    @property
    def value(self) -> str:
        """The canonical value, as CONFIG GET answers it."""
        return " ".join(self.words)


class Limits(NamedTuple):
    """What a container may use at most; None is no limit. `memory` in bytes."""

    cpus: float | None = None
    memory: int | None = None


class Container(NamedTuple):
    """The Docker side of an environment. `publish` is HOST_ADDRESS:PORT, or "" for internal only.

    `project` is the compose project's name; `host` (ssh://…) where `tunnel` finds it, "" not said.
    """

    name: str
    service: str
    compose_file: str
    volume: str
    network: str
    restart: str
    publish: str
    limits: Limits
    log_max_size: int | None
    log_max_files: int | None
    health_interval: int
    project: str
    host: str = ""


class Unit(NamedTuple):
    """The systemd side: the service, its places and account, and the machine that it runs on.

    `host` is ssh://USER@HOST, "" for this machine, and `key` the file of ssh's private key ("" for its
    own choice). `conf` is the file that the service is started with. `package` brings the service,
    `tools` the server's client and check programs; `version` is theirs: "" for what is installed,
    "latest", or one to have.
    """

    name: str
    config_directory: str
    account: str
    drop_in: str
    backup_directory: str = ""
    version: str = ""
    host: str = ""
    key: str = ""
    package: str = ""
    tools: str = ""
    conf: str = ""


class Kernel(NamedTuple):
    """What the kernel of a Linux host is set to: sysctl names with values, and who gets huge pages."""

    settings: tuple[tuple[str, str], ...]
    transparent_huge_pages: str


class Insight(NamedTuple):
    """RedisInsight: a container of its own, always published on loopback only.

    `redis_host`/`redis_port` are where its container finds the server; `user` the ACL user that its
    preset names; `site` the public host name of the nginx site, or "" for none. `site_cert_file` and
    `site_key_file` are its certificate's on the host; `secret` names the password of its login in the
    vault, "" where a person makes the login.
    """

    name: str
    image: str
    port: int
    volume: str
    limits: Limits
    redis_host: str | Discovered
    redis_port: int
    user: str
    restart: str
    site: str = ""
    site_cert_file: str = ""
    site_key_file: str = ""
    secret: str = ""


class Firewall(NamedTuple):
    """Who may come in from outside: client networks for Redis, administrators for SSH and RedisInsight.

    `ssh_port` is asked of the real sshd. `admin_from` empty means that no rule opens SSH anew.
    `kept` says that Keywright keeps the host's own firewall (ufw).
    """

    allow_from: tuple[str, ...]
    admin_from: tuple[str, ...]
    ssh_port: int | Discovered
    kept: bool = True


class Application(NamedTuple):
    """What the application's .env says: one entry per variable of the guide.

    `host` is the name that the application uses; `username` "" means the default user.
    `ca_certs` is a path on the application's side, "" for the system's.
    """

    runs_in: str  # "container" | "host"
    dotenv: str
    host: str | Discovered
    port: int
    database: int
    username: str
    secret: str
    tls: bool
    cert_reqs: str
    ca_certs: str
    prefix: str
    pool_max_connections: int
    socket_timeout: float
    socket_connect_timeout: float
    cache_ttl: int
    cache_ttl_short: int
    cache_ttl_long: int
    lock_prefix: str
    lock_ttl: int
    healthcheck_on_start: bool
    healthcheck_key: str


class Warning(NamedTuple):  # noqa: A001 - the word of the design, and no exception is meant
    """Something allowed but questionable: the path in the file, and what it can cost."""

    path: str
    text: str


class Plan(NamedTuple):
    """Everything decided about one environment.

    `kind` is one of KINDS. `directives` is the whole redis.conf in order, empty for managed kinds.
    `password_variable` is the variable that may carry the default user's password ("" for none),
    `default_password` the guide's development password or "". `directory` is where the artefacts of a
    Docker environment live (the guide's deployment/docker).
    """

    app: str
    environment: str
    kind: str
    prefix: str
    purpose: str
    engine: Engine
    listen: Listen
    memory: Memory
    persistence: Persistence
    users: tuple[User, ...]
    directives: tuple[Directive, ...]
    application: Application
    password_variable: str
    default_password: str
    directory: str
    container: Container | None = None
    unit: Unit | None = None
    insight: Insight | None = None
    firewall: Firewall | None = None
    kernel: Kernel | None = None
    warnings: tuple[Warning, ...] = ()

    @property
    def conf_path(self) -> str:
        """Where redis.conf stands, as the server sees it: beside the ACL file that it names."""
        if self.unit is not None:
            return self.unit.conf
        aclfile = self.directive("aclfile")
        assert aclfile is not None
        return aclfile.value.rpartition("/")[0] + "/redis.conf"

    @property
    def port(self) -> int:
        """The port that the environment answers on: the plain one, else TLS's."""
        return self.listen.port or (self.listen.tls.port if self.listen.tls else 0)

    def directive(self, name: str) -> Directive | None:
        """Return the redis.conf setting of that name, or None when the plan does not set it."""
        return next((each for each in self.directives if each.name == name), None)
