"""Carries a proof's question to the target and has the answer judged. Writes one canary key with a TTL."""

import sys
from typing import assert_never

from keywright.errors import ConnectionLost, KeywrightError, ReplyError, Unreachable
from keywright_ops.checks.encryption import (
    USUAL_PORT,
    judge_certificate,
    judge_closed,
    judge_knock,
    judge_plain,
)
from keywright_ops.checks.judge import (
    declared_addresses,
    judge_attempt,
    judge_denied,
    judge_files,
    judge_listens,
    judge_sessions,
    judge_settings,
    judge_users,
)
from keywright_ops.gather.environment import gather
from keywright_ops.gather.scene import Scene
from keywright_ops.model.absence import Missing
from keywright_ops.model.login import ADMIN
from keywright_ops.model.plan import Plan
from keywright_ops.model.proof import (
    FAILED,
    PASSED,
    UNKNOWN,
    Attempt,
    ContainerEquals,
    Denied,
    FilesEqual,
    InsightAnswers,
    ListensOnly,
    LiveEquals,
    LoadsFromCopy,
    OfContainer,
    OfHost,
    Outcome,
    PlainClosed,
    Proof,
    RefusesPlain,
    ServesCertificate,
    SessionsEnded,
    SurvivesRestart,
    UsersEqual,
)
from keywright_ops.targets.target import Target


def probe(proof: Proof, scene: Scene) -> Outcome:
    """Ask one proof; what cannot be asked is UNKNOWN with the reason, never passed."""
    question = proof.probe
    if isinstance(question, OfContainer):
        from keywright_ops.gather.container_probe import probe_container  # `local` lives in none

        return probe_container(proof, scene)
    if isinstance(question, OfHost):
        from keywright_ops.gather.machine_probe import probe_machine  # `local` lives on no other

        return probe_machine(proof, scene)
    match question:
        case LiveEquals():
            return judge_settings(proof, scene.plan, scene.facts)
        case FilesEqual():
            return judge_files(proof, scene.files, scene.plan, scene.facts)
        case UsersEqual():
            return judge_users(proof, scene.users, scene.facts)
        case Attempt(login, argv, _):
            return judge_attempt(proof, question, _answer(scene.target, login, argv))
        case Denied(user, argv):
            answer = _answer(scene.target, ADMIN, ("ACL", "DRYRUN", user, *argv))
            return judge_denied(proof, user, argv, answer, scene.facts)
        case ListensOnly():
            return _listens(proof, scene)
        case ServesCertificate() | RefusesPlain() | PlainClosed():
            return _encryption(proof, question, scene)
        case SurvivesRestart():
            return _canary(proof, scene)
        case ContainerEquals(aspect):
            from keywright_ops.checks.container import judge_container  # `local` lives in none

            return judge_container(proof, aspect, scene.plan, scene.facts, scene.folder)
        case InsightAnswers():
            return _insight(proof, scene)
        case LoadsFromCopy():
            from keywright_ops.gather.scratch import load_copy  # starts a server: only when asked

            try:
                return load_copy(proof, scene.target, scene.plan, scene.facts, scene.canary)
            except KeywrightError as error:
                return Outcome(proof, UNKNOWN, str(error))
        case SessionsEnded(user, ids):
            facts = gather(scene.target, scene.plan, frozenset({"clients"}))
            return judge_sessions(proof, user, ids, facts)
        case _:
            assert_never(question)


def _listens(proof: Proof, scene: Scene) -> Outcome:
    elsewhere = _elsewhere(scene.plan, scene.target)
    if isinstance(elsewhere, str) and not elsewhere.endswith("refused"):
        return Outcome(proof, FAILED, elsewhere)
    return judge_listens(proof, scene.plan, scene.facts.listening, elsewhere)


def _encryption(
    proof: Proof, question: ServesCertificate | RefusesPlain | PlainClosed, scene: Scene
) -> Outcome:
    if isinstance(question, ServesCertificate):
        return judge_certificate(proof, scene.plan, scene.certificate, scene.facts.certificate)
    if isinstance(question, PlainClosed):
        return _closed(proof, scene)
    tls = scene.plan.listen.tls
    assert tls is not None
    return judge_plain(proof, tls.port, scene.target.redis.speaks_plainly(tls.port))


def _insight(proof: Proof, scene: Scene) -> Outcome:
    """RedisInsight is a service of the compose file, or a container beside a host's service."""
    if scene.target.host is None:
        from keywright_ops.gather.container_probe import probe_container

        return probe_container(proof, scene)
    from keywright_ops.gather.machine_probe import probe_machine

    return probe_machine(proof, scene)


def _closed(proof: Proof, scene: Scene) -> Outcome:
    """The server's own sockets; where a container hides them, a knock at the usual port."""
    process = scene.facts.process
    if isinstance(process, Missing):
        return judge_closed(proof, scene.plan, process)
    heard = scene.target.supervisor.listens_on(process)
    if not isinstance(heard, Missing) or scene.plan.container is None:
        return judge_closed(proof, scene.plan, heard)
    return judge_knock(proof, scene.facts, scene.target.redis.speaks_plainly(USUAL_PORT))


def _answer(target: Target, login: str, argv: tuple[str, ...]) -> str | Missing:
    """The reply as text; a refusal is an answer, silence is not."""
    try:
        reply = target.redis.ask(login, [argv])[0]
    except ReplyError as refusal:
        return str(refusal)
    except (Unreachable, ConnectionLost) as error:
        return Missing(str(error))
    except KeywrightError as error:
        return Missing(str(error))
    return str(reply)


def _elsewhere(plan: Plan, target: Target) -> str | Missing:
    """Knock at another loopback address of this host, which must not answer unless declared."""
    import socket

    must, may = declared_addresses(plan)
    other = "127.0.0.2"
    if target.host is None and not sys.platform.startswith("linux"):
        return Missing("this system has one loopback address only")
    if (must | may) & {"0.0.0.0", "*", other}:
        return Missing("declared to listen everywhere")
    if target.host is not None:
        opens = target.host.answers_inside(other, plan.port)
        return f"{other} answers and is not declared" if opens else f"{other} refused"
    try:
        socket.create_connection((other, plan.port), 0.5).close()
    except ConnectionRefusedError:
        return f"{other} refused"
    except OSError as error:
        return Missing(f"{other}: {error}")
    return f"{other} answers and is not declared"


def _canary(proof: Proof, scene: Scene) -> Outcome:
    """After the restart: the canary that was written before it must be there."""
    answer = _answer(scene.target, ADMIN, ("GET", scene.canary))
    if isinstance(answer, Missing):
        return Outcome(proof, UNKNOWN, answer.why)
    found = answer == scene.canary.rpartition(":")[2]
    evidence = "the canary is there" if found else "the canary is gone"
    return Outcome(proof, PASSED if found else FAILED, f"{evidence} after a stop and start")
