"""Percent-encoding (RFC 3986) of one part of a URL; by hand, since urllib.parse costs an import
of a millisecond and replaces what it cannot decode in silence."""

_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def encode(text: str, keep: bytes = b"") -> str:
    """Encode everything but the unreserved characters and `keep`.

    Raises UnicodeEncodeError on text that is not valid unicode.
    """
    return "".join(
        chr(each) if each in _UNRESERVED or each in keep else f"%{each:02X}"
        for each in text.encode()
    )


def decode(text: str) -> str:
    """Undo `encode`. Raises ValueError for a % without two hexadecimal digits, or no UTF-8."""
    first, *others = text.split("%")
    octets = bytearray(first.encode())
    for each in others:
        digits = each[:2]
        if len(digits) < 2 or not digits.isascii() or not digits.isalnum():
            raise ValueError("a % that encodes nothing")
        octets.append(int(digits, 16))
        octets += each[2:].encode()
    return octets.decode()
