"""nginx of a Linux host: asked what RedisInsight's site needs, and asked as a visitor of the site."""

from base64 import b64encode
from typing import TYPE_CHECKING

from keywright.endpoint import Endpoint
from keywright.errors import Unreachable
from keywright.secret import Secret
from keywright_ops.facts.web import parse_web
from keywright_ops.model.absence import Missing
from keywright_ops.model.plan import Insight
from keywright_ops.model.web import Web
from keywright_ops.render.nginx import LOGIN, MARK, PASSWORDS, SITE
from keywright_ops.steps.nginx import WORKERS
from keywright_ops.targets.handshake import PATIENCE, linked
from keywright_ops.targets.shell import Shell

if TYPE_CHECKING:
    import socket

LONGEST = 16384  # bytes of an answer that are read; RedisInsight's word is short

# $1 the mark of our files, then the site's own two files, "--", and the certificate's.
SCRIPT = (
    WORKERS
    + r"""
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
at() { printf '\n@@ %s\n' "$1"; }
mark=$1; shift
at version; nginx -v 2>&1
at group
set_group() {
    if [ -n "$2" ]; then echo "$2"; elif [ -n "$1" ]; then id -gn "$1" 2>/dev/null; fi
}
set_group $(sed -n 's/^[[:space:]]*user[[:space:]]\{1,\}\([^;]*\);.*/\1/p' /etc/nginx/nginx.conf \
    2>/dev/null | head -n 1)
at written
while [ "$1" != -- ]; do
    if [ -r "$1" ]; then
        if grep -q -- "$mark" "$1"; then echo "ours $1"; else echo "foreign $1"; fi
    fi
    shift
done
shift
at lacking; for file; do [ -e "$file" ] || printf '%s\n' "$file"; done
at test; command -v nginx >/dev/null && nginx -t 2>&1
at changed; date +%s.%N; stat -L -c %.Y -- "@SITE@" "$@" 2>/dev/null
at workers; cut -d' ' -f1 /proc/uptime; getconf CLK_TCK
for pid in $(workers); do
    stat=$(cat "/proc/$pid/stat" 2>/dev/null) || continue
    ( set -- ${stat##*) }; echo "${20}" )
done
at end
""".replace("@SITE@", SITE)
)


def look_at_nginx(shell: Shell, insight: Insight | None) -> Web | Missing:
    """Ask the host for its nginx; the certificate's files are those of the declared site."""
    files = (insight.site_cert_file, insight.site_key_file) if insight and insight.site else ()
    answer = shell.script(SCRIPT, MARK, PASSWORDS, SITE, "--", *files)
    return parse_web(answer.output.decode("utf-8", "replace"))


def visit(
    place: Endpoint, site: str, secure: bool, path: str, password: Secret | None
) -> str | Missing:
    """Return the site's whole HTTP answer to a GET, head and body; Missing when there is none.

    `place` leads to the host's own loopback, where nobody but root can have these ports: the certificate
    is taken as it comes, and the login (None for none) is sent inside TLS only.
    """
    request = f"GET {path} HTTP/1.0\r\nHost: {site}\r\nConnection: close\r\n"
    if password is not None and secure:
        login = b64encode(f"{LOGIN}:{password.reveal()}".encode()).decode()
        request += f"Authorization: Basic {login}\r\n"
    try:
        return _ask(place, site, secure, f"{request}\r\n".encode()).decode("utf-8", "replace")
    except TimeoutError:
        return Missing(f"port {place.port} did not answer within {PATIENCE:g} s")
    except (OSError, Unreachable) as error:
        why = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        return Missing(f"port {place.port}: {str(why).lower()}")


def _ask(place: Endpoint, site: str, secure: bool, request: bytes) -> bytes:
    import ssl  # 13 ms: only where there is a site

    with linked(place) as link:
        if not secure:
            return _exchange(link, request)
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with context.wrap_socket(link, server_hostname=site) as channel:
            return _exchange(channel, request)


def _exchange(link: "socket.socket", request: bytes) -> bytes:
    link.sendall(request)
    answer = b""
    while len(answer) < LONGEST:
        piece = link.recv(LONGEST)
        if not piece:
            break
        answer += piece
    return answer
