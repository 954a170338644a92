"""A Linux host on which somebody did by hand what the guide says, and can have it undone again."""

import json
import subprocess
from pathlib import Path

from tests.embedded.stranger import await_true
from tests.lab.linux_host import LinuxHost

CONF, UNIT = "/etc/redis/redis.conf", "redis-server"
KEYS = 200
VIEWER = "the guide's viewer"

# Steps 2 and 3 of the guide; the password is the first line of the input.
GUIDE = r"""
set -eu
bridge=$(ip -4 addr show docker0 | awk '/inet /{print $2}' | cut -d/ -f1)
sed -i "s/^#\? *bind .*/bind 127.0.0.1 $1 $bridge/" /etc/redis/redis.conf
sed -i 's/^#\?supervised .*/supervised systemd/' /etc/redis/redis.conf
sed -i '/^requirepass /d' /etc/redis/redis.conf
sed 's/^/requirepass /' | tee -a /etc/redis/redis.conf >/dev/null
echo 'maxmemory 1gb' | tee -a /etc/redis/redis.conf
echo 'maxmemory-policy allkeys-lru' | tee -a /etc/redis/redis.conf
echo 'save ""' | tee -a /etc/redis/redis.conf
sed -i 's/^appendonly .*/appendonly no/' /etc/redis/redis.conf
sed -i 's/^protected-mode .*/protected-mode no/' /etc/redis/redis.conf
systemctl enable -q redis-server
systemctl restart redis-server
"""
# Steps 6 and 7.
GUIDE_AROUND = r"""
set -eu
docker volume create redisinsight-data
docker run -d --name redisinsight -p 127.0.0.1:6380:5540 -v redisinsight-data:/data \
    --restart unless-stopped @IMAGE@
ufw deny 6379
ufw allow 22/tcp
ufw --force enable
"""
# The host as its package left it; what Keywright's lab keeps for the kernel stays.
UNDO = r"""
systemctl stop redis-server; systemctl disable -q redis-server
[ -d /root/as-installed ] || cp -a /etc/redis /root/as-installed
rm -rf /etc/redis /etc/systemd/system/redis-server.service.d /var/backups/redis /var/lib/redis/*
cp -a /root/as-installed /etc/redis
systemctl daemon-reload; systemctl reset-failed redis-server
! ufw status | grep -q 'Status: active' || ufw --force reset >/dev/null; rm -f /etc/ufw/*.rules.2*
"""


class ByHand:
    """The host with the guide's server, KEYS keys in it, and `password` for `default`.

    With `viewer` the guide's ACL user is there, and CONFIG REWRITE
    wrote both users into redis.conf; with `insight`, an image, its RedisInsight and its firewall.
    """

    def __init__(
        self,
        host: LinuxHost,
        password: str,
        viewer: bool = False,
        insight: str = "",
    ) -> None:
        self.host, self.password = host, password
        host.sh(UNDO)
        # without IPv6 the guide's ::1 is no address, and its server would not start
        has_ipv6 = host.run("ip", "-6", "addr", "show", "dev", "lo").stdout.strip()
        host.run("sh", "-c", GUIDE, "sh", "::1" if has_ipv6 else "", stdin=f"{password}\n")
        await_true(lambda: self.redis("PING") == "PONG", "the guide's server answers", 30)
        self.fill()
        if viewer:
            rules = ("on", f">{VIEWER}", "~*", "+@read", "-@write", "-@admin")
            assert self.redis("ACL", "SETUSER", "viewer", *rules) == "OK"
            assert self.redis("CONFIG", "REWRITE") == "OK"
        if insight:
            host.sh(GUIDE_AROUND.replace("@IMAGE@", insight))

    def redis(self, *words: str, password: str = "", user: str = "default") -> str:
        """Ask the server as a client of before."""
        return self.host.redis(password or self.password, *words, user=user)

    def fill(self) -> None:
        """Write the keys."""
        script = (
            f"for i=1,{KEYS} do redis.call('SET','esabcfg:session:'..i,i,'EX',3600) end return 1"
        )
        assert self.redis("EVAL", script, "0") == "1"

    def keys(self) -> int:
        """How many of the keys are there, with what was written into them."""
        script = (
            f"local n = 0 for i=1,{KEYS} do"
            " if redis.call('GET','esabcfg:session:'..i) == tostring(i) then n = n + 1 end end return n"
        )
        return int(self.redis("EVAL", script, "0"))

    def state(self) -> str:
        """What no refusal may change: files, rules, process, users."""
        return self.host.sh(
            "find /etc /var/lib/redis /var/backups -xdev -type f -printf '%p %s %m %U %T@\\n' | sort;"
            f" ufw show added; systemctl show -p MainPID {UNIT}"
        ) + self.redis("ACL", "LIST")

    def await_answer(self) -> None:
        """Wait until a client of before is let in (again)."""
        await_true(lambda: self.redis("PING") == "PONG", "a client of before is let in", 30)


class Patient:
    """A client on the host that writes all the time as `default` with the password of before."""

    def __init__(self, found: ByHand) -> None:
        program = (Path(__file__).parent / "patient_client.py").read_text()
        host = found.host
        self.found = found
        self._process = subprocess.Popen(
            ["docker", "exec", "-i", "-e", f"PYTHONPATH={host.code}", host.name]
            + ["python3", "-c", program, "esabcfg:written"],
            env=host.engine.environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(f"{found.password}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "writing\n"

    def end(self) -> tuple[list[int], list[str]]:
        """Let it end: the numbers that were acknowledged, and what failed."""
        out, _ = self._process.communicate("\n", timeout=30)
        acknowledged, failed = json.loads(out)
        return acknowledged, failed
