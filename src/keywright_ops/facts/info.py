"""Reads the answer of INFO."""


def parse_info(text: str) -> dict[str, str]:
    """Return the fields of an INFO answer by name, over all its sections; values as written.

    A field that comes twice (one line per module) keeps its last value. Lines that are no fields
    are passed over, so that a newer server's additions never break the reading.
    """
    fields: dict[str, str] = {}
    for line in text.split("\n"):
        name, colon, value = line.rstrip("\r").partition(":")
        if colon and name and not name.startswith("#"):
            fields[name] = value
    return fields
