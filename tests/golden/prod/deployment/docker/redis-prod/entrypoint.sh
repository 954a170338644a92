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

give() {
    # give GROUP FOLDER
    chgrp -R "$1" "$2" && find "$2" -type d -exec chmod 2750 {} + &&
        find "$2" -type f -exec chmod 0640 {} + ||
        echo "keywright: cannot give $2 to group $1: the server may be unable to read it" >&2
}

if [ "$(id -u)" = 0 ] && id "$account" >/dev/null 2>&1; then
    for folder in /usr/local/etc/redis; do
        give "$(id -g "$account")" "$folder"
    done
    # RedisInsight has no root of its own to do the same with its file.
    [ ! -d /usr/local/etc/redisinsight ] || give 1000 /usr/local/etc/redisinsight
fi

set -- "$(basename "$server")" /usr/local/etc/redis/redis.conf
if command -v docker-entrypoint.sh >/dev/null 2>&1; then
    exec docker-entrypoint.sh "$@"  # the official images: takes /data over, drops root
fi
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null 2>&1 && id "$account" >/dev/null 2>&1; then
    chown -R "$account" /data
    exec setpriv --reuid="$account" --regid="$(id -g "$account")" --clear-groups "$@"
fi
exec "$@"
