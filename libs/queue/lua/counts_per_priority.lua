--[[
Waiting jobs per priority. Those without one are in `wait` (and in the version 5 list `paused`).

KEYS[1]   text  key base `<prefix>:<queue>:`
ARGV[1…]  int   priorities, at most 5000
Returns   one number per priority, in their order
Events    none
Cost      O(log n) per priority
BullMQ    6.7: getCountsPerPriority-4
--]]
local base = KEYS[1]
local priorities = ARGV
local call = redis.call
--@include "counts"

local counts = {}
for i, text in ipairs(priorities) do
    local priority = tonumber(text)
    if priority == 0 then
        counts[i] = count_list(base .. 'wait') + count_list(base .. 'paused')
    else
        local first = priority * 4294967296
        counts[i] = call('ZCOUNT', base .. 'prioritized', first, first + 4294967295)
    end
end
return counts
