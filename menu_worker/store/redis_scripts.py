"""The Lua scripts of the Redis menu store. Which keys they are given is said in redis.py.

ARGV[1] of each script that asks for the time is the time to use, '' for the server's own; times are
kept as texts. A value that was written at a time begins with it: `<time> <rest>`.
"""

from __future__ import annotations

from typing import Final

from zhongkong.runtime.redis import Script

_TIME: Final = """
local call = redis.call
local now = ARGV[1]
if now == '' then
  local time = call('TIME')
  now = string.format('%d.%06d', tonumber(time[1]), tonumber(time[2]))
end
"""

CLAIM: Final = Script(
    "menu_store_claim",
    _TIME
    + """
local instance, fingerprint, remembered, kept = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local before = call('HGET', KEYS[1], instance)
if not before then
  local at = remembered ~= '' and remembered or now
  call('HSET', KEYS[1], instance, at .. ' ' .. fingerprint)
elseif before:match('^%S+ (.*)$') ~= fingerprint then
  call('HSET', KEYS[1], instance, now .. ' ' .. fingerprint)
end
local surplus = call('HLEN', KEYS[1]) - kept
if surplus > 0 then
  local flat, claims = call('HGETALL', KEYS[1]), {}
  for place = 1, #flat, 2 do
    claims[#claims + 1] = {tonumber(flat[place + 1]:match('^%S+')), flat[place]}
  end
  table.sort(claims, function(one, other)
    if one[1] ~= other[1] then return one[1] < other[1] end
    return one[2] < other[2]
  end)
  for place = 1, surplus do call('HDEL', KEYS[1], claims[place][2]) end
end
return {now, call('HGETALL', KEYS[1])}
""",
)
"""ARGV[2..5] = instance, fingerprint, time of this claim where it is gone ('': none), claims kept.

Answers time, instances and claims in turn.
"""

STANDING: Final = Script("menu_store_standing", _TIME + "return {now, call('HGETALL', KEYS[1])}")
"""Answers as CLAIM does."""

ACQUIRE: Final = Script(
    "menu_store_acquire",
    _TIME
    + """
local held = call('HMGET', KEYS[1], 'instance', 'until', 'fence')
local fence = tonumber(held[3] or 0)
if not held[1] or tonumber(now) >= tonumber(held[2]) then
  fence = math.max(fence + 1, math.floor(now * 1000))
elseif held[1] ~= ARGV[2] then
  return false
end
fence = string.format('%.0f', fence)
local till = string.format('%.6f', now + ARGV[3])
call('HSET', KEYS[1], 'instance', ARGV[2], 'until', till, 'fence', fence)
return fence
""",
)
"""ARGV[2..3] = instance, seconds. Answers the fence (see fences.py), nil when it isn't granted."""

HOLDS: Final = Script(
    "menu_store_holds",
    _TIME
    + """
local held = call('HMGET', KEYS[1], 'instance', 'until', 'fence')
if held[1] ~= ARGV[2] or held[3] ~= ARGV[3] or tonumber(now) >= tonumber(held[2]) then return 0 end
call('HSET', KEYS[1], 'until', string.format('%.6f', now + ARGV[4]))
return 1
""",
)
"""ARGV[2..4] = instance, fence, seconds. Answers 1 when the lease was prolonged."""

RELEASE: Final = Script(
    "menu_store_release",
    """
local held = redis.call('HMGET', KEYS[1], 'instance', 'fence')
if held[1] == ARGV[1] and held[2] == ARGV[2] then
  redis.call('HDEL', KEYS[1], 'instance', 'until')
end
""",
)
"""ARGV[1..2] = instance, fence. The fence stays, for the next to be higher."""

BEGIN: Final = Script(
    "menu_store_begin",
    _TIME
    + """
local last = tonumber(call('HGET', KEYS[1], 'last') or 0)
local id = math.max(last, tonumber(ARGV[3])) + 1
call('HSET', KEYS[1], id, now .. ' ' .. ARGV[2], 'last', id)
local kept = tonumber(ARGV[4])
for old = math.max(last - kept, 0) + 1, math.min(id - kept, last) do
  call('HDEL', KEYS[1], old, old .. ':ending')
end
return id
""",
)
"""ARGV[2..4] = record, an id that the new one is above, revisions kept. Answers the id.

The hash holds `last`, and of each revision `<id>` and, once it is known, `<id>:ending`.
"""

FINISH: Final = Script(
    "menu_store_finish",
    """
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then
  redis.call('HSET', KEYS[1], ARGV[1] .. ':ending', ARGV[2])
end
""",
)
"""ARGV[1..2] = id, ending."""

HISTORY: Final = Script(
    "menu_store_history",
    """
local id = tonumber(ARGV[1] ~= '' and ARGV[1] or redis.call('HGET', KEYS[1], 'last') or 0)
local most, told = tonumber(ARGV[3]), {}
for number = id, math.max(id - ARGV[2], 0) + 1, -1 do
  if #told >= most then break end
  local found = redis.call('HMGET', KEYS[1], number, number .. ':ending')
  if found[1] then told[#told + 1] = {number, found[1], found[2] or ''} end
end
return told
""",
)
"""ARGV[1..3] = id to begin with ('': the last one), ids to look at, how many to tell of.

Answers {id, record, ending} of each, the newest first.
"""

SET_VERIFIED: Final = Script(
    "menu_store_set_verified", _TIME + "call('SET', KEYS[1], now .. ' ' .. ARGV[2])"
)
"""ARGV[2] = record."""

SPEND: Final = Script(
    "menu_store_spend",
    _TIME
    + """
local day = string.format('%d', math.floor((now + ARGV[2]) / 86400))
if call('HGET', KEYS[1], 'day') ~= day then
  call('DEL', KEYS[1])
  call('HSET', KEYS[1], 'day', day)
end
local times = tonumber(call('HGET', KEYS[1], 'call:' .. ARGV[3]) or 0)
if times >= tonumber(ARGV[4]) then return 0 end
call('HINCRBY', KEYS[1], 'call:' .. ARGV[3], 1)
return 1
""",
)
"""ARGV[2..4] = seconds by which days begin before UTC's, call, limit. Answers 1 when counted."""

SPENT: Final = Script(
    "menu_store_spent",
    _TIME
    + """
local day = string.format('%d', math.floor((now + ARGV[2]) / 86400))
if call('HGET', KEYS[1], 'day') ~= day then return {} end
return call('HGETALL', KEYS[1])
""",
)
"""ARGV[2] as above. Answers the hash: `day`, and `call:<name>` with how often."""

RECORD_DRIFT: Final = Script(
    "menu_store_record_drift",
    _TIME
    + """
call('RPUSH', KEYS[1], now .. ' ' .. ARGV[2])
call('LTRIM', KEYS[1], -ARGV[3], -1)
""",
)
"""ARGV[2..3] = fingerprint, drifts kept."""

DRIFTS: Final = Script("menu_store_drifts", _TIME + "return {now, call('LRANGE', KEYS[1], 0, -1)}")
"""Answers time, drifts."""

PAUSE: Final = Script("menu_store_pause", "redis.call('SET', KEYS[1], ARGV[1])")
RESUME: Final = Script("menu_store_resume", "redis.call('DEL', KEYS[1])")
READ: Final = Script("menu_store_read", "return redis.call('GET', KEYS[1])")
