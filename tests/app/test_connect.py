"""Clients of redis-py from settings, URLs and arguments, on real servers."""

import os
from pathlib import Path
from typing import Any

import pytest
import redis
from tests.app.clients import Knock
from tests.app.clients import knock as knock
from tests.app.conftest import emptied
from tests.app.test_doors import PASSWORD, with_user
from tests.engines.servers import Server

from keywright.connecting import connect
from keywright.credentials import from_file, from_variable, rotating
from keywright.errors import CachingDisabled, KeywrightError, SettingsError
from keywright.secret import Secret
from keywright.settings import Settings


def settings_for(server: Server, **variables: str) -> Settings:
    """Settings that name the server."""
    return Settings.from_env(
        {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(server.port), **variables}
    )


def test_settings_a_url_and_the_environment(
    knock: Knock, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The three ways to say where lead to the same server, the URL also as a Secret."""
    emptied(server)
    assert knock(settings_for(server)).set("a", "1") is True
    url = f"redis://127.0.0.1:{server.port}/0"
    assert knock(url).get("a") == b"1"
    assert knock(Secret(url), decode_responses=True).get("a") == "1"
    monkeypatch.setenv("REDIS_PORT", str(server.port))
    assert knock().get("a") == b"1"
    assert knock("redis://elsewhere.invalid:1", host="127.0.0.1", port=server.port).ping() is True


def test_a_unix_socket(knock: Knock, server: Server) -> None:
    """A unix:// URL and unix_socket_path reach the same socket."""
    assert knock(f"unix://{server.folder}/s").ping() is True
    held = knock(
        settings_for(server, REDIS_SSL="true"), unix_socket_path=f"{server.folder}/s", db=2
    )
    assert held.ping() is True
    assert held.client_info()["db"] == 2


def test_a_user_a_database_and_a_name(knock: Knock, debian: Server) -> None:
    """Login, database and the name in CLIENT LIST are those of the settings and the arguments."""
    with_user(debian, f">{PASSWORD}")
    settings = settings_for(
        debian, REDIS_USERNAME="app", REDIS_PASSWORD=PASSWORD, REDIS_DB="3", CACHE_PREFIX="shop:"
    )
    for held in (knock(settings), knock(settings.url, client_name="keywright:shop")):
        assert held.acl_whoami() in (b"app", "app")
        info = held.client_info()
        assert (info["db"], info["name"]) == (3, "keywright:shop")
    assert knock(settings_for(debian), username="app", password=Secret(PASSWORD)).ping() is True


def test_time_outs_the_pool_and_retries_are_bounded(debian: Server) -> None:
    """Every wait has an end: connecting, answering, a full pool, retries, idle connections."""
    settings = settings_for(
        debian, REDIS_POOL_MAX_CONNECTIONS="7", REDIS_SOCKET_TIMEOUT="2",
        REDIS_SOCKET_CONNECT_TIMEOUT="1.5",
    )  # fmt: skip
    with connect(settings) as held:
        pool: Any = held.connection_pool
        words = pool.connection_kwargs
        assert (pool.max_connections, pool.timeout) == (7, 2.0)
        assert (words["socket_timeout"], words["socket_connect_timeout"]) == (2.0, 1.5)
        assert words["health_check_interval"] == 25
        assert words["socket_keepalive"] is True
        assert words["retry"].get_retries() == 3
        assert [each.__name__ for each in words["retry_on_error"]] == ["BusyLoadingError"]
    with connect(settings, max_connections=1, socket_timeout=9) as held:
        own: Any = held.connection_pool
        assert (own.max_connections, own.connection_kwargs["socket_timeout"]) == (1, 9)


def test_a_time_out_is_not_followed_by_a_second_try(debian: Server) -> None:
    """A command that was not answered in time may have been carried out: it is sent once."""
    with connect(settings_for(debian), socket_timeout=0.1) as held:
        held.delete("n")
        with pytest.raises(redis.exceptions.TimeoutError):
            held.eval("redis.call('INCR', KEYS[1]); for _ = 1, 1e8 do end", 1, "n")
    with connect(settings_for(debian), socket_timeout=20) as held:
        assert held.get("n") == b"1"


def test_without_a_check_nothing_is_sent(knock: Knock) -> None:
    """`check=False` makes the client only: what is wrong shows at its first command."""
    held = knock("redis://127.0.0.1:1/0", check=False)
    with pytest.raises(redis.exceptions.ConnectionError):
        held.ping()


def test_caching_that_is_off(knock: Knock) -> None:
    """There is no server to connect to, and the sentence says what the stores do instead."""
    with pytest.raises(CachingDisabled, match="ENABLE_REDIS_CACHING is false") as refused:
        knock(Settings.from_env({"ENABLE_REDIS_CACHING": "false"}))
    assert "in the process" in refused.value.hint


def test_what_does_not_go_together(knock: Knock) -> None:
    """Arguments that exclude each other are refused before anything is sent."""
    with pytest.raises(SettingsError, match="cluster=True does not go with"):
        knock("redis+sentinel://a:1/main", cluster=True)
    with pytest.raises(SettingsError, match="database 0 only"):
        knock("redis://a/4", cluster=True)
    with pytest.raises(SettingsError, match="without the name of the master"):
        knock(sentinels=[("a", 1)])


# --- credentials that change ----------------------------------------------------------------------


def test_a_file_that_rotates(knock: Knock, debian: Server, tmp_path: Path) -> None:
    """A new connection logs in with what the file says then; the old one lives on."""
    file = tmp_path / "password"
    file.write_text("first-4711\n")
    with_user(debian, ">first-4711")
    held = knock(settings_for(debian), credential_provider=from_file(str(file), "app"))
    assert held.acl_whoami() in (b"app", "app")
    with_user(debian, ">second-4711")
    file.write_text("second-4711\n")
    with debian.line() as line:
        line.ask("CLIENT", "KILL", "USER", "app")
    assert held.acl_whoami() in (b"app", "app")


def test_a_variable_that_rotates(
    knock: Knock, debian: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable is read at every connect; one that is unset is said by name."""
    with_user(debian, ">first-4711")
    monkeypatch.setenv("APP_PASSWORD", "first-4711")
    provider = rotating(from_variable("APP_PASSWORD", "app"))
    assert knock(settings_for(debian), credential_provider=provider).ping() is True
    monkeypatch.delenv("APP_PASSWORD")
    with pytest.raises(SettingsError, match="APP_PASSWORD is not set"):
        knock(settings_for(debian), credential_provider=provider)
    assert "APP_PASSWORD" not in os.environ


def test_no_message_shows_a_password(knock: Knock, debian: Server) -> None:
    """A refused password stands in no message, hint or exception behind it."""
    with_user(debian, ">right")
    with pytest.raises(KeywrightError) as refused:
        knock(f"redis://app:secret-4711@127.0.0.1:{debian.port}/0")
    error = refused.value
    assert "4711" not in f"{error} {error.hint} {error!r} {error.__cause__!r}"
    assert error.__suppress_context__
