"""Reads CLIENT LIST: one line per connection, words of the form field=value."""

from keywright_ops.model.facts import Client


def parse_client_list(text: str) -> tuple[Client, ...]:
    """Return the connections in the server's order; a line without an id is skipped."""
    found = []
    for line in text.splitlines():
        fields = dict(word.partition("=")[::2] for word in line.split(" "))
        if fields.get("id", "").isdigit():
            found.append(
                Client(
                    int(fields["id"]),
                    fields.get("user", ""),
                    fields.get("addr", ""),
                    fields.get("name", ""),
                    int(fields.get("age", "0")),
                )
            )
    return tuple(found)
