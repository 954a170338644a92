"""Where Keywright does something else than the guide, and why; docs and `explain` say it."""

from typing import NamedTuple


class Difference(NamedTuple):
    """The guide's section, what it says, what Keywright does, why, and the field of keywright.toml
    that shows it ("" for a procedure)."""

    section: str
    guide: str
    keywright: str
    reason: str
    field: str = ""


VALUES = (
    Difference(
        "Configuration Comparison",
        "`protected-mode no` on Linux, to let the Docker bridge in",
        "`protected-mode yes` everywhere",
        "With a password set, other hosts get in all the same; without one it is the last fuse.",
        "protected_mode",
    ),
    Difference(
        "Configuration Comparison",
        "Docker development publishes 6379 on every interface",
        "it publishes 127.0.0.1:6379",
        "Docker's rules pass by ufw, so every neighbour on the network could reach it. "
        '`publish = "0.0.0.0:6379"` is the guide\'s way, with a warning.',
        "publish",
    ),
    Difference(
        "Linux Systemd Production",
        "`bind 127.0.0.1 ::1 172.17.0.1`",
        "`bind 127.0.0.1 -::1 -ADDRESS`, with docker0's address as it is found on the host",
        "Without the minus the server does not start when docker0 is late or IPv6 is off; and "
        "172.17.0.1 is usual, not certain.",
        "bind",
    ),
    Difference(
        "Configuration Comparison",
        "Docker development has no RDB snapshots, and sets nothing",
        '`save ""` is written out',
        "Without the line the server takes snapshots by its own default (3600 1 300 100 60 10000).",
        "save",
    ),
    Difference(
        "Linux Systemd Production",
        "`requirepass` in redis.conf or on the command line",
        "an ACL file with every user in it, and no requirepass",
        "After one CONFIG REWRITE a changed requirepass is ignored for ever; on a command line "
        "`docker inspect` and `ps` show it to everybody.",
        "password_variable",
    ),
    Difference(
        "Linux Systemd Production",
        "the password of production is chosen by hand",
        "it comes from REDIS_PASSWORD where that is set, and else is generated and kept",
        "A command that needs no secret cannot leak one.",
        "password_variable",
    ),
    Difference(
        "Security Hardening, ACL Users",
        "`viewer`: `~* +@read -@write -@admin`",
        "`viewer` sees PING, INFO, SLOWLOG, CLIENT LIST, names, types, TTLs and sizes, no values",
        "The guide's viewer cannot PING or INFO, so RedisInsight does not open, and yet it reads "
        "every session token and may run KEYS. `viewer_reads_values = true` adds the values.",
        "viewer_reads_values",
    ),
    Difference(
        "Security Hardening, ACL Users",
        "`appuser`: `~esabcfg:* +@all -@dangerous`",
        "the same, with `&esabcfg:*`, INFO, ROLE and the names of connections",
        "Without channels pub/sub is refused; the library asks INFO and ROLE for health.",
        "app.username",
    ),
    Difference(
        "Connect RedisInsight to Redis",
        "RedisInsight logs in as `default` or `viewer`",
        "its preset logs in as `viewer`",
        "A browser that anybody at the machine can open should not hold every right. "
        '`insight.user = "default"` is the guide\'s way.',
        "insight.user",
    ),
    Difference(
        "Linux Systemd Production, Option B",
        "RedisInsight on 0.0.0.0:6380, limited with ufw",
        "RedisInsight is published on loopback, always; from outside by SSH tunnel or nginx",
        "It has no login, keeps passwords, and what Docker publishes passes by ufw.",
        "insight.port",
    ),
    Difference(
        "Linux Systemd Production, Deploy RedisInsight UI",
        "`redis/redisinsight:latest`",
        "`redis/redisinsight:2.70`; an image without a tag, or with `:latest`, is refused",
        "What `latest` means changes from one pull to the next, and nobody has proven the next.",
        "insight.image",
    ),
    Difference(
        "Quick Start, Docker Development",
        "no version of the server's image is named",
        "one pinned version of Redis or Valkey; an image without a tag, or with `:latest`, is refused",
        "Another version may write data that the one before cannot read.",
        "image",
    ),
    Difference(
        "Production Security (Docker), TLS/SSL",
        "certificate and key are enough, port 6380",
        "certificate, key and authority; clients show no certificate unless `tls.auth_clients`",
        "The server demands client certificates by default, and refuses to start without an "
        "authority.",
        "tls.ca_cert_file",
    ),
    Difference(
        "Production Security (Docker), TLS/SSL",
        "TLS on 6380 everywhere",
        "TLS on 6380 in Docker, on 6379 itself on a systemd host",
        "On the systemd host the guide gives 6380 to RedisInsight.",
        "tls.port",
    ),
    Difference(
        "Configuration Comparison",
        "the log of a systemd server is in the journal (Debian's package logs to a file)",
        "`logfile` is empty, so that the journal has it",
        "With Debian's file the guide's journalctl commands find nothing of Redis.",
        "unit.name",
    ),
    Difference(
        "Linux Systemd Production",
        "`supervised systemd` by sed",
        "`supervised systemd` and `daemonize no` are written",
        "The guide's pattern does not match Debian's file, which daemonizes.",
        "unit.name",
    ),
    Difference(
        "Configuration Comparison",
        "the health check is `redis-cli ping`",
        "the user `health` asks PING and INFO: the answer must be PONG, and writes must be taken",
        "`redis-cli ping` ends well on NOAUTH, LOADING and MISCONF, and PING is answered with a full "
        "memory and by a replica: green on a server that nobody can use.",
        "container.health_interval",
    ),
    Difference(
        "Docker Production",
        "limits under `deploy.resources`",
        "`mem_limit` and `cpus`",
        "Compose 1.29 ignores `deploy` without a further option; both versions read these.",
        "container.memory",
    ),
    Difference(
        "Troubleshooting, Out of Memory",
        "`--maxmemory 2gb` beside a container limit of 1.5G",
        "refused: maxmemory must be below container.memory",
        "The kernel would end the server long before it evicts anything.",
        "maxmemory",
    ),
    Difference(
        "Quick Start",
        "`SLOWLOG GET 100` with the server's own settings",
        "10 ms and at least 128 entries are written out",
        "Both are the server's defaults today; written out they stay so.",
        "slowlog_max_len",
    ),
    Difference(
        "Cloud Redis (Azure/AWS)",
        "AWS's individual parameters name `<CLUSTER_ENDPOINT>.cache.amazonaws.com`",
        "`<CLUSTER_ENDPOINT>` in both places",
        "The endpoint that AWS shows ends in that suffix already.",
        "app.host",
    ),
    Difference(
        "Azure/AWS Cloud Firewall",
        "SSH allowed from anywhere; a DENY in an AWS security group",
        "SSH only from `admin_from`; no DENY for AWS",
        "Security groups have no deny: what no rule lets in is refused.",
        "admin_from",
    ),
    Difference(
        "Production Security (Linux), Firewall Rules",
        "`ufw deny 6379`, `ufw enable`",
        "docker0 and `allow_from` are let in first, sshd's real port before ufw is enabled",
        "The guide's deny also shuts out its own RedisInsight, and enabling ufw can lock you out.",
        "allow_from",
    ),
)

PROCEDURES = (
    Difference(
        "Docker Production",
        "`docker-compose -f docker-compose.prod.yml up -d`, in the folder of the development's file",
        "`-p esab-prod`, always: the project has a name of its own",
        "Compose names a project after its folder: starting one environment would replace the other's "
        "containers.",
        "container.project",
    ),
    Difference(
        "Docker Development",
        "Compose makes volume and network, under its project's name",
        "`up` makes them, under exactly the guide's names; they are external in the file",
        "So `docker-compose down -v` deletes no data, and a backend joins a network whose name does not "
        "depend on a folder.",
        "container.volume",
    ),
    Difference(
        "Docker Production, Backup",
        "`BGSAVE`, then `docker cp` of dump.rdb and appendonly.aof",
        "a copy is taken of a server that ended in order, and a scratch server must load it",
        "BGSAVE returns before the file is written; appendonly.aof is a folder since Redis 7.",
    ),
    Difference(
        "Production Security (Docker), TLS/SSL",
        "`port 0` and `tls-port 6380` in one change",
        "two phases: both ports open, then the old one closes, asked about",
        "In one change every client that has not followed is cut off.",
        "tls.enabled",
    ),
    Difference(
        "Redis Container Restarting, Corrupted Files",
        "remove the volume and start again",
        "`down --volumes` removes only what it has copied and loaded, and asks",
        "Most of a damaged file can be saved; of a removed one nothing can.",
    ),
    Difference(
        "Redis Container Restarting, Disk Full",
        "`docker system prune -a`",
        "never done; `docker system df` shows what takes the space",
        "It removes every image that is not used at this moment, of every project.",
    ),
    Difference(
        "Connect RedisInsight to Redis",
        "host, port and password are typed into its window",
        "a preset file that `up` keeps, and RedisInsight made anew when it changes",
        "After a rotation, or TLS, a typed connection is wrong.",
        "insight.user",
    ),
    Difference(
        "Docker Development",
        "settings as flags of `command:`",
        "settings in a mounted redis.conf",
        "Flags show in `docker inspect`, and CONFIG REWRITE has no file to write to.",
    ),
    Difference(
        "Environment Variables",
        "a session kept alive by GET and then EXPIRE",
        "one GETEX; a save is SET XX",
        "One trip, and no logout or other save is undone.",
    ),
    Difference(
        "throughout",
        "`redis-cli -a PASSWORD`",
        "the password never stands in a command line",
        "Every user of the host can read it there, and the shell's history keeps it.",
    ),
    Difference(
        "Data Loss Issues, Enable Persistence",
        "write `appendonly yes` and restart",
        "CONFIG SET appendonly yes, wait for the rewrite, then the file",
        "A server that starts with the append-only file newly on starts empty.",
    ),
    Difference(
        "Troubleshooting, Out of Memory",
        "edit the file and restart",
        "CONFIG SET first, then the file; no restart",
        "A restart of the cache profile throws every session away.",
    ),
    Difference(
        "Production Security (Linux), Disable Dangerous Commands",
        "`rename-command`",
        "rights in the ACL file",
        "Renamed commands break tools, and an append-only file that holds one cannot be loaded.",
    ),
    Difference(
        "Linux Systemd Production, Read-Only ACL User",
        "`ACL SETUSER`, then CONFIG REWRITE",
        "the ACL file is written, loaded and read back",
        "With an ACL file CONFIG REWRITE saves no users; without one it shadows requirepass.",
    ),
    Difference(
        "Linux Systemd Production",
        "`sed -i` and `tee -a` on redis.conf",
        "the whole file is written",
        "Run twice, the guide's lines leave duplicates, and `tee` prints the password.",
    ),
)

DIFFERENCES = VALUES + PROCEDURES


def differences_table() -> str:
    """Return the table as Markdown, for docs/reference/differences-from-the-guide.md."""
    lines = []
    for title, rows in (("Values", VALUES), ("Procedures", PROCEDURES)):
        lines += [f"## {title}", ""]
        lines += ["| The guide | Keywright | Why |", "|---|---|---|"]
        for row in rows:
            key = f" (`{row.field}`)" if row.field else ""
            lines.append(f"| {row.section}: {row.guide} | {row.keywright}{key} | {row.reason} |")
        lines.append("")
    return "\n".join(lines)
