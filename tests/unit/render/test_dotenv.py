"""The application's .env: what render writes, the application reads back through every program."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.render.plans import SECRETS, built_in

from keywright.dotenv import DIALECTS, read
from keywright.secret import Secret
from keywright.settings import FIELDS, Settings
from keywright.suspicions import placeholder
from keywright_ops.model.plan import Plan
from keywright_ops.render.dotenv import dotenv_values, render_dotenv

ALL = ("local", "dev", "prod", "linux", "azure", "aws")
OWN = ("local", "dev", "prod", "linux")


def known(plan: Plan, password: str = "Test-default-password-1") -> tuple[Plan, dict[str, Secret]]:
    """Return a plan without open places, and the secret that its application uses."""
    if plan.kind in ("azure", "aws"):
        host = "cache.example.com"
        plan = plan._replace(application=plan.application._replace(host=host))
    return plan, {plan.application.secret: Secret(password)}


def read_back(text: str, dialect: str) -> Settings:
    """Read a .env as one program does, and the settings from what it gives the application."""
    reading = read(text, dialect)
    assert (reading.refused, reading.skipped) == ("", ())
    return Settings.from_env(reading.values())


def assert_same(plan: Plan, found: Settings, password: str) -> None:
    """Every field of the plan's application is what the settings say."""
    app = plan.application
    assert (found.host, found.port, found.database) == (app.host, app.port, app.database)
    assert found.username == app.username
    assert found.password is not None
    assert found.password.reveal() == password
    assert (found.ssl, found.ssl_cert_reqs) == (app.tls, app.cert_reqs)
    assert found.ssl_ca_certs == (app.ca_certs if app.tls else "")
    assert found.pool_max_connections == app.pool_max_connections
    assert found.socket_timeout == app.socket_timeout
    assert found.socket_connect_timeout == app.socket_connect_timeout
    assert found.cache_prefix == app.prefix
    assert found.cache_ttl == app.cache_ttl
    assert (found.cache_ttl_short, found.cache_ttl_long) == (
        app.cache_ttl_short,
        app.cache_ttl_long,
    )
    assert (found.lock_prefix, found.lock_ttl) == (app.lock_prefix, app.lock_ttl)
    assert found.healthcheck_on_start == app.healthcheck_on_start
    assert found.healthcheck_key == app.healthcheck_key
    assert (found.enabled, found.contradictions) == (True, ())


@pytest.mark.parametrize("environment", ALL)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_application_reads_back_what_is_written(environment: str, dialect: str) -> None:
    """Each environment's .env, read by each program that reads such files, gives the settings that
    the plan decided, without a contradiction between the URL and the parts."""
    plan, secrets = known(built_in(environment))
    found = read_back(render_dotenv(plan, secrets), dialect)
    assert_same(plan, found, "Test-default-password-1")


@pytest.mark.parametrize("environment", ALL)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_differs_from_the_defaults_is_written_too(environment: str, dialect: str) -> None:
    """A plan in which nothing is the application's default is read back as well: no variable is
    lost because the guide's file for that environment leaves it out."""
    plan, secrets = known(built_in(environment))
    app = plan.application._replace(
        database=3, username="appuser", tls=True, cert_reqs="optional", ca_certs="/certs/ca.crt",
        prefix="other:", pool_max_connections=7, socket_timeout=2.5, socket_connect_timeout=0.25,
        cache_ttl=60, cache_ttl_short=6, cache_ttl_long=600, lock_prefix="locks:", lock_ttl=9,
        healthcheck_on_start=False, healthcheck_key="other:alive",
    )  # fmt: skip
    plan = plan._replace(application=app)
    found = read_back(render_dotenv(plan, secrets), dialect)
    assert_same(plan, found, "Test-default-password-1")


PASSWORDS = st.text(
    st.characters(exclude_characters="\0\r\n", exclude_categories=["Cs"]), min_size=1, max_size=40
).filter(lambda text: not placeholder(text, whole=True))  # the application refuses those


@pytest.mark.parametrize("environment", ["local", "dev", "azure"])
@settings(max_examples=60, deadline=None)
@given(password=PASSWORDS)
def test_any_password_is_read_back_by_every_program(environment: str, password: str) -> None:
    """A password of any one-line text reaches the application unchanged through every program: in
    REDIS_PASSWORD where all agree on it, in REDIS_URL otherwise."""
    plan, secrets = known(built_in(environment), password)
    text = render_dotenv(plan, secrets)
    for dialect in DIALECTS:
        found = read_back(text, dialect)
        assert found.password is not None
        assert found.password.reveal() == password
        assert found.contradictions == ()


@pytest.mark.parametrize(
    "password", ["pa ss", "a'b\"c", "${HOME}", "x #y", "<abc>", "#", "~", "ä$€", "\\"]
)
def test_passwords_that_programs_read_differently(password: str) -> None:
    """The well-known troublemakers, one by one, in the environment whose guide has no URL."""
    plan, secrets = known(built_in("dev"), password)
    text = render_dotenv(plan, secrets)
    found = {read_back(text, dialect).password for dialect in DIALECTS}
    assert found == {Secret(password)}


@pytest.mark.parametrize("environment", ALL)
def test_comments_are_whole_lines(environment: str) -> None:
    """No line has a comment behind a value: docker and systemd would read it as part of it."""
    plan = built_in(environment)
    lines = render_dotenv(plan, SECRETS if environment in OWN else {}).splitlines()
    assert [line for line in lines if "#" in line and not line.startswith("#")] == []


@pytest.mark.parametrize("environment", ALL)
def test_variables_are_those_of_the_settings_table(environment: str) -> None:
    """Every name that is written, or could be, is a row of FIELDS, and every row is decided."""
    values = dotenv_values(built_in(environment), {})
    assert list(values) == [field.name for field in FIELDS]


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ("azure", "rediss://:<PRIMARY_ACCESS_KEY>@<CACHE_NAME>.redis.cache.windows.net:6380/0"),
        ("aws", "rediss://:<AUTH_TOKEN>@<CLUSTER_ENDPOINT>:6379/0"),
        ("linux", "redis://default:<REDIS_PASSWORD>@127.0.0.1:6379/0"),
    ],
)
def test_what_is_not_known_stands_as_the_guides_placeholder(environment: str, url: str) -> None:
    """Without secrets and host the .env shows the guide's placeholders, for a person to replace."""
    assert f"REDIS_URL={url}\n" in render_dotenv(built_in(environment), {})


def test_the_order_is_the_guides() -> None:
    """The development file has the guide's seven variables in the guide's order and no other."""
    lines = render_dotenv(built_in("dev"), SECRETS).splitlines()
    assert [line.partition("=")[0] for line in lines if line and not line.startswith("#")] == [
        "ENABLE_REDIS_CACHING", "REDIS_HOST", "REDIS_PORT", "REDIS_PASSWORD", "REDIS_DB",
        "CACHE_TTL", "CACHE_PREFIX",
    ]  # fmt: skip
