-- What a dead letter is: a hash under `letter:<id>`, and its id in `dead` by a position that grows
-- with the time of death and is no other letter's in any shard.
local LETTERS_PER_S, SHARDS = 100000, 8

local function next_position()
  local number = tonumber(shard:match('{(%d+)}'))
  local position = math.floor(now * LETTERS_PER_S) * SHARDS + number
  local last = call('ZREVRANGE', shard .. 'dead', 0, 0, 'WITHSCORES')[2]
  return last and math.max(position, tonumber(last) + SHARDS) or position
end

-- Keep a letter, in place of an older one of this event and target.
local function bury(letter)
  local id = letter.event .. '.' .. letter.target
  call(
    'HSET', shard .. 'letter:' .. id, 'event', letter.event, 'account', letter.account, 'target',
    letter.target, 'kind', letter.kind, 'reason', letter.reason, 'died', now, 'born', letter.born,
    'attempts', letter.attempts, 'document', letter.document
  )
  if call('ZADD', shard .. 'dead', next_position(), id) == 1 then
    call('HINCRBY', shard .. 'dead_of', letter.target, 1)
  end
end

-- True when it was there.
local function unbury(id, target)
  if call('ZREM', shard .. 'dead', id) == 0 then return false end
  call('DEL', shard .. 'letter:' .. id)
  if target and call('HINCRBY', shard .. 'dead_of', target, -1) <= 0 then
    call('HDEL', shard .. 'dead_of', target)
  end
  return true
end
