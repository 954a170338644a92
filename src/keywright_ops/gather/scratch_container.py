"""Loads a copy of data with a container of its own: the image that will serve it, no network, no write.

One `docker run --rm` from its beginning to its end: the script in it copies what it is given, starts the
server on a unix socket, prints what was loaded or the server's last words, and always ends: after a
time limit, and as soon as its standard input closes, which is when we end, however we end.
"""

import subprocess
import tempfile
import threading
from collections.abc import Sequence
from typing import IO

from keywright_ops.facts.loaded import CANARY, INFO, LOG, parse_scratch
from keywright_ops.model.absence import Missing
from keywright_ops.model.copies import Layout, Loaded

LABEL = "keywright.scratch"  # so that a person can tell what it is while it runs
LIMIT = 60.0  # seconds that copying and loading may take, unless the caller knows the size
GRACE = 30.0  # seconds that the engine may take to make and remove the container

# $1 the limit in seconds, $2 the canary's key ("" for none), then the server's own options.
# A background job says by a file that it has ended: `kill -0` would take a zombie for alive, and the
# first process of a container cannot be killed from within. INFO has async_loading:0 while it loads.
SCRIPT = f"""\
limit=$1 canary=$2; shift 2
for name in valkey-server redis-server; do server=$(command -v $name) && break; done
for name in valkey-cli redis-cli; do cli=$(command -v $name) && break; done
room=$(mktemp -d) || exit 1
exec 3<&0
{{ cat <&3 >/dev/null; : >$room/ended; }} &
{{ if [ -z "$server" ] || [ -z "$cli" ]; then echo 'sh: this image holds no server and client'
   else cp -R /from $room/data && "$server" --dir $room/data --unixsocket $room/socket "$@"
   fi; : >$room/ended; }} >$room/log 2>&1 </dev/null &
last=$(($(date +%s) + limit))
while [ ! -e $room/ended ] && [ $(date +%s) -le $last ]; do
    info=$("$cli" -s $room/socket INFO 2>/dev/null)
    case $info in *[!_]loading:0*)  # (not async_loading)
        printf '%s\\n' '{INFO}' "$info" '{CANARY}'
        [ -z "$canary" ] || "$cli" -s $room/socket GET "$canary"
        exit 0;;
    esac
    sleep 0.05
done
echo '{LOG}'
tail -n 40 $room/log
[ -e $room/ended ] || echo "sh: it was not loaded within $limit seconds"
"""


def load_in_container(
    docker: Sequence[str],
    image: str,
    source: str,
    layout: Layout,
    canary: str = "",
    limit: float = LIMIT,
) -> Loaded | Missing:
    """Load `source` (a volume's name or a folder of this host) with the server of `image`.

    `docker` is how the client is called, with its options. `source` is mounted read-only and stays as
    it is. Missing says why it does not load, in the server's own words, or the engine's.
    """
    argv = container_argv(docker, image, source, layout, canary, limit)
    with tempfile.TemporaryFile() as errors:
        try:
            # standard input stays open while we live: the script ends when it closes
            client = subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
            )
        except OSError as error:
            return Missing(f"cannot run {argv[0]}: {error.strerror}")
        output = _read(client, limit + GRACE)
        errors.seek(0)
        said = errors.read().decode("utf-8", "replace")
    if client.returncode and not output.startswith("=="):
        return Missing(f"no scratch container could be run: {_complaint(said)}")
    return parse_scratch(output)


def container_argv(
    docker: Sequence[str], image: str, source: str, layout: Layout, canary: str, limit: float
) -> tuple[str, ...]:
    """Return the one command; nothing in it is secret."""
    return (
        *(*docker, "run", "--rm", "-i", "--pull", "never", "--network", "none"),
        *("--label", f"{LABEL}=1", "--user", "0:0"),
        # root without its powers, but for reading what belongs to the server's user
        *("--cap-drop", "ALL", "--cap-add", "DAC_OVERRIDE"),
        *("--security-opt", "no-new-privileges"),
        *("-v", f"{source}:/from:ro", "--entrypoint", "sh", image),
        *("-c", SCRIPT, "keywright", f"{limit:.0f}", canary),
        *load_options(layout),
    )


def load_options(layout: Layout) -> tuple[str, ...]:
    """Return what a server is told that loads a copy: nobody to hear, nothing to write, which files."""
    return (
        *("--port", "0", "--save", "", "--daemonize", "no", "--logfile", ""),
        *("--appendonly", "yes" if layout.appendonly else "no"),
        *(word for name, value in layout.settings for word in (f"--{name}", value)),
    )


def _complaint(said: str) -> str:
    """What the client complains of: its line that begins with its name, without that."""
    lines = [line for line in said.splitlines() if line.strip() and "--help" not in line]
    own = [line for line in lines if line.startswith("docker: ")] or lines or ["no reason given"]
    return own[0].removeprefix("docker: ").rstrip(".")


def _read(client: "subprocess.Popen[bytes]", limit: float) -> str:
    """Read all that the client prints, and end it when that takes too long."""
    watch = threading.Timer(limit, client.kill)
    watch.start()
    try:
        assert client.stdout is not None
        output = client.stdout.read().decode("utf-8", "replace")
        client.wait()
    finally:
        watch.cancel()
        client.kill()  # it has ended, unless we were interrupted
        client.wait()
        _close(client.stdin)
        _close(client.stdout)
    return output


def _close(stream: IO[bytes] | None) -> None:
    if stream is not None:
        stream.close()
