-- ARGV[2..] = target and how many of it are wanted, in turn.
-- Answers for each target since when its deliveries are due. Changes nothing.
local told = {}
for at = 2, #ARGV, 2 do
  local since = {}
  for place, each in ipairs(due_of(ARGV[at], tonumber(ARGV[at + 1]))) do since[place] = each[1] end
  told[#told + 1] = since
end
return answer(told)
