"""Reads ufw: whether it is on, and its rules in the order in which they are asked."""

from shlex import split

from keywright_ops.model.absence import Missing
from keywright_ops.model.machine import Ufw, UfwRule


def parse_ufw(status: str, added: str) -> Ufw | Missing:
    """Return ufw from `ufw status verbose` and `ufw show added` (which lists rules while it is off, too)."""
    words = status.split()
    if words[:1] != ["Status:"] or len(words) < 2:
        return Missing("ufw does not tell")
    incoming = status.partition("Default: ")[2].split(" ", 1)[0]
    rules = [_rule(line) for line in added.split("\n") if line.startswith("ufw ")]
    return Ufw(words[1] == "active", tuple(rules), incoming)


def _rule(line: str) -> UfwRule:
    """`ufw allow 22 comment 'why'`: the words that would add it, and its comment."""
    words, quote, comment = line.removeprefix("ufw ").partition(" comment ")
    told = split(comment) if quote else []
    return UfwRule(words, told[0] if told else "")
