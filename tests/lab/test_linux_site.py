"""RedisInsight in public: nginx with HTTPS and a login on a real host, asked with curl from elsewhere."""

import base64
import json
from collections.abc import Callable, Iterator
from hashlib import sha1

import pytest
from tests.lab.docker_engine import Engine
from tests.lab.images import INSIGHT_IMAGE, REDIS_IMAGE
from tests.lab.linux_host import LinuxHost
from tests.lab.linux_person import LinuxPerson

pytestmark = pytest.mark.lab

SITE = "insight.example.com"
CERTIFICATE, KEY = "/etc/ssl/insight/chain.pem", "/etc/ssl/insight/key.pem"
PASSWORDS = "/etc/nginx/.redisinsight_htpasswd"
HEALTH = f"https://{SITE}/api/health/"  # a page that the lab's RedisInsight has
FILE = "/etc/nginx/conf.d/keywright-redisinsight.conf"
OTHER = "/etc/nginx/conf.d/other.conf"
# In the same network as the engine's own end, from which ssh comes: both are let in, in the firewall and
# by nginx. A neighbour has another address there.
LINES = (
    f'insight.image = "{INSIGHT_IMAGE}"',
    'purpose = "cache"',
    'admin_from = ["172.17.0.1/32"]',
)
SITE_LINES = (
    f'insight.site = "{SITE}"',
    f'insight.site_cert_file = "{CERTIFICATE}"',
    f'insight.site_key_file = "{KEY}"',
)
# The host's archive offers nginx again.
WITHOUT_NGINX = """
apt-get purge -y -qq nginx nginx-common nginx-light libnginx-mod-http-echo >/dev/null 2>&1
rm -rf /etc/nginx; ! command -v nginx
"""
MAKE_CERTIFICATE = f"""
set -e
install -d -m 0700 /etc/ssl/insight
openssl req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -days 2 \
    -subj /CN={SITE} -addext subjectAltName=DNS:{SITE} -keyout {KEY} -out {CERTIFICATE} 2>/dev/null
"""


@pytest.fixture(scope="module")
def host(hosts: Callable[..., LinuxHost], images: Engine) -> LinuxHost:
    """A Debian with Redis' package and RedisInsight's image; nginx is not installed, but apt has it."""
    found = hosts("keywright-lab-site", installed=True)
    found.load_image(INSIGHT_IMAGE)
    found.sh(WITHOUT_NGINX)
    return found


@pytest.fixture(scope="module")
def person(host: LinuxHost, tmp_path_factory: pytest.TempPathFactory) -> LinuxPerson:
    """Somebody who declares a site."""
    found = LinuxPerson(tmp_path_factory.mktemp("site") / "person", host)
    found.declare_linux(*LINES, *SITE_LINES)
    return found


@pytest.fixture(autouse=True)
def no_leak(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test does: the site's password stands in no process, journal or readable file there."""
    yield
    person: LinuxPerson = request.getfixturevalue("person")
    password = person.secrets.get("insight-site")
    if password is None:
        return
    script = (
        'word=$(cat); journalctl -q -b | grep -F -e "$word"; '
        'grep -F -l -r -s -e "$word" /etc /var/log /run /tmp /root /home; true'
    )
    assert person.host.run("sh", "-c", script, stdin=password).stdout == ""
    kept = (person.state_of("linux") / "journal.jsonl").read_text()
    assert password not in kept


def curl(host: LinuxHost, url: str, *options: str, config: str = "") -> tuple[str, str]:
    """Ask from outside by the site's name; the status code and the body. A login is on curl's input."""
    port = "443" if url.startswith("https") else "80"
    words = ("curl", "-s", "-k", "-m", "5", "--resolve", f"{SITE}:{port}:{host.address}")
    told = ("-o", "-", "-w", "\n%{http_code} %{redirect_url}", "--config", "-", *options, url)
    done = host.engine.run_inside([*words, *told], check=False, stdin=config)
    body, _, end = done.stdout.rpartition("\n")
    return end.strip(), body


def login(user: str, password: str) -> str:
    """The login as a line of curl's configuration."""
    return f'user = "{user}:{password}"\n'


def state(host: LinuxHost) -> str:
    """What a refusal must leave as it is."""
    return host.sh(
        "find /etc -xdev -type f -printf '%p %s %m %U %G %T@\\n' | sort; dpkg -l; ufw show added;"
        " systemctl show -p MainPID,ActiveState,UnitFileState nginx.service redis-server.service;"
        " docker ps -a --format '{{.ID}} {{.Status}}' | cut -c1-15"
    )


# --- in the order of a life ---------------------------------------------------------------------


def test_without_its_certificate_nothing_begins(host: LinuxHost, person: LinuxPerson) -> None:
    """One sentence names the files and the line that makes them; the host and this machine stay."""
    before = state(host)
    said = person.say("up", "-e", "linux")
    assert said.code == 4, said
    assert f"the certificate of {SITE} is not on" in said.err
    assert f"certbot certonly --webroot -w /var/www/html -d {SITE}" in said.err
    assert state(host) == before
    assert person.secrets == {}


def test_up_installs_nginx_and_proves_the_site(host: LinuxHost, person: LinuxPerson) -> None:
    """A dry run foresees it; up does it, and proves every promise of the site on the host itself."""
    host.sh(MAKE_CERTIFICATE)
    planned = person.say("up", "-e", "linux", "--dry-run")
    for word in ("install nginx-light", FILE, PASSWORDS, "nginx -t", "systemctl reload nginx"):
        assert word in planned.out, word
    said = person.say("up", "-e", "linux", "--json")
    assert said.code == 0, said
    verdicts = {each["id"]: each["verdict"] for each in json.loads(said.out)["proofs"]}
    names = ("site-nobody", "site-stranger", "site", "site-plain", "site-port")
    assert {name: verdicts[name] for name in names} == dict.fromkeys(names, "passed")
    assert verdicts["closed"] == "passed"
    assert host.sh("systemctl is-enabled nginx; systemctl is-active nginx") == "enabled\nactive\n"
    assert host.sh(f"stat -c '%U %G %a' {PASSWORDS}") == "root www-data 640\n"
    again = person.say("up", "-e", "linux", "--json")
    assert json.loads(again.out)["steps"] == []


def test_from_elsewhere_the_login_decides(host: LinuxHost, person: LinuxPerson) -> None:
    """curl by name: http goes to https, no login and a wrong one are refused, the right one is let in;
    RedisInsight's own port is closed."""
    password = person.secrets["insight-site"]
    assert curl(host, f"http://{SITE}/a?b")[0] == f"301 https://{SITE}/a?b"
    assert curl(host, f"https://{SITE}/")[0] == "401"
    wrong = curl(host, f"https://{SITE}/", config=login("admin", password[:-1] + "!"))
    assert wrong[0] == "401"
    assert curl(host, f"https://{SITE}/", config=login("root", password))[0] == "401"
    right = curl(host, HEALTH, config=login("admin", password))
    assert right == ("200", '{"status":"up"}')
    assert host.sh("ufw status | head -n 1") == "Status: active\n"
    direct = host.engine.run_inside(
        ["curl", "-s", "-m", "3", f"http://{host.address}:6380/"], check=False
    )
    assert direct.returncode in (7, 28), direct


def test_a_neighbour_is_not_let_in(host: LinuxHost, person: LinuxPerson) -> None:
    """Where admin_from names networks, others do not even reach the login; on the host they do."""
    knock = "timeout 2 bash -c '</dev/tcp/$0/$1' 2>/dev/null && echo open || echo closed"
    done = host.engine.docker(
        "run", "--rm", REDIS_IMAGE, "sh", "-c", knock, host.address, "443", check=False
    )
    assert "open" not in done.stdout


def test_the_password_is_told_when_asked_for_and_renewed(
    host: LinuxHost, person: LinuxPerson
) -> None:
    """status says who, --reveal says the password; renew makes another, and the old one ends at once."""
    old = person.secrets["insight-site"]
    told = person.say("insight", "-e", "linux")  # `say` holds that no secret is in it
    assert f"https://{SITE}" in told.out and "--reveal" in told.out
    shown = person.say("insight", "status", "-e", "linux", "--reveal", "--json")
    report = json.loads(shown.out)
    assert (report["login"], report["password"]) == ("admin", old)
    scheme = host.read(PASSWORDS).rpartition("{SSHA}")[2]
    digest = base64.b64decode(scheme)
    assert sha1(old.encode() + digest[20:]).digest() == digest[:20]  # noqa: S324 - nginx's scheme
    assert person.say("insight", "renew", "-e", "linux").code == 0
    new = person.secrets["insight-site"]
    assert new != old
    assert curl(host, HEALTH, config=login("admin", old))[0] == "401"
    assert curl(host, HEALTH, config=login("admin", new))[0] == "200"


def test_what_somebody_changed_is_mended(host: LinuxHost, person: LinuxPerson) -> None:
    """A login that was taken out of the site by hand is found, and put back."""
    host.sh(f"sed -i '/auth_basic/d' {FILE} && systemctl reload nginx && sleep 0.3")
    assert curl(host, HEALTH)[0] == "200"
    said = person.say("up", "-e", "linux")
    assert said.code == 0 and "rewrite keywright-redisinsight.conf" in said.out
    assert curl(host, HEALTH)[0] == "401"


def test_what_nginx_refuses_is_taken_back(host: LinuxHost, person: LinuxPerson) -> None:
    """A clash that shows only with the change: nginx's own reason and line, and everything as before."""
    host.write(
        OTHER,
        "server {\n listen 8443 ssl;\n"
        f" ssl_certificate {CERTIFICATE};\n ssl_certificate_key {KEY};\n"
        " server_name two.example.com;\n}\n",
    )
    host.sh("systemctl reload nginx")
    before = host.read(FILE)
    person.declare_linux(*LINES, *SITE_LINES[1:], 'insight.site = "two.example.com"')
    host.sh(f"sed -i s/8443/443/ {OTHER}")
    said = person.say("up", "-e", "linux", "-y")
    assert said.code == 1, said
    assert "another site of this nginx is called two.example.com already" in said.err
    assert host.read(FILE) == before
    assert curl(host, HEALTH)[0] == "401"
    host.sh(f"rm {OTHER}")


def test_undeclared_it_is_taken_away(host: LinuxHost, person: LinuxPerson) -> None:
    """Site, login and rules go; nginx, RedisInsight and the vault's password stay."""
    person.declare_linux(*LINES)
    assert person.say("up", "-e", "linux", "-y").code == 0
    assert host.sh(f"ls {FILE} {PASSWORDS} 2>/dev/null", check=False) == ""
    assert "443" not in host.sh("ufw show added")
    assert curl(host, f"https://{SITE}/")[0] == "000"
    assert host.sh("systemctl is-active nginx redis-server") == "active\nactive\n"


def test_what_is_somebody_elses_is_refused(host: LinuxHost, person: LinuxPerson) -> None:
    """A broken nginx, with the line that it complains of; logins that were made by hand. Nothing is changed
    then. Mended and adopted, the site comes back with the password that it had."""
    password = person.secrets["insight-site"]
    person.declare_linux(*LINES, *SITE_LINES)
    host.write(OTHER, "server {\n listen 8088;\n blunder on;\n}\n")
    before = state(host)
    said = person.say("up", "-e", "linux", "-y")
    assert said.code == 4, said
    assert f'unknown directive "blunder" in {OTHER}:3' in said.err
    assert state(host) == before
    host.sh(f"rm {OTHER}; htpasswd -b -c {PASSWORDS} me mine 2>/dev/null; chmod 640 {PASSWORDS}")
    before = state(host)
    said = person.say("up", "-e", "linux")
    assert said.code == 4 and "is not Keywright's" in said.err, said
    assert state(host) == before
    assert person.say("up", "-e", "linux", "--adopt").code == 0
    assert host.sh(f"stat -c '%U %G %a' {PASSWORDS}") == "root www-data 640\n"
    assert curl(host, HEALTH, config=login("admin", password))[0] == "200"


def test_publishing_it_bare_is_a_mistake(person: LinuxPerson) -> None:
    """insight.publish is refused with the reason, and with both ways that have a login."""
    person.declare_linux(*LINES, 'insight.publish = "0.0.0.0:6380"')
    said = person.say("up", "-e", "linux")
    assert said.code == 2
    assert "RedisInsight has no login" in said.err and "keywright tunnel" in said.err
