--[[
Reads schedulers: one by its id, or a range in the order of their next time.

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV[1]  text  id; empty: a range
ARGV[2]  int   first of the range, from 0; negative: from the end
ARGV[3]  int   last of the range, included
ARGV[4]  text  "1" soonest first, "0" last first
Returns  an array of [ id, next time (ms), fields and values of the record … ]; without fields: a repeatable of an old version
Events   none
Cost     O(log n + range)
BullMQ   6.7: getJobScheduler-1, and ZRANGE of `repeat`. Differs: nothing is removed by reading
--]]
local base = KEYS[1]
local id, first, last, ascending = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local call = redis.call

local schedulers = base .. 'repeat'
local found
if id ~= '' then
    local at = call('ZSCORE', schedulers, id)
    found = at and { id, at } or {}
else
    found = call(ascending == '1' and 'ZRANGE' or 'ZREVRANGE', schedulers, first, last, 'WITHSCORES')
end
local out = {}
for i = 1, #found, 2 do
    local entry = call('HGETALL', schedulers .. ':' .. found[i])
    table.insert(entry, 1, found[i])
    table.insert(entry, 2, found[i + 1])
    out[#out + 1] = entry
end
return out
