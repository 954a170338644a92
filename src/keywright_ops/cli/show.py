"""How things look on a terminal: marks, colours, aligned columns, errors. 80 columns."""

import os
import sys
from collections.abc import Iterable

from keywright.errors import KeywrightError
from keywright_ops.model.plan import Plan, Warning

WIDTH = 80
GREEN, RED, YELLOW, DIM, BOLD = "32", "31", "33", "2", "1"


def coloured(text: str, colour: str) -> str:
    """Colour a text on a terminal; NO_COLOR and pipes get it plain (no-color.org)."""
    plain = (
        not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    )
    return text if plain else f"\033[{colour}m{text}\033[0m"


def columns() -> int:
    """How wide the terminal is; 80 where it does not tell, and for a pipe."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or WIDTH
    except (OSError, ValueError):
        return WIDTH


def environment_option(plan: Plan) -> str:
    """How a command that is told next names the plan's environment; "" for `local`."""
    return "" if plan.environment == "local" else f" -e {plan.environment}"


def for_environment(text: str, environment: str | None) -> str:
    """Complete the commands that a text tells with the environment that was asked for."""
    if not environment or " -e " in text:
        return text
    for verb in ("up", "down", "diff", "restart", "check", "status", "tls renew"):
        text = text.replace(f"`keywright {verb}", f"`keywright {verb} -e {environment}")
    return text


def show_error(error: KeywrightError, environment: str | None = None) -> None:
    """One sentence, and a hint on lines of its own; its commands name the environment asked for."""
    print(f"keywright: {error}", file=sys.stderr)
    first, *more = for_environment(error.hint, environment).splitlines() or [""]
    if first:
        print(f"  hint: {first}", file=sys.stderr)
    for line in more:
        print(f"    {line}", file=sys.stderr)


def wrapped(text: str, indent: str, width: int = WIDTH) -> list[str]:
    """Break a text into lines of at most `width` columns."""
    import textwrap  # 1 ms: `status` has nothing to wrap

    return textwrap.wrap(
        text, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )


def show_warnings(warnings: Iterable[Warning]) -> None:
    """Warnings go to standard error: what a pipe reads stays clean."""
    for warning in warnings:
        print(f"  {coloured('!', YELLOW)} {warning.path}", file=sys.stderr)
        for line in wrapped(warning.text, "      "):
            print(line, file=sys.stderr)


def show_pairs(pairs: Iterable[tuple[str, str]]) -> None:
    """Names and values in two columns."""
    rows = list(pairs)
    width = max((len(name) for name, _ in rows), default=0)
    for name, value in rows:
        print(f"  {name:<{width}}  {value}")


def size(count: int) -> str:
    """A number of bytes as people say it: 512 MiB, 1.5 GiB."""
    amount = float(count)
    for unit in ("bytes", "KiB", "MiB", "GiB", "TiB"):
        if amount < 1024 or unit == "TiB":
            return f"{amount:.0f} {unit}" if amount % 1 < 0.05 else f"{amount:.1f} {unit}"
        amount /= 1024
    return ""


def duration(seconds: int) -> str:
    """A time as people say it: 42 s, 5 min, 3 h 20 min, 12 d 4 h."""
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes == 0:
        return f"{seconds} s"
    if hours == 0:
        return f"{minutes} min"
    if days == 0:
        return f"{hours} h {minutes % 60} min"
    return f"{days} d {hours % 24} h"
