"""The files of Keywright's own certificate: where they lie, who may read them, what names them."""

import json
from typing import Any

import pytest
from tests.unit.plan.test_certificate import planned
from tests.unit.render.plans import SECRETS

from keywright.secret import Secret
from keywright_ops.model.artefact import WholeFile
from keywright_ops.model.certificates import Certificates
from keywright_ops.render.artefacts import render
from keywright_ops.render.container import certificates, health_script

MADE = Certificates(Secret("authority"), "ca\n", "certificate\n", Secret("key"))
FILES = {
    "local": {"tls/server.key": 0o600, "tls/server.crt": 0o644, "tls/ca.crt": 0o644},
    "dev": {
        "deployment/docker/redis/tls/server.key": 0o640,
        "deployment/docker/redis/tls/server.crt": 0o640,
        "deployment/docker/redis/tls/ca.crt": 0o640,
        "deployment/docker/ca.crt": 0o644,
    },
    "prod": {
        "deployment/docker/redis-prod/tls/server.key": 0o640,
        "deployment/docker/redis-prod/tls/server.crt": 0o640,
        "deployment/docker/redis-prod/tls/ca.crt": 0o640,
        "deployment/docker/ca-prod.crt": 0o644,
    },
    "linux": {
        "/etc/redis/tls/server.key": 0o640,
        "/etc/redis/tls/server.crt": 0o640,
        "/etc/redis/tls/ca.crt": 0o640,
    },
}


def rendered(name: str, text: str = "", made: Certificates | None = MADE) -> dict[str, WholeFile]:
    """Every file of an environment with TLS."""
    plan = planned(name, text)
    return {
        each.path: each
        for each in render(plan, SECRETS, certificates=made)
        if isinstance(each, WholeFile)
    }


@pytest.mark.parametrize("name", FILES)
def test_files(name: str, pure: Any) -> None:
    """Exactly these files, with these modes; the key is a Secret, and the authority's key is nowhere."""
    files = pure(rendered, name)
    without = rendered(name, made=None)
    assert FILES[name] == {path: files[path].mode for path in files if path not in without}
    for path, file in files.items():
        assert path.endswith("server.key") == (file.text() == "key")
        assert "authority" not in (file.text(), file.path)
    assert all(files[path].secret for path in files if path.endswith("server.key"))


def test_docker_mounts_nothing_more() -> None:
    """The files lie in the configuration's own folder, which is mounted and given to the server."""
    plan = planned("dev", "")
    assert certificates(plan) == ""
    asked = health_script(plan)
    assert "--tls --cacert '/usr/local/etc/redis/tls/ca.crt'" in asked
    assert "-p 6380" in asked
    both = health_script(planned("dev", "port=6379"))
    assert ("--tls" in both, "-p 6379" in both) == (False, True)


def test_insight_checks_the_server() -> None:
    """RedisInsight's connection speaks TLS, checks the server, and holds the authority."""
    path = "deployment/docker/redisinsight/databases.json"
    (found,) = json.loads(rendered("dev")[path].text())
    assert (found["port"], found["tls"], found["verifyServerCert"]) == (6380, True, True)
    assert found["caCert"] == {"name": "keywright-shop-dev", "certificate": "ca\n"}
    (bare,) = json.loads(rendered("dev", made=None)[path].text())
    assert (bare["tls"], "caCert" in bare) == (True, False)
