-- ARGV[2] = seconds of retention; then seven words a settlement: event id, target, kind, lease,
-- result, what belongs to it (reply, seconds, reason), attempts.
local retention_s = tonumber(ARGV[2])
write_even_if_full()

local function put_back(target, delivery, state, due)
  state[LEASE] = ''
  keep_state(target, delivery, state)
  call('ZADD', shard .. 'wait:' .. target, due, delivery)
  call('ZREM', shard .. 'held:' .. target, delivery)
end

local function close(id, target, kind, delivery, state, reply)
  local event = shard .. 'event:' .. id
  if kind == 'r' and call('HGET', event, 'state') == 'running' then
    call('HSET', event, 'state', state)
    if reply then call('HSET', event, 'reply', reply) end
  end
  if remove(target, delivery) then release_event(id, retention_s) end
end

local function die(id, target, kind, delivery, reason, attempts)
  local found = call('HMGET', shard .. 'event:' .. id, 'account', 'born', 'place')
  local entry = entry_at(found[3])
  if entry then
    bury({
      event = id, account = found[1], target = target, kind = kind, reason = reason,
      born = found[2], attempts = attempts, document = entry[3]
    })
  end
  close(id, target, kind, delivery, 'given_up')
end

local function settle(at)
  local id, target, kind, lease = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local result, value, attempts = ARGV[at + 4], ARGV[at + 5], ARGV[at + 6]
  local seq = call('HGET', shard .. 'event:' .. id, 'seq')
  if not seq then return end
  local delivery = named(seq, kind, id)
  if result == 'done' then
    local stands = call('ZSCORE', shard .. 'held:' .. target, delivery)
      or call('ZSCORE', shard .. 'wait:' .. target, delivery)
    if stands then close(id, target, kind, delivery, 'answered', value) end
    return
  end
  local state = state_of(target, delivery)
  if state[LEASE] == '' or state[LEASE] ~= lease then return end
  state[ATTEMPTS] = attempts
  if result == 'dead' then
    die(id, target, kind, delivery, value, attempts)
  elseif result == 'retry' then
    state[FAILURES] = state[FAILURES] + 1
    put_back(target, delivery, state, now + tonumber(value))
  else
    put_back(target, delivery, state, now)
  end
end

for at = 3, #ARGV, 7 do settle(at) end
return answer(0)
