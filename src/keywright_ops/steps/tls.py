"""Steps that put a certificate into service, and what a change of doors means for clients."""

from keywright_ops.model.absence import Missing
from keywright_ops.model.facts import Certificate, Facts
from keywright_ops.model.login import ADMIN
from keywright_ops.model.plan import Plan
from keywright_ops.model.step import Danger, FieldIs, Presents, RedisCommand, Step, Until
from keywright_ops.steps.running import CERTIFICATE, differing

RELOADS = (
    7  # the first version of Redis that reads the files of the same paths again, in one command
)


def reloads_live(facts: Facts) -> bool:
    """Whether this server takes another certificate while it runs (Redis 7.0 and Valkey do)."""
    if isinstance(facts.server, Missing):
        return False
    number = facts.server.version.partition(".")[0]
    return facts.server.name == "valkey" or (number.isdigit() and int(number) >= RELOADS)


def stale(plan: Plan, declared: Certificate | Missing, facts: Facts) -> bool:
    """Whether the running server serves another certificate than the declared, or names other files."""
    if plan.listen.tls is None or isinstance(facts.config, Missing):
        return False
    if facts.config.get("tls-port", "0") == "0":
        return False  # it does not speak TLS yet, and reads the files when it is started with it
    if any(each.name in CERTIFICATE for each in differing(plan, facts)):
        return True
    seen = facts.certificate
    if isinstance(seen, Missing) or isinstance(declared, Missing):
        return False
    return seen.fingerprint != declared.fingerprint


def reload_certificate(plan: Plan, declared: Certificate | Missing, facts: Facts) -> list[Step]:
    """Return the step that makes the server read certificate, key and authority again; [] when it serves
    what is declared. Connections that are open live on with the old one.

    Where another authority signed it, clients must know that one first.
    """
    tls = plan.listen.tls
    if tls is None or not stale(plan, declared, facts):
        return []
    assert not isinstance(facts.config, Missing)
    new = dict(zip(CERTIFICATE, (tls.cert_file, tls.key_file, tls.ca_cert_file), strict=True))
    old = {name: facts.config[name] for name in CERTIFICATE}
    step = Step(
        id="reload-certificate",
        title="serve the new certificate, live; open connections stay",
        do=_set(new),
        expect=tuple(FieldIs("config", name, value) for name, value in old.items()),
        undo=_set(old),
    )
    if isinstance(declared, Missing):
        return [step]
    step = step._replace(until=Until((Presents(declared.fingerprint),)))
    seen = facts.certificate
    if isinstance(seen, Certificate) and seen.signer_id != declared.signer_id:
        file = plan.application.ca_certs or tls.ca_cert_file
        told = f"clients must follow: another authority signed it, each needs {file} first"
        title = f"serve the new certificate, live; {told}"
        step = step._replace(title=title, danger=Danger.CLIENTS_FOLLOW)
    return [step]


def opens_live(plan: Plan, facts: Facts) -> bool:
    """Whether TLS is only to be opened beside the port that is there: no client notices that."""
    tls = plan.listen.tls
    if tls is None or not plan.listen.port or isinstance(facts.config, Missing):
        return False
    alone = facts.config.get("tls-port") == "0"  # a server without TLS does not know the setting
    same = facts.config.get("port") == str(plan.listen.port)
    return alone and same and reloads_live(facts)


def closes_tls(plan: Plan, facts: Facts) -> str:
    """Why a server that speaks TLS must be started anew where none is declared; "" where it need not."""
    live = "0" if isinstance(facts.config, Missing) else facts.config.get("tls-port", "0")
    return "" if plan.listen.tls is not None or live == "0" else f"tls-port {live} → 0"


def open_beside(plan: Plan, facts: Facts) -> list[Step]:
    """Return the step that opens the TLS port of a running server, in one command with its files."""
    tls = plan.listen.tls
    if tls is None or not opens_live(plan, facts):
        return []
    assert not isinstance(facts.config, Missing)
    files = dict(zip(CERTIFICATE, (tls.cert_file, tls.key_file, tls.ca_cert_file), strict=True))
    old = {name: facts.config[name] for name in CERTIFICATE}
    return [
        Step(
            id="open-tls",
            title=f"open port {tls.port} with TLS beside {plan.listen.port}, live",
            do=_set({**files, "tls-port": str(tls.port)}),
            expect=(FieldIs("config", "tls-port", "0"),),
            undo=_set({"tls-port": "0", **old}),
        )
    ]


def _set(files: dict[str, str]) -> RedisCommand:
    words = (word for pair in files.items() for word in pair)
    return RedisCommand(ADMIN, ("CONFIG", "SET", *words))


def clients_follow(step: Step, plan: Plan, facts: Facts) -> Step:
    """Return the step with what it asks of clients, where it closes a door that they may be using."""
    if isinstance(facts.config, Missing):
        return step
    tls = plan.listen.tls
    after = {
        door for door in ((plan.listen.port, False), (tls.port if tls else 0, True)) if door[0]
    }
    before = {
        (_number(facts.config.get("port", "0")), False),
        (_number(facts.config.get("tls-port", "0")), True),
    }
    closed = sorted(door for door in before - after if door[0])
    if not closed:
        return step
    opened = sorted(after)
    told = (
        f"clients must follow: {_doors(closed)} closes, {_doors(opened)} answers"
        f"{'' if after & before else _two_phases(plan, closed)}"
    )
    danger = max(step.danger, Danger.CLIENTS_FOLLOW)
    return step._replace(title=f"{step.title}; {told}", danger=danger)


def _two_phases(plan: Plan, closed: list[tuple[int, bool]]) -> str:
    """How to keep the old door open meanwhile, where a server can have both."""
    tls = plan.listen.tls
    if tls is None or not any(not encrypted for _, encrypted in closed) or plan.listen.port:
        return ""
    number = next(number for number, encrypted in closed if not encrypted)
    if number == tls.port:
        return ""
    return f" (port = {number} beside TLS keeps both open until they have)"


def _number(value: str) -> int:
    return int(value) if value.isdigit() else 0


def _doors(doors: list[tuple[int, bool]]) -> str:
    return " and ".join(f"{number} {'with' if tls else 'without'} TLS" for number, tls in doors)
