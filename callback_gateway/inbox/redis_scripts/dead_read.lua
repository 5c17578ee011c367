-- ARGV[2..] = ids of dead letters. Answers the fields of each, nils for one that is gone.
local told = {}
for at = 2, #ARGV do
  told[#told + 1] = call(
    'HMGET', shard .. 'letter:' .. ARGV[at], 'event', 'account', 'target', 'kind', 'reason', 'died',
    'born', 'document', 'attempts'
  )
end
return answer(told)
