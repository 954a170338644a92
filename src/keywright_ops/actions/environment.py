"""Opens one environment: profile, plan, secrets, target and what it should be, ready for an action."""

import json
import os
from collections.abc import Mapping
from errno import errorcode
from typing import TYPE_CHECKING, NamedTuple

from keywright.errors import InputError, ProfileError, Refused
from keywright.secret import Secret
from keywright_ops.actions.locate import locate
from keywright_ops.actions.place import Place, find_place
from keywright_ops.actions.secrets import with_secret_warnings
from keywright_ops.gather.host import gather_host
from keywright_ops.model.absence import Discovered, Missing
from keywright_ops.model.host import HostFacts
from keywright_ops.model.login import other
from keywright_ops.model.plan import Plan
from keywright_ops.plan.listen import PORT_CANDIDATES
from keywright_ops.plan.resolve import resolve
from keywright_ops.profile.declared import Values
from keywright_ops.targets.child import ChildSupervisor
from keywright_ops.targets.door import Door
from keywright_ops.targets.local import HINTS, LocalTransport
from keywright_ops.targets.ports import user_name
from keywright_ops.targets.target import Target, Transport
from keywright_ops.vault.file import Vault

if TYPE_CHECKING:
    from keywright_ops.model.facts import Certificate  # where there is TLS
    from keywright_ops.vault.authority import Authority

CHOICES = "choices.json"


class Opened(NamedTuple):
    """An environment, opened: `place` the project, `home` its state's folder, `base` the one where
    artefacts with relative paths lie, `secrets` by user name.

    `authority` makes its certificate, None where that is a person's or there is no TLS; `certificate` is
    what lies on disk now.
    """

    place: Place
    plan: Plan
    home: str
    base: str
    vault: Vault
    secrets: Mapping[str, Secret]
    target: Target
    authority: "Authority | None" = None
    certificate: "Certificate | Missing" = Missing("no TLS is declared")


def open_plan(
    file: str | None,
    environment: str | None,
    environ: Mapping[str, str],
    ask_host: bool = False,
    engine: str = "",
) -> tuple[Place, Plan]:
    """Resolve the plan of an environment (default: the file's, else local).

    `engine` is the one that a person chose, in Docker or on a Linux host, where the file names none; it is
    kept.
    """
    place = find_place(file, environ)
    name = environment or place.profile.default_env
    values = Values(place.profile, name)  # an unknown name ends here, with the nearest one
    home = place.home(name)
    refuse_strange_home(home)
    if engine or values.takes("engine"):
        place = _with_engine(place, values, home, engine)
        values = Values(place.profile, name)
    kept = read_choices(home) if values.kind == "local" else {}
    host = None
    if ask_host and values.kind == "local":
        host = _host(values, kept, environ)
        if isinstance(host.program, Missing) and values.text("server"):
            raise ProfileError(
                f"env.{name}.server: {host.program.why}",
                "is it installed? Without this line the embedded server is taken",
            )
    return place, resolve(place.profile, name, host, kept, home, place.folder)


def _with_engine(place: Place, values: Values, home: str, engine: str) -> Place:
    """The project with the engine that was chosen now, or earlier where the file leaves the choice."""
    declared = any(values.takes(each) and values.origin(each) for each in ("engine", "image"))
    chosen = engine or ("" if declared else read_choices(home).get("engine", ""))
    if not chosen:
        return place
    from keywright_ops.profile.override import override  # only where somebody chose

    return place._replace(profile=override(place.profile, values.environment, "engine", chosen))


def open_environment(
    file: str | None,
    environment: str | None,
    environ: Mapping[str, str],
    ask_host: bool = False,
    engine: str = "",
    adopt: bool = False,
) -> Opened:
    """Open an environment that runs here. Raises InputError for one that only `render` can serve.

    `adopt` allows to ask a container of the plan's name that somebody else made.
    """
    place, plan = open_plan(file, environment, environ, ask_host, engine)
    if plan.kind in ("azure", "aws"):
        raise InputError(
            f"environment {plan.environment} ({plan.kind}) cannot be run from here yet",
            f"`keywright render -e {plan.environment} -o DIR` writes everything it needs",
        )
    home = place.home(plan.environment)
    transport: Transport = LocalTransport()
    there = None
    if plan.unit is not None:
        from keywright_ops.actions.linux_target import reach  # `local` lives on no other host

        plan, there = reach(place, plan, home)
        transport = there.files
    vault = Vault(transport, f"{home}/vault.json")
    if not vault.keeps("default") and not given_password(plan, place, environ):
        from keywright_ops.actions.takeover import found_password  # a fresh or a foreign server

        found = found_password(transport, plan)
        if found:
            vault.adopt("default", found)
    secrets = choose_secrets(plan, vault, place, environ)
    plan = with_secret_warnings(plan, vault, given_password(plan, place, environ))
    by_user = by_login(plan, secrets, vault)
    if plan.container is not None:
        from keywright_ops.actions.docker_target import docker_target  # `local` needs no Docker

        target = docker_target(plan, place.folder, LocalTransport(), by_user, adopt)
        return _with_tls(Opened(place, plan, home, place.folder, vault, secrets, target))
    if there is not None:
        from keywright_ops.actions.linux_target import linux_target

        target = linux_target(plan, there, by_user)
        return _with_tls(Opened(place, plan, home, place.folder, vault, secrets, target))
    program = plan.engine.program if isinstance(plan.engine.program, str) else ""
    supervisor = ChildSupervisor(program, home)
    door = Door(lambda: locate(supervisor, transport, plan), by_user)
    target = Target(transport, supervisor, door)
    return _with_tls(Opened(place, plan, home, home, vault, secrets, target))


def _with_tls(opened: Opened) -> Opened:
    if opened.plan.listen.tls is None:
        return opened
    from keywright_ops.actions.certificate import with_certificate  # only where there is TLS

    return with_certificate(opened)


def by_login(plan: Plan, secrets: Mapping[str, Secret], vault: Vault) -> dict[str, Secret]:
    """Return the password of every login: each user, and as `other` each that is being rotated."""
    found = {user.name: secrets[user.secret] for user in plan.users}
    turns = vault.turns
    found |= {other(u.name): turns[u.secret].other for u in plan.users if u.secret in turns}
    return found


def choose_secrets(
    plan: Plan, vault: Vault, place: Place, environ: Mapping[str, str]
) -> dict[str, Secret]:
    """Return a secret for every user: the named variable, the vault, the guide's default, or a draft."""
    given: dict[str, Secret] = {}
    value = given_password(plan, place, environ)
    if value and not vault.rotated_away("default", value):
        _refuse_placeholder(plan, value.reveal())
        given["default"] = value
    names = dict.fromkeys(user.secret for user in plan.users)
    if plan.insight is not None and plan.insight.secret:
        names[plan.insight.secret] = None
    guide = {"default": Secret(plan.default_password)} if plan.default_password else {}
    # a managed service has no users of ours, but the application's password may be given all the same
    return given | vault.draft(names, given, guide)


def given_password(plan: Plan, place: Place, environ: Mapping[str, str]) -> Secret | None:
    """The default user's password in the variable that the profile names: the shell's, or .env's."""
    name = plan.password_variable
    value = name and (environ.get(name) or _from_dotenv(place, name))
    return Secret(value) if value else None


def _from_dotenv(place: Place, variable: str) -> str:
    """The variable from the project's .env, beside keywright.toml, as docker compose reads it."""
    path = f"{place.folder}/.env"
    if not place.folder or not os.path.exists(path):
        return ""
    from keywright.dotenv.dialects import load_file  # only where a project has a .env

    return load_file(path, "compose").get(variable, "")


def _refuse_placeholder(plan: Plan, value: str) -> None:
    from keywright.suspicions import placeholder

    meaning = placeholder(value)
    if meaning:
        raise InputError(
            f"{plan.password_variable} still holds a placeholder, not a password",
            f'set it to a real one: export {plan.password_variable}="$(openssl rand -base64 24)"',
        )
    if "\n" in value or "\0" in value:
        raise InputError(f"{plan.password_variable} holds a line break, which no .env can carry")


def _host(values: Values, kept: Mapping[str, str], environ: Mapping[str, str]) -> HostFacts:
    """Ask this machine what the plan needs: the program, and a port where none was chosen yet."""
    declared = values.text("server")
    ports = () if "port" in kept else PORT_CANDIDATES
    return gather_host(declared, ports, environ.get("PATH", ""))


def refuse_strange_home(home: str) -> None:
    """Another user's environment is not ours: under sudo we would leave files there that its owner
    cannot change. Raises Refused."""
    try:
        owner = os.stat(home).st_uid
    except OSError:
        return  # not there yet, or not to be seen: whoever reads it says which
    if owner != os.geteuid():
        raise Refused(
            f"{home} belongs to user {user_name(owner)}, and you are {user_name(os.geteuid())}",
            "run it as that user; or set XDG_STATE_HOME to a folder of your own",
        )


def read_choices(home: str) -> dict[str, str]:
    """Return the choices that were made earlier ({} when none); a program that has gone is chosen anew."""
    try:
        with open(f"{home}/{CHOICES}", encoding="utf-8") as stream:
            found = json.load(stream)
    except FileNotFoundError:
        return {}
    except OSError as error:
        hint = HINTS.get(errorcode.get(error.errno or 0, ""), "")
        raise InputError(f"{home}/{CHOICES} cannot be read: {error.strerror}", hint) from None
    except ValueError:
        hint = "remove it: the port and the server are then chosen anew"
        raise InputError(f"{home}/{CHOICES} is damaged", hint) from None
    kept = {name: str(value) for name, value in found.items()} if isinstance(found, dict) else {}
    if not os.access(kept.get("program", ""), os.X_OK):
        kept.pop("program", None)
    return kept


def choices_text(plan: Plan) -> str:
    """Return the choices of this plan as they are kept."""
    kept = {"port": str(plan.port), "program": str(plan.engine.program)}
    if plan.unit is not None:
        kept = {"port": str(plan.port), "engine": plan.engine.name}
    if plan.container is not None:  # nothing was chosen here, but the data's place is remembered
        kept = {
            "engine": plan.engine.name,
            "image": plan.engine.image,
            "volume": plan.container.volume,
        }
    return json.dumps(kept, indent=1) + "\n"


def unresolved(plan: Plan) -> list[Discovered]:
    """Return what the plan still waits for; `up` refuses a plan that waits."""
    waits: list[object] = [plan.engine.program, *plan.listen.bind]
    return [each for each in waits if isinstance(each, Discovered)]
