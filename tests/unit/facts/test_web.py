"""What a host's script says of its nginx, as a real one said it (Debian 12, nginx 1.22.1)."""

from typing import Any

import pytest

from keywright_ops.facts.web import parse_complaint, parse_fresh, parse_web
from keywright_ops.model.absence import Missing

TOLD = """
@@ version
nginx version: nginx/1.22.1

@@ group
www-data

@@ written
ours /etc/nginx/.redisinsight_htpasswd
foreign /etc/nginx/conf.d/keywright-redisinsight.conf

@@ lacking
/etc/letsencrypt/live/insight.example.com/privkey.pem

@@ test
nginx: the configuration file /etc/nginx/nginx.conf syntax is ok
nginx: configuration file /etc/nginx/nginx.conf test is successful

@@ changed
1795831780.481608591
1795831728.916024954
1795831701.735348672

@@ workers
2310.71
100
226087
226087

@@ end
"""
NONE = "\n".join(f"@@ {name}\n" for name in (
    "version", "group", "written", "lacking", "test", "changed", "workers", "end"))  # fmt: skip
REFUSED = """\
nginx: [warn] conflicting server name "a" on 0.0.0.0:80, ignored
2026/11/28 02:11:40 [emerg] 7169#7169: unknown directive "blunder" in /etc/nginx/conf.d/x.conf:3
nginx: [emerg] unknown directive "blunder" in /etc/nginx/conf.d/x.conf:3
nginx: configuration file /etc/nginx/nginx.conf test failed
"""


def test_it_is_read_whole(pure: Any) -> None:
    """Every section; a host that did not answer to the end tells nothing."""
    web = pure(parse_web, TOLD)
    assert (web.version, web.group, web.complaint) == ("1.22.1", "www-data", "")
    assert web.ours == {"/etc/nginx/.redisinsight_htpasswd"}
    assert web.foreign == {"/etc/nginx/conf.d/keywright-redisinsight.conf"}
    assert web.lacking == ("/etc/letsencrypt/live/insight.example.com/privkey.pem",)
    assert web.fresh
    assert isinstance(parse_web(TOLD.partition("@@ end")[0]), Missing)


def test_a_host_without_nginx() -> None:
    """No version, Debian's group, nothing written, nothing old."""
    web = parse_web(NONE)
    assert not isinstance(web, Missing)
    assert (web.version, web.group, web.ours, web.lacking) == ("", "www-data", frozenset(), ())
    assert web.fresh


def test_the_complaint_is_nginx_own_with_its_line() -> None:
    """The first that refuses, without what nginx says of itself; a warning refuses nothing."""
    assert 'unknown directive "blunder" in /etc/nginx/conf.d/x.conf:3' == parse_complaint(REFUSED)
    assert parse_complaint(REFUSED.split("\n")[0]) == ""
    clash = "nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)"
    assert parse_complaint(clash).startswith("bind() to 0.0.0.0:80 failed (98: ")


@pytest.mark.parametrize(
    ("changed", "workers", "fresh"),
    [
        ("1000 900 950", "5000 100 495500", True),  # a worker of 45 s, a file of 50 s
        ("1000 900 950", "5000 100 494000 495500", False),  # one of 60 s among them
        ("1000 990", "5000 100 498900", True),  # 11 s against 10 s: within what rounding does
        ("1000 990", "5000 100 490000", False),
        ("1000", "5000 100 1", True),
        ("1000 990", "5000 100", True),
    ],
)
def test_workers_are_younger_than_what_they_serve(changed: str, workers: str, fresh: bool) -> None:
    """The oldest worker against the newest file; without one of them nothing old is served."""
    assert fresh == parse_fresh(changed, workers)
