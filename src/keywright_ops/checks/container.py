"""Whether the claims about a container hold, judged from what Docker and its neighbours answered."""

from collections.abc import Mapping

from keywright.secret import Secret
from keywright_ops.model.absence import NOT_THERE, Missing
from keywright_ops.model.container import ContainerFacts, Housing, Publication
from keywright_ops.model.facts import Facts
from keywright_ops.model.plan import Plan
from keywright_ops.model.proof import FAILED, PASSED, UNKNOWN, Outcome, Proof
from keywright_ops.steps.container import (
    frame_differences,
    insight_differences,
    limit_differences,
)
from keywright_ops.steps.doors import published_differences
from keywright_ops.steps.files import digest

REFUSED = ("NOAUTH", "WRONGPASS")


def judge_container(proof: Proof, aspect: str, plan: Plan, facts: Facts, folder: str) -> Outcome:
    """The engine's own record of the container equals the plan."""
    found = _container(facts)
    if isinstance(found, Missing) or isinstance(facts.housing, Missing) or plan.container is None:
        return Outcome(proof, UNKNOWN, found.why if isinstance(found, Missing) else "not asked")
    if aspect == "limits":
        wrong = limit_differences(found, plan.container.limits, plan.container.restart)
        return _judged(proof, wrong, _limits(found))
    wrong = frame_differences(plan, facts.housing, folder)
    return _judged(proof, wrong, f"{found.image}; {len(found.mounts)} mounts, log, network")


def _container(facts: Facts) -> ContainerFacts | Missing:
    return facts.housing if isinstance(facts.housing, Missing) else facts.housing.container


def _judged(proof: Proof, wrong: list[str], evidence: str) -> Outcome:
    if wrong:
        return Outcome(proof, FAILED, "; ".join(wrong))
    return Outcome(proof, PASSED, evidence)


def _limits(found: ContainerFacts) -> str:
    memory = f"{found.memory // 2**20} MiB" if found.memory else "no memory limit"
    cpus = f"{found.cpus:g} processors" if found.cpus else "no processor limit"
    return f"{memory}, {cpus}, restart {found.restart}"


def judge_published(
    proof: Proof, plan: Plan, facts: Facts, answers: Mapping[Publication, str | Missing]
) -> Outcome:
    """The engine publishes what was declared and nothing else; there a password is asked for.

    Where the engine runs on this very machine, the kernel's list of listening sockets must agree.
    """
    found = _container(facts)
    if isinstance(found, Missing):
        return Outcome(proof, UNKNOWN, found.why)
    wrong = published_differences(plan, found)
    silent = [each.why for each in answers.values() if isinstance(each, Missing)]
    if silent and isinstance(facts.listening, Missing) and not wrong:
        return Outcome(proof, UNKNOWN, f"{silent[0]}; {facts.listening.why}")
    for place, answer in answers.items():
        if isinstance(answer, Missing):
            wrong.append(answer.why)
        elif not answer.startswith(REFUSED):
            told = answer.partition(" ")[0]
            wrong.append(f"{place.address}:{place.port} answers {told} without a password")
    if wrong:
        return Outcome(proof, FAILED, "; ".join(wrong))
    if answers:
        return Outcome(proof, PASSED, "; ".join(f"{a.address}:{a.port} → NOAUTH" for a in answers))
    return Outcome(proof, PASSED, f"nothing is published{_elsewhere(facts.listening)}")


def _elsewhere(listening: tuple[str, ...] | Missing) -> str:
    if isinstance(listening, Missing):
        return ""
    if listening:
        return "; the port on this host is another program's"
    return "; nobody listens on this host"


def judge_health(proof: Proof, code: int, said: str, facts: Facts) -> Outcome:
    """The check is content now, and Docker's own last verdict is not the contrary."""
    found = _container(facts)
    health = "unknown" if isinstance(found, Missing) else found.health
    if code != 0:
        return Outcome(proof, FAILED, f"it fails: {said or f'exit {code}'}")
    if health == "none":
        return Outcome(proof, FAILED, "Docker runs no health check")
    return Outcome(proof, PASSED, f"exit 0 now; Docker says {health}")


def judge_account(proof: Proof, processes: str) -> Outcome:
    """No server process in the container has the user id 0."""
    rows = [line.split(None, 2) for line in processes.splitlines()[1:]]
    servers = {row[1] for row in rows if len(row) == 3 and "-server" in row[2].split()[0]}
    if not servers:
        return Outcome(proof, UNKNOWN, "docker top shows no server")
    verdict = FAILED if "0" in servers else PASSED
    return Outcome(proof, verdict, f"docker top: user id {', '.join(sorted(servers))}")


def judge_secrets(
    proof: Proof, processes: str, facts: Facts, secrets: tuple[Secret, ...]
) -> Outcome:
    """No password and no hash of one stands in what everybody sees who may use Docker."""
    if isinstance(facts.housing, Missing):
        return Outcome(proof, UNKNOWN, facts.housing.why)
    shown = {"docker inspect": facts.housing.text, "docker top": processes}
    for where, text in shown.items():
        for secret in secrets:
            word = secret.reveal()
            if word in text or digest(word) in text:
                return Outcome(proof, FAILED, f"{where} shows a password")
    return Outcome(proof, PASSED, f"{len(secrets)} passwords: neither inspect nor top shows one")


def judge_insight(proof: Proof, plan: Plan, facts: Facts, health: str | Missing) -> Outcome:
    """RedisInsight is up, and as declared; without its image, and where this host's loopback is not the
    engine's, nothing is claimed."""
    insight = plan.insight
    assert insight is not None
    where = f"127.0.0.1:{insight.port}"
    housing = facts.housing
    if isinstance(housing, Housing) and housing.insight == housing.insight_image == Missing(
        NOT_THERE
    ):
        return Outcome(proof, UNKNOWN, f"skipped: the image {insight.image} is not here")
    if isinstance(housing, Housing) and isinstance(housing.insight, ContainerFacts):
        wrong = insight_differences(plan, insight, housing)
        if wrong:
            return Outcome(proof, FAILED, "; ".join(wrong))
    if isinstance(health, Missing):
        if isinstance(facts.listening, Missing):
            return Outcome(proof, UNKNOWN, f"{health.why}; {facts.listening.why}")
        return Outcome(proof, FAILED, health.why)
    return Outcome(proof, PASSED if health == "up" else FAILED, f"{where} says {health}")


def judge_neighbour(proof: Proof, code: int, said: str) -> Outcome:
    """Another container found the server by its name and was asked for a password."""
    word = said.partition(" ")[0]
    if word in REFUSED:
        return Outcome(proof, PASSED, f"PING from another container → {word}")
    if word == "PONG":
        return Outcome(proof, FAILED, "PING from another container → PONG without a password")
    if word == "DENIED":
        return Outcome(proof, FAILED, "PING from another container → DENIED: protected mode")
    return Outcome(proof, UNKNOWN, f"it could not ask: {said or f'exit {code}'}")
