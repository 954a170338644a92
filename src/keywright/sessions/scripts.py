"""What the server does in one piece: create with an index, save if unchanged, rotate, list, end all.

The index of a user is a sorted set of ids by the time of their creation (microseconds). An id whose
session is gone is taken out when the index is looked at.
"""

from collections.abc import Sequence
from typing import Any

from keywright.flows import Reply, Script
from keywright.sessions.record import MARK, VERSION

OLDEST = 10  # ids of an index looked at when one is added, so that it does not grow for ever
HEAD = 2047  # the last octet of a value in which its head surely ends

_ENLIST = f"""
local function enlist(index, id, now, limit, prefix, index_ttl)
  redis.call('ZADD', index, now, id)
  local most = limit > 0 and -1 or {OLDEST - 1}
  local alive = {{}}
  for _, each in ipairs(redis.call('ZRANGE', index, 0, most)) do
    if redis.call('EXISTS', prefix .. each) == 0 then redis.call('ZREM', index, each)
    elseif each ~= id then alive[#alive + 1] = each end
  end
  local ended = {{}}
  if limit > 0 then
    for i = 1, #alive + 1 - limit do
      redis.call('UNLINK', prefix .. alive[i])
      redis.call('ZREM', index, alive[i])
      ended[#ended + 1] = alive[i]
    end
  end
  if index_ttl > 0 then redis.call('PEXPIRE', index, index_ttl)
  else redis.call('PERSIST', index) end
  return ended
end
"""


def _enlist(
    store: Any, index: bytes, id: bytes, now: int, limit: int, prefix: bytes, ttl: int
) -> list[bytes]:
    store.zadd(index, float(now), id)
    members = store.zrange(index)
    alive = []
    for each in members if limit > 0 else members[:OLDEST]:
        if not store.exists(prefix + each):
            store.zrem(index, each)
        elif each != id:  # a clock that is behind must not end what has just begun
            alive.append(each)
    over = alive[: max(0, len(alive) + 1 - limit)] if limit > 0 else []
    for each in over:
        store.delete(prefix + each)
        store.zrem(index, each)
    store.pexpire(index, ttl if ttl > 0 else None)
    return over


# KEYS session index · ARGV value ttl id now limit prefix index_ttl (ttls: milliseconds) → ids ended, or -1
CREATE_LUA = (
    _ENLIST
    + """
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
  if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
end
return enlist(KEYS[2], ARGV[3], ARGV[4], tonumber(ARGV[5]), ARGV[6], tonumber(ARGV[7]))
"""
)


def _create(store: Any, keys: Sequence[bytes], args: Sequence[bytes]) -> Reply:
    there = store.get(keys[0])
    if there is None:
        store.set(keys[0], args[0], int(args[1]))
    elif there != args[0]:
        return -1
    return _enlist(store, keys[1], args[2], int(args[3]), int(args[4]), args[5], int(args[6]))


# KEYS session · ARGV version value ttl → 1 saved, 0 gone, or what somebody else saved
SAVE_LUA = """
local there = redis.call('GET', KEYS[1])
if not there then return 0 end
local version = ''
if string.sub(there, 1, 3) == 'k1 ' then version = string.sub(there, 4, 15) end
if version ~= ARGV[1] then
  if there == ARGV[2] then return 1 end
  return there
end
if ARGV[3] == '0' then redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1
"""


def _save(store: Any, keys: Sequence[bytes], args: Sequence[bytes]) -> Reply:
    there = store.get(keys[0])
    if there is None:
        return 0
    version = there[VERSION] if there[:3] == MARK else b""
    if version != args[0]:
        return 1 if there == args[1] else there
    left = store.pttl(keys[0])
    ttl = int(args[2]) or (left if left >= 0 else None)
    store.set(keys[0], args[1], ttl)
    return 1


# KEYS old new old_index new_index · ARGV value ttl old_id new_id now limit prefix index_ttl listed
# (listed: '' none, 'o' the old index, 'n' the new, 'on' both) → ids ended, or 0 when the old one is gone
ROTATE_LUA = (
    _ENLIST
    + """
if redis.call('EXISTS', KEYS[1]) == 0 then
  if redis.call('GET', KEYS[2]) == ARGV[1] then return {} end
  return 0
end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
redis.call('UNLINK', KEYS[1])
if string.find(ARGV[9], 'o') then redis.call('ZREM', KEYS[3], ARGV[3]) end
if string.find(ARGV[9], 'n') then
  return enlist(KEYS[4], ARGV[4], ARGV[5], tonumber(ARGV[6]), ARGV[7], tonumber(ARGV[8]))
end
return {}
"""
)


def _rotate(store: Any, keys: Sequence[bytes], args: Sequence[bytes]) -> Reply:
    if not store.exists(keys[0]):
        return [] if store.get(keys[1]) == args[0] else 0
    store.set(keys[1], args[0], int(args[1]))
    store.delete(keys[0])
    if b"o" in args[8]:
        store.zrem(keys[2], args[2])
    if b"n" in args[8]:
        return _enlist(store, keys[3], args[3], int(args[4]), int(args[5]), args[6], int(args[7]))
    return []


# KEYS index · ARGV prefix heads ('1': with the head of each) → flat list: id, time left, head, …
LIST_LUA = f"""
local found = {{}}
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local left = redis.call('PTTL', ARGV[1] .. id)
  if left == -2 then redis.call('ZREM', KEYS[1], id)
  else
    found[#found + 1] = id
    found[#found + 1] = left
    local head = ''
    if ARGV[2] == '1' then head = redis.call('GETRANGE', ARGV[1] .. id, 0, {HEAD}) end
    found[#found + 1] = string.match(head, '^[^\\n]*')
  end
end
return found
"""


def _list(store: Any, keys: Sequence[bytes], args: Sequence[bytes]) -> Reply:
    found: list[Reply] = []
    for each in store.zrange(keys[0]):
        left = store.pttl(args[0] + each)
        if left == -2:
            store.zrem(keys[0], each)
            continue
        head = store.get(args[0] + each)[: HEAD + 1] if args[1] == b"1" else b""
        found += [each, left, head.partition(b"\n")[0]]
    return found


# KEYS index · ARGV prefix keep (an id, or '') → ids ended
END_ALL_LUA = """
local ended = {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if id ~= ARGV[2] then
    if redis.call('UNLINK', ARGV[1] .. id) == 1 then ended[#ended + 1] = id end
    redis.call('ZREM', KEYS[1], id)
  end
end
return ended
"""


def _end_all(store: Any, keys: Sequence[bytes], args: Sequence[bytes]) -> Reply:
    ended = []
    for each in store.zrange(keys[0]):
        if each != args[1]:
            ended += [each] * store.delete(args[0] + each)
            store.zrem(keys[0], each)
    return ended


CREATE = Script("create a session", CREATE_LUA, _create)
SAVE = Script("save an unchanged session", SAVE_LUA, _save)
ROTATE = Script("rotate a session's id", ROTATE_LUA, _rotate)
LIST = Script("list a user's sessions", LIST_LUA, _list)
END_ALL = Script("end a user's sessions", END_ALL_LUA, _end_all)
