"""What a proof is asked about."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from keywright.secret import Secret
from keywright_ops.model.absence import Missing
from keywright_ops.model.artefact import WholeFile
from keywright_ops.model.facts import AclUser, Certificate, Facts
from keywright_ops.model.plan import Plan
from keywright_ops.targets.target import Completed, Target


class Ahead(NamedTuple):
    """What was asked of a container before it was needed."""

    health: Callable[[], Completed]
    processes: Callable[[], str]


class Scene(NamedTuple):
    """The environment, what was declared, and a fresh snapshot; `folder` is where its compose file
    lies, `site` the password of RedisInsight's site."""

    target: Target
    plan: Plan
    users: Mapping[str, AclUser]
    facts: Facts
    canary: str
    files: tuple[WholeFile, ...] = ()
    secrets: tuple[Secret, ...] = ()
    folder: str = ""
    certificate: Certificate | Missing = Missing("no TLS is declared")
    ahead: Ahead | None = None
    site: Secret | None = None
