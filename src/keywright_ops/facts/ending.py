"""Tells from a server's last log lines why it ended, and that it was asked to end but has not done so yet.

A server looks at SIGTERM up to 0.1 s later, and answers everything until then: only its log knows.
"""

from keywright_ops.model.absence import Missing

ASKED = "scheduling shutdown"
# What every server logs as a warning when it starts, well or not.
USUAL = (
    "oO0OoO0OoO0Oo",
    " version=",
    "Configuration loaded",
    "Server initialized",
    "WARNING Memory overcommit",
    "The TCP backlog setting",
)
STAYS = ("can't exit", "cannot exit", "is starting", "Ready to accept connections")


def is_ending(lines: tuple[str, ...] | Missing) -> bool:
    """Return whether the newest word on the matter is that a shutdown was asked for."""
    for line in reversed(() if isinstance(lines, Missing) else lines):
        if ASKED in line:
            return True
        if any(word in line for word in STAYS):
            return False
    return False


def is_telling(line: str) -> bool:
    """Return whether a log line may say why: warnings (#), fatal errors and what they quote."""
    if any(word in line for word in USUAL):
        return False
    return " # " in line or "***" in line or line.startswith((">>>", "Bad ", "Can't"))
