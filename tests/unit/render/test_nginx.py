"""The site for RedisInsight, judged by nginx itself where it is installed."""

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.unit.render.plans import built_in, guarded

from keywright_ops.render.nginx import render_nginx

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


def test_no_site_without_a_name() -> None:
    """Without a public name there is no site to render."""
    with pytest.raises(ValueError, match="no site"):
        render_nginx(built_in("linux"))
