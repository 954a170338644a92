"""A certificate as facts: whose, by whom, until when, for which names.

Ours, because `status` shows the expiry, and a library for it costs more than the rest of `status`. It
reads what it needs (X.509 v3, RFC 5280) and checks no signature: handshakes do.
"""

from binascii import Error, a2b_base64
from collections.abc import Iterator

from keywright_ops.model.absence import Missing
from keywright_ops.model.facts import Certificate

BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
SEQUENCE, INTEGER, BITS, OCTETS, OID = 0x30, 0x02, 0x03, 0x04, 0x06
EXTENSIONS, VERSION, UTC_TIME = 0xA3, 0xA0, 0x17
COMMON_NAME = bytes.fromhex("550403")
KEY_ID, ALT_NAMES, SIGNER_ID = (bytes.fromhex(each) for each in ("551d0e", "551d11", "551d23"))
DNS, ADDRESS, SIGNER_KEY = 0x82, 0x87, 0x80


def parse_pem(text: str) -> Certificate | Missing:
    """Return the first certificate of a PEM text; Missing says why there is none."""
    _, begun, rest = text.partition(BEGIN)
    body, ended, _ = rest.partition(END)
    if not begun or not ended:
        return Missing("it holds no certificate in PEM")
    try:
        return parse_der(a2b_base64("".join(body.split()).encode("ascii")))
    except (Error, UnicodeEncodeError):
        return Missing("its PEM is damaged")


def parse_der(der: bytes) -> Certificate | Missing:
    """Return the certificate in these bytes; Missing when they are none."""
    from hashlib import sha256  # loads OpenSSL: 3 ms, and only where there is TLS

    try:
        (_, outer), *_ = _parts(der)
        (_, inner), *_ = _parts(outer)
        fields = [each for each in _parts(inner) if each[0] != VERSION]
        (_, serial), _, (_, issuer), (_, valid), (_, subject), (_, key), *more = fields
        begins, ends = (_seconds(*each) for each in _parts(valid))
        found = _extensions(next((body for tag, body in more if tag == EXTENSIONS), b""))
        point = next(body for tag, body in _parts(key) if tag == BITS)[1:]
        return Certificate(
            fingerprint=sha256(der).hexdigest(),
            serial=serial.lstrip(b"\0").hex(),
            subject=_common_name(subject),
            issuer=_common_name(issuer),
            not_before=begins,
            not_after=ends,
            names=tuple(_names(found.get(ALT_NAMES, b""))),
            key=point,
            key_id=_octets(found.get(KEY_ID, b"")).hex(),
            signer_id=_signer(found.get(SIGNER_ID, b"")).hex(),
        )
    except (ValueError, IndexError, StopIteration):
        return Missing("it is damaged, or no certificate")


def fits(certificate: Certificate, authority: Certificate) -> bool:
    """Whether it says that this authority signed it (the handshake checks the signature)."""
    return certificate.signer_id == authority.key_id and certificate.issuer == authority.subject


def day(seconds: int) -> str:
    """Write a moment (seconds since 1970) as its day, UTC."""
    from time import gmtime, strftime  # of a given moment: no clock is asked

    return strftime("%Y-%m-%d", gmtime(seconds))


def _parts(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The elements of a DER value: tag and content."""
    at = 0
    while at < len(data):
        tag, size, at = data[at], data[at + 1], at + 2
        if size & 0x80:
            width = size & 0x7F
            size, at = int.from_bytes(data[at : at + width], "big"), at + width
        if at + size > len(data):
            raise ValueError("cut off")
        yield tag, data[at : at + size]
        at += size


def _common_name(name: bytes) -> str:
    """The last CN of a distinguished name, else all its values."""
    found, others = "", []
    for _, group in _parts(name):
        for _, pair in _parts(group):
            (_, kind), (_, value) = _parts(pair)
            text = value.decode("utf-8", "replace")
            found = text if kind == COMMON_NAME else found
            others.append(text)
    return found or ", ".join(others)


def _seconds(tag: int, value: bytes) -> int:
    """UTCTime (two digits of the year, 1950 to 2049) or GeneralizedTime as seconds since 1970."""
    text = value.decode("ascii").removesuffix("Z")
    if tag == UTC_TIME:
        text = ("19" if text >= "50" else "20") + text
    year, month, day = int(text[:4]), int(text[4:6]), int(text[6:8])
    hour, minute, second = int(text[8:10]), int(text[10:12]), int(text[12:14] or "0")
    # days since 1970 of a civil date, counting years from March; no calendar module for one sum
    shifted = year - (month <= 2)
    since_march = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    days = 365 * shifted + shifted // 4 - shifted // 100 + shifted // 400 + since_march - 719468
    return ((days * 24 + hour) * 60 + minute) * 60 + second


def _extensions(block: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for _, listed in _parts(block):
        for _, extension in _parts(listed):
            (_, kind), *_, (_, value) = _parts(extension)  # between them may stand "critical"
            found[kind] = value
    return found


def _octets(value: bytes) -> bytes:
    return next((body for tag, body in _parts(value) if tag == OCTETS), b"")


def _signer(value: bytes) -> bytes:
    for _, sequence in _parts(value):
        for tag, body in _parts(sequence):
            if tag == SIGNER_KEY:
                return body
    return b""


def _names(value: bytes) -> Iterator[str]:
    for _, sequence in _parts(value):
        for tag, body in _parts(sequence):
            if tag == DNS:
                yield body.decode("ascii", "replace")
            elif tag == ADDRESS and len(body) == 4:
                yield ".".join(map(str, body))
            elif tag == ADDRESS:
                from ipaddress import IPv6Address  # 5 ms, and rare

                yield str(IPv6Address(body))
