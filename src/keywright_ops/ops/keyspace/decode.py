"""What a stored value is: Keywright's own records, JSON, msgpack, text or bytes; and back again, unharmed.

Pure: bytes come in, text goes out. Nothing that could run code is opened (pickle), nothing grows beyond
a limit (zlib, gzip), and no control character of a value reaches a terminal.
"""

import json
import zlib
from importlib import import_module
from typing import Any, NamedTuple

from keywright.serializers import LARGEST
from keywright_ops.facts.escapes import escaped

JSON_FORM, TEXT, MSGPACK, BINARY = "json", "text", "msgpack", "binary"
ENCRYPTED, PICKLE = "encrypted", "pickle"
_STYLES = [
    {"separators": separators, "ensure_ascii": plain}
    for separators in ((",", ":"), (", ", ": "))
    for plain in (True, False)
]
_GZIP, _PICKLE, _FERNET = (
    b"\x1f\x8b\x08",
    (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"),
    b"gAAAA",
)


class Peeled(NamedTuple):
    """A value without what it is wrapped in: `record` "session" or "cache" with its `head` line, else "";
    `packed` "zlib", "gzip" or ""; `body` what the application stored."""

    record: str
    head: bytes
    packed: str
    body: bytes


class Decoded(NamedTuple):
    """`form` is one of those above; `text` is safe to print; `about` says whose record it was in."""

    form: str
    text: str
    about: tuple[tuple[str, str], ...] = ()
    packed: str = ""


def peel(value: bytes) -> Peeled:
    """Take off Keywright's own head and a compression, where there are any."""
    record, head, body = "", b"", value
    mark = value[:3]
    if mark in (b"k1 ", b"c1 ") and (end := value.find(b"\n", 0, 1 << 16)) >= 5:
        record = "session" if mark == b"k1 " else "cache"
        head, body = value[:end], value[end + 1 :]
    for packed, begins, skip, bits in (("zlib", b"zx", 1, 15), ("gzip", _GZIP, 0, 31)):
        if body.startswith(begins):
            plain = _unpacked(body[skip:], bits)
            if plain is not None:
                return Peeled(record, head, packed, plain)
    return Peeled(record, head, "", body)


def put_on(peeled: Peeled, body: bytes, head: bytes | None = None) -> bytes:
    """Wrap another body as the one that was peeled."""
    if peeled.packed == "zlib":
        body = b"z" + zlib.compress(body, 1)
    elif peeled.packed == "gzip":
        packer = zlib.compressobj(6, zlib.DEFLATED, 31)
        body = packer.compress(body) + packer.flush()
    head = peeled.head if head is None else head
    return head + b"\n" + body if peeled.record else body


def _unpacked(body: bytes, bits: int) -> bytes | None:
    try:
        unpack = zlib.decompressobj(bits)
        plain = unpack.decompress(body, LARGEST)
    except zlib.error:
        return None
    return None if unpack.unconsumed_tail or not unpack.eof else plain


def decode(value: bytes) -> Decoded:
    """Tell what a value is, and write it for a person."""
    peeled = peel(value)
    form, text = read(peeled.body)
    return Decoded(form, text, about(peeled), peeled.packed)


def about(peeled: Peeled) -> tuple[tuple[str, str], ...]:
    """What the head of Keywright's own record says, as pairs."""
    if peeled.record == "session":
        from keywright.errors import SessionUnreadable
        from keywright.sessions.record import CREATED, VERSION, parts

        try:
            user, address, agent = parts(peeled.head)
            created = str(int(peeled.head[CREATED]))
        except (SessionUnreadable, ValueError):
            return (("record", "a session whose head is not whole"),)
        told = [("user", user), ("address", address), ("agent", agent)]
        version = escaped(peeled.head[VERSION])
        pairs = [("record", "session"), ("created", created), ("version", version)]
        return (*pairs, *((name, safe(text)) for name, text in told if text))
    if peeled.record == "cache":
        stale, _, tags = peeled.head[3:].partition(b" ")
        pairs = [("record", "cached value")]
        if stale.isdigit() and int(stale):
            pairs.append(("stale", stale.decode()))
        return (*pairs, ("tags", escaped(tags))) if tags else tuple(pairs)
    return ()


def read(body: bytes) -> tuple[str, str]:
    """The form of what an application stored, and its text."""
    if body.startswith(_FERNET) and len(body) >= 100:
        return ENCRYPTED, escaped(body)
    if body.startswith(_PICKLE) and body.endswith(b"."):
        return PICKLE, hex_dump(body)
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = None
    if text is not None:
        if text.lstrip()[:1] in ("{", "[", '"'):
            try:
                return JSON_FORM, pretty(json.loads(text))
            except (ValueError, RecursionError):
                pass
        if all(char.isprintable() or char in "\n\t" for char in text):
            return TEXT, text
    found = _msgpack(body)
    if found is not None:
        return MSGPACK, pretty(found)
    return (TEXT, safe(text)) if text is not None and "\0" not in text else (BINARY, hex_dump(body))


def pretty(value: Any) -> str:
    """JSON with one thing a line; what a terminal might obey is written as an escape."""
    return safe(json.dumps(value, indent=2, ensure_ascii=False, default=_other))


def _other(value: Any) -> str:
    return escaped(value) if isinstance(value, bytes) else str(value)


def safe(text: str) -> str:
    r"""Text with its line breaks; every other character that is not printable as \uNNNN."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in "\n\t" else f"\\u{ord(char):04x}" for char in text
    )


def _msgpack(body: bytes) -> Any:
    """A map or a list of msgpack, where a library for it is installed; None otherwise."""
    if not body or not (0x80 <= body[0] <= 0x9F or 0xDC <= body[0] <= 0xDF):
        return None
    loads: Any = None
    for module, name in (("msgspec.msgpack", "decode"), ("msgpack", "unpackb")):
        try:
            loads = getattr(import_module(module), name)
            break
        except ModuleNotFoundError:
            continue
    try:
        found = loads(body)
        json.dumps(found, default=_other)
    except Exception:  # noqa: BLE001 - whatever it complains of, it is no msgpack for us
        return None
    return found if isinstance(found, (dict, list)) else None


def hex_dump(body: bytes) -> str:
    """Sixteen bytes a line: where, in hex, as text."""
    lines = []
    for at in range(0, len(body), 16):
        piece = body[at : at + 16]
        digits = f"{piece[:8].hex(' ')}  {piece[8:].hex(' ')}"
        plain = "".join(chr(each) if 32 <= each < 127 else "." for each in piece)
        lines.append(f"{at:08x}  {digits:<48}  {plain}")
    return "\n".join(lines)


def one_line(value: bytes, most: int) -> str:
    """A member of a collection in one line, cut after `most` characters (0: whole)."""
    text = escaped(value)
    if most and len(text) > most:
        return f"{text[:most]}… ({len(value):,} bytes)"
    return text


class Editable(NamedTuple):
    """The text that a person edits, and which way it goes back (`style`: a JSON style, or -1 as it is)."""

    text: str
    style: int


def editable(body: bytes) -> Editable | None:
    """Return the text to edit: JSON laid out where that can be taken back without any other change, else
    the text as it stands; None for bytes."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    if "\0" in text:
        return None
    if text[:1] in ("{", "["):
        try:
            value = json.loads(text)
            for style, options in enumerate(_STYLES):
                if json.dumps(value, **options) == text:  # type: ignore[arg-type]
                    return Editable(json.dumps(value, indent=2, ensure_ascii=False) + "\n", style)
        except (ValueError, RecursionError):
            pass
    return Editable(text, -1)


def edited(text: str, editable: Editable) -> bytes:
    """The body that an edited text means. Raises ValueError for JSON that is none."""
    if editable.style < 0:
        if text == editable.text + "\n" and not editable.text.endswith("\n"):
            text = editable.text  # editors end the last line
        return text.encode()
    return json.dumps(json.loads(text), **_STYLES[editable.style]).encode()  # type: ignore[arg-type]


def renewed_head(peeled: Peeled, version: bytes) -> bytes:
    """The head with another version, so that a session's next checked save sees that it was changed."""
    if peeled.record != "session":
        return peeled.head
    from keywright.sessions.record import renewed

    return renewed(peeled.head, version)
