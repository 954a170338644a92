"""The authority makes what is missing in memory, keeps what fits, and guards its keys."""

import subprocess
from pathlib import Path

import pytest

from keywright.errors import InputError
from keywright_ops.facts.certificate import fits, parse_pem
from keywright_ops.model.certificates import Certificates
from keywright_ops.model.facts import Certificate
from keywright_ops.targets.local import LocalTransport
from keywright_ops.vault import authority
from keywright_ops.vault.authority import AUTHORITY_DAYS, DAY, SERVER_DAYS, Authority

NAMES = ("redis", "localhost", "127.0.0.1", "::1")


def keeper(folder: Path, names: tuple[str, ...] = NAMES) -> Authority:
    """The authority of a folder."""
    return Authority(LocalTransport(), str(folder), "shop prod", names)


def keep(folder: Path, made: Certificates) -> None:
    """Write what was drafted, as the steps do."""
    folder.mkdir(exist_ok=True)
    secrets = {"server.key": made.key} | ({"ca.key": made.authority} if made.authority else {})
    for name, secret in secrets.items():
        (folder / name).write_text(secret.reveal())
        (folder / name).chmod(0o600)
    (folder / "ca.crt").write_text(made.ca)
    (folder / "server.crt").write_text(made.certificate)


def read(pem: str) -> Certificate:
    """The certificate, which must be one."""
    found = parse_pem(pem)
    assert isinstance(found, Certificate)
    return found


def test_drafted_in_memory(tmp_path: Path) -> None:
    """Nothing is written; asked twice it is the same; 397 days at most, the authority ten years."""
    one = keeper(tmp_path / "tls")
    made = one.certificates()
    assert made == one.certificates()
    assert list(tmp_path.iterdir()) == []
    server, ca = read(made.certificate), read(made.ca)
    assert SERVER_DAYS * DAY == server.not_after - server.not_before
    assert AUTHORITY_DAYS * DAY == ca.not_after - ca.not_before
    assert (NAMES, "redis") == (server.names, server.subject)
    assert fits(server, ca)
    assert "PRIVATE" not in repr(made)


def test_openssl_agrees(tmp_path: Path) -> None:
    """openssl verifies the chain for a server's purpose, and finds the limits in the authority."""
    keep(tmp_path, keeper(tmp_path / "none").certificates())
    verify = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", "ca.crt"]
    for name in ("-verify_hostname", "redis"), ("-verify_ip", "::1"):
        argv = [*verify, *name, "server.crt"]
        done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True)
        assert done.stdout.strip() == "server.crt: OK", done.stderr
    text = subprocess.run(
        ["openssl", "x509", "-in", "ca.crt", "-noout", "-text"], cwd=tmp_path, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert "CA:TRUE, pathlen:0" in text
    assert "Certificate Sign, CRL Sign" in text
    assert "prime256v1" in text


def test_what_fits_is_kept(tmp_path: Path) -> None:
    """Kept files are taken as they are; fewer names than it holds are no reason for another."""
    made = keeper(tmp_path / "none").certificates()
    keep(tmp_path, made)
    assert made == keeper(tmp_path).certificates()
    assert made == keeper(tmp_path, NAMES[:2]).certificates()


@pytest.mark.parametrize("lost", ["server.crt", "server.key", "another name", "torn pair"])
def test_what_does_not_fit_is_made_again(tmp_path: Path, lost: str) -> None:
    """A lost file, a further name, a key that a killed renewal left alone: the same authority signs
    another certificate; the key that lies there is kept."""
    made = keeper(tmp_path / "none").certificates()
    keep(tmp_path, made)
    names = (*NAMES, "redis.example.com") if lost == "another name" else NAMES
    if lost == "torn pair":
        (tmp_path / "server.key").write_text(keeper(tmp_path / "none").certificates().key.reveal())
    elif lost != "another name":
        (tmp_path / lost).unlink()
    again = keeper(tmp_path, names).certificates()
    assert (made.ca, False) == (again.ca, made.certificate == again.certificate)
    keep(tmp_path, again)
    assert again == keeper(tmp_path, names).certificates()
    if lost != "server.key":
        assert again.key.reveal() == (tmp_path / "server.key").read_text()


def test_another_authority_and_the_way_there(tmp_path: Path) -> None:
    """First ca.crt holds both and the certificate stays; then the new one signs; then the old leaves."""
    made = keeper(tmp_path / "none").certificates()
    keep(tmp_path, made)
    one = keeper(tmp_path)
    one.renew(True, False)
    both = one.certificates()
    assert (made.certificate, made.key) == (both.certificate, both.key)
    assert both.ca.endswith(made.ca)
    keep(tmp_path, both)
    assert both == keeper(tmp_path).certificates()
    one = keeper(tmp_path)
    one.renew(False, False)
    signed = one.certificates()
    assert both.ca == signed.ca
    assert fits(read(signed.certificate), read(both.ca))
    keep(tmp_path, signed)
    one = keeper(tmp_path)
    one.renew(False, False)
    assert both.ca.removesuffix(made.ca) == one.certificates().ca


def test_torn_authority(tmp_path: Path) -> None:
    """ca.key alone decides: a ca.crt that does not follow from it is written again."""
    made = keeper(tmp_path / "none").certificates()
    keep(tmp_path, made)
    (tmp_path / "ca.crt").write_text("rubbish")
    assert made == keeper(tmp_path).certificates()


def test_without_the_key(tmp_path: Path) -> None:
    """An authority whose key is kept elsewhere: what is there goes on, nothing new can be signed."""
    made = keeper(tmp_path / "none").certificates()
    keep(tmp_path, made)
    (tmp_path / "ca.key").unlink()
    assert made._replace(authority=None) == keeper(tmp_path).certificates()
    for refused in (
        lambda: keeper(tmp_path).renew(False, False),
        lambda: keeper(tmp_path, (*NAMES, "new.example")).certificates(),
    ):
        with pytest.raises(InputError, match=r"ca.key is not there") as caught:
            refused()
        assert "tls renew --ca" in caught.value.hint
    one = keeper(tmp_path)
    one.renew(True, False)
    assert one.certificates().authority is not None


@pytest.mark.parametrize("name", ["ca.key", "server.key"])
def test_keys_are_guarded(tmp_path: Path, name: str) -> None:
    """Readable by others, or damaged: one sentence that names the file, and never what is in it."""
    keep(tmp_path, keeper(tmp_path / "none").certificates())
    (tmp_path / name).chmod(0o640)
    with pytest.raises(InputError, match=f"{name} can be read by others") as caught:
        keeper(tmp_path).certificates()
    assert "PRIVATE" not in str(caught.value) + caught.value.hint
    (tmp_path / name).chmod(0o600)
    (tmp_path / name).write_text("-----BEGIN PRIVATE KEY-----\nxyz\n-----END PRIVATE KEY-----\n")
    with pytest.raises(InputError, match=f"{name} is damaged"):
        keeper(tmp_path).certificates()


def test_an_authority_that_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No certificate outlives its authority; one that has expired signs nothing any more."""

    def at(days: int) -> None:
        moment = 1_800_000_000 + days * DAY
        monkeypatch.setattr(authority, "time", type("Clock", (), {"time": lambda: moment}))

    at(0)
    made = keeper(tmp_path / "none").certificates()
    keep(tmp_path, made)
    at(AUTHORITY_DAYS - 100)
    one = keeper(tmp_path)
    one.renew(False, False)
    assert read(one.certificates().certificate).not_after == read(made.ca).not_after
    at(AUTHORITY_DAYS)
    with pytest.raises(InputError, match="the authority itself has expired") as caught:
        keeper(tmp_path).renew(False, False)
    assert "--ca" in caught.value.hint
