"""Keywright's lines in an .env that is somebody else's: marked, at its end, the rest byte for byte.

In every program that reads such files the later line of a name counts, so that the end is the place.
"""

import re

HEADER = re.compile(r"# [^\n]*: what the application connects with\.\r?\n# Written by Keywright\.")
_BEGIN = re.compile(r"# >>> keywright \([^()\s]*\) >>>\r?\n?")
_END = re.compile(r"# <<< keywright \([^()\s]*\) <<<\r?\n?")
_OURS = re.compile(r"\s*(?:#.*)?|([A-Za-z_][A-Za-z0-9_]*)=.*")


def begin_mark(environment: str) -> str:
    """Return the line above Keywright's lines."""
    return f"# >>> keywright ({environment}) >>>"


def end_mark(environment: str) -> str:
    """Return the line below them."""
    return f"# <<< keywright ({environment}) <<<"


def written_whole(text: str, names: frozenset[str]) -> bool:
    """Whether Keywright wrote this whole file, and nobody has added a variable of their own since.

    `names` are the variables that Keywright may write.
    """
    if not HEADER.match(text):
        return False
    found = (_OURS.fullmatch(line) for line in text.split("\n"))
    return all(each is not None and (each[1] is None or each[1] in names) for each in found)


def put_lines(text: str, block: str) -> str:
    """Return the file's text with `block`, which begins and ends with its marks, as the only one.

    Where marked lines stand already, of whichever environment, they are replaced in place; else the
    block comes last, behind an empty line: a backslash at the file's end would continue into it.
    """
    lines = _lines(text)
    found = _blocks(lines)
    if not found:
        gap = "" if text in ("", "\n") or text.endswith("\n\n") else "\n"
        return text + ("" if text.endswith("\n") or not text else "\n") + gap + block
    kept, at = [], 0
    for begin, end in found:
        kept.append("".join(lines[at:begin]))
        at = end + 1
    return "".join(kept) + block + "".join(lines[at:])


def marked_lines(text: str) -> tuple[int, int] | None:
    """Return the first and the last line, from 1, of the marked lines; None where there are none."""
    found = _blocks(_lines(text))
    return (found[-1][0] + 1, found[-1][1] + 1) if found else None


def _lines(text: str) -> list[str]:
    """The lines with their ends: only a line feed ends one, as the readers see it."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _blocks(lines: list[str]) -> list[tuple[int, int]]:
    """Where marked lines begin and end; a mark without its other one is a comment of somebody's."""
    found = []
    begin = None
    for number, line in enumerate(lines):
        if _BEGIN.fullmatch(line):
            begin = number
        elif begin is not None and _END.fullmatch(line):
            found.append((begin, number))
            begin = None
    return found
