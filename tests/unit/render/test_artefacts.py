"""All artefacts together: none shows a secret, each lies where it may, nothing is written twice."""

import builtins
import json
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from tests.unit.render.plans import HOST, SECRETS, TLS, built_in, guarded, secrets_of

from keywright.errors import InputError
from keywright_ops.model.artefact import Rule, WholeFile
from keywright_ops.model.plan import Limits, Plan
from keywright_ops.render.artefacts import render
from keywright_ops.render.container import entrypoint_script, health_script
from keywright_ops.render.insight import render_insight_script, render_presets

ALL = ("local", "dev", "prod", "linux", "azure", "aws")
PLANS = (*ALL, "guarded")


def plan_of(name: str) -> Plan:
    """Return a built-in plan, or the guarded one, with its host known."""
    return guarded() if name == "guarded" else built_in(name, HOST)


def files(plan: Plan) -> list[WholeFile]:
    """Return the files alone."""
    return [each for each in render(plan, secrets_of(plan)) if isinstance(each, WholeFile)]


@pytest.mark.parametrize("name", PLANS)
def test_no_secret_stands_in_what_others_may_read(name: str) -> None:
    """Content that holds a password is a Secret, and its file is closed to others; every other
    text, rule and repr holds none."""
    plan = plan_of(name)
    for artefact in render(plan, secrets_of(plan)):
        if isinstance(artefact, WholeFile) and artefact.secret:
            assert artefact.mode & 0o137 == 0, artefact.path
        shown = artefact.text() if isinstance(artefact, WholeFile) and not artefact.secret else ""
        for secret in SECRETS.values():
            assert secret.reveal() not in shown + repr(artefact)


@pytest.mark.parametrize("name", ["local", "dev", "prod", "linux"])
def test_the_search_above_finds_what_is_there(name: str) -> None:
    """The passwords do stand in the secret files, so that the test above can fail."""
    secret = "".join(each.text() for each in files(plan_of(name)) if each.secret)
    assert SECRETS["default"].reveal() in secret


@pytest.mark.parametrize("name", PLANS)
def test_every_path_is_named_once_and_stays_in_its_place(name: str) -> None:
    """No two files share a path, none climbs out of its folder, and only a systemd host has files
    at absolute paths."""
    paths = [each.path for each in files(plan_of(name))]
    assert len(paths) == len(set(paths))
    assert [path for path in paths if ".." in path.split("/")] == []
    absolute = [path for path in paths if path.startswith("/")]
    assert bool(absolute) == (name in ("linux", "guarded"))


def test_dev_and_prod_share_a_folder_without_sharing_a_server_file() -> None:
    """Both compose files lie in deployment/docker, as in the guide, and overwrite nothing of each
    other; the application's own .env is the one file they have in common."""
    dev, prod = ({each.path for each in files(built_in(name))} for name in ("dev", "prod"))
    assert dev & prod == {"src/backend/.env"}


def test_local_files_are_named_as_the_contract_has_them() -> None:
    """A local environment's home holds redis.conf, users.acl and app.env, for its user alone."""
    assert [(each.path, each.mode) for each in files(built_in("local"))] == [
        ("redis.conf", 0o600),
        ("users.acl", 0o600),
        ("app.env", 0o600),
    ]


@pytest.mark.parametrize("name", PLANS)
def test_every_text_ends_as_a_text_does(name: str) -> None:
    """Files end with one line break, have no tab or blank at a line's end, and are valid UTF-8."""
    for each in files(plan_of(name)):
        text = each.text()
        assert text[-1] == "\n" != text[-2], each.path
        assert [line for line in text.splitlines() if line != line.rstrip()] == [], each.path
        text.encode()


@pytest.mark.parametrize("name", PLANS)
def test_render_is_pure(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rendering opens no file, no socket and starts no program; twice is the same as once."""
    plan = plan_of(name)
    first = render(plan, secrets_of(plan))  # imports happen here

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a pure room touched the world")

    monkeypatch.setattr(builtins, "open", refuse)
    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(subprocess, "Popen", refuse)
    assert first == render(plan, secrets_of(plan))


@pytest.mark.parametrize("name", ["local", "dev", "prod", "linux"])
def test_a_missing_password_is_an_error_that_says_whose(name: str) -> None:
    """Without a password for an enabled user nothing is rendered, and the error names the user."""
    for user in ("default", "health"):
        others = {key: value for key, value in SECRETS.items() if key != user}
        with pytest.raises(InputError, match=user):
            render(built_in(name), others)


def test_rules_are_listed_after_the_files() -> None:
    """A host's firewall rules come with its artefacts, beside the files that a person runs."""
    found = render(guarded(), secrets_of(guarded()))
    assert {each.firewall for each in found if isinstance(each, Rule)} == {
        "ufw",
        "azure-nsg",
        "aws-security-group",
    }
    paths = {each.path for each in found if isinstance(each, WholeFile)}
    assert {"ufw.sh", "azure-nsg.json", "aws-security-group.json", "redisinsight.sh"} <= paths


# --- RedisInsight -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["dev", "prod", "linux"])
def test_the_preset_is_one_connection_of_the_viewer(name: str) -> None:
    """databases.json is the list RedisInsight reads: one connection, as `viewer`, to where its
    container finds the server."""
    (found,) = json.loads(render_presets(plan_of(name), SECRETS))
    assert (found["username"], found["password"]) == ("viewer", SECRETS["viewer"].reveal())
    assert found["host"] == ("172.18.0.1" if name == "linux" else "redis")
    assert (found["port"], found["tls"], found["db"]) == (6379, False, 0)
    assert found["id"] == f"keywright-esab-{name}"


def test_the_preset_speaks_tls_where_only_tls_listens() -> None:
    """With TLS on the port that the preset names, the preset says so."""
    plan = built_in("dev")
    assert plan.insight is not None
    plan = plan._replace(
        listen=plan.listen._replace(port=0, tls=TLS), insight=plan.insight._replace(redis_port=6380)
    )
    (found,) = json.loads(render_presets(plan, SECRETS))
    assert (found["tls"], found["port"]) == (True, 6380)


def test_redisinsight_is_published_on_loopback_and_never_told_a_password() -> None:
    """The host's `docker run` publishes 127.0.0.1:6380:5540, and no argument of it is a secret."""
    plan = built_in("linux", HOST)
    script = render_insight_script(plan)
    assert "-p 127.0.0.1:6380:5540" in script
    assert "--add-host host.docker.internal:host-gateway" in script
    assert "PASSWORD" not in script
    assert SECRETS["viewer"].reveal() not in script
    assert plan.insight is not None
    limited = plan._replace(insight=plan.insight._replace(limits=Limits(0.5, 2**29)))
    assert "--memory 536870912" in render_insight_script(limited)
    assert "--cpus 0.5" in render_insight_script(limited)


# --- the shell files ----------------------------------------------------------------------------


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
@pytest.mark.parametrize("name", ["dev", "guarded"])
def test_every_shell_reads_every_script(shell: str, name: str, tmp_path: Path) -> None:
    """The scripts are POSIX: dash, bash and busybox all parse them."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    program = [shell, "sh"] if shell == "busybox" else [shell]
    scripts = [each for each in files(plan_of(name)) if each.path.endswith(".sh")]
    assert len(scripts) == 2
    for each in scripts:
        path = tmp_path / "script.sh"
        path.write_text(each.text())
        done = subprocess.run([*program, "-n", str(path)], capture_output=True, text=True)
        assert (each.path, done.returncode, done.stderr) == (each.path, 0, "")


def test_the_health_check_keeps_its_password_to_itself() -> None:
    """The password comes by stdin from its file, and nothing but PONG is an answer."""
    script = health_script(built_in("dev"))
    assert "--askpass" in script
    assert "< /usr/local/etc/redis/health.secret" in script
    assert '[ "$answer" = PONG ]' in script
    assert "REDISCLI_AUTH" not in script
    assert " -a " not in script
    tls = built_in("dev")._replace(listen=built_in("dev").listen._replace(port=0, tls=TLS))
    assert "-p 6380 --tls --cacert '/certs/ca.crt'" in health_script(tls)


def test_the_entrypoint_hands_over_to_the_images_own() -> None:
    """It is replaced by the server (`exec`), so that signals reach it; and it gives the server's
    account the folder of certificates too, where there is one."""
    plain = built_in("dev")
    tls = plain._replace(listen=plain.listen._replace(port=0, tls=TLS))
    assert 'exec docker-entrypoint.sh "$@"' in entrypoint_script(plain)
    assert "for folder in /usr/local/etc/redis; do" in entrypoint_script(plain)
    assert "for folder in /usr/local/etc/redis /certs; do" in entrypoint_script(tls)
