"""Plan → RedisInsight's preset connection and, on a systemd host, the command that runs it.

RedisInsight takes connections from environment variables or from a JSON file that
RI_PRE_SETUP_DATABASES_PATH names. The file is used, since `docker inspect` shows the environment.
"""

from collections.abc import Mapping

from keywright.secret import Secret
from keywright_ops.model.certificates import Certificates
from keywright_ops.model.plan import Insight, Plan
from keywright_ops.render.compose import INSIGHT_PORT
from keywright_ops.render.container import INSIGHT_GROUP, PRESETS

FOLDER = "/etc/keywright/redisinsight"


def render_presets(
    plan: Plan, secrets: Mapping[str, Secret], certificates: Certificates | None = None
) -> str:
    """Return databases.json: one connection, as the plan's user, in RedisInsight's export format.

    With Keywright's own `certificates` it holds the authority and checks the server by it.
    Takes effect when RedisInsight starts; a connection that leaves the file leaves the list.
    """
    import json  # here, since `env` and `status` load this room and never need it

    insight = _insight(plan)
    tls = plan.listen.tls
    user = next((each for each in plan.users if each.name == insight.user), None)
    password = secrets.get(user.secret if user else insight.user)
    connection: dict[str, object] = {
        "id": f"keywright-{plan.app}-{plan.environment}",
        "name": f"{plan.app} {plan.environment}",
        "host": str(insight.redis_host),
        "port": insight.redis_port,
        "db": plan.application.database,
        "username": insight.user,
        "password": password.reveal() if password else None,
        "connectionType": "STANDALONE",
        "tls": tls is not None and insight.redis_port == tls.port,
    }
    if connection["tls"] and certificates is not None:
        authority = {"name": f"keywright-{plan.app}-{plan.environment}"}
        connection["verifyServerCert"] = True
        connection["caCert"] = authority | {"certificate": certificates.ca}
    return json.dumps([connection], indent=2) + "\n"


def insight_argv(plan: Plan) -> tuple[str, ...]:
    """Return the docker line that makes and starts RedisInsight on a systemd host.

    Published on loopback only, since it has no login. host.docker.internal is this host as seen from the
    container, whatever docker0's address is.
    """
    insight = _insight(plan)
    limits: tuple[str, ...] = ()
    if insight.limits.memory is not None:
        limits += ("--memory", str(insight.limits.memory))
    if insight.limits.cpus is not None:
        limits += ("--cpus", str(insight.limits.cpus))
    return (
        *("docker", "run", "-d", "--name", insight.name, "--restart", insight.restart),
        *("--add-host", "host.docker.internal:host-gateway"),
        *("-p", f"127.0.0.1:{insight.port}:{INSIGHT_PORT}", "-v", f"{insight.volume}:/data"),
        *("-v", f"{FOLDER}:{PRESETS}:ro"),
        *("-e", f"RI_PRE_SETUP_DATABASES_PATH={PRESETS}/databases.json"),
        *limits,
        insight.image,
    )


def render_insight_script(plan: Plan) -> str:
    """Return the shell script that (re)creates RedisInsight's container on a systemd host."""
    from shlex import quote

    insight = _insight(plan)
    limits = ""
    if insight.limits.memory is not None:
        limits += f"  --memory {insight.limits.memory} \\\n"
    if insight.limits.cpus is not None:
        limits += f"  --cpus {insight.limits.cpus} \\\n"
    return f"""\
#!/bin/sh
# Runs RedisInsight beside the environment `{plan.environment}` of {plan.app}; written by Keywright.
# Run it as root. It replaces the container and keeps the volume.
set -eu

# The preset connection holds a password: its group becomes the one of the image's account.
chgrp -R {INSIGHT_GROUP} {FOLDER}
chmod 2750 {FOLDER}
chmod 0640 {FOLDER}/databases.json

docker rm -f {quote(insight.name)} 2>/dev/null || true

# Published on loopback only, since RedisInsight has no login: reach it through
#   ssh -N -L {insight.port}:127.0.0.1:{insight.port} user@server
# host.docker.internal is this host as seen from the container, whatever docker0's address is.
docker run -d --name {quote(insight.name)} \\
  --restart {quote(insight.restart)} \\
  --add-host host.docker.internal:host-gateway \\
  -p 127.0.0.1:{insight.port}:{INSIGHT_PORT} \\
  -v {quote(insight.volume)}:/data \\
  -v {FOLDER}:{PRESETS}:ro \\
  -e RI_PRE_SETUP_DATABASES_PATH={PRESETS}/databases.json \\
{limits}  {quote(insight.image)}
"""


def _insight(plan: Plan) -> Insight:
    if plan.insight is None:
        raise ValueError(f"environment {plan.environment} has no RedisInsight")
    return plan.insight
