"""Connection URLs: what is written is read back, here and by redis-py; errors show no password."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.connection import SSLConnection, UnixDomainSocketConnection
from redis.connection import parse_url as redis_py
from tests.unit.keywright.passwords import characters, passwords

from keywright.errors import SettingsError
from keywright.secret import MASK, Secret
from keywright.url import OPTIONS, Address, Node, format_url, parse_url

texts = st.text(characters, max_size=12)
names = st.text(characters, min_size=1, max_size=12)
hosts = st.one_of(
    st.from_regex(r"[a-z][a-z0-9.-]{0,20}", fullmatch=True),
    st.ip_addresses().map(str),
    st.just("fe80::1%eth0"),
    st.text(characters, min_size=1, max_size=8).filter(lambda text: ":" not in text),
)
nodes = st.builds(Node, hosts, st.integers(1, 65535))
maybe = st.none() | passwords.map(Secret)
options = st.dictionaries(st.sampled_from(OPTIONS), texts, max_size=3).map(
    lambda found: tuple(found.items())
)
login = {"username": texts, "password": maybe, "options": options}
alone = {"master": st.just(""), "sentinel_username": st.just(""), "sentinel_password": st.none()}
databases = st.integers(0, 2**31 - 1)
single = st.builds(
    Address,
    st.sampled_from(["redis", "rediss"]),
    st.tuples(nodes),
    databases,
    path=st.just(""),
    **login,
    **alone,
)
sockets = st.builds(
    Address,
    st.just("unix"),
    nodes=st.just(()),
    database=databases,
    path=names.map(lambda text: "/" + text).filter(lambda path: path != "/"),
    **login,
    **alone,
)
sentinels = st.builds(
    Address,
    st.sampled_from(["redis+sentinel", "rediss+sentinel"]),
    st.lists(nodes, min_size=1, max_size=3).map(tuple),
    databases,
    path=st.just(""),
    master=names,
    sentinel_username=texts,
    sentinel_password=maybe,
    **login,
)
addresses = st.one_of(single, sockets, sentinels)


@given(addresses)
def test_a_written_address_is_read_back(address: Address) -> None:
    """parse_url(format_url(x)) == x for any address."""
    assert address == parse_url(format_url(address))


@given(st.one_of(single, sockets))
def test_redis_py_reads_the_same(address: Address) -> None:
    """redis-py finds host, port, database, username, password, TLS and socket where we wrote them.

    It lower-cases host names, and leaves empty parts out."""
    plain = address._replace(options=())
    if plain.nodes and not plain.nodes[0].host.isascii():
        plain = plain._replace(nodes=(Node("example.org", 1),))
    found = redis_py(format_url(plain))
    assert plain.username == found.get("username", "")
    password = plain.password.reveal() if plain.password else ""
    assert password == found.get("password", "")
    assert plain.database == found.get("db", 0)
    if plain.scheme == "unix":
        assert plain.path == found["path"]
        assert found["connection_class"] is UnixDomainSocketConnection
    else:
        node = plain.nodes[0]
        assert node == Node(found["host"], found["port"]) or node.host.lower() == found["host"]
        assert (plain.scheme == "rediss") == (found.get("connection_class") is SSLConnection)


@given(passwords, st.sampled_from(["redis://", "rediss://u", "unix://", "redis+sentinel://"]))
def test_a_password_that_is_not_encoded_is_never_shown(password: str, front: str) -> None:
    """Whatever is wrong with a URL, the error holds no part of a password of eight or more."""
    secret = "S3cr3t" + password
    for text in (
        f"{front}:{secret}@",
        f"{front}:{secret}",
        f"redis://{secret}/x@h:1:1/y",
        f"redis://h:{secret}/0",
        f"redis://h/{secret}",
        f"redis://h/0?{secret}={secret}",
        f"{secret}://h",
        secret,
    ):
        try:
            parse_url(text)
        except SettingsError as error:
            assert "S3cr3t" not in str(error) + error.hint
            assert error.__context__ is None


@given(addresses)
def test_a_masked_url_shows_no_password(address: Address) -> None:
    """With reveal=False the URL is the same whatever the passwords are."""
    hidden = format_url(address, reveal=False)
    other = address._replace(
        password=Secret("x") if address.password else None,
        sentinel_password=Secret("y") if address.sentinel_password else None,
    )
    assert hidden == format_url(other, reveal=False)
    assert bool(address.password or address.sentinel_password) == (MASK in hidden)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("redis://", Address("redis", (Node("localhost", 6379),))),
        ("rediss://cache.example:6380/2", Address("rediss", (Node("cache.example", 6380),), 2)),
        ("REDIS://h?db=3", Address("redis", (Node("h", 6379),), 3)),
        ("redis://h/3?db=3", Address("redis", (Node("h", 6379),), 3)),
        ("redis://[::1]:7/1", Address("redis", (Node("::1", 7),), 1)),
        ("unix:///run/r.sock?db=2", Address("unix", (), 2, path="/run/r.sock")),
        (
            "redis+sentinel://u:p@h1,h2:26380/mymaster/4",
            Address(
                "redis+sentinel",
                (Node("h1", 26379), Node("h2", 26380)),
                4,
                "u",
                Secret("p"),
                master="mymaster",
            ),
        ),
    ],
)
def test_urls_as_people_write_them(text: str, expected: Address) -> None:
    """Scheme in any case, defaults for host, port and database, both places of the database."""
    assert expected == parse_url(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("localhost:6379", "begins with none of"),
        ("'redis://h'", "quotation mark"),
        ("sentinel://h/m", "begins with sentinel://"),
        ("redis://:a/b@h", "before the @"),
        ("redis://:a%zz@h", "% in its password"),
        ("redis://:%ff@h", "% in its password"),
        ("redis://:a#b@h", "#"),
        ("redis://h:6379   # local", "space"),
        ("redis://h:0", "port"),
        ("redis://h:70000", "port"),
        ("redis://h/one", "database"),
        ("redis://h/1?db=2", "database 1 in its path and 2"),
        ("redis://h?decode=1", "not known"),
        ("redis://h?socket_timeout=1&socket_timeout=2", "twice"),
        ("redis://h1,h2/0", "several hosts"),
        ("redis://::1/0", "more than one :"),
        ("redis://[zz]/0", "no IPv6 address"),
        ("redis://[::1/0", "no IPv6 address"),
        ("redis://[::1]x/0", "between an IPv6 address and its port"),
        ("redis://h?sentinel_password=x", "without a +sentinel"),
        ("redis+sentinel://h:1", "master"),
        ("redis+sentinel:///m", "no sentinel"),
        ("unix://run/r.sock", "has a host"),
        ("unix://", "no absolute path"),
        ("unix:///", "no absolute path"),
    ],
)
def test_what_is_refused(text: str, says: str) -> None:
    """Each wrong URL gets one lower-case sentence about what is wrong, and a hint."""
    with pytest.raises(SettingsError) as caught:
        parse_url(text)
    assert says in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize(
    "address",
    [
        Address(),
        Address("http", (Node("h", 1),)),
        Address("redis", (Node("", 1),)),
        Address("redis", (Node("h", 0),)),
        Address("redis", (Node("h", 1), Node("i", 1))),
        Address("redis+sentinel", (Node("h", 1),)),
        Address("unix", path="relative"),
        Address("unix", (Node("h", 1),), path="/s"),
        Address("redis", (Node("h", 1),), path="/s"),
        Address("redis", (Node("h", 1),), master="m"),
        Address("redis", (Node("h", 1),), -1),
        Address("redis", (Node("h", 1),), options=(("unknown", "x"),)),
        Address("redis", (Node("h", 1),), sentinel_username="u"),
        Address("redis", (Node("h", 1),), username="\ud800"),
    ],
)
def test_what_cannot_be_written(address: Address) -> None:
    """An address that no URL can say is an error, not a wrong URL."""
    with pytest.raises(SettingsError):
        format_url(address)
