"""Whose rights a command needs: what its action says that it sends, against the rules of the users.

docs/reference/rights.md prints the table; tests/embedded/test_rights.py holds it against a running server.
"""

import re
from collections.abc import Mapping
from importlib import import_module

from keywright_ops.facts.acl import permitted
from keywright_ops.plan.users import appuser_rules, viewer_rules
from keywright_ops.profile.declared import Values
from keywright_ops.profile.load import load_profile

# The command as it is typed, and the modules that say what it sends.
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "info": ("actions.info",),
    "memory": ("actions.memory",),
    "stats": ("actions.stats",),
    "clients": ("actions.clients",),
    "clients kill": ("actions.clients_kill",),
    "slowlog": ("actions.slowlog",),
    "slowlog reset": ("actions.slowlog_reset",),
    "latency": ("actions.latency",),
    "commandstats": ("actions.commandstats",),
    "top": ("ops.top.watch",),
    "keys": ("actions.keys",),
    "keys --delete, --expire": ("actions.keys_bulk",),
    "key show": ("actions.key",),
    "key set, edit, …": ("actions.key_change",),
    "sessions": ("actions.sessions",),
    "analyze": ("actions.analyze",),
    "monitor": ("actions.monitor",),
    "redis": ("actions.redis",),
    "shell": ("actions.shell",),
    "logs": ("actions.logs",),
    "config get": ("actions.config",),
    "config set": ("actions.config_set",),
    "config rewrite": ("actions.config_rewrite",),
    "acl": ("actions.acl",),
    "persist": ("actions.persist", "ops.saving"),
    "flush": ("actions.flush", "actions.safety_copy", "ops.flushing"),
    "completion keys": ("actions.completing",),
}
BEGIN, END = "<!-- rights: begin -->", "<!-- rights: end -->"
PAGE = "docs/reference/rights.md"


def sends(command: str) -> tuple[str, ...]:
    """Every server command that a command of ours may send, without repeats."""
    found = (import_module(f"keywright_ops.{name}").SENDS for name in COMMANDS[command])
    return tuple(dict.fromkeys(word for words in found for word in words))


def users() -> dict[str, tuple[str, ...]]:
    """The rules of the users that a person may ask as."""
    text = "[env.local]\n"
    plain = Values(load_profile(text, "keywright.toml"), "local")
    reading = Values(load_profile(text + "viewer_reads_values = true\n", "keywright.toml"), "local")
    return {
        "viewer": viewer_rules(plain),
        "viewer with values": viewer_rules(reading),
        "appuser": appuser_rules(plain),
    }


def missing(
    command: str, rules: tuple[str, ...], categories: Mapping[str, frozenset[str]]
) -> list[str]:
    """What of a command's own the rules do not permit; what this server does not have is not counted."""
    allowed = permitted((rule for rule in rules if rule[0] in "+-"), categories)
    every = categories["all"]
    wanted = {name: name.lower().replace(" ", "|") for name in sends(command)}
    return [name for name, word in wanted.items() if word in every and word not in allowed]


def table(categories: Mapping[str, frozenset[str]]) -> str:
    """The page's table, for a server with these categories."""
    every = users()
    lines = [f"| command | sends | {' | '.join(every)} |", "|---|---|" + "---|" * len(every)]
    for command in COMMANDS:
        cells = [
            _cell(missing(command, rules, categories), sends(command)) for rules in every.values()
        ]
        lines.append(f"| `{command}` | {', '.join(sends(command)) or '–'} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(lacking: list[str], wanted: tuple[str, ...]) -> str:
    if not lacking:
        return "yes" if wanted else "asks no server"
    return "no" if len(lacking) == len(wanted) else f"not {', '.join(lacking)}"


def put(text: str, made: str) -> str:
    """The page with this table between its marks."""
    return re.sub(f"{BEGIN}.*{END}", lambda _: f"{BEGIN}\n{made}\n{END}", text, flags=re.DOTALL)
