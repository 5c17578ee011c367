-- Take arrivals in. ARGV[2..8] = lease to give, name for a life that begins, room for undelivered
-- events in this shard, seconds: retention, stamps, reply lease; targets of all arrivals. Then ten
-- words an arrival: id, account, document, notify, replier, window in seconds, proof, digest of the
-- body, why it is malformed, marks ('' for what isn't there; lists in lines).
--
-- Answers how many events and dead letters the shard holds, and for each arrival NEW, LEASED (new,
-- and its reply is the caller's to get), ALTERED, FULL, or tries, state, reply, lease.
--
-- The first write is one that Redis refuses when memory is full, so that all or nothing is stored.
-- An event's own hash comes last: what is there without it is passed over.
local NEW, LEASED, ALTERED, FULL = 1, 2, 3, 4
local FIRST, WORDS = 9, 10

local lease, room = ARGV[2], tonumber(ARGV[4])
local retention_s, stamp_s, reply_lease_s = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local documents = shard .. 'documents'
local used = call('XLEN', documents) + call('ZCARD', shard .. 'dead')
local accepted = count
room = room - used

local function first(at, event, id)
  local account, document, notify = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local replier, malformed, marks = ARGV[at + 4], ARGV[at + 8], ARGV[at + 9]
  if malformed ~= '' then
    bury({
      event = id, account = account, target = '-', kind = 'n', reason = malformed, born = now,
      attempts = '[]', document = document
    })
  end
  if malformed ~= '' or (notify == '' and replier == '') then
    call('HSET', event, 'tries', 1, 'account', account)
    forget_later('event:' .. id, now + retention_s)
    return NEW
  end
  count = count + 1
  local seq = string.format('%013d', count)
  local place = call('XADD', documents, '*', 'event', id, 'marks', marks, 'document', document)
  local open = 0
  for target in notify:gmatch('[^\n]+') do
    call('ZADD', shard .. 'wait:' .. target, now, seq .. 'n' .. id)
    open = open + 1
  end
  if replier == '' then
    call(
      'HSET', event, 'tries', 1, 'account', account, 'born', now, 'seq', seq, 'open', open,
      'place', place
    )
    return NEW
  end
  local delivery = named(seq, 'r', id)
  keep_state(replier, delivery, {lease, 0, 0, '', '[]'})
  call('ZADD', shard .. 'held:' .. replier, now + reply_lease_s, delivery)
  call(
    'HSET', event, 'tries', 1, 'account', account, 'born', now, 'seq', seq, 'open', open + 1,
    'place', place, 'state', 'running', 'until', now + tonumber(ARGV[at + 5]), 'replier', replier
  )
  return LEASED
end

local function again(event, id)
  local found = call('HMGET', event, 'state', 'reply')
  local tries = call('HINCRBY', event, 'tries', 1)
  local taken = found[1] == 'running' and take_over(id, lease, reply_lease_s)
  return {tries, found[1] or 'none', found[2], taken}
end

local function arrive(at)
  local id, proof, body = ARGV[at], ARGV[at + 6], ARGV[at + 7]
  local stamp = 'stamp:' .. proof
  local stamped = proof ~= '' and call('GET', shard .. stamp)
  if stamped and stamped ~= body then return ALTERED end
  local event = shard .. 'event:' .. id
  local told
  if call('EXISTS', event) == 1 then
    told = again(event, id)
  else
    local needs_room = ARGV[at + 3] ~= '' or ARGV[at + 4] ~= '' or ARGV[at + 8] ~= ''
    if needs_room and room < 1 then return FULL end
    told = first(at, event, id)
    if needs_room then
      room = room - 1
      used = used + 1
    end
  end
  if proof ~= '' and not stamped then
    call('SET', shard .. stamp, body)
    forget_later(stamp, now + stamp_s)
  end
  return told
end

if ARGV[8] ~= '' then
  local targets = {}
  for target in ARGV[8]:gmatch('[^\n]+') do targets[#targets + 1] = target end
  call('SADD', shard .. 'targets', unpack(targets))
end
local told = {}
for at = FIRST, #ARGV, WORDS do told[#told + 1] = arrive(at) end
if count > accepted then
  if name == '' then name = ARGV[3] end
  call('HSET', shard .. 'life', 'name', name, 'count', count)
end
return answer({used, told})
