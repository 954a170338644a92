"""What the server does of a lock in one piece: take, release, extend.

At the lock's key stands `<token>:<fencing number>`, at `:fence` `<last number>:<token released last>`.
Rule: each may be sent twice: who holds it already is given the same number again, and whose release is
the last one is told once more that it was.
"""

from collections.abc import Sequence
from typing import Any

from keywright.flows import Flow, Reply, Script

FENCE_MS = (
    86_400_000  # a number is remembered for a day; the server's clock keeps it growing beyond
)

# KEYS lock fence · ARGV token ttl fence_ttl (milliseconds) → the number, or minus the other's time left
TAKE_LUA = """
local there = redis.call('GET', KEYS[1])
if there then
  if string.sub(there, 1, #ARGV[1] + 1) == ARGV[1] .. ':' then
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
    return tonumber(string.sub(there, #ARGV[1] + 2))
  end
  return -math.max(1, redis.call('PTTL', KEYS[1]))
end
local last = redis.call('GET', KEYS[2]) or '0:'
local colon = string.find(last, ':', 1, true)
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local fence = math.max(now, tonumber(string.sub(last, 1, colon - 1)) + 1)
local text = string.format('%.0f', fence)
redis.call('SET', KEYS[2], text .. string.sub(last, colon), 'PX', ARGV[3])
redis.call('SET', KEYS[1], ARGV[1] .. ':' .. text, 'PX', ARGV[2])
return fence
"""


def _take(store: Any, keys: Sequence[bytes], args: Sequence[bytes]) -> Reply:
    there, (token, ttl, fence_ttl) = store.get(keys[0]), args
    if there is not None:
        if there.startswith(token + b":"):
            store.pexpire(keys[0], int(ttl))
            return int(there[len(token) + 1 :])
        return -max(1, store.pttl(keys[0]))
    number, _, released = (store.get(keys[1]) or b"0:").partition(b":")
    fence = max(store.now_ms(), int(number) + 1)
    store.set(keys[1], b"%d:%s" % (fence, released), int(fence_ttl))
    store.set(keys[0], b"%s:%d" % (token, fence), int(ttl))
    return fence


# KEYS lock fence · ARGV token fence_ttl → 1 released (now, or by this token last), 0 not its own
RELEASE_LUA = """
local there = redis.call('GET', KEYS[1])
if there and string.sub(there, 1, #ARGV[1] + 1) == ARGV[1] .. ':' then
  redis.call('SET', KEYS[2], string.sub(there, #ARGV[1] + 2) .. ':' .. ARGV[1], 'PX', ARGV[2])
  redis.call('DEL', KEYS[1])
  return 1
end
local last = redis.call('GET', KEYS[2]) or '0:'
if string.sub(last, string.find(last, ':', 1, true) + 1) == ARGV[1] then return 1 end
return 0
"""


def _release(store: Any, keys: Sequence[bytes], args: Sequence[bytes]) -> Reply:
    there, (token, fence_ttl) = store.get(keys[0]), args
    if there is not None and there.startswith(token + b":"):
        store.set(keys[1], there[len(token) + 1 :] + b":" + token, int(fence_ttl))
        store.delete(keys[0])
        return 1
    return int((store.get(keys[1]) or b"0:").partition(b":")[2] == token)


# KEYS lock · ARGV token ttl → 1 it ends after ttl from now, 0 held by another or nobody
EXTEND_LUA = """
local there = redis.call('GET', KEYS[1])
if there and string.sub(there, 1, #ARGV[1] + 1) == ARGV[1] .. ':' then
  return redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 0
"""


def _extend(store: Any, keys: Sequence[bytes], args: Sequence[bytes]) -> Reply:
    there = store.get(keys[0])
    if there is not None and there.startswith(args[0] + b":"):
        return int(store.pexpire(keys[0], int(args[1])))
    return 0


TAKE = Script("take a lock", TAKE_LUA, _take)
RELEASE = Script("release a lock", RELEASE_LUA, _release)
EXTEND = Script("extend a lock", EXTEND_LUA, _extend)


def take(key: str, fence: str, token: str, ttl: int) -> Flow[int]:
    """Ask for the lock for `ttl` milliseconds: its number, or minus the milliseconds that it is another's."""
    number: int = yield from TAKE.run((key, fence), (token, ttl, FENCE_MS))
    return number


def release(key: str, fence: str, token: str) -> Flow[bool]:
    """Give the lock back; False when it was not this token's any more."""
    return bool((yield from RELEASE.run((key, fence), (token, FENCE_MS))))


def extend(key: str, token: str, ttl: int) -> Flow[bool]:
    """Let the lock end `ttl` milliseconds from now; False when it is not this token's any more."""
    return bool((yield from EXTEND.run((key,), (token, ttl))))
