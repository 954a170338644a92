"""The start states from which `up` is killed and failed at every side effect."""

from collections.abc import Callable
from typing import NamedTuple

from tests.unit.apply.stage import HOME, OTHER_PROGRAM, PROGRAM, Wish, put, run_up

from keywright_ops.targets.fake import World

KEYS = {"one", "two", "three"}
SAVING = 'save = ["900 1", "300 10"]\n'
PORT = "port = 7001\n"
AOF = f"{PORT}appendonly = true\nsave = []\n"
RDB = f"{PORT}appendonly = false\n{SAVING}"
MEMORY = f"{PORT}appendonly = false\nsave = []\n"
BOTH = f"{PORT}appendonly = true\n{SAVING}"


def untouched(world: World) -> None:
    """Nothing happens between the two `up`."""


def stopped(world: World) -> None:
    """Somebody stops the server in an orderly way."""
    world.terminate()


def cut(world: World) -> None:
    """The power goes."""
    world.power_cut()


def conf_deleted(world: World) -> None:
    """redis.conf is deleted while the server runs."""
    del world.files[f"{HOME}/redis.conf"]


def conf_deleted_and_cut(world: World) -> None:
    """redis.conf is deleted, and the machine starts anew."""
    conf_deleted(world)
    world.power_cut()


def users_edited(world: World) -> None:
    """Somebody opens users.acl by hand and has it loaded."""
    path = f"{HOME}/users.acl"
    text = world.files[path][0].replace(b"user viewer on", b"user viewer off")
    world.files[path] = (text + b"user guest on nopass ~* &* +@all\n", 0o600)
    assert world.server is not None
    assert world.server.answer("admin", ["ACL", "LOAD"]) == "OK"


def users_edited_on_disk(world: World) -> None:
    """users.acl is edited by hand, and nobody loads it."""
    path = f"{HOME}/users.acl"
    world.files[path] = (world.files[path][0].replace(b"+info", b"-info"), 0o600)


def vault_lost(world: World) -> None:
    """The vault is deleted; the server still knows the old passwords."""
    del world.files[f"{HOME}/vault.json"]


def appendonly_by_hand(world: World) -> None:
    """Somebody switches the append-only file on by hand, and not in redis.conf."""
    assert world.server is not None
    world.server.answer("admin", ["CONFIG", "SET", "appendonly", "yes"])
    world.server.answer("admin", ["INFO"])
    world.server.answer("admin", ["INFO"])
    put(world, "three")


def interrupted_rewrite(world: World) -> None:
    """The append-only file is switched on by hand, and the power goes during the first rewrite."""
    assert world.server is not None
    world.server.answer("admin", ["CONFIG", "SET", "appendonly", "yes"])
    world.power_cut()


class Scene(NamedTuple):
    """From `before` through `event` to `after`; `promised` says that no key may ever be lost.

    `before` None is a machine on which nothing ever ran.
    """

    name: str
    before: str | None
    event: Callable[[World], None]
    after: str
    promised: bool = True
    environ_before: str = ""
    environ_after: str = ""

    @property
    def wish(self) -> Wish:
        """What is declared in the end."""
        return Wish(
            self.after, {"REDIS_PASSWORD": self.environ_after} if self.environ_after else {}
        )

    def build(self) -> World:
        """Return the world as it is before the second `up`."""
        world = World(programs=[PROGRAM, OTHER_PROGRAM])
        if self.before is None:
            return world
        environ = {"REDIS_PASSWORD": self.environ_before} if self.environ_before else {}
        run_up(world, Wish(self.before, environ))
        put(world, *sorted(KEYS))
        if "save = []" not in self.before:
            assert world.server is not None
            world.server.save()  # what the save points would have done by now
        self.event(world)
        return world


OTHER_PORT = "port = 7002\n"
FROM_ENV = 'password_variable = "REDIS_PASSWORD"\n'
SERVER = f'server = "{OTHER_PROGRAM}"\n'

SCENES = (
    Scene("fresh, append-only", None, untouched, AOF, False),
    Scene("fresh, snapshots", None, untouched, RDB, False),
    Scene("fresh, memory only", None, untouched, MEMORY, False),
    Scene("running as declared", AOF, untouched, AOF),
    Scene("stopped", AOF, stopped, AOF),
    Scene("power cut", AOF, cut, AOF),
    Scene("snapshots, power cut", RDB, cut, RDB),
    Scene("maxmemory changed", AOF, untouched, AOF + 'maxmemory = "64mb"\n'),
    Scene("maxmemory changed, stopped", AOF, stopped, AOF + 'maxmemory = "64mb"\n'),
    Scene("appendonly on, running", RDB, untouched, BOTH),
    Scene("appendonly on, stopped", RDB, stopped, BOTH),
    Scene("appendonly on, power cut", RDB, cut, BOTH),
    Scene("snapshots to append-only, running", RDB, untouched, AOF),
    Scene("snapshots to append-only, power cut", RDB, cut, AOF),
    Scene("memory to append-only, running", MEMORY, untouched, AOF, False),
    Scene("append-only off, running", BOTH, untouched, RDB),
    Scene("append-only off, stopped", BOTH, stopped, RDB),
    Scene("append-only off, power cut", BOTH, cut, RDB),
    Scene("append-only to snapshots, running", AOF, untouched, RDB),
    Scene("append-only to snapshots, power cut", AOF, cut, RDB),
    Scene("append-only to memory, running", AOF, untouched, MEMORY, False),
    Scene("port changed", AOF, untouched, AOF.replace(PORT, OTHER_PORT)),
    Scene("port changed, snapshots", RDB, untouched, RDB.replace(PORT, OTHER_PORT)),
    Scene("port changed, stopped", AOF, stopped, AOF.replace(PORT, OTHER_PORT)),
    Scene("appendonly on and port", RDB, untouched, AOF.replace(PORT, OTHER_PORT)),
    Scene("appendonly off and port", AOF, untouched, RDB.replace(PORT, OTHER_PORT)),
    Scene(
        "memory to append-only and port", MEMORY, untouched, AOF.replace(PORT, OTHER_PORT), False
    ),
    Scene("memory to snapshots and port", MEMORY, untouched, RDB.replace(PORT, OTHER_PORT), False),
    Scene(
        "everything",
        RDB,
        untouched,
        AOF.replace(PORT, OTHER_PORT) + SERVER + 'maxmemory = "64mb"\n',
    ),
    Scene(
        "password changed", AOF + FROM_ENV, untouched, AOF + FROM_ENV, True, "old-one", "new-one"
    ),
    Scene("redis.conf deleted", AOF, conf_deleted, AOF),
    Scene("redis.conf deleted, snapshots", RDB, conf_deleted, RDB),
    Scene("redis.conf deleted, power cut", AOF, conf_deleted_and_cut, AOF),
    Scene("redis.conf deleted, snapshots, power cut", RDB, conf_deleted_and_cut, RDB),
    Scene("users.acl edited and loaded", AOF, users_edited, AOF),
    Scene("users.acl edited on disk", AOF, users_edited_on_disk, AOF),
    Scene("vault lost", AOF, vault_lost, AOF),
    Scene("vault lost, snapshots", RDB, vault_lost, RDB),
    Scene("program changed", AOF, untouched, AOF + SERVER),
    Scene("appendonly by hand, not declared", RDB, appendonly_by_hand, RDB),
    Scene("appendonly by hand, declared", RDB, appendonly_by_hand, AOF),
    Scene(
        "appendonly by hand, port changed", RDB, appendonly_by_hand, RDB.replace(PORT, OTHER_PORT)
    ),
    Scene("interrupted rewrite", RDB, interrupted_rewrite, BOTH),
)
