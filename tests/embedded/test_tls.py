"""TLS on a real redis-server: made, served, renewed live, told of in time, and never half done."""

import json
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from tests.embedded.stranger import Person, on_terminal
from tests.ports import bindable, free_port

from keywright.endpoint import Endpoint, Tls
from keywright.secret import Secret
from keywright.settings import Settings
from keywright.wire import Wire
from keywright_ops.facts.certificate import parse_pem
from keywright_ops.targets.local import LocalTransport
from keywright_ops.vault import authority
from keywright_ops.vault.authority import Authority

REDIS_7 = "/usr/bin/redis-server"
SERVER = f'server = "{REDIS_7}"'
DAY = 86400
NAMES = ("localhost", "127.0.0.1", "::1")

pytestmark = pytest.mark.skipif(not os.path.exists(REDIS_7), reason="no redis-server with TLS")


def past(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let certificates be made at that moment."""
    monkeypatch.setattr(authority, "time", type("Clock", (), {"time": lambda: seconds}))


class Encrypted:
    """A person with a server that speaks TLS on `port`, and `plain` for the time of the change."""

    def __init__(self, person: Person) -> None:
        self.person, self.port, self.plain = person, free_port(), person.port

    def declare(self, *lines: str) -> None:
        """TLS on, and nothing but it; further lines as given."""
        self.write(SERVER, "tls.enabled = true", f"tls.port = {self.port}", *lines)

    def write(self, *lines: str) -> None:
        """The file with exactly these lines."""
        text = "\n".join(("[env.local]", *lines, ""))
        (self.person.project / "keywright.toml").write_text(text)

    @property
    def folder(self) -> Path:
        """Where the authority lies."""
        return self.person.state / "tls"

    def wire(self, ca: str = "", port: int = 0) -> Wire:
        """The administrator's connection, as a client that checks the certificate."""
        tls = Tls(ca_certs=ca or str(self.folder / "ca.crt"))
        password = Secret(self.person.secrets["admin"])
        return Wire(Endpoint(port=port or self.port, username="admin", password=password, tls=tls))

    def served(self) -> str:
        """The fingerprint of what the server presents to a client that trusts our authority."""
        context = ssl.create_default_context(cafile=str(self.folder / "ca.crt"))
        with (
            socket.create_connection(("127.0.0.1", self.port), 5) as link,
            context.wrap_socket(link, server_hostname="localhost") as channel,
        ):
            return sha256(channel.getpeercert(True) or b"").hexdigest()

    def on_disk(self) -> str:
        """The fingerprint of the file."""
        return parse_pem((self.folder / "server.crt").read_text()).fingerprint  # type: ignore[union-attr]

    def verdicts(self, *words: str) -> dict[str, str]:
        """What came of each proof of a command."""
        said = self.person.say(*words, "--json")
        return {each["id"]: each["verdict"] for each in json.loads(said.out)["proofs"]}


@pytest.fixture
def fresh(person: Callable[..., Person]) -> Encrypted:
    """Somebody who has TLS in the file and no server yet."""
    one = Encrypted(person())
    one.declare()
    return one


@pytest.fixture(scope="module")
def neighbour_tls(rooms: Callable[[], Path]) -> Iterator[Encrypted]:
    """A server with TLS for tests that leave a valid certificate behind."""
    one = Encrypted(Person(rooms() / "p"))
    one.declare()
    said = one.person.say("up")
    assert said.code == 0, said
    yield one
    one.person.leave()


@pytest.fixture
def settled_tls(fresh: Encrypted) -> Encrypted:
    """The same, with the server up and proven."""
    said = fresh.person.say("up")
    assert said.code == 0, said
    return fresh


def test_up_proves_it(fresh: Encrypted) -> None:
    """Law: the certificate is proven by a handshake, plain text is refused, no other port is open; the
    application's settings name the authority; keys are for their owner alone."""
    assert fresh.person.say("up", "--dry-run").code == 0
    assert list(fresh.person.home.rglob("ca.key")) == []
    verdicts = fresh.verdicts("up")
    assert ["passed"] * 3 == [
        verdicts[each] for each in ("certificate", "tls-only", "plain-closed")
    ]
    assert set(verdicts.values()) == {"passed"}
    assert fresh.served() == fresh.on_disk()
    with fresh.wire() as wire:
        assert wire.call("PING") == "PONG"
    modes = {path.name: path.stat().st_mode & 0o777 for path in fresh.folder.iterdir()}
    assert modes == {"ca.key": 0o600, "server.key": 0o600, "ca.crt": 0o644, "server.crt": 0o644}
    dotenv = dict(
        line.split("=", 1)
        for line in (fresh.person.state / "app.env").read_text().splitlines()
        if "=" in line and not line.startswith("#")
    )
    settings = Settings.from_env(dotenv)
    assert (settings.ssl, settings.ssl_ca_certs) == (True, str(fresh.folder / "ca.crt"))
    before = fresh.on_disk()
    assert "nothing to do" in fresh.person.say("up").out
    assert fresh.person.say("check").code == 0
    assert before == fresh.on_disk() == fresh.served()


def test_renewed_live(neighbour_tls: Encrypted) -> None:
    """Law: an open connection survives a renewal; a new handshake brings the new certificate, of the
    same key unless asked; the process is the same."""
    person = neighbour_tls.person
    with neighbour_tls.wire() as held:
        pid = held.call("INFO", "server").split("process_id:")[1].split()[0]
        for words, same_key in ((("tls", "renew"), True), (("tls", "renew", "--key"), False)):
            before, key = neighbour_tls.served(), (neighbour_tls.folder / "server.key").read_text()
            assert person.say(*words, "--dry-run").code == 0
            assert before == neighbour_tls.on_disk()
            said = person.say(*words)
            assert said.code == 0, said
            assert neighbour_tls.served() == neighbour_tls.on_disk() != before
            assert same_key == (key == (neighbour_tls.folder / "server.key").read_text())
            assert held.call("PING") == "PONG"
            assert pid == held.call("INFO", "server").split("process_id:")[1].split()[0]
    assert "nothing to do" in person.say("up").out


def test_another_authority_in_two_phases(neighbour_tls: Encrypted, tmp_path: Path) -> None:
    """Law: first clients learn the new authority and nothing breaks; then, asked about, it signs; a
    client that was told gets in before and after, one that was not only before."""
    person, former = neighbour_tls.person, str(tmp_path / "former.crt")
    told = str(tmp_path / "told.crt")
    shutil.copy(neighbour_tls.folder / "ca.crt", former)
    served = neighbour_tls.served()
    said = person.say("tls", "renew", "--ca")
    assert (said.code, "give every client" in said.out) == (0, True)
    shutil.copy(neighbour_tls.folder / "ca.crt", told)
    assert served == neighbour_tls.served()
    assert "nothing to do" in person.say("up").out
    for ca in (former, told):
        neighbour_tls.wire(ca).close()
    said = person.say("tls", "renew")
    assert (said.code, "clients must follow" in said.err) == (4, True)
    assert served == neighbour_tls.served() == neighbour_tls.on_disk()
    assert person.say("tls", "renew", "--yes").code == 0
    neighbour_tls.wire(told).close()
    with pytest.raises(OSError, match="signed by an authority that is not known"):
        neighbour_tls.wire(former)
    assert person.say("tls", "renew").code == 0  # and now the former one is gone from ca.crt
    assert (neighbour_tls.folder / "ca.crt").read_text().count("BEGIN CERTIFICATE") == 1
    assert "nothing to do" in person.say("up").out


@pytest.mark.parametrize("file", ["server.crt", "server.key", "ca.crt"])
def test_what_is_lost_is_made_again(neighbour_tls: Encrypted, file: str) -> None:
    """Law: a file that was removed is made again by `up`, and what is served is what lies there."""
    (neighbour_tls.folder / file).unlink()
    assert neighbour_tls.person.say("check").code == 1
    said = neighbour_tls.person.say("up")
    assert said.code == 0, said
    assert neighbour_tls.served() == neighbour_tls.on_disk()


def test_another_name(neighbour_tls: Encrypted) -> None:
    """Law: a further name is put into another certificate, served live."""
    neighbour_tls.declare('tls.names = ["redis.example.com", "10.11.12.13"]')
    said = neighbour_tls.person.say("up")
    assert (said.code, "serve the new certificate, live" in said.out) == (0, True)
    shown = json.loads(neighbour_tls.person.say("tls", "show", "--json").out)
    assert {"redis.example.com", "10.11.12.13"} <= set(shown["presented"]["names"])
    neighbour_tls.declare()
    assert "nothing to do" in neighbour_tls.person.say("up").out


def test_served_another_one(neighbour_tls: Encrypted) -> None:
    """Law: `check` and `tls show` fail when the server presents another certificate than the file."""
    kept = (neighbour_tls.folder / "server.crt").read_text()
    made = Authority(LocalTransport(), str(neighbour_tls.folder), "x", NAMES)
    made.renew(False, False)
    (neighbour_tls.folder / "server.crt").write_text(made.certificates().certificate)
    assert neighbour_tls.person.say("tls", "show").code == 1
    assert neighbour_tls.verdicts("check")["certificate"] == "failed"
    assert "serve the new certificate" in neighbour_tls.person.say("diff").out
    (neighbour_tls.folder / "server.crt").write_text(kept)
    assert neighbour_tls.person.say("tls", "show").code == 0


def test_expiry_is_told(settled_tls: Encrypted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Law: 30 days before its end `status`, `up` and `check` warn; an expired one fails the proof,
    does not shut Keywright out, and is renewed live."""
    person = settled_tls.person
    said = person.say("status")
    assert (said.code, "days left" in said.out) == (0, True)
    for days, code, words in ((20, 0, "in 19 days"), (-3, 1, "expired on")):
        ends = time.time() + days * DAY
        past(monkeypatch, ends - authority.SERVER_DAYS * DAY + authority.SKEW)
        made = Authority(LocalTransport(), str(settled_tls.folder), "x", NAMES)
        made.renew(False, False)
        (settled_tls.folder / "server.crt").write_text(made.certificates().certificate)
        said = person.say("up")
        assert (said.code, words in said.err) == (code, True), said
        assert "keywright tls renew" in " ".join(said.err.split())
        assert (person.say("check").code, words in person.say("check").err) == (code, True)
        assert person.say("check", "--strict").code == 1
        status = person.say("status")
        assert ("19 days left" if days > 0 else "expired") in status.out
        assert person.say("tls", "show").code == code
    monkeypatch.undo()
    assert person.say("tls", "renew").code == 0
    assert person.say("check").code == 0


def test_switched_on_in_two_phases(person: Callable[..., Person]) -> None:
    """Law: TLS beside the open port is opened live, no command fails; closing the port is asked about,
    a person's yes on the terminal goes on; keys are there, and nobody listens on the old port."""
    one = Encrypted(person(SERVER))
    somebody = one.person
    assert somebody.say("up").code == 0
    somebody.fill(5)
    one.declare()
    said = somebody.say("up")
    assert (said.code, "clients must follow" in said.err) == (4, True)
    assert f"port = {one.plain} beside TLS keeps both open" in said.err
    one.declare(f"port = {one.plain}")
    with somebody.wire() as held:
        said = somebody.say("up")
        assert (said.code, "live" in said.out, "env.local.port" in said.err) == (0, True, True)
        assert held.call("PING") == "PONG"
    assert somebody.ask("PING") == "PONG"
    assert one.served() == one.on_disk()
    one.declare()
    assert "clients must follow" in somebody.say("diff").out
    code, screen = on_terminal(somebody, "up", answers={"Type yes:": "yes"})
    assert (code, "Clients must follow this:" in screen, "loses data" in screen) == (0, True, False)
    assert bindable("127.0.0.1", one.plain)
    with one.wire() as wire:
        assert wire.call("DBSIZE") == 5


def test_issue_before_it_is_on(person: Callable[..., Person]) -> None:
    """Law: `tls issue` makes everything once, says what to write, and `up` then serves just that."""
    one = Encrypted(person(SERVER))
    assert one.person.say("tls", "show").code == 2
    assert one.person.say("tls", "renew").code == 2
    said = one.person.say("tls", "issue")
    assert (said.code, "tls.enabled = true" in said.out) == (0, True)
    made = one.on_disk()
    assert "nothing to do" in one.person.say("tls", "issue").out
    one.declare()
    assert one.person.say("up").code == 0
    assert made == one.served()


def test_server_without_tls(stranger: Person) -> None:
    """Law: the embedded Valkey has no TLS: one sentence, a hint, and nothing was made."""
    stranger.declare("tls.enabled = true", "port = 0")
    said = stranger.say("up")
    assert (said.code, "was built without TLS" in said.err) == (2, True)
    assert "/usr/bin/redis-server" in said.err
    assert list(stranger.home.rglob("ca.key")) == []


def test_the_key_of_the_authority_is_guarded(settled_tls: Encrypted) -> None:
    """Law: a key that others may read is refused; without the authority's key what is there goes on,
    and a renewal says what is missing."""
    key = settled_tls.folder / "ca.key"
    key.chmod(0o644)
    said = settled_tls.person.say("up")
    assert (said.code, "can be read by others" in said.err) == (2, True)
    key.rename(settled_tls.person.root / "away")
    assert settled_tls.person.say("up").code == 0
    said = settled_tls.person.say("tls", "renew")
    assert (said.code, "ca.key is not there" in said.err) == (2, True)
    key.write_text("rubbish")
    key.chmod(0o600)
    said = settled_tls.person.say("tls", "renew")
    assert (said.code, "is damaged" in said.err) == (2, True)
    assert settled_tls.served() == settled_tls.on_disk()


# --- a person's own certificate ---------------------------------------------------------------


@pytest.fixture(scope="module")
def bought(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of somebody else's authority, with its key, made by openssl."""
    folder = tmp_path_factory.mktemp("bought")
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    new = ["openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-days", "90"]
    own = ["-addext", names, "-addext", "basicConstraints=critical,CA:FALSE"]
    signed = ["-subj", "/CN=bought", "-CA", "ca.crt", "-CAkey", "ca.key", *own]
    other = ["-subj", "/CN=other", "-keyout", "other.key", "-out", "other.crt"]
    for command in (
        [*new, "-subj", "/CN=shop", "-keyout", "ca.key", "-out", "ca.crt"],
        [*new, *signed, "-keyout", "s.key", "-out", "s.crt"],
        [*new, *other],
        ["openssl", "pkey", "-in", "s.key", "-aes256", "-passout", "pass:x", "-out", "shut.key"],
    ):
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder


def lines(folder: Path, key: str = "s.key", certificate: str = "s.crt") -> tuple[str, ...]:
    """What a person writes who brings a certificate."""
    return (
        f'tls.cert_file = "{folder}/{certificate}"',
        f'tls.key_file = "{folder}/{key}"',
        f'tls.ca_cert_file = "{folder}/ca.crt"',
    )


def test_a_certificate_of_your_own(fresh: Encrypted, bought: Path, tmp_path: Path) -> None:
    """Law: it is served, proven and shown; a newer file is served by `up`; nobody makes another."""
    mine = tmp_path / "mine"
    shutil.copytree(bought, mine)
    person = fresh.person
    fresh.write(SERVER, f"tls.port = {fresh.port}", *lines(mine))
    verdicts = fresh.verdicts("up")
    assert set(verdicts.values()) == {"passed"}
    shown = json.loads(person.say("tls", "show", "--json").out)
    assert (shown["certificate"]["subject"], shown["authority"]["subject"]) == ("bought", "shop")
    for verb in ("issue", "renew"):
        said = person.say("tls", verb)
        assert (said.code, "is your own" in said.err) == (2, True)
    renewed = ["openssl", "req", "-x509", "-key", "s.key", "-days", "99", "-subj", "/CN=newer"]
    renewed += ["-addext", "subjectAltName=IP:127.0.0.1", "-CA", "ca.crt", "-CAkey", "ca.key"]
    subprocess.run([*renewed, "-out", "s.crt"], cwd=mine, check=True, capture_output=True)
    assert person.say("tls", "show").code == 1
    said = person.say("up")
    assert (said.code, "serve the new certificate, live" in said.out) == (0, True), said
    assert json.loads(person.say("tls", "show", "--json").out)["presented"]["subject"] == "newer"
    # and back to Keywright's own: another authority, which clients must know
    fresh.declare()
    said = person.say("up")
    assert (said.code, "clients must follow" in said.err) == (4, True)
    assert person.say("up", "--yes").code == 0
    assert fresh.served() == fresh.on_disk()


BAD = {
    "another key": (("other.key", "s.crt"), "is not that of"),
    "a key with a passphrase": (("shut.key", "s.crt"), "has a passphrase"),
    "no key": (("ca.crt", "s.crt"), "is no key in PEM"),
    "no certificate": (("s.key", "s.key"), "is no certificate"),
    "not there": (("s.key", "gone.crt"), "cannot be read: it is not there"),
    "a folder": (("s.key", "."), "cannot be read"),
}


@pytest.mark.parametrize("case", BAD, ids=list(BAD))
def test_bad_files(neighbour_tls: Encrypted, bought: Path, case: str) -> None:
    """Law: certificate and key that cannot serve are refused before anything changes, in a sentence
    that names the key in the file, with a hint."""
    (key, certificate), words = BAD[case]
    before = neighbour_tls.served()
    neighbour_tls.write(
        SERVER, f"tls.port = {neighbour_tls.port}", *lines(bought, key, certificate)
    )
    said = neighbour_tls.person.say("up", "--yes")
    assert (said.code, words in said.err, "hint:" in said.err) == (2, True, True), said
    assert "env.local.tls." in said.err
    assert before == neighbour_tls.served()
    neighbour_tls.declare()
    assert "nothing to do" in neighbour_tls.person.say("up").out


def test_an_expired_one_is_refused(
    neighbour_tls: Encrypted, bought: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Law: a person's certificate that has expired is refused with its date."""
    past(monkeypatch, time.time() - 400 * DAY)
    made = Authority(LocalTransport(), str(tmp_path / "none"), "x", ("localhost",)).certificates()
    monkeypatch.undo()
    for name, text in (
        ("s.crt", made.certificate),
        ("s.key", made.key.reveal()),
        ("ca.crt", made.ca),
    ):
        (tmp_path / name).write_text(text)
    neighbour_tls.write(SERVER, f"tls.port = {neighbour_tls.port}", *lines(tmp_path))
    said = neighbour_tls.person.say("up", "--yes")
    assert (said.code, "expired on" in said.err) == (2, True), said
    neighbour_tls.declare()
    assert "nothing to do" in neighbour_tls.person.say("up").out
