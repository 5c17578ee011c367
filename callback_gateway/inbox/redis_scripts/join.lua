-- ARGV[2..5] = account, event id, lease to give, seconds of it.
-- Answers state, reply, and the lease when the attempt was taken over.
local event = shard .. 'event:' .. ARGV[3]
local found = call('HMGET', event, 'account', 'state', 'reply')
if found[1] ~= ARGV[2] then return answer({'given_up', false, false}) end
local taken = false
if found[2] == 'running' then
  write_even_if_full()
  taken = take_over(ARGV[3], ARGV[4], tonumber(ARGV[5]))
end
return answer({found[2] or 'none', found[3], taken})
