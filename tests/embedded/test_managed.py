"""A managed service is looked into like every other server; what it keeps to itself is named, with what to
use instead.

Against a stand-in: redis-server with TLS alone, an authority of its own, and one user whom CONFIG, DEBUG,
SHUTDOWN, SAVE, BGSAVE, MONITOR, REPLICAOF and ACL SETUSER are refused, as Azure and AWS refuse them.
"""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from tests.embedded.stranger import Person
from tests.embedded.typist import Typist
from tests.ports import free_port

from keywright.endpoint import Endpoint, Tls
from keywright.errors import KeywrightError
from keywright.secret import Secret
from keywright.wire import Wire
from keywright_ops.targets.local import LocalTransport
from keywright_ops.vault.authority import Authority

REDIS_7 = "/usr/bin/redis-server"
KEY = "an access key/with+signs="
REFUSED = (
    "config debug shutdown bgsave bgrewriteaof save monitor replicaof slaveof acl|setuser".split()
)

pytestmark = pytest.mark.skipif(not os.path.exists(REDIS_7), reason="no redis-server with TLS")


class Cloud:
    """The stand-in, and a person whose file names it under [env.azure] and [env.aws]."""

    def __init__(self, person: Person, folder: Path) -> None:
        self.person, self.port, self.folder = person, free_port(), folder
        made = Authority(
            LocalTransport(), str(folder / "none"), "cloud", ("localhost",)
        ).certificates()
        for name, text in (
            ("ca.crt", made.ca), ("server.crt", made.certificate), ("server.key", made.key.reveal()),
        ):  # fmt: skip
            (folder / name).write_text(text)
        rights = " ".join(f"-{each}" for each in REFUSED)
        digest = sha256(KEY.encode()).hexdigest()
        (folder / "users.acl").write_text(f"user default on #{digest} ~* &* +@all {rights}\n")
        (folder / "redis.conf").write_text(
            f'port 0\ntls-port {self.port}\nbind 127.0.0.1\nsave ""\ndir {folder}\n'
            f"aclfile {folder}/users.acl\n"
            f"tls-cert-file {folder}/server.crt\ntls-key-file {folder}/server.key\n"
            f"tls-ca-cert-file {folder}/ca.crt\ntls-auth-clients no\nlogfile {folder}/log\n"
        )
        self.process = subprocess.Popen([REDIS_7, f"{folder}/redis.conf"])
        person.declare(
            more="".join(
                f'[env.{name}]\napp.host = "localhost"\napp.port = {self.port}\n'
                f'app.ssl_ca_certs = "{folder}/ca.crt"\n'
                for name in ("azure", "aws")
            )
        )
        person.environ["REDIS_PASSWORD"] = KEY

    @property
    def wire(self) -> Wire:
        """A connection of the test's own."""
        tls = Tls(f"{self.folder}/ca.crt")
        return Wire(Endpoint(host="localhost", port=self.port, password=Secret(KEY), tls=tls))


@pytest.fixture(scope="module")
def cloud(rooms: Callable[[], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """One service for the whole file, with a few keys."""
    made = Cloud(Person(rooms() / "p"), tmp_path_factory.mktemp("cloud"))
    try:
        for _ in range(200):
            try:
                with made.wire as wire:
                    for number in range(20):
                        wire.call("SET", f"esabcfg:session:{number}", '{"user": "ada"}', "EX", 3600)
                break
            except KeywrightError:
                time.sleep(0.05)
        yield made
    finally:
        made.process.kill()
        made.process.wait()
        made.person.leave()


def test_it_is_looked_into_through_tls(cloud: Cloud) -> None:
    """INFO comes through TLS, verified by the authority that the file names, with the key of the variable."""
    said = cloud.person.say("info", "keyspace", "-e", "azure", "--json")
    found = json.loads(said.out)
    assert (said.code, "azure", "keys=20") == (
        0,
        found["environment"],
        found["fields"]["db0"].split(",")[0],
    )
    assert KEY not in said.text


def test_several_at_once_keep_their_order(cloud: Cloud) -> None:
    """Two environments in one call: each under its name; one that cannot be asked hides none."""
    said = cloud.person.say("info", "keyspace", "-e", "aws,azure")
    assert said.out.index("── aws ──") < said.out.index("── azure ──")
    assert said.out.count("db0:keys=20") == 2
    one = cloud.person.say("info", "keyspace", "-e", "azure,local")
    assert (one.code, "db0:keys=20" in one.out) == (3, True)
    assert "keywright:" in one.err


def test_what_is_not_known_is_asked_for(cloud: Cloud) -> None:
    """Without the key, or without a host, one sentence says what to write where."""
    without = {
        name: value for name, value in cloud.person.environ.items() if name != "REDIS_PASSWORD"
    }
    said = cloud.person.say("info", "-e", "azure", env=without)
    assert (said.code, "export REDIS_PASSWORD=" in said.err) == (2, True)
    wrong = cloud.person.say("info", "-e", "azure", environ={"REDIS_PASSWORD": "wrong"})
    assert (wrong.code, "WRONGPASS" in wrong.err or "password" in wrong.err) == (1, True)
    bare = cloud.person.project / "bare.toml"
    bare.write_text("")
    said = cloud.person.say("info", "-e", "azure", "-f", str(bare))
    assert (said.code, "app.host is not set" in said.err) == (2, True)


def test_what_is_typed(cloud: Cloud) -> None:
    """One command, lines from a pipe and the shell go through TLS; what the service keeps to itself is named,
    with what to use instead."""
    person = cloud.person
    said = person.say("-e", "azure", "redis", "--no-raw", "TYPE", "esabcfg:session:1")
    assert (said.code, said.out) == (0, "string\n")
    said = person.say("shell", "-e", "azure", typed="EXISTS esabcfg:session:1\n2 PING\n")
    assert (said.code, said.out) == (0, "1\nPONG\nPONG\n"), said
    for words, instead in (
        (
            ("--yes", "CONFIG", "SET", "maxmemory", "1gb"),
            "aws elasticache modify-cache-parameter-group",
        ),
        (("BGSAVE",), "aws elasticache create-snapshot"),
    ):
        said = person.say("redis", "-e", "aws", *words)
        assert said.code == 1
        assert "the managed service does not allow" in said.err
        assert f"instead: {instead}" in said.err
        assert KEY not in said.text


def test_watching_is_named_too(cloud: Cloud) -> None:
    """MONITOR asks first, for it is production; where the service refuses it, what else there is is named."""
    said = cloud.person.say("monitor", "-e", "azure")
    assert (said.code, "azure is in production" in said.err) == (4, True)
    said = cloud.person.say("monitor", "-e", "azure", "--yes")
    assert said.code == 1
    assert "the managed service does not allow MONITOR" in said.err
    assert "`keywright slowlog` and `keywright commandstats`" in said.err


def test_one_command_to_several(cloud: Cloud) -> None:
    """`redis -e aws,azure` asks both; one error is exit code 1; what must be asked about is not sent."""
    person = cloud.person
    said = person.say("redis", "-e", "aws,azure", "DBSIZE")
    assert (said.code, said.out) == (0, "── aws ──\n20\n\n── azure ──\n20\n")
    told = json.loads(person.say("redis", "-e", "aws,azure", "--json", "DBSIZE").out)
    assert [each["reply"] for each in told["environments"]] == [20, 20]
    assert person.say("redis", "-e", "aws,azure", "BGSAVE").code == 1
    said = person.say("redis", "-e", "aws,azure", "FLUSHALL")
    assert (said.code, "deletes every key" in said.err) == (4, True)
    assert person.say("redis", "-e", "aws,azure", "SUBSCRIBE", "news").code == 2
    with cloud.wire as wire:
        assert wire.call("DBSIZE") == 20


def test_the_shell_knows_its_place(cloud: Cloud) -> None:
    """At a terminal the prompt names the environment and the user; Tab completes keys through TLS."""
    with Typist(cloud.person, "shell", "-e", "azure") as typist:
        typist.await_line("azure default[0]>")
        assert b"41m" in typist.said or b";41" in typist.said  # white on red: this is production
        typist.type("GET esabcfg:session:1")
        typist.await_line("azure default[0]> GET esabcfg:session:1")
        typist.type("\t")
        typist.await_text("esabcfg:session:19")
        typist.type("\x15exit\r")
        assert typist.leave() == 0


def test_a_glance_says_what_the_service_keeps_to_itself(cloud: Cloud) -> None:
    """Every look answers; what the service does not allow is named where it is missing."""
    azure = ("-e", "azure")
    for words in (
        ("memory",), ("stats", "--interval", "0.1"), ("clients",), ("clients", "--group", "user"),
        ("commandstats",), ("latency", "--samples", "2"),
    ):  # fmt: skip
        said = cloud.person.say(*words, *azure)
        assert (said.code, said.err) == (0, ""), said
    refused = "the managed service does not allow CONFIG GET"
    for words in (("slowlog",), ("latency", "--samples", "2")):
        found = json.loads(cloud.person.say(*words, *azure, "--json").out)
        assert found["threshold"] is None
        assert any(refused in note for note in found["notes"])
    with cloud.wire as wire:
        wire.call("CLIENT", "SETNAME", "web")
        said = cloud.person.say("clients", "kill", "--name", "web", "--yes", *azure)
        assert (said.code, "1 ended" in said.out) == (0, True)


# What is asked of a managed service, and what of it the service keeps to itself ("" for nothing).
ASKED = {
    "info": "", "memory": "", "stats --interval 0.1": "", "clients": "", "slowlog": "",
    "latency --samples 5": "", "commandstats": "", "top --count 1 --interval 0.1": "", "keys": "",
    "key show esabcfg:session:1": "", "sessions": "", "analyze --full-speed": "", "redis DBSIZE": "",
    "acl list": "", "acl whoami": "", "config get maxmemory": "CONFIG GET", "persist now": "BGSAVE",
    "monitor --for 1s --yes": "MONITOR", "config set maxmemory 1gb --live-only --yes": "CONFIG",
}  # fmt: skip


@pytest.mark.parametrize("words", ASKED)
def test_what_a_service_keeps_to_itself_is_named(cloud: Cloud, words: str) -> None:
    """Every command answers, or names in one sentence what is not allowed and what to use instead."""
    kept = ASKED[words]
    said = (
        cloud.person.say(*words.split(), "-e", "azure")
        if "redis" not in words
        else cloud.person.say("-e", "azure", *words.split())
    )
    if not kept:
        assert said.code == 0, said
        return
    first, hint = said.err.strip().splitlines()[-2:]
    assert said.code in (1, 2, 4), said
    assert kept in first, said
    assert "instead" in hint or "hint" in hint, said
