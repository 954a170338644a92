"""The grammar of a redis.conf line, both ways: text to words and words to text.

The rules are those of `sdssplitargs` (redis `src/sds.c`). They work on bytes: `\\xHH` is one byte
of the UTF-8 text. Bytes that are no UTF-8 travel as surrogate escapes. Valkey 9.1 reads one thing
more: `"a"b` is `ab` there, while Redis refuses to start with it, and so it is refused here.
"""

from keywright.errors import InputError

_NAMED = {"n": 10, "r": 13, "t": 9, "b": 8, "a": 7}
_NAMES = {code: name for name, code in _NAMED.items()}
_BLANK = b" \t\n\v\f\r"  # isspace() of the C locale: skipped between words
_ENDS = b" \t\n\r\0"  # what ends an unquoted word
_HEX = b"0123456789abcdefABCDEF"
_SPECIAL = frozenset(" \"'\\#")


def quote(word: str) -> str:
    """Write one word so that the server reads exactly it, whatever characters it holds.

    A plain word stays as it is. What cannot be printed becomes its UTF-8 bytes as `\\xHH`.
    Raises InputError for a lone surrogate that stands for no byte: no server could be told it.
    """
    plain = word.isascii() and word.isprintable() and not _SPECIAL.intersection(word)
    if word and plain:
        return word
    return '"' + "".join(_escaped(char) for char in word) + '"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if char.isprintable():  # the blank counts as printable, every other separator does not
        return char
    try:
        codes = char.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # it would carry the text along, and that may be a secret
        raise InputError("a setting holds half a character (a lone surrogate)") from None
    return "".join(f"\\{_NAMES[c]}" if c in _NAMES else f"\\x{c:02x}" for c in codes)


def split_words(line: str) -> list[str] | None:
    """Split one line into its words; None when its quotes are not balanced."""
    raw = line.encode("utf-8", "surrogateescape")
    words: list[str] = []
    at = 0
    while True:
        while at < len(raw) and raw[at] in _BLANK:
            at += 1
        if at >= len(raw) or raw[at] == 0:  # the server reads C text: NUL ends the line
            return words
        word, at = _one_word(raw, at)
        if word is None:
            return None
        words.append(word.decode("utf-8", "surrogateescape"))


def _one_word(raw: bytes, at: int) -> tuple[bytes | None, int]:
    """Read the word that begins at `at`; a quote may open in its middle, as the server has it."""
    word = bytearray()
    while at < len(raw) and raw[at] not in _ENDS:
        mark = raw[at]
        if mark not in b"\"'":
            word.append(mark)
            at += 1
            continue
        piece, at = _quoted(raw, at + 1, mark)
        # A closing quote ends the word: only a blank or the end may follow it.
        if piece is None or (at < len(raw) and raw[at] not in _BLANK and raw[at] != 0):
            return None, at
        return bytes(word) + piece, at
    return bytes(word), at


def _quoted(raw: bytes, at: int, mark: int) -> tuple[bytes | None, int]:
    """Read up to the closing `mark`; None when the line ends before it."""
    piece = bytearray()
    while at < len(raw) and raw[at] not in (mark, 0):
        if raw[at] == 0x5C and at + 1 < len(raw) and (mark == 0x22 or raw[at + 1] == mark):
            code, at = _escape(raw, at + 1)
            piece.append(code)
        else:
            piece.append(raw[at])
            at += 1
    if at >= len(raw) or raw[at] != mark:
        return None, at
    return bytes(piece), at + 1


def _escape(raw: bytes, at: int) -> tuple[int, int]:
    """Read what follows a backslash: `xHH`, one of `nrtba`, or the character itself."""
    pair = raw[at + 1 : at + 3]
    if raw[at] == 0x78 and len(pair) == 2 and all(each in _HEX for each in pair):
        return int(pair, 16), at + 3
    return _NAMED.get(chr(raw[at]), raw[at]), at + 1
