"""Sources of credentials that change; Entra ID and ElastiCache IAM against stand-ins."""

import asyncio
import json
import time
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.app.conftest import emptied
from tests.app.test_doors import with_user
from tests.engines.servers import Server

from keywright.connecting import connect
from keywright.credentials import elasticache_iam, entra_id, from_file, rotating
from keywright.endpoint import Credentials, Endpoint
from keywright.errors import SettingsError, Unreachable
from keywright.flows import one
from keywright.secret import Secret
from keywright.talkers.blocking import BlockingTalker


def test_one_source_for_both_ways(debian: Server, tmp_path: Path) -> None:
    """redis-py's provider and our own endpoint ask the same source."""
    emptied(debian)
    with_user(debian, ">pw-4711")
    (tmp_path / "password").write_text("pw-4711\n")
    source = from_file(str(tmp_path / "password"), "app")
    own = BlockingTalker(Endpoint(port=debian.port, credentials=source))
    assert own.run(one("ACL", "WHOAMI")) == b"app"
    own.close()
    provider = rotating(source)
    assert provider.get_credentials() == ("app", "pw-4711")
    assert asyncio.run(provider.get_credentials_async()) == ("app", "pw-4711")
    assert rotating(lambda: Credentials("", Secret("x"))).get_credentials() == ("x",)
    assert "4711" not in repr(provider) + repr(source())


def test_a_file_without_a_password(tmp_path: Path) -> None:
    """A file that is missing or empty is said by its path."""
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        from_file(str(tmp_path / "none"))()
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(SettingsError, match="is empty"):
        from_file(str(tmp_path / "empty"))()


class StandInForEntraId:
    """Stands in for what redis-entraid's create_from_… functions return."""

    def __init__(self, *tokens: str) -> None:
        self.tokens = list(tokens)

    def get_credentials(self) -> tuple[str, str]:
        """An object id and a token, or what MSAL raises."""
        if not self.tokens:
            raise RuntimeError("AADSTS700016: secret-4711")
        return "object-id", self.tokens.pop(0)


def token(seconds: float) -> str:
    """A JSON web token that ends so many seconds from now."""
    body = urlsafe_b64encode(json.dumps({"exp": time.time() + seconds}).encode()).decode()
    return f"head.{body.rstrip('=')}.signature"


def test_entra_id_against_a_stand_in(debian: Server) -> None:
    """The token is the password, the object id the user, its end the time it is good for."""
    given = entra_id(StandInForEntraId(token(3600)))()
    assert given.username == "object-id"
    assert 3590 < (given.good_for or 0) <= 3600
    assert entra_id(StandInForEntraId("opaque"))().good_for is None
    with pytest.raises(Unreachable, match="^Entra ID gave no token: RuntimeError$") as caught:
        entra_id(StandInForEntraId())()
    assert caught.value.__suppress_context__
    word = token(60)
    with debian.line() as line:
        line.ask("ACL", "SETUSER", "object-id", "reset", "on", "+@all", f">{word}")
    source = entra_id(StandInForEntraId(word, word))
    with connect(f"redis://127.0.0.1:{debian.port}/0", credential_provider=source) as held:
        assert held.acl_whoami() in (b"object-id", "object-id")


class StandInForAws:
    """Stands in for a botocore session, with credentials that nobody issued."""

    def __init__(self, known: bool = True) -> None:
        from botocore.hooks import HierarchicalEmitter

        self.known, self.events = known, HierarchicalEmitter()

    def get_credentials(self) -> Any:
        """An access key."""
        from botocore.credentials import Credentials as Key

        return Key("AKIDEXAMPLE", "secret-4711", "session-token") if self.known else None

    def get_component(self, name: str) -> Any:
        """Events of a session."""
        assert name == "event_emitter"
        return self.events


def test_elasticache_iam_against_a_stand_in() -> None:
    """The password is a signed URL without its scheme, good for 15 minutes, reused meanwhile."""
    pytest.importorskip("botocore")
    now = [0.0]
    source = elasticache_iam(
        "app", "shop-cache", "eu-central-1", session=StandInForAws(), clock=lambda: now[0]
    )
    given = source()
    assert given.password is not None
    url = urlsplit("https://" + given.password.reveal())
    words = parse_qs(url.query)
    assert (url.netloc, words["Action"], words["User"]) == ("shop-cache", ["connect"], ["app"])
    assert words["X-Amz-Expires"] == ["900"]
    assert "/eu-central-1/elasticache/aws4_request" in words["X-Amz-Credential"][0]
    assert "4711" not in given.password.reveal()
    now[0] = 800
    assert source().password == given.password
    assert given.good_for == 12 * 3600
    serverless = elasticache_iam("app", "c", "r", serverless=True, session=StandInForAws())()
    assert serverless.password is not None
    assert "ResourceType=ServerlessCache" in serverless.password.reveal()
    with pytest.raises(SettingsError, match="AWS credentials are not found"):
        elasticache_iam("app", "c", "r", session=StandInForAws(known=False))()
