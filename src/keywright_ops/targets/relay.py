"""The way to a server that only its container reaches: `docker exec` carries the connection.

It works where a container's address does not (Docker Desktop, a remote engine), and opens no port.
"""

# Runs inside the container, under whatever `sh` its image has. Debian's images have bash, which opens
# the connection itself; Alpine's have busybox's nc. Either way two programs copy, one in each
# direction, and when one of them ends (we hung up, or the server did) the other is ended too: nobody
# else would, and it would stay in the container for ever. `kill 0` ends the whole process group, so
# the script first makes sure that this is its own: docker starts every exec in a session of its own.
# dd, because it passes on at once what it read; busybox's cat asks the kernel to copy 16 MB (sendfile)
# and recent kernels wait for them.
_SCRIPT = """\
read -r _ _ _ _ group _ < "/proc/$$/stat"
[ "$group" = "$$" ] || { echo "not in a process group of its own" >&2; exit 1; }
if command -v bash >/dev/null 2>&1; then
    exec bash -c '
        exec 3<>"/dev/tcp/127.0.0.1/$1" 4<&0 || exit 1
        { dd bs=64k <&4 >&3; kill 0; } 2>/dev/null &
        dd bs=64k <&3 2>/dev/null
        kill 0' bash "$1"
fi
command -v nc >/dev/null 2>&1 || { echo "the image has neither bash nor nc" >&2; exit 127; }
{ dd bs=64k 2>/dev/null; kill 0; } | { nc 127.0.0.1 "$1"; kill 0; }
"""


def container_relay(docker: str, container: str, port: int) -> tuple[str, ...]:
    """Return the argv whose standard input and output are a connection to `port` in a container.

    `docker` is the program. What goes wrong is said on standard error; the program ends with the
    connection, and leaves no process in the container.
    """
    return (docker, "exec", "-i", container, *port_relay(port))


def port_relay(port: int) -> tuple[str, ...]:
    """Return the argv that does it where the server is: inside the container."""
    return ("sh", "-c", _SCRIPT, "sh", str(port))
