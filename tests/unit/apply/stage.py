"""A stage for `up` on the fake world: start states, and a trip wire at every side effect."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import cache, partial
from typing import Any, NamedTuple

from keywright.endpoint import Endpoint
from keywright.errors import ApplyError, ConnectionLost
from keywright_ops.actions.declared import declare, file_paths
from keywright_ops.actions.environment import Opened, by_login, choose_secrets
from keywright_ops.actions.locate import locate
from keywright_ops.actions.password import Wish as Request
from keywright_ops.actions.password import begun_earlier, chosen, perform
from keywright_ops.actions.place import Place
from keywright_ops.actions.restarting import restart_steps, wants_restart_proof
from keywright_ops.actions.rotation import Gone, Rotation, go_on
from keywright_ops.actions.up import Ask, bring_up
from keywright_ops.apply.apply import Workshop
from keywright_ops.checks.proofs import proofs
from keywright_ops.gather.environment import EVERYTHING, gather
from keywright_ops.gather.probe import Scene, probe
from keywright_ops.model.absence import Missing
from keywright_ops.model.host import HostFacts
from keywright_ops.model.plan import Plan
from keywright_ops.model.proof import PASSED, ListensOnly, LoadsFromCopy
from keywright_ops.model.step import Step
from keywright_ops.plan.resolve import resolve
from keywright_ops.profile.declared import Profile
from keywright_ops.profile.load import load_profile
from keywright_ops.steps.declared import Declared
from keywright_ops.steps.diff import diff
from keywright_ops.steps.restart import canary_key
from keywright_ops.targets.fake import FakeDoor, FakeSupervisor, FakeTransport, World
from keywright_ops.targets.target import Target
from keywright_ops.vault.file import Vault

HOME = "/world/shop/local"
PROGRAM, OTHER_PROGRAM = "/programs/valkey-server", "/programs/redis-server"
HOST = HostFacts(PROGRAM, 6379, Missing("not asked"), Missing("not asked"))
READS = (
    "INFO",
    "GET",
    "PING",
    "DBSIZE",
    "ACL LIST",
    "ACL CAT",
    "ACL DRYRUN",
    "CONFIG GET",
    "CLIENT LIST",
)
CHANGING = frozenset({"write", "remove", "copy", "move", "run", "start", "signal", "ask", "note"})


class Killed(BaseException):
    """SIGKILL: nothing after it runs."""


class Wire:
    """Counts side effects; at the one chosen it kills or fails, before or after the effect.

    `at` is the number of the side effect (None: only count); `blow` makes what is raised.
    """

    def __init__(self, at: int | None = None, after: bool = False, fails: bool = False) -> None:
        self.at, self.after, self.fails = at, after, fails
        self.count = 0
        self.names: list[str] = []
        self.brought_up = False  # what follows is the restart proof of a fresh environment

    def step_on(self, name: str, call: Callable[[], Any]) -> Any:
        """Do one side effect, or not."""
        number, self.count = self.count, self.count + 1
        self.names.append(name)
        if number == self.at and not self.after:
            raise self._blow(name)
        result = call()
        if number == self.at:
            raise self._blow(name)
        return result

    def _blow(self, name: str) -> BaseException:
        if not self.fails:
            return Killed()
        return ConnectionLost("it broke") if name.startswith("ask") else ApplyError(f"no {name}")


class Wired:
    """A part of the target whose side effects run over the wire."""

    def __init__(self, inner: object, wire: Wire) -> None:
        self._inner, self._wire = inner, wire

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name not in CHANGING:
            return found

        def watched(*arguments: Any, **more: Any) -> Any:
            label = name
            if name == "ask":
                first = " ".join(map(str, arguments[1][0][:4]))
                if first.startswith(READS):
                    return found(*arguments, **more)
                label = f"ask {first}"
            return self._wire.step_on(label, lambda: found(*arguments, **more))

        return watched


class MemoryJournal:
    """A journal of which only its being there counts: what it writes is another test's matter."""

    def __init__(self, world: World) -> None:
        self._world = world

    def note(self, event: str, step: str, **more: Any) -> None:
        """That something was noted is all that is kept."""
        self._world.files[f"{HOME}/journal.jsonl"] = (b"", 0o600)

    def undo_copy(self, number: int, path: str) -> str:
        """Where the copy of a file goes."""
        return f"{HOME}/undo/{number:02d}-{path.rpartition('/')[2]}"


class Wish(NamedTuple):
    """What a person declares: keywright.toml's local environment, and variables."""

    toml: str = ""
    environ: Mapping[str, str] = {}

    @property
    def text(self) -> str:
        """The whole file."""
        return f'app = "shop"\n[env.local]\n{self.toml}'


class Ran(NamedTuple):
    """What one `up` did, and the verdict of each proof."""

    opened: Opened
    steps: tuple[Step, ...]
    verdicts: dict[str, str]


@cache
def planned(text: str) -> tuple[Profile, Plan]:
    """Load and resolve, once for every text."""
    profile = load_profile(text, "keywright.toml")
    return profile, resolve(profile, "local", HOST, {}, HOME)


def open_stage(world: World, wish: Wish, wire: Wire) -> Opened:
    """Open the environment as the action does, on the fake world."""
    profile, plan = planned(wish.text)
    plain = FakeTransport(world)
    transport: Any = Wired(plain, wire)
    vault = Vault(transport, f"{HOME}/vault.json")
    place = Place(profile, "", "/world/shop")
    secrets = choose_secrets(plan, vault, place, wish.environ)
    by_user = by_login(plan, secrets, vault)
    assert isinstance(plan.engine.program, str)
    keeper = FakeSupervisor(world, plan.engine.program, HOME)
    supervisor: Any = Wired(keeper, wire)

    def where() -> Endpoint:
        return _located(keeper, plain, plan)

    door: Any = Wired(FakeDoor(world, where, by_user), wire)
    return Opened(place, plan, HOME, HOME, vault, secrets, Target(transport, supervisor, door))


_seen: dict[tuple[bytes, int], Endpoint] = {}


def _located(keeper: FakeSupervisor, transport: FakeTransport, plan: Plan) -> Endpoint:
    """What the action locates, once for every redis.conf and running server's port."""
    content, server = transport.read(f"{HOME}/redis.conf"), keeper.world.server
    if isinstance(content, Missing) or server is None:
        return locate(keeper, transport, plan)  # type: ignore[arg-type]
    key = (content, int(server.config["port"]))
    if key not in _seen:
        _seen[key] = locate(keeper, transport, plan)  # type: ignore[arg-type]
    return _seen[key]


def run_up(
    world: World, wish: Wish, wire: Wire | None = None, yes: bool = True, token: str = "token"
) -> Ran:
    """Do what `keywright up` does, without lock and files of its own."""
    wire = wire or Wire()
    opened = open_stage(world, wish, wire)
    declared = declare(opened)
    journal: Any = Wired(MemoryJournal(world), wire)
    seen: list[Step] = []

    def watch(event: str, step: Step) -> None:
        if event == "done":
            seen.append(step)

    def confirm(steps: tuple[Step, ...]) -> bool:
        return yes

    ask = Ask(None, None, wish.environ, watch, lambda outcome: None, confirm)
    shop = _shop(opened, journal, ask)
    _, done, _ = bring_up(ask, opened, shop, token)
    if opened.vault.turns:
        reopen = partial(open_stage, world, wish, wire)
        opened = go_on(Rotation(ask, reopen, lambda now: _shop(now, journal, ask)), opened).opened
        declared = declare(opened)
    wire.brought_up = True
    restarted = any(step.id == "canary" for step in done)
    if not restarted and wants_restart_proof(opened):
        restart_steps(opened, shop, token, "to prove that data survives it")
        restarted = True
    return Ran(opened, tuple(seen), verdicts(opened, declared, token, restarted))


def _shop(opened: Opened, journal: Any, ask: Ask) -> Workshop:
    return Workshop(opened.target, opened.plan, opened.vault, journal, ask.watch, ask.confirm)


def run_password(world: World, request: Request, wish: Wish, wire: Wire | None = None) -> Gone:
    """Do what `keywright password rotate` does, without lock and files of its own."""
    wire = wire or Wire()
    opened = open_stage(world, wish, wire)
    journal: Any = Wired(MemoryJournal(world), wire)
    ask = Ask(None, None, wish.environ, lambda *_: None, lambda _: None, lambda _: True)
    names = chosen(opened.plan, request)
    if request.undo or request.finish:
        names = begun_earlier(opened, request, names)
    finish = frozenset(names if request.finish else ())
    reopen = partial(open_stage, world, wish, wire)
    rotation = Rotation(ask, reopen, lambda now: _shop(now, journal, ask), finish)
    return perform(rotation, opened, names, request)[1]


def verdicts(opened: Opened, declared: Declared, token: str, restarted: bool) -> dict[str, str]:
    """Ask every proof that needs neither a socket nor a program of the real machine."""
    key = canary_key(opened.plan, token)
    facts = gather(opened.target, opened.plan, EVERYTHING, file_paths(declared))
    scene = Scene(opened.target, opened.plan, declared.users, facts, key)
    asked = [
        proof
        for proof in proofs(opened.plan, key, restarted)
        if not isinstance(proof.probe, ListensOnly | LoadsFromCopy)
    ]
    outcomes = [probe(proof, scene) for proof in asked]
    return {
        each.proof.id: each.verdict if each.verdict == PASSED else str(each) for each in outcomes
    }


def still_differs(world: World, wish: Wish) -> tuple[Step, ...]:
    """What diff would still do."""
    opened = open_stage(world, wish, Wire())
    declared = declare(opened)
    facts = gather(opened.target, opened.plan, EVERYTHING, file_paths(declared))
    return diff(declared, facts)


def keys(world: World) -> set[str]:
    """The keys that the running server holds, without canaries."""
    assert world.server is not None
    return {key for key in world.server.data if "canary" not in key}


def put(world: World, *names: str) -> None:
    """Write keys as an application does, through the server's own door."""
    assert world.server is not None
    for name in names:
        assert world.server.answer("default", ["SET", name, "value"]) == "OK"


def copied(world: World) -> World:
    """Another world in the very same state."""
    return deepcopy(world)
