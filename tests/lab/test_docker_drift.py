"""What somebody changes by hand in a Docker environment: `check` names it, `diff` tells how `up` mends it.

One production environment with RedisInsight and keys in it; nothing is restarted or made anew for a
drift that can be mended otherwise, and no key is lost by any of them.
"""

import json
from collections.abc import Callable, Iterator

import pytest
from tests.embedded.stranger import await_true
from tests.lab import images as made
from tests.lab.docked import Docked
from tests.lab.person import DockerPerson

pytestmark = pytest.mark.lab
Somebody = Callable[..., DockerPerson]
FIXED = (
    f'image = "{made.OFFICIAL_IMAGE}"',
    f'insight.image = "{made.INSIGHT_IMAGE}"',
    "insight.port = 8141",
)
INSIGHT = "drift-redisinsight-prod"


@pytest.fixture(scope="module")
def found(residents: Somebody) -> Docked:
    """The environment, up, with keys in it."""
    docked = Docked(residents(), "drift", "prod", *FIXED)
    docked.well("up")
    docked.fill()
    return docked


@pytest.fixture
def prod(found: Docked) -> Iterator[Docked]:
    """The environment as declared: what a failed test left is mended for the next one."""
    yield found
    found.declare()
    if found.say("diff", "--strict").code:
        found.say("up", "--yes", "--adopt")


def docker(prod: Docked, *words: str) -> None:
    """What a person types."""
    done = prod.person.run("docker", *words)
    assert 0 == done.code, done


def edit(prod: Docked, name: str, old: str, new: str) -> None:
    """Replace a word in a file of the configuration, as an editor does: the mode stays."""
    path = prod.compose_file if name.startswith("docker-compose") else prod.configuration / name
    text = path.read_text()
    assert old in text, text
    path.write_text(text.replace(old, new))


def compose(prod: Docked, *words: str) -> None:
    """Compose by hand, with the environment's file and project."""
    docker(prod, "compose", "-p", "drift-prod", "-f", str(prod.compose_file), *words)


def hand(prod: Docked, what: str) -> None:
    """Change something as a person at two in the morning would."""
    container = prod.container
    match what:
        case "conf-edited":
            edit(prod, "redis.conf", "maxmemory 1073741824", "maxmemory 1")
        case "conf-port":
            edit(prod, "redis.conf", "port 6379", "port 6380")
        case "acl-edited":
            edit(prod, "users.acl", "user health", "user eve on nopass ~* +@all\nuser health")
        case "compose-edited":
            prod.compose_file.write_text(prod.compose_file.read_text() + "# my note\n")
        case "health-edited":
            edit(prod, "health.sh", "exit 1", "exit 0")
        case "compose-gone":
            prod.compose_file.unlink()
        case "acl-open":
            (prod.configuration / "users.acl").chmod(0o644)
        case "config-set":
            prod.ask("CONFIG", "SET", "maxmemory", "900000000")
        case "acl-setuser":
            prod.ask("ACL", "SETUSER", "appuser", "+@all")
        case "acl-newuser":
            prod.ask("ACL", "SETUSER", "eve", "on", ">pw", "~*", "+@all")
        case "default-open":
            prod.ask("ACL", "SETUSER", "default", "nopass")
        case "config-rewrite":
            rewrite_by_hand(prod)
        case "updated":
            docker(prod, "update", "--restart", "no", "--memory", "1g", container)
        case "joined":
            docker(prod, "network", "create", "drift-strange")
            docker(prod, "network", "connect", "drift-strange", container)
        case "insight-gone":
            docker(prod, "rm", "-f", INSIGHT)
        case "insight-stopped":
            docker(prod, "stop", "-t", "1", INSIGHT)


def rewrite_by_hand(prod: Docked) -> None:
    """CONFIG REWRITE, where the server may write its file; and the users that it would put there."""
    prod.configuration.chmod(0o2777)
    (prod.configuration / "redis.conf").chmod(0o666)
    prod.ask("CONFIG", "SET", "hz", "25")
    prod.ask("CONFIG", "REWRITE")
    path = prod.configuration / "redis.conf"
    text = path.read_text()
    assert "hz 25" in text, text
    path.write_text(text + "user default on nopass ~* &* +@all\n")
    prod.configuration.chmod(0o2750)


# what was done → the proof that fails, the words it fails with, and the step that mends it
MENDED_LIVE = {
    "conf-edited": ("files", "redis.conf says maxmemory 1", "rewrite redis.conf"),
    "acl-edited": ("files", "users.acl has another content", "rewrite users.acl"),
    "compose-edited": (
        "files", "docker-compose.prod.yml has another content", "rewrite docker-compose.prod.yml",
    ),
    "health-edited": ("files", "health.sh has another content", "rewrite health.sh"),
    "compose-gone": (
        "files", "docker-compose.prod.yml: it is not there", "write docker-compose.prod.yml",
    ),
    "conf-port": ("files", "redis.conf says port 6380", "rewrite redis.conf"),
    "acl-open": ("files", "users.acl has mode 644, declared 640", "close users.acl"),
    "config-set": ("settings", "maxmemory is 900000000", "set maxmemory: 900000000 → "),
    "acl-setuser": ("users", "user appuser has other rights", "load the users"),
    "acl-newuser": ("users", "user eve is not in the plan", "load the users"),
    "default-open": ("users", "user default has another password", "load the users"),
    "config-rewrite": ("files", "redis.conf has another content", "rewrite redis.conf"),
    "updated": ("limits", "restart policy no → always", "restart policy no → always"),
    "joined": ("container", "also on network drift-strange", "off network drift-strange"),
    "insight-gone": ("insight", "8141", "start RedisInsight"),
    "insight-stopped": ("insight", "8141", "start RedisInsight"),
}  # fmt: skip


# what is found at once, in one look
TOGETHER = (
    ("conf-edited", "acl-edited", "compose-edited", "health-edited"),
    ("conf-port", "acl-open", "compose-gone"),
    ("config-set", "acl-setuser", "acl-newuser"),
    ("default-open",),
    ("config-rewrite", "insight-stopped"),
    ("updated", "joined", "insight-gone"),
)


def expect_named(prod: Docked, *wanted: tuple[str, ...]) -> None:
    """`check` fails with these proofs and words (exit 1), and `diff` has the steps."""
    said = prod.say("check", "--json")
    assert 1 == said.code, said
    failed = {
        each["id"]: each["evidence"]
        for each in json.loads(said.out)["proofs"]
        if each["verdict"] == "failed"
    }
    titles = [each["title"] for each in prod.steps()]
    for proof, words, step in wanted:
        assert words in failed.get(proof, ""), failed
        assert any(step in title for title in titles), titles


def expect_mended(prod: Docked, *words: str) -> None:
    """`up` mends it, `check` is well again, and nothing is left to do."""
    prod.well("up", *words)
    prod.well("check")
    assert [] == prod.steps()
    prod.expect_data()


@pytest.mark.parametrize("deeds", TOGETHER, ids="+".join)
def test_mended_while_it_runs(prod: Docked, deeds: tuple[str, ...]) -> None:
    """Law: named by check (exit 1) and diff, mended by up; the server and its container stay."""
    before = prod.identity()
    for what in deeds:
        hand(prod, what)
    expect_named(prod, *(MENDED_LIVE[what] for what in deeds))
    expect_mended(prod)
    assert before == prod.identity()


def test_taken_off_its_network(prod: Docked) -> None:
    """Law: it is put back while it runs, under its name, and found there by others."""
    before = prod.identity().container
    docker(prod, "network", "disconnect", "drift-network", prod.container)
    said = prod.say("check", "--json")
    assert 0 != said.code, said
    assert "not on network drift-network" in said.text
    expect_mended(prod)
    assert before == prod.identity().container


@pytest.mark.parametrize("what", ["pause", "stop", "kill", "rm"])
def test_not_running(prod: Docked, what: str) -> None:
    """Law: check exits with 3 and says what it is; up makes it go on, in the same container if it can."""
    before = prod.identity()
    docker(prod, what, *(["-f"] if what == "rm" else []), prod.container)
    said = prod.say("check")
    assert (3, True) == (said.code, "keywright up" in said.err), said
    assert ("paused" in said.err) == (what == "pause"), said
    expect_mended(prod)
    after = prod.identity()
    assert (what != "rm") == (before.container == after.container)
    assert (what == "pause") == (before == after)


def publish(prod: Docked, port: int) -> None:
    """Publish the server on every address of the host, in the compose file."""
    text = prod.compose_file.read_text()
    there = "    container_name:"
    assert text.index(there) < text.index("redisinsight:")
    prod.compose_file.write_text(text.replace(there, f'    ports: ["{port}:6379"]\n{there}', 1))


def test_published_through_the_compose_file(prod: Docked) -> None:
    """Law: a port opened by an edited file is named; mending it closes a door, so it is asked."""
    publish(prod, 6451)
    compose(prod, "up", "-d", "redis")
    await_true(lambda: prod.ask("PING") == "PONG", "it answers")
    expect_named(prod, ("published", "published 0.0.0.0:6451 to 6379", "0.0.0.0:6451 closes"))
    assert 4 == prod.say("up").code
    expect_mended(prod, "--yes")


def test_published_beside_the_compose_file(prod: Docked) -> None:
    """Law: the same with the file as it was: nobody was promised that door, and it is closed unasked."""
    content = prod.compose_file.read_bytes()
    publish(prod, 6452)
    compose(prod, "up", "-d", "redis")
    prod.compose_file.write_bytes(content)
    await_true(lambda: prod.ask("PING") == "PONG", "it answers")
    expect_named(prod, ("published", "published 0.0.0.0:6452 to 6379", "published 0.0.0.0:6452"))
    expect_mended(prod)


def test_made_anew_by_hand(prod: Docked) -> None:
    """Law: a container of docker run's under our name is refused, with the way out; --adopt takes over."""
    docker(prod, "rm", "-f", prod.container)
    mounts = (
        "-v",
        "drift-redis-data-prod:/data",
        "-v",
        f"{prod.configuration}:/usr/local/etc/redis",
    )
    run = ("run", "-d", "--name", prod.container, "-p", "6453:6379", *mounts)
    start = ("--entrypoint", "/bin/sh", made.OFFICIAL_IMAGE, "/usr/local/etc/redis/entrypoint.sh")
    docker(prod, *run, *start)
    await_true(lambda: prod.ask("PING") == "PONG", "it answers")
    said = prod.say("up", "--yes")
    assert (4, True) == (said.code, "--adopt" in said.err), said
    prod.expect_data()
    expect_mended(prod, "--yes", "--adopt")
    assert {} == prod.inspect()["HostConfig"]["PortBindings"]


def test_an_image_built_anew_under_the_same_name(prod: Docked) -> None:
    """Law: the container that still runs the old build is made anew, on the same volume."""
    engine, tag = prod.person.engine, "keywright-lab/drift:7.0"
    for number in "1", "2":
        lines = f"FROM {made.OFFICIAL_IMAGE}\nLABEL build={number}"
        engine.docker("build", "-q", "--network", "none", "-t", tag, "-", stdin=lines)
        prod.declare(f'image = "{tag}"')
        if number == "1":
            prod.well("up")
    before = prod.identity()
    words = "was replaced by another build"
    expect_named(prod, ("container", words, words))
    expect_mended(prod)
    assert before.container != prod.identity().container
