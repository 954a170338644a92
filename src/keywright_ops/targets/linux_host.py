"""A Linux host: asked everything that the plan and the diff need by one script in one round trip."""

from keywright_ops.facts.machine import parse_holder, parse_machine
from keywright_ops.model.absence import Missing
from keywright_ops.model.machine import Machine
from keywright_ops.model.plan import Plan
from keywright_ops.render.kernel import KERNEL_FILES
from keywright_ops.targets.shell import Shell

ROLLBACK = "keywright-ufw-rollback.timer"

# Each answer stands below a line "@@ NAME". What a program says when it is not there is nothing.
# $1 unit, $2 and $3 packages, $4 the data's folder, then folders, "--", and the kernel's files.
SCRIPT = r"""
export LC_ALL=C
at() { printf '\n@@ %s\n' "$1"; }
unit=$1 package=$2 tools=$3 data=$4; shift 4
at os; cat /etc/os-release
at init; cat /proc/1/comm
at root; id -u
at from; printf '%s\n' "$KEYWRIGHT_FROM"
at clock; date +%s
at container; systemd-detect-virt --container 2>/dev/null
at packages; dpkg-query -W -f '${Package}\t${Version}\t${db:Status-Status}\t${db:Status-Want}\n' \
    "$package" "$tools" ufw docker.io docker-ce nginx-light nginx-core nginx 2>/dev/null
at policy; apt-cache policy "$package" "$tools" 2>/dev/null
at audit; dpkg --audit 2>/dev/null | head -n 20
at units; systemctl show -p Id,LoadState,ActiveState,SubState,UnitFileState,NeedDaemonReload,Result \
    "$unit.service" docker.service nginx.service keywright-thp.service @ROLLBACK@ 2>/dev/null
at addresses; ip -o addr 2>/dev/null
at sshd; { sshd -T || /usr/sbin/sshd -T; } 2>/dev/null | grep -E '^port '
at free; while [ ! -d "$data" ]; do data=${data%/*}; done; df -Pk "${data:-/}"
at docker; docker version --format '{{.Server.Version}}' 2>/dev/null
at folders
while [ "$#" -gt 0 ] && [ "$1" != -- ]; do stat -c '%U %G %a %n' "$1" 2>/dev/null; shift; done
at kernel; shift
for file; do printf '%s\t' "$file"; cat "$file" 2>/dev/null || echo; done
""".replace("@ROLLBACK@", ROLLBACK)


HOLDER = 'ss -H -l -t -n -p "sport = :$1" 2>/dev/null'


class LinuxHost:
    """The host that a plan's service runs on, reached by `shell`.

    Of the plan only the names in its unit are used: it may still wait for what the host tells.
    """

    def __init__(self, shell: Shell, plan: Plan) -> None:
        assert plan.unit is not None
        self._shell = shell
        self._unit = plan.unit
        self._data = plan.persistence.directory
        self._seen: Machine | Missing | None = None

    def look(self) -> Machine | Missing:
        """Everything that the host tells, now; Missing when it does not answer to the end."""
        unit = self._unit
        folders = (unit.config_directory, self._data, unit.backup_directory)
        words = (unit.name, unit.package, unit.tools, self._data)
        answer = self._shell.script(SCRIPT, *words, *folders, "--", *KERNEL_FILES)
        text = answer.output.decode("utf-8", "replace")
        self._seen = parse_machine(text, why_not_root=self._shell.why_not_root)
        return self._seen

    def glance(self) -> Machine | Missing:
        """The same, but the last look will do."""
        return self.look() if self._seen is None else self._seen

    def holder(self, port: int) -> str:
        """Say who listens on a TCP port there: the program and its process."""
        answer = self._shell.script(HOLDER, str(port))
        return parse_holder(answer.output.decode("utf-8", "replace"))
