"""Whether RedisInsight's site keeps its promises, judged from what nginx answered to a visitor."""

from ipaddress import ip_address

from keywright_ops.facts.insight import parse_health
from keywright_ops.model.absence import Missing
from keywright_ops.model.machine import Machine
from keywright_ops.model.plan import Insight
from keywright_ops.model.proof import (
    FAILED,
    PASSED,
    UNKNOWN,
    Outcome,
    Proof,
    SiteAnswers,
    SiteRefuses,
)
from keywright_ops.steps.nginx import SERVICE

TLS_PORT = 443


def judge_site(
    proof: Proof, insight: Insight, machine: Machine | Missing, answer: str | Missing
) -> Outcome:
    """`answer` is nginx's whole answer to the visitor of this proof."""
    if isinstance(machine, Missing):
        return Outcome(proof, UNKNOWN, machine.why)
    unit = machine.units.get(SERVICE)
    if unit is None or unit.active != "active":
        return Outcome(proof, FAILED, "nginx does not run")
    if isinstance(answer, Missing):
        return Outcome(proof, FAILED, answer.why)
    code, location = parse_head(answer)
    match proof.probe:
        case SiteRefuses():
            return _expected(proof, code, "401")
        case SiteAnswers():
            return _answers(proof, machine, code, answer)
        case _:
            wanted = f"https://{insight.site}/"
            told = f"{code} {location}".strip()
            passed = code == "301" and location.startswith(wanted)
            return Outcome(proof, PASSED if passed else FAILED, f"http → {told or 'no HTTP'}")


def parse_head(answer: str) -> tuple[str, str]:
    """Return the status code and the Location of an HTTP answer; "" for what is not there."""
    head = answer.partition("\r\n\r\n")[0].split("\r\n")
    words = head[0].split(" ", 2)
    code = words[1] if len(words) > 1 and words[0].startswith("HTTP/") else ""
    places = (
        line.partition(":")[2].strip() for line in head if line.lower().startswith("location:")
    )
    return code, next(places, "")


def _expected(proof: Proof, code: str, wanted: str) -> Outcome:
    verdict = PASSED if code == wanted else FAILED
    return Outcome(proof, verdict, f"https → {code or 'no HTTP'}")


def _answers(proof: Proof, machine: Machine, code: str, answer: str) -> Outcome:
    if code == "502" and isinstance(machine.insight, Missing):
        return Outcome(proof, UNKNOWN, f"RedisInsight is not there: {machine.insight.why}")
    health = parse_health(answer, TLS_PORT)
    if isinstance(health, Missing):
        return Outcome(proof, FAILED, health.why)
    return Outcome(proof, PASSED if health == "up" else FAILED, f"https → {code}, {health}")


def judge_loopback(
    proof: Proof,
    insight: Insight,
    machine: Machine | Missing,
    listening: tuple[str, ...] | Missing,
) -> Outcome:
    """RedisInsight's own port is open on loopback and nowhere else; Docker publishes past ufw."""
    if isinstance(machine, Missing):
        return Outcome(proof, UNKNOWN, machine.why)
    if isinstance(listening, Missing):
        return Outcome(proof, UNKNOWN, listening.why)
    published = [address for _, address, port in machine.published if port == insight.port]
    seen = sorted({*published, *listening})
    if not seen:
        return Outcome(proof, UNKNOWN, f"nobody listens on port {insight.port}")
    wide = [each for each in seen if not ip_address(each).is_loopback]
    return Outcome(proof, FAILED if wide else PASSED, f"{', '.join(wide or seen)}:{insight.port}")
