"""How `docker run --env-file` reads: raw. No quotes, no escapes, no comment after a value.

Source: docker/cli, pkg/kvfile; held against the docker program by a test.
"""

from keywright.dotenv.reading import Entry, Lookup, Reading

_BLANKS = " \t"
_LONGEST = 64 * 1024  # octets; bufio.MaxScanTokenSize, the longest line it reads
_GO_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    chr(each) for each in range(0x2000, 0x200B)
)


def read_docker(text: str, environment: Lookup) -> Reading:
    """Read as `docker run --env-file` and `docker create --env-file` do.

    A name without = takes its value from `environment`, or is left out.
    """
    entries = []
    for number, raw in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        if len(raw.encode(errors="replace")) >= _LONGEST:
            return Reading(refused=f"line {number} is longer than 64 KiB")
        line = raw.removesuffix("\r").lstrip(_GO_SPACE)
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not name:
            return Reading(refused=f"line {number} has no name before =")
        if any(each in name for each in _BLANKS):
            blank = "export" if name.split()[0] == "export" else "a blank"
            return Reading(refused=f"line {number} has {blank} before =")
        if equals:
            entries.append(Entry(name, value, number))
        elif line in environment:
            entries.append(Entry(name, environment[line], number))
    return Reading(tuple(entries))
