#!/bin/sh
# Asks the server for a PONG as the user `health`; written by Keywright, run by Docker.
# --askpass reads the password from stdin: it is in no argument and in no environment.
client=$(command -v valkey-cli || command -v redis-cli)
"$client" -e -h 127.0.0.1 -p 6379 --user health --askpass ping \
    < /usr/local/etc/redis/health.secret | grep -qx PONG
