"""The profile: what keywright.toml says, typed, before anything is decided."""

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from keywright.errors import ProfileError
from keywright_ops.model.plan import SavePoint
from keywright_ops.profile.field import IMAGES, Field
from keywright_ops.profile.fields import BUILT_IN, BY_PATH, FIELDS, OWN_NAMES
from keywright_ops.profile.values import Share


class Declared(NamedTuple):
    """One table [env.NAME]: typed values by path, and further redis.conf directives as words."""

    name: str
    kind: str
    like: str
    values: Mapping[str, Any]
    settings: Mapping[str, tuple[str, ...]]


class Profile(NamedTuple):
    """The whole file. `environments` holds the built-in ones and the file's own.

    `path` and `text` are the file's, for messages; both are "" for the built-in profile.
    """

    app: str
    prefix: str
    default_env: str
    environments: Mapping[str, Declared]
    path: str = ""
    text: str = ""


class Values:
    """Every value of one environment: declared there, else where `like` points, else the default.

    A field that this kind of environment does not take answers nothing: asking for it is a mistake
    in Keywright and raises KeyError.
    """

    __slots__ = ("app", "chain", "environment", "kind", "prefix")

    def __init__(self, profile: Profile, environment: str) -> None:
        self.environment = environment
        self.chain = chain(profile, environment)
        self.kind = self.chain[0].kind
        self.app, self.prefix = profile.app, profile.prefix

    def origin(self, path: str) -> str:
        """Name the environment of the file that declares this value, or "" for the default."""
        return next((each.name for each in self.links(path) if path in each.values), "")

    def links(self, path: str) -> tuple[Declared, ...]:
        """Return the tables that may declare this value, nearest first.

        An image belongs to its engine: the table that names another engine hides images behind it.
        """
        if path in OWN_NAMES and self.kind.startswith("docker-"):
            return self.chain[:1]
        if path == "image":
            for number, each in enumerate(self.chain, start=1):
                if "engine" in each.values:
                    return self.chain[:number]
        return self.chain

    def changed(self, path: str) -> bool:
        """Say whether the file declares something else than the default."""
        return bool(self.origin(path)) and self.any(path) != self.default(BY_PATH[path])

    def takes(self, path: str) -> bool:
        """Say whether this kind of environment has the field."""
        return self.kind in BY_PATH[path].defaults

    def any(self, path: str) -> Any:
        """Return the value, of whatever type the field has."""
        for each in self.links(path):
            if path in each.values:
                return each.values[path]
        return self.default(BY_PATH[path])

    def default(self, field: Field) -> Any:
        """Return the built-in value, with the names that depend on application and environment."""
        raw = field.defaults[self.kind]
        if isinstance(raw, str) and "{" in raw:
            raw = self.fill(raw)
        return field.type.parse(raw)

    def fill(self, text: str) -> str:
        """Put names into a default: {app}, {prefix}, {env}, {suffix}, {dot}, {engine}…"""
        word = "" if self.environment == "dev" else self.environment
        for name, value in (
            ("{app}", self.app),
            ("{prefix}", self.prefix),
            ("{env}", self.environment),
            ("{suffix}", f"-{word}" if word else ""),
            ("{dot}", f".{word}" if word else ""),
        ):
            text = text.replace(name, value)
        if "{image}" in text:
            text = text.replace("{image}", IMAGES[self.text("engine")])
        if "{engine}" in text:
            text = text.replace("{engine}", self.text("engine"))
        return text.replace("{port}", str(self.inner_port())) if "{port}" in text else text

    def engine(self) -> str:
        """Return the engine: as declared, else as the image says of itself, else the default."""
        if self.takes("image") and not self.origin("engine") and "valkey" in self.text("image"):
            return "valkey"
        return self.text("engine")

    def inner_port(self) -> int:
        """Return the port where the server answers inside Docker: the plain one while it is open, or TLS."""
        beside = self.origin("port") and self.any("port")  # both are open while clients move
        return self.number("tls.port" if self.encrypted() and not beside else "port")

    def encrypted(self) -> bool:
        """Say whether TLS is on: with Keywright's own certificate, or with a person's."""
        return self.flag("tls.enabled") or bool(self.text("tls.cert_file"))

    def text(self, path: str) -> str:
        """Return a value that is text."""
        return cast(str, self.any(path))

    def number(self, path: str) -> int:
        """Return a value that is a whole number."""
        return cast(int, self.any(path))

    def fraction(self, path: str) -> float:
        """Return a value that may have a fraction."""
        return cast(float, self.any(path))

    def flag(self, path: str) -> bool:
        """Return a value that is true or false."""
        return cast(bool, self.any(path))

    def words(self, path: str) -> tuple[str, ...]:
        """Return a value that is a list of words."""
        return cast("tuple[str, ...]", self.any(path))

    def save(self) -> tuple[SavePoint, ...]:
        """Return the save points."""
        return cast("tuple[SavePoint, ...]", self.any("save"))

    def memory(self) -> int | Share:
        """Return maxmemory as declared: bytes, or a share of the container's limit."""
        return cast("int | Share", self.any("maxmemory"))

    def settings(self) -> dict[str, tuple[str, ...]]:
        """Return the further redis.conf directives, nearest declaration first."""
        merged: dict[str, tuple[str, ...]] = {}
        for each in reversed(self.chain):
            merged.update(each.settings)
        return merged


def chain(profile: Profile, environment: str) -> tuple[Declared, ...]:
    """Return the environment and those that it is like, nearest first.

    Raises ProfileError for an environment that does not exist.
    """
    found = profile.environments.get(environment)
    if found is None:
        from keywright_ops.profile.words import nearest

        likely = nearest(environment, tuple(profile.environments))
        names = ", ".join(profile.environments)
        hint = f"did you mean {likely!r}? There are: {names}" if likely else f"there are: {names}"
        raise ProfileError(f"env.{environment}: there is no such environment", hint)
    links = [found]
    while found.like:
        found = profile.environments[found.like]
        links.append(found)
    return tuple(links)


def built_in_environments() -> dict[str, Declared]:
    """Return the six environments that exist without being written, saying nothing of their own."""
    return {name: Declared(name, kind, "", {}, {}) for name, kind in BUILT_IN.items()}


def fields_of(kind: str) -> tuple[Field, ...]:
    """Return the rows of the table that a kind of environment takes."""
    return tuple(field for field in FIELDS if kind in field.defaults)
