"""The claims that must be proven of an environment: the good and the negative, as a list of data.

Commands that could destroy something are never tried in earnest, not even where they should be refused:
the server's own dry run (ACL DRYRUN) answers for them.
"""

from keywright_ops.model.plan import Insight, Plan, User
from keywright_ops.model.proof import (
    Attempt,
    BridgeReaches,
    ClosedOutside,
    ContainerEquals,
    Denied,
    FilesEqual,
    FirewallHolds,
    FoldersClosed,
    HealthPasses,
    InsightAnswers,
    InsightOnLoopback,
    InspectKeepsSecrets,
    KernelHolds,
    ListensOnly,
    LiveEquals,
    LoadsFromCopy,
    NeighbourIsRefused,
    NotRoot,
    PlainClosed,
    Proof,
    PublishedOnly,
    RefusesPlain,
    ServesCertificate,
    ServiceHolds,
    SiteAnswers,
    SiteRedirects,
    SiteRefuses,
    SurvivesRestart,
    UsersEqual,
)

SERVER = "the server"
HOST = "this host"
ENGINE = "the Docker engine"
NEIGHBOUR = "another container"
OUTSIDE = "outside"
CANARY_TTL = "60"  # seconds


def proofs(plan: Plan, canary: str, restarts: bool, quick: bool = False) -> tuple[Proof, ...]:
    """Return the proofs of this plan in the order they are shown.

    `canary` is the one key (with a TTL) that they may write; `restarts` says whether persistence is
    proven by a restart, or else by loading a copy. `quick` leaves out what starts a container of its
    own.
    """
    users = {user.name: user for user in plan.users}
    return (
        Proof("settings", "every declared setting is live", SERVER, LiveEquals()),
        Proof("files", "every file is as declared", HOST, FilesEqual()),
        Proof("users", "users are exactly the declared", SERVER, UsersEqual()),
        # a canary that must survive a restart is not written again before it is looked for
        *_logins(users, f"{canary}:app" if restarts else canary),
        *_denials(plan, users),
        *_housing(plan, quick),
        *_encryption(plan),
        *([] if quick and plan.container and not restarts else _persistence(plan, restarts)),
    )


def _housing(plan: Plan, quick: bool) -> tuple[Proof, ...]:
    """Where it answers; and for a container what the engine, not the file, says of it."""
    if plan.container is None:
        listens = Proof("listens", "only declared addresses listen", HOST, ListensOnly())
        return (listens, *_machine(plan))
    found = [
        Proof("published", "only declared addresses answer", HOST, PublishedOnly()),
        Proof("container", "the container is as declared", ENGINE, ContainerEquals("frame")),
        Proof("limits", "limits and restart policy hold", ENGINE, ContainerEquals("limits")),
        Proof("health", "the health check passes", SERVER, HealthPasses()),
        Proof("account", "the server is not root", ENGINE, NotRoot()),
        Proof("secrets", "docker shows no secret", ENGINE, InspectKeepsSecrets()),
    ]
    if plan.insight is not None:
        found.append(Proof("insight", "RedisInsight answers", HOST, InsightAnswers()))
    if not quick:
        title = "a neighbour needs the password"
        found.append(Proof("neighbour", title, NEIGHBOUR, NeighbourIsRefused()))
    return tuple(found)


def _machine(plan: Plan) -> tuple[Proof, ...]:
    """What a Linux host must hold for the service."""
    if plan.unit is None:
        return ()
    found = [
        Proof("service", "the service runs, also at a boot", HOST, ServiceHolds()),
        Proof("folders", "folders are closed to others", HOST, FoldersClosed()),
    ]
    if plan.kernel is not None:
        found.append(Proof("kernel", "the kernel is set for a server", HOST, KernelHolds()))
    if plan.firewall is not None and plan.firewall.kept:
        found.append(Proof("firewall", "the firewall holds", HOST, FirewallHolds()))
    found.append(Proof("closed", "the ports are closed from outside", OUTSIDE, ClosedOutside()))
    if plan.insight is not None:
        found.append(Proof("bridge", "a container reaches it", NEIGHBOUR, BridgeReaches()))
        found.append(Proof("insight", "RedisInsight answers", HOST, InsightAnswers()))
        found += _site(plan.insight)
    return tuple(found)


def _site(insight: Insight) -> tuple[Proof, ...]:
    """What stands between the world and RedisInsight."""
    if not insight.secret:
        return ()
    return (
        Proof("site-nobody", "the site asks for a login", HOST, SiteRefuses("nobody")),
        Proof("site-stranger", "a wrong login is refused", HOST, SiteRefuses("stranger")),
        Proof("site", "RedisInsight is behind the login", HOST, SiteAnswers()),
        Proof("site-plain", "the site answers over TLS only", HOST, SiteRedirects()),
        Proof("site-port", "its port is on loopback only", HOST, InsightOnLoopback()),
    )


def _logins(users: dict[str, User], canary: str) -> tuple[Proof, ...]:
    default = users["default"]
    expected = "PONG" if default.enabled else "WRONGPASS"
    title = "the password works" if default.enabled else "the default user is off"
    return (
        _attempt("password", title, "default", ("PING",), expected),
        _attempt("no-password", "no password is refused", "nobody", ("PING",), "NOAUTH"),
        _attempt(
            "wrong-password", "a wrong password is refused", "stranger", ("PING",), "WRONGPASS"
        ),
        _attempt(
            "app-writes",
            "the app may write its keys",
            "appuser",
            ("SET", canary, canary, "EX", CANARY_TTL),
            "OK",
        ),
    )


def _denials(plan: Plan, users: dict[str, User]) -> tuple[Proof, ...]:
    outside = f"not-{plan.prefix}keywright:canary"
    found = []
    if plan.prefix:
        found.append(
            _attempt(
                "app-prefix",
                "the app may not leave its prefix",
                "appuser",
                ("GET", outside),
                "NOPERM",
            )
        )
    found += [
        _attempt(
            "app-config",
            "the app may not read the config",
            "appuser",
            ("CONFIG", "GET", "maxmemory"),
            "NOPERM",
        ),
        _denied("app-flush", "the app may not empty the server", "appuser", "FLUSHALL"),
        _denied("viewer-writes", "the viewer may not write", "viewer", "SET", "key", "value"),
        _attempt(
            "health-reads", "health checks may not read keys", "health", ("GET", outside), "NOPERM"
        ),
    ]
    if "+get" not in users["viewer"].rules and "+@read" not in users["viewer"].rules:
        found.append(
            _attempt(
                "viewer-values",
                "the viewer may not read values",
                "viewer",
                ("GET", outside),
                "NOPERM",
            )
        )
    return tuple(found)


def _attempt(id: str, title: str, login: str, argv: tuple[str, ...], expected: str) -> Proof:
    return Proof(id, title, HOST, Attempt(login, argv, expected))


def _denied(id: str, title: str, user: str, *argv: str) -> Proof:
    return Proof(id, title, SERVER, Denied(user, argv))


def _encryption(plan: Plan) -> tuple[Proof, ...]:
    tls = plan.listen.tls
    if tls is None:
        return ()
    found = (
        certificate_proof(),
        Proof("tls-only", f"without TLS {tls.port} refuses", HOST, RefusesPlain()),
    )
    if plan.listen.port:
        return found
    return (*found, Proof("plain-closed", "no port without TLS is open", HOST, PlainClosed()))


def certificate_proof() -> Proof:
    """The claim that a handshake brings what was declared."""
    return Proof("certificate", "the right certificate is served", HOST, ServesCertificate())


def _persistence(plan: Plan, restarts: bool) -> tuple[Proof, ...]:
    if not plan.persistence.promised:
        return ()
    if restarts:
        title = "data survives a restart"
        return (Proof("restart", title, SERVER, SurvivesRestart(), disturbs=True),)
    title = "the data on disk loads"
    return (Proof("copy", title, HOST, LoadsFromCopy()),)
