"""Taking, prolonging and giving back a lock as flows, once, for threads and asyncio.

The lock's key holds the holder's token and ends by itself; beside it a counter gives each holder a number
that is higher than every one before (a fencing number).
"""

from collections.abc import Sequence
from typing import Any

from keywright.errors import LockLost
from keywright.flows import Flow, Reply, Script

# KEYS lock fence · ARGV token ttl (ms) → the fencing number, or minus the milliseconds that it is held
ACQUIRE_LUA = """
local holder = redis.call('GET', KEYS[1])
if holder == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return tonumber(redis.call('GET', KEYS[2]) or '0')
end
if holder then return -1 - math.max(redis.call('PTTL', KEYS[1]), 0) end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return redis.call('INCR', KEYS[2])
"""


def _acquire(store: Any, keys: Sequence[bytes], args: Sequence[bytes]) -> Reply:
    holder = store.get(keys[0])
    if holder == args[0]:
        store.pexpire(keys[0], int(args[1]))
        return int(store.get(keys[1]) or 0)
    if holder is not None:
        return -1 - max(store.pttl(keys[0]), 0)
    store.set(keys[0], args[0], int(args[1]))
    return store.incr(keys[1])


# KEYS lock · ARGV token ttl (ms) → 1, or 0 when it is not ours
EXTEND_LUA = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""


def _extend(store: Any, keys: Sequence[bytes], args: Sequence[bytes]) -> Reply:
    if store.get(keys[0]) != args[0]:
        return 0
    return int(store.pexpire(keys[0], int(args[1])))


# KEYS lock · ARGV token → 1, or 0 when it is not ours
RELEASE_LUA = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""


def _release(store: Any, keys: Sequence[bytes], args: Sequence[bytes]) -> Reply:
    return store.delete(keys[0]) if store.get(keys[0]) == args[0] else 0


ACQUIRE = Script("take a lock", ACQUIRE_LUA, _acquire)
EXTEND = Script("prolong a lock", EXTEND_LUA, _extend)
RELEASE = Script("give a lock back", RELEASE_LUA, _release)


class Conversations:
    """The flows of one lock. `key` is its name on the server, `ttl` its life in milliseconds."""

    def __init__(self, key: str, ttl: int, tagged: bool = False) -> None:
        self.key, self.ttl = ("{" + key + "}" if tagged else key), ttl
        self.fence = self.key + ":fence"

    def acquire(self, token: str) -> Flow[int]:
        """One round trip: the fencing number, or minus one minus the milliseconds that it is held.

        Sent twice, the second finds the token of the first: the number is the same.
        """
        found = yield from ACQUIRE.run((self.key, self.fence), (token, self.ttl))
        return int(found)

    def extend(self, token: str, ttl: int) -> Flow[None]:
        """One round trip. Raises LockLost."""
        done = yield from EXTEND.run((self.key,), (token, ttl))
        if not done:
            raise lost()

    def release(self, token: str) -> Flow[bool]:
        """One round trip; False when it was not held by this token any more."""
        done = yield from RELEASE.run((self.key,), (token,))
        return bool(done)


def lost() -> LockLost:
    """What to say of a lock that is not ours any more."""
    return LockLost(
        "the lock is lost: its time ended, or it was removed",
        "what was done under it since may have met somebody else's work: the fencing number tells",
    )
