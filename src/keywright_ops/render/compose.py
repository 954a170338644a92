"""Plan → the compose file of a Docker environment, for Compose 1.29 and for `docker compose` v2.

Rules. Redis' settings stand in redis.conf, never in `command:`. No secret is in this file, in a
container's environment or in what `docker inspect` shows. Every text is quoted and its `$` doubled,
so that YAML and Compose's interpolation both give it back unchanged.
"""

from typing import Any

from keywright_ops.model.plan import Container, Insight, Limits, Plan
from keywright_ops.plan.certificate import suffix
from keywright_ops.plan.docker import publications
from keywright_ops.render.container import CONFIGURATION, DATA, PRESETS, certificates
from keywright_ops.render.waits import stop_seconds

INSIGHT_PORT = 5540  # where RedisInsight 2.42 and later listens inside its container
MIB = 1024 * 1024


def render_compose(plan: Plan) -> str:
    """Return docker-compose.yml as text; the plan's kind is docker-dev or docker-prod.

    Raises ValueError for a plan without a container.
    """
    container = plan.container
    if container is None:
        raise ValueError(f"environment {plan.environment} has no container")
    services = _section(container.service, _HEADINGS["redis"], _redis(plan, container))
    volumes = {container.volume: {"name": container.volume, "external": True}}
    if plan.insight is not None:
        insight = _insight(container, plan.insight)
        services += "\n" + _section("redisinsight", _HEADINGS["redisinsight"], insight)
        volumes[plan.insight.volume] = {"name": plan.insight.volume, "external": True}
    networks = {container.network: {"name": container.network, "external": True}}
    return "\n".join(
        (
            _header(plan, container),
            "services:",
            services,
            _HEADINGS["volumes"] + compose_yaml({"volumes": volumes}),
            _HEADINGS["networks"] + compose_yaml({"networks": networks}).rstrip("\n") + "\n",
        )
    )


def configuration_folder(compose_file: str) -> str:
    """Return the folder beside the compose file that is mounted as the server's configuration.

    Two compose files may share a folder, as in the guide, so each names its own: `redis` for
    docker-compose.yml, `redis-prod` for docker-compose.prod.yml.
    """
    return "redis" + suffix(compose_file)


def preset_folder(compose_file: str) -> str:
    """Return the folder beside the compose file that holds RedisInsight's connections."""
    return "redisinsight" + suffix(compose_file)


def bind_folders(plan: Plan) -> tuple[tuple[str, str], ...]:
    """Return the folders beside the compose file that stand in the server's container, and where."""
    if plan.container is None:
        return ()
    file = plan.container.compose_file
    found = [(configuration_folder(file), CONFIGURATION)]
    if plan.insight is not None:
        found.append((preset_folder(file), PRESETS))
    inside = certificates(plan)
    if inside:
        found.append((inside.rpartition("/")[2], inside))
    return tuple(found)


# --- the services -------------------------------------------------------------------------------


def _redis(plan: Plan, container: Container) -> dict[str, Any]:
    mounts = [f"{container.volume}:{DATA}"]
    mounts += [f"./{name}:{target}" for name, target in bind_folders(plan)]
    service: dict[str, Any] = {
        "image": plan.engine.image,
        "container_name": container.name,
        "restart": container.restart,
        "entrypoint": ["/bin/sh", f"{CONFIGURATION}/entrypoint.sh"],
        "volumes": mounts,
        "networks": [container.network],
    }
    if container.publish:
        service["ports"] = [":".join(map(str, each)) for each in publications(plan)]
    service["healthcheck"] = {
        "test": ["CMD", "sh", f"{CONFIGURATION}/health.sh"],
        "interval": f"{container.health_interval}s",
        "timeout": "5s",
        "retries": 3,
        "start_period": "60s",
    }
    # Docker's own 10 s end in SIGKILL while a large snapshot is being written.
    service["stop_grace_period"] = f"{stop_seconds(plan)}s"
    service["security_opt"] = ["no-new-privileges:true"]
    return service | _limits(container.limits) | _logging(container)


def _insight(container: Container, insight: Insight) -> dict[str, Any]:
    folder = preset_folder(container.compose_file)
    service: dict[str, Any] = {
        "image": insight.image,
        "container_name": insight.name,
        "restart": insight.restart,
        "depends_on": [container.service],
        "environment": {"RI_PRE_SETUP_DATABASES_PATH": f"{PRESETS}/databases.json"},
        "volumes": [f"{insight.volume}:{DATA}", f"./{folder}:{PRESETS}:ro"],
        "networks": [container.network],
        "ports": [f"127.0.0.1:{insight.port}:{INSIGHT_PORT}"],
        "security_opt": ["no-new-privileges:true"],
    }
    return service | _limits(insight.limits) | _logging(container)


def _limits(limits: Limits) -> dict[str, Any]:
    # mem_limit and cpus, and no deploy.resources: Compose 1.29 honours `deploy` only with
    # --compatibility, and v2 refuses a file in which the two disagree.
    found: dict[str, Any] = {}
    if limits.memory is not None:
        found["mem_limit"] = _size(limits.memory)
    if limits.cpus is not None:
        found["cpus"] = limits.cpus
    return found


def _logging(container: Container) -> dict[str, Any]:
    options = log_options(container)
    return {"logging": {"driver": "json-file", "options": options}} if options else {}


def log_options(container: Container) -> dict[str, str]:
    """Return how Docker's json-file driver rotates the log; {} is the engine's own way."""
    options: dict[str, str] = {}
    if container.log_max_size is not None:
        options["max-size"] = _log_size(container.log_max_size)
    if container.log_max_files is not None:
        options["max-file"] = str(container.log_max_files)
    return options


def _size(size: int) -> str:
    return f"{size // MIB}m" if size % MIB == 0 else f"{size}b"


def _log_size(size: int) -> str:
    # Docker counts logs in powers of 1000, unlike memory (go-units, FromHumanSize).
    return f"{size // 10**6}m" if size % 10**6 == 0 else f"{size}b"


# --- the text -----------------------------------------------------------------------------------


def compose_text(text: str) -> str:
    """Return any text as one YAML scalar that YAML and Compose's interpolation give back unchanged.

    NUL and lone surrogates cannot be in YAML at all: they raise ValueError.
    """
    if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError("a NUL or half a surrogate pair cannot stand in a compose file")
    return compose_yaml(text).rstrip("\n")


def compose_yaml(value: object) -> str:
    """Return nested dicts, lists and scalars as YAML whose every text value is safe in Compose.

    Values are double-quoted ASCII, so that YAML 1.1 (Compose 1.29) and 1.2 (v2) read the same.
    """
    import yaml  # here, since `env` and `status` load this room and never need it

    class Dumper(yaml.SafeDumper):
        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
            del indentless  # PyYAML's own signature
            super().increase_indent(flow, False)  # lists stand below their key, indented

        def ignore_aliases(self, _: Any) -> bool:
            return True

    def represent(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
        escaped = text.replace("$", "$$")
        return dumper.represent_scalar("tag:yaml.org,2002:str", escaped, style='"')

    def represent_mapping(dumper: yaml.SafeDumper, mapping: dict[str, Any]) -> yaml.MappingNode:
        node = dumper.represent_mapping("tag:yaml.org,2002:map", mapping.items())
        for key, _ in node.value:
            key.style, key.value = None, key.value.replace("$$", "$")  # keys are not interpolated
        return node

    Dumper.add_representer(str, represent)
    Dumper.add_representer(dict, represent_mapping)
    return yaml.dump(value, Dumper=Dumper, sort_keys=False, width=2**31, allow_unicode=False)


def _section(name: str, heading: str, service: dict[str, Any]) -> str:
    text = heading + compose_yaml({name: service})
    return "".join(f"  {line}\n" if line else "\n" for line in text.splitlines())


def by_hand(plan: Plan) -> str:
    """Return, as comments, the commands with which a person starts the file without Keywright."""
    container = plan.container
    assert container is not None
    volumes = [container.volume] + ([plan.insight.volume] if plan.insight else [])
    lines = [f"docker volume create {name}" for name in volumes]
    lines += [
        f"docker network create {container.network}",
        f"docker compose -p {container.project} -f {container.compose_file} up -d",
    ]
    return "\n".join(f"#   {line}" for line in lines)


def _header(plan: Plan, container: Container) -> str:
    folder = configuration_folder(container.compose_file)
    return f"""\
# {container.compose_file}: the environment `{plan.environment}` of {plan.app}.
# Written by Keywright from keywright.toml; a change made here is overwritten by the next `up`.
#
# Redis' settings stand in {folder}/redis.conf, its users (as hashes) in {folder}/users.acl.
# No password is needed to start this file, and none can be read from `docker inspect`.
# Works with docker-compose 1.29 and with docker compose v2, by hand so:
{by_hand(plan)}
"""


_HEADINGS = {
    "redis": """\
# The server. Its folder is mounted, not the file: a file replaced on the host would keep its
# old content inside. entrypoint.sh lets the image's account read it, then runs the image's own.
""",
    "redisinsight": """\
# The web interface, on loopback only: it has no login of its own.
""",
    "volumes": """\
# The data, made before this file is used: so no `docker compose down -v` deletes it.
""",
    "networks": """\
# A backend of another compose file joins by naming this network with `external: true`, as here.
""",
}
