#!/bin/sh
# ufw for the environment `linux` of esab; written by Keywright. Run it as root.
# The first rule that matches wins: what is let in is put on top, the refusal at the end.
set -eu

ufw delete deny 6379/tcp || true
ufw prepend allow in on docker0 to any port 6379 proto tcp comment 'keywright: RedisInsight in its container'
ufw prepend allow from 2001:db8::/48 to any port 6379 proto tcp comment 'keywright: Redis clients'
ufw prepend allow from 10.0.0.0/24 to any port 6379 proto tcp comment 'keywright: Redis clients'
ufw prepend allow from 203.0.113.7 to any port 443 proto tcp comment 'keywright: RedisInsight over nginx'
ufw prepend allow from 203.0.113.7 to any port 80 proto tcp comment 'keywright: RedisInsight over nginx'
ufw prepend allow from 203.0.113.7 to any port 2222 proto tcp comment 'keywright: SSH for administrators'
ufw deny 6379/tcp comment 'keywright: Redis: nobody else'

ufw --force enable
ufw status numbered
