"""keywright.toml → Profile: every wrong file is one sentence that begins with the path."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywright.errors import ProfileError
from keywright_ops.profile.declared import Values, fields_of
from keywright_ops.profile.fields import BUILT_IN
from keywright_ops.profile.load import built_in_profile, load_profile, load_profile_bytes

# The file, the beginning of the message, and a word of the hint.
WRONG = [
    ("[env.prod]\nmaxmemry = 1", "env.prod.maxmemry: there is no such key", "env.prod.maxmemory"),
    ("[env.prod.container]\nmemry = 1", "env.prod.container.memry: ", "container.memory"),
    ("prefx = 'a'", "prefx: there is no such key", "prefix"),
    ("port = 1", "port: this key belongs to an environment", "[env.NAME]"),
    ("[env.prod]\nport = true", "env.prod.port: a whole number is needed, not true", ""),
    ("[env.prod]\nport = 99999", "env.prod.port: a number from 0 to 65535", ""),
    ("[env.prod]\nport = -1", "env.prod.port: a number from 0 to 65535", ""),
    ("[env.prod]\nport = '6379'", "env.prod.port: '6379' is not a port", "6379"),
    ("[env.prod]\nport = 6379.0", "env.prod.port: ", ""),
    ("[env.prod]\nmaxmemory = -5", "env.prod.maxmemory: a size cannot be negative", "512mb"),
    ("[env.prod]\nmaxmemory = nan", "env.prod.maxmemory: a size is needed, not nan", "512mb"),
    ("[env.prod]\nmaxmemory = 1e999", "env.prod.maxmemory: a size is needed, not inf", "512mb"),
    ("[env.prod]\nmaxmemory = '12 parsecs'", "env.prod.maxmemory: '12 parsecs' is not a size", ""),
    ("[env.prod]\nmaxmemory = 2026-01-01", "env.prod.maxmemory: a size is needed, not a date", ""),
    ("[env.prod.maxmemory]\nx = 1", "env.prod.maxmemory: a size is needed, not a table", ""),
    ("[env.prod]\ntls = true", "env.prod.tls: true stands where a table belongs", "[env.prod.tls]"),
    ("[env.prod]\ncontainer.cpus = nan", "env.prod.container.cpus: ", ""),
    ("[env.prod]\nbind = ''", "env.prod.bind: without an address", ""),
    ("[env.prod]\nbind = 'redis.example'", "env.prod.bind: 'redis.example' is not an IP", ""),
    ("[env.prod]\nmaxmemory_policy = 'lru'", "env.prod.maxmemory_policy: 'lru' is none of", ""),
    (
        "[env.prod]\nmaxmemory_policy = 'allkeys_lru'",
        "env.prod.maxmemory_policy: ",
        "'allkeys-lru'",
    ),
    ("[env.prod]\nslowlog_max_len = 10", "env.prod.slowlog_max_len: a number from 128", ""),
    ("[env.prod.app]\ncache_ttl = '0s'", "env.prod.app.cache_ttl: whole seconds", ""),
    (
        "[env.azure]\nmaxmemory = '1gb'",
        "env.azure.maxmemory: an environment of kind azure",
        "local",
    ),
    ("[env.azure.settings]\nhz = 10", "env.azure.settings: a managed server", ""),
    ("[env.dev]\nunit.name = 'redis'", "env.dev.unit.name: an environment of kind docker-dev", ""),
    (
        "[env.prod]\npassword = 'hunter2'",
        "env.prod.password: a secret has no place",
        "password_variable",
    ),
    ("[env.prod]\nrequirepass = 'hunter2'", "env.prod.requirepass: a secret has no place", ""),
    (
        "[env.linux]\ninsight.publish = '0.0.0.0:6380'",
        "env.linux.insight.publish: RedisInsight has no login, and ports that Docker publishes",
        "keywright tunnel -e linux",
    ),
    (
        "[env.dev.insight]\nbind = '0.0.0.0'",
        "env.dev.insight.bind: RedisInsight has no login",
        "site",
    ),
    (
        "[env.linux.insight]\nsite = 'a.example'\nsite_cert_file = '/a.pem'",
        "env.linux.insight.site_key_file: the site needs a certificate and its key",
        "",
    ),
    (
        "[env.linux.insight]\nsite_cert_file = '/a.pem'\nsite_key_file = '/k.pem'",
        "env.linux.insight.site_cert_file: a certificate is given, and no site",
        "insight.site",
    ),
    (
        "[env.linux.insight]\nsite = 'a.example'\nsite_cert_file = '/a;b'\nsite_key_file = '/k'",
        "env.linux.insight.site_cert_file: nginx would read '/a;b' as something else",
        "letters",
    ),
    (
        "[env.linux.insight]\nsite = 'a:443'",
        "env.linux.insight.site: the site's name stands",
        "name",
    ),
    ("prefix = 'a b:'", "prefix: a prefix may not hold spaces", ""),
    ('prefix = "a\\n"', "prefix: text may not hold line breaks", ""),
    ("app = 'Esab'", "app: 'Esab' is not a name", ""),
    ("app = 5", "app: text in quotes is needed, not 5", ""),
    ("default_env = 'prd'", "default_env: there is no environment 'prd'", "prod"),
    ("env = []", "env: a list stands where tables belong", "[env.NAME]"),
    ("[[env]]", "env: a list stands where tables belong", ""),
    ("env.prod = 5", "env.prod: 5 stands where a table belongs", "[env.prod]"),
    ("[env.Prod]", "env.Prod: this is not a name", ""),
    ("[env.'../x']", "env.'../x': this is not a name", ""),
    ("[env.staging]", "env.staging: it does not say which environment it is like", "like"),
    ("[env.prd]\nport = 1", "env.prd: it does not say", "env.prod"),
    ("[env.a]\nlike = 'prd'", "env.a.like: there is no environment 'prd'", "prod"),
    ("[env.a]\nlike = 'a'", "env.a.like: it goes in a circle", ""),
    ("[env.a]\nlike = 'b'\n[env.b]\nlike = 'a'", "env.a.like: it goes in a circle: a → b → a", ""),
    ("[env.a]\nlike = 5", "env.a.like: there is no environment 5", ""),
    ("[env.a]\nlike = 'dev'\nkind = 'local'", "env.a: like and kind both", ""),
    ("[env.a]\nkind = 'docker'", "env.a.kind: 'docker' is no kind", "docker-dev"),
    ("[env.a]\nkind = []", "env.a.kind: a list is no kind", ""),
    ("[env.dev]\nlike = 'prod'", "env.dev.like: dev is built in", ""),
    ("[env.dev]\nkind = 'local'", "env.dev.kind: dev is built in", ""),
    ("a = 1\na = 2", "k.toml: not TOML: ", "correct"),
    ("[env.prod\n", "k.toml: not TOML: ", ""),
    ("a = " + "9" * 4090, "a: there is no such key", ""),
    ("a = \x00", "k.toml: not TOML: ", ""),
    ("a = " + "1_" * 2000 + "1", "a: there is no such key", ""),
    ("a = " + "[" * 4000, "k.toml: not TOML", ""),
    ("a = " + "[" * 50000, "k.toml: line 1 has 50004 characters", ""),
    (
        "[env.dev.settings]\nrequirepass = 'x'",
        "env.dev.settings.requirepass: this directive is",
        "users.acl",
    ),
    ("[env.dev.settings]\nuser = 'x'", "env.dev.settings.user: this directive is", ""),
    ("[env.dev.settings]\naclfile = 'x'", "env.dev.settings.aclfile: this directive is", ""),
    (
        "[env.dev.settings]\nmaxmemory = 1",
        "env.dev.settings.maxmemory: Keywright decides",
        "write maxmemory",
    ),
    (
        "[env.dev.settings]\ndir = '/x'",
        "env.dev.settings.dir: Keywright decides",
        "unit.data_directory",
    ),
    (
        "[env.dev.settings]\nmaxclient = 1",
        "env.dev.settings.maxclient: no server knows",
        "maxclients",
    ),
    ('[env.dev.settings]\nhz = "1\\nrequirepass x"', "env.dev.settings.hz: text may not hold", ""),
    ("[env.dev.settings]\nhz = {}", "env.dev.settings.hz: ", ""),
    ("[env.dev.settings]\nhz = [1, 2]", "env.dev.settings.hz: ", ""),
    ("[env.dev.settings]\nhz=1\nHZ=2", "env.dev.settings.HZ: this directive stands there", ""),
    ("env.dev.settings = 1", "env.dev.settings: 1 stands where a table belongs", ""),
]


@pytest.mark.parametrize(("text", "message", "hint"), WRONG)
def test_a_wrong_file_names_the_path_and_the_right_thing(
    text: str, message: str, hint: str
) -> None:
    """The message begins with the path, is one line, repeats no secret; the hint helps."""
    with pytest.raises(ProfileError) as caught:
        load_profile(text, "k.toml")
    said = str(caught.value)
    assert said.startswith(message)
    assert hint in caught.value.hint
    assert "\n" not in said + caught.value.hint
    assert "hunter2" not in said + caught.value.hint


def test_several_wrong_things_are_told_at_once() -> None:
    """The first is told, the others are counted and named by path."""
    text = "[env.dev]\nport = true\nbind = 5\n[env.prod]\nmaxmemory = -1\nimage = 1\nserver = 2\n"
    with pytest.raises(ProfileError) as caught:
        load_profile(text, "k.toml")
    said = str(caught.value)
    assert said.startswith("env.dev.port: ")
    assert said.endswith("(and 4 more: env.dev.bind, env.prod.maxmemory, env.prod.image …)")


def test_bytes_of_every_kind_are_a_profile_or_a_sentence() -> None:
    """BOM and CRLF are read; what is no UTF-8 names the line; what is too large is refused."""
    assert load_profile_bytes(b'\xef\xbb\xbfapp = "x1"\r\n[env.dev]\r\n', "k").app == "x1"
    with pytest.raises(ProfileError, match=r"^k: line 2 is not UTF-8 text$"):
        load_profile_bytes(b'app = "a"\nprefix = "\xff"\n', "k")
    with pytest.raises(
        ProfileError, match="a file this large is no profile, 262144 bytes are the limit"
    ):
        load_profile_bytes(b"#" * (10 * 2**20), "k")
    with pytest.raises(ProfileError, match=r"^k: "):
        load_profile_bytes(b"a = 1\x00", "k")


@pytest.mark.parametrize(
    "text",
    [
        "[env.prod]\n" + "".join(f"maxmemorx{number} = 1\n" for number in range(9000)),
        "[env.prod.settings]\n" + "".join(f"maxclientx{number} = 1\n" for number in range(9000)),
        "".join(f"[env.e{number}]\nlike='e{number + 1}'\n" for number in range(7000)),
        "".join(f"[env.e{number}]\nlike='prod'\n" for number in range(7000)),
        "a." * 2000 + "a = 1",
        "[" + "a." * 2000 + "a]\n",
        ("a." * 2000 + "a = 1\n") * 60,
        "a = " + "{a=" * 1200,
        'a = "' + "x" * 200000,
    ],
    ids=["keys", "directives", "chain", "many", "dotted", "header", "lines", "inline", "string"],
)
def test_a_file_made_to_be_slow_is_refused_in_time(text: str) -> None:
    """A hostile file costs seconds at most: not every wrong word is looked up."""
    from time import perf_counter

    begun = perf_counter()
    with pytest.raises(ProfileError):
        load_profile(text, "k")
    assert perf_counter() - begun < 5


def test_the_longest_names_still_make_a_plan() -> None:
    """What the parts allow, the names made of them allow too."""
    profile = load_profile(
        f'app="{"a" * 40}"\nprefix="{"p" * 64}"\n[env.{"e" * 32}]\nlike="prod"\n', "k"
    )
    for name in profile.environments:
        values = Values(profile, name)
        for field in fields_of(values.kind):
            values.any(field.path)


@given(st.binary(max_size=200))
def test_no_bytes_make_the_loader_crash(data: bytes) -> None:
    """Any bytes are a profile or a ProfileError."""
    try:
        load_profile_bytes(data, "k")
    except ProfileError as refusal:
        assert "\n" not in str(refusal)


@given(
    st.dictionaries(
        st.sampled_from(["like", "kind", "port", "tls", "container", "settings", "save", "app"]),
        st.sampled_from(["1", "''", "true", "[]", "{}", "nan", "{port=1}", "'prod'", "[[1]]"]),
        max_size=4,
    )
)
def test_no_table_makes_the_loader_crash(table: dict[str, str]) -> None:
    """Any values under right keys are a profile or a ProfileError that begins with env."""
    text = "[env.prod]\n" + "".join(f"{key} = {value}\n" for key, value in table.items())
    try:
        load_profile(text, "k")
    except ProfileError as refusal:
        assert str(refusal).startswith("env.prod")


def test_an_empty_file_is_the_built_in_profile() -> None:
    """Nothing written is nothing changed."""
    assert built_in_profile().environments == load_profile("", "k").environments
    assert set(BUILT_IN) == set(built_in_profile().environments)


def test_like_inherits_what_the_file_gives_the_other() -> None:
    """staging is prod as the file has it; names are its own; what it writes wins."""
    text = """
    [env.prod]
    maxmemory = "600mb"
    container.memory = "1g"
    container.name = "shop"
    settings.hz = 20
    settings.maxclients = 5
    [env.staging]
    like = "prod"
    settings.hz = 30
    [env.night]
    like = "staging"
    maxmemory = "50%"
    """
    profile = load_profile(text, "k")
    staging, night = Values(profile, "staging"), Values(profile, "night")
    assert staging.memory() == 600 * 2**20
    assert night.number("container.memory") == 2**30
    assert night.settings() == {"hz": ("30",), "maxclients": ("5",)}
    assert staging.text("container.name") == "esab-redis-staging"
    assert staging.text("container.compose_file") == "docker-compose.staging.yml"
    assert night.kind == "docker-prod"


def test_directives_become_what_the_server_answers() -> None:
    """Bytes for sizes, yes and no, all three classes of buffers, flags in the server's order."""
    text = """
    [env.dev.settings]
    repl_backlog_size = "1mb"
    activedefrag = false
    hz = 50
    maxmemory-clients = "5%"
    notify-keyspace-events = "xE"
    client-output-buffer-limit = "replica 256mb 64mb 30"
    """
    settings = load_profile(text, "k").environments["dev"].settings
    assert settings["repl-backlog-size"] == ("1048576",)
    assert settings["activedefrag"] == ("no",)
    assert settings["hz"] == ("50",)
    assert settings["maxmemory-clients"] == ("5%",)
    assert settings["notify-keyspace-events"] == ("xE",)
    assert " ".join(settings["client-output-buffer-limit"]) == (
        "normal 0 0 0 slave 268435456 67108864 30 pubsub 33554432 8388608 60"
    )


CERT = "tls.cert_file='/certs/a.crt'\n"
OWN = "tls.enabled=true\n"
TLS = CERT + "tls.key_file='/certs/a.key'\ntls.ca_cert_file='/certs/ca.crt'\n"
IMPOSSIBLE = [
    ("prod", "maxmemory='2gb'", "maxmemory: 2gb do not fit into the container's 1.5g"),
    ("prod", "maxmemory='1.5gb'", "maxmemory: 1536mb do not fit"),
    ("prod", "maxmemory=0", "maxmemory: without a limit of its own"),
    ("dev", "maxmemory='60%'", "maxmemory: a percentage is one of container.memory"),
    ("linux", "maxmemory='60%'", "maxmemory: a percentage is one of container.memory"),
    ("prod", "container.memory='5m'\nmaxmemory='1mb'", "container.memory: docker takes no"),
    ("prod", CERT, "tls.key_file: TLS needs certificate, key and authority"),
    ("prod", "tls.port=6390", "tls.port: TLS has no certificate"),
    ("prod", "tls.auth_clients=true", "tls.auth_clients: TLS has no certificate"),
    ("prod", "port='auto'", "port: only a server on this machine"),
    ("linux", "port='auto'", "port: only a server on this machine"),
    ("prod", "port=0", "port: port 0 answers nobody"),
    ("prod", TLS + "port=6380", "port: TLS has port 6380 already"),
    ("prod", OWN + "port=6380", "port: TLS has port 6380 already"),
    ("prod", OWN + "tls.auth_clients=true", "tls.auth_clients: Keywright's authority makes no"),
    ("prod", OWN + "tls.key_file='/certs/a.key'", "tls.cert_file: TLS needs certificate"),
    ("prod", TLS + "tls.enabled=false", "tls.enabled: a certificate is given"),
    ("prod", TLS + "tls.names=['a.example']", "tls.names: they are for Keywright's own"),
    ("prod", "tls.names=['a.example']", "tls.names: TLS has no certificate"),
    ("dev", OWN + "port=6379\npublish='8.8.8.8:6379'", "publish: 8.8.8.8 is a public address"),
    ("prod", TLS.replace("/certs/ca", "/x/ca"), "tls.cert_file: the compose file mounts one"),
    ("dev", "publish='8.8.8.8:6379'", "publish: 8.8.8.8 is a public address"),
    ("linux", "bind=['8.8.8.8']", "bind: 8.8.8.8 is a public address"),
    ("dev", "bind='127.0.0.1'", "bind: inside a container loopback"),
    ("dev", "publish='127.0.0.1:8001'", "insight.port: the server has port 8001 already"),
    ("linux", "insight.port=6379", "insight.port: the server has port 6379 already"),
    ("prod", "app.runs_in='host'", "app.runs_in: an application on the host"),
    ("local", "app.runs_in='container'", "app.runs_in: an application in a container"),
    ("prod", "default_user='off'", "app.username: the default user is off"),
    ("prod", "app.username='bob'", "app.username: the application logs in as"),
    ("dev", "default_user='off'\napp.username='appuser'\ninsight.user='default'", "insight.user: "),
    ("dev", "app.database=16", "app.database: there are 16 databases"),
    ("linux", "admin_from=['0.0.0.0/0']", "admin_from: 0.0.0.0/0 would open SSH"),
    ("linux", "allow_from=['::/0']", "allow_from: ::/0 would open a server without TLS"),
    ("prod", "container.name='esab-redis'", "container.name: env.dev has 'esab-redis' already"),
    ("prod", "container.compose_file='docker-compose.yml'", "container.compose_file: env.dev has"),
]


@pytest.mark.parametrize(("environment", "text", "message"), IMPOSSIBLE)
def test_what_no_server_would_do_is_refused(environment: str, text: str, message: str) -> None:
    """Each impossible combination is an error at its path, with a hint."""
    with pytest.raises(ProfileError) as caught:
        load_profile(f"[env.{environment}]\n{text}\n", "k")
    assert str(caught.value).startswith(f"env.{environment}.{message}")
    assert caught.value.hint


@pytest.mark.parametrize(
    ("environment", "text"),
    [
        ("prod", "maxmemory='1535mb'"),
        ("prod", "maxmemory='99%'"),
        ("prod", TLS),
        ("prod", TLS + "port=0"),
        ("prod", TLS + "port=6379"),
        ("prod", OWN),
        ("prod", OWN + "port=0\ntls.port=6390\ntls.names=['*.a.example', '10.0.0.5', 'fd00::1']"),
        ("local", OWN + "port=6379"),
        ("linux", OWN + "allow_from=['0.0.0.0/0']"),
        ("dev", OWN + "publish='8.8.8.8:6380'"),
        ("linux", TLS + "allow_from=['0.0.0.0/0']"),
        ("dev", "publish='0.0.0.0:6379'"),
        ("dev", TLS + "publish='8.8.8.8:6380'"),
        ("prod", "default_user='off'\napp.username='appuser'"),
        ("prod", "appendonly=false\nappendfsync='always'"),
        ("prod", "app.runs_in='host'\npublish=6379"),
    ],
)
def test_what_is_merely_close_is_taken(environment: str, text: str) -> None:
    """The rules refuse no more than what cannot be."""
    load_profile(f"[env.{environment}]\n{text}\n", "k")
