"""Where an environment's own server answers, and whether TLS is spoken there."""

from collections.abc import Mapping

from keywright.endpoint import Endpoint, Tls
from keywright.errors import Unreachable
from keywright_ops.facts.redis_conf import parse_redis_conf
from keywright_ops.model.absence import Missing
from keywright_ops.model.plan import Plan
from keywright_ops.targets.target import Supervisor, Transport

EVERYWHERE = {"*": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared only


def locate(supervisor: Supervisor, transport: Transport, plan: Plan) -> Endpoint:
    """Where the running server answers, asked of the kernel: its own sockets and nobody else's.

    Raises Unreachable when it does not run, is suspended or does not listen: whoever else listens on
    our port must never be told a password.
    """
    process = supervisor.find()
    if isinstance(process, Missing):
        raise Unreachable(process.why, "`keywright up` starts it")
    if process.suspended:
        raise Unreachable(
            f"the server (process {process.pid}) is suspended",
            f"`keywright up` lets it go on; so does `kill -CONT {process.pid}`",
        )
    disk = _on_disk(transport, plan)
    heard = supervisor.listens_on(process)
    told = not isinstance(heard, Missing)
    if isinstance(heard, Missing):
        heard = _written(disk, plan)
    if not heard:
        raise Unreachable(f"the server (process {process.pid}) does not listen on any port")
    # the declared port where it is among them (a cluster's bus is not it)
    order = sorted(heard, key=lambda each: (each[1] != plan.port, *_nearness(each[0])))
    host, number = order[0]
    return Endpoint(host=EVERYWHERE.get(host, host), port=number, tls=_tls(disk, number, told))


def _nearness(host: str) -> tuple[bool, bool, str]:
    """Loopback first, then IPv4."""
    return host not in ("127.0.0.1", "0.0.0.0"), ":" in host, host  # noqa: S104 - compared only


def _on_disk(transport: Transport, plan: Plan) -> Mapping[str, str]:
    """redis.conf, with which the server was started; {} when it has gone since."""
    content = transport.read(plan.conf_path)
    if isinstance(content, Missing):
        return {}
    return parse_redis_conf(content.decode("utf-8", "replace"))


def _tls(disk: Mapping[str, str], number: int, told: bool) -> Tls | None:
    """TLS on this port. Where the kernel has told whose socket it is, no certificate need say it again:
    one that has expired, or is being renewed, must not shut its own mender out."""
    if disk.get("tls-port", "0") != str(number):
        return None
    return Tls(ca_certs="" if told else disk.get("tls-ca-cert-file", ""), verify=not told)


def _written(disk: Mapping[str, str], plan: Plan) -> tuple[tuple[str, int], ...]:
    """What redis.conf says, for systems whose kernel does not tell who listens."""
    bind = disk.get("bind", "").split() or [b for b in plan.listen.bind if isinstance(b, str)]
    must = [each for each in bind if not each.startswith("-")] or ["127.0.0.1"]
    ports = (disk.get("port", "0"), disk.get("tls-port", "0"))
    known = [int(each) for each in ports if each.isdigit() and each != "0"]
    return ((must[0], known[0] if known else plan.port),)
