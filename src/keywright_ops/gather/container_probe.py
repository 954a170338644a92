"""Carries the questions about a container to Docker, and has the answers judged."""

from keywright.endpoint import Endpoint, Tls
from keywright.errors import KeywrightError, ReplyError
from keywright.wire import Wire
from keywright_ops.checks.container import (
    judge_account,
    judge_health,
    judge_insight,
    judge_neighbour,
    judge_published,
    judge_secrets,
)
from keywright_ops.gather.insight import insight_health
from keywright_ops.gather.scene import Ahead, Scene
from keywright_ops.model.absence import Missing
from keywright_ops.model.proof import (
    UNKNOWN,
    HealthPasses,
    InsightAnswers,
    InspectKeepsSecrets,
    NotRoot,
    Outcome,
    Proof,
    PublishedOnly,
)
from keywright_ops.render.container import CONFIGURATION
from keywright_ops.steps.doors import declared_publications
from keywright_ops.targets.target import Completed, Container

# The client of the image asks for a PONG without a password; what it is told is printed.
# (Where nothing answers to that name, the engine asks the host's name servers, for up to a minute.)
KNOCK = """\
client=$(command -v valkey-cli || command -v redis-cli)
limit=$(command -v timeout) && limit="$limit 10"
exec $limit "$client" -h "$1" -p "$2" $3 ping
"""


def probe_container(proof: Proof, scene: Scene) -> Outcome:
    """Ask one question about the container; what cannot be asked is unknown."""
    if scene.target.container is None:
        return Outcome(proof, UNKNOWN, "it lives in no container")
    try:
        return _ask(proof, scene, scene.target.container)
    except KeywrightError as error:
        return Outcome(proof, UNKNOWN, str(error))


def ask_ahead(container: Container) -> Ahead:
    """Ask what takes Docker a tenth of a second and more, to be answered while other proofs are asked."""
    from keywright_ops.targets.aside import Aside

    return Ahead(Aside(lambda: _health(container)).answer, Aside(container.processes).answer)


def _health(container: Container) -> Completed:
    return container.inside("sh", f"{CONFIGURATION}/health.sh")


def _ahead(scene: Scene, container: Container) -> Ahead:
    """What was asked already, else how to ask it now."""
    return scene.ahead or Ahead(lambda: _health(container), container.processes)


def _ask(proof: Proof, scene: Scene, container: Container) -> Outcome:
    match proof.probe:
        case PublishedOnly():
            return _published(proof, scene)
        case HealthPasses():
            done = _ahead(scene, container).health()
            said = (done.output + done.errors).strip().splitlines()
            return judge_health(proof, done.code, said[-1] if said else "", scene.facts)
        case NotRoot():
            return judge_account(proof, _ahead(scene, container).processes())
        case InspectKeepsSecrets():
            return judge_secrets(
                proof, _ahead(scene, container).processes(), scene.facts, scene.secrets
            )
        case InsightAnswers():
            insight = scene.plan.insight
            assert insight is not None
            return judge_insight(proof, scene.plan, scene.facts, insight_health(insight.port))
        case _:
            return _neighbour(proof, scene, container)


def _published(proof: Proof, scene: Scene) -> Outcome:
    """Knock without a password at every declared address of this host."""
    answers = {}
    for place in declared_publications(scene.plan):
        tls = scene.plan.listen.tls
        speaks = Tls(verify=False) if tls is not None and place.inside == tls.port else None
        host = NEAREST.get(place.address, place.address)
        endpoint = Endpoint(host=host, port=place.port, tls=speaks)
        answers[place] = _knock(endpoint)
    return judge_published(proof, scene.plan, scene.facts, answers)


NEAREST = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound


def _knock(endpoint: Endpoint) -> str | Missing:
    try:
        with Wire(endpoint) as wire:
            return str(wire.call("PING"))
    except ReplyError as refusal:
        return str(refusal)
    except KeywrightError as error:
        return Missing(str(error))


def _neighbour(proof: Proof, scene: Scene, container: Container) -> Outcome:
    """Let another container knock without a password."""
    plan = scene.plan
    assert plan.container is not None
    housing = scene.facts.housing
    found = housing if isinstance(housing, Missing) else housing.container
    if not isinstance(found, Missing) and found.attachment(plan.container.network) is None:
        return Outcome(proof, UNKNOWN, f"it is not on network {plan.container.network}")
    tls = plan.listen.tls
    port = plan.listen.port or (tls.port if tls else 0)
    options = "" if plan.listen.port else "--tls --insecure"
    done = container.beside("sh", "-c", KNOCK, "sh", plan.container.service, str(port), options)
    return judge_neighbour(proof, done.code, (done.output + done.errors).strip())
