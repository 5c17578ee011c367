-- ARGV[2..3] = seconds of a lease of notify, of reply; then event id, target, kind, lease in turn.
-- Answers the places (from 0) of those that are void.
local seconds = {n = tonumber(ARGV[2]), r = tonumber(ARGV[3])}
write_even_if_full()
local void = {}
for at = 4, #ARGV, 4 do
  local id, target, kind, lease = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local seq = call('HGET', shard .. 'event:' .. id, 'seq')
  local delivery = seq and named(seq, kind, id)
  if delivery and state_of(target, delivery)[LEASE] == lease then
    call('ZADD', shard .. 'held:' .. target, now + seconds[kind], delivery)
  else
    void[#void + 1] = (at - 4) / 4
  end
end
return answer(void)
