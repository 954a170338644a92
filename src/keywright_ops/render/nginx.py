"""Plan → the nginx site that puts HTTPS and a login before RedisInsight, which has neither."""

from keywright_ops.model.plan import Insight, Plan

SITE = "/etc/nginx/conf.d/keywright-redisinsight.conf"
PASSWORDS = "/etc/nginx/.redisinsight_htpasswd"  # noqa: S105 - the guide's path, no password
CERTIFICATES = "/etc/letsencrypt/live"
READ_TIMEOUT = 75  # seconds; RedisInsight's own documents ask for more than 30


def render_nginx(plan: Plan) -> str:
    """Return the site as text, for nginx 1.18 and later; it belongs into the http context.

    Raises ValueError for a plan whose RedisInsight has no site.
    """
    insight = plan.insight
    if insight is None or not insight.site:
        raise ValueError(f"environment {plan.environment} has no site for RedisInsight")
    return (
        _HEAD.format(site=insight.site, passwords=PASSWORDS) + _plain(insight) + _tls(plan, insight)
    )


_HEAD = """\
# RedisInsight at https://{site}: HTTPS and a login before it; written by Keywright.
# Make the login once, as root:  htpasswd -B -c {passwords} admin
#                                chgrp www-data {passwords} && chmod 0640 {passwords}

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

    ssl_certificate     {CERTIFICATES}/{insight.site}/fullchain.pem;
    ssl_certificate_key {CERTIFICATES}/{insight.site}/privkey.pem;
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
    why = "    # The login alone is not enough: only these networks may try it.\n"
    return f"\n{why}{allowed}    deny all;\n"
