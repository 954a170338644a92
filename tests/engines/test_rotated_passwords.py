"""Any two passwords that people can type, through the ACL file, the server, .env and the URL."""

from hypothesis import HealthCheck, example, given, settings
from tests.engines.servers import Line, Server
from tests.unit.keywright.passwords import passwords

from keywright.secret import Secret
from keywright.settings import Settings
from keywright_ops.plan.resolve import resolve
from keywright_ops.profile.load import load_profile
from keywright_ops.render.acl import declared_users, render_acl
from keywright_ops.render.dotenv import render_dotenv

PLAN = resolve(load_profile('app = "shop"\n', "keywright.toml"), "prod", None, {}, "/nowhere")
NAMES = [user.secret for user in PLAN.users]


def _enters(server: Server, user: str, password: str) -> bool:
    line = Line(server.port)
    try:
        return bool(line.ask("AUTH", user, password) == "OK")
    finally:
        line.close()


@settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(old=passwords, new=passwords)
@example(old="a b", new="a  b")
@example(old="#hash", new=">redirect <x")
@example(old="\"'", new="'\"")
@example(old="$HOME ${X}", new="back\\slash%20@:/")
@example(old="ünï", new="ünï ☃ 🔑")
def test_both_are_valid_and_named(
    open_server: Server, old: str, new: str, tmp_path_factory
) -> None:  # type: ignore[no-untyped-def]
    """While rotated the server takes both and nothing else, whatever order they have; and what .env
    says, read by the library, is the named one."""
    secrets = dict.fromkeys(NAMES, Secret("something else"))
    for named, beside in ((old, new), (new, old)):
        mine, more = secrets | {"default": Secret(named)}, {"default": Secret(beside)}
        users = open_server.folder / "users.acl"
        users.write_text(render_acl(PLAN, mine, more))
        with open_server.line("default", _known(open_server)) as line:
            assert line.ask("ACL", "LOAD") == "OK"
            listed = line.ask("ACL", "LIST")
        _PASSWORDS[open_server.port] = named
        assert _enters(open_server, "default", old)
        assert _enters(open_server, "default", new)
        assert _enters(open_server, "default", named + "x") is (named + "x" in (old, new))
        expected = declared_users(PLAN, mine, more)["default"].hashes
        (line_of_default,) = [each for each in listed if each.startswith("user default ")]
        assert all(f"#{each}" in line_of_default for each in expected)
        path = tmp_path_factory.mktemp("env") / ".env"
        path.write_text(render_dotenv(PLAN, mine))
        assert Settings.from_file(str(path)).password == Secret(named)


_PASSWORDS: dict[int, str] = {}  # what the server of that port was told last


def _known(server: Server) -> str:
    return _PASSWORDS.get(server.port, "")
