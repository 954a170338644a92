"""Combinations of values that cannot be: each alone is right, together no server would do it.

Each rule yields (key, reason, hint); the key is the path inside the environment.
"""

from collections.abc import Iterator

from keywright_ops.profile.addresses import is_loopback, is_public
from keywright_ops.profile.declared import Profile, Values
from keywright_ops.profile.fields import OWN_NAMES
from keywright_ops.profile.values import Share, format_docker_size, format_redis_size

Impossible = Iterator[tuple[str, str, str]]
# Docker refuses a smaller memory limit. Bytes.
DOCKER_LEAST_MEMORY = 6 * 2**20
# What ends a word in nginx's configuration, or stands for something in it.
NGINX_READS = frozenset(" \"'\\;{}$#")


def impossible(profile: Profile, environment: str) -> Impossible:
    """Yield every impossible combination of one environment."""
    values = Values(profile, environment)
    if values.takes("port") and values.any("port") == "auto" and values.kind != "local":
        reason = "only a server on this machine can take the first free port"
        yield "port", reason, "write a number, such as 6379"
        return
    if values.takes("port"):
        yield from memory(values)
        yield from tls(values)
        yield from login(values)
        yield from exposure(values)
    if values.takes("image"):
        yield from image(values)
    yield from firewall(values)
    yield from ports(values)
    yield from site(values)
    yield from application(values)
    yield from shared_names(profile, values)


def memory(values: Values) -> Impossible:
    """Data must fit into the container, with room for the server itself."""
    declared = values.memory()
    limit = values.number("container.memory") if values.takes("container.memory") else 0
    if isinstance(declared, Share):
        if not limit:
            reason = "a percentage is one of container.memory, and there is no such limit here"
            yield "maxmemory", reason, 'write a size, such as maxmemory = "512mb"'
        return
    if not limit:
        return
    if limit < DOCKER_LEAST_MEMORY:
        yield "container.memory", "docker takes no limit below 6m", 'write container.memory = "1G"'
    hint = 'write a size below the limit, such as maxmemory = "60%"'
    if declared == 0:
        reason = (
            f"without a limit of its own the server is ended by the kernel at the container's"
            f" {format_docker_size(limit)}"
        )
        yield "maxmemory", reason, hint
    elif declared >= limit:
        reason = (
            f"{format_redis_size(declared)} do not fit into the container's"
            f" {format_docker_size(limit)}"
        )
        yield "maxmemory", reason, hint


def tls(values: Values) -> Impossible:
    """TLS has Keywright's own certificate, or a person's with its key and authority."""
    paths = ("tls.cert_file", "tls.key_file", "tls.ca_cert_file")
    given = [path for path in paths if values.text(path)]
    if not given:
        yield from _own_tls(values)
        return
    if values.origin("tls.enabled") and not values.flag("tls.enabled"):
        reason = "a certificate is given, and with one TLS is on"
        yield "tls.enabled", reason, f"leave it out, or take {', '.join(given)} out"
    if values.changed("tls.names"):
        reason = "they are for Keywright's own certificate, and another one is given"
        yield "tls.names", reason, "leave them out, or take tls.cert_file and the rest out"
    for path in paths:
        if path not in given:
            yield (
                path,
                "TLS needs certificate, key and authority, and this one is missing",
                ("self-signed needs an authority too: the server refuses to start without"),
            )
    yield from _one_port(values)
    folders = {values.text(path).rpartition("/")[0] for path in given}
    if values.takes("image") and (len(folders) > 1 or folders & {"", "/data"}):
        reason = "the compose file mounts one folder for all three files"
        yield "tls.cert_file", reason, 'put them into one, such as "/certs/redis.crt"'


def image(values: Values) -> Impossible:
    """An image that says whose server it is must be the engine's."""
    name = values.text("image").partition("@")[0].rpartition("/")[2]
    other = "valkey" if values.engine() == "redis" else "redis"
    if values.origin("engine") and other in name and values.engine() not in name:
        reason = f"{values.text('image')} is {other.title()} by its name, and engine is not"
        yield "image", reason, f'take image out, or write engine = "{other}"'


def _own_tls(values: Values) -> Impossible:
    """Without a person's certificate: TLS by Keywright's own authority, or none."""
    if values.flag("tls.enabled"):
        if values.flag("tls.auth_clients"):
            reason = "Keywright's authority makes no certificates for clients"
            yield "tls.auth_clients", reason, "leave it out, or bring your own: tls.cert_file"
        yield from _one_port(values)
        return
    hint = "write tls.enabled = true, or give tls.cert_file, tls.key_file, tls.ca_cert_file"
    for path in ("tls.port", "tls.names", "tls.auth_clients"):
        if values.changed(path):
            yield path, "TLS has no certificate here", hint
    if values.origin("port") and values.any("port") == 0:
        yield "port", "port 0 answers nobody while TLS has no certificate", f"{hint}; or a port"


def _one_port(values: Values) -> Impossible:
    """Both ports may be open, for the time in which clients move; they cannot be one."""
    if values.origin("port") and values.any("port") == values.number("tls.port"):
        reason = f"TLS has port {values.number('tls.port')} already"
        yield "port", reason, "leave port out; another number beside TLS keeps both open"
    both = values.origin("port") and values.any("port") and values.takes("publish")
    if both and values.text("publish").rpartition(":")[2] == str(values.number("tls.port")):
        reason = f"while both ports are open {values.number('tls.port')} is published for TLS"
        yield "publish", reason, "publish the port without TLS under another number meanwhile"


def login(values: Values) -> Impossible:
    """Whoever logs in must be a user that exists and is on."""
    username = values.text("app.username")
    if username not in ("", "default", "appuser", "admin"):
        reason = "the application logs in as default, appuser or admin"
        yield "app.username", reason, 'write app.username = "appuser"'
    if values.text("default_user") == "off":
        if username in ("", "default"):
            reason = "the default user is off, and the application would log in as it"
            yield "app.username", reason, 'write app.username = "appuser"'
        if values.takes("insight.user") and values.text("insight.user") == "default":
            reason = "the default user is off, and RedisInsight would log in as it"
            yield "insight.user", reason, 'write insight.user = "viewer"'
    if values.number("app.database") >= values.number("databases"):
        reason = f"there are {values.number('databases')} databases, counted from 0"
        yield "app.database", reason, "write a smaller number, or more databases"


def exposure(values: Values) -> Impossible:
    """Passwords and data do not cross the internet in the clear; and somebody must be let in."""
    # with both ports open passwords may cross in the clear as well
    encrypted = values.encrypted() and not (values.origin("port") and values.any("port"))
    bind = values.words("bind")
    for address in bind:
        if not encrypted and is_public(address):
            reason = f"{address} is a public address, and without TLS passwords cross it readable"
            yield "bind", reason, "write tls.enabled = true, or bind a private address"
    if not values.takes("publish"):
        return
    if all(is_loopback(address) for address in bind):
        reason = "inside a container loopback is reached by nobody else"
        yield "bind", reason, "leave it out; publish decides who reaches the container"
    published = values.text("publish").rpartition(":")[0]
    if published and not encrypted and is_public(published):
        reason = f"{published} is a public address, and without TLS passwords cross it readable"
        yield "publish", reason, "write tls.enabled = true, or publish on 127.0.0.1"


def firewall(values: Values) -> Impossible:
    """No rule opens SSH or an unencrypted server to the world."""
    for path in ("allow_from", "admin_from"):
        if not values.takes(path):
            continue
        if path == "allow_from" and (not values.takes("tls.enabled") or values.encrypted()):
            continue
        for network in values.words(path):
            if network.endswith("/0"):
                what = "SSH" if path == "admin_from" else "a server without TLS"
                yield path, f"{network} would open {what} to the world", "name your own networks"


def ports(values: Values) -> Impossible:
    """Two programs cannot have one port."""
    if not values.takes("insight.port") or not values.flag("insight.enabled"):
        return
    insight = values.number("insight.port")
    if values.takes("publish"):
        taken = values.text("publish").rpartition(":")[2]
    else:
        taken = str(values.inner_port())
    if taken == str(insight):
        reason = f"the server has port {insight} already"
        yield "insight.port", reason, "write another port"


def site(values: Values) -> Impossible:
    """The site of RedisInsight has Let's Encrypt's certificate, or a person's with its key."""
    paths = ("insight.site_cert_file", "insight.site_key_file")
    given = [path for path in paths if values.takes(path) and values.text(path)]
    if values.takes("insight.site") and ":" in values.text("insight.site"):
        reason = "the site's name stands alone: it is at the ports 80 and 443"
        yield "insight.site", reason, 'write a name such as "insight.example.com"'
    if not given:
        return
    if not values.text("insight.site"):
        reason = "a certificate is given, and no site is declared"
        yield given[0], reason, 'write insight.site = "insight.example.com"'
    for path in paths:
        if path not in given:
            yield path, "the site needs a certificate and its key, and this one is missing", ""
        elif set(values.text(path)) & NGINX_READS or not values.text(path).isprintable():
            reason = f"nginx would read {values.text(path)!r} as something else"
            yield path, reason, "give the file a name of letters, digits, - _ and ."


def application(values: Values) -> Impossible:
    """The application must be able to reach the server from where it runs."""
    if values.text("app.host"):
        return
    inside = values.text("app.runs_in") == "container"
    if values.takes("publish") and not inside and not values.text("publish"):
        reason = "an application on the host cannot reach a container that publishes nothing"
        yield "app.runs_in", reason, 'write publish = "127.0.0.1:6379" as well'
    if values.kind == "local" and inside and all(map(is_loopback, values.words("bind"))):
        reason = "an application in a container cannot reach the host's loopback"
        yield "app.runs_in", reason, "bind docker0's address as well, and write it as app.host"


def shared_names(profile: Profile, values: Values) -> Impossible:
    """Two Docker environments may not share what one of them would take from the other."""
    if not values.takes("container.name"):
        return
    for other_name in profile.environments:
        other = Values(profile, other_name)
        if other_name == values.environment or not other.takes("container.name"):
            continue
        for path in OWN_NAMES:
            if path == "container.compose_file":
                continue  # its folder counts too
            if values.origin(path) and values.text(path) == other.text(path):
                reason = f"env.{other_name} has {values.text(path)!r} already, and would lose it"
                yield path, reason, f"give env.{values.environment} a name of its own"
        files = [
            f"{each.text('directory')}/{each.text('container.compose_file')}"
            for each in (values, other)
        ]
        if values.origin("container.compose_file") and files[0] == files[1]:
            reason = f"env.{other_name} has the file {files[0]!r} already"
            yield "container.compose_file", reason, "give it a name of its own"
