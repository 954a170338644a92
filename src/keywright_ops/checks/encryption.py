"""Whether TLS is served as declared, and what is said about a certificate that ends soon."""

from keywright_ops.facts.certificate import day
from keywright_ops.model.absence import Missing
from keywright_ops.model.facts import Certificate, Facts
from keywright_ops.model.plan import Plan
from keywright_ops.model.plan import Warning as Caution
from keywright_ops.model.proof import FAILED, PASSED, UNKNOWN, Outcome, Proof

DAY = 86400  # seconds
USUAL_PORT = 6379
NOBODY = "nobody listens"
SOON = 30  # days before its end in which a certificate is warned about


def judge_certificate(
    proof: Proof, plan: Plan, declared: Certificate | Missing, seen: Certificate | Missing
) -> Outcome:
    """The handshake brought the declared certificate, and the application will accept it."""
    if isinstance(seen, Missing):
        return Outcome(proof, UNKNOWN, seen.why)
    short = f"handshake: sha256 {seen.fingerprint[:16]}…"
    if isinstance(declared, Certificate) and seen.fingerprint != declared.fingerprint:
        return Outcome(proof, FAILED, f"{short}, declared {declared.fingerprint[:16]}…")
    if seen.doubt and plan.application.cert_reqs == "required":
        return Outcome(proof, FAILED, f"{short}, which a client refuses: {seen.doubt}")
    host = plan.application.host
    accepted = f"not verified: {seen.doubt}" if seen.doubt else f"chain and {host} verified"
    if isinstance(declared, Missing):
        return Outcome(proof, UNKNOWN, f"{short}, {accepted}; its file: {declared.why}")
    return Outcome(proof, PASSED, f"{short}, {accepted}, until {day(seen.not_after)}")


def judge_plain(proof: Proof, port: int, answered: bool | Missing) -> Outcome:
    """A PING without TLS got no answer."""
    if isinstance(answered, Missing):
        return Outcome(proof, UNKNOWN, answered.why)
    if answered:
        return Outcome(proof, FAILED, f"port {port} answers a PING without TLS")
    return Outcome(proof, PASSED, f"PING without TLS on {port} → no answer")


def judge_closed(proof: Proof, plan: Plan, heard: tuple[tuple[str, int], ...] | Missing) -> Outcome:
    """The kernel's list of the server's own sockets holds the TLS port and no other."""
    if isinstance(heard, Missing):
        return Outcome(proof, UNKNOWN, heard.why)
    tls = plan.listen.tls
    ports = sorted({number for _, number in heard})
    others = [str(number) for number in ports if tls is None or number != tls.port]
    if others:
        return Outcome(proof, FAILED, f"the server listens on {', '.join(others)} too")
    return Outcome(proof, PASSED, f"the server listens on {', '.join(map(str, ports))} alone")


def judge_knock(proof: Proof, facts: Facts, answered: bool | Missing) -> Outcome:
    """The server says that its port without TLS is 0, and nobody answers at the usual one."""
    if isinstance(facts.config, Missing):
        return Outcome(proof, UNKNOWN, facts.config.why)
    live = facts.config.get("port", "")
    if live != "0" or answered is True:
        return Outcome(proof, FAILED, f"port {live} answers without TLS")
    if isinstance(answered, Missing) and not answered.why.startswith(NOBODY):
        return Outcome(proof, UNKNOWN, answered.why)
    return Outcome(proof, PASSED, f"CONFIG GET port: 0; nobody answers on {USUAL_PORT}")


def judge_expiry(plan: Plan, certificate: Certificate | Missing, now: float) -> tuple[Caution, ...]:
    """Return a warning for a certificate that has expired, or does within SOON days.

    `now` is seconds since 1970.
    """
    tls = plan.listen.tls
    if tls is None or isinstance(certificate, Missing):
        return ()
    left = int((certificate.not_after - now) // DAY)
    if left >= SOON:
        return ()
    what = (
        f"the certificate expired on {day(certificate.not_after)}, and clients refuse it"
        if certificate.not_after <= now
        else f"the certificate ends on {day(certificate.not_after)}, in {left} days"
    )
    mend = f"`keywright tls renew -e {plan.environment}`" if tls.own else "put a newer one there"
    path = f"env.{plan.environment}.tls.{'enabled' if tls.own else 'cert_file'}"
    return (Caution(path, f"{what}; {mend}"),)
