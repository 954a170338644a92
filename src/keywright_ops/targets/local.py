"""The transport for this machine: files and programs, without a shell in between."""

import os
from collections.abc import Sequence
from stat import S_ISGID

from keywright.errors import ApplyError
from keywright.secret import Secret
from keywright_ops.facts.process import parse_netstat, parse_proc_net_tcp
from keywright_ops.model.absence import NOT_THERE, Missing
from keywright_ops.model.host import File
from keywright_ops.targets import proc
from keywright_ops.targets.target import Completed


class LocalTransport:
    """Reaches this machine itself, with the rights of the person who runs Keywright."""

    def read(self, path: str) -> bytes | Missing:
        """The file's bytes; Missing when it is not there or not readable."""
        try:
            with open(path, "rb") as stream:
                return stream.read()
        except FileNotFoundError:
            return Missing(NOT_THERE)
        except OSError as error:
            return Missing(f"{path}: {error.strerror}")

    def file(self, path: str) -> File | Missing:
        """Digest, mode and owner; Missing(NOT_THERE) only when the file does not exist."""
        content = self.read(path)
        if isinstance(content, Missing):
            return content
        from hashlib import sha256  # loads OpenSSL: 3 ms

        found = os.stat(path)
        return File(sha256(content).hexdigest(), found.st_mode & 0o7777, str(found.st_uid))

    def files(self, paths: Sequence[str]) -> dict[str, File | Missing]:
        """The same for many files."""
        return {path: self.file(path) for path in paths}

    def mode(self, path: str) -> int | Missing:
        """The permission bits; Missing(NOT_THERE) only when the file does not exist."""
        try:
            return os.stat(path).st_mode & 0o7777
        except FileNotFoundError:
            return Missing(NOT_THERE)
        except OSError as error:
            return Missing(f"{path}: {error.strerror}")

    def names(self, folder: str) -> tuple[str, ...] | Missing:
        """The names in a folder, sorted; () when the folder does not exist."""
        try:
            return tuple(sorted(os.listdir(folder)))
        except FileNotFoundError:
            return ()
        except OSError as error:
            return Missing(f"{folder}: {error.strerror}")

    def write(self, path: str, content: bytes, mode: int) -> None:
        """Replace the file atomically and durably: temporary file, fsync, rename, fsync of the folder."""
        folder = os.path.dirname(path)
        # one name, so that what a killed run leaves is written over by the next one
        temporary = f"{folder}/.{os.path.basename(path)}.keywright"
        try:
            make_folders(folder)
            # created closed to everybody else: between creation and rename it may hold a secret
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                with os.fdopen(handle, "wb") as stream:
                    stream.write(content)
                    stream.flush()
                    _keep_owner(stream.fileno(), path)
                    os.fchmod(stream.fileno(), mode)
                    os.fsync(stream.fileno())
                os.rename(temporary, path)
            except BaseException:
                os.unlink(temporary)
                raise
            sync_folder(folder)
        except OSError as error:
            raise _failed("write", path, error) from None

    def remove(self, path: str) -> None:
        """Remove a file; one that is not there is fine."""
        try:
            os.unlink(path)
        except FileNotFoundError:
            return
        except OSError as error:
            raise _failed("remove", path, error) from None

    def copy(self, source: str, destination: str) -> None:
        """Copy a file or a folder with all in it; the copy belongs to its owner alone."""
        import shutil  # 4 ms: not on the way of `status`

        try:
            make_folders(os.path.dirname(destination))
            if os.path.isdir(source):
                shutil.copytree(source, destination, copy_function=shutil.copyfile)
                os.chmod(destination, 0o700)
            else:
                content = self.read(source)
                if isinstance(content, Missing):
                    raise ApplyError(f"cannot copy {source}: {content.why}")
                self.write(destination, content, 0o600)
        except OSError as error:
            raise _failed("copy", source, error) from None

    def move(self, source: str, destination: str) -> None:
        """Rename within the file system; an existing destination is an error."""
        if os.path.lexists(destination):
            raise ApplyError(f"cannot move {source}: {destination} exists already")
        try:
            os.rename(source, destination)
            sync_folder(os.path.dirname(destination))
        except OSError as error:
            raise _failed("move", source, error) from None

    def run(self, argv: Sequence[str], stdin: str | Secret = "") -> Completed:
        """Run a program to its end."""
        import subprocess  # 8 ms: not on the way of `status`

        text = stdin.reveal() if isinstance(stdin, Secret) else stdin
        try:
            done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
        except OSError as error:
            raise ApplyError(f"cannot run {argv[0]}: {error.strerror}") from None
        return Completed(done.returncode, done.stdout, done.stderr)

    def listening(self, port: int) -> tuple[str, ...] | Missing:
        """The local addresses on which this TCP port is open, from the kernel's own list."""
        if not os.path.isdir("/proc/self"):  # macOS
            done = self.run(("netstat", "-an", "-p", "tcp"))
            return parse_netstat(done.output, port) if done.code == 0 else Missing(done.errors)
        # twice: the kernel skips rows when sockets come and go while its list is read
        texts = [proc.listeners(table) for table in proc.TABLES * 2]
        found = [address for text in texts for address in parse_proc_net_tcp(text, port)]
        return tuple(dict.fromkeys(found))

    def bind_problem(self, host: str, port: int) -> str:
        """Why nothing can listen there now, tried by binding it; "" when it can."""
        from keywright_ops.targets.ports import bind_problem  # `status` binds nothing

        return bind_problem(host, port)


def make_folders(path: str) -> None:
    """Make a folder and every missing one above it for their owner alone, whatever the umask.

    Below a folder that was given to a group (setgid: a container's account reads there) it is given too.
    """
    if os.path.isdir(path):
        return
    make_folders(os.path.dirname(path))
    try:
        os.mkdir(path, 0o700)
        above = os.stat(os.path.dirname(path)).st_mode
        if above & S_ISGID:
            os.chmod(path, above & 0o7777)
    except FileExistsError:
        if not os.path.isdir(path):
            raise NotADirectoryError(20, "a folder is needed there", path) from None


def _keep_owner(handle: int, path: str) -> None:
    """Give a file the owner and group of the one that it replaces, as far as we may."""
    try:
        before, now = os.stat(path), os.fstat(handle)
        if before.st_gid != now.st_gid:
            os.fchown(handle, -1, before.st_gid)
        if before.st_uid != now.st_uid:
            os.fchown(handle, before.st_uid, -1)
    except OSError:
        return  # none is there yet, or it is another's: ours it is then


def sync_folder(folder: str) -> None:
    """Make the names in a folder last: what was renamed or removed there survives a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


HINTS = {
    "ENOSPC": "free some space on that disk, then run the same command again",
    "EDQUOT": "your disk quota is used up: free some space, then run the same command again",
    "EACCES": "does the folder belong to another user (was Keywright once run with sudo)?",
    "EPERM": "does the folder belong to another user (was Keywright once run with sudo)?",
    "EROFS": "the file system is mounted read-only",
    "EFBIG": "a limit on file sizes (ulimit -f) is in the way",
    "ENOTDIR": "a file stands where a folder is needed: move it away",
}


def _failed(verb: str, path: str, error: OSError) -> ApplyError:
    import errno  # built in; only an error needs it

    name = errno.errorcode.get(error.errno or 0, "")
    return ApplyError(f"cannot {verb} {path}: {error.strerror}", HINTS.get(name, ""))
