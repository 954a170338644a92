"""Plan + secrets → every artefact of an environment, in the order a person would write them.

This file composes, and decides only where a file lies and who may read it. A path that is not
absolute begins at the project's folder (where keywright.toml is), for `local` at its own home.
"""

from collections.abc import Mapping

from keywright.secret import Secret
from keywright_ops.model.artefact import Artefact, WholeFile
from keywright_ops.model.certificates import Certificates
from keywright_ops.model.plan import Container, Plan
from keywright_ops.plan.certificate import FOLDER, authority_file
from keywright_ops.render.acl import render_acl
from keywright_ops.render.compose import configuration_folder, preset_folder, render_compose
from keywright_ops.render.container import CONFIGURATION, entrypoint_script, health_script
from keywright_ops.render.dotenv import render_dotenv
from keywright_ops.render.firewall import (
    firewall_rules,
    render_nsg,
    render_security_group,
    render_ufw,
)
from keywright_ops.render.insight import FOLDER as PRESET_FOLDER
from keywright_ops.render.insight import render_insight_script, render_presets
from keywright_ops.render.kernel import SYSCTL_FILE, THP_UNIT, render_sysctl, render_thp_unit
from keywright_ops.render.nginx import PASSWORDS, SITE, render_nginx, render_passwords
from keywright_ops.render.redis_conf import render_redis_conf
from keywright_ops.render.systemd import render_drop_in

Beside = Mapping[str, Secret] | None  # second passwords, valid while they are rotated
OWNER = 0o600  # you alone
GROUP = 0o640  # you, and the group of the account that the server runs as
PUBLIC = 0o644  # an authority's certificate is no secret


def render(
    plan: Plan,
    secrets: Mapping[str, Secret],
    beside: Beside = None,
    certificates: Certificates | None = None,
) -> tuple[Artefact, ...]:
    """Return what the plan needs to exist; `secrets` by name (default, appuser, viewer, …), `beside`
    those that the server accepts too while they are rotated.

    `certificates` are Keywright's own, where the plan wants them; without them their files are left out.
    Content that holds a secret is a `Secret`, in a file that others cannot read. Raises InputError
    for what cannot be written, such as an enabled user without a password.
    """
    if plan.kind == "local":
        files = _local(plan, secrets, beside)
    elif plan.container is not None:
        files = _docker(plan, plan.container, secrets, beside, certificates)
    elif plan.kind == "systemd":
        files = _systemd(plan, secrets, beside, certificates)
    else:
        files = _firewall_files(plan)
    files += render_certificates(plan, certificates)
    application = WholeFile(_dotenv_path(plan), Secret(render_dotenv(plan, secrets)), OWNER)
    return (*files, *_site(plan, secrets), application, *firewall_rules(plan))


def _local(
    plan: Plan, secrets: Mapping[str, Secret], beside: Mapping[str, Secret] | None
) -> list[WholeFile]:
    return [
        WholeFile("redis.conf", render_redis_conf(plan), OWNER),
        WholeFile("users.acl", render_acl(plan, secrets, beside), OWNER),
    ]


def render_certificates(plan: Plan, certificates: Certificates | None) -> list[WholeFile]:
    """Return the files of Keywright's own certificate, the key before what belongs to it."""
    tls = plan.listen.tls
    if tls is None or not tls.own or certificates is None:
        return []
    container = plan.container
    folder = tls.cert_file.rpartition("/")[0]
    secret = public = GROUP  # the entrypoint gives its folder one mode
    files: list[WholeFile] = []
    if container is not None:
        base = f"{plan.directory}/" if plan.directory else ""
        beside = base + configuration_folder(container.compose_file)
        folder = folder.replace(CONFIGURATION, beside, 1)
        path = authority_file(container, plan.directory)
        files.append(WholeFile(path, certificates.ca, PUBLIC))
    elif plan.kind == "local":
        folder, secret, public = FOLDER, OWNER, PUBLIC
    return [
        WholeFile(f"{folder}/server.key", certificates.key, secret),
        WholeFile(f"{folder}/server.crt", certificates.certificate, public),
        WholeFile(f"{folder}/ca.crt", certificates.ca, public),
        *files,
    ]


def _docker(
    plan: Plan,
    container: Container,
    secrets: Mapping[str, Secret],
    beside: Beside,
    certificates: Certificates | None,
) -> list[WholeFile]:
    base = f"{plan.directory}/" if plan.directory else ""
    folder = base + configuration_folder(container.compose_file)
    # `git add .` would take the passwords along
    ignored = [folder]
    if plan.insight is not None:
        ignored.append(base + preset_folder(container.compose_file))
    users = render_acl(plan, secrets, beside)  # first: it says which user has no password
    health = secrets.get(_secret_of(plan, "health"), Secret("")).reveal()
    files = [
        WholeFile(base + container.compose_file, render_compose(plan)),
        WholeFile(f"{folder}/redis.conf", render_redis_conf(plan), GROUP),
        WholeFile(f"{folder}/users.acl", users, GROUP),
        WholeFile(f"{folder}/entrypoint.sh", entrypoint_script(plan), GROUP),
        WholeFile(f"{folder}/health.sh", health_script(plan), GROUP),
        WholeFile(f"{folder}/health.secret", Secret(health + "\n"), GROUP),
    ]
    if plan.insight is not None:
        presets = f"{base}{preset_folder(container.compose_file)}/databases.json"
        connection = render_presets(plan, secrets, certificates)
        files.append(WholeFile(presets, Secret(connection), GROUP))
    return files + [WholeFile(f"{each}/.gitignore", "*\n", GROUP) for each in ignored]


def _systemd(
    plan: Plan,
    secrets: Mapping[str, Secret],
    beside: Beside,
    certificates: Certificates | None,
) -> list[WholeFile]:
    if plan.unit is None:
        raise ValueError(f"environment {plan.environment} has no systemd unit")
    folder = plan.unit.config_directory
    files = [
        WholeFile(plan.unit.conf, render_redis_conf(plan), GROUP),
        WholeFile(f"{folder}/users.acl", render_acl(plan, secrets, beside), GROUP),
        WholeFile(plan.unit.drop_in, render_drop_in(plan)),
    ]
    if plan.kernel is not None:
        files.append(WholeFile(SYSCTL_FILE, render_sysctl(plan)))
        files.append(WholeFile(THP_UNIT, render_thp_unit(plan)))
    if plan.insight is not None:
        presets = Secret(render_presets(plan, secrets, certificates))
        files.append(WholeFile(f"{PRESET_FOLDER}/databases.json", presets, GROUP))
        files.append(WholeFile("redisinsight.sh", render_insight_script(plan), 0o755))
    return files + _firewall_files(plan)


def _firewall_files(plan: Plan) -> list[WholeFile]:
    if plan.firewall is None:
        return []
    files = []
    if plan.kind == "systemd":
        files.append(WholeFile("ufw.sh", render_ufw(plan), 0o755))
    if plan.kind != "aws":
        files.append(WholeFile("azure-nsg.json", render_nsg(plan)))
    if plan.kind != "azure":
        files.append(WholeFile("aws-security-group.json", render_security_group(plan)))
    return files


def _site(plan: Plan, secrets: Mapping[str, Secret]) -> list[WholeFile]:
    """The login before the site that asks for it."""
    insight = plan.insight
    if insight is None or not insight.site:
        return []
    login = []
    if insight.secret:
        passwords = render_passwords(secrets[insight.secret])
        login.append(WholeFile(PASSWORDS, Secret(passwords), GROUP))
    return [*login, WholeFile(SITE, render_nginx(plan))]


def _dotenv_path(plan: Plan) -> str:
    """Return where the application's .env lies; a local environment's home is its data's parent."""
    home = plan.persistence.directory.rpartition("/")[0]
    path = plan.application.dotenv
    return path.removeprefix(f"{home}/") if plan.kind == "local" and home else path


def _secret_of(plan: Plan, user: str) -> str:
    return next((each.secret for each in plan.users if each.name == user), user)
