"""What in a developer's own .env keeps the application from reading Keywright's lines; never a value."""

from collections.abc import Iterator, Mapping

from keywright.dotenv import DIALECTS, TITLES, Reading, decode_file, read
from keywright.errors import SettingsError
from keywright_ops.model.plan import Warning
from keywright_ops.render.dotenv_lines import marked_lines

COUNTS = "and counts: the application connects otherwise than planned; remove it"
OVERRULED = "but Keywright's lines come later and count; remove it"
OTHERWISE = "{} stands here with another value, {}"
HIDDEN = "{} does not read {} from Keywright's lines: a quotation mark above is never closed"


def judge_dotenv(named: str, text: str, values: Mapping[str, str]) -> tuple[Warning, ...]:
    """Judge the text of the .env that is called `named`; `values` are the variables as planned.

    `text` may hold octets that are no UTF-8 as surrogates. Before the marked lines stand in it, every
    variable of Keywright's that stands there is overruled as soon as they do.
    """
    data = text.encode("utf-8", "surrogateescape")
    found = []
    try:
        decode_file(data, named)
    except SettingsError as error:
        found.append(Warning(named, str(error)))
    text = data.decode("utf-8", "replace")
    lines = text.split("\n")
    first, last = marked_lines(text) or (len(lines) + 1, len(lines) + 1)
    block = "\n".join(lines[first - 1 : last])
    readings = {dialect: read(text, dialect) for dialect in DIALECTS}
    own = {dialect: read(block, dialect).values() for dialect in DIALECTS}
    named_there = frozenset(name for each in own.values() for name in each)
    strays = dict(_strays(readings, values, (first, last), named_there))
    for (line, name), counts in sorted(strays.items()):
        what = OTHERWISE.format(name, COUNTS if counts else OVERRULED)
        found.append(Warning(f"{named}, line {line}", what))
    return (*found, *_hidden(named, readings, own, {name for _, name in strays}))


def _strays(
    readings: Mapping[str, Reading],
    values: Mapping[str, str],
    marked: tuple[int, int],
    named_there: frozenset[str],
) -> Iterator[tuple[tuple[int, str], bool]]:
    """Yield (line, name) of variables outside the marks with another value, and whether it counts."""
    first, last = marked
    for reading in readings.values():
        for entry in reading.entries:
            wanted = values.get(entry.name)
            inside = first <= entry.line <= last
            if wanted is None or inside or entry.value.lower() == wanted.lower() == "":
                continue
            if entry.value != wanted:
                there = entry.name in named_there or first == last
                yield (entry.line, entry.name), entry.line > last or not there


def _hidden(
    named: str,
    readings: Mapping[str, Reading],
    own: Mapping[str, Mapping[str, str]],
    told: set[str],
) -> Iterator[Warning]:
    """Yield what keeps a program from reading the marked lines at all."""
    for dialect, reading in readings.items():
        if reading.refused:
            continue  # as it did before our lines stood there: `keywright env check` tells why
        seen = reading.values()
        lost = [n for n, value in own[dialect].items() if n not in told and seen.get(n) != value]
        if lost:
            yield Warning(named, HIDDEN.format(TITLES[dialect], lost[0]))
