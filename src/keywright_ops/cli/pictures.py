"""Small pictures in text: a sparkline and a bar, in blocks of eighths."""

from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"
PARTS = " ▏▎▍▌▋▊▉█"


def spark(values: Sequence[float], width: int, top: float | None = None) -> str:
    """Draw the last `width` values as one line of blocks; `top` is what fills it (default: the greatest).

    Nought is the lowest block; nothing at all is blanks.
    """
    shown = list(values)[-width:]
    most = max(shown, default=0.0) if top is None else top
    if most <= 0:
        return (BLOCKS[0] * len(shown)).rjust(width)
    last = len(BLOCKS) - 1
    return "".join(BLOCKS[min(last, round(each / most * last))] for each in shown).rjust(width)


def bar(share: float, width: int) -> str:
    """Draw a share of 0 to 1 as a bar of `width` columns."""
    eighths = round(min(1.0, max(0.0, share)) * width * 8)
    full, part = divmod(eighths, 8)
    drawn = "█" * full + (PARTS[part] if part else "")
    return drawn.ljust(width, "·")


def sparkline(values: Sequence[float], columns: int = 40) -> str:
    """One line of blocks; of more values than columns each block shows the largest of its part."""
    if not values:
        return ""
    if len(values) > columns:
        edges = [number * len(values) // columns for number in range(columns + 1)]
        values = [max(values[edges[n] : edges[n + 1]]) for n in range(columns)]
    low, high = min(values), max(values)
    height = high - low
    return "".join(BLOCKS[round((v - low) / height * 7) if height else 0] for v in values)
