-- ARGV[2..3] = target, how many at most. Makes what waits for later due now; answers how many.
write_even_if_full()
local wait = shard .. 'wait:' .. ARGV[2]
local later = call('ZRANGE', wait, '(' .. string.format('%.17g', now), '+inf', 'BYSCORE', 'LIMIT', 0, ARGV[3])
for _, delivery in ipairs(later) do call('ZADD', wait, now, delivery) end
return answer(#later)
