"""`keywright key show NAME`: type, time, size and a page of the value, decoded for a person."""

import argparse
import json
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from keywright.errors import InputError
from keywright_ops.actions.key import Shown, show_key
from keywright_ops.actions.reach import Reached
from keywright_ops.cli.looking import over
from keywright_ops.cli.show import BOLD, DIM, coloured, duration, show_pairs, size
from keywright_ops.cli.streams import write_octets
from keywright_ops.facts.escapes import escaped, shown, taken
from keywright_ops.ops.keyspace.decode import ENCRYPTED, PICKLE, decode, one_line, peel
from keywright_ops.ops.keyspace.values import Part

LONGEST = 200  # characters of one member on a line
SIDES = {"hash": "field", "zset": "member", "stream": "id"}


def run_show(arguments: argparse.Namespace, names: list[str]) -> int:
    """Show one key, or write its bytes as they are (--raw)."""
    if len(names) != 1:
        raise InputError("key show takes one name", "keywright keys 'PATTERN' lists several")
    name = taken(names[0])
    most = arguments.page or 0
    if most < 0:
        raise InputError("--page is how many members (bytes of a string) are shown at once")
    if arguments.raw:
        return _raw(arguments, name)

    def look(reached: Reached) -> Shown:
        return show_key(reached, name, start=arguments.start or "", most=most, whole=arguments.all)

    def show(_: Reached, found: Shown) -> None:
        show_key_report(found, whole=arguments.all, start=arguments.start or "")

    return over(arguments, "key", look, show, key_json)


def _raw(arguments: argparse.Namespace, name: bytes) -> int:
    """The value's own bytes on standard output; members of a collection one a line."""

    def emit(part: Part) -> None:
        lines = b"".join(b"\t".join(item) + b"\n" for item in part.items)
        write_octets((part.text or b"") + lines)

    def look(reached: Reached) -> Shown:
        return show_key(reached, name, start=arguments.start or "", whole=True, emit=emit)

    def show(_: Reached, found: Shown) -> None:
        if found.why:
            print(found.why, file=sys.stderr)

    arguments.json = False
    return over(arguments, "key", look, show, key_json)


def show_key_report(found: Shown, *, whole: bool = False, start: str = "") -> None:
    """Print what is known of a key, and the page of its value."""
    about = found.about
    pairs = [("type", about.type + (f" ({about.encoding})" if about.encoding else ""))]
    pairs.append(("ttl", _ttl(about.pttl)))
    if about.memory is not None:
        pairs.append(("memory", f"{size(about.memory)}{_exactly(about.memory)}"))
    if about.length is not None:
        text = about.type == "string"
        pairs.append(("length", size(about.length) if text else f"{about.length:,}"))
    if about.idle is not None:
        pairs.append(("idle", duration(about.idle)))
    if about.freq is not None:
        pairs.append(("frequency", f"{about.freq} of 255 (LFU)"))
    value = decode(found.part.text) if found.part and found.part.text is not None else None
    if value is not None:
        for label, told in value.about:
            pairs.append((label, _when(told) if label in ("created", "stale") else told))
        packed = f", compressed ({value.packed})" if value.packed else ""
        pairs.append(("value", value.form + packed + _remark(value.form)))
    print(coloured(shown(found.name), BOLD))
    show_pairs(pairs)
    if found.part is not None:
        print()
    if value is not None:
        print(value.text)
    elif found.part is not None:
        _show_items(found.part, about.type, LONGEST if not whole else 0)
    if found.why:
        print(f"  {found.why}", file=sys.stderr)
    _tell_next(found, start)


def _remark(form: str) -> str:
    if form == ENCRYPTED:
        return " (Fernet: only the application's key reads it)"
    return " (not opened: reading it could run code)" if form == PICKLE else ""


def _exactly(count: int) -> str:
    return f" ({count:,} bytes)" if count >= 1024 else ""


def _when(told: str) -> str:
    """Unix seconds or milliseconds as a date."""
    seconds = int(told) / (1000 if len(told) > 11 else 1)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _ttl(pttl: int) -> str:
    if pttl < 0:
        return "no limit"
    ends = datetime.now(UTC) + timedelta(milliseconds=pttl)
    told = duration(pttl // 1000) if pttl >= 1000 else "<1 s"
    return f"{told} ({pttl / 1000:.0f} s), ends {ends:%Y-%m-%d %H:%M:%S} UTC"


def _show_items(part: Part, kind: str, most: int) -> None:
    """One member a line; the first column of two is aligned."""
    if kind == "stream":
        for mark, *fields in part.items:
            print(coloured(mark.decode(), BOLD))
            for field, value in zip(fields[::2], fields[1::2], strict=True):
                print(f"  {one_line(field, most)}  {one_line(value, most)}")
        return
    names = [one_line(item[0], most) for item in part.items]
    width = min(max(map(len, names), default=0), 30)
    for name, item in zip(names, part.items, strict=True):
        if len(item) > 1:
            print(f"  {coloured(f'{name:<{width}}', BOLD)}  {one_line(item[1], most)}")
        else:
            print(f"  {name}")


def _tell_next(found: Shown, start: str) -> None:
    """What is not shown yet, and how to see it."""
    if found.part is None or not found.part.next or not _goes_on(found, start):
        return
    text = found.part.text is not None
    here = f"{size(len(found.part.text or b''))}" if text else f"{len(found.part.items):,}"
    of = found.about.length
    whole = f" of {size(of) if text else f'{of:,}'}" if of is not None else ""
    print(
        coloured(f"{here}{whole} shown; --from '{found.part.next}' goes on, --all shows all", DIM),
        file=sys.stderr,
    )


def _goes_on(found: Shown, start: str) -> bool:
    """Whether there is more: a page that ended exactly with the value says that too."""
    part, length = found.part, found.about.length
    if part is None or length is None or found.about.type in ("hash", "set", "stream"):
        return True
    return int(start or 0) + (len(part.text) if part.text is not None else len(part.items)) < length


def key_json(found: Shown) -> dict[str, Any]:
    """The report's own fields; bytes are text with escapes, as names are."""
    about, part = found.about, found.part
    told: dict[str, Any] = {
        "name": shown(found.name),
        "type": about.type,
        "ttl": None if about.pttl < 0 else about.pttl / 1000,
        "memory": about.memory,
        "encoding": about.encoding,
        "idle": about.idle,
        "frequency": about.freq,
        "length": about.length,
        "refused": list(found.refused),
        "why": found.why,
        "next": part.next if part is not None else "",
    }
    if part is not None and part.text is not None:
        value = decode(part.text)
        told |= {"form": value.form, "record": dict(value.about), "text": escaped(part.text)}
        if value.form == "json":
            told["json"] = json.loads(peel(part.text).body)
    elif part is not None:
        told["items"] = [[escaped(each) for each in item] for item in part.items]
    return told
