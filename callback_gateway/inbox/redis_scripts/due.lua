-- What of a target is due, the longest first: {since, name} each. Lapsed leases count as due.
local function due_of(target, most)
  local due = {}
  for _, lane in ipairs({'wait:', 'held:'}) do
    local found = call(
      'ZRANGE', shard .. lane .. target, '-inf', now, 'BYSCORE', 'LIMIT', 0, most, 'WITHSCORES'
    )
    for at = 1, #found, 2 do due[#due + 1] = {found[at + 1], found[at], tonumber(found[at + 1])} end
  end
  table.sort(due, function(a, b) return a[3] < b[3] or (a[3] == b[3] and a[2] < b[2]) end)
  while #due > most do due[#due] = nil end
  return due
end
