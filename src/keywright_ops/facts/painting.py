"""Which pieces of a typed line are commands, tokens, strings, numbers. Pure."""

import re
from collections.abc import Mapping

from keywright_ops.facts.command_docs import Doc, doc_of

# Blanks, and words whose quotes may be open at the end of the line; together they are the whole line.
_PIECES = re.compile(r"""\s+|(?:"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[^\s"'])+\\?""")


def paint(line: str, docs: Mapping[str, Doc]) -> list[tuple[str, str]]:
    """Return the pieces of a line with their kinds: command, unknown, token, string, number, or ""."""
    pieces: list[tuple[str, str]] = []
    words: list[str] = []
    doc: Doc | None = None
    for piece in _PIECES.findall(line):
        if piece.isspace():
            pieces.append(("", piece))
            continue
        words.append(piece)
        doc = doc_of(docs, words[:2]) if len(words) < 3 else doc
        pieces.append((_kind(piece, len(words), doc, docs), piece))
    return pieces


def _kind(piece: str, place: int, doc: Doc | None, docs: Mapping[str, Doc]) -> str:
    if place == 1:
        return "command" if doc is not None or not docs else "unknown"
    if piece[0] in "\"'":
        return "string"
    if doc is not None and place == 2 and " " in doc.name:
        return "command"
    if piece.lstrip("-").replace(".", "", 1).isdecimal():
        return "number"
    return "token" if doc is not None and piece.upper() in doc.tokens else ""
