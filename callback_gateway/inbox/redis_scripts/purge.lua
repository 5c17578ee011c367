-- ARGV[2..3] = seconds for which dead letters are kept, how much to forget at most.
-- Answers how many ids, stamps and dead letters were forgotten.
local most = tonumber(ARGV[3])
local keys = call('ZRANGE', shard .. 'over', '-inf', now, 'BYSCORE', 'LIMIT', 0, most)
for _, key in ipairs(keys) do
  call('DEL', shard .. key)
  call('ZREM', shard .. 'over', key)
end

local last = math.floor((now - ARGV[2]) * LETTERS_PER_S) * SHARDS + SHARDS - 1
local letters = call('ZRANGE', shard .. 'dead', '-inf', last, 'BYSCORE', 'LIMIT', 0, most - #keys)
for _, id in ipairs(letters) do unbury(id, call('HGET', shard .. 'letter:' .. id, 'target')) end

for _, target in ipairs(call('SMEMBERS', shard .. 'targets')) do
  if call('EXISTS', shard .. 'wait:' .. target, shard .. 'held:' .. target) == 0 then
    call('SREM', shard .. 'targets', target)
  end
end
return answer(#keys + #letters)
