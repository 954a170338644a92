"""The certificate of an opened environment: what lies on disk, who makes another, what is wrong."""

import time

from keywright.errors import InputError
from keywright_ops.actions.environment import Opened
from keywright_ops.checks.encryption import judge_expiry
from keywright_ops.facts.certificate import day, parse_pem
from keywright_ops.model.absence import NOT_THERE, Missing
from keywright_ops.model.facts import Certificate
from keywright_ops.model.plan import Plan, Tls
from keywright_ops.targets.target import Transport
from keywright_ops.vault.authority import Authority


def with_certificate(opened: Opened) -> Opened:
    """Return the same with its certificate, and with a warning where that ends soon."""
    plan, transport = opened.plan, opened.target.transport
    found = read_certificate(transport, plan.listen.tls)
    cautions = judge_expiry(plan, found, time.time())
    return opened._replace(
        plan=plan._replace(warnings=(*plan.warnings, *cautions)),
        certificate=found,
        authority=authority_of(plan, transport),
    )


def read_certificate(transport: Transport, tls: Tls | None) -> Certificate | Missing:
    """Return the certificate that lies on disk; Missing says why none can be read."""
    content = transport.read(tls.here[0]) if tls else Missing("no TLS is declared")
    if isinstance(content, Missing):
        return content
    return parse_pem(content.decode("utf-8", "replace"))


def authority_of(plan: Plan, transport: Transport) -> Authority | None:
    """Return the environment's authority; None where the certificate is a person's."""
    tls = plan.listen.tls
    if tls is None or not tls.own:
        return None
    folder = tls.here[0].rpartition("/")[0]
    return Authority(transport, folder, f"{plan.app} {plan.environment}", tls.names)


def refuse_bad_certificate(opened: Opened) -> None:
    """A person's certificate must be one, belong to its key, and not have expired. Raises InputError.

    What this user may not read (a key for the server's account alone) is left to the server to judge.
    """
    tls = opened.plan.listen.tls
    if tls is None or tls.own:
        return
    table = f"env.{opened.plan.environment}.tls"
    names = ("cert_file", "key_file", "ca_cert_file")
    for name, path in zip(names, tls.here, strict=True):
        content = opened.target.transport.read(path)
        if isinstance(content, Missing):
            _refuse_unreadable(f"{table}.{name}", path, content)
        elif name != "key_file":
            _refuse_strange(f"{table}.{name}", path, content)
    _refuse_foreign_key(f"{table}.key_file", tls.here[0], tls.here[1])


def _refuse_unreadable(key: str, path: str, why: Missing) -> None:
    told = why.why.removeprefix(f"{path}: ")
    raise InputError(
        f"{key}: {path} cannot be read: {told}",
        "is this the right path?"
        if why.why == NOT_THERE
        else "the server runs as you, and must be able to read it",
    )


def _refuse_strange(key: str, path: str, content: bytes) -> None:
    found = parse_pem(content.decode("utf-8", "replace"))
    if isinstance(found, Missing):
        raise InputError(
            f"{key}: {path} is no certificate: {found.why}",
            'a PEM file is needed, which begins with "-----BEGIN CERTIFICATE-----"',
        )
    if found.not_after <= time.time():
        raise InputError(
            f"{key}: the certificate in {path} expired on {day(found.not_after)}",
            "put a newer one there, or take the three files out and write tls.enabled = true",
        )


def _refuse_foreign_key(key: str, certificate: str, path: str) -> None:
    import ssl  # 13 ms: only where somebody brings a certificate

    def no_passphrase() -> str:
        raise InputError(
            f"{key}: {path} has a passphrase, and the server could not start by itself",
            "write it without one, closed to others: openssl pkey -in OLD -out NEW; chmod 600 NEW",
        )

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, path, no_passphrase)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise InputError(
                f"{key}: the key in {path} is not that of {certificate}",
                "which key was the certificate made for?",
            ) from None
        raise InputError(
            f"{key}: {path} is no key in PEM",
            'it begins with "-----BEGIN PRIVATE KEY-----"',
        ) from None
    except OSError as error:
        _refuse_unreadable(key, path, Missing(error.strerror or "it cannot be read"))


def refuse_without_tls(opened: Opened) -> None:
    """Not every server program speaks TLS. Raises InputError for one that says that it does not.

    The program is asked with a certificate that does not exist: it ends before it listens anywhere.
    """
    tls, program = opened.plan.listen.tls, opened.plan.engine.program
    if tls is None or opened.plan.kind != "local" or not isinstance(program, str):
        return
    import subprocess

    argv = (program, "--port", "0", "--tls-port", str(tls.port), "--tls-cert-file", NOWHERE)
    quiet = ("--save", "", "--daemonize", "no")
    try:
        done = subprocess.run(
            (*argv, *quiet), capture_output=True, text=True, timeout=5, check=False, cwd="/"
        )
    except (OSError, subprocess.TimeoutExpired):
        return  # whether it can be run at all is told when it is started
    said = done.stdout + done.stderr
    if any(each in said for each in ("Failed finding TLS support", "'tls-port ")):
        raise InputError(
            f"the server {program} was built without TLS",
            "name one that has it, such as Debian's: "
            f'env.{opened.plan.environment}.server = "/usr/bin/redis-server"',
        )


NOWHERE = "/nonexistent/keywright.crt"
