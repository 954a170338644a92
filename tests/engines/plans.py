"""The plans that real servers are started with, and the declared substitutions that let them start
here: paths, the address, the port, and TLS where a build has none. Nothing else is changed."""

from pathlib import Path

from tests.engines.servers import Engine

from keywright.secret import Secret
from keywright_ops.model.host import HostFacts
from keywright_ops.model.plan import Directive, Plan
from keywright_ops.plan.resolve import resolve
from keywright_ops.profile.load import load_profile

HOST = HostFacts("/usr/bin/redis-server", 6379, "172.17.0.1", 22)
SECRETS = {
    "default": Secret("the default user's own password"),
    "appuser": Secret("p\"q'r\\s #t$u%v@w"),
    "viewer": Secret("пароль für 表 🔑"),
    "admin": Secret("admin-password-of-the-tests"),
    "health": Secret("#sharp>angle<"),
}
PROFILE = r"""
prefix = 'odd*[a-z]?^\{1}:'

[env.tls]
like = "prod"
[env.tls.tls]
cert_file = "/usr/local/etc/redis/server.crt"
key_file = "/usr/local/etc/redis/server.key"
ca_cert_file = "/usr/local/etc/redis/ca.crt"

[env.secure]
like = "linux"
default_user = "off"
viewer_reads_values = true
app.username = "appuser"

[env.tuned]
like = "local"
save = ["3600 1", "300 100"]
[env.tuned.settings]
client-output-buffer-limit = "replica 512mb 128mb 60"
notify-keyspace-events = "KEA"
maxmemory-clients = "5%"
latency-tracking-info-percentiles = "50 99.9 99"
auto-aof-rewrite-min-size = "128mb"
repl-backlog-size = "1500000"
tcp-keepalive = 60
timeout = 300
unixsocketperm = "0700"
oom-score-adj = "relative"
shutdown-on-sigterm = "save force"
loglevel = "verbose"
hz = 20
"""
# The built-in environments as they are, and own ones with what is off by default.
BUILT_IN = ("local", "dev", "prod", "linux")
NAMES = (*BUILT_IN, "tls", "secure", "tuned")

# Folders of the plan's own host → folders under the test's.
FOLDERS = {
    "/usr/local/etc/redis": ".",
    "/etc/redis": ".",
    "/run/redis": ".",
    "/data": "data",
    "/var/lib/redis": "data",
}


def plan_of(name: str, home: Path) -> Plan:
    """Return the plan of that name; `home` is where a local environment lives."""
    profile = load_profile("" if name in BUILT_IN else PROFILE, "keywright.toml")
    return resolve(profile, name, HOST, {"port": "6379"}, str(home))


def startable(plan: Plan, engine: Engine, home: Path, port: int) -> Plan:
    """Return the plan with the declared substitutions made, for this engine in this folder."""
    directives = tuple(
        _substituted(each, home, port)
        for each in plan.directives
        if engine.tls or not each.name.startswith("tls-")
    )
    if plan.listen.tls and not engine.tls:  # the only port went with TLS
        directives = tuple(
            each._replace(words=(str(port),)) if each.name == "port" else each
            for each in directives
        )
    return plan._replace(directives=directives)


def _substituted(directive: Directive, home: Path, port: int) -> Directive:
    if directive.name == "bind":
        return directive._replace(words=("127.0.0.1",))
    if directive.name in ("port", "tls-port") and directive.words != ("0",):
        return directive._replace(words=(str(port),))
    return directive._replace(words=tuple(_moved(word, home) for word in directive.words))


def _moved(word: str, home: Path) -> str:
    for folder, place in FOLDERS.items():
        if word == folder or word.startswith(folder + "/"):
            return str((home / place / word[len(folder) + 1 :]).resolve())
    return word
