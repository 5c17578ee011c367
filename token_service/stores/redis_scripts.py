"""The Lua scripts of the Redis token store. Keys, cursors and rules are in redis.py.

A shard is one hash and one stream. The hash holds the shard's generation, its birth, its freeze if
there is one, and every slot document under a name with slashes in it, so that they can only be lost
together. The stream lists the names of changed slots; it is never empty, and an entry's id names
one moment of one history: a server that doesn't have the id of a reader's cursor any more has
another past than the reader saw.

ARGV[1] of a script on slots or replicas is the time to use, '' for the server's own. READ and POLL
begin a generation where the shard has none; ARGV[2] is its name.
"""

from __future__ import annotations

from zhongkong.runtime.redis import Script

_TIME = """
local now = ARGV[1]
if now == '' then
  local time = redis.call('TIME')
  now = string.format('%d.%06d', tonumber(time[1]), tonumber(time[2]))
end
"""

_LIFE = (
    _TIME
    + """
local generation = redis.call('HGET', KEYS[1], 'generation')
if not generation then
  generation = ARGV[2]
  redis.call('HSET', KEYS[1], 'generation', generation, 'born_at', now)
  redis.call('XADD', KEYS[2], 'MAXLEN', 1, '*', 'slot', '')
end
"""
)

READ = Script(
    "token_store_read",
    _LIFE
    + """
local born_at = redis.call('HGET', KEYS[1], 'born_at')
local freeze = redis.call('HGET', KEYS[1], 'freeze') or ''
return {now, generation, born_at, freeze, redis.call('HGET', KEYS[1], ARGV[3])}
""",
)
"""ARGV[3] = slot name. Answers time, generation, birth, freeze ('' for none), document or nil."""

SWAP = Script(
    "token_store_swap",
    """
if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[2] then return 0 end
if (redis.call('HGET', KEYS[1], ARGV[3]) or '') ~= ARGV[4] then return 0 end
if (redis.call('HGET', KEYS[1], 'freeze') or '') ~= ARGV[7] then return 0 end
redis.call('HSET', KEYS[1], ARGV[3], ARGV[5])
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[6], '*', 'slot', ARGV[3])
return 1
""",
)
"""ARGV[2..7] = generation, slot name, document as read ('' for none), new one, length of stream,
freeze as read.

Answers 0, and changes nothing, when what was read isn't what is there. The document itself is
compared: a revision number would repeat itself after a failover. Even where the new document stands
there already, it is another caller's, who may have been granted the same fence by it.
"""

POLL = Script(
    "token_store_poll",
    _LIFE
    + """
local newest = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
local last = newest and newest[1] or redis.call('XADD', KEYS[2], '*', 'slot', '')
if ARGV[3] == '' then return {generation, last, 0, {}} end
if ARGV[3] ~= generation then return {generation, last, 1, {}} end
if ARGV[4] == last then return {generation, last, 0, {}} end
local entries = redis.call('XRANGE', KEYS[2], ARGV[4], '+', 'COUNT', ARGV[5])
if not entries[1] or entries[1][1] ~= ARGV[4] then return {generation, last, 1, {}} end
local slots = {}
for place = 2, #entries do slots[#slots + 1] = entries[place][2][2] end
return {generation, entries[#entries][1], 0, slots}
""",
)
"""ARGV[3..5] = generation and id of the cursor ('' to begin with now), entries to read at most.

Answers generation, id read up to, 1 when the cursor is of another past, names of changed slots.
"""

SLOTS = Script(
    "token_store_slots",
    """
local slots = {}
for _, name in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.find(name, '/', 1, true) then slots[#slots + 1] = name end
end
return slots
""",
)
"""Answers the names of all slots of the shard."""

FROZEN = Script(
    "token_store_frozen",
    _LIFE + "return {now, redis.call('HGET', KEYS[1], 'freeze') or ''}",
)
"""Answers time, and the freeze or ''."""

FREEZE = Script(
    "token_store_freeze",
    """
if (redis.call('HGET', KEYS[1], 'freeze') or '') ~= ARGV[1] then return 0 end
if ARGV[2] == '' then
  redis.call('HDEL', KEYS[1], 'freeze')
else
  redis.call('HSET', KEYS[1], 'freeze', ARGV[2])
end
if ARGV[3] == '' then return 1 end
for _, name in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.find(name, '/', 1, true) then
    redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[4], '*', 'slot', name)
  end
end
return 1
""",
)
"""ARGV[1..4] = freeze as read ('' for none), new one, '' to tell nobody, length of stream.

Answers 0, and changes nothing, when what was read isn't what is there.
"""

HEARTBEAT = Script(
    "token_store_heartbeat",
    _TIME
    + """
if tonumber(ARGV[3]) > 0 then
  redis.call('ZADD', KEYS[1], string.format('%.6f', now + ARGV[3]), ARGV[2])
else
  redis.call('ZREM', KEYS[1], ARGV[2])
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
return redis.call('ZRANGE', KEYS[1], 0, -1)
""",
)
"""KEYS[1] alone; ARGV[2..3] = replica, seconds to live (0 signs off). Answers the live replicas."""

REVOKE = Script(
    "token_store_revoke",
    """
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known and tonumber(known) >= tonumber(ARGV[2]) then return known end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return ARGV[2]
""",
)
"""KEYS[1] alone; ARGV[1..2] = client, time. Answers the time that stands: the later one."""

REVOCATIONS = Script("token_store_revocations", "return redis.call('HGETALL', KEYS[1])")
"""KEYS[1] alone. Answers clients and times in turn."""
