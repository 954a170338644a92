"""Further redis.conf directives of [env.X.settings]: which exist, and which are Keywright's own.

Their values become what CONFIG GET answers: bytes for sizes, yes and no for true and false.
"""

from keywright_ops.profile.directive_names import NAMES, SEVERAL_WORDS, SIZES
from keywright_ops.profile.fields import FIELDS
from keywright_ops.profile.values import NotThat, called, parse_redis_size
from keywright_ops.profile.words import nearest, parse_text

# Directives that a field decides, by directive.
FIELD_OF = {
    field.becomes.removeprefix("redis.conf "): field.path
    for field in FIELDS
    if field.becomes.startswith("redis.conf ")
}
# Directives that Keywright decides without a field, and what to do instead.
OWN = {
    "requirepass": "users and passwords stand in users.acl; password_variable names the password",
    "user": "users and passwords stand in users.acl; password_variable names the password",
    "aclfile": "Keywright writes users.acl itself",
    "acl-pubsub-default": "every user's channels are written out in users.acl",
    "masterauth": "keywright.toml holds no secrets",
    "masteruser": "keywright.toml holds no secrets",
    "primaryauth": "keywright.toml holds no secrets",
    "primaryuser": "keywright.toml holds no secrets",
    "tls-key-file-pass": "keywright.toml holds no secrets: use a key without a passphrase",
    "tls-client-key-file-pass": "keywright.toml holds no secrets: use a key without a passphrase",
    "pidfile": "Keywright finds its server by it",
    "logfile": "where the log goes follows from where the server runs",
    "daemonize": "the server runs in the foreground of what supervises it",
    "supervised": "it follows from where the server runs",
    "set-proc-title": "Keywright knows its own process by the path in its title",
    "proc-title-template": "Keywright knows its own process by the path in its title",
    "dbfilename": "under another name the server would not find its data and begin empty",
    "appendfilename": "under another name the server would not find its data and begin empty",
    "appenddirname": "under another name the server would not find its data and begin empty",
    "include": "redis.conf is written whole: put the directive itself here",
    "rename-command": "commands are taken from users in users.acl, not renamed",
    "loadmodule": "modules are part of the image or of the server",
    "commandlog-execution-slower-than": "write slowlog_log_slower_than",
    "commandlog-slow-execution-max-len": "write slowlog_max_len",
}
# The limits that CONFIG GET answers for all three classes of clients, whichever were written.
BUFFER_CLASSES = {
    "normal": ("0", "0", "0"),
    "slave": ("268435456", "67108864", "60"),
    "pubsub": ("33554432", "8388608", "60"),
}


def read_settings(key: str, value: object) -> tuple[str, tuple[str, ...]]:
    """Read one directive: its name as in redis.conf, and its words.

    Raises NotThat for a directive that no server knows, that is Keywright's own, or a wrong value.
    """
    name = key.lower() if key.lower() in NAMES else key.lower().replace("_", "-")
    if name in FIELD_OF:
        raise NotThat("Keywright decides this directive", f"write {FIELD_OF[name]} instead")
    if name in OWN:
        raise NotThat("this directive is Keywright's own", OWN[name])
    if name not in NAMES:
        likely = nearest(name, tuple(sorted(NAMES)))
        hint = f"did you mean {likely}?" if likely else "see redis.conf for what there is"
        raise NotThat("no server knows this directive", hint)
    return name, canonical_words(name, read_words(name, value))


def read_words(name: str, value: object) -> list[str]:
    """Read a value as words: text, a number, true or false, or a list of words."""
    if isinstance(value, list) and name in SEVERAL_WORDS:
        words = [word for each in value for word in read_words(name, each)]
    elif isinstance(value, bool):
        return ["yes" if value else "no"]
    elif isinstance(value, int):
        if abs(value) >= 2**63:
            raise NotThat("a number beyond 63 bits is no setting")
        return [str(value)]
    elif isinstance(value, float) and value == value and abs(value) < 2**63:
        return [repr(value)]
    elif isinstance(value, str):
        text = parse_text(value)
        words = text.split() if name in SEVERAL_WORDS else [text]
    else:
        raise NotThat(f"text, a number, true or false is needed, not {called(value)}")
    return words or [""]


def canonical_words(name: str, words: list[str]) -> tuple[str, ...]:
    """Return the words as CONFIG GET answers them."""
    if name == "client-output-buffer-limit":
        return buffer_limits(words)
    if name == "notify-keyspace-events":
        return (event_flags(words[0]),)
    if name in SIZES and not words[0].endswith("%") and words[0].lstrip("-") == words[0]:
        return (str(parse_redis_size(words[0])),)
    if name == "loglevel" or words[0].lower() in ("yes", "no"):
        return (words[0].lower(),)
    return tuple(words)


def buffer_limits(words: list[str]) -> tuple[str, ...]:
    """Return all three classes of client-output-buffer-limit: class, hard, soft, seconds."""
    hint = 'write "replica 256mb 64mb 60": class, hard limit, soft limit, seconds'
    limits = dict(BUFFER_CLASSES)
    if len(words) % 4:
        raise NotThat("four words for each class are needed", hint)
    for at in range(0, len(words), 4):
        kind = words[at].lower().replace("replica", "slave")
        if kind not in limits or not words[at + 3].isdigit():
            raise NotThat(f"{called(words[at])} and its limits are none", hint)
        hard, soft = (str(parse_redis_size(each)) for each in words[at + 1 : at + 3])
        limits[kind] = (hard, soft, words[at + 3])
    return tuple(word for kind, each in limits.items() for word in (kind, *each))


def event_flags(flags: str) -> str:
    """Return the flags of notify-keyspace-events in the server's order; g$lshzxetd are A."""
    known = "KEAg$lshzxetdnm"
    if any(flag not in known for flag in flags):
        raise NotThat(f"{called(flags)} holds a flag beyond {known}", 'write "Ex", or "" for none')
    classes = "g$lshzxetd"
    every = "A" in flags or all(flag in flags for flag in classes)
    # n (a new key) is part of no A; servers answer it only beside single classes.
    head = "A" if every else "".join(flag for flag in classes + "n" if flag in flags)
    return head + "".join(flag for flag in "KEm" if flag in flags)
