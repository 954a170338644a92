"""The engine's machine is found as docker itself finds it, from real files."""

import json
from pathlib import Path

import pytest

from keywright.errors import InputError, Refused
from keywright_ops.actions.refusals import refuse_remote_engine
from keywright_ops.gather.engine_host import find_engine_host
from keywright_ops.model.engine_host import EngineHost, parse_engine_host
from keywright_ops.targets.local import LocalTransport

HERE = EngineHost("here")


def find(declared: str = "", **environ: str) -> EngineHost:
    """Find it on this machine."""
    return find_engine_host(declared, environ, LocalTransport())


def test_the_file_is_asked_first_then_dockers_variable(tmp_path: Path) -> None:
    """container.host, DOCKER_HOST, the context: in this order."""
    home = str(tmp_path)
    assert HERE == find(HOME=home)
    assert "container.host" == find("ssh://me@far", HOME=home, DOCKER_HOST="ssh://me@x").source
    assert "x" == find(HOME=home, DOCKER_HOST="ssh://me@x").host
    assert "here" == find(HOME=home, DOCKER_HOST="unix:///run/x.sock").way


def test_the_context_in_use_counts(tmp_path: Path) -> None:
    """A context of docker's own making is found; `default` and a damaged file are this machine."""
    transport = LocalTransport()
    folder = tmp_path / ".docker"
    environ = {"HOME": str(tmp_path)}
    folder.mkdir()
    for text in ("{", "[]", '{"currentContext": "default"}', '{"currentContext": 1}'):
        (folder / "config.json").write_text(text)
        assert HERE == find(**environ), text
    try:
        made = transport.run(
            ("env", f"HOME={tmp_path}", "docker", "context", "create", "far", "--docker")
            + ("host=ssh://me@far.example.com:2222",)
        )
    except Exception:  # noqa: BLE001 - no docker program: the lab has one
        pytest.skip("docker is not installed")
    if made.code != 0:
        pytest.skip("docker is not installed")
    (folder / "config.json").write_text(json.dumps({"currentContext": "far"}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path))
        patch.delenv("DOCKER_HOST", raising=False)
        patch.delenv("DOCKER_CONFIG", raising=False)
        expected = EngineHost("ssh", "me", "far.example.com", 2222, "docker context far")
        assert expected == find(**environ)


def test_nonsense_is_named_by_its_source() -> None:
    """What names no machine is said with where it stands, not what it is."""
    with pytest.raises(InputError, match="DOCKER_HOST names no machine"):
        find(HOME="/nonexistent", DOCKER_HOST="ssh://me:secret@host")


def test_an_engine_elsewhere_is_refused() -> None:
    """Files of this machine cannot be mounted there: one sentence, and where to go."""
    refuse_remote_engine(HERE, "dev")
    for url in ("ssh://me@far", "tcp://10.0.0.5:2376"):
        with pytest.raises(Refused, match="on another machine") as caught:
            refuse_remote_engine(parse_engine_host(url, "DOCKER_HOST"), "dev")
        assert url in str(caught.value)
        assert "keywright tunnel -e dev" in caught.value.hint
