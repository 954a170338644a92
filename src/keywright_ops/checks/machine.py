"""Whether the claims about a Linux host hold, judged from what it told and what others saw of it."""

from collections.abc import Mapping
from ipaddress import ip_address, ip_network

from keywright_ops.model.absence import Missing
from keywright_ops.model.machine import Folder, Machine
from keywright_ops.model.plan import Plan
from keywright_ops.model.proof import FAILED, PASSED, UNKNOWN, Outcome, Proof
from keywright_ops.render.firewall import server_port
from keywright_ops.render.kernel import THP_FILE, setting_file
from keywright_ops.steps.firewall import in_order, opened_to_all, wanted_rules
from keywright_ops.steps.insight import made_from
from keywright_ops.steps.machine import MODES, STARTING, kernel_is_ours, unit_state

CLOSED = ("refused", "no answer")
ASKED_FOR = ("-NOAUTH", "-WRONGPASS", "-DENIED")


def judge_service(proof: Proof, plan: Plan, machine: Machine | Missing) -> Outcome:
    """systemd runs the service, starts it with the machine, and knows its files as they are."""
    if isinstance(machine, Missing) or plan.unit is None:
        return _unasked(proof, machine)
    state = unit_state(machine, f"{plan.unit.name}.service")
    wrong = [f"it is {state.active} ({state.sub})"] if state.active != "active" else []
    if state.file not in STARTING:
        wrong.append(f"it does not start with the machine ({state.file or 'no unit file'})")
    if state.stale:
        wrong.append("its files changed since systemd read them")
    return _judged(proof, wrong, f"{plan.unit.name}: active, {state.file}")


def judge_folders(proof: Proof, plan: Plan, machine: Machine | Missing) -> Outcome:
    """Data and backups belong to the server's account, and nobody else looks into them."""
    if isinstance(machine, Missing) or plan.unit is None:
        return _unasked(proof, machine)
    wrong, account = [], plan.unit.account
    paths = (plan.unit.config_directory, plan.persistence.directory, plan.unit.backup_directory)
    for path in paths:
        found = machine.folders.get(path)
        if not isinstance(found, Folder):
            wrong.append(f"{path} is not there")
        elif found.mode & 0o007:
            wrong.append(f"{path} is open to others ({found.mode:o})")
        elif found.owner not in (account, "root"):
            wrong.append(f"{path} belongs to {found.owner}")
    return _judged(proof, wrong, f"{len(paths)} folders: {account}'s, closed to others")


def judge_kernel(proof: Proof, plan: Plan, machine: Machine | Missing) -> Outcome:
    """The kernel's settings are the declared ones, or larger; a container has its host's kernel."""
    if isinstance(machine, Missing) or plan.kernel is None:
        return _unasked(proof, machine)
    wrong, seen = [], []
    for name, value in plan.kernel.settings:
        found = machine.kernel.get(setting_file(name), Missing("not asked"))
        if isinstance(found, Missing):
            return Outcome(proof, UNKNOWN, f"{name}: {found.why}")
        larger = found.isdigit() and name not in MODES and int(found) >= int(value)
        if found != value and not larger:
            wrong.append(f"{name} is {found}, declared {value}")
        seen.append(f"{name.rpartition('.')[2]} {found}")
    pages = huge_pages(machine.kernel.get(THP_FILE, Missing("not asked")))
    if pages == "always":
        wrong.append("transparent huge pages are always on")
    if wrong and machine.root and not kernel_is_ours(plan.kernel, machine):
        who = f" ({machine.container})" if machine.container else ""
        why = f"the kernel is not this host's to set{who}: {'; '.join(wrong)}"
        return Outcome(proof, UNKNOWN, why)
    return _judged(proof, wrong, f"{', '.join(seen)}, huge pages {pages}")


def huge_pages(text: str | Missing) -> str:
    """Return the chosen word of "always [madvise] never"; "not there" where the kernel has none."""
    if isinstance(text, Missing):
        return "not there"
    return text.partition("[")[2].partition("]")[0] or text


def judge_firewall(proof: Proof, plan: Plan, machine: Machine | Missing) -> Outcome:
    """ufw is on, holds the declared rules in their order, and no rule opens the port to all."""
    if isinstance(machine, Missing) or plan.firewall is None:
        return _unasked(proof, machine)
    ufw, port = machine.ufw, server_port(plan)
    if isinstance(ufw, Missing):
        return Outcome(proof, UNKNOWN, ufw.why)
    wanted = wanted_rules(plan, machine)
    wrong = []
    if not in_order(ufw, wanted):
        wrong.append("rules are missing, or a refusal stands before what is let in")
    wrong += [f"'{words}' opens it to all" for words in opened_to_all(ufw, port)]
    wrong += [
        f"{each} passes by the firewall (Docker published it)" for each in _past(plan, machine)
    ]
    if ufw.active or wrong:
        if not ufw.active:
            wrong.insert(0, "ufw is off")
        return _judged(proof, wrong, f"ufw: {len(wanted)} rules in order, else {ufw.incoming}")
    told = "ufw is off: no rule would let SSH in; name your network in admin_from"
    return Outcome(proof, UNKNOWN, told)


def _past(plan: Plan, machine: Machine) -> list[str]:
    """Containers that publish our ports to others than this host."""
    ports = {server_port(plan)} | ({plan.insight.port} if plan.insight else set())
    found = []
    for name, address, port in machine.published:
        if port in ports and not (address.startswith("127.") or address == "::1"):
            found.append(f"{name} on {address}:{port}")
    return found


def judge_closed_outside(
    proof: Proof, plan: Plan, machine: Machine | Missing, seen: Mapping[int, str | Missing]
) -> Outcome:
    """From this machine the ports are closed; the server's is open where its network was declared."""
    came = "" if isinstance(machine, Missing) else machine.came_from
    told = []
    for port, answer in seen.items():
        if isinstance(answer, Missing):
            return Outcome(proof, UNKNOWN, answer.why)
        told.append(f"{port} {answer}")
    evidence = f"asked from {came or 'this machine'}: {', '.join(told)}"
    opened = [port for port, answer in seen.items() if answer not in CLOSED]
    within = plan.firewall is not None and came and _within(came, plan.firewall.allow_from)
    if within and set(opened) <= {server_port(plan)}:
        return Outcome(proof, UNKNOWN, f"{evidence}; this machine is let in (allow_from)")
    return Outcome(proof, FAILED if opened else PASSED, evidence)


def _within(address: str, networks: tuple[str, ...]) -> bool:
    found = ip_address(address.partition("%")[0])
    return any(found in ip_network(each) for each in networks)


def judge_bridge(
    proof: Proof, plan: Plan, machine: Machine | Missing, seen: str | Missing
) -> Outcome:
    """A container of the host reaches the server, and is asked for a password."""
    assert plan.insight is not None
    if isinstance(machine, Missing) or not _insight_runs(machine):
        return Outcome(
            proof, UNKNOWN, f"{plan.insight.name} does not run, and it is asked from there"
        )
    where = f"{plan.insight.redis_host}:{plan.insight.redis_port} from {plan.insight.name}"
    if isinstance(seen, Missing):
        return Outcome(proof, FAILED, f"{where}: {seen.why}")
    word = seen.partition(" ")[0]
    if plan.listen.tls is not None and plan.insight.redis_port == plan.listen.tls.port:
        return Outcome(proof, PASSED, f"{where}: the port is open, and speaks TLS alone")
    verdict = PASSED if word in ASKED_FOR else FAILED
    return Outcome(proof, verdict, f"{where} → {word.removeprefix('-') or '(nothing)'}")


def _insight_runs(machine: Machine) -> bool:
    return not isinstance(machine.insight, Missing) and machine.insight.state == "running"


def judge_insight_there(
    proof: Proof, plan: Plan, machine: Machine | Missing, health: str | Missing
) -> Outcome:
    """RedisInsight is up, made from what is declared, and published on the host's loopback alone."""
    insight = plan.insight
    if isinstance(machine, Missing) or insight is None:
        return _unasked(proof, machine)
    if isinstance(machine.insight, Missing):
        if isinstance(machine.insight_image, Missing):
            return Outcome(proof, UNKNOWN, f"skipped: the image {insight.image} is not there")
        return Outcome(proof, FAILED, f"{insight.name}: {machine.insight.why}")
    wrong = [] if machine.insight.made == made_from(plan) else ["it was made from something else"]
    if isinstance(health, Missing):
        wrong.append(health.why)
    elif health != "up":
        wrong.append(f"it says that it is {health}")
    return _judged(proof, wrong, f"127.0.0.1:{insight.port} → up")


def _judged(proof: Proof, wrong: list[str], evidence: str) -> Outcome:
    return Outcome(proof, FAILED if wrong else PASSED, "; ".join(wrong) or evidence)


def _unasked(proof: Proof, machine: Machine | Missing) -> Outcome:
    why = machine.why if isinstance(machine, Missing) else "it is not declared"
    return Outcome(proof, UNKNOWN, why)
