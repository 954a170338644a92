"""One claim as data, the probe that can settle it, and what came of it."""

from typing import NamedTuple

PASSED = "passed"
FAILED = "failed"
UNKNOWN = "unknown"


class LiveEquals(NamedTuple):
    """Every declared redis.conf setting equals what CONFIG GET answers."""


class FilesEqual(NamedTuple):
    """Every file that the server and the application read is on disk as rendered, and as closed."""


class UsersEqual(NamedTuple):
    """Every declared user, and no other, exists with exactly its rights and passwords."""


class Attempt(NamedTuple):
    """Log in and send one command. `login` is: a user's name, other(name) of model/login.py, "nobody"
    (no AUTH at all) or "stranger" (the default user with a wrong password). `expected` is the first
    word of the answer (PONG, NOAUTH, WRONGPASS, NOPERM …).
    """

    login: str
    argv: tuple[str, ...]
    expected: str


class Denied(NamedTuple):
    """The server's own dry run (ACL DRYRUN) refuses this command to this user: for commands that
    must not be tried in earnest, such as FLUSHALL."""

    user: str
    argv: tuple[str, ...]


class ListensOnly(NamedTuple):
    """The kernel's list of listening sockets for the port is exactly the declared addresses, and a
    connection to any other address of this host is refused."""


class SurvivesRestart(NamedTuple):
    """A canary written before a restart is there after it."""


class LoadsFromCopy(NamedTuple):
    """A scratch server that loads a fresh copy of the data on disk finds the canary in it."""


class ContainerEquals(NamedTuple):
    """The engine says of the container what was declared; `aspect` is "frame" (image, mounts, log,
    network, health check, rights) or "limits" (with the restart policy)."""

    aspect: str


class PublishedOnly(NamedTuple):
    """The server answers on the declared addresses of the host and on no other, and asks for a
    password there."""


class HealthPasses(NamedTuple):
    """The container's health check, run now, is content, and the engine knows of nothing else."""


class NotRoot(NamedTuple):
    """The server's process runs under an account that is not root's."""


class InspectKeepsSecrets(NamedTuple):
    """Neither `docker inspect` nor the container's processes show a password or its hash."""


class InsightAnswers(NamedTuple):
    """RedisInsight says that it is up, on loopback."""


class NeighbourIsRefused(NamedTuple):
    """Another container on the same network is asked for a password."""


class SessionsEnded(NamedTuple):
    """None of these connections of the user, open before their end, is open any more."""

    user: str
    ids: frozenset[int]


class ServesCertificate(NamedTuple):
    """A handshake brings the declared certificate, and a client that checks accepts it."""


class RefusesPlain(NamedTuple):
    """The TLS port answers nobody who does not begin TLS."""


class PlainClosed(NamedTuple):
    """The server listens on no port but the one with TLS."""


class ServiceHolds(NamedTuple):
    """systemd runs the service and starts it with the machine."""


class FoldersClosed(NamedTuple):
    """The folders of configuration, data and backups are closed to other accounts of the host."""


class KernelHolds(NamedTuple):
    """The host's kernel is set as declared."""


class FirewallHolds(NamedTuple):
    """The host's firewall is on and holds the declared rules in their order; nothing passes by it."""


class ClosedOutside(NamedTuple):
    """From another machine the port does not open."""


class BridgeReaches(NamedTuple):
    """From a container's own network the server is reached, and asks for a password."""


class SiteRefuses(NamedTuple):
    """RedisInsight's site answers 401; `login` is "nobody" (none is sent) or "stranger" (a wrong one)."""

    login: str


class SiteAnswers(NamedTuple):
    """With the right login RedisInsight itself answers through its site."""


class SiteRedirects(NamedTuple):
    """Without TLS the site sends to https, whatever is asked."""


class InsightOnLoopback(NamedTuple):
    """RedisInsight's own port is open on the host's loopback alone."""


# Asked of a container's engine and from beside it; asked of a Linux host and from beside it.
OfContainer = PublishedOnly | HealthPasses | NotRoot | InspectKeepsSecrets | NeighbourIsRefused
OfSite = SiteRefuses | SiteAnswers | SiteRedirects | InsightOnLoopback
OfHost = (
    ServiceHolds
    | FoldersClosed
    | KernelHolds
    | FirewallHolds
    | ClosedOutside
    | BridgeReaches
    | OfSite
)

Probe = (
    LiveEquals
    | FilesEqual
    | UsersEqual
    | Attempt
    | Denied
    | ListensOnly
    | SurvivesRestart
    | LoadsFromCopy
    | ContainerEquals
    | OfContainer
    | InsightAnswers
    | SessionsEnded
    | ServesCertificate
    | RefusesPlain
    | PlainClosed
    | OfHost
)


class Proof(NamedTuple):
    """One claim. `vantage` is from where it is asked: "this host", "the server", "outside"."""

    id: str
    title: str
    vantage: str
    probe: Probe
    disturbs: bool = False


class Outcome(NamedTuple):
    """What a proof gave: PASSED, FAILED or UNKNOWN, with the evidence that was read."""

    proof: Proof
    verdict: str
    evidence: str
