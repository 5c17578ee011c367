-- ARGV[2] = '1' to pass over letters that no delivery led to; then ids.
-- Answers those that are there: ids and positions in turn.
local told = {}
for at = 3, #ARGV do
  local position = call('ZSCORE', shard .. 'dead', ARGV[at])
  if position and (ARGV[2] == '' or call('HGET', shard .. 'letter:' .. ARGV[at], 'target') ~= '-') then
    told[#told + 1] = ARGV[at]
    told[#told + 1] = position
  end
end
return answer(told)
