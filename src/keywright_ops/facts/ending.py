"""Tells from a server's last log lines that it was asked to end and has not done so yet.

A server looks at SIGTERM up to 0.1 s later, and answers everything until then: only its log knows.
"""

from keywright_ops.model.absence import Missing

ASKED = "scheduling shutdown"
STAYS = ("can't exit", "cannot exit", "is starting", "Ready to accept connections")


def is_ending(lines: tuple[str, ...] | Missing) -> bool:
    """Return whether the newest word on the matter is that a shutdown was asked for."""
    for line in reversed(() if isinstance(lines, Missing) else lines):
        if ASKED in line:
            return True
        if any(word in line for word in STAYS):
            return False
    return False
