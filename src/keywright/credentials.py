"""Where credentials come from when they change: a file, a variable, Entra ID, ElastiCache's IAM.

A source is a callable that returns `keywright.endpoint.Credentials`: who, the password or token, and
how many seconds that is good for. One source serves both ways of talking: `Endpoint.credentials`
asks it, and `rotating(source)` makes redis-py's CredentialProvider of it.
"""

import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from keywright.endpoint import Credentials
from keywright.errors import SettingsError, Unreachable
from keywright.secret import Secret

if TYPE_CHECKING:
    from redis.credentials import CredentialProvider

Source = Callable[[], Credentials]

IAM_LIFE = 900  # seconds that ElastiCache takes a signed request for: the most that AWS allows
IAM_LOGIN = 12 * 3600  # seconds after which ElastiCache closes a connection that logged in by IAM
MARGIN = 60.0  # seconds before its end at which a token is not handed out any more


def rotating(source: Source) -> "CredentialProvider":
    """Return redis-py's credential provider that asks `source` at every connect.

    In asyncio the source is asked in a thread, so that reading a file or fetching a token does not
    hold up the loop.
    """
    from redis.credentials import CredentialProvider

    class Rotating(CredentialProvider):
        """Asks the source; shows nothing of what it said."""

        def get_credentials(self) -> tuple[str] | tuple[str, str]:
            return _pair(source())

        async def get_credentials_async(self) -> tuple[str] | tuple[str, str]:
            from asyncio import to_thread

            return _pair(await to_thread(source))

    return Rotating()


def _pair(given: Credentials) -> tuple[str] | tuple[str, str]:
    word = given.password.reveal() if given.password else ""
    return (given.username, word) if given.username else (word,)


def from_file(path: str, username: str = "") -> Source:
    """A source that reads the password from a file at every connect: a mounted secret that rotates.

    The end of the last line is no part of it. Raises SettingsError when there is no such file, or
    nothing in it.
    """

    def read() -> Credentials:
        try:
            with open(path, encoding="utf-8") as file:
                text = file.read().rstrip("\r\n")
        except OSError as error:
            raise SettingsError(
                f"the password's file {path} cannot be read: {error.strerror}",
                "is the secret mounted, and may this user read it?",
            ) from None
        if not text:
            raise SettingsError(
                f"the password's file {path} is empty", "write the password into it"
            )
        return Credentials(username, Secret(text))

    return read


def from_variable(name: str = "REDIS_PASSWORD", username: str = "") -> Source:
    """A source that reads the password from an environment variable at every connect.

    Raises SettingsError when it is unset or empty.
    """

    def read() -> Credentials:
        text = os.environ.get(name, "")
        if not text:
            raise SettingsError(f"{name} is not set", f"set {name} to the server's password")
        return Credentials(username, Secret(text))

    return read


def entra_id(provider: Any = None, **arguments: Any) -> Source:
    """A source of Microsoft Entra ID tokens for Azure, through the package redis-entraid.

    `provider` is what redis-entraid's create_from_… functions return; without one
    `create_from_default_azure_credential` is called with `arguments` (scopes is Azure's own for
    Redis unless given). Tokens are fetched anew before they end. Needs `keywright[azure]`; raises
    SettingsError without it, Unreachable when no token is to be had. Tested against a stand-in.
    """
    if provider is None:
        try:
            from redis_entraid.cred_provider import create_from_default_azure_credential
        except ImportError:
            raise SettingsError(
                "Entra ID needs the package redis-entraid", "pip install 'keywright[azure]'"
            ) from None
        arguments.setdefault("scopes", ("https://redis.azure.com/.default",))
        provider = create_from_default_azure_credential(**arguments)

    def fetch() -> Credentials:
        try:
            username, token = provider.get_credentials()
        except Exception as error:  # noqa: BLE001 - whatever the identity library raises
            raise Unreachable(
                f"Entra ID gave no token: {type(error).__name__}",
                "does the identity exist here (managed identity, AZURE_… variables, `az login`), and "
                "has it a data access policy on the cache?",
            ) from None
        return Credentials(username, Secret(token), _jwt_left(token))

    return fetch


def _jwt_left(token: str) -> float | None:
    """Seconds until a JSON web token ends; None when it does not say."""
    from base64 import urlsafe_b64decode
    from json import loads

    try:
        body = token.split(".")[1]
        ends = float(loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))["exp"])
    except (IndexError, KeyError, ValueError, TypeError):
        return None
    return max(0.0, ends - time.time())


def elasticache_iam(
    user: str,
    cluster: str,
    region: str,
    *,
    serverless: bool = False,
    session: Any = None,
    clock: Callable[[], float] = time.monotonic,
) -> Source:
    """A source of IAM tokens for AWS ElastiCache (`user` is also the ACL user's name and id).

    `cluster` is the replication group's id, or the cache's name with `serverless`. A token is a
    presigned URL, signed here by botocore without a call to AWS, good for 15 minutes; it is reused
    until a minute before. Needs TLS and `keywright[aws]`; raises SettingsError without it, or
    without AWS credentials. Tested against a stand-in.
    """
    if session is None:
        try:
            from botocore.session import Session
        except ImportError:
            raise SettingsError(
                "ElastiCache IAM needs the package botocore", "pip install 'keywright[aws]'"
            ) from None
        session = Session()
    held: list[tuple[str, float]] = []
    lock = threading.Lock()

    def sign() -> Credentials:
        with lock:
            now = clock()
            if not held or now >= held[0][1] - MARGIN:
                held[:] = [(_presigned(session, user, cluster, region, serverless), now + IAM_LIFE)]
        # The connection stays good for hours after the token; a new login needs a new token only then.
        return Credentials(user, Secret(held[0][0]), float(IAM_LOGIN))

    return sign


def _presigned(session: Any, user: str, cluster: str, region: str, serverless: bool) -> str:
    """The signed request `connect`, without its scheme: what ElastiCache takes as a password."""
    from botocore.model import ServiceId
    from botocore.signers import RequestSigner

    credentials = session.get_credentials()
    if credentials is None:
        raise SettingsError(
            "AWS credentials are not found", "give the process a role, or set AWS_PROFILE"
        )
    signer = RequestSigner(
        ServiceId("elasticache"), region, "elasticache", "v4", credentials,
        session.get_component("event_emitter"),
    )  # fmt: skip
    kind = "&ResourceType=ServerlessCache" if serverless else ""
    request = {
        "method": "GET",
        "url": f"https://{cluster}/?Action=connect&User={user}{kind}",
        "body": {},
        "headers": {},
        "context": {},
    }
    signed: str = signer.generate_presigned_url(
        request, operation_name="connect", expires_in=IAM_LIFE, region_name=region
    )
    return signed.removeprefix("https://")
