"""Files of a Linux host through the shell there; what is the person's own lies on this machine.

Rule: a path lies here when it is one of `here` or below one of them (the environment's own folder, the
application's .env), else on the host. A copy may go from one side to the other: what a step overwrites there
is kept here, for its owner alone.
"""

from collections.abc import Iterable, Sequence

from keywright.errors import ApplyError
from keywright.secret import Secret
from keywright_ops.facts.process import parse_listeners
from keywright_ops.model.absence import NOT_THERE, Missing
from keywright_ops.model.host import File
from keywright_ops.targets.local import HINTS, LocalTransport
from keywright_ops.targets.ports import TAKEN
from keywright_ops.targets.shell import Answer, Shell
from keywright_ops.targets.target import Completed

GONE = 66  # the scripts' exit code for what is not there
EXISTS = 73
NOT_RUN = (126, 127)  # a shell's exit codes for what cannot be executed, and for what is not there

READ = '[ -e "$1" ] || exit 66; cat -- "$1"'
FILES = r"""
for path; do
    if [ ! -e "$path" ]; then echo -; continue; fi
    sum=$(sha256sum < "$path" 2>/dev/null) || { echo '!'; continue; }
    printf '%s %s\n' "${sum%% *}" "$(stat -L -c '%a %u' -- "$path")"
done
"""
MODE = '[ -e "$1" ] || exit 66; stat -L -c %a -- "$1"'
NAMES = '[ -e "$1" ] || exit 0; ls -A -- "$1"'
# A missing folder is its account's alone, or what the folder above it is that was given to a group.
FOLDERS = r"""
folders() {
    [ -d "$1" ] && return
    case $1 in */*) folders "${1%/*}" ;; esac || return
    mkdir -m "$FOLDER_MODE" -- "$1" || return
    above=$(stat -c %a -- "${1%/*}/.")
    case $above in 2???|3???|6???|7???) chmod "$above" -- "$1" ;; esac
}
"""
WRITE = (
    FOLDERS
    + r"""
FOLDER_MODE=$3
folders "${1%/*}" || exit
half=${1%/*}/.${1##*/}.keywright
rm -f -- "$half" && (umask 077; cat > "$half") || { rm -f -- "$half"; exit 1; }
if [ -e "$1" ]; then chown --reference="$1" -- "$half"; fi
chmod "$2" -- "$half" && sync -- "$half" && mv -f -T -- "$half" "$1" && sync -- "${1%/*}"
"""
)
REMOVE = 'rm -f -- "$1"'
COPY = (
    FOLDERS
    + r"""
FOLDER_MODE=0700
folders "${2%/*}" || exit
umask 077
if [ -d "$1" ]; then cp -R -- "$1" "$2" && chmod 700 -- "$2"; else cp -- "$1" "$2" && chmod 600 -- "$2"; fi
"""
)
MOVE = '[ ! -e "$2" ] || exit 73; mv -T -- "$1" "$2" && sync -- "${2%/*}"'
LISTENERS = "cat /proc/net/tcp; echo @@; cat /proc/net/tcp6 2>/dev/null"
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared, not bound
# What coreutils say, in lower case → the name of the error
COMPLAINTS = (
    ("no space left", "ENOSPC"),
    ("quota exceeded", "EDQUOT"),
    ("permission denied", "EACCES"),
    ("not permitted", "EPERM"),
    ("read-only file system", "EROFS"),
    ("file too large", "EFBIG"),
    ("not a directory", "ENOTDIR"),
)


class HostFiles:
    """The files of the shell's host, and those of `here` on this machine."""

    def __init__(self, shell: Shell, here: Iterable[str]) -> None:
        self._shell = shell
        self._own = LocalTransport()
        self._here = tuple(here)

    def _lies_here(self, path: str) -> bool:
        return any(path == own or path.startswith(f"{own}/") for own in self._here)

    def read(self, path: str) -> bytes | Missing:
        """The file's bytes; Missing when it is not there or not readable."""
        if self._lies_here(path):
            return self._own.read(path)
        answer = self._shell.script(READ, path)
        return answer.output if answer.code == 0 else _missing(path, answer)

    def file(self, path: str) -> File | Missing:
        """Digest, mode and owner; Missing(NOT_THERE) only when the file does not exist."""
        return self.files((path,))[path]

    def files(self, paths: Sequence[str]) -> dict[str, File | Missing]:
        """The same for many files, in one question to the host."""
        there = [path for path in paths if not self._lies_here(path)]
        found = {path: self._own.file(path) for path in paths if path not in there}
        if there:
            lines = self._shell.script(FILES, *there).output.decode("ascii").split("\n")
            found |= {path: _file(path, line) for path, line in zip(there, lines, strict=False)}
        return {path: found[path] for path in paths}

    def mode(self, path: str) -> int | Missing:
        """The permission bits alone."""
        if self._lies_here(path):
            return self._own.mode(path)
        answer = self._shell.script(MODE, path)
        return int(answer.output, 8) if answer.code == 0 else _missing(path, answer)

    def names(self, folder: str) -> tuple[str, ...] | Missing:
        """The names in a folder, sorted; () when the folder does not exist."""
        if self._lies_here(folder):
            return self._own.names(folder)
        answer = self._shell.script(NAMES, folder)
        if answer.code != 0:
            return _missing(folder, answer)
        lines = answer.output.decode("utf-8", "surrogateescape").split("\n")
        return tuple(sorted(line for line in lines if line))

    def write(self, path: str, content: bytes, mode: int) -> None:
        """Replace the file atomically and durably; it keeps its owner. Missing folders are made."""
        if self._lies_here(path):
            self._own.write(path, content, mode)
            return
        folder = "0755" if mode & 0o004 else "0700"
        self._demand("write", WRITE, path, f"{mode:o}", folder, stdin=content)

    def remove(self, path: str) -> None:
        """Remove a file; one that is not there is fine."""
        if self._lies_here(path):
            self._own.remove(path)
        else:
            self._demand("remove", REMOVE, path)

    def copy(self, source: str, destination: str) -> None:
        """Copy a file or, on one side, a folder; the copy belongs to its owner alone."""
        sides = (self._lies_here(source), self._lies_here(destination))
        if sides == (True, True):
            self._own.copy(source, destination)
        elif sides == (False, False):
            self._demand("copy", COPY, source, destination)
        else:
            content = self.read(source)
            if isinstance(content, Missing):
                raise ApplyError(f"cannot copy {source}: {content.why}")
            self.write(destination, content, 0o600)

    def move(self, source: str, destination: str) -> None:
        """Rename within the file system; an existing destination is an error."""
        if self._lies_here(source):
            self._own.move(source, destination)
            return
        self._demand("move", MOVE, source, destination)

    def run(self, argv: Sequence[str], stdin: str | Secret = "") -> Completed:
        """Run a program of the host to its end."""
        done = self._shell.run(argv, stdin)
        if done.code in NOT_RUN and not done.output:
            reason = done.errors.strip().rpartition(": ")[2] or "it cannot be started"
            raise ApplyError(f"cannot run {argv[0]}: {reason}")
        return done

    def listening(self, port: int) -> tuple[str, ...] | Missing:
        """The addresses of the host on which this TCP port is open, from its kernel's own list."""
        answer = self._shell.script(LISTENERS)
        tables = answer.output.decode("ascii", "replace").split("@@\n")
        rows = [row for table in tables for row in parse_listeners(table)]
        return tuple(dict.fromkeys(row.address for row in rows if row.port == port))

    def bind_problem(self, host: str, port: int) -> str:
        """Why nothing can listen there now (TAKEN); "" when nobody does."""
        heard = self.listening(port)
        if isinstance(heard, Missing):
            return heard.why
        taken = host in heard or any(each in EVERYWHERE for each in heard)
        return TAKEN if taken or (host in EVERYWHERE and heard) else ""

    def _demand(self, verb: str, script: str, path: str, *words: str, stdin: bytes = b"") -> None:
        answer = self._shell.script(f"export LC_ALL=C\n{script}", path, *words, stdin=stdin)
        if answer.code == 0:
            return
        if answer.code == EXISTS:
            raise ApplyError(f"cannot {verb} {path}: {words[0]} exists already")
        said = answer.errors.decode("utf-8", "replace").strip().split("\n")[-1]
        name = next((error for words, error in COMPLAINTS if words in said.lower()), "")
        reason = said.rpartition(": ")[2] or "it gave no reason"
        raise ApplyError(f"cannot {verb} {path}: {reason}", HINTS.get(name, ""))


def _file(path: str, line: str) -> File | Missing:
    """A line of FILES: digest, mode and owner; "-" for none, "!" for one that cannot be read."""
    words = line.split()
    if len(words) == 3:
        return File(words[0], int(words[1], 8), words[2])
    return Missing(NOT_THERE if line == "-" else f"{path}: it cannot be read")


def _missing(path: str, answer: Answer) -> Missing:
    if answer.code == GONE:
        return Missing(NOT_THERE)
    said = answer.errors.decode("utf-8", "replace").strip().rpartition(": ")[2]
    return Missing(f"{path}: {said or 'it cannot be read'}")
