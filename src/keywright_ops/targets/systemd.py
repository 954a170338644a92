"""The supervisor of a systemd host: the service is started and stopped by systemctl and nobody else.

Rule 1: a server that is to end is asked by `systemctl stop`: after a plain SIGTERM `Restart=always` would
start it again.
Rule 2: what is signalled is this very process, by its id and its start time.
"""

from keywright.errors import ApplyError, Refused
from keywright_ops.facts.process import parse_listeners
from keywright_ops.facts.unit import parse_main_process
from keywright_ops.model.absence import Missing
from keywright_ops.model.host import Process
from keywright_ops.model.plan import Plan
from keywright_ops.targets.docker import told
from keywright_ops.targets.shell import Answer, Shell

LOG_TAIL = "12"  # lines that are read for the server's last words

FIND = r"""
export LC_ALL=C
told=$(systemctl show -p MainPID,ActiveState,SubState,Result,LoadState "$1.service")
printf '%s\n' "$told"
pid=${told#*MainPID=}; pid=${pid%%[!0-9]*}
[ "${pid:-0}" -gt 0 ] && [ -d "/proc/$pid" ] || exit 0
echo; cat "/proc/$pid/stat"; readlink "/proc/$pid/exe" || echo; tr '\0' '\n' < "/proc/$pid/cmdline"
"""
# Until it has a process or has failed: for an instant after `start` there is neither.
START = r"""
systemctl reset-failed "$1.service" 2>/dev/null
@CURSOR@
systemctl start --no-block "$1.service" || exit 1
tries=0
while [ "$tries" -lt 100 ]; do
    pid=$(systemctl show -p MainPID --value "$1.service")
    sub=$(systemctl show -p SubState --value "$1.service")
    [ "${pid:-0}" -eq 0 ] && [ "$sub" != auto-restart ] && [ "$sub" != failed ] || break
    tries=$((tries + 1)); sleep 0.05
done
"""
SIGNAL = r"""
start=$(sed 's/.*) //' "/proc/$2/stat" 2>/dev/null | cut -d ' ' -f 20)
[ -z "$start" ] && exit 0
[ "$start" = "$3" ] || exit 9
@CURSOR@
if [ "$4" = TERM ]; then systemctl stop --no-block "$1.service"; else kill -s "$4" "$2"; fi
"""
# Where the journal stands now, so that only what is said from here on counts.
CURSOR = 'journalctl -q -u "$1.service" -n 0 --show-cursor 2>/dev/null | sed -n "s/^-- cursor: //p"'
WORDS = r"""
if [ -n "$2" ]; then tail -n "$4" "$2"; fi
if [ -n "$3" ]; then
    # what the server has written may be on its way to the journal still
    journalctl --sync 2>/dev/null; tries=0
    while [ "$tries" -lt 10 ] && [ -z "$2" ] &&
        [ -z "$(journalctl -q "_SYSTEMD_UNIT=$1.service" -n 1 -o cat --after-cursor="$3")" ]; do
        tries=$((tries + 1)); sleep 0.1
    done
    journalctl -q -u "$1.service" -n "$4" -o cat --after-cursor="$3"
else
    run=$(systemctl show -p InvocationID --value "$1.service")
    journalctl -q "_SYSTEMD_INVOCATION_ID=$run" "_SYSTEMD_UNIT=$1.service" -n "$4" -o cat
fi
"""
# Which sockets a process holds only root is shown; whose account a listener is, everybody.
LISTENS = r"""
stat -c %u "/proc/$1"; echo @@
ls -l "/proc/$1/fd" 2>/dev/null | sed -n 's/.*socket:\[\([0-9]*\)\].*/\1/p'; echo @@
cat /proc/net/tcp; echo @@; cat /proc/net/tcp6 2>/dev/null
"""


class SystemdSupervisor:
    """Looks after the plan's service through a shell on its host."""

    def __init__(self, shell: Shell, plan: Plan) -> None:
        assert plan.unit is not None
        self._shell = shell
        self._unit = plan.unit.name
        logfile = plan.directive("logfile")
        self._log_file = logfile.value if logfile else ""
        self._cursor = ""

    def find(self) -> Process | Missing:
        """The service's main process, as systemd knows it."""
        answer = self._shell.script(FIND, self._unit)
        return parse_main_process(answer.output.decode("utf-8", "surrogateescape"), self._unit)

    def start(self, program: str = "", service: str = "") -> None:
        """Start the service and return when it has a process, or has failed to have one."""
        del program, service  # the unit names its program, and there is one service
        self._since(self._demand("start", START, self._unit))

    def recreate(self, service: str = "") -> None:
        """Start it: a service has nothing else that could be made anew."""
        self.start(service=service)

    def stop(self) -> None:
        """Ask systemd to end it, and not to start it again; none running is fine."""
        self._demand("stop", 'systemctl stop --no-block "$1.service"', self._unit)

    def signal(self, process: Process, name: str) -> None:
        """Send TERM, CONT or KILL to this very process; raises Refused when it is not it any more."""
        words = (self._unit, str(process.pid), process.start, name)
        answer = self._shell.script(_with_cursor(SIGNAL), *words)
        if answer.code == 9:
            raise Refused(f"process {process.pid} is not this environment's server any more")
        self._since(self._judge("stop", answer))

    def last_words(self) -> tuple[str, ...]:
        """The last lines that the server logged since we started or signalled it, newest last."""
        answer = self._shell.script(WORDS, self._unit, self._log_file, self._cursor, LOG_TAIL)
        lines = answer.output.decode("utf-8", "replace").splitlines()
        return tuple(line for line in lines if line.strip())

    def listens_on(self, process: Process) -> tuple[tuple[str, int], ...] | Missing:
        """The addresses and ports on which this very process listens, from the kernel's own lists."""
        answer = self._shell.script(LISTENS, str(process.pid))
        text = answer.output.decode("ascii", "replace")
        owner, inodes, *tables = text.split("@@\n")
        held, account = set(inodes.split()), owner.strip()
        rows = [row for table in tables for row in parse_listeners(table)]
        if not held and account in ("", "0"):
            return Missing(f"the sockets of process {process.pid} cannot be seen")
        return tuple(
            (row.address, row.port)
            for row in rows
            if (row.inode in held if held else str(row.user) == account)
        )

    def _demand(self, verb: str, script: str, *words: str) -> str:
        return self._judge(verb, self._shell.script(_with_cursor(script), *words))

    def _judge(self, verb: str, answer: Answer) -> str:
        if answer.code != 0:
            errors = answer.errors.decode("utf-8", "replace")
            hint = f"systemctl status {self._unit}; journalctl -u {self._unit} -n 50"
            raise ApplyError(f"systemctl {verb} {self._unit} failed: {told(errors)}", hint)
        return answer.output.decode("ascii", "replace")

    def _since(self, printed: str) -> None:
        cursor = printed.strip().split("\n")[0]
        if cursor:
            self._cursor = cursor


def _with_cursor(script: str) -> str:
    return script.replace("@CURSOR@", CURSOR)
