-- ARGV[2..] = ids of dead letters. Deletes them; answers how many were there.
local dropped = 0
for at = 2, #ARGV do
  if unbury(ARGV[at], call('HGET', shard .. 'letter:' .. ARGV[at], 'target')) then
    dropped = dropped + 1
  end
end
return answer(dropped)
