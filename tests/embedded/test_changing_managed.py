"""Changing a managed service: what it keeps to itself is named with what to use instead; a flush goes on
without a copy only when that was said. The service is a real server that knows no CONFIG and no BGSAVE."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.embedded.stranger import Person, await_true, on_terminal
from tests.ports import free_port

from keywright.endpoint import Endpoint, Tls
from keywright.errors import KeywrightError
from keywright.secret import Secret
from keywright.wire import Wire

KEY = "the-services-key"
WITHOUT = ("-config", "-bgsave", "-save", "-bgrewriteaof", "-shutdown", "-acl", "+acl|whoami")


@pytest.fixture
def service(person: Callable[..., Person], tmp_path: Path) -> Iterator[Person]:
    """Somebody with an environment `cloud` (ElastiCache), whose default user may not do everything."""
    port = free_port()
    rights = " ".join(("on", f">{KEY}", "~*", "&*", "+@all", *WITHOUT))
    subject = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
    files = ("-keyout", f"{tmp_path}/key", "-out", f"{tmp_path}/cert")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    made = ("openssl", "req", "-x509", *curve, *subject, *files)
    subprocess.run(made, check=True, capture_output=True)
    tls = f"tls-cert-file {tmp_path}/cert\ntls-key-file {tmp_path}/key\ntls-auth-clients no"
    (tmp_path / "conf").write_text(
        f'port 0\ntls-port {port}\n{tls}\nbind 127.0.0.1\nsave ""\ndir {tmp_path}\n'
        f"user default {rights}\n"
    )
    server = subprocess.Popen(["redis-server", str(tmp_path / "conf")], stdout=subprocess.DEVNULL)
    more = "\n".join(
        (
            "[env.cloud]",
            'like = "aws"',
            'app.host = "127.0.0.1"',
            f"app.port = {port}",
            f'app.ssl_ca_certs = "{tmp_path}/cert"',
        )
    )
    one = person(more=more)
    one.environ["REDIS_PASSWORD"] = KEY
    place = Endpoint(
        port=port, username="default", password=Secret(KEY), tls=Tls(f"{tmp_path}/cert")
    )

    def answers() -> bool:
        try:
            with Wire(place) as wire:
                return bool(wire.call("SET", "esabcfg:session:1", "x") == "OK")
        except KeywrightError:
            return False

    await_true(answers, "the service answers")
    yield one
    server.kill()
    server.wait()


@pytest.mark.parametrize(
    ("words", "instead"),
    [
        (("config", "get", "maxmemory"), "modify-cache-parameter-group"),
        (("config", "set", "maxmemory", "1gb"), "modify-cache-parameter-group"),
        (("persist", "now"), "create-snapshot"),
        (("acl", "list"), "create-user"),
        (("acl", "dryrun", "default", "GET", "a"), "create-user"),
    ],
)
def test_what_it_keeps_to_itself(service: Person, words: tuple[str, ...], instead: str) -> None:
    """Law: exit 1, the command's name, and where the answer stands instead."""
    said = service.say(*words, "-e", "cloud")
    assert (said.code, "does not allow" in said.err, instead in said.err) == (1, True, True), said


def test_what_it_tells(service: Person) -> None:
    """Law: what needs no right of theirs is answered: whoami, and how data is kept as far as INFO says."""
    assert service.say("acl", "whoami", "-e", "cloud").out == "default\n"
    said = service.say("persist", "status", "-e", "cloud")
    assert (said.code, "append-only file" in said.out) == (0, True), said


def test_a_flush_needs_a_word_about_the_copy(service: Person) -> None:
    """Law: no copy can be taken: refused without --no-copy; with it the environment's name is typed."""
    said = service.say("flush", "-e", "cloud", "--yes")
    assert (said.code, "--no-copy" in said.err) == (4, True), said
    words = ("flush", "-e", "cloud", "--no-copy")
    code, _ = on_terminal(service, *words, answers={"Type cloud": "yes"})
    assert code == 4
    code, screen = on_terminal(service, *words, answers={"Type cloud": "cloud"})
    assert code == 0 and "no copy was kept" in screen, screen
    said = service.say("flush", "-e", "cloud", "--no-copy", "--dry-run", "--json")
    assert json.loads(said.out)["keys"] == 0
