"""What is refused of a Linux host before anything is done: the sentence, the hint, the exit code."""

import time
from types import SimpleNamespace
from typing import Any

import pytest
from tests.unit.steps.machines import FRESH, NEWER, VERSION, plan_of

from keywright.errors import InputError, KeywrightError, Refused, Unreachable
from keywright.secret import Secret
from keywright_ops.actions.linux_refusals import (
    machine_of,
    needs_root,
    refuse_host,
    refuse_without_root,
)
from keywright_ops.cli.main import exit_code
from keywright_ops.model.absence import Missing
from keywright_ops.model.machine import Machine, Package, Ufw, UfwRule
from keywright_ops.model.plan import Plan
from keywright_ops.model.step import Control, KeepSecret, RunCommand, Step, WriteFile

ADMIN = 'admin_from = ["198.51.100.0/24"]'
OVER_SSH = 'host = "ssh://ops@redis.example.com:2222"'


def opened(machine: Machine | Missing, plan: Plan) -> Any:
    """As much of an opened environment as a refusal looks at; the host was seen so, a moment ago."""
    if isinstance(machine, Machine):
        machine = machine._replace(clock=time.time() + machine.clock)
    host = SimpleNamespace(glance=lambda: machine)
    target = SimpleNamespace(host=host)
    return SimpleNamespace(plan=plan, home="/state/linux", base="/project", target=target)


def refused(machine: Machine | Missing, toml: str = "") -> KeywrightError:
    """The refusal of such a host."""
    with pytest.raises(KeywrightError) as caught:
        refuse_host(opened(machine, plan_of(toml)))
    return caught.value


def now(**sick: Any) -> Machine:
    """A host whose clock is right, but for what is named; `clock` is how many seconds it is ahead."""
    return FRESH._replace(**{"clock": 0.0, **sick})


HELD = {"redis-server": Package(VERSION, NEWER, held=True)}


@pytest.mark.parametrize(
    ("machine", "toml", "kind", "code", "sentence", "hint"),
    [
        (
            Missing("the host did not answer to the end"),
            "",
            Unreachable,
            3,
            "the host did not answer to the end",
            "is it a Linux host with systemd?",
        ),
        (
            now(init="tini"),
            "",
            InputError,
            2,
            "this machine is not run by systemd: its first process is tini",
            "keywright up -e prod",
        ),
        (
            now(init=""),
            OVER_SSH,
            InputError,
            2,
            "redis.example.com is not run by systemd: its first process is unknown",
            "keywright up -e prod",
        ),
        (
            now(system="fedora", called="Fedora Linux 41"),
            "",
            InputError,
            2,
            "this machine is Fedora Linux 41; Keywright installs on Debian and Ubuntu",
            "keywright render -e linux",
        ),
        (
            now(packages=HELD),
            'unit.version = "latest"',
            Refused,
            4,
            f"redis-server {VERSION} is held there (apt-mark hold)",
            "sudo apt-mark unhold redis-server",
        ),
        (
            now(clock=3600.0),
            "",
            Refused,
            4,
            "the clock of this machine is 60 minutes ahead of this machine's",
            "timedatectl set-ntp true",
        ),
        (
            now(clock=-7200.0),
            OVER_SSH,
            Refused,
            4,
            "the clock of redis.example.com is 120 minutes behind this machine's",
            "timedatectl set-ntp true",
        ),
        (
            now(),
            f"{OVER_SSH}\n{ADMIN}",
            Refused,
            4,
            "the firewall of redis.example.com would lock you out: you come from 203.0.113.7",
            'env.linux.admin_from = ["203.0.113.7"]',
        ),
        (
            now(free=5 * 2**20),
            "",
            Refused,
            4,
            "only 5 MiB are free where /var/lib/redis is",
            "free some space there",
        ),
    ],
)
def test_each_refusal_says_what_and_what_to_do(
    machine: Machine | Missing, toml: str, kind: type, code: int, sentence: str, hint: str
) -> None:
    """One lower-case sentence without a full stop, a hint, and the exit code of its kind."""
    error = refused(machine, toml)
    assert (kind, code, sentence) == (type(error), exit_code(error), str(error))
    assert hint in error.hint
    assert not str(error).endswith(".")


@pytest.mark.parametrize(
    ("machine", "toml"),
    [
        (now(), ""),
        (now(system="ubuntu"), ""),
        (now(system="linuxmint", like=("ubuntu", "debian")), ""),
        (now(packages=HELD), ""),
        (now(packages=HELD), f'unit.version = "{VERSION}"'),
        (now(clock=200.0), ""),
        (now(free=Missing("df does not tell")), ""),
        (now(came_from="198.51.100.4"), ADMIN),
        (now(came_from=""), ADMIN),
        (now(ufw=Ufw(True, (), "deny")), ADMIN),
        (now(ufw=Ufw(False, (UfwRule("allow OpenSSH", ""),), "deny")), ADMIN),
        (now(), f'{ADMIN}\nfirewall = "none"'),
    ],
)
def test_what_can_be_kept_is_not_refused(machine: Machine, toml: str) -> None:
    """A relative of Debian, a hold that is not in the way, a clock a little late, a way in for SSH."""
    refuse_host(opened(machine, plan_of(toml)))


SECRET = Step("keep-secrets", "keep", KeepSecret(("default",)))
DOTENV = Step(
    "write-.env", "write .env", WriteFile("/project/src/backend/.env", Secret("x"), 0o600)
)
OWN = Step("write-x", "write x", WriteFile("/state/linux/x", "x", 0o600))
CONF = Step(
    "write-redis.conf", "rewrite redis.conf", WriteFile("/etc/redis/redis.conf", "x", 0o640)
)
APT = Step("install-package", "install redis-server", RunCommand(("apt-get", "install")))
START = Step("start", "start the server", Control("start"))


@pytest.mark.parametrize(
    ("step", "expected"),
    [(SECRET, False), (DOTENV, False), (OWN, False), (CONF, True), (APT, True), (START, True)],
)
def test_what_lies_here_needs_no_root(step: Step, expected: bool) -> None:
    """The vault, the environment's own folder and the application's .env are the person's own."""
    assert expected == needs_root(step, opened(now(), plan_of()))


def test_without_root_the_first_step_that_needs_it_is_named() -> None:
    """Before anything is done, with what stands in the way of root; with root nothing is refused."""
    steps = (SECRET, DOTENV, CONF, APT)
    why = now(root=False, why_not_root="sudo: a password is required")
    with pytest.raises(Refused) as caught:
        refuse_without_root(opened(why, plan_of(OVER_SSH)), steps)
    sentence = "'rewrite redis.conf' on redis.example.com needs root: sudo: a password is required"
    assert (sentence, 4) == (str(caught.value), exit_code(caught.value))
    assert "keywright up -e linux --dry-run" in caught.value.hint
    refuse_without_root(opened(now(), plan_of()), steps)
    refuse_without_root(opened(now(root=False), plan_of()), (SECRET, DOTENV))


def test_a_host_that_tells_is_taken_as_it_was_seen() -> None:
    """The last look will do."""
    machine = now()
    assert machine.packages is machine_of(opened(machine, plan_of())).packages
