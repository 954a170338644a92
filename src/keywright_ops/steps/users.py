"""Steps that bring the server's users to what the plan says: the ACL file, then ACL LOAD."""

from collections.abc import Mapping

from keywright_ops.facts.acl import same_rights
from keywright_ops.model.absence import Missing
from keywright_ops.model.artefact import WholeFile
from keywright_ops.model.facts import AclUser, Facts
from keywright_ops.model.step import LOAD_USERS, Danger, Step
from keywright_ops.steps.files import differs, write


def user_differences(declared: Mapping[str, AclUser], facts: Facts) -> list[str]:
    """Return one sentence for every user who is not as declared; [] when all are."""
    if isinstance(facts.users, Missing):
        return [f"the users could not be asked: {facts.users.why}"]
    live, categories = facts.users, facts.categories
    known = {} if isinstance(categories, Missing) else categories
    found = [f"user {name} is missing" for name in declared if name not in live]
    found += [f"user {name} is not in the plan" for name in live if name not in declared]
    for name, user in declared.items():
        if name not in live:
            continue
        if user.hashes != live[name].hashes or user.nopass != live[name].nopass:
            found.append(f"user {name} has another password")
        elif user.enabled != live[name].enabled:
            found.append(f"user {name} is {'off' if user.enabled else 'on'}")
        elif not same_rights(user, live[name], known):
            found.append(f"user {name} has other rights")
    return found


def load_users(
    acl: WholeFile, declared: Mapping[str, AclUser], facts: Facts, reads: str
) -> list[Step]:
    """Return the steps that make file and live server agree with the declared users.

    `reads` is the ACL file as the plan lets the server read it; one that runs without it (found with
    requirepass, or users in redis.conf) cannot load it: the restart that gives it the file does.
    """
    steps = [write(acl, facts)] if differs(acl, facts) else []
    live = {} if isinstance(facts.config, Missing) else facts.config
    sentences = user_differences(declared, facts)
    if sentences and live.get("aclfile", reads) == reads:
        title = f"load the users ({'; '.join(sentences)})"
        step = Step(id="load-users", title=title, do=LOAD_USERS, undo=LOAD_USERS)
        steps.append(_without(switched_off(declared, facts) if steps else [], step))
    return steps


def switched_off(declared: Mapping[str, AclUser], facts: Facts) -> list[str]:
    """Return the users who may log in now and may not as declared."""
    live = {} if isinstance(facts.users, Missing) else facts.users
    return [
        name
        for name, user in declared.items()
        if not user.enabled and name in live and live[name].enabled
    ]


def _without(names: list[str], step: Step) -> Step:
    """Who logs in as one of these must use another name first. What somebody switched on by hand, beside
    the file, nobody relies on: there are no names then."""
    if not names:
        return step
    told = f"clients must follow: nobody logs in as {' or '.join(names)} any more"
    return step._replace(title=f"{step.title}; {told}", danger=Danger.CLIENTS_FOLLOW)
