-- ARGV[2..7] = position to begin after, how many to find, how many to look at, account, target
-- ('' for all), '1' to pass over letters that no delivery led to.
-- Answers the position to go on after ('' at the end), and ids and positions in turn.
local most, account, target = tonumber(ARGV[3]), ARGV[5], ARGV[6]
local seen = call(
  'ZRANGE', shard .. 'dead', '(' .. ARGV[2], '+inf', 'BYSCORE', 'LIMIT', 0, ARGV[4], 'WITHSCORES'
)

local function fits(id)
  if account == '' and target == '' and ARGV[7] == '' then return true end
  local found = call('HMGET', shard .. 'letter:' .. id, 'account', 'target')
  return (account == '' or found[1] == account) and (target == '' or found[2] == target)
    and (ARGV[7] == '' or found[2] ~= '-')
end

local told, on = {}, #seen == 2 * tonumber(ARGV[4]) and seen[#seen] or ''
for at = 1, #seen, 2 do
  if fits(seen[at]) then
    told[#told + 1] = seen[at]
    told[#told + 1] = seen[at + 1]
    if #told == 2 * most then
      on = seen[at + 1]
      break
    end
  end
end
return answer({on, told})
