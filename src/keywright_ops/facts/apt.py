"""Reads what apt says of a package that it could install."""

from keywright_ops.model.absence import Missing

COMPLAINTS = ("E: ", "W: ")


def parse_offered(text: str) -> tuple[str, ...] | Missing:
    """Return the versions of `apt-cache madison` (PACKAGE | VERSION | ARCHIVE Packages), newest first.

    Lines of source packages do not count. Missing holds apt's first complaint, where nothing is offered.
    """
    found, complaint = [], ""
    for line in text.split("\n"):
        words = [each.strip() for each in line.split(" | ")]
        if len(words) == 3 and words[2].endswith("Packages"):
            found.append(words[1])
        elif line.startswith(COMPLAINTS) and not complaint:
            complaint = line[len("E: ") :].strip()
    if not found and complaint:
        return Missing(complaint)
    return tuple(dict.fromkeys(found))
