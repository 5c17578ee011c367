-- ARGV[2] = name for a life that begins; then ids of dead letters. Makes them deliveries that are due; answers how many were there.
local documents = shard .. 'documents'

-- Answers the number of the event, which is brought back with its document where it was over.
local function revive(letter)
  local event = shard .. 'event:' .. letter.event
  local found = call('HMGET', event, 'tries', 'seq')
  if found[2] then return found[2] end
  count = count + 1
  local seq = string.format('%013d', count)
  local place = call(
    'XADD', documents, '*', 'event', letter.event, 'marks', '', 'document', letter.document
  )
  if not found[1] then
    call('HSET', event, 'tries', 1)
    if letter.kind == 'r' then call('HSET', event, 'state', 'given_up') end
  end
  call(
    'HSET', event, 'account', letter.account, 'born', letter.born, 'seq', seq, 'open', 0,
    'place', place
  )
  call('PERSIST', event)
  call('ZREM', shard .. 'over', 'event:' .. letter.event)
  return seq
end

local function redrive(id)
  local found = call(
    'HMGET', shard .. 'letter:' .. id, 'event', 'account', 'target', 'kind', 'born', 'document'
  )
  if not found[1] then return 0 end
  local letter = {
    event = found[1], account = found[2], target = found[3], kind = found[4], born = found[5],
    document = found[6]
  }
  local delivery = named(revive(letter), 'n', letter.event)
  local wait = shard .. 'wait:' .. letter.target
  if not call('ZSCORE', shard .. 'held:' .. letter.target, delivery) then
    call('SADD', shard .. 'targets', letter.target)
    if call('ZADD', wait, now, delivery) == 1 then
      call('HINCRBY', shard .. 'event:' .. letter.event, 'open', 1)
    end
    keep_state(letter.target, delivery, {'', 0, 0, 'redriven', '[]'})
  end
  unbury(id, letter.target)
  return 1
end

local before, redriven = count, 0
for at = 3, #ARGV do redriven = redriven + redrive(ARGV[at]) end
if count > before then
  if name == '' then name = ARGV[2] end
  call('HSET', shard .. 'life', 'name', name, 'count', count)
end
return answer(redriven)
