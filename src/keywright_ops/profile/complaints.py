"""What is wrong with a file, path by path, until it becomes the one error that a person reads."""

from keywright.errors import ProfileError
from keywright_ops.profile.fields import BY_PATH, TABLES
from keywright_ops.profile.words import nearest

# Keys under which people look for a place for a password.
SECRETS = (
    "password",
    "requirepass",
    "masterauth",
    "primaryauth",
    "secret",
    "auth",
    "tls-key-file-pass",
)
NO_SECRETS = (
    "keywright.toml holds no secrets: put the password into the variable that password_variable"
    " names, or let it be generated"
)

# Keys of [env.X.insight] under which people look for a way to publish it.
OPENS = ("publish", "published", "bind", "listen", "address", "host", "expose", "public")
NO_LOGIN = (
    "RedisInsight has no login, and ports that Docker publishes pass by ufw: it stays on loopback"
)


class Complaint(Exception):
    """One thing wrong with the file, at one path; collected, so that all are told at once."""

    def __init__(self, path: str, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.path, self.reason, self.hint = path, reason, hint


class Enough(Exception):
    """There are so many complaints that the rest of the file need not be read."""


class Complaints(list[Complaint]):
    """What is wrong so far. Looking for the nearest word takes a millisecond for each wrong one,
    and only a few are told: after twenty, appending raises Enough."""

    def append(self, complaint: Complaint) -> None:
        """Add one; raises Enough at the twentieth."""
        super().append(complaint)
        if len(self) >= 20:
            raise Enough


def unknown(key: str, prefix: str, known: tuple[str, ...]) -> Complaint:
    """Make the complaint about a key that does not exist, with the one that was probably meant."""
    path = f"{prefix}{quoted(key)}"
    if key.lower().replace("_", "-") in SECRETS or key.lower().endswith("_password"):
        return Complaint(path, "a secret has no place in this file", NO_SECRETS)
    if prefix.endswith(".insight.") and key.lower() in OPENS:
        environment = prefix.split(".")[1]
        return Complaint(path, NO_LOGIN, way_to_insight(environment))
    likely = nearest(key.replace("-", "_"), known)
    if likely:
        return Complaint(path, "there is no such key", f"did you mean {prefix}{likely}?")
    if not prefix and (key in BY_PATH or key in TABLES):
        return Complaint(path, "this key belongs to an environment", "write it under [env.NAME]")
    return Complaint(
        path, "there is no such key", f"keywright explain {prefix.rstrip('.')}".strip()
    )


def way_to_insight(environment: str) -> str:
    """Say how RedisInsight is reached from elsewhere, with a login."""
    return (
        f"`keywright tunnel -e {environment}` reaches it through SSH;"
        f' env.{environment}.insight.site = "insight.example.com" puts HTTPS and a login before it'
    )


def quoted(key: str) -> str:
    """Write a key of the file on one line."""
    plain = key.isascii() and key.replace("-", "").replace("_", "").isalnum()
    return key if plain and len(key) <= 60 else repr(key[:60])


def as_error(complaints: Complaints) -> ProfileError:
    """Make one error of all complaints: the first told, the others named by their paths."""
    first = complaints[0]
    message = f"{first.path}: {first.reason}"
    others = complaints[1:]
    if others:
        names = ", ".join(each.path for each in others[:3]) + (" …" if len(others) > 3 else "")
        message += f" (and {len(others)} more: {names})"
    return ProfileError(message, first.hint)
