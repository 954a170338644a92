"""The certificate authority of one environment: ca.key, ca.crt, server.key, server.crt in its own folder.

As with the vault, what is missing is drafted in memory; ordinary steps write it, so a dry run keeps
nothing. ca.key holds the authority's key and its certificate: one atomic write makes another authority,
and ca.crt follows from it. After a change of the authority the former one's certificate stands behind
the new one's, in both files, so that clients with that ca.crt accept either: they are given it first,
and only then is the server's certificate signed by the new one. A renewed certificate keeps its key
unless asked otherwise, so that certificate and key on disk fit together at every moment (a server may
be started by somebody else, such as Docker, between two writes).
"""

import os
import time
from collections.abc import Sequence
from typing import Any

from keywright.errors import InputError
from keywright.secret import Secret
from keywright_ops.facts.certificate import BEGIN, END, fits, parse_pem
from keywright_ops.model.absence import NOT_THERE, Missing
from keywright_ops.model.certificates import Certificates
from keywright_ops.model.facts import Certificate
from keywright_ops.targets.target import Transport

DAY = 86400  # seconds
SERVER_DAYS = 397  # the longest that clients of the public web accept, and long enough for a year
AUTHORITY_DAYS = 3650
SKEW = 300  # seconds by which a client's clock may be behind ours
LONGEST_NAME = 64  # characters of a common name, RFC 5280


class Authority:
    """Keywright's own authority in `folder`; `names` are what the server's certificate must hold.

    `title` is told in the authority's name ("esab prod"). Raises InputError for what is damaged, or
    readable by others.
    """

    def __init__(self, transport: Transport, folder: str, title: str, names: Sequence[str]) -> None:
        self._transport = transport
        self.folder = folder
        self._title = title
        self._names = tuple(names)
        self._made: Certificates | None = None

    def certificates(self) -> Certificates:
        """Return what is kept where it fits together, and drafts for the rest; the same each time."""
        if self._made is None:
            self._made = self._choose()
        return self._made

    def renew(self, another_authority: bool, another_key: bool) -> None:
        """Draft another certificate for the server, or only another authority: clients learn it first.

        The former authority leaves ca.crt with the renewal after the one that the new one signs.
        """
        before = self.certificates()
        in_use = _signer_of(before)
        if another_authority:
            text = _draft_authority(self._title).reveal() + in_use
            self._made = Certificates(
                Secret(text), "".join(_blocks(text)), before.certificate, before.key
            )
            return
        if before.authority is None:
            raise self._cannot_sign()
        authority = before.authority
        if _blocks(authority.reveal())[0] == in_use:
            authority = Secret(authority.reveal().partition(BEGIN)[0] + in_use)
        self._made = self._issue(authority, _draft_key() if another_key else before.key)

    def _choose(self) -> Certificates:
        authority, key = self._read_secret("ca.key"), self._read_secret("server.key")
        ca, certificate = self._read("ca.crt"), self._read("server.crt")
        if authority is None:
            if not ca and not certificate:
                return self._issue(_draft_authority(self._title), key or _draft_key())
            if key is None or self._unfit(ca, certificate, key):
                raise self._cannot_sign()
            return Certificates(None, ca, certificate, key)
        ca = "".join(_blocks(authority.reveal()))
        if isinstance(parse_pem(ca), Missing):
            raise _damaged(f"{self.folder}/ca.key")
        if key is None or self._unfit(ca, certificate, key):
            return self._issue(authority, key or _draft_key())
        return Certificates(authority, ca, certificate, key)

    def _unfit(self, ca: str, certificate: str, key: Secret) -> str:
        """Why the kept certificate cannot serve; "" when it can. A past expiry is told elsewhere."""
        found = parse_pem(certificate)
        if isinstance(found, Missing):
            return "it is not there, or damaged"
        if not any(_signed(certificate, each) for each in _blocks(ca)):
            return "another authority signed it"
        if not _belongs(key, found):
            return "it is for another key"
        missing = [name for name in self._names if name not in found.names]
        return f"it lacks {', '.join(missing)}" if missing else ""

    def _issue(self, authority: Secret, key: Secret) -> Certificates:
        text, path = authority.reveal(), f"{self.folder}/ca.key"
        signer = _load_key(Secret(text.partition(BEGIN)[0]), path)
        own = _load_key(key, f"{self.folder}/server.key")
        blocks = _blocks(text)
        signed = _sign(signer, blocks[0], own, self._names)
        return Certificates(authority, "".join(blocks), signed, key)

    def _read(self, name: str) -> str:
        path = f"{self.folder}/{name}"
        content = self._transport.read(path)
        if isinstance(content, Missing):
            if content.why != NOT_THERE:
                hint = "does it belong to another user (was Keywright once run with sudo)?"
                raise InputError(f"{path} cannot be read: {content.why}", hint)
            return ""
        return content.decode("utf-8", "surrogateescape")

    def _read_secret(self, name: str) -> Secret | None:
        text = self._read(name)
        if not text:
            return None
        path = f"{self.folder}/{name}"
        mode = self._transport.mode(path)
        if isinstance(mode, int) and mode & 0o077:
            raise InputError(
                f"the key {path} can be read by others (mode {mode:o})",
                f"chmod 600 '{path}'; if others may have looked: `keywright tls renew --key`",
            )
        return Secret(text)

    def _cannot_sign(self) -> InputError:
        return InputError(
            f"the authority's key {self.folder}/ca.key is not there, and a certificate must be signed",
            "put it back; or `keywright tls renew --ca` makes another, which all clients must learn",
        )


def _blocks(text: str) -> list[str]:
    """Every certificate of a PEM text, the newest authority first."""
    return [BEGIN + each.partition(END)[0] + END + "\n" for each in text.split(BEGIN)[1:]]


def _signed(certificate: str, authority: str) -> bool:
    found, signer = parse_pem(certificate), parse_pem(authority)
    if isinstance(found, Missing) or isinstance(signer, Missing):
        return False
    return fits(found, signer)


def _signer_of(made: Certificates) -> str:
    """The certificate of the authority that signed the server's, as PEM."""
    return next((each for each in _blocks(made.ca) if _signed(made.certificate, each)), "")


def _belongs(key: Secret, certificate: Certificate) -> bool:
    """Whether a key made here belongs to the certificate: its file holds the public half as well."""
    from binascii import Error, a2b_base64

    body = key.reveal().partition("-----BEGIN PRIVATE KEY-----")[2].partition("-----END")[0]
    try:
        return certificate.key in a2b_base64(body)
    except Error:
        return False


def _damaged(path: str) -> InputError:
    return InputError(
        f"{path} is damaged",
        "restore it from a backup; or move it away: `keywright up` then makes another",
    )


def _draft_key() -> Secret:
    from cryptography.hazmat.primitives.asymmetric import ec

    return _pem(ec.generate_private_key(ec.SECP256R1()))


def _pem(key: Any) -> Secret:
    from cryptography.hazmat.primitives import serialization as form

    made = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    return Secret(made.decode())


def _load_key(key: Secret, path: str) -> Any:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return load_pem_private_key(key.reveal().encode("utf-8", "surrogateescape"), None)
    except (ValueError, TypeError):
        raise _damaged(path) from None


def _draft_authority(title: str) -> Secret:
    """A key and a self-signed certificate that may sign servers' certificates and nothing below."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding

    secret = _draft_key()
    key = _load_key(secret, "ca.key")
    # a number, so that two authorities of one environment are told apart
    number = os.urandom(4).hex()
    name = _name(f"Keywright {title[: LONGEST_NAME - 20]} {number}")
    begins = int(time.time()) - SKEW
    usage = x509.KeyUsage(
        False, False, False, False, False, key_cert_sign=True, crl_sign=True,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
    made = (
        _dated(x509.CertificateBuilder(), begins, begins + AUTHORITY_DAYS * DAY)
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Secret(secret.reveal() + made.public_bytes(Encoding.PEM).decode())


def _sign(signer: Any, ca: str, key: Any, names: Sequence[str]) -> str:
    """The server's certificate, which ends with its authority at the latest."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import ExtendedKeyUsageOID

    authority = x509.load_pem_x509_certificate(ca.encode())
    begins = int(time.time()) - SKEW
    last = int(authority.not_valid_after_utc.timestamp())
    if last <= begins + DAY:
        raise InputError(
            "the authority itself has expired, or does within a day",
            "`keywright tls renew --ca` makes another, which all clients must learn",
        )
    end = min(begins + SERVER_DAYS * DAY, last)
    usage = x509.KeyUsage(
        True, False, False, False, False, key_cert_sign=False, crl_sign=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
    identified = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    made = (
        _dated(x509.CertificateBuilder(), begins, end)
        .subject_name(_name(names[0]))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .add_extension(x509.SubjectAlternativeName([_general(each) for each in names]), False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(identified, critical=False)
        .sign(signer, hashes.SHA256())
    )
    text: str = made.public_bytes(Encoding.PEM).decode()
    return text


def _dated(builder: Any, begins: int, ends: int) -> Any:
    """With a random serial number and the two dates (seconds since 1970)."""
    from datetime import UTC, datetime

    from cryptography import x509

    return (
        builder.serial_number(x509.random_serial_number())
        .not_valid_before(datetime.fromtimestamp(begins, UTC))
        .not_valid_after(datetime.fromtimestamp(ends, UTC))
    )


def _name(text: str) -> Any:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:LONGEST_NAME])])


def _general(name: str) -> Any:
    """A subject alternative name: an address or a host name."""
    from ipaddress import ip_address

    from cryptography import x509

    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
