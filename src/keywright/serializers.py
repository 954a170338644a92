"""How values become octets: JSON as it stands, msgspec where it is installed, smaller, or unreadable.

A serializer is anything with `dumps(value) -> bytes` and `loads(bytes) -> value`. What cannot be read back
raises Unreadable, a ValueError; what cannot be written raises Unwritable, which says where it stands.
"""

import json
import zlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from keywright.errors import InputError
from keywright.secret import Secret

LARGEST = 64 << 20  # octets that a compressed value may become again


class Unreadable(ValueError):
    """A stored value was written by something else, or with another key, or is cut."""


class Unwritable(InputError):
    """A value has a part that the serializer has no form for; the message says where."""


class Serializer(Protocol):
    """Values to octets and back."""

    def dumps(self, value: Any) -> bytes:
        """Return the octets of a value. Raises Unwritable."""
        ...

    def loads(self, octets: bytes) -> Any:
        """Return the value of octets. Raises Unreadable, or another ValueError."""
        ...


class Codec(NamedTuple):
    """A serializer made of two functions."""

    dumps: Callable[[Any], bytes]
    loads: Callable[[bytes], Any]


def _made_encoder() -> Callable[[Any], str]:
    """JSONEncoder.encode makes a C encoder at every call; this one is made once."""
    plain = json.JSONEncoder(separators=(",", ":"))
    make = json.encoder.c_make_encoder  # type: ignore[attr-defined]
    if make is None:  # not CPython
        return plain.encode
    # No markers: a cycle ends as a RecursionError, at no cost for every value that is none.
    parts = make(None, plain.default, json.encoder.encode_basestring_ascii, None, ":", ",",
                 False, False, True)  # fmt: skip
    join = "".join
    return lambda value: join(parts(value, 0))


_encode = _made_encoder()
_scan: Callable[[str, int], tuple[Any, int]] = json.JSONDecoder().scan_once  # type: ignore[attr-defined]


def _json_dumps(value: Any) -> bytes:
    try:
        return _encode(value).encode()
    except (TypeError, ValueError, RecursionError):
        raise unwritable(value, "JSON") from None


def _json_loads(octets: bytes) -> Any:
    # The scanner itself: json.loads would look for the encoding and for white space first.
    try:
        text = str(octets, "utf-8")
        value, end = _scan(text, 0)
        return value if end == len(text) else json.loads(text)
    except StopIteration:
        return json.loads(text)
    except RecursionError:
        raise Unreadable("the value is nested too deeply") from None


JSON = Codec(_json_dumps, _json_loads)


def msgspec_json(kind: Any = Any) -> Codec:
    """JSON by msgspec: the same text, read and written several times faster.

    `kind` may be a type (a Struct, a dataclass) that values are read as. Raises InputError when
    msgspec is not installed.
    """
    try:
        import msgspec  # 26 ms: only for those who use it
    except ModuleNotFoundError:
        raise _missing("msgspec", "fast") from None
    encoder, decoder = msgspec.json.Encoder(), msgspec.json.Decoder(kind)

    def dumps(value: Any) -> bytes:
        try:
            octets: bytes = encoder.encode(value)
        except (TypeError, ValueError, RecursionError):
            raise unwritable(value, "JSON") from None
        return octets

    return Codec(dumps, decoder.decode)  # msgspec's errors are ValueErrors


def compressed(inner: Serializer = JSON, *, over: int = 1024, level: int = 1) -> Codec:
    """Compress (zlib) what is longer than `over` octets; shorter values and old ones are read as well.

    A value that would become more than 64 MiB is Unreadable.
    """

    def dumps(value: Any) -> bytes:
        octets = inner.dumps(value)
        return b"z" + zlib.compress(octets, level) if len(octets) > over else octets

    def loads(octets: bytes) -> Any:
        if octets[:2] != b"zx":  # "x" is zlib's first octet; no JSON begins so
            return inner.loads(octets)
        try:
            unpack = zlib.decompressobj()
            plain = unpack.decompress(octets[1:], LARGEST)
        except zlib.error:
            raise Unreadable("the value is compressed and not whole") from None
        if unpack.unconsumed_tail or not unpack.eof:
            raise Unreadable("the value is compressed and cut, or too large")
        return inner.loads(plain)

    return Codec(dumps, loads)


def encrypted(inner: Serializer = JSON, *, keys: Sequence[Secret | str]) -> Codec:
    """Encrypt (Fernet: AES-128-CBC with HMAC-SHA256). The first key writes, every key reads.

    Keys are made by `new_key()`. To rotate, put the new one first and drop the old one when what it
    wrote has ended. Raises InputError for a key that is none, or when cryptography is not installed.
    """
    try:
        from cryptography.fernet import Fernet, InvalidToken, MultiFernet
    except ModuleNotFoundError:
        raise _missing("cryptography", "encrypt") from None
    if not keys:
        raise InputError("encryption needs a key", "keywright.serializers.new_key() makes one")
    try:
        box = MultiFernet([Fernet(_revealed(key)) for key in keys])
    except ValueError:
        raise InputError(
            "a key is not 32 octets in base64", "keywright.serializers.new_key() makes one"
        ) from None

    def loads(octets: bytes) -> Any:
        try:
            plain = box.decrypt(octets)
        except InvalidToken:
            raise Unreadable("the value was not written with any of the keys") from None
        return inner.loads(plain)

    return Codec(lambda value: box.encrypt(inner.dumps(value)), loads)


def new_key() -> Secret:
    """Make a key for `encrypted`."""
    from cryptography.fernet import Fernet

    return Secret(Fernet.generate_key().decode())


def unwritable(value: Any, form: str) -> Unwritable:
    """Find the part of a value that has no form, and say where it stands."""
    found = _culprit(value, "value", set())
    if found is None:
        return Unwritable(f"the value cannot be written as {form}", "is it too deep, or a cycle?")
    where, kind = found
    return Unwritable(
        f"{where} is a {kind}, which {form} has no form for",
        "store text, numbers, true, false, None, lists and dicts with text as keys",
    )


def _culprit(value: Any, where: str, above: set[int]) -> tuple[str, str] | None:
    if value is None or isinstance(value, (str, bool, int, float)):
        return None
    if id(value) in above or len(above) > 900:
        return None  # a cycle, or too deep: said as such
    below = above | {id(value)}
    if isinstance(value, dict):
        for key, each in value.items():
            if not isinstance(key, (str, int, float, bool, type(None))):
                return f"a key of {where}", type(key).__name__
            if found := _culprit(each, f"{where}[{key!r}]", below):
                return found
        return None
    if isinstance(value, (list, tuple)):
        for place, each in enumerate(value):
            if found := _culprit(each, f"{where}[{place}]", below):
                return found
        return None
    return where, type(value).__name__


def _revealed(key: Secret | str) -> str:
    return key.reveal() if isinstance(key, Secret) else key


def _missing(package: str, extra: str) -> InputError:
    return InputError(f"{package} is not installed", f"pip install 'keywright[{extra}]'")
