"""tls: make, renew and show the environment's own authority and its server's certificate."""

from collections.abc import Mapping
from typing import NamedTuple

from keywright.errors import ApplyError, InputError, Refused, Unreachable
from keywright_ops.actions.certificate import read_certificate, with_certificate
from keywright_ops.actions.declared import authority_files, declare, file_paths, paths_of
from keywright_ops.actions.environment import Opened, open_environment
from keywright_ops.actions.refusals import refuse_silent
from keywright_ops.actions.taking_back import taken_back
from keywright_ops.actions.up import Ask, home_of, workshop
from keywright_ops.apply.apply import Done, WorldMoved, apply, confirm
from keywright_ops.apply.lock import lock
from keywright_ops.checks.encryption import judge_certificate
from keywright_ops.checks.proofs import certificate_proof
from keywright_ops.facts.certificate import parse_pem
from keywright_ops.gather.environment import EVERYTHING, gather
from keywright_ops.model.absence import Missing
from keywright_ops.model.facts import Certificate, Facts
from keywright_ops.model.plan import Plan
from keywright_ops.model.proof import Outcome
from keywright_ops.model.step import Step
from keywright_ops.plan.resolve import resolve
from keywright_ops.render.artefacts import render_certificates
from keywright_ops.steps.declared import Declared
from keywright_ops.steps.files import differs, write
from keywright_ops.steps.restart import start, stop
from keywright_ops.steps.tls import reload_certificate, reloads_live, stale


class TlsReport(NamedTuple):
    """The certificate on disk, who signed it, and what the server presents; `outcome` compares the two.

    `enabled` says whether the file has TLS on; `files` are certificate, key and authority here.
    """

    plan: Plan
    enabled: bool
    files: tuple[str, str, str]
    steps: tuple[Step, ...]
    certificate: Certificate | Missing
    authority: Certificate | Missing
    presented: Certificate | Missing
    outcome: Outcome | None


def show(file: str | None, environment: str | None, environ: Mapping[str, str]) -> TlsReport:
    """Look at the files and at what the server presents. Raises InputError where there is no TLS."""
    opened = open_environment(file, environment, environ)
    if opened.plan.listen.tls is None:
        raise InputError(
            f"environment {opened.plan.environment} has no TLS",
            f"write env.{opened.plan.environment}.tls.enabled = true, then `keywright up`",
        )
    return report(opened, True, ())


def issue(ask: Ask, dry_run: bool = False) -> TlsReport:
    """Make authority and certificate where there are none, and keep those that fit. Needs no server.

    Raises InputError for an environment whose certificate is a person's.
    """
    return _change(ask, None, dry_run)


def renew(ask: Ask, another_authority: bool, another_key: bool, dry_run: bool = False) -> TlsReport:
    """Make another certificate for the server and serve it live; or another authority, without that.

    Raises InputError for one that is a person's, or where nothing has been made yet.
    """
    return _change(ask, (another_authority, another_key), dry_run)


def _change(ask: Ask, wish: tuple[bool, bool] | None, dry_run: bool) -> TlsReport:
    opened, enabled = _open_own(ask)  # once before the lock: a mistake leaves no trace on disk
    if dry_run:
        return report(opened, enabled, _steps(opened, enabled, wish))
    with lock(f"{home_of(ask)}/lock", "keywright tls"):
        opened, enabled = _open_own(ask)
        steps = _steps(opened, enabled, wish)
        shop = workshop(opened, ask)
        confirm(steps, shop)
        done: list[Done] = []
        try:
            apply(steps, shop, done)
        except WorldMoved as error:
            raise taken_back(ApplyError(str(error), "run it again"), done, shop) from None
        except (ApplyError, Refused, Unreachable) as error:
            raise taken_back(error, done, shop) from None
        shop.journal.prune()
        told = report(opened, enabled, steps)
        if told.outcome is not None and steps:
            ask.proved(told.outcome)
        return told


def _open_own(ask: Ask) -> tuple[Opened, bool]:
    """Open the environment, as if TLS were on where it is not yet; say whether it is."""
    opened = open_environment(ask.file, ask.environment, ask.environ)
    tls, name = opened.plan.listen.tls, opened.plan.environment
    if tls is not None and not tls.own:
        raise InputError(
            f"the certificate of {name} is your own, {tls.cert_file}",
            "put another one there and say `keywright up`; or take tls.cert_file, key_file and"
            " ca_cert_file out and write tls.enabled = true: Keywright then makes it",
        )
    if tls is not None:
        return opened, True
    if opened.plan.kind in ("azure", "aws"):
        raise InputError(
            f"the certificate of {name} is the managed service's", "there is nothing to make here"
        )
    profile = opened.place.profile
    table = profile.environments[name]
    wished = table._replace(values={**table.values, "tls.enabled": True})
    profile = profile._replace(environments={**profile.environments, name: wished})
    plan = resolve(profile, name, None, {}, opened.home, opened.place.folder)
    return with_certificate(opened._replace(plan=plan)), False


def _steps(opened: Opened, enabled: bool, wish: tuple[bool, bool] | None) -> tuple[Step, ...]:
    """The files that differ, and the live change; nothing else of the environment is touched."""
    assert opened.authority is not None
    if wish is not None:
        if isinstance(opened.certificate, Missing):
            hint = f"`keywright tls issue -e {opened.plan.environment}` makes one"
            raise InputError(f"{opened.plan.environment} has no certificate to renew", hint)
        opened.authority.renew(*wish)
    declared = declare(opened)
    facts = gather(opened.target, opened.plan, EVERYTHING, file_paths(declared))
    wanted = _paths(opened, enabled)
    files = [each for each in declared.others if each.path in wanted]
    steps = [write(each, facts) for each in files if differs(each, facts)]
    if enabled and not isinstance(facts.process, Missing):
        refuse_silent(facts)
        steps += _serve(declared, facts)
    return tuple(steps)


def _paths(opened: Opened, enabled: bool) -> frozenset[str]:
    """The files of authority and certificate: the environment's own, and the server's copies."""
    assert opened.authority is not None
    certificates = opened.authority.certificates()
    own = paths_of(authority_files(opened.home, certificates))
    if not enabled:
        return own
    copies = render_certificates(opened.plan, certificates)
    return own | {path for each in copies for path in (each.path, f"{opened.base}/{each.path}")}


def _serve(declared: Declared, facts: Facts) -> list[Step]:
    """Another certificate in the running server: live, or by a restart on Redis 6.2."""
    if reloads_live(facts):
        return reload_certificate(declared.plan, declared.certificate, facts)
    if not stale(declared.plan, declared.certificate, facts):
        return []
    return [stop(facts, "it reads a certificate only when it starts"), start("start it again")]


def report(opened: Opened, enabled: bool, steps: tuple[Step, ...]) -> TlsReport:
    """Read the files again, shake hands, and compare."""
    plan, transport = opened.plan, opened.target.transport
    tls = plan.listen.tls
    assert tls is not None
    found = read_certificate(transport, tls)
    authority = transport.read(tls.here[2])
    presented: Certificate | Missing = Missing("TLS is not on yet")
    if enabled:
        presented = gather(opened.target, plan, frozenset({"certificate"})).certificate
    outcome = None
    if not isinstance(presented, Missing):
        outcome = judge_certificate(certificate_proof(), plan, found, presented)
    return TlsReport(
        plan=plan,
        enabled=enabled,
        files=tls.here,
        steps=steps,
        certificate=found,
        authority=authority
        if isinstance(authority, Missing)
        else parse_pem(authority.decode("utf-8", "replace")),
        presented=presented,
        outcome=outcome,
    )
