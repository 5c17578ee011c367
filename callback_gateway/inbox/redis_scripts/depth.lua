-- Answers how many events and dead letters the shard holds; target, waiting, leased, since when its
-- head is due ('' for not) in turn; target, dead letters in turn.
local lanes = {}
for _, target in ipairs(call('SMEMBERS', shard .. 'targets')) do
  local wait, held = shard .. 'wait:' .. target, shard .. 'held:' .. target
  local waiting, leased = call('ZCARD', wait), call('ZCARD', held)
  if waiting + leased > 0 then
    local lapsed = call('ZCOUNT', held, '-inf', now)
    local head = tonumber(call('ZRANGE', wait, 0, 0, 'WITHSCORES')[2])
    local ended = tonumber(call('ZRANGE', held, 0, 0, 'WITHSCORES')[2])
    local oldest = math.min(head or now + 1, ended or now + 1)
    lanes[#lanes + 1] = target
    lanes[#lanes + 1] = waiting + lapsed
    lanes[#lanes + 1] = leased - lapsed
    lanes[#lanes + 1] = oldest <= now and string.format('%.6f', oldest) or ''
  end
end
local used = call('XLEN', shard .. 'documents') + call('ZCARD', shard .. 'dead')
return answer({used, lanes, call('HGETALL', shard .. 'dead_of')})
