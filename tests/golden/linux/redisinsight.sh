#!/bin/sh
# Runs RedisInsight beside the environment `linux` of esab; written by Keywright.
# Run it as root. It replaces the container and keeps the volume.
set -eu

# The preset connection holds a password: its group becomes the one of the image's account.
chgrp -R 1000 /etc/keywright/redisinsight
chmod 2750 /etc/keywright/redisinsight
chmod 0640 /etc/keywright/redisinsight/databases.json

docker rm -f redisinsight 2>/dev/null || true

# Published on loopback only, since RedisInsight has no login: reach it through
#   ssh -N -L 6380:127.0.0.1:6380 user@server
# host.docker.internal is this host as seen from the container, whatever docker0's address is.
docker run -d --name redisinsight \
  --restart unless-stopped \
  --add-host host.docker.internal:host-gateway \
  -p 127.0.0.1:6380:5540 \
  -v redisinsight-data:/data \
  -v /etc/keywright/redisinsight:/usr/local/etc/redisinsight:ro \
  -e RI_PRE_SETUP_DATABASES_PATH=/usr/local/etc/redisinsight/databases.json \
  redis/redisinsight:2.70
