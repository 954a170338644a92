"""Further redis.conf directives of [env.X.settings]: which exist, and which are Keywright's own."""

from keywright_ops.profile.values import NotThat


def read_settings(key: str, value: object) -> tuple[str, tuple[str, ...]]:
    """Read one directive: its name with hyphens, and its words."""
    raise NotThat("not yet")
