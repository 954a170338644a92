"""The compose files, read by the real Compose 1.29 and by v2, where they are installed."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.lab.real_readers import compose_v1, compose_v2
from tests.unit.render.plans import TLS, built_in

from keywright_ops.model.plan import Limits, Plan
from keywright_ops.render.compose import (
    compose_text,
    configuration_folder,
    preset_folder,
    render_compose,
)


@pytest.fixture(params=["1.29", "v2"])
def tool(request: pytest.FixtureRequest) -> list[str]:
    """`config` of each Compose that is installed: Debian's docker-compose 1.29, and v2.

    v2 prints JSON, since no YAML 1.1 reader takes its YAML back in every case (a bare `=`).
    """
    command = compose_v1() if request.param == "1.29" else compose_v2()
    if command is None:
        pytest.skip(f"Compose {request.param} is not installed")
    return [*command, "config", *(["--format", "json"] if request.param == "v2" else [])]


def config(text: str, folder: Path, tool: list[str]) -> dict[str, Any]:
    """Return what `config` of a Compose makes of a file; it needs no engine."""
    (folder / "docker-compose.yml").write_text(text, encoding="utf-8")
    done = subprocess.run(
        tool,
        cwd=folder,
        capture_output=True,
        text=True,
        env={"LC_ALL": "C"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    read = json.loads if done.stdout.startswith("{") else yaml.safe_load
    found: dict[str, Any] = read(done.stdout)
    return found


def with_tls(plan: Plan) -> Plan:
    """Let only TLS listen."""
    return plan._replace(listen=plan.listen._replace(port=0, tls=TLS))


@pytest.mark.parametrize("environment", ["dev", "prod"])
@pytest.mark.parametrize("change", [lambda plan: plan, with_tls])
def test_the_real_tool_accepts_every_file(
    environment: str, change: Any, tmp_path: Path, tool: list[str]
) -> None:
    """`config` of Compose 1.29 and of v2 accepts every rendered file without a warning and reads
    from it the service, volume and network that the plan names."""
    plan = change(built_in(environment))
    assert plan.container is not None
    assert plan.insight is not None
    found = config(render_compose(plan), tmp_path, tool)
    assert list(found["services"]) == [plan.container.service, "redisinsight"]
    assert found["services"]["redis"]["container_name"] == plan.container.name
    names = {volume["name"] for volume in found["volumes"].values()}
    assert names == {plan.container.volume, plan.insight.volume}
    assert [each["name"] for each in found["networks"].values()] == ["esab-network"]


def test_production_has_the_guides_numbers(tmp_path: Path, tool: list[str]) -> None:
    """Limits, log rotation, restart policy and health check interval are the guide's, and the
    server has no published port."""
    redis = config(render_compose(built_in("prod")), tmp_path, tool)["services"]["redis"]
    assert redis["cpus"] == 0.5
    assert redis["mem_limit"] in ("1536m", str(1536 * 2**20))  # v2 prints bytes
    assert redis["logging"]["options"] == {"max-size": "50m", "max-file": "5"}
    assert (redis["restart"], redis["healthcheck"]["interval"]) == ("always", "10s")
    assert "ports" not in redis
    assert redis.get("command") is None  # v2 prints null


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_nothing_is_said_twice_or_in_a_dialect(environment: str) -> None:
    """No `version`, `name` or `deploy`: 1.29 refuses `name`, v2 warns of `version`, and v2 refuses
    a file whose `deploy` limits differ from mem_limit and cpus."""
    text = render_compose(built_in(environment))
    found = yaml.safe_load(text)
    assert sorted(found) == ["networks", "services", "volumes"]
    assert [name for name, each in found["services"].items() if "deploy" in each] == []


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_every_published_port_is_on_loopback(environment: str) -> None:
    """Redis and RedisInsight are published on 127.0.0.1 or not at all."""
    services = yaml.safe_load(render_compose(built_in(environment)))["services"]
    ports = [port for each in services.values() for port in each.get("ports", ())]
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []
    assert ("127.0.0.1:6379:6379" in ports) == (environment == "dev")
    assert "127.0.0.1:8001:5540" in ports


def test_tls_publishes_and_mounts_what_the_server_uses() -> None:
    """Where only TLS listens, its port is published and the certificates' folder is mounted."""
    redis = yaml.safe_load(render_compose(with_tls(built_in("dev"))))["services"]["redis"]
    assert redis["ports"] == ["127.0.0.1:6379:6380"]
    assert "./certs:/certs" in redis["volumes"]


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (Limits(), {}),
        (Limits(memory=1000), {"mem_limit": "1000b"}),
        (Limits(cpus=2, memory=2**30), {"cpus": 2, "mem_limit": "1024m"}),
    ],
)
def test_limits_say_what_the_plan_says(limits: Limits, expected: dict[str, object]) -> None:
    """A limit that the plan has is in the file, to the byte; one that it has not is absent."""
    plan = built_in("dev")
    assert plan.container is not None
    plan = plan._replace(container=plan.container._replace(limits=limits))
    redis = yaml.safe_load(render_compose(plan))["services"]["redis"]
    assert {key: redis[key] for key in ("cpus", "mem_limit") if key in redis} == expected


@pytest.mark.parametrize(
    ("file", "folders"),
    [
        ("docker-compose.yml", ("redis", "redisinsight")),
        ("compose.yaml", ("redis", "redisinsight")),
        ("docker-compose.prod.yml", ("redis-prod", "redisinsight-prod")),
        ("stack.yml", ("redis-stack", "redisinsight-stack")),
    ],
)
def test_two_compose_files_never_share_a_folder(file: str, folders: tuple[str, str]) -> None:
    """Each compose file mounts folders of its own, since two may lie side by side."""
    assert (configuration_folder(file), preset_folder(file)) == folders


# Any text that YAML can carry at all: no NUL, no half surrogates.
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
NASTY = (
    "$", "$$", "${A}", "$${A:-b}", "${", "a#b", " #", "yes", "1:30", "0o17", "~", "null", "'", '"',
    "\\", "\\n", "\n", "\r\n", " lead", "trail ", "\t", "\u2028", "\ufeff", "😀", "é", "{{.}}",
    "- x", "a: b", "%", "@", "`", "!", "&a", "*a", "|", ">", "", "\x07", "=", "<<", "1e3", ".inf",
)  # fmt: skip


@settings(
    max_examples=6,  # each runs the tool once, with 60 texts
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking 60 texts takes minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(values=st.lists(TEXT.map(lambda text: text.replace("\x85", "")), min_size=60, max_size=60))
def test_any_text_survives_the_real_tool(
    values: list[str], tmp_path: Path, tool: list[str]
) -> None:
    """Any text written by compose_text is what Compose itself holds after YAML and interpolation.

    `config` prints `$` doubled again, as it must for its own output to be a compose file; and it
    prints U+0085 so that no YAML reader gets it back, so that one is left to the next test.
    """
    texts = [*NASTY, *values]
    lines = "".join(f"      V{at}: {compose_text(text)}\n" for at, text in enumerate(texts))
    file = f"services:\n  a:\n    image: x\n    environment:\n{lines}"
    found = config(file, tmp_path, tool)["services"]["a"]["environment"]
    back = [found[f"V{at}"].replace("$$", "$") for at in range(len(texts))]
    assert back == texts


@given(TEXT)
def test_any_text_is_one_ascii_line_that_json_reads_too(text: str) -> None:
    """compose_text gives one line of ASCII in double quotes, so YAML 1.1, YAML 1.2 and any locale
    read the same."""
    scalar = compose_text(text)
    assert scalar.isascii()
    assert "\n" not in scalar
    assert scalar[0] == scalar[-1] == '"'
    assert yaml.safe_load(scalar).replace("$$", "$") == text


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_what_yaml_cannot_carry_is_refused(text: str) -> None:
    """NUL and half a surrogate pair raise instead of being lost."""
    with pytest.raises(ValueError, match="cannot stand in a compose file"):
        compose_text(text)


def test_only_documented_keys_are_used() -> None:
    """Every key is one of the Compose Specification that 1.29 and v2 both know."""
    known = {
        "image", "container_name", "restart", "entrypoint", "volumes", "networks", "ports",
        "healthcheck", "stop_grace_period", "security_opt", "mem_limit", "cpus", "logging",
        "depends_on", "environment",
    }  # fmt: skip
    for environment in ("dev", "prod"):
        services = yaml.safe_load(render_compose(built_in(environment)))["services"]
        used = {key for each in services.values() for key in each}
        assert used - known == set(), json.dumps(sorted(used))
