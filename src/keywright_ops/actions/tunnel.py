"""tunnel: reach RedisInsight, or the server itself, on the machine that an environment runs on."""

import json
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from shlex import join
from typing import NamedTuple, NoReturn

from keywright.errors import ApplyError, InputError, Unreachable
from keywright_ops.actions.environment import open_plan
from keywright_ops.facts.ssh import parse_address, parse_ssh_failure
from keywright_ops.gather.engine_host import find_engine_host
from keywright_ops.gather.insight import insight_health
from keywright_ops.model.absence import Missing
from keywright_ops.model.engine_host import HERE, TCP, EngineHost, parse_engine_host
from keywright_ops.model.plan import Container, Plan
from keywright_ops.render.tunnel import Way, openssh_argv, putty_line, remote_argv, tunnel_argv
from keywright_ops.targets.docker import Docker, told
from keywright_ops.targets.local import LocalTransport
from keywright_ops.targets.ports import TAKEN, holder
from keywright_ops.targets.ssh import Tunnel

ADDRESSES = ("docker", "inspect", "--format", "{{json .NetworkSettings.Networks}}")


class Wish(NamedTuple):
    """What is asked for: the server instead of RedisInsight, a local port (0: the same number as
    there), a key ("" for ssh's own choice), and whether only the lines are wanted."""

    redis: bool = False
    local_port: int = 0
    key: str = ""
    only_print: bool = False


class TunnelReport(NamedTuple):
    """What to open, and the lines that reach it; without a `way` it is on this machine.

    `health` is what RedisInsight answered through the open tunnel, None while there is none.
    """

    plan: Plan
    host: EngineHost
    url: str
    way: Way | None
    openssh: str = ""
    putty: str = ""
    health: str | Missing | None = None


def tunnel(
    file: str | None,
    environment: str | None,
    environ: Mapping[str, str],
    wish: Wish,
    show: Callable[[TunnelReport], None],
) -> None:
    """Open the tunnel, show the report once it stands, and wait until Ctrl-C.

    On this machine, or with `only_print`, the report is all. Raises Unreachable with ssh's own reason.
    """
    _, plan = open_plan(file, environment, environ)
    transport = LocalTransport()
    if plan.unit is not None:
        host = parse_engine_host(plan.unit.host, f"env.{plan.environment}.host")
        wish = wish._replace(key=wish.key or plan.unit.key)
    elif plan.container is not None:
        host = find_engine_host(plan.container.host, environ, transport)
    else:
        raise InputError(
            f"environment {plan.environment} ({plan.kind}) is on no machine that ssh leads to",
            "a tunnel leads to Docker or a Linux host: `keywright tunnel -e prod`, -e linux",
        )
    if host.way == TCP:
        raise InputError(
            f"{host.source} is {host.url}, which does not say where ssh is",
            f'declare it: env.{plan.environment}.container.host = "ssh://user@{host.host}"',
        )
    report = _report(plan, host, wish, transport)
    if report.way is None or wish.only_print:
        show(report)
        return
    _refuse_taken(report.way.local_port, transport)
    with _ended_by_signals(), Tunnel(tunnel_argv(report.way), host, report.way.local_port) as line:
        line.wait_open(transport)
        show(
            report if wish.redis else report._replace(health=insight_health(report.way.local_port))
        )
        line.wait_end()


def _report(plan: Plan, host: EngineHost, wish: Wish, transport: LocalTransport) -> TunnelReport:
    if wish.redis:
        address, number = "127.0.0.1", plan.port  # where a service of a Linux host answers
        if plan.container is not None:
            address, number = _server(plan, plan.container, host, wish.key, transport)
        scheme = "rediss" if plan.listen.tls and not plan.listen.port else "redis"
        path = f"/{plan.application.database}"
    elif plan.insight is None:
        raise InputError(
            f"environment {plan.environment} has no RedisInsight",
            f"`keywright tunnel --redis` reaches the server; env.{plan.environment}.insight.enabled",
        )
    else:
        address, number, scheme, path = "127.0.0.1", plan.insight.port, "http", ""
    if host.way == HERE:
        where = f"[{address}]" if ":" in address else address
        return TunnelReport(plan, host, f"{scheme}://{where}:{number}{path}", None)
    way = Way(host, wish.local_port or number, address, number, wish.key)
    url = f"{scheme}://127.0.0.1:{way.local_port}{path}"
    return TunnelReport(plan, host, url, way, join(openssh_argv(way)), putty_line(way))


def _server(
    plan: Plan, container: Container, host: EngineHost, key: str, transport: LocalTransport
) -> tuple[str, int]:
    """Where the server answers on its host: the published address, else the container's own."""
    if container.publish:
        address, _, number = container.publish.rpartition(":")
        address = address.strip("[]")
        everywhere = address in ("0.0.0.0", "::")  # noqa: S104 - compared, not bound
        return "127.0.0.1" if everywhere else address, int(number)
    argv = (*ADDRESSES, container.name)
    if host.way == HERE:
        done = Docker(transport).run(*argv[1:])
    else:
        done = transport.run(remote_argv(host, key, join(argv)))
        if done.code == 255:  # ssh's own failure, as its manual says
            raise Unreachable(*parse_ssh_failure(done.errors, host))
    where = host.host or "this machine"
    if done.code != 0:
        raise Unreachable(
            f"docker on {where} does not tell where {container.name} is: {told(done.errors)}",
            f"is the environment up there? `keywright status -e {plan.environment}` on {where}",
        )
    address = parse_address(_json(done.output), container.network)
    if not address:
        raise Unreachable(
            f"{container.name} does not run on {where}", "`keywright up` there starts it"
        )
    return address, plan.port


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _refuse_taken(port: int, transport: LocalTransport) -> None:
    problem = transport.bind_problem("127.0.0.1", port)
    if problem == TAKEN:
        raise ApplyError(
            f"port {port} of this machine is taken by {holder(port)}",
            f"stop that, or choose another one: --local-port {port + 10000 if port < 50000 else 8001}",
        )
    if problem:
        raise ApplyError(f"port {port} of this machine cannot be used: {problem}", "--local-port")


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let Ctrl-C, a closed terminal and a plain kill end the waiting, and ssh with it."""

    def end(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    before = {each: signal.signal(each, end) for each in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    except KeyboardInterrupt:
        return
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
