"""Figures as people read them, and aligned columns that fit the terminal.

Loads nothing heavy: the commands that look once use it, where rich would cost more than the question.
"""

from collections.abc import Sequence

from keywright_ops.cli.show import BOLD, WIDTH, YELLOW, coloured, columns

UNITS = ("", "K", "M", "G", "T")
NARROWEST = 8  # columns that a cell keeps when the terminal is narrow


def micros(usec: float) -> str:
    """Microseconds as people say them: 850 µs, 12.3 ms, 1.2 s, 3 min."""
    if usec < 1000:
        return f"{usec:.0f} µs" if usec >= 10 or usec == int(usec) else f"{usec:.1f} µs"
    if usec < 1_000_000:
        return f"{usec / 1000:.1f} ms" if usec < 100_000 else f"{usec / 1000:.0f} ms"
    if usec < 60_000_000:
        return f"{usec / 1e6:.1f} s"
    return span(int(usec / 1e6))


def span(seconds: int) -> str:
    """A time in a column: 42s, 5m, 3h20m, 12d4h."""
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes == 0:
        return f"{seconds}s"
    if hours == 0:
        return f"{minutes}m"
    return f"{hours}h{minutes % 60}m" if days == 0 else f"{days}d{hours % 24}h"


def count(number: float) -> str:
    """A number with its thousands apart; a small one that is no whole one with one digit."""
    if number and abs(number) < 100 and number != int(number):
        return f"{number:.1f}"
    return f"{number:,.0f}".replace(",", " ")


def compact(amount: float) -> str:
    """A number of bytes in a column: 512, 1.6K, 34K, 1.2M."""
    power = 0
    while amount >= 1000 and power < len(UNITS) - 1:
        amount, power = amount / 1024, power + 1
    return (
        f"{amount:.1f}{UNITS[power]}" if power and amount < 9.95 else f"{amount:.0f}{UNITS[power]}"
    )


def percent(part: float | None) -> str:
    """A part of one (0 to 1) in percent; "-" where there is none."""
    if part is None:
        return "-"
    if 0 < part < 0.0005:
        return "< 0.1 %"
    shown = f"{part * 100:.1f}"
    # what is not all of it does not read as all of it
    return f"{'99.9' if shown == '100.0' and part < 1 else shown} %"


def folded(text: str, indent: str, most: int) -> list[str]:
    """Break a text into lines of at most that many columns; textwrap would cost 1 ms."""
    lines, line = [], ""
    for word in text.split():
        if line and len(indent) + len(line) + 1 + len(word) > most:
            lines.append(indent + line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, indent + line] if line else lines


def show_notes(notes: Sequence[str]) -> None:
    """What a person should know: each with a mark, wrapped."""
    for note in notes:
        first, *more = folded(note, "    ", max(columns(), WIDTH))
        print("\n".join((f"  {coloured('!', YELLOW)} {first.lstrip()}", *more)))


def visible(text: str) -> str:
    """A text from a client, safe for a terminal: what is not printable, or no UTF-8, as \\xNN."""
    return "".join(
        each
        if each.isprintable()
        else "".join(f"\\x{byte:02x}" for byte in each.encode("utf-8", "surrogateescape"))
        for each in text
    )


def shortened(text: str, most: int) -> str:
    """A text that is cut where it is longer, which … says."""
    return text if len(text) <= most else text[: max(most - 1, 0)] + "…"


def show_columns(
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    left: Sequence[int] = (0,),
    shrink: Sequence[int] = (0,),
    last: Sequence[int] = (),
) -> None:
    """Print aligned columns, `left` those of words, the others of figures. Those to `shrink` are cut, the
    widest first, until a line fits the terminal; those of `last` when that is not enough."""
    widths = [max([len(head), *(len(row[n]) for row in rows)]) for n, head in enumerate(heads)]
    room = max(columns(), WIDTH) - 2 * len(heads)
    for these in filter(None, (shrink, last)):
        while sum(widths) > room:
            widest = max(these, key=lambda n: widths[n])
            if widths[widest] <= NARROWEST:
                break
            widths[widest] -= 1
    for number, row in enumerate([heads, *rows]):
        cells = [shortened(cell, widths[n]) for n, cell in enumerate(row)]
        cells = [
            c.ljust(widths[n]) if n in left else c.rjust(widths[n]) for n, c in enumerate(cells)
        ]
        line = "  " + "  ".join(cells).rstrip()
        print(line if number else coloured(line, BOLD))
