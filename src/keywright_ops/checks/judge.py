"""Whether a proof holds, judged from what was answered; the evidence is what was read."""

from collections.abc import Mapping

from keywright_ops.facts.acl import permitted
from keywright_ops.facts.canonical import canonical
from keywright_ops.model.absence import Discovered, Missing
from keywright_ops.model.artefact import WholeFile
from keywright_ops.model.facts import AclUser, Facts
from keywright_ops.model.login import REFUSALS
from keywright_ops.model.plan import Plan
from keywright_ops.model.proof import FAILED, PASSED, UNKNOWN, Attempt, Outcome, Proof
from keywright_ops.steps.files import difference, differs
from keywright_ops.steps.running import differing
from keywright_ops.steps.users import user_differences


def judge_settings(proof: Proof, plan: Plan, facts: Facts) -> Outcome:
    """Every declared setting equals the live value; settings unknown to the server fail too."""
    if isinstance(facts.config, Missing):
        return _unasked(proof, facts.config)
    live = facts.config
    wrong = [
        f"{each.name} is {live[each.name] or '(empty)'}, declared {each.value or '(empty)'}"
        for each in differing(plan, facts)
    ]
    wrong += [f"{each.name} is unknown to it" for each in plan.directives if each.name not in live]
    if wrong:
        return Outcome(proof, FAILED, "; ".join(wrong))
    return Outcome(proof, PASSED, f"CONFIG GET: all {len(plan.directives)} equal")


def judge_users(proof: Proof, declared: Mapping[str, AclUser], facts: Facts) -> Outcome:
    """The users are exactly the declared ones, with their rights and password hashes."""
    if isinstance(facts.users, Missing):
        return _unasked(proof, facts.users)
    wrong = user_differences(declared, facts)
    if wrong:
        return Outcome(proof, FAILED, "; ".join(wrong))
    return Outcome(proof, PASSED, f"ACL LIST: {len(declared)} users, as declared")


def _unasked(proof: Proof, missing: Missing) -> Outcome:
    """A server that refuses its own administrator is not as declared; silence proves nothing."""
    if missing.why.startswith(REFUSALS):
        return Outcome(proof, FAILED, f"it refuses Keywright's admin: {missing.why}")
    return Outcome(proof, UNKNOWN, missing.why)


def judge_files(proof: Proof, declared: tuple[WholeFile, ...], plan: Plan, facts: Facts) -> Outcome:
    """Every file has its content and its mode; of redis.conf the changed settings are named."""
    wrong = [difference(file, facts) for file in declared if differs(file, facts)]
    disk = {} if isinstance(facts.disk_config, Missing) else facts.disk_config
    edited = [
        each.name
        for each in plan.directives
        if disk
        and canonical(each.name, disk.get(each.name, "")) != canonical(each.name, each.value)
    ]
    wrong += [f"redis.conf says {name} {disk.get(name) or '(nothing)'}" for name in edited]
    if wrong:
        return Outcome(proof, FAILED, "; ".join(wrong))
    return Outcome(proof, PASSED, f"{len(declared)} files on disk: content and mode")


def judge_attempt(proof: Proof, attempt: Attempt, answer: str | Missing) -> Outcome:
    """The answer's first word is the expected one."""
    user, _, second = attempt.login.partition(" ")
    who = f"{user}, {second} password" if second else user
    asked = WHO.get(attempt.login, f"{attempt.argv[0]} as {who}")
    if isinstance(answer, Missing):
        return Outcome(proof, UNKNOWN, f"{asked}: {answer.why}")
    word = answer.partition(" ")[0]
    verdict = PASSED if word == attempt.expected else FAILED
    expected = "" if verdict == PASSED else f", expected {attempt.expected}"
    return Outcome(proof, verdict, f"{asked} → {word or '(nothing)'}{expected}")


WHO = {"nobody": "PING without AUTH", "stranger": "AUTH with a wrong password"}


def judge_sessions(proof: Proof, user: str, ids: frozenset[int], facts: Facts) -> Outcome:
    """CLIENT LIST names none of the connections that were to end."""
    if isinstance(facts.clients, Missing):
        return _unasked(proof, facts.clients)
    now = [client for client in facts.clients if client.user == user]
    old = [client for client in now if client.id in ids]
    if old:
        oldest = max(client.age for client in old)
        return Outcome(proof, FAILED, f"{len(old)} of {user} are still open, the oldest {oldest} s")
    oldest = max((client.age for client in now), default=0)
    told = f"{len(now)} since then, the oldest {oldest} s" if now else "none open"
    return Outcome(proof, PASSED, f"CLIENT LIST: {len(ids)} ended, {told}")


def judge_denied(
    proof: Proof, user: str, argv: tuple[str, ...], answer: str | Missing, facts: Facts
) -> Outcome:
    """ACL DRYRUN says that the user has no permission; OK means that it has.

    Redis 6.2 has no DRYRUN: there the user's rights are counted out from ACL LIST and ACL CAT.
    """
    asked = f"DRYRUN {argv[0]} as {user}"
    if isinstance(answer, Missing):
        return Outcome(proof, UNKNOWN, f"{asked}: {answer.why}")
    if "permission" in answer:
        return Outcome(proof, PASSED, f"{asked} → no permission")
    if answer.lower().startswith("err unknown subcommand"):
        return _judge_rights(proof, user, argv[0].lower(), facts)
    return Outcome(proof, FAILED, f"{asked} → {answer.partition(' ')[0]}")


def _judge_rights(proof: Proof, user: str, command: str, facts: Facts) -> Outcome:
    if isinstance(facts.users, Missing) or isinstance(facts.categories, Missing):
        return Outcome(proof, UNKNOWN, "this server has no ACL DRYRUN (it came with Redis 7.0)")
    live = facts.users.get(user)
    may = live is None or command in permitted(live.commands, facts.categories)
    return Outcome(
        proof,
        FAILED if may else PASSED,
        f"ACL LIST: {command} is {'' if may else 'not '}among its rights",
    )


def declared_addresses(plan: Plan) -> tuple[frozenset[str], frozenset[str]]:
    """Return the addresses that must listen and those that may (`-address`: only where it exists)."""
    must, may = set(), set()
    for address in plan.listen.bind:
        if isinstance(address, Discovered):
            continue
        if address.startswith("-"):
            may.add(address[1:])
        else:
            must.add(address)
    return frozenset(must), frozenset(may)


def judge_listens(
    proof: Proof, plan: Plan, listening: tuple[str, ...] | Missing, elsewhere: str | Missing
) -> Outcome:
    """The kernel's list is what was declared, and another address of this host refuses."""
    if isinstance(listening, Missing):
        return Outcome(proof, UNKNOWN, listening.why)
    must, may = declared_addresses(plan)
    if "*" in must:
        must, may = (must - {"*"}) | {"0.0.0.0"}, may | {"::"}
    seen = frozenset(listening)
    missing, extra = sorted(must - seen), sorted(seen - must - may)
    if missing or extra:
        wrong = [f"nothing listens on {address}" for address in missing]
        wrong += [f"{address} listens and is not declared" for address in extra]
        return Outcome(proof, FAILED, "; ".join(wrong))
    heard = ", ".join(sorted(seen))
    if isinstance(elsewhere, Missing):
        return Outcome(proof, PASSED, heard)
    return Outcome(proof, PASSED, f"{heard}; {elsewhere}")
