"""Plan → the nginx site that puts HTTPS and a login before RedisInsight, which has neither."""

from keywright.secret import Secret
from keywright_ops.model.plan import Insight, Plan

SITE = "/etc/nginx/conf.d/keywright-redisinsight.conf"
PASSWORDS = "/etc/nginx/.redisinsight_htpasswd"  # noqa: S105 - the guide's path, no password
LOGIN = "admin"  # who logs in at the site
MARK = "written by Keywright"  # by which a file of ours is known
READ_TIMEOUT = 75  # seconds; RedisInsight's own documents ask for more than 30


def render_nginx(plan: Plan) -> str:
    """Return the site as text, for nginx 1.18 and later; it belongs into the http context.

    Raises ValueError for a plan whose RedisInsight has no site.
    """
    insight = plan.insight
    if insight is None or not insight.site:
        raise ValueError(f"environment {plan.environment} has no site for RedisInsight")
    return (
        _HEAD.format(site=insight.site, mark=MARK, login=_login(insight))
        + _plain(insight)
        + _tls(plan, insight)
    )


def render_passwords(password: Secret) -> str:
    """Return nginx's password file with the one login of the site: the same text for the same password.

    nginx hashes the password at every request, so that a slow scheme would slow every image of a page.
    {SSHA} is fast, and fast is enough here: the password is Keywright's own, of 192 random bits, and
    nobody guesses even 128. For the same reason the salt may come from the password: a salt keeps equal
    passwords from having equal hashes and lists of hashes from being made beforehand, and neither is to
    be feared of a random word that exists once.
    """
    from base64 import b64encode  # with hashlib: only where there is a site
    from hashlib import sha1, sha256

    word = password.reveal().encode()
    salt = sha256(b"keywright htpasswd " + word).digest()[:8]
    hashed = sha1(word + salt, usedforsecurity=False).digest()  # the scheme that nginx knows
    scheme = b64encode(hashed + salt).decode()
    return f"# The login of RedisInsight's site; {MARK}.\n{LOGIN}:{{SSHA}}{scheme}\n"


def _login(insight: Insight) -> str:
    if insight.secret:
        return "# Who may in:  keywright insight status --reveal\n"
    return (
        f"# Make the login once, as root:  htpasswd -B -c {PASSWORDS} {LOGIN}\n"
        f"#                                chgrp www-data {PASSWORDS} && chmod 0640 {PASSWORDS}\n"
    )


_HEAD = """\
# RedisInsight at https://{site}: HTTPS and a login before it; {mark}.
{login}
# A websocket asks for an upgrade; everything else keeps its connection as it is.
map $http_upgrade $redisinsight_connection {{
    default upgrade;
    ''      '';
}}
"""


def _plain(insight: Insight) -> str:
    return f"""
server {{
    listen 80;
    listen [::]:80;
    server_name {insight.site};
    server_tokens off;

    # Let's Encrypt proves the name over plain HTTP; everything else goes to HTTPS.
    location /.well-known/acme-challenge/ {{
        root /var/www/html;
    }}
    location / {{
        return 301 https://{insight.site}$request_uri;
    }}
}}
"""


def _tls(plan: Plan, insight: Insight) -> str:
    return f"""
server {{
    listen 443 ssl;
    listen [::]:443 ssl;
    server_name {insight.site};
    server_tokens off;

    ssl_certificate     {insight.site_cert_file};
    ssl_certificate_key {insight.site_key_file};
    ssl_protocols       TLSv1.2 TLSv1.3;
    ssl_session_cache   shared:redisinsight:1m;
    ssl_session_tickets off;
{_sources(plan)}
    auth_basic           "RedisInsight";
    auth_basic_user_file {PASSWORDS};

    add_header Strict-Transport-Security "max-age=31536000" always;
    add_header X-Content-Type-Options "nosniff" always;
    add_header X-Frame-Options "DENY" always;
    add_header Referrer-Policy "no-referrer" always;
    # RedisInsight allows every other site to call it; here none may.
    proxy_hide_header Access-Control-Allow-Origin;

    location / {{
        proxy_pass http://127.0.0.1:{insight.port};
        proxy_http_version 1.1;
        proxy_set_header Host $host;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $redisinsight_connection;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto https;
        proxy_set_header Authorization "";  # the login is nginx's and goes no further
        proxy_read_timeout {READ_TIMEOUT}s;
        client_max_body_size 64m;  # bulk uploads and imported connections
    }}
}}
"""


def _sources(plan: Plan) -> str:
    networks = plan.firewall.admin_from if plan.firewall is not None else ()
    if not networks:
        return ""
    allowed = "".join(f"    allow {network};\n" for network in networks)
    why = "    # The login alone is not enough: only these networks may try it, and this host itself.\n"
    return f"\n{why}{allowed}    allow 127.0.0.1;\n    deny all;\n"
