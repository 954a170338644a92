"""A Linux host: asked everything that the plan and the diff need by one script in one round trip."""

from functools import cache

from keywright.endpoint import Endpoint
from keywright.secret import Secret
from keywright_ops.facts.apt import parse_offered
from keywright_ops.facts.insight import HEALTH, parse_health
from keywright_ops.facts.loaded import CANARY, INFO, LOG
from keywright_ops.facts.machine import parse_holder, parse_machine
from keywright_ops.model.absence import Missing
from keywright_ops.model.machine import Machine
from keywright_ops.model.plan import Plan
from keywright_ops.render.insight import FOLDER as PRESET_FOLDER
from keywright_ops.render.kernel import KERNEL_FILES
from keywright_ops.render.nginx import PASSWORDS, SITE
from keywright_ops.steps.firewall import ROLLBACK
from keywright_ops.targets.nginx import look_at_nginx, visit
from keywright_ops.targets.ports import knock
from keywright_ops.targets.shell import Shell
from keywright_ops.targets.ssh_line import SshLine

UNIT_PROPERTIES = (
    "Id,LoadState,ActiveState,SubState,UnitFileState,NeedDaemonReload,Result,NRestarts"
)
# Each answer stands below a line "@@ NAME". What a program says when it is not there is nothing.
# $1 unit, $2 and $3 packages, $4 the data's folder, $5 and $6 RedisInsight's container and image, then
# folders, "--", and the kernel's files.
SCRIPT = r"""
export LC_ALL=C
at() { printf '\n@@ %s\n' "$1"; }
unit=$1 package=$2 tools=$3 data=$4 insight=$5 image=$6; shift 6
# ufw and docker take longest: they are asked beside all the others
ufw status verbose >"$KEYWRIGHT_HOLD/ufw" 2>/dev/null &
ufw show added >"$KEYWRIGHT_HOLD/rules" 2>/dev/null &
docker ps --format '{{.Names}}\t{{.Ports}}' >"$KEYWRIGHT_HOLD/published" 2>/dev/null &
at os; cat /etc/os-release
at init; cat /proc/1/comm
at root; id -u; id -un; printf '%s\n' "$SUDO_USER"
at from; printf '%s\n' "$KEYWRIGHT_FROM"
at clock; date +%s
at container; systemd-detect-virt --container 2>/dev/null
at packages; dpkg-query -W -f '${Package}\t${Version}\t${db:Status-Status}\t${db:Status-Want}\n' \
    "$package" "$tools" ufw docker.io docker-ce nginx-light nginx-core nginx 2>/dev/null
at policy; apt-cache policy "$package" "$tools" 2>/dev/null
at audit; dpkg --audit 2>/dev/null | head -n 20
at units; systemctl show -p @PROPERTIES@ \
    "$unit.service" redis-server.service valkey-server.service docker.service nginx.service \
    keywright-thp.service @ROLLBACK@ 2>/dev/null
at addresses; ip -o addr 2>/dev/null
at sshd; { sshd -T || /usr/sbin/sshd -T; } 2>/dev/null | grep -E '^port '
at heard; ss -H -l -t -n -p 2>/dev/null
at free; while [ ! -d "${data:-/}" ]; do data=${data%/*}; done; df -Pk "${data:-/}"
at docker; docker version --format '{{.Server.Version}}' 2>/dev/null
at insight; docker inspect --type container \
    --format '{{index .Config.Labels "keywright.made"}}|{{.State.Status}}' "$insight" 2>/dev/null
at image; docker image inspect --format '{{.Id}}' "$image" 2>/dev/null
at folders
while [ "$#" -gt 0 ] && [ "$1" != -- ]; do stat -c '%U %G %a %n' "$1" 2>/dev/null; shift; done
shift
wait
at ufw; cat "$KEYWRIGHT_HOLD/ufw"
at rules; cat "$KEYWRIGHT_HOLD/rules"
at published; cat "$KEYWRIGHT_HOLD/published"
at writable; for file; do [ -w "$file" ] && printf '%s\n' "$file"; done
at kernel
for file; do printf '%s\t' "$file"; cat "$file" 2>/dev/null || echo; done
""".replace("@ROLLBACK@", f"{ROLLBACK}.timer").replace("@PROPERTIES@", UNIT_PROPERTIES)


OPENS = 'timeout 2 bash -c "exec 3<>/dev/tcp/$1/$2"'
# In the container's network, with the host's own programs: the image may have none.
FROM_CONTAINER = r"""
pid=$(docker inspect --format '{{.State.Pid}}' "$1") || exit
[ "$pid" -gt 0 ] || { echo "it does not run" >&2; exit 1; }
exec nsenter "--net=/proc/$pid/ns/net" timeout 5 bash -c '
    exec 3<>"/dev/tcp/$0/$1" || exit 7
    printf "PING\r\n" >&3; read -t 3 -r line <&3; echo "$line"' "$2" "$3"
"""
FETCH = r"""
timeout 3 bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$0" || exit
    printf "GET %s HTTP/1.0\\r\\nHost: 127.0.0.1\\r\\n\\r\\n" "$1" >&3; cat <&3' "$1" "$2"
"""
# What apt could install: by its lists where $2 is a version that they hold, else by the archives' newest,
# asked into a folder that goes again. Nothing of the host is changed. $1 is the package.
OFFERED = r"""
export LC_ALL=C; umask 022; package=$1 version=$2
offered() { apt-cache "$@" madison "$package" 2>/dev/null; }
found=$(offered)
case $found in *"| $version "*) printf '%s\n' "$found"; exit ;; esac
lists=$(mktemp -d "${TMPDIR:-/tmp}/keywright-apt.XXXXXX") || exit
trap 'rm -rf "$lists"' EXIT
chmod 755 "$lists" && mkdir "$lists/partial"
set -- -o "Dir::State::Lists=$lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=
apt-get -q=2 "$@" -o APT::Update::Error-Mode=any update 2>&1 >/dev/null
offered "$@"
"""
# The copy is loaded as the service's own account, in a folder that nobody else enters. Whatever becomes of
# us, the server ends by its time limit. INFO has async_loading:0 while it loads.
LOAD = rf"""
limit=$1 canary=$2 from=$3 server=$4 account=$5; shift 5
cli=${{server%-server}}-cli
room=$(mktemp -d /tmp/keywright.XXXXXX) || exit 1
trap 'kill "$job" 2>/dev/null; wait "$job" 2>/dev/null; rm -rf "$room"' EXIT
cp -R -- "$from" "$room/data" && chown -R "$account:" "$room" || {{ echo '{LOG}'; exit 1; }}
cd "$room" || exit 1
timeout "$limit" setpriv --reuid="$account" --regid="$account" --clear-groups \
    "$server" --dir "$room/data" --unixsocket "$room/s" "$@" >"$room/log" 2>&1 </dev/null &
job=$!
while case $(sed "s/.*) //" "/proc/$job/stat" 2>/dev/null) in ""|Z*) false ;; esac; do
    info=$("$cli" -s "$room/s" INFO 2>/dev/null)
    case $info in *[!_]loading:0*)
        printf '%s\n' '{INFO}' "$info" '{CANARY}'
        [ -z "$canary" ] || "$cli" -s "$room/s" GET "$canary"
        exit 0;;
    esac
    sleep 0.05
done
echo '{LOG}'; tail -n 40 "$room/log"
[ -s "$room/log" ] || echo "sh: it was not loaded within $limit seconds"
"""
HOLDER = r"""
ss -H -l -t -n -p "sport = :$1" 2>/dev/null; echo @@
docker ps --filter "publish=$1" --format '{{.Names}}' 2>/dev/null
"""


class LinuxHost:
    """The host that a plan's service runs on, reached by `shell`, over `ssh` where that is another machine.

    Of the plan only the names in its unit are used: it may still wait for what the host tells.
    """

    def __init__(self, shell: Shell, ssh: SshLine | None, plan: Plan) -> None:
        assert plan.unit is not None
        self._shell = shell
        self._ssh = ssh
        self._unit = plan.unit
        self._data = plan.persistence.directory
        self._insight = plan.insight
        self._seen: Machine | Missing | None = None

    def look(self) -> Machine | Missing:
        """Everything that the host tells, now; Missing when it does not answer to the end."""
        unit = self._unit
        own = (unit.config_directory, self._data, unit.backup_directory, PRESET_FOLDER)
        folders = (*own, PASSWORDS, SITE)
        insight = (self._insight.name, self._insight.image) if self._insight else ("-", "-")
        words = (unit.name, unit.package, unit.tools, self._data, *insight)
        answer = self._shell.script(SCRIPT, *words, *folders, "--", *KERNEL_FILES)
        text = answer.output.decode("utf-8", "replace")
        self._seen = self._with_nginx(parse_machine(text, why_not_root=self._shell.why_not_root))
        return self._seen

    def _with_nginx(self, seen: Machine | Missing) -> Machine | Missing:
        """Ask for nginx too where a site of RedisInsight is declared, or lies there."""
        declared = self._insight is not None and self._insight.site
        if isinstance(seen, Missing) or not (declared or {PASSWORDS, SITE} & set(seen.folders)):
            return seen
        return seen._replace(web=look_at_nginx(self._shell, self._insight))

    def glance(self) -> Machine | Missing:
        """The same, but the last look will do."""
        return self.look() if self._seen is None else self._seen

    def holder(self, port: int) -> str:
        """Say who listens on a TCP port there: the program and its process."""
        answer = self._shell.script(HOLDER, str(port))
        return parse_holder(answer.output.decode("utf-8", "replace"))

    def offered(self, package: str, version: str = "") -> tuple[str, ...] | Missing:
        """The versions of a package that apt could install there; Missing with apt's own complaint.

        apt's lists will do where they hold `version`, else the archives are asked, once a run.
        """
        return parse_offered(_offered(self._shell, package, version))

    def lets_in(self) -> bool | Missing:
        """Whether a new connection of ours is let in; here there is none to be made."""
        if self._ssh is None:
            return True
        import subprocess  # only where a firewall was switched on

        done = subprocess.run(
            self._ssh.fresh_argv("true"), stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        if done.returncode == 0:
            return True
        return Missing(self._ssh.explain(done.stderr.decode("utf-8", "replace"))[0])

    def knock(self, port: int) -> str | Missing:
        """What becomes of a connection from this machine to a port of the host."""
        if self._ssh is None:
            return Missing("this machine is the host itself: ask from another one, over ssh")
        return knock(self._ssh.host.host, port)

    def answers_inside(self, address: str, port: int) -> bool:
        """Whether a connection from the host itself to this address of its opens."""
        return self._shell.script(OPENS, address, str(port)).code == 0

    def seen_from(self, container: str, address: str, port: int) -> str | Missing:
        """What a server answers to PING, without a password, from inside a container of the host."""
        answer = self._shell.script(FROM_CONTAINER, container, address, str(port))
        if answer.code != 0:
            said = answer.errors.decode("utf-8", "replace").strip().split("\n")[-1]
            return Missing(said or "no connection")
        return answer.output.decode("utf-8", "replace").strip()

    def size(self, folder: str) -> int | Missing:
        """How many bytes lie in a folder of the host."""
        words = self._shell.script('du -sb -- "$1" 2>/dev/null', folder).output.split()
        return (
            int(words[0]) if words and words[0].isdigit() else Missing(f"{folder} cannot be read")
        )

    def load_copy(
        self,
        program: str,
        account: str,
        folder: str,
        options: tuple[str, ...],
        canary: str,
        limit: float,
    ) -> str:
        """Copy a folder, load the copy with a server that nobody reaches, and remove both."""
        words = (f"{limit:.0f}", canary, folder, program, account, *options)
        answer = self._shell.script(LOAD, *words)
        return (answer.output + answer.errors).decode("utf-8", "replace")

    def visit(self, site: str, secure: bool, path: str, password: Secret | None) -> str | Missing:
        """What nginx answers to a visitor of the site, asked at the host's loopback."""
        port = 443 if secure else 80
        relay = self._ssh.relay_argv("127.0.0.1", port) if self._ssh is not None else ()
        place = Endpoint(port=port, relay=relay)
        return visit(place, site, secure, path, password)

    def insight_health(self, port: int) -> str | Missing:
        """What RedisInsight says of itself at the host's loopback."""
        answer = self._shell.script(FETCH, str(port), HEALTH)
        return parse_health(answer.output.decode("utf-8", "replace"), port)


@cache
def _offered(shell: Shell, package: str, version: str) -> str:
    return shell.script(OFFERED, package, version).output.decode("utf-8", "replace")
