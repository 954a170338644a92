"""What is declared anew becomes so in a running Docker environment: by the least that works, without loss.

One production environment with keys in it is changed again and again through the real command line.
Each change starts from the guide's values; a client writes meanwhile. What `up` did is asked of the
engine (container, start) and of the server (run id), and never of Keywright.
"""

from collections.abc import Callable, Iterator

import pytest
from tests.embedded.stranger import await_true
from tests.lab import images as made
from tests.lab.docked import Docked
from tests.lab.person import DockerPerson

pytestmark = pytest.mark.lab
Somebody = Callable[..., DockerPerson]
MIB = 2**20
FIXED = (f'image = "{made.OFFICIAL_IMAGE}"', "insight.enabled = false")


@pytest.fixture(scope="module")
def found(residents: Somebody) -> Docked:
    """The environment, up, with keys in it."""
    docked = Docked(residents(), "changed", "prod", *FIXED)
    docked.well("up")
    docked.fill()
    return docked


@pytest.fixture
def prod(found: Docked) -> Iterator[Docked]:
    """The environment as the guide has it, before each test and, by that, after the last."""
    found.declare()
    if found.steps():
        found.well("up", "--yes")
    yield found
    found.expect_data()


def titles(docked: Docked) -> dict[str, str]:
    """What `diff` says: title → danger, without the files that are written."""
    return {
        each["title"]: each["danger"]
        for each in docked.steps()
        if not each["id"].startswith("write-")
    }


def expect_settled(docked: Docked) -> None:
    """A second `up` does nothing."""
    before = docked.identity()
    assert [] == docked.well("up")["steps"]
    assert before == docked.identity()


LIVE: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "memory": (
        (
            'maxmemory = "1200mb"',
            'maxmemory_policy = "volatile-lru"',
            'save = ["900 1", "60 100"]',
        ),
        {
            "set maxmemory: 1073741824 → 1258291200": "safe",
            "set maxmemory-policy: allkeys-lru → volatile-lru": "safe",
            "set save: 900 1 300 10 60 10000 → 900 1 60 100": "safe",
        },
    ),
    "users": (
        ("viewer_reads_values = true",),
        {"load the users (user viewer has other rights)": "safe"},
    ),
    "limits": (
        (
            'container.memory = "2G"',
            "container.cpus = 0.75",
            'container.restart = "unless-stopped"',
        ),
        {
            "change changed-redis-prod while it runs: memory 1610612736 → 2147483648 bytes, "
            "processors 0.5 → 0.75, restart policy always → unless-stopped": "safe"
        },
    ),
}


@pytest.mark.parametrize("what", LIVE)
def test_what_can_change_live_does(prod: Docked, what: str) -> None:
    """Law: the same container, the same server, no command of a client fails, a second `up` is empty."""
    lines, expected = LIVE[what]
    prod.declare(*lines)
    assert expected == titles(prod)
    before = prod.identity()
    with prod.writer() as writer:
        prod.well("up")
    assert before == prod.identity()
    # Redis before 7.2 ends the sessions of all named users at ACL LOAD; clients come back at once
    writer.expect_no_failure(sessions=2 if what == "users" else 1)
    expect_settled(prod)
    host = prod.inspect()["HostConfig"]
    if what == "limits":
        policy = host["RestartPolicy"]["Name"]
        limits = (2048 * MIB, 75 * 10**7, "unless-stopped")
        assert limits == (host["Memory"], host["NanoCpus"], policy)
    if what == "memory":
        live = prod.batch(("CONFIG", "GET", "maxmemory"), ("CONFIG", "GET", "save"))
        assert [["maxmemory", "1258291200"], ["save", "900 1 60 100"]] == live


def test_the_append_only_file_off_and_on(prod: Docked) -> None:
    """Law: both are live; after a restart in either state, and without Keywright, every key is there."""
    for value, word in (("false", "off"), ("true", "on")):
        prod.declare(f"appendonly = {value}")
        assert any(f"switch the append-only file {word}" in title for title in titles(prod))
        before = prod.identity()
        with prod.writer() as writer:
            prod.well("up")
        assert before == prod.identity()
        writer.expect_no_failure()
        expect_settled(prod)
        prod.person.run("docker", "restart", "-t", "60", prod.container)
        await_true(lambda: prod.ask("PING") == "PONG", "it answers again")
        prod.expect_data()
        writer.expect_all_there()


def test_no_default_user_asks_first(prod: Docked) -> None:
    """Law: who logs in without a name must follow, so it is asked; named users notice nothing."""
    prod.declare('default_user = "off"', 'app.username = "appuser"')
    said = prod.say("up")
    assert (4, True) == (said.code, "clients must follow" in said.err), said
    assert {"clients_follow"} == set(titles(prod).values())
    before = prod.identity()
    with prod.writer() as writer:
        prod.well("up", "--yes")
    assert before == prod.identity()
    writer.expect_no_failure(sessions=2)
    expect_settled(prod)


ANEW: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "log and health": (
        ('container.log_max_size = "10m"', 'container.health_interval = "5s"'),
        ("max-size 50m → max-file 5, max-size 10m", "every 10 s, 3 times → "),
    ),
    "published": (
        ('publish = "127.0.0.1:6411"',),
        ("published (none) → 127.0.0.1:6411 to 6379",),
    ),
}


@pytest.mark.parametrize("what", ANEW)
def test_what_needs_another_container(prod: Docked, what: str) -> None:
    """Law: one stop, another container on the same volume, and no acknowledged write is lost."""
    lines, words = ANEW[what]
    prod.declare(*lines)
    told = titles(prod)
    assert ["disturbs"] == list(told.values())
    assert all(word in title for title in told for word in words), told
    before = prod.identity()
    with prod.writer() as writer:
        prod.well("up", "--yes")
    after = prod.identity()
    assert before.container != after.container
    mounts = {each["Destination"]: each.get("Name") for each in prod.inspect()["Mounts"]}
    assert "changed-redis-data-prod" == mounts["/data"]
    writer.expect_all_there()
    expect_settled(prod)


def test_another_network_is_joined_live(prod: Docked) -> None:
    """Law: the container stays; who is on the old network must follow, so it is asked."""
    prod.declare('container.network = "changed-other"')
    told = titles(prod)
    assert ["safe", "safe", "clients_follow"] == list(told.values()), told
    assert "clients must follow: network changed-network is left" in list(told)[-1]
    before = prod.identity()
    prod.well("up", "--yes")
    assert before == prod.identity()
    (network,) = prod.inspect()["NetworkSettings"]["Networks"].items()
    assert ("changed-other", True) == (network[0], "redis" in network[1]["Aliases"])
    expect_settled(prod)


def test_a_published_port_that_goes_is_asked_about(prod: Docked) -> None:
    """Law: clients that came through it must follow."""
    prod.declare('publish = "127.0.0.1:6412"')
    prod.well("up")
    prod.declare()
    told = titles(prod)
    assert ["clients_follow"] == list(told.values()), told
    assert "clients must follow: 127.0.0.1:6412 closes" in next(iter(told))


def test_more_databases_need_a_restart_and_no_more(prod: Docked) -> None:
    """Law: the same container is started again, once; what was acknowledged is there."""
    prod.declare("databases = 32")
    assert {"stop the server: databases 16 → 32": "disturbs"} == titles(prod)
    before = prod.identity()
    with prod.writer() as writer:
        prod.well("up")
    after = prod.identity()
    assert (before.container, True) == (after.container, before.started != after.started)
    writer.expect_all_there()
    expect_settled(prod)


def test_tls_in_two_phases(prod: Docked) -> None:
    """Law: TLS is opened live beside the old port; closing that one is asked about, and nothing is done
    unasked."""
    both = ("tls.enabled = true", "port = 6379")
    prod.declare(*both)
    told = titles(prod)
    assert {"safe"} == set(told.values()), told
    before = prod.identity()
    with prod.writer() as writer:
        prod.well("up")
    assert before == prod.identity()
    writer.expect_no_failure()
    expect_settled(prod)
    prod.declare("tls.enabled = true")
    files = prod.files()
    said = prod.say("up")
    assert (4, True) == (said.code, "6379 without TLS closes" in said.err), said
    assert (before, files) == (prod.identity(), prod.files())
    prod.well("up", "--yes")
    assert [] == prod.well("up")["steps"]
    prod.declare(*both)
    prod.well("up", "--yes")


def test_another_version(residents: Somebody) -> None:
    """Law: a newer server loads the data; the older one, which could not, is refused before anything
    stops."""
    docked = Docked(residents(), "newer", "prod", *FIXED)
    docked.well("up")
    docked.fill()
    newer = f'image = "{made.OFFICIAL_8_IMAGE}"'
    docked.declare(newer)
    (title,) = titles(docked)
    assert f"image {made.OFFICIAL_IMAGE} → {made.OFFICIAL_8_IMAGE}" in title
    with docked.writer() as writer:
        docked.well("up")
    writer.expect_all_there()
    docked.expect_data()
    expect_settled(docked)
    docked.ask("BGREWRITEAOF")
    await_true(lambda: "aof_rewrite_in_progress:0" in docked.ask("INFO", "persistence"), "written")
    before = (docked.identity(), docked.files())
    docked.declare()
    said = docked.say("up", "--yes")
    assert 0 != said.code, said
    assert before == (docked.identity(), docked.files())
    docked.expect_data()


# --- changes that fail ----------------------------------------------------------------------------

BROKEN, SPOILT = "keywright-lab/redis-broken:7.0", "keywright-lab/redis-spoilt:7.0"
SERVER = """\
#!/bin/sh
case "$*" in {pattern}) echo "1:M 01 Jan 2026 00:00:00.000 # it is broken"; exit 1 ;; esac
exec redis-server.real "$@"
"""


@pytest.fixture(scope="module")
def broken_images(found: Docked) -> None:
    """Images whose server says one line and ends: always, or only with this environment's redis.conf."""
    engine = found.person.engine
    for tag, pattern in ((BROKEN, "*"), (SPOILT, "*/usr/local/etc/redis/redis.conf")):
        script = SERVER.format(pattern=pattern).replace("\n", "\\n")  # it has no single quotes
        change = (
            'p=$(command -v redis-server) && cp -L "$p" /usr/local/bin/redis-server.real'
            f""" && rm "$p" && printf '{script}' > "$p" && chmod 755 "$p" """
        )
        lines = (f"FROM {made.OFFICIAL_IMAGE}", f"RUN {change}")
        engine.docker("build", "-q", "--network", "none", "-t", tag, "-", stdin="\n".join(lines))


def expect_taken_back(prod: Docked, files: dict[str, bytes], words: str) -> None:
    """`up` fails with these words; the files are as before, and the keys are served."""
    with prod.writer() as writer:
        said = prod.say("up")
    assert (1, True) == (said.code, words in said.text), said
    assert "taken back" in said.err
    assert files == prod.files()
    writer.expect_all_there()
    prod.expect_data()
    prod.declare()
    assert [] == prod.well("up")["steps"]


def test_an_image_that_cannot_load_the_data(prod: Docked, broken_images: None) -> None:
    """Law: it is tried on a copy first, so nothing is stopped."""
    files, before = prod.files(), prod.identity()
    prod.declare(f'image = "{BROKEN}"')
    said = prod.say("up")
    assert (4, True) == (said.code, "it is broken" in said.err), said
    assert (files, before) == (prod.files(), prod.identity())


def test_an_image_whose_server_does_not_start(prod: Docked, broken_images: None) -> None:
    """Law: the old image runs again with every key, and every file is as before."""
    files = prod.files()
    prod.declare(f'image = "{SPOILT}"')
    expect_taken_back(prod, files, "it is broken")
    assert made.OFFICIAL_IMAGE == prod.inspect()["Config"]["Image"]


def test_a_setting_that_the_server_does_not_start_with(prod: Docked) -> None:
    """Law: found only at the start, it is taken back: the old redis.conf, the same container."""
    files, before = prod.files(), prod.identity()
    prod.declare("settings.io-threads = 999")
    expect_taken_back(prod, files, "io-threads")
    assert before.container == prod.identity().container


def test_a_setting_that_the_server_refuses_live(prod: Docked) -> None:
    """Law: refused by CONFIG SET, nothing is restarted, and what was set before it is set back."""
    files, before = prod.files(), prod.identity()
    prod.declare('maxmemory = "1300mb"', 'settings.proto-max-bulk-len = "1"')
    expect_taken_back(prod, files, "proto-max-bulk-len")
    assert before == prod.identity()
