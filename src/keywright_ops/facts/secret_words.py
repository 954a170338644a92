"""Which words of a command are secrets: passwords that a log of commands must not show.

Servers from 6.2 redact most of it themselves; older ones, and what is typed, do not.
"""

from collections.abc import Sequence

HIDDEN, REDACTED = "(hidden)", "(redacted)"  # ours, and the server's own
SECRET_SETTINGS = frozenset(
    "requirepass masterauth primaryauth tls-key-file-pass tls-client-key-file-pass auth-pass "
    "sentinel-pass".split()
)
SECRET_RULES = (">", "<", "#", "!")  # passwords and their hashes in ACL SETUSER


def hide_secrets(words: Sequence[str]) -> tuple[str, ...]:
    """Return a command's words, each that is a secret replaced by (hidden)."""
    upper = [word.upper() for word in words[:2]]
    first = upper[0] if upper else ""
    shown = list(words)
    if first == "AUTH":
        shown[-1] = HIDDEN if len(words) > 1 else shown[-1]
    elif first in ("HELLO", "MIGRATE"):
        for number, word in enumerate(words[1:], 1):
            # HELLO 3 AUTH user password; MIGRATE … AUTH password, or AUTH2 user password
            name = word.upper()
            taken = {"AUTH": 2 if first == "HELLO" else 1, "AUTH2": 2}.get(name, 0)
            if taken and number + taken < len(words):
                shown[number + taken] = HIDDEN
    elif upper == ["ACL", "SETUSER"]:
        shown[3:] = [HIDDEN if word.startswith(SECRET_RULES) else word for word in words[3:]]
    elif first in ("CONFIG", "SENTINEL") and "SET" in [word.upper() for word in words[1:3]]:
        for number, word in enumerate(words[2:-1], 2):
            if word.lower() in SECRET_SETTINGS:
                shown[number + 1] = HIDDEN
    # what the server hid itself keeps its word for it
    return tuple(w if w == REDACTED else s for w, s in zip(words, shown, strict=True))
