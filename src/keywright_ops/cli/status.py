"""`keywright status`: one glance at an environment."""

import argparse
import os

from keywright_ops.actions.status import StatusReport, status
from keywright_ops.cli.main import EXIT_UNREACHABLE, EXIT_WELL
from keywright_ops.cli.show import (
    GREEN,
    RED,
    YELLOW,
    coloured,
    duration,
    environment_option,
    show_pairs,
    size,
)
from keywright_ops.model.absence import Missing
from keywright_ops.model.container import ContainerFacts
from keywright_ops.model.facts import Facts
from keywright_ops.steps.keyspace import keys_held
from keywright_ops.vault.file import OLD_DAYS


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add status' own arguments (none)."""


def run(arguments: argparse.Namespace) -> int:
    """Look and tell; exit 3 when the server does not answer."""
    report = status(arguments.file, arguments.env, os.environ)
    if arguments.json:
        _json(report)
    elif not arguments.quiet:
        _show(report)
    return EXIT_UNREACHABLE if isinstance(report.facts.info, Missing) else EXIT_WELL


def _json(report: StatusReport) -> None:
    from keywright_ops.cli.as_json import plan_json, server_json, show_json  # json costs 3 ms

    facts = report.facts
    info = {} if isinstance(facts.info, Missing) else facts.info
    show_json(
        "status",
        **plan_json(report.plan),
        running=not isinstance(facts.process, Missing),
        answers=not isinstance(facts.info, Missing),
        why=facts.info.why if isinstance(facts.info, Missing) else "",
        server=server_json(facts.server),
        keys=keys_held(facts),
        used_memory=int(info.get("used_memory", 0)),
        maxmemory=int(info.get("maxmemory", 0)),
        clients=int(info.get("connected_clients", 0)),
        evicted_keys=int(info.get("evicted_keys", 0)),
        restart_proof=report.restart._asdict() if report.restart else None,
        certificate=_certificate_json(report),
        oldest_password=report.oldest_password or None,
        rotations=dict(report.rotations),
        container=_container_json(facts),
        state=report.home,
    )


def _show(report: StatusReport) -> None:
    facts, plan = report.facts, report.plan
    name = f"{plan.app} · {plan.environment}"
    if isinstance(facts.info, Missing) or isinstance(facts.server, Missing):
        running = not isinstance(facts.process, Missing)
        word = "does not answer" if running else "not running"
        print(f"{coloured('✗', RED)} {name}: {word}")
        if running and isinstance(facts.info, Missing):
            print(f"  {facts.info.why}")
        where = environment_option(plan)
        print(f"  next: keywright up{where}")
        return
    info, server = facts.info, facts.server
    used, most = int(info["used_memory"]), int(info.get("maxmemory", 0))
    share = f" of {size(most)} ({used * 100 // most} %)" if most else ", no limit"
    address = f"{plan.application.host}:{plan.application.port}"
    print(f"{coloured('✓', GREEN)} {name}: {server.name} {server.version} on {address}")
    loaded = info.get("loading_loaded_perc", "?")
    loading = [("loading", f"its data, {loaded} %")] if info.get("loading", "0") != "0" else []
    show_pairs(
        [
            *loading,
            ("up", f"{duration(server.uptime)} (process {server.pid})"),
            ("memory", f"{size(used)}{share}, evicted keys: {info.get('evicted_keys', '?')}"),
            ("keys", str(keys_held(facts))),
            ("clients", info.get("connected_clients", "?")),
            *_container(report),
            *_service(report),
            *_kept(report),
            *_certificate(report),
            *_passwords(report),
        ]
    )


def _certificate(report: StatusReport) -> list[tuple[str, str]]:
    """Until when the certificate is valid, in colour where that is soon."""
    if report.plan.listen.tls is None:
        return []
    if isinstance(report.certificate, Missing):
        return [("TLS", f"no certificate can be read: {report.certificate.why}")]
    from keywright_ops.cli.tls import remaining  # only where there is TLS
    from keywright_ops.facts.certificate import day

    return [("TLS", f"until {day(report.certificate.not_after)}, {remaining(report.certificate)}")]


def _certificate_json(report: StatusReport) -> dict[str, object] | None:
    if isinstance(report.certificate, Missing):
        return None
    found = report.certificate
    return {"fingerprint": found.fingerprint, "not_after": found.not_after}


def _passwords(report: StatusReport) -> list[tuple[str, str]]:
    """Only what a person should do something about."""
    found = [
        (
            "rotation",
            f"of {name}: {'both passwords are' if phase != 'only' else 'the new one is'} valid",
        )
        for name, phase in report.rotations.items()
    ]
    if report.password_age is not None and report.password_age > OLD_DAYS:
        age = f"the oldest is {report.password_age} days old: keywright password status"
        found.append(("passwords", coloured(age, YELLOW)))
    return found


def _container(report: StatusReport) -> list[tuple[str, str]]:
    """How the container is, what it uses of what it may, and RedisInsight beside it."""
    housing, usage = report.facts.housing, report.facts.usage
    if isinstance(housing, Missing) or isinstance(housing.container, Missing):
        return []
    found = housing.container
    restarts = f", restarted {found.restarts} times by Docker" if found.restarts else ""
    health = coloured(found.health, RED) if found.health == "unhealthy" else found.health
    rows = [("container", f"{found.name} of {found.image}"), ("health", f"{health}{restarts}")]
    if found.health == "unhealthy" and found.health_says:
        rows.append(("", found.health_says))
    if not isinstance(usage, Missing):
        most = f" of {size(found.memory)}" if found.memory else ""
        cpus = f" of {found.cpus:g}" if found.cpus else ""
        rows.append(
            ("uses", f"{usage.cpu:.2f}{cpus} processors, {size(usage.memory)}{most} of memory")
        )
    if report.plan.insight is not None:
        rows.append(("insight", _insight(report.plan.insight.port, housing.insight)))
    return rows


def _service(report: StatusReport) -> list[tuple[str, str]]:
    """How systemd sees the service of a Linux host, and RedisInsight beside it."""
    machine, unit, insight = report.facts.machine, report.plan.unit, report.plan.insight
    if isinstance(machine, Missing) or unit is None:
        return []
    from keywright_ops.steps.machine import STARTING, unit_state  # `local` is no service

    state = unit_state(machine, f"{unit.name}.service")
    boot = "starts" if state.file in STARTING else coloured("does not start", YELLOW)
    restarts = f", started again {state.restarts} times by itself" if state.restarts else ""
    rows = [("service", f"{unit.name}: {state.active}, {boot} with the machine{restarts}")]
    if insight is not None and not isinstance(machine.insight, Missing):
        where = (
            f", http://127.0.0.1:{insight.port} there" if machine.insight.state == "running" else ""
        )
        rows.append(("insight", f"{machine.insight.state}{where}"))
    return rows


def _insight(port: int, found: ContainerFacts | Missing) -> str:
    if isinstance(found, Missing):
        return "not there"
    return f"{found.state}, http://127.0.0.1:{port}" if found.running else found.state


def _container_json(facts: Facts) -> dict[str, object] | None:
    """The container for a machine; null where there is none."""
    housing, usage = facts.housing, facts.usage
    if isinstance(housing, Missing) or isinstance(housing.container, Missing):
        return None
    found = housing.container
    return {
        "name": found.name,
        "image": found.image,
        "state": found.state,
        "health": found.health,
        "restarts": found.restarts,
        "memory_limit": found.memory,
        "processors_limit": found.cpus,
        "memory": None if isinstance(usage, Missing) else usage.memory,
        "processors": None if isinstance(usage, Missing) else round(usage.cpu, 4),
    }


def _kept(report: StatusReport) -> list[tuple[str, str]]:
    """How data is kept, and when a restart last proved it."""
    persistence = report.plan.persistence
    ways = [f"append-only file, {persistence.appendfsync}"] if persistence.appendonly else []
    ways += ["snapshots"] if persistence.save else []
    if not ways:
        rows = [("kept", "in memory only")]
        if report.plan.unit is not None:
            rows.append(("", "a crash or a boot empties it; `keywright restart` carries it over"))
        return rows
    proof = "no restart proof yet"
    if report.restart is not None:
        stale = ", before the settings changed" if report.restart.stale else ""
        proof = f"by a restart: {report.restart.verdict}, {report.restart.when}{stale}"
    return [("kept", " and ".join(ways)), ("proven", proof)]
