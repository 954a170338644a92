r"""Keys and values are bytes; this is how a person reads them and writes them back: redis-cli's \xNN.

What is printed is taken back in the same form by every command: `taken(shown(name)) == name` for all bytes.
Printable characters, also those beyond ASCII, stay as they are.
"""

import re

_NAMED = {10: "\\n", 13: "\\r", 9: "\\t", 7: "\\a", 8: "\\b", 92: "\\\\"}
_BACK = {"n": b"\n", "r": b"\r", "t": b"\t", "a": b"\a", "b": b"\b", "\\": b"\\", '"': b'"'}
_ESCAPE = re.compile(r'\\(?:x([0-9A-Fa-f]{2})|([nrtab"\\]))')
_GLOB = frozenset(b"*?[]\\")


def shown(name: bytes) -> str:
    r"""Write bytes as one line of text: `caf\xff`, `a\nb`.

    A blank at either end, a dash at the beginning (it would look like an option) and the empty name
    (`""`) are written so that they can be seen and typed.
    """
    text = escaped(name)
    if text[:1] in ("-", " "):
        text = f"\\x{ord(text[0]):02x}{text[1:]}"
    if text[-1:] == " ":
        text = text[:-1] + "\\x20"
    if text == '""':
        return '\\"\\"'
    return text or '""'


def escaped(value: bytes) -> str:
    r"""Write bytes as text, everything that cannot be printed as an escape."""
    text = value.decode("utf-8", "surrogateescape")
    if text.isprintable() and "\\" not in text:
        return text
    return "".join(map(_one, text))


def _one(char: str) -> str:
    code = ord(char)
    if code in _NAMED:
        return _NAMED[code]
    if char.isprintable():
        return char
    return "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogateescape"))


def taken(text: str) -> bytes:
    r"""Read back what `shown` wrote; a backslash before anything else stays one."""
    if text == '""':
        return b""
    if "\\" not in text:
        return raw(text)
    parts, at = [], 0
    for found in _ESCAPE.finditer(text):
        parts.append(raw(text[at : found.start()]))
        parts.append(bytes.fromhex(found[1]) if found[1] else _BACK[found[2]])
        at = found.end()
    return b"".join((*parts, raw(text[at:])))


def raw(text: str) -> bytes:
    """The bytes of a word as the shell gave it."""
    return text.encode("utf-8", "surrogateescape")


def pattern(text: str) -> bytes:
    r"""Read a glob pattern: `\xNN` and its kin are bytes that stand for themselves; `\*` is a star."""
    parts, at = [], 0
    for found in _ESCAPE.finditer(text):
        parts.append(raw(text[at : found.start()]))
        meant = bytes.fromhex(found[1]) if found[1] else _BACK[found[2]]
        parts.append(literal(meant))
        at = found.end()
    return b"".join((*parts, raw(text[at:])))


def literal(name: bytes) -> bytes:
    """The glob pattern that means exactly these bytes."""
    return b"".join(b"\\%c" % each if each in _GLOB else b"%c" % each for each in name)


def exact(glob: bytes) -> bytes | None:
    """The only name that a glob pattern can mean; None when it may mean several."""
    name, at = bytearray(), 0
    while at < len(glob):
        if glob[at] in b"*?[":
            return None
        if glob[at] == 0x5C and at + 1 < len(glob):
            at += 1
        name.append(glob[at])
        at += 1
    return bytes(name)
