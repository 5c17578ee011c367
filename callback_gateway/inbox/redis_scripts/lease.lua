-- ARGV[2..4] = lease to give, seconds of it for notify, for reply; then target and how many of it
-- are wanted, in turn. Answers the leases, and how many deliveries were dropped for want of their
-- event.
local lease, notify_s, reply_s = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
write_even_if_full()
local leases, lost = {}, 0
for at = 5, #ARGV, 2 do
  local target = ARGV[at]
  for _, each in ipairs(due_of(target, tonumber(ARGV[at + 1]))) do
    local lease_s = each[2]:sub(KIND_AT, KIND_AT) == 'r' and reply_s or notify_s
    local row = grant(target, each[2], lease, lease_s, each[1])
    if row then leases[#leases + 1] = row else lost = lost + 1 end
  end
end
return answer({leases, lost})
