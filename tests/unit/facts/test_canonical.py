"""One value per setting, and a redis.conf read as its server reads it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywright_ops.facts.canonical import canonical, canonical_name
from keywright_ops.facts.redis_conf import parse_redis_conf
from keywright_ops.facts.settings import ALIASES, BYTES, IMMUTABLE, NUMBERS, PATHS, WORDS
from keywright_ops.facts.words import quote, split_words

TEXT = st.text(st.characters(codec="utf-8"), max_size=30)


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("maxmemory", "512mb", "536870912"),
        ("maxmemory", "1G", "1000000000"),
        ("maxmemory", "0", "0b"),
        ("maxmemory-clients", "5%", "5%"),
        ("appendonly", "YES", "yes"),
        ("save", "900 1\n300 10", "900 1 300 10"),
        ("save", '""', ""),
        ("bind", "127.0.0.1 -::1", "-::1  127.0.0.1"),
        ("dir", "/var/lib/redis/", "/var//lib/./redis"),
        ("port", "06379", "6379"),
        ("slowlog-log-slower-than", "-1", "-01"),
        ("unixsocketperm", "0700", "700"),
        ("client-output-buffer-limit", "slave 1gb 512m 0", "replica 1073741824 512000000 0"),
        ("notify-keyspace-events", "KEA", "Eg$lshzxetdK"),
        ("slaveof", "no one", ""),
    ],
)
def test_two_spellings_are_one_value(pure, name, one, other):
    """However a person, a file or CONFIG GET spells a value, it is the same one."""
    assert pure(canonical, name, one) == pure(canonical, name, other)


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("maxmemory", "512m", "512mb"),
        ("maxmemory", "1.5gb", "1gb"),
        ("maxmemory", "²", "2"),
        ("save", "900 1 300 10", "300 10 900 1"),
        ("bind", "127.0.0.1", "127.0.0.1 ::1"),
        ("dir", "/a/../b", "/b"),
        ("dir", "a", "/a"),
        ("requirepass", "Word", "word"),
        ("client-output-buffer-limit", "pubsub 1 1 1", "replica 1 1 1"),
        ("port", "6379x", "6379"),
    ],
)
def test_two_values_stay_two(pure, name, one, other):
    """What means something else, or nothing at all, is never taken for the same."""
    assert pure(canonical, name, one) != pure(canonical, name, other)


@given(st.sampled_from(sorted(BYTES | NUMBERS | PATHS | WORDS | set(ALIASES))), TEXT)
def test_canonical_of_canonical_is_itself(name, text):
    """A canonical value is its own canonical value, for every setting and any text."""
    once = canonical(name, text)
    assert once == canonical(canonical_name(name), once)


def test_the_tables_do_not_overlap():
    """A setting has one kind, under its newest name, and no name is an alias of an alias."""
    kinds = (BYTES, NUMBERS, PATHS, WORDS)
    assert sum(map(len, kinds)) == len(frozenset().union(*kinds))
    assert not ALIASES.keys() & frozenset().union(*kinds)
    assert not ALIASES.keys() & set(ALIASES.values())
    assert not IMMUTABLE & {"maxmemory", "save", "appendonly", "requirepass"}


FILE = r"""
# a comment, and a directive that is none: # port 1
   port   7000 # not a comment: two words more
PORT 6379
Save 900 1
save ""
save 3600 1
save 300 100
masterauth "a \"b\" \\ # c\x41\n"
masteruser 'it''s'
include /etc/one.conf
include "/etc/two words.conf"
slave-priority 10
client-output-buffer-limit normal 1k 2kb 3
client-output-buffer-limit pubsub 1mb 1mb 1
requirepass "not closed
"""


def test_a_file_of_a_person(pure):
    """The last of equals wins, save points and limits add up, broken quotes are not passed over."""
    expected = {
        "port": "6379",
        "save": "3600 1 300 100",
        "masterauth": 'a "b" \\ # cA\n',
        "line 10": "masteruser 'it''s'",
        "include": "/etc/one.conf\n/etc/two words.conf",
        "replica-priority": "10",
        "client-output-buffer-limit": "normal 1000 2048 3 replica 268435456 67108864 60 "
        "pubsub 1048576 1048576 1",
        "line 16": 'requirepass "not closed',
    }
    assert expected == pure(parse_redis_conf, FILE)


@given(st.lists(TEXT, max_size=6))
def test_words_survive_quoting(words):
    """Any words, quoted and joined, are split into the same words; the line is one line."""
    line = " ".join(map(quote, words))
    assert words == split_words(line)
    assert "\n" not in line
    assert line.isprintable()


@given(st.binary(max_size=30))
def test_bytes_survive_quoting(raw):
    """Bytes that are no UTF-8 survive too, as surrogate escapes."""
    word = raw.decode("utf-8", "surrogateescape")
    assert [word] == split_words(quote(word))


def test_half_a_character_is_refused(pure):
    """A lone surrogate is no text: it is refused without being repeated."""
    with pytest.raises(ValueError, match="half a character") as caught:
        pure(quote, "secret\ud800")
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
