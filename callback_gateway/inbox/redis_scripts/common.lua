-- Begins every script on a shard. KEYS[1] = what the names of the shard's keys begin with,
-- ARGV[1] = the time in Unix seconds, '' for the server's own.
local call = redis.call
local shard = KEYS[1]
local now = tonumber(ARGV[1])
if not now then
  local time = call('TIME')
  now = time[1] + time[2] / 1000000
end

-- A store that was emptied has another name, one that lost its last writes has a lower count.
local life = call('HMGET', shard .. 'life', 'name', 'count')
local name, count = life[1] or '', tonumber(life[2] or 0)

local function answer(body)
  return {string.format('%.6f', now), name, count, body}
end

-- A first write that needs no memory lets the others pass while memory is full: what follows
-- frees more than it takes.
local function write_even_if_full()
  call('PERSIST', shard .. 'life')
end

-- Have `purge` forget a key at a time. Where nobody purges, it goes by itself a day later.
local function forget_later(key, at)
  call('ZADD', shard .. 'over', at, key)
  call('PEXPIRE', shard .. key, math.ceil((math.max(at - now, 0) + 86400) * 1000))
end
