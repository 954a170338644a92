#!/bin/sh
# Is the server well? Written by Keywright, run by Docker as the user `health` of the server.
#
# --askpass reads the password from stdin: it is in no argument and in no environment. One run of the
# client for each question: with several on stdin it would ask for COMMAND as well, which is refused
# and would fill ACL LOG.
newline='
'
return=$(printf '\r')

sick() {
    first=${1%%"$newline"*}
    printf '%s\n' "${first:-the server gave no answer}"
    exit 1
}

ask() {
    "$client" -h 127.0.0.1 -p 6379 --raw --user health --askpass "$@" \
        2>&1 < /usr/local/etc/redis/health.secret
}

value() {
    # value FIELD: what INFO says of it, in $found
    found=${info#*"$newline$1:"}
    [ "$found" != "$info" ] || sick "INFO says nothing of $1"
    found=${found%%"$return"*}
}

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
