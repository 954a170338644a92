"""Combinations of values that cannot be: each alone is right, together no server would do it."""

from collections.abc import Iterator

from keywright_ops.profile.profile import Profile


def impossible(profile: Profile, environment: str) -> Iterator[tuple[str, str, str]]:
    """Yield (key, reason, hint) for each impossible combination of one environment."""
    yield from ()
