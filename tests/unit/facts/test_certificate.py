"""Certificates as openssl writes them, read as openssl reads them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywright_ops.facts.certificate import day, fits, parse_der, parse_pem
from keywright_ops.model.absence import Missing
from keywright_ops.model.facts import Certificate

AUTHORITY = """\
-----BEGIN CERTIFICATE-----
MIIBsTCCAVegAwIBAgIUKCsz9n3jMNr5Wam+4FreO4S+6/AwCgYIKoZIzj0EAwIw
LTESMBAGA1UECgwJU2hvcCAmIENvMRcwFQYDVQQDDA5zaG9wIGF1dGhvcml0eTAg
Fw0yNjExMjMwNzE1MzFaGA8yMDgxMDgyNjA3MTUzMVowLTESMBAGA1UECgwJU2hv
cCAmIENvMRcwFQYDVQQDDA5zaG9wIGF1dGhvcml0eTBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABDP/sFWQ0grHajOQw8hd/vAuxpsvvzh3a9kP2MaZzCKR9/v6NYX+
JDodpxE0oT5YIjeJWpeD+r8rP6yKxzCXPg+jUzBRMB0GA1UdDgQWBBQhulm9U0h6
FifjwSXm6XbGyYipyDAfBgNVHSMEGDAWgBQhulm9U0h6FifjwSXm6XbGyYipyDAP
BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIEHkAKuDOWdDJ8wUYYNx
8zzUaE/VtITaRepY5Q0dNGbMAiEAhN6h2BFEj1DGtWL9GHhxIf2NmOPuB0E7N1dj
N52AD2A=
-----END CERTIFICATE-----
"""
SERVER = """\
-----BEGIN CERTIFICATE-----
MIICKzCCAdCgAwIBAgIULIkCv29N3CtXGgvQl1YMi96G0gEwCgYIKoZIzj0EAwIw
LTESMBAGA1UECgwJU2hvcCAmIENvMRcwFQYDVQQDDA5zaG9wIGF1dGhvcml0eTAe
Fw0yNjExMjMwNzE1MzFaFw0yNzAyMjEwNzE1MzFaMBwxCzAJBgNVBAYTAkRFMQ0w
CwYDVQQKDARTaG9wMIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC3O/alqSfw
xsBVq1q9LWT4iCYAJHLeEvnlVopyf7vvFO4UNY/wzwrtM1uydybUkkvnmF1CMSCP
JnLSx1fAzcRjLemZsHbXI9smM8OZiycU25Gf4G0vlA3qBwB3qMKBB6Doi2EI5CK8
pa9bFKugaCOVTVoTckzTYaBEwegW4Xj+3QIDAQABo4GXMIGUMB0GA1UdDgQWBBRv
Z2+EbeMiycjzPe7DpCcpTmyIXTAfBgNVHSMEGDAWgBQhulm9U0h6FifjwSXm6XbG
yYipyDAPBgNVHRMBAf8EBTADAQH/MEEGA1UdEQQ6MDiCEXJlZGlzLmV4YW1wbGUu
Y29thwQKAAAFhxD9AAAAAAAAAAAAAAAAAAAFgQthQGIuZXhhbXBsZTAKBggqhkjO
PQQDAgNJADBGAiEAu9EAsxc5iBohrmxrg/HTGKNMcP6JM8dBvHM6kiiYTL4CIQCh
Lqpsj5ZCJ9v+2fitdUYFg36+bN3lZ9z6AGCY75aR3A==
-----END CERTIFICATE-----
"""


def test_what_openssl_reads(pure: Any) -> None:
    """Dates of both kinds (after 2049 they are written otherwise), serial, fingerprint, key ids, names
    of each kind; an e-mail address is no name of a server."""
    found = pure(parse_pem, SERVER)
    assert isinstance(found, Certificate)
    assert found._replace(key=b"") == Certificate(
        fingerprint="a5e665ead82616377fc2bc1ba40b1797216415d8156de9c19f61204a15cbfc45",
        serial="2c8902bf6f4ddc2b571a0bd097560c8bde86d201",
        subject="DE, Shop",
        issuer="shop authority",
        not_before=1795418131,
        not_after=1803194131,
        names=("redis.example.com", "10.0.0.5", "fd00::5"),
        key=b"",
        key_id="6f676f846de322c9c8f33deec3a427294e6c885d",
        signer_id="21ba59bd53487a1627e3c125e6e976c6c988a9c8",
    )
    assert ("2026-11-23", "2027-02-21") == (day(found.not_before), day(found.not_after))
    authority = parse_pem(AUTHORITY)
    assert isinstance(authority, Certificate)
    assert ("shop authority", "2081-08-26") == (authority.subject, day(authority.not_after))
    assert fits(found, authority)
    assert not fits(authority, found)


def test_the_first_of_several(pure: Any) -> None:
    """What stands around it does not matter; of a chain the first certificate counts."""
    assert parse_pem(SERVER) == pure(parse_pem, f"subject=x\n{SERVER}{AUTHORITY}")


@pytest.mark.parametrize(
    "text", ["", "nothing", SERVER[:200], SERVER.replace("MIIC", "M!IC"), SERVER.replace("A", "é")]
)
def test_what_is_none(text: str, pure: Any) -> None:
    """Rubbish is Missing with a reason, never an error."""
    assert isinstance(pure(parse_pem, text), Missing)


@given(st.binary(max_size=80), st.integers(0, 500), st.integers(0, 500))
def test_damaged_bytes_never_raise(noise: bytes, begin: int, end: int) -> None:
    """Whatever bytes come in a handshake, the answer is a certificate or Missing."""
    from binascii import a2b_base64

    whole = a2b_base64("".join(SERVER.splitlines()[1:-1]))
    damaged = whole[:begin] + noise + whole[end:]
    assert isinstance(parse_der(damaged), Certificate | Missing)


def test_days_of_every_month() -> None:
    """The sum that turns a date into seconds agrees with the calendar from 1950 to 2120."""
    from calendar import timegm
    from time import gmtime, strftime

    from keywright_ops.facts.certificate import UTC_TIME, _seconds

    for number in range(-7300, 54000, 13):
        moment = number * 86400 + 3723
        text = strftime("%Y%m%d%H%M%SZ", gmtime(moment))
        assert moment == timegm(gmtime(moment)) == _seconds(0x18, text.encode())
        if 1950 <= gmtime(moment).tm_year < 2050:
            assert moment == _seconds(UTC_TIME, text[2:].encode())
