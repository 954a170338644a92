"""The small shell files that stand beside redis.conf in a container's configuration directory.

They are mounted, never baked into an image, and hold no secret themselves. They run under any
POSIX shell (dash, busybox) and find out by looking whether the image is Redis' or Valkey's.
"""

from keywright_ops.model.plan import Plan

CONFIGURATION = "/usr/local/etc/redis"
DATA = "/data"
PRESETS = "/usr/local/etc/redisinsight"
INSIGHT_GROUP = 1000  # the gid of `node`, the account in RedisInsight's image


def certificates(plan: Plan) -> str:
    """Return the folder of TLS files, as the server sees it, that is mounted for them alone.

    "" without TLS, and where the files lie in the configuration directory.
    """
    tls = plan.listen.tls
    if tls is None or tls.cert_file.startswith(CONFIGURATION + "/"):
        return ""
    return tls.cert_file.rpartition("/")[0]


def entrypoint_script(plan: Plan) -> str:
    """Return entrypoint.sh: ownership first, then the image's own entrypoint."""
    folders = " ".join(each for each in (CONFIGURATION, certificates(plan)) if each)
    return _ENTRYPOINT.replace("@FOLDERS@", folders)


_ENTRYPOINT = f"""\
#!/bin/sh
# Starts the server of this container; written by Keywright, mounted, run as root by Docker.
#
# The files that are mounted here belong to you on the host and are closed to others, but the server
# runs as an account of the image (uid 999 in the official ones). So their group becomes that
# account's: you stay the owner, the server may read, nobody else may. The setgid bit makes every
# file that is written there later inherit the group, which ACL LOAD needs.
set -eu
umask 077

server=$(command -v valkey-server || command -v redis-server)
account=$(basename "$server" -server)

give() {{
    # give GROUP FOLDER
    chgrp -R "$1" "$2" && find "$2" -type d -exec chmod 2750 {{}} + &&
        find "$2" -type f -exec chmod 0640 {{}} + ||
        echo "keywright: cannot give $2 to group $1: the server may be unable to read it" >&2
}}

if [ "$(id -u)" = 0 ] && id "$account" >/dev/null 2>&1; then
    for folder in @FOLDERS@; do
        give "$(id -g "$account")" "$folder"
    done
    # RedisInsight has no root of its own to do the same with its file.
    [ ! -d {PRESETS} ] || give {INSIGHT_GROUP} {PRESETS}
fi

set -- "$(basename "$server")" {CONFIGURATION}/redis.conf
if command -v docker-entrypoint.sh >/dev/null 2>&1; then
    exec docker-entrypoint.sh "$@"  # the official images: takes {DATA} over, drops root
fi
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null 2>&1 && id "$account" >/dev/null 2>&1; then
    chown -R "$account" {DATA}
    exec setpriv --reuid="$account" --regid="$(id -g "$account")" --clear-groups "$@"
fi
exec "$@"
"""


def health_script(plan: Plan) -> str:
    """Return the health check: exit 0 only from a server that answers `health` and takes writes.

    Otherwise it exits 1 and says why in one line, which Docker keeps in State.Health.Log.
    """
    tls = plan.listen.tls
    port = plan.listen.port or (tls.port if tls else 0)
    options = "" if plan.listen.port or not tls else f" --tls --cacert '{tls.ca_cert_file}'"
    return _HEALTH.replace("@PORT@", str(port)).replace("@OPTIONS@", options)


_HEALTH = f"""\
#!/bin/sh
# Is the server well? Written by Keywright, run by Docker as the user `health` of the server.
#
# --askpass reads the password from stdin: it is in no argument and in no environment. One run of the
# client for each question: with several on stdin it would ask for COMMAND as well, which is refused
# and would fill ACL LOG.
newline='
'
return=$(printf '\\r')

sick() {{
    first=${{1%%"$newline"*}}
    printf '%s\\n' "${{first:-the server gave no answer}}"
    exit 1
}}

ask() {{
    "$client" -h 127.0.0.1 -p @PORT@@OPTIONS@ --raw --user health --askpass "$@" \\
        2>&1 < {CONFIGURATION}/health.secret
}}

value() {{
    # value FIELD: what INFO says of it, in $found
    found=${{info#*"$newline$1:"}}
    [ "$found" != "$info" ] || sick "INFO says nothing of $1"
    found=${{found%%"$return"*}}
}}

client=$(command -v valkey-cli || command -v redis-cli) || sick 'the image has no client program'

# All that is said must be PONG: redis-cli goes on as another user after a refused login, and exits
# with 0 on NOAUTH, LOADING and MISCONF (the disk refused a snapshot, so writes are refused).
answer=$(ask PING)
[ "$answer" = PONG ] || sick "$answer"

info=$(ask INFO)
case $info in '# Server'*) ;; *) sick "$info" ;; esac

value aof_last_write_status
[ "$found" = ok ] || sick 'the append-only file cannot be written: writes are refused'

value role
if [ "$found" = slave ]; then
    value slave_read_only
    [ "$found" = 0 ] || sick 'this is a replica: writes are refused'
fi

value maxmemory; limit=$found
value used_memory; used=$found
value mem_not_counted_for_evict; used=$((used - found))
value maxmemory_policy; policy=$found
if [ "$limit" -gt 0 ] && [ "$used" -gt "$limit" ]; then
    full="the memory is full ($used of $limit bytes): writes are refused, by maxmemory-policy $policy"
    case $policy in
        noeviction) sick "$full" ;;
        # only keys that expire may be evicted: is there one?
        volatile-*) case $info in *,expires=[1-9]*) ;; *) sick "$full" ;; esac ;;
    esac
fi
exit 0
"""
