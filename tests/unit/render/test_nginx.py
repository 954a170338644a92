"""The site for RedisInsight, judged by nginx itself where it is installed."""

import base64
import shutil
import subprocess
from hashlib import sha1
from pathlib import Path
from typing import Any

import pytest
from tests.unit.render.plans import built_in, guarded

from keywright.secret import Secret
from keywright_ops.render.nginx import MARK, render_nginx, render_passwords

needs_nginx = pytest.mark.skipif(
    shutil.which("nginx") is None or shutil.which("openssl") is None,
    reason="nginx or openssl is not installed",
)


def check(site: str, folder: Path) -> str:
    """Return what `nginx -t` says of the site with a certificate and folders of the test's own."""
    key, certificate = folder / "key.pem", folder / "cert.pem"
    make = ["openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-days", "1"]
    make += ["-subj", "/CN=insight.example.com", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(make, check=True, capture_output=True)
    live = "/etc/letsencrypt/live/insight.example.com"
    site = site.replace(f"{live}/fullchain.pem", str(certificate))
    site = site.replace(f"{live}/privkey.pem", str(key))
    (folder / "nginx.conf").write_text(
        f"pid {folder}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{site}\n}}\n"
    )
    done = subprocess.run(
        ["nginx", "-t", "-p", str(folder), "-c", str(folder / "nginx.conf")],
        capture_output=True,
        text=True,
    )
    said = [line for line in done.stderr.splitlines() if "[emerg]" in line or "[warn]" in line]
    return "\n".join(line for line in said if '"user" directive' not in line)


@needs_nginx
def test_nginx_accepts_the_site(tmp_path: Path) -> None:
    """`nginx -t` reads the whole site and has neither an error nor a warning."""
    assert check(render_nginx(guarded()), tmp_path) == ""


@needs_nginx
def test_nginx_would_have_spoken(tmp_path: Path) -> None:
    """The judge of the test above does refuse a site with an unknown directive."""
    broken = render_nginx(guarded()).replace("auth_basic ", "auth_basics ", 1)
    assert "auth_basics" in check(broken, tmp_path)


def test_the_site_asks_for_a_login_and_speaks_websocket() -> None:
    """HTTPS only, a login from the guide's file, websockets, and a timeout above RedisInsight's 30
    seconds; the login itself is not handed on."""
    site = render_nginx(guarded())
    for line in (
        "return 301 https://insight.example.com$request_uri;",
        "auth_basic_user_file /etc/nginx/.redisinsight_htpasswd;",
        "proxy_pass http://127.0.0.1:6380;",
        "proxy_set_header Upgrade $http_upgrade;",
        'proxy_set_header Authorization "";',
        "proxy_read_timeout 75s;",
        "allow 203.0.113.7/32;",
        "deny all;",
    ):
        assert line in site


def test_the_login_is_declared(pure: Any) -> None:
    """The same password gives the same file, another one another; the hash is nginx's {SSHA} over password
    and salt, the password itself is not in it, and both files say whose they are."""
    one, two = Secret("a" * 32), Secret("b" * 32)
    text = pure(render_passwords, one)
    assert text == render_passwords(one) != render_passwords(two)
    line = text.splitlines()[-1]
    user, _, scheme = line.partition(":{SSHA}")
    digest = base64.b64decode(scheme)
    assert user == "admin"
    assert digest[:20] == sha1(b"a" * 32 + digest[20:]).digest()  # noqa: S324 - nginx's scheme
    assert len(digest) == 28 and one.reveal() not in text
    assert MARK in text and MARK in render_nginx(guarded())


def test_a_certificate_of_ones_own() -> None:
    """Its files stand in the site in place of Let's Encrypt's."""
    plan = guarded()
    assert plan.insight is not None
    own = plan.insight._replace(site_cert_file="/ssl/chain.pem", site_key_file="/ssl/key.pem")
    site = render_nginx(plan._replace(insight=own))
    assert "ssl_certificate     /ssl/chain.pem;" in site
    assert "ssl_certificate_key /ssl/key.pem;" in site
    assert "letsencrypt" not in site


def test_no_site_without_a_name() -> None:
    """Without a public name there is no site to render."""
    with pytest.raises(ValueError, match="no site"):
        render_nginx(built_in("linux"))
