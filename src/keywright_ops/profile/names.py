"""The names that a person may want in a certificate."""

from keywright_ops.profile.values import NotThat, called
from keywright_ops.profile.words import is_address, parse_host, parse_text


def parse_names(value: object) -> tuple[str, ...]:
    """Read the host names and addresses of a certificate."""
    hint = 'write names, such as ["redis.example.com", "10.0.0.5"]'
    if not isinstance(value, list):
        raise NotThat(f"a list of names is needed, not {called(value)}", hint)
    for each in value:
        name = parse_text(each)
        if not name or not (is_address(name) or ":" not in parse_host(name.removeprefix("*."))):
            raise NotThat(f"{called(each)} is no host name and no address", hint)
    return tuple(value)
