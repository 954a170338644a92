"""Sees to it that the images of a Docker environment are there, before anything is stopped or made."""

from keywright.errors import ApplyError, KeywrightError
from keywright_ops.actions.environment import Opened
from keywright_ops.apply.apply import Workshop, apply
from keywright_ops.model.absence import Missing
from keywright_ops.model.plan import Warning as Caution
from keywright_ops.model.step import RunCommand, Step


def pulls(opened: Opened) -> tuple[Step, ...]:
    """Return the steps that fetch what is not here: the server's image first, then RedisInsight's, which
    is looked for only as long as there is no server: its want must not cost every `up` a while."""
    if opened.target.container is None:
        return ()
    housing, plan = opened.target.container.glance(), opened.plan
    steps = []
    if isinstance(housing.image, Missing):
        steps.append(pull(plan.engine.image))
    fresh = isinstance(housing.container, Missing)
    if plan.insight is not None and fresh and isinstance(housing.insight_image, Missing):
        steps.append(pull(plan.insight.image))
    return tuple(steps)


def pull(image: str) -> Step:
    """Return the step that fetches an image."""
    return Step(
        id=f"pull-{image}",
        title=f"fetch the image {image}",
        do=RunCommand(("docker", "pull", "--quiet", image)),
    )


def fetch_images(opened: Opened, shop: Workshop) -> Opened:
    """Fetch the images that are not here.

    Without the server's there is nothing to be done: ApplyError. Without RedisInsight's the environment
    does without it, and a warning says so.
    """
    steps = pulls(opened)
    if not steps or opened.target.container is None:
        return opened
    plan = opened.plan
    for step in steps:
        optional = step.id != f"pull-{plan.engine.image}"
        try:
            apply((step,), shop, [])
        except KeywrightError as error:
            if not optional:
                raise _no_image(plan.environment, plan.engine.image, error) from None
    opened.target.container.housing()
    return opened


def without_insight(opened: Opened) -> tuple[Caution, ...]:
    """Return the warning that RedisInsight is left out for want of its image."""
    plan = opened.plan
    if opened.target.container is None or plan.insight is None:
        return ()
    if not isinstance(opened.target.container.glance().insight_image, Missing):
        return ()
    return (
        Caution(
            f"env.{plan.environment}.insight.image",
            f"RedisInsight is left out: its image {plan.insight.image} is not here and could not be "
            f"fetched; `keywright insight up -e {plan.environment}` tries again",
        ),
    )


def _no_image(environment: str, image: str, error: KeywrightError) -> ApplyError:
    why = str(error).partition("failed: ")[2].rpartition("failed: ")[2] or str(error)
    return ApplyError(
        f"the image {image} is not here and cannot be fetched: {why}",
        f"is env.{environment}.image right? `docker load -i FILE` brings an image from a file",
    )
