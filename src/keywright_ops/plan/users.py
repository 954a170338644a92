"""The five users of every server that Keywright configures, with their rights.

Rules are in Redis' ACL syntax, without passwords, in the order in which servers echo them: keys,
channels, commands. They load on Redis 6.2, 7.0, 8.2 and Valkey 9.1, so no command or subcommand is
named that 6.2 does not have.
"""

from keywright_ops.facts.glob import escape_glob
from keywright_ops.model.plan import User
from keywright_ops.profile.declared import Values

EVERYTHING = ("~*", "&*", "+@all")
NOTHING = ("resetchannels", "-@all")

# Taken away with @dangerous, and needed by keywright's application library: INFO and ROLE tell
# health and which server is the primary; the CLIENT names are set on every connection (in 6.2 the
# whole of CLIENT is dangerous, since 7.0 these are not).
APPUSER_NEEDS = ("+info", "+role", "+client|setname", "+client|getname", "+client|id")

# What a person or a dashboard looks at, without one value of a key. HELLO and AUTH may be sent by
# everybody and are named for readers. SLOWLOG GET shows the arguments of slow commands: who must
# not see those either has no business with a slow log.
VIEWER_SEES = (
    "+ping", "+echo", "+hello", "+auth", "+select", "+time", "+info", "+role", "+dbsize",
    "+command", "+client|id", "+client|list", "+client|setname", "+client|getname",
    "+slowlog|get", "+slowlog|len", "+latency|latest", "+latency|history", "+latency|doctor",
    "+memory|usage", "+memory|stats", "+memory|doctor", "+module|list", "+cluster|info",
    "+acl|whoami", "+scan", "+type", "+ttl", "+pttl", "+exists", "+object|encoding",
    "+object|freq", "+object|idletime", "+strlen", "+hlen", "+llen", "+scard", "+zcard", "+xlen",
)  # fmt: skip


def decide_users(values: Values) -> tuple[User, ...]:
    """Decide the users; a managed service has its own, and the application is given one."""
    if values.kind in ("azure", "aws"):
        return ()
    default_on = values.text("default_user") == "on"
    return (
        User(
            "default",
            default_on,
            EVERYTHING if default_on else NOTHING,
            "default",
            "applications configured without a user name",
        ),
        User("appuser", True, appuser_rules(values), "appuser", "the application"),
        User("viewer", True, viewer_rules(values), "viewer", "people, dashboards, RedisInsight"),
        User("admin", True, EVERYTHING, "admin", "Keywright"),
        User("health", True, (*NOTHING, "+ping", "+info"), "health", "the health check"),
    )


def appuser_rules(values: Values) -> tuple[str, ...]:
    """Return the application's rights: its own keys and channels, without dangerous commands."""
    own = escape_glob(values.prefix)
    keys = [f"~{own}*"]
    # Locks and the health key usually lie under the prefix; where the file puts them elsewhere the
    # application must reach them there.
    for path in ("app.lock_prefix", "app.healthcheck_key"):
        other = values.text(path)
        if not other.startswith(values.prefix):
            exact = path == "app.healthcheck_key"
            keys.append(f"~{escape_glob(other)}" + ("" if exact else "*"))
    commands = ("+@all", "-@dangerous", *APPUSER_NEEDS)
    return (*keys, "resetchannels", f"&{own}*", *commands)


def viewer_rules(values: Values) -> tuple[str, ...]:
    """Return the rights to look: names and sizes, and values only when the file says so."""
    rules: tuple[str, ...] = ("~*", "resetchannels", "-@all")
    if values.flag("viewer_reads_values"):
        # KEYS is in @read and @dangerous: it would stop the server for everybody else.
        rules += ("+@read", "-@dangerous")
    return rules + VIEWER_SEES
