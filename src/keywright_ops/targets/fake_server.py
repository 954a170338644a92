"""The fake world's server: loads redis.conf, users.acl and its data, and answers what Keywright asks.

Data files hold JSON instead of RDB and AOF, under the real names and with the real moments of writing.
"""

import json
from collections.abc import Callable
from fnmatch import fnmatchcase
from hashlib import sha256

from keywright.errors import ReplyError
from keywright.secret import Secret
from keywright.wire import Reply
from keywright_ops.facts.acl import parse_acl_list, permitted
from keywright_ops.facts.canonical import canonical
from keywright_ops.facts.redis_conf import parse_redis_conf
from keywright_ops.facts.settings import IMMUTABLE
from keywright_ops.model.facts import AclUser

# What a server has when redis.conf does not say otherwise (the few that a plan names).
DEFAULTS = {
    "port": "6379", "bind": "* -::*", "protected-mode": "yes", "daemonize": "no", "supervised": "no",
    "pidfile": "", "logfile": "", "set-proc-title": "yes", "databases": "16", "maxmemory": "0",
    "maxmemory-policy": "noeviction", "dir": ".", "appendonly": "no", "appendfsync": "everysec",
    "save": "3600 1 300 100 60 10000", "aclfile": "", "slowlog-log-slower-than": "10000",
    "slowlog-max-len": "128",
}  # fmt: skip

# command → the categories that it is in, and the position of its key (0: none)
COMMANDS = {
    "ping": ("fast connection", 0), "get": ("read fast", 1), "set": ("write slow", 1),
    "unlink": ("write fast keyspace", 1),
    "dbsize": ("read keyspace", 0), "flushall": ("write dangerous", 0), "info": ("slow dangerous", 0),
    "save": ("admin dangerous", 0), "config|get": ("admin dangerous", 0),
    "config|set": ("admin dangerous", 0), "acl|list": ("admin dangerous", 0),
    "acl|load": ("admin dangerous", 0), "acl|cat": ("slow", 0), "acl|dryrun": ("admin dangerous", 0),
    "client|list": ("admin dangerous connection", 0), "client|id": ("slow connection", 0),
    "client|kill": ("admin dangerous connection", 0),
}  # fmt: skip
PARENTS = frozenset(name.partition("|")[0] for name in COMMANDS if "|" in name)
CATEGORIES = {
    category: frozenset(name for name, (words, _) in COMMANDS.items() if category in words.split())
    for category in "admin connection dangerous fast keyspace read slow write".split()
}
EVERY = CATEGORIES | {"all": frozenset(COMMANDS) | PARENTS}
OWN_MEMORY = 1_000_000  # bytes that an empty server uses
KEY_MEMORY = 1_000  # bytes for every key


class ServerEnded(Exception):
    """The server could not start; its last words."""


class FakeServer:
    """A running server; `files` are the world's, and it writes its data there."""

    def __init__(
        self, files: dict[str, tuple[bytes, int]], program: str, conf: str, pid: int
    ) -> None:
        self.files, self.program, self.conf, self.pid = files, program, conf, pid
        if conf not in files:
            raise ServerEnded(f"Fatal error, can't open config file '{conf}'")
        settings = parse_redis_conf(files[conf][0].decode())
        unknown = sorted(settings.keys() - DEFAULTS.keys())
        if unknown:
            raise ServerEnded(f"Bad directive or wrong number of arguments: {unknown[0]}")
        self.config = DEFAULTS | settings
        self.users = self._read_users()
        self.aof = f"{self.config['dir']}/appendonlydir/appendonly.aof"  # what it has open
        self.rewriting = 0  # how many more INFO until the rewrite has ended
        self.data: dict[str, str] = self._load()
        self.sessions: dict[int, str] = {}  # open connections of others: their user by id
        self.connected = 0

    # --- data ------------------------------------------------------------------------------------

    @property
    def _dump(self) -> str:
        return f"{self.config['dir']}/dump.rdb"

    def moved(self, source: str, destination: str) -> None:
        """What it has open follows when its folder is renamed."""
        if self.aof.startswith(f"{source}/"):
            self.aof = destination + self.aof[len(source) :]

    def _load(self) -> dict[str, str]:
        if self.config["appendonly"] == "no":
            found = self.files.get(self._dump, (b"{}", 0))[0]
        elif f"{self.aof}.manifest" in self.files:
            found = self.files[f"{self.aof}.1.incr.aof"][0]
        else:  # the trap: an existing dump is not read
            self._write_aof({})
            found = b"{}"
        return dict(json.loads(found))

    def _write_aof(self, data: dict[str, str]) -> None:
        self.files[f"{self.aof}.1.incr.aof"] = (json.dumps(data).encode(), 0o600)
        self.files[f"{self.aof}.manifest"] = (b"file appendonly.aof.1.incr.aof", 0o600)

    def save(self) -> None:
        """Write the dump, as SAVE does."""
        self.files[self._dump] = (json.dumps(self.data).encode(), 0o600)

    def shut_down(self) -> None:
        """What SIGTERM does: the dump is written where save points exist."""
        if self.config["save"]:
            self.save()

    def _evict(self) -> bool:
        """Make room where the policy allows it; return whether there is room now."""
        limit = int(self.config["maxmemory"])
        if limit and self.config["maxmemory-policy"].startswith("allkeys"):
            while self.data and self._used() > limit:
                del self.data[next(iter(self.data))]
        return not limit or self._used() <= limit

    def _changed(self) -> None:
        """After a change the append-only file has it too."""
        if self.config["appendonly"] == "yes" and not self.rewriting:
            self._write_aof(self.data)

    def _used(self) -> int:
        return OWN_MEMORY + KEY_MEMORY * len(self.data)

    # --- users -----------------------------------------------------------------------------------

    def _read_users(self) -> dict[str, tuple[str, AclUser]]:
        path = self.config["aclfile"]
        if path not in self.files:
            raise ServerEnded(
                f"Aborting startup because of ACL errors: Error loading ACLs, '{path}'"
            )
        lines = [line for line in self.files[path][0].decode().split("\n") if line.strip()]
        users = parse_acl_list(lines)
        if len(users) != len(lines):
            raise ServerEnded(f"Aborting startup because of ACL errors: {path}: syntax error")
        return {name: (line, users[name]) for name, line in zip(users, lines, strict=True)}

    def log_in(self, name: str, secret: Secret | None) -> str:
        """Return the user's name. Raises ReplyError (WRONGPASS)."""
        _, user = self.users.get(name, ("", None))
        digest = sha256((secret.reveal() if secret else "").encode()).hexdigest()
        if user is None or not user.enabled or not (user.nopass or digest in user.hashes):
            raise ReplyError("WRONGPASS invalid username-password pair or user is disabled.")
        return name

    def connect(self, name: str, secret: Secret) -> int:
        """Log in and stay: an application's connection; returns its id."""
        user = self.log_in(name, secret)
        self.connected += 1
        self.sessions[self.connected] = user
        return self.connected

    def _denial(self, name: str, words: list[str]) -> str:
        """Why this user may not do this; "" when it may."""
        user = self.users[name][1]
        command = _command(words)
        if command not in permitted(user.commands, EVERY):
            return f"User {name} has no permissions to run the '{command}' command"
        position = COMMANDS[command][1]
        if position and not any(fnmatchcase(words[position], key[1:]) for key in user.keys):
            return f"User {name} has no permissions to access the '{words[position]}' key"
        return ""

    # --- commands --------------------------------------------------------------------------------

    def answer(self, user: str | None, words: list[str]) -> Reply:
        """Answer one command; raises ReplyError."""
        command = _command(words)
        if command not in COMMANDS:
            raise ReplyError(f"ERR unknown command '{words[0]}'")
        if user is None:
            raise ReplyError("NOAUTH Authentication required.")
        denial = self._denial(user, words)
        if denial:
            raise ReplyError(f"NOPERM {denial}")
        arguments = words[2:] if "|" in command else words[1:]
        return self._answers[command](self, *arguments)

    def _ping(self) -> Reply:
        return "PONG"

    def _get(self, key: str) -> Reply:
        return self.data.get(key)

    def _set(self, key: str, value: str, *_: str) -> Reply:
        if not self._evict():
            raise ReplyError("OOM command not allowed when used memory > 'maxmemory'.")
        self.data[key] = value
        self._changed()
        return "OK"

    def _unlink(self, *keys: str) -> Reply:
        found = [key for key in keys if self.data.pop(key, None) is not None]
        self._changed()
        return len(found)

    def _dbsize(self) -> Reply:
        return len(self.data)

    def _save(self) -> Reply:
        self.save()
        return "OK"

    def _flushall(self) -> Reply:
        self.data.clear()
        self._changed()
        return "OK"

    def _config_get(self, pattern: str) -> Reply:
        found = [(name, value) for name, value in self.config.items() if fnmatchcase(name, pattern)]
        return [word for pair in found for word in pair]

    def _config_set(self, name: str, value: str) -> Reply:
        if name not in self.config:
            raise ReplyError(f"ERR Unknown option or number of arguments for CONFIG SET - '{name}'")
        if name in IMMUTABLE:
            why = f"(possibly related to argument '{name}') - can't set immutable config"
            raise ReplyError(f"ERR CONFIG SET failed {why}")
        before, self.config[name] = self.config[name], canonical(name, value)
        if name == "appendonly" and before != self.config[name]:
            self.rewriting = 2 if value == "yes" else 0
            if self.rewriting:  # the folder is there at once, what can be loaded only at the end
                folder = f"{self.config['dir']}/appendonlydir"
                self.aof = f"{folder}/appendonly.aof"
                self.files[f"{folder}/temp-appendonly.aof.incr"] = (b"", 0o600)
        self._evict()
        self._changed()
        return "OK"

    def _info(self, *_: str) -> Reply:
        fields = {
            "server_name": "valkey", "redis_version": "7.2.4", "valkey_version": "9.1.0",
            "process_id": self.pid, "config_file": self.conf, "executable": self.program,
            "uptime_in_seconds": 1, "loading": 0, "used_memory": self._used(),
            "aof_enabled": int(self.config["appendonly"] == "yes"),
            "aof_rewrite_in_progress": int(self.rewriting > 0), "aof_rewrite_scheduled": 0,
            "aof_last_bgrewrite_status": "ok",
        }  # fmt: skip
        if self.data:
            fields["db0"] = f"keys={len(self.data)},expires=0,avg_ttl=0"
        if self.rewriting:
            self.rewriting -= 1
            self._changed()
        return "# Everything\r\n" + "".join(f"{name}:{value}\r\n" for name, value in fields.items())

    def _client_list(self) -> Reply:
        lines = [f"id={number} addr=127.0.0.1:5 name= age=1 user={user}"
                 for number, user in self.sessions.items()]  # fmt: skip
        return "\n".join(lines)

    def _client_id(self) -> Reply:
        return 0

    def _client_kill(self, by: str, name: str, *_: str) -> Reply:
        assert by == "USER"
        ended = [number for number, user in self.sessions.items() if user == name]
        for number in ended:
            del self.sessions[number]
        return len(ended)

    def _acl_list(self) -> Reply:
        return [line for line, _ in self.users.values()]

    def _acl_load(self) -> Reply:
        try:
            self.users = self._read_users()
            left = self.sessions.items()  # who has gone loses the connections, and nobody else
            self.sessions = {number: user for number, user in left if user in self.users}
        except ServerEnded as end:
            raise ReplyError(f"ERR {end}") from None
        return "OK"

    def _acl_cat(self, category: str = "") -> Reply:
        if category and category not in CATEGORIES:
            raise ReplyError(f"ERR Unknown category '{category}'")
        return sorted(CATEGORIES[category]) if category else sorted(CATEGORIES)

    def _acl_dryrun(self, name: str, *words: str) -> Reply:
        if name not in self.users:
            raise ReplyError(f"ERR User '{name}' not found")
        return self._denial(name, list(words)) or "OK"

    _answers: dict[str, Callable[..., Reply]] = {
        "ping": _ping, "get": _get, "set": _set, "unlink": _unlink, "dbsize": _dbsize, "flushall": _flushall,
        "info": _info, "save": _save, "config|get": _config_get, "config|set": _config_set,
        "acl|list": _acl_list, "acl|load": _acl_load, "acl|cat": _acl_cat, "acl|dryrun": _acl_dryrun,
        "client|list": _client_list, "client|id": _client_id, "client|kill": _client_kill,
    }  # fmt: skip


def _command(words: list[str]) -> str:
    name = words[0].lower()
    return f"{name}|{words[1].lower()}" if name in PARENTS and len(words) > 1 else name
