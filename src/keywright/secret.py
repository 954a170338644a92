"""A text that does not print, log, format, compare by guess or pickle itself."""

MASK = "••••••"


class Secret:
    """Wraps a password, token or key; only `reveal()` gives it back.

    Raises TypeError on pickling, copying through pickle, and joining with a plain str.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself; call it only where the text leaves for its destination."""
        return self._text

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        from hmac import compare_digest  # loads OpenSSL: 3 ms that `status` need not pay

        return compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(("keywright.Secret", self._text))

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a Secret is not pickled: reveal() it where it is needed")
