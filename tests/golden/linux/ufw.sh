#!/bin/sh
# ufw for the environment `linux` of esab; written by Keywright. Run it as root.
# The first rule that matches wins: what is let in is put on top, the refusal at the end.
set -eu

ufw delete deny 6379/tcp || true
ufw prepend allow in on docker0 to any port 6379 proto tcp comment 'keywright: RedisInsight in its container'
ufw deny 6379/tcp comment 'keywright: Redis: nobody else'

# ufw is not switched on here: no rule above lets SSH in, and you could lock yourself
# out. Name your network in firewall.admin_from, or allow SSH yourself, and then run:
#   ufw enable
ufw status verbose
