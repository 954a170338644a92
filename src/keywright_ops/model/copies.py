"""The nouns of a copy of an environment's data: what is to be copied, what was kept, what was loaded."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

REMOVAL = "down --volumes"  # the reason of the copy that is kept before data is removed
# Settings without which a server reads other data than was written.
LAYOUT = ("databases", "dbfilename", "appenddirname", "appendfilename")


class Layout(NamedTuple):
    """How the files are to be read: the append-only file or the snapshot, and under which settings.

    `settings` are names and values of redis.conf without which a server reads other data than was
    written (databases, dbfilename …).
    """

    appendonly: bool
    settings: tuple[tuple[str, str], ...] = ()


class Held(NamedTuple):
    """What a server said that it held, just before it was stopped.

    `databases` are keys by database ("db0"); `uncounted` keys may go while loading without being
    counted (a hash whose fields all expired; before Redis 7.0 every key with a time to live).
    """

    databases: tuple[tuple[str, int], ...]
    uncounted: int = 0

    @property
    def keys(self) -> int:
        """Keys over all databases."""
        return sum(keys for _, keys in self.databases)


class Loaded(NamedTuple):
    """What a scratch server found in a copy. `expired` keys had run out by then; `canary` is its value.

    `server` is "valkey" or "redis", `version` its own; `functions` counts function libraries' functions.
    """

    databases: tuple[tuple[str, int], ...]
    expired: int
    functions: int
    canary: str
    server: str
    version: str

    @property
    def keys(self) -> int:
        """Keys over all databases."""
        return sum(keys for _, keys in self.databases)


class Lying(NamedTuple):
    """The data as it lies while its server is stopped: where, how many files, how many bytes.

    `leftover` says that an earlier removal was interrupted after it had begun.
    """

    place: str
    files: int
    size: int
    leftover: bool = False


class Packed(NamedTuple):
    """One file of the data on its way: its name below the data folder, and its bytes in pieces."""

    name: str
    pieces: Iterator[bytes]


class CopiedFile(NamedTuple):
    """One file of a copy: its name below `data/`, its bytes, its sha256 (hex)."""

    name: str
    size: int
    digest: str


class Manifest(NamedTuple):
    """What a copy is. It is written last: a copy without it is incomplete.

    `taken` is UTC (2026-01-31T12:00:00Z), `engine` and `version` the server that loads it, `databases`
    keys by database, `settings` what matters for loading, `verified` how it was proven good.
    """

    environment: str
    taken: str
    reason: str
    engine: str
    version: str
    appendonly: bool
    settings: Mapping[str, str]
    databases: Mapping[str, int]
    functions: int
    files: tuple[CopiedFile, ...]
    verified: str

    @property
    def keys(self) -> int:
        """Keys over all databases."""
        return sum(self.databases.values())

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


class Kept(NamedTuple):
    """A copy that was kept: its folder and its manifest."""

    folder: str
    manifest: Manifest
