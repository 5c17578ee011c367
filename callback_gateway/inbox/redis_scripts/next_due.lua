-- ARGV[2..] = targets. Answers when the first delivery of any is due or its lease ends, or nil.
local first
for at = 2, #ARGV do
  for _, lane in ipairs({'wait:', 'held:'}) do
    local due = tonumber(call('ZRANGE', shard .. lane .. ARGV[at], 0, 0, 'WITHSCORES')[2])
    if due and (not first or due < first) then first = due end
  end
end
return answer(first and string.format('%.6f', first) or false)
