-- What a delivery is. Its name is `<number of the event><n or r><event id>`, so that names sort in
-- order of acceptance. It stands in `wait:<target>` by when it is due, or in `held:<target>` by
-- when its lease ends. Its state, once it has one: lease ('' for none), failures, cut off, marks of
-- its own, attempts.
local LEASE, FAILURES, CUT_OFF, MARKS, ATTEMPTS = 1, 2, 3, 4, 5
local KIND_AT, ID_AT = 14, 15

local function named(seq, kind, id)
  return seq .. kind .. id
end

local function state_of(target, delivery)
  local packed = call('HGET', shard .. 'state:' .. target, delivery)
  return packed and cmsgpack.unpack(packed) or {'', 0, 0, '', '[]'}
end

local function keep_state(target, delivery, state)
  call('HSET', shard .. 'state:' .. target, delivery, cmsgpack.pack(state))
end

-- True when it stood.
local function remove(target, delivery)
  local held = call('ZREM', shard .. 'held:' .. target, delivery)
  local stood = held + call('ZREM', shard .. 'wait:' .. target, delivery) > 0
  if stood then call('HDEL', shard .. 'state:' .. target, delivery) end
  return stood
end

-- From now on an event is an id and no more, until it is purged.
local function retire(event, id, born, retention_s)
  call('HDEL', event, 'born', 'seq', 'open', 'place', 'until', 'replier')
  forget_later('event:' .. id, born + retention_s)
end

-- A delivery of an event is over; the event goes with its last one.
local function release_event(id, retention_s)
  local event = shard .. 'event:' .. id
  local found = call('HMGET', event, 'open', 'place', 'born')
  if not found[1] then return end
  if tonumber(found[1]) > 1 then
    call('HINCRBY', event, 'open', -1)
    return
  end
  retire(event, id, tonumber(found[3]), retention_s)
  call('XDEL', shard .. 'documents', found[2])
end

-- The entry of an event in the stream of documents: event, marks, document.
local function entry_at(place)
  local entry = place and call('XRANGE', shard .. 'documents', place, place)[1]
  return entry and {entry[2][2], entry[2][4], entry[2][6]}
end

-- Lease a delivery that is due. Answers nil, and drops it, when its event is gone.
local function grant(target, delivery, lease, lease_s, due)
  local kind, id = delivery:sub(KIND_AT, KIND_AT), delivery:sub(ID_AT)
  local event = shard .. 'event:' .. id
  local found = call('HMGET', event, 'account', 'born', 'until', 'place')
  local entry = entry_at(found[4])
  if not entry then
    remove(target, delivery)
    -- Forgotten, so that a repetition brings it back.
    call('DEL', event)
    return nil
  end
  local state = state_of(target, delivery)
  if state[LEASE] ~= '' then state[CUT_OFF] = state[CUT_OFF] + 1 end
  state[LEASE] = lease
  keep_state(target, delivery, state)
  call('ZADD', shard .. 'held:' .. target, now + lease_s, delivery)
  call('ZREM', shard .. 'wait:' .. target, delivery)
  return {
    id, found[1], target, kind, entry[3], lease, state[ATTEMPTS], state[FAILURES], state[CUT_OFF],
    found[2], kind == 'r' and found[3] or '', state[MARKS] ~= '' and state[MARKS] or entry[2], due
  }
end

-- Lease the reply delivery of an event when it is due, else false.
local function take_over(id, lease, lease_s)
  local found = call('HMGET', shard .. 'event:' .. id, 'seq', 'replier')
  if not found[1] or not found[2] then return false end
  local delivery = named(found[1], 'r', id)
  local due = call('ZSCORE', shard .. 'held:' .. found[2], delivery)
    or call('ZSCORE', shard .. 'wait:' .. found[2], delivery)
  if not due or tonumber(due) > now then return false end
  return grant(found[2], delivery, lease, lease_s, due) or false
end
